"""The account itself: how it is set, its root user, whom AWS writes to, the organisation it is in."""

from __future__ import annotations

from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.credential_report import (
    CALLS,
    OPERATION,
    ROOT,
    credential_report,
    date,
    latest,
)
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_KEY_USES: Final = ("access_key_1_last_used_date", "access_key_2_last_used_date")


def _summary(context: Context) -> Json:
    return context.shared.once(("iam", "GetAccountSummary"), lambda: context.call("iam", "GetAccountSummary"))


def _root(context: Context, _item: Json) -> Json:
    """What the report says of the root user; a use that the report does not show was none."""
    report = credential_report(context)
    found: Json = {"CredentialReport": {"GeneratedTime": report.made}}
    row = report.rows.get(ROOT)
    if row is None:
        missing = Unresolved("not_collected", "the credential report has no root user")
        return {**found, "RootPasswordLastUsed": missing, "RootAccessKeyLastUsed": missing}
    return {
        **found,
        "RootPasswordLastUsed": date(row.get("password_last_used")),
        "RootAccessKeyLastUsed": latest(row.get(name) for name in _KEY_USES),
    }


def _root_device(context: Context, _item: Json) -> Json:
    """A device of the root user that is listed as virtual is no hardware; without any device there is none.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListVirtualMFADevices.html
    """
    enabled = _summary(context).get("SummaryMap", {}).get("AccountMFAEnabled")
    if not enabled:
        return {"RootHardwareMfa": None if enabled is None else False}
    root = f"arn:{context.account.partition}:iam::{context.account.id}:root"
    devices = context.pages("iam", "ListVirtualMFADevices", {"AssignmentStatus": "Assigned"})
    virtual = any(
        (device.get("User") or {}).get("Arn") == root
        for page in devices
        for device in page.get("VirtualMFADevices") or ()
    )
    return {"RootHardwareMfa": not virtual}


def organization(context: Context) -> Json:
    """Return the organisation the account is in, asked for once. Raises CallFailure."""

    def ask() -> Json:
        found: Json = context.call("organizations", "DescribeOrganization")["Organization"]
        return found

    return context.shared.once(("organizations", "DescribeOrganization"), ask)


def _membership(context: Context, _item: Json) -> Json:
    found = organization(context)
    return {
        "OrganizationId": found["Id"],
        "IsManagementAccount": found["MasterAccountId"] == context.account.id,
    }


def _support_plan(context: Context, _item: Json) -> Json:
    """Which severities may be chosen follows from the plan:
    https://docs.aws.amazon.com/awssupport/latest/user/case-management.html#choosing-severity
    """
    try:
        levels = context.call("support", "DescribeSeverityLevels")["severityLevels"]
    except CallFailure as failure:
        if failure.error != "SubscriptionRequiredException":
            raise
        return {"SupportPlan": "basic"}
    codes = {level.get("code") for level in levels}
    return {
        "SupportPlan": "enterprise"
        if "critical" in codes
        else "business"
        if "urgent" in codes
        else "developer"
    }


def _contact(kind: str) -> Step:
    return Step(
        "GetAlternateContact",
        "AlternateContact",
        {"AlternateContactType": kind},
        into=f"AlternateContacts.{kind}",
        none=("ResourceNotFoundException",),
        service="account",
    )


COLLECTORS = (
    Collector(
        "AWS::::Account",
        "iam",
        Step(""),
        id="{account}",
        rename={"account": "AccountId"},
        gives=("AccountId",),
        tags="",
        details=(
            Step(
                "GetAccountInformation",
                gives=("AccountName",),
                service="account",
                rename={"AccountId": ""},
                only_named=True,
            ),
            Step(
                "GetPublicAccessBlock",
                "PublicAccessBlockConfiguration",
                {"AccountId": "{account}"},
                into="PublicAccessBlockConfiguration",
                none=("NoSuchPublicAccessBlockConfiguration",),
                service="s3control",
            ),
            Step(
                "GetAccountPasswordPolicy",
                "PasswordPolicy",
                into="PasswordPolicy",
                none=("NoSuchEntity",),
            ),
            Step(
                "GetAccountSummary",
                "SummaryMap",
                into="AccountSummary",
                ask=lambda context, _item: _summary(context),
            ),
            Step(
                OPERATION,
                gives=("CredentialReport", "RootPasswordLastUsed", "RootAccessKeyLastUsed"),
                ask=_root,
                calls=CALLS,
                only_named=True,
            ),
            Step(
                "ListVirtualMFADevices",
                gives=("RootHardwareMfa",),
                ask=_root_device,
                calls=("iam:GetAccountSummary",),
            ),
            *(_contact(kind) for kind in ("SECURITY", "BILLING", "OPERATIONS")),
            Step(
                "GetContactInformation",
                "ContactInformation",
                into="ContactInformation",
                none=("ResourceNotFoundException",),
                service="account",
                only_named=True,
            ),
            Step(
                "DescribeOrganization",
                gives=("OrganizationId", "IsManagementAccount"),
                none=("AWSOrganizationsNotInUseException",),
                service="organizations",
                ask=_membership,
            ),
            Step(
                "GetSubscriptionState",
                "",
                into="ShieldSubscription",
                service="shield",
                shape=lambda result, _item: result if result.get("SubscriptionState") == "ACTIVE" else None,
                only_named=True,
            ),
            Step(
                "DescribeSeverityLevels",
                gives=("SupportPlan",),
                service="support",
                ask=_support_plan,
                only_named=True,
            ),
        ),
    ),
)
