"""Principals that were not there before: what they are allowed, in one sentence."""

from __future__ import annotations

from policyengine.iam.administration import administrator
from policyengine.iam.catalogue import catalogue
from policyengine.iam.difference import shown
from policyengine.iam.escalating import escalates
from policyengine.iam.reason import Yes
from policyengine.iam.ways import action_bits
from policyengine.model.resource import Resource
from policyengine.review.access_compare import policy_of, sum_of, unlimited
from policyengine.review.access_lines import Layer
from policyengine.review.access_questions import Told
from policyengine.review.access_sides import Allowed
from policyengine.review.access_words import asker, called
from policyengine.review.changes import Change


def new_policy(resource: Resource, identity: Layer) -> Change:
    """Return what a new managed policy or group allows that no principal shown here has."""
    said, severity = _what(identity, unlimited("boundary")), "low"
    if isinstance(administrator([policy_of(identity.values(), "identity")]), Yes):
        said, severity = "it makes administrators", "high"
    title = f"{called(resource)} is new: {said.replace('may call', 'allows')}"
    return Change("access", "new", severity, title, resource)


def new_principal(resource: Resource, allowed: Allowed, admitted: list[Told]) -> Change:
    """Return what a new principal may do, and who may be it; ``admitted`` is what its trust policy allows."""
    identity, boundary = allowed.layers
    limited = boundary.keys() != unlimited("boundary").keys()
    policies = [policy_of(identity.values(), "identity")]
    said, severity = _what(identity, boundary), "low"
    if not limited and isinstance(administrator(policies), Yes):
        said, severity = "it is an administrator", "critical"
    elif not limited and isinstance(escalates(policies), Yes):
        said, severity = f"{said}; it can give itself more", "high"
    asking = [told.found.witness.principal for told in admitted if told.found.witness is not None]
    names = list(dict.fromkeys(map(asker, asking)))
    if names:
        said += f"; {' and '.join(names[:2])} may assume it"
    if any(told.audience == "anybody" for told in admitted):
        severity = "critical" if severity == "critical" else "high"
    return Change("access", "new", severity, f"{called(resource)} is new: {said}", resource)


def _what(identity: Layer, boundary: Layer) -> str:
    known = catalogue()
    allowed = sum_of(action_bits(line.statement, known) for line in identity.values() if line.statement.allow)
    allowed &= sum_of(
        action_bits(line.statement, known) for line in boundary.values() if line.statement.allow
    )
    if any(line.statement.opaque is not None for line in identity.values()):
        return "not everything that it may call is known"
    names = [name for index, name in enumerate(known.names) if allowed >> index & 1]
    if not names:
        return "it may call nothing"
    return f"it may call {shown(names, names[0])}"
