"""The predicates about AI services: where models run, which ones, what organisations enforce, who reads what.

Their answers come from modules that are imported when a rule asks for the first time.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_ORGANIZATION: Final = tuple(
    f"AWS::Organizations::{name}" for name in ("Organization", "OrganizationalUnit", "Account", "Policy")
)
_BEHIND_MODELS: Final = (
    "AWS::Bedrock::ApplicationInferenceProfile",
    "AWS::Bedrock::IntelligentPromptRouter",
    "AWS::Bedrock::ProvisionedModelThroughput",
    "AWS::Bedrock::CustomModelDeployment",
)
_USERS: Final = (
    "AWS::Bedrock::Agent",
    "AWS::Bedrock::Prompt",
    "AWS::Bedrock::KnowledgeBase",
    "AWS::Bedrock::DataSource",
    "AWS::Bedrock::Flow",
    "AWS::Bedrock::CustomModel",
    "AWS::BedrockAgentCore::Harness",
    *_BEHIND_MODELS,
)


def region_approved(subject: Subject, **arguments: Any) -> Answer:
    """TRUE when it stands in a region that is approved for its account."""
    from policyengine.rules.predicates.bedrock import regions as answering

    return answering.stands(subject, **arguments)


def models_in_regions(subject: Subject, **arguments: Any) -> Answer:
    """TRUE when every region that may process requests to the resource's models is approved."""
    from policyengine.rules.predicates.bedrock import asked as bedrock_asked

    return bedrock_asked.in_regions(subject, **arguments)


def models_allowed(subject: Subject, **arguments: Any) -> Answer:
    """TRUE when every model the resource uses is on the list."""
    from policyengine.rules.predicates.bedrock import asked as bedrock_asked

    return bedrock_asked.allowed(subject, **arguments)


def ai_services_opted_out(subject: Subject, *, locked: bool) -> Answer:
    """TRUE when AWS may not use the content of any AI service to improve it."""
    from policyengine.rules.predicates.org import declared as org_declared

    return org_declared.opted_out(subject, locked=locked)


def guardrail_enforced(subject: Subject, *, regions: Sequence[str]) -> Answer:
    """TRUE when a Bedrock policy of the organisation puts a guardrail before every model of the regions."""
    from policyengine.rules.predicates.org import declared as org_declared

    return org_declared.guardrail_enforced(subject, regions=regions)


def permissions_crawled(subject: Subject) -> Answer:
    """TRUE when a connector reads the permissions of the documents that it reads."""
    from policyengine.rules.predicates.bedrock import crawled

    return crawled.permissions(subject)


_TAG: Final = Arg("string", False, "", "the tag of accounts and OUs that classifies their data")
_REGIONS: Final = {
    "approved_regions": Arg("list:string", False, (), "regions that are approved where no tag says more"),
    "regions_by_classification": Arg("json", False, None, "classification -> regions approved for it"),
    "classification_tag": _TAG,
}
_WHICH: Final = {
    "resources": Arg("alias", False, None, "the related resources that are meant, not this one"),
    "arn": Arg("path", False, None, "the ARN whose region is meant"),
}
_MODELS: Final = {
    "allowed_models": Arg("list:string", False, (), "patterns of models allowed where no tag says more"),
    "models_by_classification": Arg("json", False, None, "classification -> patterns of models allowed"),
    "classification_tag": _TAG,
}
_NODES: Final = (
    "AWS::Organizations::Account",
    "AWS::Organizations::Organization",
    "AWS::Organizations::Policy",
)

PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "region.approved",
        region_approved,
        "It stands in a region that is approved for its account.",
        {**_REGIONS, **_WHICH},
        wide=_ORGANIZATION,
    ),
    Predicate(
        "bedrock.models_in_regions",
        models_in_regions,
        "Every region that may process requests to the resource's models is approved.",
        {
            **_REGIONS,
            "profile_regions": Arg("json", False, None, "geography -> the regions of its profiles, if known"),
        },
        (*_USERS, "AWS::Bedrock::Guardrail"),
        _BEHIND_MODELS,
        wide=_ORGANIZATION,
    ),
    Predicate(
        "bedrock.models_allowed",
        models_allowed,
        "Every model that the resource uses is on the list.",
        _MODELS,
        _USERS,
        _BEHIND_MODELS,
        wide=_ORGANIZATION,
    ),
    Predicate(
        "org.ai_services_opted_out",
        ai_services_opted_out,
        "AWS may not use the content of any AI service to improve it.",
        {"locked": Arg("boolean", False, False, "at the root, and no policy further down may change it")},
        _NODES,
        wide=_ORGANIZATION,
    ),
    Predicate(
        "org.guardrail_enforced",
        guardrail_enforced,
        "A Bedrock policy of the organisation puts a guardrail before every model of the regions.",
        {"regions": Arg("list:string", False, (), "the regions; of an account's region, that one")},
        ("PolicyEngine::Account::Region", *_NODES),
        wide=_ORGANIZATION,
    ),
    Predicate(
        "retrieval.permissions_crawled",
        permissions_crawled,
        "The connector reads who may see a document along with the document.",
        {},
        ("AWS::QBusiness::DataSource", "AWS::Kendra::DataSource"),
    ),
)
