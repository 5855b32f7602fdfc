"""Reading one log group."""

from __future__ import annotations

from typing import Any, Final

from policyengine.remediate.api import Reader, Refused

Json = dict[str, Any]


def log_group(read: Reader, name: str) -> Json:
    """Return a log group as DescribeLogGroups answers, which only lists by prefix. Raises Refused."""
    groups = read.all("logs", "DescribeLogGroups", {"logGroupNamePrefix": name}, result="logGroups")
    found = [group for group in groups if group["logGroupName"] == name]
    if not found:
        raise Refused("not_failing", f"there is no log group {name}")
    group: Json = found[0]
    return group


DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""Retentions there are:
https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html"""


def retention_wanted(days: int, policy: str | None) -> int:
    """Return the retention to set. Raises Refused for one there is not, and where an account policy decides instead.

    "Account-level retention policies created with PutAccountPolicy override the retention that you set with
    PutRetentionPolicy" (same page).
    """
    if policy:
        raise Refused("unsupported", f"the account's retention policy {policy} decides: change that one")
    if days not in DAYS:
        known = ", ".join(map(str, DAYS))
        raise Refused("unsupported", f"CloudWatch Logs has no retention of {days} days; it has {known}")
    return days
