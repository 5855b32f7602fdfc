"""One side of an organisation: the SCPs and RCPs above each account, and those of targets nobody shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from policyengine.iam.documents import Policy
from policyengine.iam.opaque import Opaque
from policyengine.iam.organization import Chain, Organization, read_organization
from policyengine.iam.organization_records import ChainKind, PolicyRecord, read_facts
from policyengine.model.resource import Resource
from policyengine.review.access_atoms import Atoms
from policyengine.review.access_compare import unlimited
from policyengine.review.access_lines import Layer, Line, layer, pieces, statement_key
from policyengine.review.pairs import Identity
from policyengine.rules.iam.reader import Document
from policyengine.rules.iam.records import POLICY, code_record, snapshot_record
from policyengine.rules.iam.standins import ACCOUNT

ORGANIZATION_TYPES: Final = frozenset(
    f"AWS::Organizations::{name}" for name in ("Organization", "OrganizationalUnit", "Account", "Policy")
)
_ITSELF: Final = "\0"
KINDS: Final[tuple[ChainKind, ...]] = ("scp", "rcp")


class Above(NamedTuple):
    """What stands above an account: levels from the root on, or why that is not known."""

    levels: tuple[Layer, ...]
    unknown: str | None = None


class Organized:
    """The organisation of one side, of a snapshot or of one file of code."""

    def __init__(self, resources: Sequence[Resource], atoms: Atoms) -> None:
        self._beside = {resource.id: resource for resource in resources}
        self._atoms = atoms
        self._code = any(resource.file is not None for resource in resources)
        records = [self._record(resource) for resource in resources]
        self._facts = read_facts(records)
        self._organization: Organization = read_organization(records, assume_full_access=self._code)
        self._lines: dict[int, tuple[Policy, Layer]] = {}

    @property
    def accounts(self) -> tuple[str, ...]:
        """Return the member accounts that are shown."""
        return self._organization.accounts

    def above(self, account: str, kind: ChainKind) -> Above:
        """Return the levels above an account; none where nothing restricts it."""
        chain = self._organization.chain(account, kind)
        if isinstance(chain, Opaque):
            return Above((), chain.reason)
        return Above(()) if chain is None else Above(tuple(self._levels(chain)))

    def _levels(self, chain: Chain) -> Iterable[Layer]:
        for level in chain.levels:
            found: Layer = unlimited("rcp") if chain.kind == "rcp" else {}
            for attached in level.policies:
                found = {**found, **self._layer(attached.policy, attached.source)}
            yield found

    def below(self, kind: ChainKind) -> frozenset[str]:
        """Return the roots, OUs and accounts that chains of accounts go through, as both sides call them."""
        chains = (self._organization.chain(account, kind) for account in self.accounts)
        nodes = {level.node for chain in chains if isinstance(chain, Chain) for level in chain.levels}
        return frozenset(map(self._called, nodes))

    def alone(self, kind: ChainKind) -> Mapping[str, Layer]:
        """Return the policies of each target by what both sides call it, with full access beside them.

        A policy without a target stands for itself (``is_itself``).
        """
        found: dict[str, dict[Any, Line]] = {}
        for record in self._facts.policies.values():
            if kind in record.kinds:
                for target in self._targets(record):
                    lines = found.setdefault(self._called(target), dict(unlimited(kind)))
                    lines.update(self._layer(record.policies[kind], record.place))
        return found

    def resource(self, identity: Identity) -> Resource | None:
        """Return a resource by its identity."""
        return next((r for r in self._beside.values() if r.identity == identity), None)

    def lines(self, policy: Resource) -> Iterable[Line]:
        """Yield the statements of a policy of the organisation."""
        for record in self._facts.policies.values():
            if record.place is policy:
                yield from (
                    line for one in record.policies.values() for line in self._layer(one, policy).values()
                )

    def shown(self, name: str) -> str:
        """Return how a reader calls a target that both sides call so."""
        name = name.removeprefix(_ITSELF)
        return next((r.id for r in self._beside.values() if self._atoms.names.of(r) == name), name)

    def _targets(self, record: PolicyRecord) -> Iterable[str]:
        if record.targets or record.open is not None:
            return (*sorted(record.targets), *(() if record.open is None else (record.open.reason,)))
        return (f"{_ITSELF}{self._called(record.id)}",)

    def _called(self, target: str) -> str:
        resource = self._beside.get(target) if self._code else None
        return target if resource is None else self._atoms.names.of(resource)

    def _layer(self, policy: Policy, holder: Any) -> Layer:
        known = self._lines.get(id(policy))
        if known is None:
            resource = holder if isinstance(holder, Resource) else None
            lines = (self._line(statement, policy, resource) for statement in policy.statements)
            # INVARIANT: kept with the policy, whose identity is the key
            known = self._lines[id(policy)] = (policy, layer(lines))
        return known[1]

    def _line(self, statement: Any, policy: Policy, resource: Resource | None) -> Line:
        key = statement_key(statement)
        said = pieces(statement)
        if resource is None:
            return Line(statement, key, said)
        document = Document(policy, "", resource.id, POLICY, resource.id, resource.account, ("Content",))
        return Line(statement, key, said, document, resource)

    def _record(self, resource: Resource) -> dict[str, Any]:
        resource = self._filled(resource)
        if resource.file is None:
            record = snapshot_record(resource)
        else:
            record = code_record(resource, self._beside)
        return {**record, "place": self._beside[resource.id]}

    def _filled(self, resource: Resource) -> Resource:
        """Return a policy with texts for what its content does not say, in all its branches."""
        if resource.type != POLICY or "Content" not in resource.properties:
            return resource
        branches = [
            replace(r, properties={**r.properties, "Content": self._atoms.filled(r, r.properties["Content"])})
            if "Content" in r.properties
            else r
            for r in (resource, *resource.variants)
        ]
        return replace(branches[0], variants=tuple(branches[1:]))


def is_itself(target: str) -> bool:
    """Say whether a target is no place but a policy that has none."""
    return target.startswith(_ITSELF)


def representative(account: str, levels: Iterable[Layer]) -> str:
    """Return the account to ask for: itself where policies name it, else one that stands for all."""
    if not (account.isdigit() and len(account) == 12):
        return ACCOUNT
    for found in levels:
        for line in found.values():
            s = line.statement
            if any(
                account in text
                for text in (*(s.resources or ()), *(v for c in s.conditions for v in c.values))
            ):
                return account
    return ACCOUNT
