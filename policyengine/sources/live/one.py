"""Listings that can be asked for one resource by its id, which in large accounts saves hundreds of pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from policyengine.sources.live.spec import Collector

PAGING: Final = frozenset({"MaxResults"})
"""Not to be given together with ids (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html)."""


class One(NamedTuple):
    """``arguments`` of a listing beside its own, ``{id}`` standing for the id; ``none``: error codes that say that
    there is no such resource."""

    arguments: Mapping[str, Any]
    none: tuple[str, ...]


_INSTANCE: Final = One({"DBInstanceIdentifier": "{id}"}, ("DBInstanceNotFound",))
_CLUSTER: Final = One({"DBClusterIdentifier": "{id}"}, ("DBClusterNotFoundFault",))
_SNAPSHOT: Final = One({"DBClusterSnapshotIdentifier": "{id}"}, ("DBClusterSnapshotNotFoundFault",))
ONES: Final[Mapping[str, One]] = {
    "ec2:DescribeImages": One({"ImageIds": ["{id}"]}, ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable")),
    "ec2:DescribeInstances": One({"InstanceIds": ["{id}"]}, ("InvalidInstanceID.NotFound",)),
    "ec2:DescribeSecurityGroups": One({"GroupIds": ["{id}"]}, ("InvalidGroup.NotFound",)),
    "ec2:DescribeSnapshots": One({"SnapshotIds": ["{id}"]}, ("InvalidSnapshot.NotFound",)),
    "ec2:DescribeVolumes": One({"VolumeIds": ["{id}"]}, ("InvalidVolume.NotFound",)),
    "logs:DescribeLogGroups": One({"logGroupNamePrefix": "{id}"}, ()),
    "rds:DescribeDBSnapshots": One({"DBSnapshotIdentifier": "{id}"}, ("DBSnapshotNotFound",)),
    **{f"{service}:DescribeDBInstances": _INSTANCE for service in ("docdb", "neptune", "rds")},
    **{f"{service}:DescribeDBClusters": _CLUSTER for service in ("docdb", "neptune", "rds")},
    **{f"{service}:DescribeDBClusterSnapshots": _SNAPSHOT for service in ("docdb", "neptune", "rds")},
}
"""Error codes: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html and botocore's models."""


def one_of(collector: Collector) -> One | None:
    """Return how a collector's listing is asked for one resource; None where it cannot be."""
    if collector.parent is not None or collector.expand is not None:
        return None
    return ONES.get(f"{collector.list.service or collector.service}:{collector.list.operation}")
