"""The organisation of a target: only its Organizations records are read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from policyengine.cli.iam.org_records import TYPES, OrganizationReader
from policyengine.iam.organization import Organization, read_organization
from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.rules.iam.values import place
from policyengine.sources.base import Source, SourceOptions
from policyengine.sources.discover import open_targets
from policyengine.sources.snapshot import files
from policyengine.sources.snapshot.manifest import Part
from policyengine.sources.snapshot.peek import identity_key
from policyengine.sources.snapshot.source import SnapshotSource


@dataclass(slots=True)
class Found:
    """An organisation, and what is wrong with the records it was read from."""

    organization: Organization
    target: str
    errors: list[PolicyEngineError] = field(default_factory=list)


def read_target(target: str, options: SourceOptions | None = None) -> Found:
    """Return the organisation of a snapshot, template or plan.

    Raises InputError for a target that cannot be read or has no accounts of an organisation. Documents
    AWS would refuse, and whatever else is wrong with records, is in ``errors`` with its place.
    """
    discovery = open_targets([target], options or SourceOptions())
    if not discovery.sources and discovery.errors:
        raise discovery.errors[0]
    reader, resources = OrganizationReader(), list[Resource]()
    for source in discovery.sources:
        scan = getattr(source, "scan_types", None)
        for resource in source.resources() if scan is None else scan(TYPES):
            if resource.type in TYPES:
                reader.add(source, resource)
                resources.append(resource)
    organization = reader.organization() or read_organization([])
    errors = [*discovery.errors, *(e for source in discovery.sources for e in source.errors)]
    errors.extend(_errors(organization, resources, discovery.sources))
    if not organization.accounts and not errors:
        raise InputError(
            f"no member account of an organisation in `{target}`; expected resources of type "
            "`AWS::Organizations::Account`, `OrganizationalUnit` and `Policy`",
            code="no_resource",
        )
    return Found(organization, target, errors)


def _errors(
    organization: Organization, resources: Sequence[Resource], sources: Sequence[Source]
) -> Iterator[PolicyEngineError]:
    by_place = {place(r): r for r in resources} if organization.errors else {}
    for problem in organization.errors:
        found = by_place.get(str(problem.place))
        location = None if found is None else _location(found, sources)
        yield InputError(problem.message, location, code="bad_organization")


def _location(resource: Resource, sources: Sequence[Source]) -> Location | None:
    """Return where a resource stands: in code as its source says, in a snapshot its line."""
    if resource.file is not None:
        return resource.locate(("Content",)) or resource.locate(()) or Location(resource.file)
    for source in sources:
        for part in source.parts if isinstance(source, SnapshotSource) else ():
            number = _line(part, resource)
            if number is not None:
                return Location(part.name, number)
    return None


def _line(part: Part, resource: Resource) -> int | None:
    """Return the line of a resource, looked for only when there is something to say about it."""
    if part.account not in (None, resource.account) or part.region not in (None, resource.region):
        return None
    wanted = tuple(step.encode() for step in resource.identity)
    try:
        for first, lines in files.cut_lines(files.expand(files.read_blocks(part.path)), lambda _: None):
            for number, line in enumerate(lines, first):
                if wanted[3] in line and identity_key(line) == wanted:
                    return number
    except files.StreamError:
        return None
    return None
