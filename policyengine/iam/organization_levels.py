"""The SCPs or RCPs of each root, OU and account; what may be there besides, as opaque statements."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Final

from policyengine.iam.documents import Policy
from policyengine.iam.errors import shown
from policyengine.iam.organization_records import FULL_ACCESS, ChainKind, Facts, PolicyRecord, Problem
from policyengine.iam.unknowns import perhaps, unknown_policy

UNSEEN: Final = "?"
"""The node of the level that stands for everything above a parent nobody knows."""


@dataclass(frozen=True, slots=True)
class Attached:
    """A policy in its place; ``source`` is the ``place`` of the record it was read from, ``characters``
    what counts against the quota, where that is known."""

    id: str
    name: str
    policy: Policy
    source: Any = None
    characters: int | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """The policies of one kind attached to one node, ordered by id."""

    node: str
    policies: tuple[Attached, ...]


@dataclass(frozen=True, slots=True)
class Quotas:
    """Most policies attached to a node, FullAWSAccess among them, and characters of a policy.

    SCPs since 2026-05-15, before that 5 and 5,120; RCPs:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
    """

    scps_per_node: int = 10
    scp_characters: int = 10_240
    rcps_per_node: int = 5
    rcp_characters: int = 5_120


class Levels:
    """The policies at each node; what may be there besides is added as opaque statements."""

    def __init__(self, facts: Facts, complete: bool | None, template: bool) -> None:
        self.facts = facts
        self.template = template
        self.complete = complete
        self._at: dict[tuple[str, ChainKind], list[PolicyRecord]] = defaultdict(list)
        self._anywhere: dict[ChainKind, list[PolicyRecord]] = {"scp": [], "rcp": []}
        self._numbers: dict[tuple[str, ...], int] = {}
        self._attached: dict[tuple[str, ChainKind, bool], Attached] = {}
        for record in sorted(facts.policies.values(), key=lambda r: r.id):
            for kind in record.kinds:
                for target in record.targets:
                    self._at[facts.names.get(target, target), kind].append(record)
                if record.open is not None:
                    self._anywhere[kind].append(record)
        # AWS lists its own policy with the others, and it cannot be deleted
        self._listed = complete is True or template or "p-FullAWSAccess" in facts.policies
        self._some_rcps = any("rcp" in record.kinds for record in facts.policies.values())

    def targets(self) -> set[str]:
        """Return every id some policy is attached to."""
        return {target for target, _ in self._at}

    def attached(self, kind: ChainKind) -> bool:
        """Say whether a policy of a kind has a target."""
        return any(k == kind for _, k in self._at)

    def perhaps_attached(self, kind: ChainKind) -> bool:
        """Say whether a policy of a kind may have a target nobody knows."""
        return bool(self._anywhere[kind])

    def of(self, node: str, kind: ChainKind) -> tuple[Level, int]:
        """Return the level of a node, and a number that levels with the same policies share."""
        here = self._at.get((node, kind), [])
        found = [self._one(record, kind, True) for record in here]
        found += [self._one(r, kind, False) for r in self._anywhere[kind] if node not in self._names(r)]
        if kind == "scp" and self.template and all(a.id != "p-FullAWSAccess" for a in found):
            found.append(_FULL)
        elif self._may_be_more(kind, found):
            found.append(_more(kind))
        return self._level(node, found)

    def unseen(self, node: str, kind: ChainKind) -> tuple[Level, int]:
        """Return the level that stands for all that is above a parent nobody knows."""
        why = f"what is above {shown(node)} is not known"
        policy = unknown_policy(kind, why, allow=not self.template)
        found = [Attached(f"{UNSEEN}{node}", why, policy, self.facts.places.get(node))]
        return self._level(UNSEEN, [*found, _FULL] if kind == "scp" and self.template else found)

    def _names(self, record: PolicyRecord) -> set[str]:
        return {self.facts.names.get(target, target) for target in record.targets}

    def _may_be_more(self, kind: ChainKind, found: list[Attached]) -> bool:
        if self.complete is False:
            return True
        if self._listed:
            return False
        if kind == "rcp":
            return not self._some_rcps
        return not any(s.allow for attached in found for s in attached.policy.statements)

    def _one(self, record: PolicyRecord, kind: ChainKind, sure: bool) -> Attached:
        key = (record.id, kind, sure)
        if key not in self._attached:
            policy, name = record.policies[kind], record.id
            if not sure:
                name, reason = f"{record.id}{UNSEEN}", "where the policy is attached is not known"
                policy = perhaps(policy, reason if record.open is None else record.open.reason)
            self._attached[key] = Attached(name, record.name, policy, record.place, record.characters)
        return self._attached[key]

    def _level(self, node: str, found: list[Attached]) -> tuple[Level, int]:
        found.sort(key=lambda attached: attached.id)
        key = tuple(attached.id for attached in found)
        return Level(node, tuple(found)), self._numbers.setdefault(key, len(self._numbers))

    def over_quota(self, quotas: Quotas) -> list[Problem]:
        """Return what is above a quota."""
        most: dict[ChainKind, tuple[int, int, str]] = {
            "scp": (quotas.scps_per_node, quotas.scp_characters, "SCP"),
            "rcp": (quotas.rcps_per_node, quotas.rcp_characters, "RCP"),
        }
        found: list[Problem] = []
        for (node, kind), records in sorted(self._at.items()):
            limit, _, name = most[kind]
            if len(records) > limit:
                text = f"{shown(node)} has {len(records)} {name}s attached; the quota is {limit}"
                found.append(Problem(text, self.facts.places.get(node)))
        for record in sorted(self.facts.policies.values(), key=lambda r: r.id):
            _, limit, name = most[record.kinds[0]]
            if len(record.kinds) == 1 and record.characters is not None and record.characters > limit:
                text = f"{name} {shown(record.id)} has {record.characters} characters; the quota is {limit}"
                found.append(Problem(text, record.place))
        return found


_FULL: Final = Attached("p-FullAWSAccess", "FullAWSAccess", FULL_ACCESS["p-FullAWSAccess"][1])


def _more(kind: ChainKind) -> Attached:
    why = "policies that were not collected may be attached here"
    return Attached(UNSEEN, why, unknown_policy(kind, why))
