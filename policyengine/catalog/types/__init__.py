"""Our declarations about each type, by service. Adding a module here is what registers it."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types import (
    account,
    analytics,
    applications,
    cache,
    containers,
    data,
    ec2_compute,
    ec2_network,
    edge,
    elb,
    identity,
    logging,
    machine_learning,
    messaging,
    operations,
    rds,
    s3,
    security,
    serverless,
)

ALL: tuple[tuple[TypeSpec, ...], ...] = (
    account.TYPES,
    analytics.TYPES,
    applications.TYPES,
    cache.TYPES,
    containers.TYPES,
    data.TYPES,
    ec2_compute.TYPES,
    ec2_network.TYPES,
    edge.TYPES,
    elb.TYPES,
    identity.TYPES,
    logging.TYPES,
    machine_learning.TYPES,
    messaging.TYPES,
    operations.TYPES,
    rds.TYPES,
    s3.TYPES,
    security.TYPES,
    serverless.TYPES,
)
