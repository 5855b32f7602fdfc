"""The principals of a target as the escalation graph takes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from policyengine.iam.account_ids import account_of
from policyengine.iam.documents import Policy
from policyengine.iam.escalation_world import Principal, World
from policyengine.iam.unknowns import perhaps, unknown_policy
from policyengine.rules.iam.carriers import Carried
from policyengine.rules.iam.chains import Chains
from policyengine.rules.iam.principals import MADE_UP, PrincipalRecord, caller_arn
from policyengine.rules.iam.reader import Document

if TYPE_CHECKING:
    from policyengine.iam.organization import Organization

_DIFFERS: Final = "it differs between the branches of the template"


def world_of(
    records: Iterable[PrincipalRecord],
    carried: Carried | None = None,
    organization: Organization | None = None,
) -> World:
    """Return the world of these principals, by ARN; the branches of one are one that may be either.

    ``carried`` None: what runs with roles is not known. ``organization`` None: no SCPs and no RCPs.
    """
    chains = Chains(organization)
    named: dict[str, list[PrincipalRecord]] = {}
    for record in records:
        named.setdefault(caller_arn(record)[0], []).append(record)
    principals = {arn: _principal(arn, named[arn], chains) for arn in sorted(named)}
    accounts = {account_of(arn) for arn in principals}
    rcps = {account: found for account in sorted(accounts) if (found := chains.of(account, "rcp"))}
    return World(
        principals,
        None if carried is None else carried.carriers,
        None if organization is None else organization.management_account,
        frozenset() if carried is None else carried.unlisted,
        rcps,
    )


def _principal(arn: str, records: Sequence[PrincipalRecord], chains: Chains) -> Principal:
    first = records[0]
    account = account_of(arn)
    opaque = [
        d.opaque for r in records for d in (*r.identity, r.boundary) if d is not None and d.opaque is not None
    ]
    return Principal(
        arn,
        identity=_identity(records),
        boundary=_one([r.boundary for r in records]),
        trust=_one([r.trust for r in records]),
        scps=chains.of(account, "scp"),
        managed=_arns([r.managed for r in records], account, "policy"),
        groups=_arns([r.groups for r in records], account, "group"),
        boundary_arn=next(iter(_arns([_listed(first.boundary_arn)], account, "policy") or ()), None),
        opaque=tuple(dict.fromkeys(o.reason for o in opaque)),
    )


def _listed(name: str | None) -> tuple[str, ...]:
    return () if name is None else (name,)


def _identity(records: Sequence[PrincipalRecord]) -> list[Policy]:
    """Return the policies of all branches; those that are not in each may be there."""
    everywhere = [_contents(record.identity) for record in records]
    found: dict[int, Policy] = {}
    for record in records:
        for document in record.identity:
            shared = all(_content(document.policy) in contents for contents in everywhere)
            policy = document.policy if shared else perhaps(document.policy, _DIFFERS)
            found.setdefault(_content(document.policy), policy)
    return list(found.values())


def _contents(documents: Sequence[Document]) -> set[int]:
    return {_content(document.policy) for document in documents}


def _content(policy: Policy) -> int:
    """Return what tells policies apart: what their statements say, not where they stand."""
    return hash(
        tuple(
            (
                s.allow, s.actions, s.not_action, s.resources, s.not_resource,
                str(s.conditions), str(s.principals), str(s.opaque), s.variables,
            )
            for s in policy.statements
        )
    )  # fmt: skip


def _one(documents: Sequence[Document | None]) -> Policy | None:
    """Return the policy of all branches; where they differ, one that may allow and deny anything."""
    first = documents[0]
    if len({None if d is None else _content(d.policy) for d in documents}) == 1:
        return None if first is None else first.policy
    kind = next(d.policy.kind for d in documents if d is not None)
    return unknown_policy(kind, _DIFFERS)


def _arns(found: Sequence[tuple[str, ...] | None], account: str, kind: str) -> tuple[str, ...] | None:
    """Return ARNs, made up where code does not fix the account; None where branches differ."""
    if len(set(found)) != 1 or found[0] is None:
        return None
    return tuple(
        n if n.startswith("arn:") else f"arn:aws:iam::{account or MADE_UP}:{kind}/{n}" for n in found[0]
    )
