"""The table of predicates: explicit, so that importing a module registers nothing."""

from __future__ import annotations

from typing import Final

from policyengine.rules.predicates import asked_for, kms, lifecycle, lists, related, time, usage, values
from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.backup import recovery
from policyengine.rules.predicates.backup import table as backup
from policyengine.rules.predicates.bedrock import table as bedrock
from policyengine.rules.predicates.iam import table as iam
from policyengine.rules.predicates.logs import table as logs
from policyengine.rules.predicates.needed import table as needed
from policyengine.rules.predicates.net import table as net
from policyengine.rules.predicates.org import table as org
from policyengine.rules.predicates.pipeline import (
    code_secrets,
    codebuild,
    deployment,
    plain_secrets,
    stages,
    watched,
)
from policyengine.rules.predicates.pipeline import table as pipeline
from policyengine.rules.predicates.privilege import table as privilege
from policyengine.rules.predicates.sharing import table as sharing
from policyengine.rules.predicates.tags import table as tags
from policyengine.rules.predicates.tenants import table as tenants
from policyengine.rules.predicates.trust import table as trust

PREDICATES: Final[dict[str, Predicate]] = {
    predicate.name: predicate
    for module in (
        net,
        tags,
        tenants,
        time,
        lifecycle,
        kms,
        logs,
        recovery,
        asked_for,
        backup,
        related,
        lists,
        iam,
        org,
        needed,
        sharing,
        bedrock,
        privilege,
        usage,
        values,
        code_secrets,
        codebuild,
        deployment,
        pipeline,
        plain_secrets,
        stages,
        watched,
        trust,
    )
    for predicate in module.PREDICATES
}
