"""Kendra, Q Business and Lex."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.sources.live.collectors.resource_policies import Held, listed, resource_policies
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Parent, Step

Json = dict[str, Any]
_GONE: Final = ("ResourceNotFoundException",)
_KENDRA: Final = "arn:{partition}:kendra:{region}:{account}:index/"
_APPLICATION: Final = "arn:{partition}:qbusiness:{region}:{account}:application/"

_BOTS = listed("lexv2-models", "ListBots", "botSummaries.botId")
_ALIASES = listed("lexv2-models", "ListBotAliases", "botAliasSummaries.botAliasId")


def _tags(argument: str, result: str, arn: str, gone: tuple[str, ...] = ()) -> Step:
    return Step("ListTagsForResource", result, {argument: arn}, gives=("tags",), gone=gone, paged=True)


def _bots(context: Context) -> Iterator[str]:
    """https://docs.aws.amazon.com/lexv2/latest/APIReference/API_DescribeResourcePolicy.html: bots and their aliases."""
    for bot in _BOTS(context):
        base = "arn:{partition}:lex:{region}:{account}:bot".format(**context.names)
        yield f"{base}/{bot}"
        for alias in _ALIASES(context, botId=bot):
            yield f"{base}-alias/{bot}/{alias}"


def _of_index(item: Json) -> Json:
    return {**item, "IndexId": item["parent"]["Id"]}


def _of_application(item: Json) -> Json:
    return {**item, "ApplicationId": item["parent"]["applicationId"]}


def _of_both(item: Json) -> Json:
    index = item["parent"]
    return {**item, "IndexId": index["indexId"], "ApplicationId": index["parent"]["applicationId"]}


KENDRA = (
    Collector(
        "AWS::Kendra::Index",
        "kendra",
        Step("ListIndices", "IndexConfigurationSummaryItems"),
        id="{Id}",
        arn=_KENDRA + "{Id}",
        tags="",
        details=(
            Step("DescribeIndex", "", {"Id": "{Id}"}, rename={"Id": "", "Name": ""}, gone=_GONE),
            _tags("ResourceARN", "Tags", _KENDRA + "{Id}"),
        ),
    ),
    Collector(
        "AWS::Kendra::DataSource",
        "kendra",
        Step("ListDataSources", "SummaryItems", gone=_GONE),
        parent=Parent("AWS::Kendra::Index", {"IndexId": "{Id}"}),
        id="{Id}",
        arn=_KENDRA + "{parent.Id}/data-source/{Id}",
        tags="",
        shape=_of_index,
        gives=("IndexId",),
        details=(
            Step(
                "DescribeDataSource",
                "",
                {"Id": "{Id}", "IndexId": "{parent.Id}"},
                rename={"Id": "", "IndexId": "", "Name": "", "Configuration": "DataSourceConfiguration"},
                gone=_GONE,
            ),
            _tags("ResourceARN", "Tags", _KENDRA + "{parent.Id}/data-source/{Id}"),
        ),
    ),
)

QBUSINESS = (
    Collector(
        "AWS::QBusiness::Application",
        "qbusiness",
        Step("ListApplications", "applications"),
        id="{applicationId}",
        arn=_APPLICATION + "{applicationId}",
        rename={"applicationArn": "ApplicationArn"},
        tags="",
        details=(
            Step(
                "GetApplication",
                "",
                {"applicationId": "{applicationId}"},
                rename={"applicationId": ""},
                gone=_GONE,
            ),
            _tags("resourceARN", "tags", _APPLICATION + "{applicationId}", _GONE),
        ),
    ),
    Collector(
        "AWS::QBusiness::Index",
        "qbusiness",
        Step("ListIndices", "indices", gone=_GONE),
        parent=Parent("AWS::QBusiness::Application", {"applicationId": "{applicationId}"}),
        id="{indexId}",
        arn=_APPLICATION + "{parent.applicationId}/index/{indexId}",
        tags="",
        shape=_of_application,
        gives=("ApplicationId",),
        details=(
            Step(
                "GetIndex",
                "",
                {"applicationId": "{parent.applicationId}", "indexId": "{indexId}"},
                rename={"applicationId": "", "indexId": ""},
                gone=_GONE,
            ),
            _tags("resourceARN", "tags", _APPLICATION + "{parent.applicationId}/index/{indexId}", _GONE),
        ),
    ),
    Collector(
        "AWS::QBusiness::DataSource",
        "qbusiness",
        Step("ListDataSources", "dataSources", gone=_GONE),
        parent=Parent(
            "AWS::QBusiness::Index",
            {"applicationId": "{parent.applicationId}", "indexId": "{indexId}"},
        ),
        id="{dataSourceId}",
        arn=_APPLICATION + "{parent.parent.applicationId}/index/{parent.indexId}/data-source/{dataSourceId}",
        tags="",
        shape=_of_both,
        gives=("ApplicationId", "IndexId"),
        details=(
            Step(
                "GetDataSource",
                "",
                {
                    "applicationId": "{parent.parent.applicationId}",
                    "indexId": "{parent.indexId}",
                    "dataSourceId": "{dataSourceId}",
                },
                rename={"applicationId": "", "indexId": "", "dataSourceId": ""},
                gone=_GONE,
            ),
            _tags(
                "resourceARN",
                "tags",
                _APPLICATION
                + "{parent.parent.applicationId}/index/{parent.indexId}/data-source/{dataSourceId}",
                _GONE,
            ),
        ),
    ),
)

COLLECTORS = (
    *KENDRA,
    *QBUSINESS,
    resource_policies(
        "AWS::Lex::ResourcePolicy",
        "lexv2-models",
        "Policy",
        (
            Held(
                _bots,
                ("lexv2-models:ListBots", "lexv2-models:ListBotAliases"),
                "lexv2-models",
                "DescribeResourcePolicy",
                "policy",
            ),
        ),
    ),
)
