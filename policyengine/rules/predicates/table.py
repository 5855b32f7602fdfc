"""The table of predicates: explicit, so that importing a module registers nothing."""

from __future__ import annotations

from typing import Final

from policyengine.rules.predicates import (
    ai,
    alarms,
    asked_for,
    backup,
    code_secrets,
    codebuild,
    deployment,
    iam,
    kms,
    lifecycle,
    lists,
    needed,
    net,
    org,
    pipeline_access,
    plain_secrets,
    privilege,
    recovery,
    related,
    sharing,
    stages,
    tags,
    tenants,
    time,
    trust,
    usage,
    values,
    watched,
)
from policyengine.rules.predicates.api import Predicate

PREDICATES: Final[dict[str, Predicate]] = {
    predicate.name: predicate
    for module in (
        net,
        tags,
        tenants,
        time,
        lifecycle,
        kms,
        alarms,
        recovery,
        asked_for,
        backup,
        related,
        lists,
        iam,
        org,
        needed,
        sharing,
        ai,
        privilege,
        usage,
        values,
        code_secrets,
        codebuild,
        deployment,
        pipeline_access,
        plain_secrets,
        stages,
        watched,
        trust,
    )
    for predicate in module.PREDICATES
}
