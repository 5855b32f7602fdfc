"""Which VPCs exist and which of them log queries, from a snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from policyengine.model.errors import InputError, UsageError
from policyengine.shadow_ai.document import Vpc
from policyengine.shadow_ai.problems import Problems
from policyengine.sources.base import SourceOptions
from policyengine.sources.paths import printable

_VPC: Final = "AWS::EC2::VPC"
_ASSOCIATION: Final = "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation"
_NOT_LOGGING: Final = ("FAILED", "DELETING")
"""https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_ResolverQueryLogConfigAssociation.html"""


def read_vpcs(path: Path, problems: Problems) -> list[Vpc]:
    """Return the VPCs of a snapshot; what is broken in it is added to ``problems``.

    Raises UsageError for no snapshot, InputError for one that cannot be used. A shared VPC is its owner's.
    """
    from policyengine.sources.snapshot import open_snapshot

    if not path.exists():
        raise UsageError(f"--vpcs `{printable(str(path))}` is no snapshot")
    source = open_snapshot(path, SourceOptions())
    places: set[tuple[str, str, str]] = set()
    logging: dict[str, str] = {}
    for resource in source.scan_types({_VPC, _ASSOCIATION}):
        if resource.type == _VPC:
            places.add((resource.account or "", resource.region or "", resource.id))
            continue
        vpc, status = resource.properties.get("ResourceId"), resource.properties.get("Status")
        if isinstance(vpc, str):
            state = status if isinstance(status, str) else "ACTIVE"
            if logging.get(vpc) in (None, *_NOT_LOGGING):
                logging[vpc] = state
    for error in source.errors:
        problems.add_error(error)
    # what was broken in the snapshot has left its coverage by now
    covered = {(account, region) for account, region, kind in source.coverage if kind in (_ASSOCIATION, "*")}
    whole = {(account, region) for account, region, kind in source.coverage if kind in (_VPC, "*")}
    _note_gaps(whole, covered, places, problems, str(path))
    return [_vpc(place, logging, covered) for place in sorted(places)]


def _vpc(place: tuple[str, str, str], logging: Mapping[str, str], covered: set[tuple[str, str]]) -> Vpc:
    status = logging.get(place[2])
    if status is not None and status not in _NOT_LOGGING:
        return Vpc(*place, True, f"a query logging configuration is associated ({status})")
    if status is not None:
        return Vpc(*place, False, f"the association of its query logging configuration is {status}")
    if place[:2] in covered:
        return Vpc(
            *place, False, "no query logging configuration is associated with it (a Route 53 Profile may be)"
        )
    return Vpc(*place, None, "whether it logs queries was not collected")


def _note_gaps(
    whole: set[tuple[str, str]],
    covered: set[tuple[str, str]],
    places: set[tuple[str, str, str]],
    problems: Problems,
    name: str,
) -> None:
    """A snapshot that did not look for VPCs knows none: that is no good news."""
    for account, region in sorted(covered - whole):
        problems.add(
            printable(name), None, f"did not collect all VPCs of {account} {region}: there may be others"
        )
    if not places and not whole:
        raise InputError(
            f"--vpcs {printable(name)}: it holds no VPC, and did not look for any", code="not_collected"
        )
