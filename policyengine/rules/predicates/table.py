"""The table of predicates: explicit, so that importing a module registers nothing."""

from __future__ import annotations

from typing import Final

from policyengine.rules.predicates import (
    alarms,
    asked_for,
    backup,
    code_secrets,
    iam,
    kms,
    lifecycle,
    lists,
    net,
    org,
    recovery,
    related,
    tags,
    time,
    usage,
)
from policyengine.rules.predicates.api import Predicate

PREDICATES: Final[dict[str, Predicate]] = {
    predicate.name: predicate
    for module in (
        net,
        tags,
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
        usage,
        code_secrets,
    )
    for predicate in module.PREDICATES
}
