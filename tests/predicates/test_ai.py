"""Conformance data of the predicates about AI services, and their data against AWS's service models."""

from __future__ import annotations

import json
from pathlib import Path

import botocore.session  # type: ignore[import-untyped]  # it ships no types
import pytest

from policyengine.catalog import registry
from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.bedrock import table as ai
from policyengine.rules.predicates.bedrock.models import GUARDRAIL, NEEDS, PATHS, geographies

PREDICATES: dict[str, Predicate] = {p.name: p for p in ai.PREDICATES}
ROOT = Path(__file__).resolve().parents[2]


def test_the_types_asked_about_name_models() -> None:
    assert set(PREDICATES["bedrock.models_in_regions"].types) == set(PATHS)
    assert set(PREDICATES["bedrock.models_allowed"].types) == set(PATHS) - {GUARDRAIL}
    assert set(NEEDS) <= set(PATHS)


@pytest.mark.parametrize(
    ("type_", "path"), [(type_, path) for type_, paths in PATHS.items() for path in paths], ids=str
)
def test_models_are_named_where_the_catalog_says(type_: str, path: str) -> None:
    found = registry.schema(type_)
    assert found is not None
    assert str(found.kind(tuple(path.split(".")))) == "string"


def test_geographies_are_regions_that_botocore_knows() -> None:
    session = botocore.session.get_session()
    known = {
        region
        for partition in ("aws", "aws-us-gov")
        for region in session.get_available_regions("sts", partition_name=partition)
    }
    assert {region for regions in geographies().values() for region in regions} <= known
    assert all(len(regions) >= 2 for regions in geographies().values())


MADE_OF = {
    "AWS::Bedrock::CustomModel": ("bedrock", "GetCustomModel"),
    "AWS::Bedrock::ImportedModel": ("bedrock", "GetImportedModel"),
    "AWS::Bedrock::ProvisionedModelThroughput": ("bedrock", "GetProvisionedModelThroughput"),
    "AWS::Bedrock::CustomModelDeployment": ("bedrock", "GetCustomModelDeployment"),
}
"""Types that the registry lacks and moto mostly too: their shapes are held against botocore's service models."""


def extra(type_: str) -> tuple[tuple[str, str], ...]:
    found = registry.spec(type_)
    assert found is not None
    return found.extra


@pytest.mark.parametrize("type_", sorted(MADE_OF))
def test_extra_properties_are_fields_of_the_api(type_: str) -> None:
    service, operation = MADE_OF[type_]
    model = botocore.session.get_session().get_service_model(service)
    fields = {name[:1].upper() + name[1:] for name in model.operation_model(operation).output_shape.members}
    job = model.operation_model("GetModelCustomizationJob").output_shape.members
    own = {path.split(".")[0] for path, _ in extra(type_)}
    assert own - {"VpcConfig"} <= fields
    assert "vpcConfig" in job


def test_keys_and_invocation_logs_are_fields_of_the_api() -> None:
    session = botocore.session.get_session()
    key = session.get_service_model("iam").shape_for("ServiceSpecificCredentialMetadata").members
    own = {
        p.split(".")[1] for p, _ in extra("AWS::IAM::User") if p.startswith("ServiceSpecificC") and "." in p
    }
    assert own - {"CredentialAgeDays"} <= set(key)
    made = session.get_service_model("iam").operation_model("CreateServiceSpecificCredential").input_shape
    assert "CredentialAgeDays" in made.members
    logging = session.get_service_model("bedrock").shape_for("LoggingConfig").members
    for kind in ("text", "image", "embedding", "video", "audio"):
        assert f"{kind}DataDeliveryEnabled" in logging


def test_filters_and_identities_have_the_values_the_rules_name() -> None:
    session = botocore.session.get_session()
    bedrock = session.get_service_model("bedrock")
    assert "PROMPT_ATTACK" in bedrock.shape_for("GuardrailContentFilterType").enum
    assert bedrock.shape_for("GuardrailFilterStrength").enum == ["NONE", "LOW", "MEDIUM", "HIGH"]
    assert bedrock.shape_for("GuardrailContextualGroundingFilterType").enum == ["GROUNDING", "RELEVANCE"]
    assert "ANONYMOUS" in session.get_service_model("qbusiness").shape_for("IdentityType").enum
    core = session.get_service_model("bedrock-agentcore-control")
    assert core.shape_for("AuthorizerType").enum == ["CUSTOM_JWT", "AWS_IAM", "NONE", "AUTHENTICATE_ONLY"]
    assert "BEDROCK_POLICY" in session.get_service_model("organizations").shape_for("PolicyType").enum


def test_data_says_where_it_is_from() -> None:
    file = ROOT / "policyengine" / "rules" / "predicates" / "data" / "bedrock_geographies.json"
    data = json.loads(file.read_text(encoding="utf-8"))
    assert data["source"].startswith("https://docs.aws.amazon.com/") and data["checked"]
