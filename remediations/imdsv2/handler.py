"""Require session tokens (IMDSv2) of an instance of which nothing asked without one for two weeks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

_DAY: Final = 86_400
_KEPT: Final = ("HttpEndpoint", "HttpPutResponseHopLimit", "HttpProtocolIpv6", "InstanceMetadataTags")
_NONE, _SOME, _UNKNOWN = "none", "some", "not known"


def image(target: Target, read: Reader) -> Json:
    """Return the metadata options, whether anything asked without a token, and whether the instance was started since.

    ``MetadataNoToken`` counts the calls without one; AWS advises to track it to zero:
    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-transition-to-version-2.html
    """
    days = target.parameters["days"]
    found = read.call("ec2", "DescribeInstances", {"InstanceIds": [target.id]}) or {}
    instances = [each for group in found.get("Reservations", []) for each in group.get("Instances", [])]
    if len(instances) != 1 or "MetadataOptions" not in instances[0]:
        raise Refused("not_known", f"AWS does not say the metadata options of {target.id}")
    options = instances[0]["MetadataOptions"]
    now = _time(target.now).replace(minute=0, second=0, microsecond=0)
    since = now - timedelta(days=days)
    asked = {
        "Namespace": "AWS/EC2",
        "MetricName": "MetadataNoToken",
        "Dimensions": [{"Name": "InstanceId", "Value": target.id}],
        "StartTime": since.isoformat(),
        "EndTime": now.isoformat(),
        "Period": _DAY,
        "Statistics": ["Sum"],
    }
    points = (read.call("cloudwatch", "GetMetricStatistics", asked) or {}).get("Datapoints", [])
    return {
        "HttpTokens": options.get("HttpTokens"),
        **{name: options.get(name) for name in _KEPT},
        "without_token": _verdict(points, days),
        "started_since": _time(instances[0]["LaunchTime"]) >= since,
    }


def plan(target: Target, image: Json) -> Proposal:
    """Set HttpTokens and nothing else: what is not named keeps its state, the hop limit too.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html
    """
    if image["HttpTokens"] == "required" or image["HttpEndpoint"] == "disabled":
        return Proposal("the metadata service answers nothing without a token already", after=image)
    days = target.parameters["days"]
    if image["without_token"] == _SOME:
        raise Refused(
            "unsafe",
            f"something on the instance asked for metadata without a token in the last {days} days and would lose its "
            "credentials: update it first (the metric MetadataNoToken must stay at zero)",
        )
    if image["without_token"] != _NONE:
        raise Refused(
            "not_known",
            f"CloudWatch has no value of MetadataNoToken for each of the last {days} days, so nobody knows whether "
            "something on the instance still asks without a token",
        )
    said = (
        f"the instance was not started in the last {days} days: what asks for metadata without a token only while it "
        "starts was not seen, and would fail at the next start"
    )
    before = image["HttpTokens"]
    if before != "optional":
        raise Refused("not_known", f"HttpTokens is {before!r}; expected optional or required")
    return Proposal(
        f"require session tokens of the metadata service of {target.id}",
        (Step("require-tokens", _set(target.id, "required"), (_set(target.id, before),)),),
        after={**image, "HttpTokens": "required"},
        concerns=() if image["started_since"] else (said,),
    )


def _set(instance: str, tokens: str) -> Call:
    return Call("ec2", "ModifyInstanceMetadataOptions", {"InstanceId": instance, "HttpTokens": tokens})


def _verdict(points: list[Json], days: int) -> str:
    """A day without a value proves nothing, whatever the others say."""
    if any(point.get("Sum", 1) > 0 for point in points):
        return _SOME
    return _NONE if len({str(point["Timestamp"]) for point in points}) >= days else _UNKNOWN


def _time(value: Any) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
