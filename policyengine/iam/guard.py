"""Guardrail synthesis: the smallest SCP or RCP that closes what a set of requests finds open, with proofs.

Two things are proved over all requests: with the new policy in its place no request of the set gets
through in any account that was open, and the policy denies nothing outside the set.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from policyengine.iam.covering import Coverage, coverage
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.domains import Callers, any_caller
from policyengine.iam.guard_statement import Inexpressible, complements, compressed, variants
from policyengine.iam.organization import Attached, Chain, ChainKind, Organization, Quotas
from policyengine.iam.reason import EVERYONE, EVERYTHING, No, Unknown, Yes, extended, newly_allows
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness
from policyengine.iam.ways import action_bits

NEW: Final = "new-guardrail"
"""The id that a policy which is not there yet has in chains."""


@dataclass(frozen=True, slots=True)
class Room:
    """A node and what its quota says: how many policies it would have, and who there has room for more."""

    node: str
    attached: int
    limit: int
    roomy: tuple[tuple[str, int], ...] = ()
    """(policy, characters that are left in it) of policies that stand nowhere else."""

    @property
    def fits(self) -> bool:
        """Say whether the quota allows them."""
        return self.attached <= self.limit


@dataclass(slots=True)
class Guardrail:
    """What was found. ``problems`` says why there is no policy, or what is not proved of it.

    ``open``: accounts that were not covered before, and how; ``policies``: the documents to attach at each
    of ``nodes``; ``closes`` and ``exact`` are the proofs; ``beyond``: actions no policy of the kind denies.
    """

    kind: ChainKind
    open: list[Coverage]
    covered: int
    policies: list[dict[str, Any]] = field(default_factory=list)
    nodes: list[str] = field(default_factory=list)
    once: str | None = None
    """The one node above all of ``nodes``: there the policy also stands above accounts that are covered."""
    closes: bool | None = None
    exact: bool | None = None
    left: list[Coverage] = field(default_factory=list)
    outside: Witness | None = None
    characters: list[int] = field(default_factory=list)
    limit: int = 0
    rooms: list[Room] = field(default_factory=list)
    beyond: int = 0
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def proved(self) -> bool:
        """Say whether there is a policy that closes everything, denies nothing else and fits."""
        fits = all(r.fits for r in self.rooms) and all(c <= self.limit for c in self.characters)
        return bool(self.policies) and self.closes is True and self.exact is True and fits


def synthesize(
    organization: Organization, requests: RequestSet, kind: ChainKind = "scp", quotas: Quotas | None = None
) -> Guardrail:
    """Return the policies that close the set in every member account where it is open."""
    before = list(coverage(organization, requests, kind=kind))
    needing = [c for c in before if not isinstance(c.answer, No)]
    found = Guardrail(kind, needing, len(before) - len(needing))
    if not needing:
        return found
    if any(not c.layer for c in needing):
        found.problems.append(f"{kind.upper()}s are not enabled in the organisation: enable them first")
    limits = quotas or Quotas()
    found.limit = limits.scp_characters if kind == "scp" else limits.rcp_characters
    found.nodes = nodes_above(organization, {c.account for c in needing})
    found.once = _above_all(organization, found.nodes)
    _choose(found, organization, requests)
    _measure(found, organization, limits)
    return found


def nodes_above(organization: Organization, accounts: set[str]) -> list[str]:
    """Return the topmost nodes below which every member account is one of these."""
    below: dict[str, set[str]] = {}
    for account in organization.accounts:
        for node in _path(organization, account):
            below.setdefault(node, set()).add(account)
    chosen: dict[str, None] = {}
    for account in sorted(accounts):
        path = _path(organization, account)
        chosen.setdefault(next(node for node in reversed(path) if below[node] <= accounts))
    return list(chosen)


def _path(organization: Organization, account: str) -> list[str]:
    """Return the account and the nodes above it, the topmost that is known last."""
    path = [account]
    node = organization.nodes.get(account)
    while node is not None and isinstance(node.parent, str) and node.parent not in path:
        node = organization.nodes.get(node.parent)
        if node is not None:
            path.append(node.id)
    return path


def _above_all(organization: Organization, nodes: Sequence[str]) -> str | None:
    """Return the lowest node that all of these are below, None where none is known."""
    paths = [_path(organization, node) for node in nodes]
    return next((node for node in paths[0] if all(node in path for path in paths[1:])), None)


# -- the statement ----------------------------------------------------------------------------------------


def _choose(found: Guardrail, organization: Organization, requests: RequestSet) -> None:
    """Fill in the first variant that is proved both ways, else the first that closes."""
    known = extended([], requests)
    actions, beyond = compressed(requests, known, found.kind)
    if beyond:
        found.beyond = beyond.bit_count()
        names = known.names[(beyond & -beyond).bit_length() - 1]
        found.problems.append(
            f"no RCP can deny {found.beyond:,} of the set's actions, such as {names}: RCPs do not cover them"
        )
    if not actions:
        return
    if beyond:
        requests = replace(requests, actions=actions)
    made = variants(requests, actions, found.kind)
    if isinstance(made, Inexpressible):
        found.problems.append(f"the set cannot be said in one statement: {made.what}")
        return
    accounts = [c.account for c in found.open]
    for statement in made:
        trial = Guardrail(found.kind, found.open, found.covered)
        documents = _documents(statement, found.limit)
        policies = [read_policy(document, found.kind) for document in documents]
        _prove(trial, organization, requests, policies, found.nodes, accounts)
        better = (trial.closes is True, trial.exact is True) > (found.closes is True, found.exact is True)
        if not found.policies or better:
            found.policies, found.closes, found.exact = documents, trial.closes, trial.exact
            found.left, found.outside, found.notes = trial.left, trial.outside, trial.notes
        if found.closes and found.exact:
            return


def _documents(statement: Mapping[str, Any], limit: int) -> list[dict[str, Any]]:
    """Return the statement as documents that fit, its actions spread over several where one is too long."""
    whole = {"Version": "2012-10-17", "Statement": [statement]}
    actions = statement["Action"]
    if characters(whole) <= limit or isinstance(actions, str):
        return [whole]
    half = len(actions) // 2
    found: list[dict[str, Any]] = []
    for part in (actions[:half], actions[half:]):
        found.extend(_documents({**statement, "Action": part[0] if len(part) == 1 else part}, limit))
    return found


def characters(document: Mapping[str, Any]) -> int:
    """Return what counts against the quota: the text without spaces between its elements."""
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


# -- proofs -----------------------------------------------------------------------------------------------


def _prove(
    trial: Guardrail,
    organization: Organization,
    requests: RequestSet,
    policies: Sequence[Policy],
    nodes: Sequence[str],
    accounts: Sequence[str],
) -> None:
    attached = [Attached(f"{NEW}-{n}", NEW, policy) for n, policy in enumerate(policies, 1)]
    after = coverage(organization, requests, accounts, trial.kind, dict.fromkeys(nodes, attached))
    trial.left = [c for c in after if not isinstance(c.answer, No)]
    trial.closes = not trial.left
    trial.exact = True
    for answer in _outside(requests, policies, trial.kind):
        if isinstance(answer, Witness):
            trial.exact, trial.outside = False, answer
            return
        trial.exact = None
        trial.notes.append(answer)


def _outside(requests: RequestSet, policies: Sequence[Policy], kind: ChainKind) -> Iterator[Witness | str]:
    """Yield a request outside the set that the policies deny, or what could not be decided of it."""
    known = extended(policies, requests)
    asked, named = known.matching_any(requests.actions), 0
    for policy in policies:
        for statement in policy.statements:
            named |= action_bits(statement, known)
    if named & ~asked:
        yield "its actions match some that are not in the set"
    if requests.exempt:
        yield "whether it denies principals that are left out was not decided"
    everything = EVERYTHING if kind == "scp" else EVERYONE
    callers: Callers | None = any_caller() if kind == "rcp" else None
    for key, outside in complements(requests, kind).items():
        answer = newly_allows([everything, *policies], [everything], outside, callers)
        if isinstance(answer, Yes):
            yield answer.witness
        elif isinstance(answer, Unknown):
            yield f"whether it denies requests with other values of `{key}` was not decided"


# -- quotas -----------------------------------------------------------------------------------------------


def _measure(found: Guardrail, organization: Organization, quotas: Quotas) -> None:
    found.characters = [characters(document) for document in found.policies]
    most = quotas.scps_per_node if found.kind == "scp" else quotas.rcps_per_node
    chains = list(_levels(organization, found))
    where: dict[str, set[str]] = {}
    for node, policies in chains:
        for policy in policies:
            where.setdefault(policy.id, set()).add(node)
    for node, policies in chains:
        if node in found.nodes:
            count = len(policies) + len(found.policies)
            roomy = () if count <= most else tuple(_roomy(policies, where, found))
            found.rooms.append(Room(node, count, most, roomy))


def _levels(organization: Organization, found: Guardrail) -> Iterator[tuple[str, Sequence[Attached]]]:
    for node in organization.nodes:
        chain = organization.chain(node, found.kind)
        if isinstance(chain, Chain) and chain.levels:
            yield node, chain.levels[-1].policies
        elif node in found.nodes:
            yield node, ()


def _roomy(
    policies: Iterable[Attached], where: Mapping[str, set[str]], found: Guardrail
) -> Iterator[tuple[str, int]]:
    """Yield policies of a full node that could hold the statement: attached where it is needed only."""
    needed = max(found.characters, default=0)
    for attached in policies:
        size = attached.characters
        if size is not None and where[attached.id] <= set(found.nodes) and size + needed <= found.limit:
            yield attached.id, found.limit - size
