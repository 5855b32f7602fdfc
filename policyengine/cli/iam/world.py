"""Everything the IAM commands may ask about, from one pass over the targets."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal

from policyengine.cli.iam.org_records import TYPES as ORGANIZATION_TYPES
from policyengine.cli.iam.org_records import OrganizationReader
from policyengine.iam.documents import Policy
from policyengine.iam.opaque import Opaque
from policyengine.iam.organization import Organization
from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.resource import Resource
from policyengine.rules.iam import carrier_forms, carriers, principals, public_access, tables
from policyengine.rules.iam.principals import PrincipalRecord, Principals
from policyengine.rules.iam.reader import Document, Reader, merged
from policyengine.rules.iam.references import References
from policyengine.rules.iam.values import place, resource_arn
from policyengine.sources.base import NO_COVERAGE, Coverage, Source, SourceOptions
from policyengine.sources.discover import open_targets

Part = Literal["organization", "principals", "resources", "carriers"]

EVERYTHING: Final[tuple[Part, ...]] = ("organization", "principals", "resources")
_TYPES: Final[dict[Part, frozenset[str]]] = {
    "organization": ORGANIZATION_TYPES,
    "principals": principals.TYPES,
    "resources": (tables.RESOURCE_TYPES - principals.TYPES) | {public_access.ACCOUNT},
    "carriers": carrier_forms.TYPES,
}


@dataclass(frozen=True, slots=True)
class ResourcePolicies:
    """The policies of one resource: none, one, or where branches or satellites leave it open, several.

    ``arn`` is Opaque where code does not fix it. Each document's ``policy.kind`` is ``resource``, ``key``
    or ``endpoint``. ``public_access`` is set for buckets: the Block Public Access settings of bucket and
    account that surely hold, and the most that may; an S3 policy of the organisation is not looked at.
    """

    arn: str | Opaque
    account: str | None
    region: str | None
    type: str
    id: str
    place: str
    documents: tuple[Document, ...]
    branch: dict[str, bool] | None = None
    public_access: public_access.Bounds | None = None

    @property
    def policy(self) -> Policy | None:
        """Return all documents as one; None where there is none."""
        return merged(self.documents)


@dataclass(slots=True)
class World:
    """What the targets hold. ``incomplete``: a snapshot could not be read whole (exit code 4)."""

    organization: Organization | None = None
    principals: list[PrincipalRecord] = field(default_factory=list)
    resources: list[ResourcePolicies] = field(default_factory=list)
    errors: list[PolicyEngineError] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    carried: carriers.Carried | None = None
    """What runs with the roles, if it was asked for."""
    coverage: Coverage = NO_COVERAGE
    """What the snapshots collected whole: of other accounts and types there may be more."""
    incomplete: bool = False

    @property
    def org_errors(self) -> list[PolicyEngineError]:
        """Return what is wrong with the organisation's records, as errors with their place."""
        found = [] if self.organization is None else self.organization.errors
        return [
            InputError(f"{p.place}: {p.message}" if p.place else p.message, code="bad_record") for p in found
        ]


def read_world(
    targets: Sequence[str], parts: Collection[Part] = EVERYTHING, options: SourceOptions | None = None
) -> World:
    """Return what the targets hold of the ``parts``, each source read once.

    Never raises for a target: ``errors`` has what could not be read, what AWS would refuse, and that
    nothing was found at all.
    """
    found = open_targets(targets, options or SourceOptions())
    references, organization = References(), OrganizationReader()
    reader = Reader(references.filled)
    runs = carriers.Carriers()
    gathered = Principals(reader)
    world = World()
    accounts: dict[str | None, public_access.Bounds] = {}
    wanted = frozenset().union(*(_TYPES[part] for part in parts))
    for source in found.sources:
        resources = _resources(source, wanted)
        if "carriers" in parts and source.kind in ("template", "plan"):
            resources = _noted(list(resources), references)
        for resource in resources:
            if resource.type in carrier_forms.TYPES and "carriers" in parts:
                runs.add(resource)
            if resource.type in ORGANIZATION_TYPES:
                organization.add(source, resource)
            elif resource.type in principals.TYPES:
                gathered.add(resource)
            elif resource.type == public_access.ACCOUNT:
                accounts[resource.account] = public_access.settings(resource)
            elif resource.type in _TYPES["resources"] and "resources" in parts:
                world.resources.extend(_policies(resource, reader))
        world.incomplete = world.incomplete or (source.kind == "snapshot" and bool(source.errors))
    world.resources = [_in_account(resource, accounts) for resource in world.resources]
    world.organization = organization.organization()
    world.principals.extend(gathered.records())
    world.errors = [*found.errors, *(e for source in found.sources for e in source.errors), *reader.errors]
    world.coverage = NO_COVERAGE.union(*(source.coverage for source in found.sources))
    if "carriers" in parts:
        world.carried = runs.carried(world.principals, world.coverage)
    world.notes = [note for source in found.sources for note in source.notes]
    empty = world.organization is None and not world.principals and not world.resources
    if empty and not world.errors:
        names = ", ".join(f"`{target}`" for target in targets)
        world.errors.append(InputError(f"no {' or '.join(parts)} in {names}", code="no_resource"))
    return world


def read_principals(
    targets: Sequence[str], options: SourceOptions | None = None
) -> tuple[list[PrincipalRecord], list[PolicyEngineError]]:
    """Return the users, roles and groups of the targets, and what went wrong."""
    world = read_world(targets, EVERYTHING[1:2], options)
    return world.principals, world.errors


def read_resource_policies(
    targets: Sequence[str], options: SourceOptions | None = None
) -> tuple[list[ResourcePolicies], list[PolicyEngineError]]:
    """Return the resources of the targets that can have a policy, and what went wrong."""
    world = read_world(targets, EVERYTHING[2:], options)
    return world.resources, world.errors


def _resources(source: Source, wanted: frozenset[str]) -> Iterator[Resource]:
    """Yield the resources of these types; a snapshot does not even parse most of the others."""
    scan = getattr(source, "scan_types", None)
    for resource in source.resources() if scan is None else scan(wanted):
        if resource.type in wanted:
            yield resource


def _noted(resources: list[Resource], references: References) -> Iterator[Resource]:
    """Yield the resources of code once all of them are known to those who refer to them."""
    for resource in resources:
        references.add(resource)
    yield from resources


def _policies(resource: Resource, reader: Reader) -> Iterator[ResourcePolicies]:
    for branch in (resource, *resource.variants):
        yield ResourcePolicies(
            arn=resource_arn(branch),
            account=branch.account,
            region=branch.region,
            type=branch.type,
            id=branch.id,
            place=place(branch),
            documents=tuple(reader.document(branch, *spot) for spot in tables.spots(branch)),
            branch=None if branch.branch is None else dict(branch.branch),
            public_access=public_access.settings(branch) if branch.type == "AWS::S3::Bucket" else None,
        )


def _in_account(
    found: ResourcePolicies, accounts: Mapping[str | None, public_access.Bounds]
) -> ResourcePolicies:
    """Return a bucket with its account's settings taken in, which may stand after it."""
    if found.public_access is None:
        return found
    own = accounts.get(found.account, public_access.NOTHING_KNOWN)
    return replace(found, public_access=public_access.together(found.public_access, own))
