"""Tables of Amazon Keyspaces (for Apache Cassandra)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.sources.live.collectors.resource_policies import listed
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.spec import CodeCollector, Collector, Step

Json = dict[str, Any]
_GONE: Final = ("ResourceNotFoundException",)
_KEYSPACES: Final = listed("keyspaces", "ListKeyspaces", "keyspaces.keyspaceName")
_TABLES: Final = listed("keyspaces", "ListTables", "tables")


def _table(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/keyspaces/latest/APIReference/API_GetTable.html"""
    encryption = result.get("encryptionSpecification")
    recovery = result.get("pointInTimeRecovery")
    stamps = result.get("clientSideTimestamps")
    capacity = result.get("capacitySpecification") or {}
    throughput = {name: capacity.get(name) for name in ("readCapacityUnits", "writeCapacityUnits")}
    return {
        "EncryptionSpecification": encryption
        and {"EncryptionType": encryption["type"], "KmsKeyIdentifier": encryption.get("kmsKeyIdentifier")},
        "PointInTimeRecoveryEnabled": recovery and recovery.get("status") == "ENABLED",
        "ClientSideTimestampsEnabled": stamps and stamps.get("status") == "ENABLED",
        "DefaultTimeToLive": result.get("defaultTimeToLive"),
        "BillingMode": capacity
        and {
            # AWS's two names for the same: PAY_PER_REQUEST in the API, ON_DEMAND in the registry
            "Mode": "PROVISIONED" if capacity.get("throughputMode") == "PROVISIONED" else "ON_DEMAND",
            "ProvisionedThroughput": throughput if any(throughput.values()) else None,
        },
    }


TABLE: Final = Collector(
    "AWS::Cassandra::Table",
    "keyspaces",
    Step("ListTables", "tables", {"keyspaceName": ""}),
    id="{keyspaceName}|{tableName}",
    arn="{resourceArn}",
    tags="",
    details=(
        Step(
            "GetTable",
            "",
            {"keyspaceName": "{keyspaceName}", "tableName": "{tableName}"},
            gives=(
                "EncryptionSpecification",
                "PointInTimeRecoveryEnabled",
                "ClientSideTimestampsEnabled",
                "DefaultTimeToLive",
                "BillingMode",
            ),
            shape=_table,
            gone=_GONE,
        ),
        Step(
            "ListTagsForResource",
            "tags",
            {"resourceArn": "{resourceArn}"},
            gives=("tags",),
            gone=_GONE,
            paged=True,
        ),
    ),
)


def _tables(context: Context) -> Iterator[Resource]:
    """Yield the tables of an account's own keyspaces; those named ``system...`` are of AWS.

    https://docs.aws.amazon.com/keyspaces/latest/devguide/working-with-keyspaces.html
    """
    names = [name for name in _KEYSPACES(context) if not name.startswith("system")]
    yield from Run(TABLE, context).of(item for name in names for item in _of(context, name))


def _of(context: Context, keyspace: str) -> Iterator[Json]:
    try:
        yield from _TABLES(context, keyspaceName=keyspace)
    except CallFailure as failure:
        if not failure.is_one_of(_GONE):
            context.not_whole(TABLE.type, failure)


COLLECTORS = (
    CodeCollector(
        (TABLE.type,),
        "keyspaces",
        _tables,
        (
            "keyspaces:ListKeyspaces",
            "keyspaces:ListTables",
            "keyspaces:GetTable",
            "keyspaces:ListTagsForResource",
        ),
        parts=(TABLE,),
    ),
)
