"""Organisations: which SCPs and RCPs stand above each account, level by level.

- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html:
  every level from the root to the account must allow, any may deny; the management account is exempt
- https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps_evaluation.html
- https://docs.aws.amazon.com/organizations/latest/userguide/disable-policy-type.html: a policy type that
  is not enabled has no attachments, and so no say at all
- https://docs.aws.amazon.com/organizations/latest/APIReference/API_DetachPolicy.html: each root, OU and
  account has at least one SCP, so a list of policies that shows none for one of them is not all of it

What is not known stays in the chain as statements that may or may not apply (``Statement.opaque``), so
that a Deny that is known still decides.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from policyengine.iam.documents import Policy
from policyengine.iam.errors import shown
from policyengine.iam.opaque import Opaque
from policyengine.iam.organization_levels import UNSEEN, Attached, Level, Levels, Quotas
from policyengine.iam.organization_records import POLICY_TYPES, ChainKind, Facts, Problem, Record, read_facts

__all__ = [
    "UNSEEN", "Attached", "Chain", "ChainKind", "Level", "Node", "Organization", "Problem", "Quotas",
    "read_organization",
]  # fmt: skip

NodeKind = Literal["root", "ou", "account"]

MAX_LEVELS: Final = 64
"""More OUs above each other than this are taken for a circle; AWS allows five."""


@dataclass(frozen=True, slots=True)
class Node:
    """A root, OU or account; ``parent`` is None for the root, Opaque where it is not known."""

    id: str
    kind: NodeKind
    parent: str | Opaque | None


@dataclass(frozen=True, slots=True)
class Chain:
    """The levels above an account, the root first, the account last.

    Equal ``key``: the same policies at each level, so the same decisions. The levels of an RCP chain
    only deny: RCPFullAWSAccess cannot be detached, whether it is listed or not.
    """

    kind: ChainKind
    levels: tuple[Level, ...]
    key: Hashable

    def policies(self) -> list[list[Policy]]:
        """Return what ``authorize`` takes as ``scps`` or ``rcps``."""
        return [[attached.policy for attached in level.policies] for level in self.levels]


@dataclass(slots=True)
class Organization:
    """An organisation as its records show it.

    ``accounts``: ids of the member accounts, sorted, the management account not among them;
    ``states``: account → ``ACTIVE``, ``SUSPENDED``, … where it is given, for all accounts;
    ``errors``: what is wrong with the records, with the place of each.
    """

    id: str | None
    management_account: str | None
    root: str | None
    accounts: tuple[str, ...]
    states: dict[str, str | None]
    nodes: dict[str, Node]
    errors: list[Problem]
    enabled: dict[ChainKind, bool | Opaque]
    _levels: Levels = field(repr=False)
    _unusable: Opaque | None = None
    _above: dict[tuple[str, ChainKind], _Path | Opaque] = field(default_factory=dict, repr=False)

    def chain(self, account: str, kind: ChainKind) -> Chain | Opaque | None:
        """Return the chain of an account (or of a root or OU).

        None: no layer at all, because the policy type is not enabled or it is the management account.
        Opaque: whether there is a layer, or what it is, cannot be said.
        """
        if self._unusable is not None:
            return self._unusable
        node = self.nodes.get(account)
        if node is None:
            return Opaque(f"the organisation's records do not show {shown(account)}")
        if account == self.management_account:
            return None
        enabled = self.enabled[kind]
        if enabled is False:
            return None
        if isinstance(enabled, Opaque):
            return enabled
        if self.management_account is None and not self._levels.template:
            return Opaque("the management account, which is exempt, is not known")
        path = self._path(node, kind)
        return path if isinstance(path, Opaque) else Chain(kind, path.levels, (kind, path.key))

    def flagged(self) -> dict[str, str]:
        """Return member account → state, of those known not to be active."""
        return {a: s for a in self.accounts if (s := self.states.get(a)) is not None and s != "ACTIVE"}

    def over_quota(self, quotas: Quotas | None = None) -> list[Problem]:
        """Return what is above a quota: policies of a node, characters of a policy."""
        return self._levels.over_quota(quotas or Quotas())

    def _path(self, node: Node, kind: ChainKind) -> _Path | Opaque:
        """Return the levels down to a node; those of roots and OUs are made once."""
        waiting: list[Node] = []
        found: _Path | Opaque | None = None
        at: Node | None = node
        while found is None and at is not None:
            found = self._above.get((at.id, kind))
            if found is None:
                waiting.append(at)
                if len(waiting) > MAX_LEVELS:
                    return Opaque(f"the OUs above {shown(node.id)} go round in a circle")
                if isinstance(at.parent, str) and at.parent in self.nodes:
                    at = self.nodes[at.parent]
                else:
                    found = self._top(at, kind)
        for below in reversed(waiting):
            if isinstance(found, Opaque):
                return found
            level, number = self._levels.of(below.id, kind)
            before = found or _Path((), ())
            found = _Path((*before.levels, level), (*before.key, number))
            if below.kind != "account":
                self._above[below.id, kind] = found
        return found or _Path((), ())

    def _top(self, node: Node, kind: ChainKind) -> _Path:
        """Return what stands above the topmost node that is known: nothing above a root."""
        if node.kind == "root":
            return _Path((), ())
        levels: tuple[Level, ...] = ()
        key: tuple[int, ...] = ()
        if self.root is not None:
            level, number = self._levels.of(self.root, kind)
            levels, key = (level,), (number,)
        level, number = self._levels.unseen(node.id, kind)
        return _Path((*levels, level), (*key, number))


@dataclass(frozen=True, slots=True)
class _Path:
    levels: tuple[Level, ...]
    key: tuple[int, ...]


def read_organization(
    records: Iterable[Record], *, complete: bool | None = None, assume_full_access: bool = False
) -> Organization:
    """Return the organisation of records (``organization_records`` says what one is). Never raises for
    what they hold; see ``errors``.

    ``complete``: whether the records surely are all policies of the organisation. True: a level without
    an Allow denies everything. False: more may be attached anywhere. None, nobody says: a level without
    an Allow denies only where the list holds FullAWSAccess, which no complete list lacks.
    ``assume_full_access``: the records are from code, where FullAWSAccess is attached but not written.
    """
    facts = read_facts(records)
    levels = Levels(facts, complete, assume_full_access)
    management = _management(facts)
    root = _root(facts)
    nodes = _nodes(facts, root, levels)
    accounts = (n.id for n in nodes.values() if n.kind == "account" and n.id != management)
    unusable: Opaque | None = None
    if len(facts.ids) > 1:
        unusable = Opaque("the records are of more than one organisation")
        facts.errors.append(Problem(f"{unusable.reason}: {', '.join(shown(i) for i in sorted(facts.ids))}"))
    return Organization(
        id=next(iter(facts.ids)) if len(facts.ids) == 1 else None,
        management_account=management,
        root=root,
        accounts=tuple(sorted(accounts)),
        states=facts.states,
        nodes=nodes,
        errors=facts.errors,
        enabled={kind: _enabled(facts, levels, name, kind) for name, kind in POLICY_TYPES.items()},
        _levels=levels,
        _unusable=unusable,
    )


def _management(facts: Facts) -> str | None:
    for key in ("ManagementAccountId", "ManagementAccountArn"):
        found = facts.organization.get(key)
        if isinstance(found, str) and found:
            return found.rpartition("/")[2]
    return None


def _root(facts: Facts) -> str | None:
    """Return the root's id: as the organisation gives it, else the only one some parent or target names."""
    given = facts.organization.get("RootId")
    if isinstance(given, str):
        return given
    named = {p for p in (*facts.units.values(), *facts.accounts.values()) if isinstance(p, str)}
    for policy in facts.policies.values():
        named |= policy.targets
    roots = sorted(name for name in named if name.startswith("r-") and name not in facts.names)
    if len(roots) > 1:
        facts.errors.append(Problem(f"more than one root is named: {', '.join(shown(r) for r in roots)}"))
    return roots[0] if len(roots) == 1 else None


def _nodes(facts: Facts, root: str | None, levels: Levels) -> dict[str, Node]:
    nodes = {} if root is None else {root: Node(root, "root", None)}
    tables: tuple[tuple[NodeKind, dict[str, str | Opaque]], ...] = (
        ("ou", facts.units),
        ("account", facts.accounts),
    )
    for kind, table in tables:
        for id_, parent in table.items():
            above = facts.names.get(parent, parent) if isinstance(parent, str) else parent
            nodes[id_] = Node(id_, kind, above)
    for node in nodes.values():
        if isinstance(node.parent, str) and node.parent not in nodes and not levels.template:
            message = f"the parent {shown(node.parent)} of {shown(node.id)} is not among the records"
            facts.errors.append(Problem(message, facts.places.get(node.id)))
    if not facts.accounts:
        # nobody listed the accounts: those that policies are attached to are at least some of them
        for id_ in levels.targets():
            if len(id_) == 12 and id_.isdigit():
                nodes[id_] = Node(id_, "account", Opaque("the account is known from a policy's targets only"))
    return nodes


def _enabled(facts: Facts, levels: Levels, name: str, kind: ChainKind) -> bool | Opaque:
    """Say whether a policy type is enabled:
    https://docs.aws.amazon.com/organizations/latest/APIReference/API_PolicyTypeSummary.html

    "SCPs aren't available if your organization has enabled only the consolidated billing features":
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
    """
    if facts.organization.get("FeatureSet") == "CONSOLIDATED_BILLING":
        return False
    types = facts.organization.get("PolicyTypes")
    if isinstance(types, Opaque):
        return types
    if types is not None:
        return _listed_as_enabled(facts, types, name)
    if levels.attached(kind):
        return True
    if levels.perhaps_attached(kind):
        return Opaque(f"whether a {name} is attached anywhere is not known")
    if levels.complete is False or (levels.complete is None and not levels.template and not facts.policies):
        return Opaque("the organisation's policies were not all collected")
    if levels.template and not facts.organization:
        return Opaque("the organisation, whose policies may stand above, is not in this code")
    return False


def _listed_as_enabled(facts: Facts, types: Any, name: str) -> bool | Opaque:
    unclear = Opaque("which policy types are enabled cannot be read")
    if not isinstance(types, list):
        facts.errors.append(Problem(f"`PolicyTypes` is {shown(types)}; expected a list"))
        return unclear
    answer: bool | Opaque = False
    for entry in types:
        type_ = entry.get("Type") if isinstance(entry, dict) else None
        if isinstance(type_, str) and type_ != name:
            continue
        status = entry.get("Status") if isinstance(entry, dict) else None
        if type_ == name and status == "ENABLED":
            return True
        if type_ == name and status == "DISABLED":
            continue
        answer = entry if isinstance(entry, Opaque) else unclear
        if type_ == name and isinstance(status, str):
            answer = Opaque(f"{name} is {status}")
    return answer
