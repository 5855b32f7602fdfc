"""The declaration of IAM users: keys, devices and passwords are asked for each."""

from __future__ import annotations

from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.credential_report import CALLS, OPERATION, credential_report, date, flag
from policyengine.sources.live.last_accessed import last_accessed_step
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_USER: Final = {"UserName": "{UserName}"}
_REPORTED: Final = ("PasswordEnabled", "PasswordLastUsed", "PasswordLastChanged", "MfaActive")


def _reported(context: Context, item: Json) -> Json:
    """What the report says of a user; one who is younger than the report is not in it."""
    row = credential_report(context).rows.get(item["UserName"])
    if row is None:
        missing = Unresolved("not_collected", "the credential report is older than the user")
        return dict.fromkeys(_REPORTED, missing)
    return {
        "PasswordEnabled": flag(row.get("password_enabled")),
        "PasswordLastUsed": date(row.get("password_last_used")),
        "PasswordLastChanged": date(row.get("password_last_changed")),
        "MfaActive": flag(row.get("mfa_active")),
    }


def _keys(context: Context, item: Json) -> Json:
    user = {"UserName": item["UserName"]}
    found = [
        key for page in context.pages("iam", "ListAccessKeys", user) for key in page["AccessKeyMetadata"]
    ]
    return {"AccessKeyMetadata": [_key(context, key) for key in found]}


def _key(context: Context, key: Json) -> Json:
    """A key that was never used has no date of use (``ServiceName`` is then ``N/A``):
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_AccessKeyLastUsed.html
    """
    shown = {name: key.get(name) for name in ("UserName", "Status", "CreateDate")} | {
        "Id": key["AccessKeyId"]
    }
    try:
        used = context.call("iam", "GetAccessKeyLastUsed", {"AccessKeyId": key["AccessKeyId"]})
    except CallFailure as failure:
        context.fail(failure)
        unread = Unresolved(failure.reason, failure.detail)
        return {**shown, "LastUsedDate": unread, "LastUsedServiceName": unread}
    last = used.get("AccessKeyLastUsed") or {}
    service = last.get("ServiceName")
    return {
        **shown,
        "LastUsedDate": last.get("LastUsedDate"),
        "LastUsedServiceName": None if service == "N/A" else service,
    }


USER = Collector(
    "AWS::IAM::User",
    "iam",
    Step("GetAccountAuthorizationDetails", "UserDetailList"),
    id="{UserName}",
    arn="{Arn}",
    gives=("Policies", "ManagedPolicyArns", "PermissionsBoundary", "Groups"),
    also={
        "AWS::IAM::Policy": "related.policies",
        "AWS::IAM::UserToGroupAddition": "related.group_additions",
    },
    details=(
        Step(
            "GetLoginProfile",
            "LoginProfile",
            _USER,
            into="LoginProfile",
            none=("NoSuchEntity",),
            only_named=True,
        ),
        Step(
            "ListMFADevices",
            "MFADevices",
            _USER,
            into="MFADevices",
            gone=("NoSuchEntity",),
            paged=True,
            only_named=True,
        ),
        Step(
            "ListAccessKeys",
            "AccessKeyMetadata",
            into="related.access_keys",
            gives=("related.access_keys",),
            gone=("NoSuchEntity",),
            ask=_keys,
            calls=("iam:GetAccessKeyLastUsed",),
            only_named=True,
        ),
        Step(OPERATION, gives=_REPORTED, ask=_reported, calls=CALLS, only_named=True),
        Step(
            "ListServiceSpecificCredentials",
            "ServiceSpecificCredentials",
            {"AllUsers": True},
            into="ServiceSpecificCredentials",
            once="{UserName}",
            key="UserName",
            shape=lambda results, _item: results,
            only_named=True,
        ),
        last_accessed_step(),
    ),
)
