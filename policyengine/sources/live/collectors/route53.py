"""Amazon Route 53 and its resolver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Parent, Step

Json = dict[str, Any]
_ZONE: Final = "AWS::Route53::HostedZone"
_NO_ZONE: Final = ("NoSuchHostedZone",)


def _zones(item: Json) -> Iterator[Json]:
    """An id is ``/hostedzone/Z1`` in the API and ``Z1`` everywhere else."""
    yield {**item, "Id": item["Id"].rpartition("/")[2]}


def _zone(item: Json) -> Json:
    config = item.get("Config") or {}
    found = {
        **item,
        "PrivateZone": config.get("PrivateZone"),
        "HostedZoneFeatures": None,
    }
    comment = config.get("Comment")
    return {**found, "HostedZoneConfig": {"Comment": comment}} if comment else found


def _networks(context: Context, item: Json) -> Json:
    """Only a private zone has networks."""
    if not (item.get("Config") or {}).get("PrivateZone"):
        return {}
    return context.call("route53", "GetHostedZone", {"Id": item["Id"]})


def _tags(kind: str) -> Step:
    """https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListTagsForResources.html: ten at a time."""
    return Step(
        "ListTagsForResources",
        "ResourceTagSets",
        {"ResourceIds": "{Id}", "ResourceType": kind},
        gives=("tags",),
        batch=10,
        key="ResourceId",
        shape=lambda result, _item: result.get("Tags", []),
    )


def _record(item: Json) -> Json:
    """A record is told from others by zone, name, type and set together."""
    zone = item["parent"]
    key = [zone["Id"], item["Name"], item["Type"], item.get("SetIdentifier")]
    found = {
        **item,
        "value": "|".join(each for each in key if each),
        "HostedZoneId": zone["Id"],
        "HostedZoneName": zone.get("Name"),
        "ResourceRecords": [each["Value"] for each in item.get("ResourceRecords", ())],
    }
    return {**found, "TTL": str(item["TTL"])} if "TTL" in item else found


def _first(found: list[Json], _item: Json) -> Json | None:
    return {"CloudWatchLogsLogGroupArn": found[0].get("CloudWatchLogsLogGroupArn")} if found else None


COLLECTORS = (
    Collector(
        _ZONE,
        "route53",
        Step("ListHostedZones", "HostedZones"),
        id="{Id}",
        arn="arn:{partition}:route53:::hostedzone/{Id}",
        tags="",
        expand=_zones,
        shape=_zone,
        gives=("PrivateZone", "HostedZoneConfig"),
        details=(
            _tags("hostedzone"),
            Step(
                "ListQueryLoggingConfigs",
                "QueryLoggingConfigs",
                gives=("QueryLoggingConfig",),
                into="QueryLoggingConfig",
                once="{Id}",
                key="HostedZoneId",
                shape=_first,
            ),
            Step(
                "GetHostedZone",
                "VPCs",
                {"Id": "{Id}"},
                into="VPCs",
                gone=_NO_ZONE,
                ask=_networks,
                only_named=True,
            ),
        ),
    ),
    Collector(
        "AWS::Route53::RecordSet",
        "route53",
        Step("ListResourceRecordSets", "ResourceRecordSets", gone=_NO_ZONE),
        id="{value}",
        tags="",
        parent=Parent(_ZONE, {"HostedZoneId": "{Id}"}),
        shape=_record,
        gives=("HostedZoneId", "HostedZoneName"),
    ),
    Collector(
        "AWS::Route53::HealthCheck",
        "route53",
        Step("ListHealthChecks", "HealthChecks"),
        id="{Id}",
        arn="arn:{partition}:route53:::healthcheck/{Id}",
        tags="",
        rename={"Id": "HealthCheckId"},
        details=(_tags("healthcheck"),),
    ),
    Collector(
        "AWS::Route53Resolver::ResolverQueryLoggingConfig",
        "route53resolver",
        Step("ListResolverQueryLogConfigs", "ResolverQueryLogConfigs"),
        id="{Id}",
        arn="{Arn}",
        tags="",
        keep=lambda item, names: item.get("OwnerId", names["account"]) == names["account"],
        details=(
            Step(
                "ListTagsForResource",
                "Tags",
                {"ResourceArn": "{Arn}"},
                gives=("tags",),
                gone=("ResourceNotFoundException",),
                paged=True,
            ),
        ),
    ),
    Collector(
        "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation",
        "route53resolver",
        Step("ListResolverQueryLogConfigAssociations", "ResolverQueryLogConfigAssociations"),
        id="{Id}",
        tags="",
    ),
)
