"""Amazon CloudFront."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_HOME: Final = {"aws": "us-east-1"}
_CONFIG_GONE: Final = ("NoSuchDistribution",)


def _filled(item: Json) -> Json:
    """The API says "" for what a distribution does not have."""
    return {name: value for name, value in item.items() if value != ""}


def _behavior(item: Json) -> Json:
    """https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_AllowedMethods.html"""
    cached = (item.get("AllowedMethods") or {}).get("CachedMethods")
    found = _filled(item)
    return {**found, "CachedMethods": cached} if cached is not None else found


def _origin(item: Json) -> Json:
    found = _filled(item)
    headers = (item.get("CustomHeaders") or {}).get("Items")
    return {**found, "OriginCustomHeaders": headers} if headers else found


def _config(result: Json, _item: Json) -> Json:
    """Return the configuration as the registry has it: https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_DistributionConfig.html.

    What is off is left out there: logging without a bucket.
    """
    found = _filled(result)
    found["IPV6Enabled"] = found.pop("IsIPV6Enabled", None)
    logging = found.pop("Logging", None) or {}
    if logging.get("Enabled") and logging.get("Bucket"):
        found["Logging"] = logging
    if "DefaultCacheBehavior" in result:
        found["DefaultCacheBehavior"] = _behavior(result["DefaultCacheBehavior"])
    behaviors = (result.get("CacheBehaviors") or {}).get("Items") or []
    found["CacheBehaviors"] = [_behavior(each) for each in behaviors]
    found["Origins"] = [_origin(each) for each in (result.get("Origins") or {}).get("Items") or []]
    errors = (result.get("CustomErrorResponses") or {}).get("Items") or []
    found["CustomErrorResponses"] = [_error(each) for each in errors]
    geo = (result.get("Restrictions") or {}).get("GeoRestriction")
    if geo:
        found["Restrictions"] = {
            "GeoRestriction": {
                "RestrictionType": geo.get("RestrictionType"),
                "Locations": geo.get("Items") or [],
            }
        }
    return found


def _error(item: Json) -> Json:
    found = _filled(item)
    code = str(found.get("ResponseCode", ""))
    return {**found, "ResponseCode": int(code)} if code.isdigit() else found


def _logged(sources: list[Json], _item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html: v2 is a delivery of
    CloudWatch Logs."""
    return {"StandardLoggingV2Enabled": any(each.get("logType") == "ACCESS_LOGS" for each in sources)}


def _control(item: Json) -> Json:
    names = ("Name", "Description", "OriginAccessControlOriginType", "SigningBehavior", "SigningProtocol")
    return {
        "Id": item["Id"],
        "OriginAccessControlConfig": {name: item[name] for name in names if item.get(name) not in (None, "")},
    }


COLLECTORS = (
    Collector(
        "AWS::CloudFront::Distribution",
        "cloudfront",
        Step("ListDistributions", "DistributionList.Items"),
        id="{Id}",
        arn="{ARN}",
        tags="",
        details=(
            Step(
                "GetDistributionConfig",
                "DistributionConfig",
                {"Id": "{Id}"},
                into="DistributionConfig",
                gone=_CONFIG_GONE,
                shape=_config,
            ),
            Step(
                "ListTagsForResource",
                "Tags.Items",
                {"Resource": "{ARN}"},
                gives=("tags",),
                gone=("NoSuchResource",),
            ),
            Step(
                "DescribeDeliverySources",
                "deliverySources",
                gives=("StandardLoggingV2Enabled",),
                once="{ARN}",
                key="resourceArns",
                shape=_logged,
                service="logs",
                only_named=True,
            ),
        ),
        home=_HOME,
    ),
    Collector(
        "AWS::CloudFront::OriginAccessControl",
        "cloudfront",
        Step("ListOriginAccessControls", "OriginAccessControlList.Items"),
        id="{Id}",
        arn="arn:{partition}:cloudfront::{account}:origin-access-control/{Id}",
        tags="",
        shape=_control,
        gives=("OriginAccessControlConfig",),
        home=_HOME,
    ),
    Collector(
        "AWS::CloudFront::ResponseHeadersPolicy",
        "cloudfront",
        # AWS's own are nobody's to change; an account has at most 20 of its own, so that one page holds them:
        # https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html
        Step(
            "ListResponseHeadersPolicies",
            "ResponseHeadersPolicyList.Items.ResponseHeadersPolicy",
            {"Type": "custom"},
        ),
        id="{Id}",
        arn="arn:{partition}:cloudfront::{account}:response-headers-policy/{Id}",
        tags="",
        home=_HOME,
    ),
)
