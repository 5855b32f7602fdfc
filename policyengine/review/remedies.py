"""Remediation that a change makes impossible: what is left alone from now on, and what its role may no longer do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from policyengine.iam.difference import Gain, gains
from policyengine.iam.documents import Policy
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.search import Witness as Found
from policyengine.model.finding import Witness
from policyengine.model.resource import Path, Resource
from policyengine.review.changes import Change
from policyengine.review.matching import is_unchanged
from policyengine.review.pairs import Pairing
from policyengine.rules.iam.reader import Reader
from policyengine.rules.iam.standins import ACCOUNT, REGION
from policyengine.rules.iam.tables import spots
from policyengine.rules.iam.values import account_id, partition

SCP = "AWS::Organizations::Policy"


class Remedy(NamedTuple):
    """What a remediation needs: the types it repairs, the actions that change them, its role's name in a ``{region}``."""

    id: str
    types: Collection[str]
    writes: Sequence[str]
    role: str


def remedy_changes(
    pairing: Pairing, remedies: Sequence[Remedy], exclusion_tags: Collection[str]
) -> Iterator[Change]:
    """Yield resources that remediation is told to leave alone, and policies that newly deny what a remediation does."""
    types = {type_ for remedy in remedies for type_ in remedy.types}
    for pair in pairing.pairs:
        if pair.head is None or is_unchanged(pair, pairing.renamed):
            continue
        if pair.head.type in types:
            yield from _excluded(pair.base, pair.head, exclusion_tags)
        yield from _denied(pair.base, pair.head, remedies)


def _excluded(base: Resource | None, head: Resource, exclusion_tags: Collection[str]) -> Iterator[Change]:
    before = base.tags if base is not None and isinstance(base.tags, dict) else {}
    after = head.tags if isinstance(head.tags, dict) else {}
    for tag in sorted(set(exclusion_tags) & after.keys() - before.keys()):
        yield Change(
            "remediation", "worse", "medium", f"remediation leaves it alone from now on: it is tagged `{tag}`", head, base,
            ("tags", tag), None, tag,
        )  # fmt: skip


def _denied(base: Resource | None, head: Resource, remedies: Sequence[Remedy]) -> Iterator[Change]:
    after = list(_denies(head))
    if not after:
        return
    before = [policy for _, policy in _denies(base)] if base is not None else []
    path = after[0][0]
    everywhere = head.type == SCP
    regions = [head.region] if head.region not in (None, "global") else _named_regions(after)
    for remedy in remedies:
        if not (everywhere or head.type in remedy.types) or not remedy.writes:
            continue
        found = [_gain(head, after, before, remedy, region or REGION) for region in regions]
        first = found[0]
        if first is not None and None not in found:
            shown, role = first
            yield Change(
                "remediation", "worse", "medium",
                f"remediation `{remedy.id}` can no longer make its changes: {shown.action} is denied to its role", head, base,
                path, witness=Witness(shown.principal, shown.action, shown.resource, dict(shown.context)),
                details=(f"what it needs: {', '.join(remedy.writes)}", f"its role: {role}"),
            )  # fmt: skip


def _gain(
    head: Resource,
    after: Sequence[tuple[Path, Policy]],
    before: Sequence[Policy],
    remedy: Remedy,
    region: str,
) -> tuple[Found, str] | None:
    """Return a request of a remediation's role in a region that is newly denied, and the role."""
    account = account_id(head) or ACCOUNT
    role = f"arn:{partition(head)}:iam::{account}:role/{remedy.role.format(region=region)}"
    asked = RequestSet(
        actions=tuple(remedy.writes), principals=(role,), context={"aws:requestedregion": Values((region,))},
        spelled={"aws:requestedregion": "aws:RequestedRegion"},
    )  # fmt: skip
    answers = gains([policy for _, policy in after], before, asked)
    return next(((answer.witness, role) for answer in answers if isinstance(answer, Gain)), None)


def _named_regions(policies: Sequence[tuple[Path, Policy]]) -> list[str]:
    """Return the regions that policies name, else a made-up one: what is denied outside approved regions only can still be
    done within them."""
    named = {
        value
        for _, policy in policies
        for statement in policy.statements
        for condition in statement.conditions
        if condition.key.lower() == "aws:requestedregion"
        for value in condition.values
        if isinstance(value, str) and not set(value) & set("*?$")
    }
    return sorted(named) or [REGION]


def _denies(resource: Resource) -> Iterator[tuple[Path, Policy]]:
    """Yield the policies of a resource that bind others, with their Deny statements only."""
    reader = Reader()
    found = list(spots(resource))
    if resource.type == SCP and resource.properties.get("Type") == "SERVICE_CONTROL_POLICY":
        found.append((("Content",), resource.properties.get("Content"), "scp"))
    for path, value, kind in found:
        if kind in ("identity", "boundary", "trust"):
            continue
        policy = reader.document(resource, path, value, kind).policy
        denying = tuple(s for s in policy.statements if not s.allow)
        if denying:
            yield path, replace(policy, statements=denying)
