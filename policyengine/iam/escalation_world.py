"""An account, or several, as the escalation graph sees it: principals and what runs with their roles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from policyengine.iam.account_ids import account_of
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.search import Witness

_ANYBODY: Final = "*"


@dataclass(frozen=True)
class Principal:
    """A user, role or group. ``identity``: every policy it has, those of its groups among them.

    ``scps`` are levels from the root to the account. ``managed`` and ``groups`` are the ARNs of attached
    customer managed policies (those of its groups among them) and of its groups; None: not known.
    ``opaque`` says what else is not known about it.
    """

    arn: str
    identity: Sequence[Policy] = ()
    boundary: Policy | None = None
    trust: Policy | None = None
    scps: Sequence[Sequence[Policy]] = ()
    managed: tuple[str, ...] | None = None
    groups: tuple[str, ...] | None = None
    boundary_arn: str | None = None
    opaque: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """Return ``user``, ``role`` or ``group``."""
        return self.arn.split(":", 5)[5].partition("/")[0]


@dataclass(frozen=True, slots=True)
class Carrier:
    """A resource that runs with a role: a function, an instance, a stack; ``service`` assumes the role."""

    arn: str
    service: str
    role: str


@dataclass
class World:
    """``carriers`` None: which resources run with which roles is not known. ``unlisted``: (account, service)
    pairs of which there may be more than ``carriers`` has. ``rcps``: levels of each account."""

    principals: Mapping[str, Principal]
    carriers: Sequence[Carrier] | None = None
    management_account: str | None = None
    unlisted: frozenset[tuple[str, str]] = frozenset()
    rcps: Mapping[str, Sequence[Sequence[Policy]]] = field(default_factory=dict)

    def of(self, kind: str, account: str) -> Sequence[Principal]:
        """Return the users, roles or groups of an account."""
        return self._kinds.get((kind, account), ())

    @cached_property
    def _kinds(self) -> Mapping[tuple[str, str], list[Principal]]:
        found: dict[tuple[str, str], list[Principal]] = {}
        for principal in self.principals.values():
            found.setdefault((principal.kind, account_of(principal.arn)), []).append(principal)
        return found

    def scps(self, account: str) -> Sequence[Sequence[Policy]]:
        """Return the SCPs of an account, as its principals have them."""
        for kind in ("user", "role"):
            for principal in self.of(kind, account):
                return principal.scps
        return ()

    def trusting(self, arn: str) -> list[Principal]:
        """Return the roles whose trust policies may name a principal, itself or its account."""
        account = account_of(arn)
        names = (arn, f"{arn.partition(':iam:')[0]}:iam::{account}:root", account, _ANYBODY)
        found = {p.arn: p for name in names for p in self._named.get(name, ())}
        return list(found.values())

    @cached_property
    def _named(self) -> Mapping[str, list[Principal]]:
        found: dict[str, list[Principal]] = {}
        for role in self.principals.values():
            if role.kind != "role":
                continue
            for name in _names(role):
                found.setdefault(name, []).append(role)
        return found

    @cached_property
    def carried(self) -> Mapping[tuple[str, str], list[Carrier]]:
        """Return the carriers of each (service, role)."""
        found: dict[tuple[str, str], list[Carrier]] = {}
        for carrier in self.carriers or ():
            found.setdefault((carrier.service, carrier.role), []).append(carrier)
        return found


def _names(role: Principal) -> set[str]:
    """Return whom a role's trust policy names; ``_ANYBODY`` where that is not a list of principals."""
    if role.trust is None:
        return {_ANYBODY}
    found: set[str] = set()
    for statement in role.trust.statements:
        if statement.allow:
            named = (statement.principals or {}).get("AWS", ())
            open_ = statement.not_principal or statement.opaque is not None or statement.principals is None
            found.update(n if ":iam:" in n or n.isdigit() else _ANYBODY for n in named)
            if open_ or "*" in (statement.principals or {}):
                found.add(_ANYBODY)
    return found


def names_service(trust: Policy, service: str) -> bool:
    """Say whether a trust policy may let in a service, as far as whom it names."""
    return any(allows_service(statement, service) for statement in trust.statements)


def allows_service(statement: Statement, service: str) -> bool:
    """Say whether a statement of a trust policy may let in a service, as far as whom it names."""
    named = statement.principals
    return statement.allow and (
        named is None
        or statement.not_principal
        or statement.opaque is not None
        or "*" in named
        or any(n == _ANYBODY or n.lower() == service for n in named.get("Service", ()))
        or _ANYBODY in named.get("AWS", ())
    )


class State(NamedTuple):
    """A principal, perhaps changed: with any policy added, without its boundary, in one more group."""

    arn: str
    anything: bool = False
    unbounded: bool = False
    group: str | None = None

    def __str__(self) -> str:
        changes = [
            *(["any policy"] if self.anything else []),
            *(["no boundary"] if self.unbounded else []),
            *([f"the policies of {self.group}"] if self.group else []),
        ]
        return f"{self.arn} with {' and '.join(changes)}" if changes else self.arn


@dataclass(frozen=True, slots=True)
class Step:
    """From one state to the next: the id of the path, and the requests it takes, each of them allowed.

    ``unsure`` says what is not known of it. ``only``: the actions the step is good for; none: all.
    """

    path: str
    source: State
    target: State
    requests: tuple[Witness, ...]
    reference: str
    unsure: str | None = None
    only: tuple[str, ...] = ()


def render(steps: Sequence[Step]) -> str:
    """Return a chain as lines: who, by which requests, becomes whom."""
    lines = [str(steps[0].source)] if steps else []
    for step in steps:
        asked = ", ".join(f"{w.action} on {w.resource}" for w in step.requests)
        lines.append(f"  {asked or step.path}{f' (if {step.unsure})' if step.unsure else ''}")
        lines.append(f"-> {step.target}")
    return "\n".join(lines)
