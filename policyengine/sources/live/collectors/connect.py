"""Where instances of Amazon Connect store what is said."""

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
_INSTANCES: Final = listed("connect", "ListInstances", "InstanceSummaryList")
_CONFIGURATIONS: Final = listed("connect", "ListInstanceStorageConfigs", "StorageConfigs")
_STORED: Final = (
    "CHAT_TRANSCRIPTS",
    "CALL_RECORDINGS",
    "SCHEDULED_REPORTS",
    "MEDIA_STREAMS",
    "CONTACT_TRACE_RECORDS",
    "AGENT_EVENTS",
    "REAL_TIME_CONTACT_ANALYSIS_SEGMENTS",
    "ATTACHMENTS",
    "CONTACT_EVALUATIONS",
    "SCREEN_RECORDINGS",
    "REAL_TIME_CONTACT_ANALYSIS_CHAT_SEGMENTS",
    "REAL_TIME_CONTACT_ANALYSIS_VOICE_SEGMENTS",
    "EMAIL_MESSAGES",
)
"""https://docs.aws.amazon.com/connect/latest/APIReference/API_ListInstanceStorageConfigs.html; a test holds the list
against botocore's."""

STORAGE: Final = Collector(
    "AWS::Connect::InstanceStorageConfig",
    "connect",
    Step("ListInstanceStorageConfigs", "StorageConfigs", {"InstanceId": "", "ResourceType": ""}),
    id="{AssociationId}",
    tags="",
    shape=lambda item: {**item["value"], **item},
    gives=("InstanceArn", "ResourceType"),
)


def _storage(context: Context) -> Iterator[Resource]:
    items = (
        {**found, "value": {"InstanceArn": instance["Arn"], "ResourceType": kind}}
        for instance in _INSTANCES(context)
        for kind in _STORED
        for found in _of(context, instance["Id"], kind)
    )
    yield from Run(STORAGE, context).of(items)


def _of(context: Context, instance: str, kind: str) -> Iterator[Json]:
    try:
        yield from _CONFIGURATIONS(context, InstanceId=instance, ResourceType=kind)
    except CallFailure as failure:
        if not failure.is_one_of(("ResourceNotFoundException",)):
            context.not_whole(STORAGE.type, failure)


COLLECTORS = (
    CodeCollector(
        (STORAGE.type,),
        "connect",
        _storage,
        ("connect:ListInstances", "connect:ListInstanceStorageConfigs"),
        parts=(STORAGE,),
    ),
)
