"""Glue and its data catalogue."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.values import Unresolved
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_PASSWORDS: Final = ("PASSWORD", "KAFKA_SASL_SCRAM_PASSWORD", "KAFKA_CLIENT_KEYSTORE_PASSWORD")
_HIDDEN: Final = Unresolved("not_collected", "the call hides passwords")


def _tags(kind: str, name: str) -> Step:
    """https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html"""
    return Step(
        "GetTags",
        "Tags",
        {"ResourceArn": _arn(kind, name)},
        gives=("tags",),
        gone=("EntityNotFoundException",),
    )


def _arn(kind: str, name: str) -> str:
    return "arn:{partition}:glue:{region}:{account}:" + f"{kind}/{name}"


def _connection(item: Json) -> Json:
    """The listing is told to hide passwords: whether there is one is not known."""
    properties = dict.fromkeys(_PASSWORDS, _HIDDEN) | (item.get("ConnectionProperties") or {})
    return {"Name": item["Name"], "ConnectionInput": {**item, "ConnectionProperties": properties}}


COLLECTORS = (
    Collector(
        "AWS::Glue::Job",
        "glue",
        Step("GetJobs", "Jobs"),
        id="{Name}",
        arn=_arn("job", "{Name}"),
        tags="",
        details=(_tags("job", "{Name}"),),
    ),
    Collector(
        "AWS::Glue::Crawler",
        "glue",
        Step("GetCrawlers", "Crawlers"),
        id="{Name}",
        arn=_arn("crawler", "{Name}"),
        tags="",
        details=(_tags("crawler", "{Name}"),),
    ),
    Collector(
        "AWS::Glue::DevEndpoint",
        "glue",
        Step("GetDevEndpoints", "DevEndpoints"),
        id="{EndpointName}",
        arn=_arn("devEndpoint", "{EndpointName}"),
        tags="",
        details=(_tags("devEndpoint", "{EndpointName}"),),
    ),
    Collector(
        "AWS::Glue::MLTransform",
        "glue",
        Step(
            "GetMLTransforms",
            "Transforms",
            rename={"InputRecordTables": "InputRecordTables.GlueTables", "Parameters": "TransformParameters"},
        ),
        id="{TransformId}",
        arn=_arn("mlTransform", "{TransformId}"),
        tags="",
        details=(_tags("mlTransform", "{TransformId}"),),
    ),
    Collector(
        "AWS::Glue::SecurityConfiguration",
        "glue",
        Step(
            "GetSecurityConfigurations",
            "SecurityConfigurations",
            rename={"EncryptionConfiguration.S3Encryption": "S3Encryptions"},
        ),
        id="{Name}",
        tags="",
    ),
    Collector(
        "AWS::Glue::Connection",
        "glue",
        Step("GetConnections", "ConnectionList", {"HidePassword": True}),
        id="{Name}",
        arn=_arn("connection", "{Name}"),
        shape=_connection,
        gives=("ConnectionInput",),
        tags="",
        details=(_tags("connection", "{Name}"),),
    ),
    Collector(
        "AWS::Glue::DataCatalogEncryptionSettings",
        "glue",
        Step(""),
        id="{account}",
        rename={"account": "CatalogId"},
        gives=("CatalogId",),
        tags="",
        details=(
            Step(
                "GetDataCatalogEncryptionSettings",
                "DataCatalogEncryptionSettings",
                into="DataCatalogEncryptionSettings",
                rename={"ConnectionPasswordEncryption.AwsKmsKeyId": "KmsKeyId"},
            ),
        ),
    ),
)
