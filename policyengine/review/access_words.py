"""Titles and severities of what a change newly allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from policyengine.iam.difference import shown
from policyengine.iam.grammar import Kind
from policyengine.iam.sentences import who
from policyengine.model.resource import Resource
from policyengine.review.access_questions import Told, powerful

_KINDS: Final[Mapping[str, str]] = {
    "AWS::IAM::Role": "role ",
    "AWS::IAM::User": "user ",
    "AWS::IAM::Group": "group ",
    "AWS::IAM::ManagedPolicy": "managed policy ",
    "AWS::SSO::PermissionSet": "permission set ",
}
_CALLERS: Final = ("AWS::IAM::Role", "AWS::IAM::User")
_POWERS: Final[Mapping[str, str]] = {
    "": "",
    "administrator": ", and is now an administrator",
    "escalates": ", and can now give itself more",
}
_SECRETS: Final = ("trust", "key")


def called(resource: Resource) -> str:
    """Return how a reader calls a resource."""
    return f"{_KINDS.get(resource.type, '')}`{resource.id}`"


def allowed_title(told: Told, kind: Kind, subjects: Sequence[Resource], *, gone: bool) -> str:
    """Return one sentence for what is newly allowed, or (``gone``) no longer."""
    found, names, when = told.found, _subjects(subjects), "no longer" if gone else "newly"
    calls = kind == "identity" and subjects[0].type in _CALLERS
    if found.witness is None:
        does = f"may {when} call" if calls else f"{when} allows"
        return (
            f"who may {when} assume {names} is not clear"
            if kind == "trust"
            else f"what {names} {does} is not clear"
        )
    what = shown(found.actions, found.witness.action)
    if found.freed:
        denied = "newly" if gone else "no longer"
        return f"{names} is {denied} denied {what}" if calls else f"{names} {denied} denies {what}"
    if kind == "identity":
        what += _POWERS[told.power] if not gone else ""
        return f"{names} may {when} call {what}" if calls else f"{names} {when} allows {what}"
    asks = asker(found.witness.principal)
    if kind == "trust" and found.witness.action.lower().startswith("sts:assumerole"):
        return f"{asks} may {when} assume {names}"
    return f"{asks} may {when} call {what} {'through' if kind == 'endpoint' else 'on'} {names}"


def _subjects(subjects: Sequence[Resource]) -> str:
    if len(subjects) == 1:
        return called(subjects[0])
    return f"{called(subjects[0])} and {len(subjects) - 1:,} more"


def severity(told: Told, kind: Kind) -> str:
    """Return how bad it is that something is newly allowed."""
    found = told.found
    if found.witness is None:
        return "medium"
    if kind == "endpoint":
        return "medium"  # it only limits what other policies allow
    if told.audience == "anybody":
        return "critical" if kind in _SECRETS or powerful(found) else "high"
    if told.audience == "others" and not found.freed:
        return "high"
    if told.power == "administrator":
        return "critical"
    return "high" if kind == "identity" and powerful(found) else "medium"


def asker(principal: str) -> str:
    """Return who asks, for a reader."""
    provider = principal.partition("-provider/")[2]
    return f"holders of tokens of {provider}" if provider else who(principal)
