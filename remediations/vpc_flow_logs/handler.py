"""Create a flow log for a VPC, to the bucket or log group that the settings name."""

from __future__ import annotations

from typing import Any

from policyengine.model.canonical_json import canonical
from policyengine.remediate.api import Call, FromAnswer, Json, Proposal, Reader, Refused, Step, Target


def image(target: Target, read: Reader) -> Json:
    """Return the flow logs of the VPC: what they record and where to.

    Neither ids, which are made anew, nor whether they deliver, which changes by itself.
    """
    filters = [{"Name": "resource-id", "Values": [target.id]}]
    found = read.all("ec2", "DescribeFlowLogs", {"Filter": filters}, result="FlowLogs")
    logs = [{"traffic": each["TrafficType"], "to": _where(each)} for each in found]
    return {"logs": sorted(logs, key=canonical)}


def plan(target: Target, image: Json) -> Proposal:
    """Create one flow log more; those that are there stay.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html
    """
    traffic, role = target.parameters["traffic"], target.parameters["role"]
    kind, to = _destination(target)
    if any(log["to"] == to for log in image["logs"]):
        raise Refused(
            "unsupported",
            f"a flow log of {target.id} to {to} is there already, and does not do: look whether it delivers, and which "
            "traffic it records; EC2 takes no second one to the same place (FlowLogAlreadyExists)",
        )
    arguments: dict[str, Any] = {
        "ResourceIds": [target.id],
        "ResourceType": "VPC",
        "TrafficType": traffic,
        "LogDestinationType": kind,
    }
    if kind == "s3":
        arguments["LogDestination"] = target.parameters["destination"]
    else:
        if not role.startswith(f"arn:{target.partition}:iam::{target.account}:role/"):
            raise Refused(
                "unsupported",
                "for a log group the parameter `role` names the role of this account that flow logs deliver with",
            )
        arguments |= {"LogGroupName": to, "DeliverLogsPermissionArn": role}
    undo = Call("ec2", "DeleteFlowLogs", {"FlowLogIds": [FromAnswer("create", "FlowLogIds.0")]})
    return Proposal(
        f"record {'all' if traffic == 'ALL' else 'the refused'} traffic of {target.id} in {to}",
        (Step("create", Call("ec2", "CreateFlowLogs", arguments), (undo,)),),
        after={"logs": sorted([*image["logs"], {"traffic": traffic, "to": to}], key=canonical)},
    )


def _where(log: Json) -> str:
    """Return the name of the log group, or the ARN of the bucket or stream."""
    if log.get("LogGroupName"):
        return str(log["LogGroupName"])
    to = str(log.get("LogDestination", ""))
    return _group(to) if ":log-group:" in to else to


def _group(arn: str) -> str:
    return arn.split(":log-group:", 1)[1].removesuffix(":*")


def _destination(target: Target) -> tuple[str, str]:
    """Return the kind of the destination and what image calls it. Raises Refused for none, and for what is none."""
    arn = target.parameters["destination"]
    if not arn:
        raise Refused(
            "unsupported",
            "nobody said where to: set the parameter `destination` of vpc_flow_logs to the ARN of a bucket or log group",
        )
    parts = arn.split(":", 5)
    if len(parts) == 6 and parts[:2] == ["arn", target.partition]:
        if parts[2] == "s3" and parts[5]:
            return "s3", arn
        here = parts[3:5] == [target.region, target.account]
        if parts[2] == "logs" and here and parts[5].startswith("log-group:") and _group(arn):
            return "cloud-watch-logs", _group(arn)
    raise Refused(
        "unsupported",
        f"`{arn}` is no bucket, and no log group of {target.account} in {target.region}: flow logs go to an S3 bucket of "
        "any account, or to a log group beside the VPC",
    )
