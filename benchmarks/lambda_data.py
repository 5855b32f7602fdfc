"""What both sides of the figures about functions are given: items, records of CloudTrail, and an account in memory.

Standard library only, but for :func:`canned`, which takes the place of the network below botocore: requests are made
and signed, and answers parsed, by each side's own botocore as they would be.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

Json = dict[str, Any]
ACCOUNT, REGION = "111122223333", "us-east-1"
GROUPS = 1000
"""Security groups of the account; each is named by as many events as the others."""
RULE = "security-group-admin-ports-closed"
KINDS = ("failed call", "passes", "leads to a plan")
_ITEMS = Path(__file__).resolve().parent / "config_items.json"
_EC2 = 'xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"'
ENVIRON = {
    "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "none", "AWS_REGION": REGION,
    "AWS_DEFAULT_REGION": REGION, "AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}  # fmt: skip
"""What a function finds in its environment; the canned account asks for no key that is real."""


def item_types() -> list[str]:
    """Return the types there is an item of."""
    return list(json.loads(_ITEMS.read_text(encoding="utf-8")))


def notifications(type: str, rules: list[str], count: int) -> list[Json]:
    """Return invocations of a Config rule about ``count`` resources, each another one."""
    given = json.loads(_ITEMS.read_text(encoding="utf-8"))[type]
    text = json.dumps(given)
    return [
        _invocation(json.loads(text.replace(given["resourceId"], f"{given['resourceId']}{n:05d}")), rules)
        for n in range(count)
    ]


def _invocation(item: Json, rules: list[str]) -> Json:
    """https://docs.aws.amazon.com/config/latest/developerguide/evaluate-config_develop-rules_example-events.html"""
    invoking = {
        "configurationItem": item,
        "notificationCreationTime": "2026-11-21T09:00:01.000Z",
        "messageType": "ConfigurationItemChangeNotification",
        "recordVersion": "1.3",
    }
    return {
        "invokingEvent": json.dumps(invoking), "ruleParameters": json.dumps({"rules": ",".join(rules)}),
        "resultToken": "token", "eventLeftScope": False, "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/config",
        "configRuleArn": f"arn:aws:config:{REGION}:{ACCOUNT}:config-rule/config-rule-0", "configRuleName": "rules",
        "configRuleId": "config-rule-0", "accountId": ACCOUNT, "version": "1.0",
    }  # fmt: skip


def group(number: int, kind: str) -> str:
    """Return the id of a group that passes or fails."""
    return f"sg-{number % GROUPS:016x}{int(kind == KINDS[2])}"


def trail(number: int, kind: str) -> Json:
    """Return what EventBridge delivers for a call that opened a port.

    https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
    """
    detail = {
        "eventVersion": "1.10", "eventSource": "ec2.amazonaws.com", "eventName": "AuthorizeSecurityGroupIngress",
        "awsRegion": REGION, "recipientAccountId": ACCOUNT, "eventTime": "2026-11-21T09:00:00Z",
        "eventID": f"event-{number}", "eventType": "AwsApiCall", "readOnly": False, "sourceIPAddress": "198.51.100.7",
        "userIdentity": {
            "type": "AssumedRole", "principalId": "AROAEXAMPLE:alice", "accountId": ACCOUNT,
            "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/dev/alice"},
        "requestParameters": {"groupId": group(number, kind), "ipPermissions": {"items": [
            {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}}]}},
        "responseElements": {"_return": True},
    }  # fmt: skip
    if kind == KINDS[0]:
        detail["errorCode"] = "Client.InvalidPermission.Duplicate"
    return _delivered("AWS API Call via CloudTrail", "aws.ec2", number, detail)


def compliance(number: int, kind: str) -> Json:
    """Return what EventBridge delivers when AWS Config finds that compliance changed.

    https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html
    """
    state = "COMPLIANT" if kind == KINDS[0] else "NON_COMPLIANT"
    detail = {
        "resourceId": group(number, kind), "resourceType": "AWS::EC2::SecurityGroup", "awsRegion": REGION,
        "awsAccountId": ACCOUNT, "configRuleName": f"policyengine-{RULE}", "recordVersion": "1.0",
        "messageType": "ComplianceChangeNotification",
        "newEvaluationResult": {"complianceType": state, "resultRecordedTime": "2026-11-21T09:00:00.000Z"},
    }  # fmt: skip
    return _delivered("Config Rules Compliance Change", "aws.config", number, detail)


def _delivered(kind: str, source: str, number: int, detail: Json) -> Json:
    return {
        "version": "0", "id": f"{number:08x}-0000-4000-8000-000000000000", "detail-type": kind, "source": source,
        "account": ACCOUNT, "time": "2026-11-21T09:00:02Z", "region": REGION, "resources": [], "detail": detail,
    }  # fmt: skip


def batches(events: list[Json], size: int = 10) -> list[str]:
    """Return the invocations a queue makes of events, as the runtime is given them: text."""
    records = [{"messageId": f"m-{n}", "body": json.dumps(each)} for n, each in enumerate(events)]
    return [json.dumps({"Records": records[n : n + size]}) for n in range(0, len(records), size)]


def canned() -> dict[str, int]:
    """Answer every request of this process's botocore from memory; returns operation -> how often it was asked."""
    import botocore.awsrequest
    import botocore.httpsession

    asked: dict[str, int] = {}

    class Raw:
        def __init__(self, data: bytes) -> None:
            self.data = data

        def stream(self, *_args: Any, **_named: Any) -> Any:
            yield self.data

    def send(_session: Any, request: Any) -> Any:
        operation, status, kind, data = _answer(request)
        asked[operation] = asked.get(operation, 0) + 1
        headers = {"content-type": kind, "x-amzn-requestid": "r"}
        return botocore.awsrequest.AWSResponse(request.url, status, headers, Raw(data))

    botocore.httpsession.URLLib3Session.send = send
    return asked


def _answer(request: Any) -> tuple[str, int, str, bytes]:
    body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
    target = request.headers.get("X-Amz-Target")
    if target:
        operation = (target.decode() if isinstance(target, bytes) else target).partition(".")[2]
        known: dict[str, Json] = {"PutEvaluations": {"FailedEvaluations": []}}
        return operation, 200, "application/x-amz-json-1.1", json.dumps(known[operation]).encode()
    form = parse_qs(body)
    operation = form["Action"][0]
    return operation, 200, "text/xml", _QUERY[operation](form).encode()


def _identity(_form: dict[str, list[str]]) -> str:
    return (
        '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
        f"<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/function/f</Arn><UserId>AROAEXAMPLE:f</UserId><Account>{ACCOUNT}"
        "</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>"
        "</GetCallerIdentityResponse>"
    )


def _security_groups(form: dict[str, list[str]]) -> str:
    named = [values[0] for name, values in sorted(form.items()) if name.startswith("GroupId.")]
    ids = named or [group(n, kind) for n in range(GROUPS) for kind in KINDS[1:]]
    found = "".join(map(_security_group, ids))
    return (
        f"<DescribeSecurityGroupsResponse {_EC2}><requestId>r</requestId><securityGroupInfo>{found}</securityGroupInfo>"
        "</DescribeSecurityGroupsResponse>"
    )


def _security_group(id: str) -> str:
    office = "<item><cidrIp>10.0.0.0/8</cidrIp><description>office</description></item>"
    world = "<item><cidrIp>0.0.0.0/0</cidrIp></item>" if id.endswith("1") else ""
    permissions = _permission(443, office) + _permission(22, office + world)
    egress = (
        "<item><ipProtocol>-1</ipProtocol><groups/><ipRanges><item><cidrIp>0.0.0.0/0</cidrIp></item></ipRanges>"
        "<ipv6Ranges/><prefixListIds/></item>"
    )
    return (
        f"<item><ownerId>{ACCOUNT}</ownerId><groupId>{id}</groupId><groupName>{id}-web</groupName><groupDescription>web"
        f"</groupDescription><vpcId>vpc-1</vpcId><ipPermissions>{permissions}</ipPermissions><ipPermissionsEgress>{egress}"
        "</ipPermissionsEgress><tagSet><item><key>Owner</key><value>payments</value></item></tagSet></item>"
    )


def _permission(port: int, ranges: str) -> str:
    return (
        f"<item><ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}</toPort><groups/><ipRanges>{ranges}"
        "</ipRanges><ipv6Ranges/><prefixListIds/></item>"
    )


def _security_group_rules(form: dict[str, list[str]]) -> str:
    """The same rules one peer at a time, as the remediation of the rule reads them."""
    id = form["Filter.1.Value.1"][0]
    world = [(22, "0.0.0.0/0")] if id.endswith("1") else []
    found = "".join(
        f"<item><securityGroupRuleId>sgr-{n}</securityGroupRuleId><groupId>{id}</groupId><groupOwnerId>{ACCOUNT}"
        f"</groupOwnerId><isEgress>false</isEgress><ipProtocol>tcp</ipProtocol><fromPort>{port}</fromPort><toPort>{port}"
        f"</toPort><cidrIpv4>{cidr}</cidrIpv4>{'<description>office</description>' if cidr[0] == '1' else ''}<tagSet/></item>"
        for n, (port, cidr) in enumerate([(443, "10.0.0.0/8"), (22, "10.0.0.0/8"), *world])
    )
    return (
        f"<DescribeSecurityGroupRulesResponse {_EC2}><requestId>r</requestId><securityGroupRuleSet>{found}"
        "</securityGroupRuleSet></DescribeSecurityGroupRulesResponse>"
    )


def _network_interfaces(_form: dict[str, list[str]]) -> str:
    return (
        f"<DescribeNetworkInterfacesResponse {_EC2}><requestId>r</requestId><networkInterfaceSet/>"
        "</DescribeNetworkInterfacesResponse>"
    )


def _prefix_lists(_form: dict[str, list[str]]) -> str:
    return (
        f"<DescribeManagedPrefixListsResponse {_EC2}><requestId>r</requestId><prefixListSet/>"
        "</DescribeManagedPrefixListsResponse>"
    )


_QUERY = {
    "DescribeManagedPrefixLists": _prefix_lists,
    "GetCallerIdentity": _identity,
    "DescribeSecurityGroups": _security_groups,
    "DescribeSecurityGroupRules": _security_group_rules,
    "DescribeNetworkInterfaces": _network_interfaces,
}
