"""Which regions an account has: what EC2 lists, disabled ones included, as evidence of what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from policyengine.aws.failures import CallFailure

if TYPE_CHECKING:
    from policyengine.aws.account import Account

HOME: Final = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""Partition -> the region its global endpoints are in, which is always enabled
(https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-regions.html), and where its global services live:
CloudFront, Shield Advanced and Route 53 are described at
https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/global-services.html; the other
partitions have their own IAM control plane (same page)."""
_ENABLED: Final = frozenset({"opt-in-not-required", "opted-in"})


class Region(NamedTuple):
    """``status`` is AWS's opt-in status: ``opt-in-not-required``, ``opted-in`` or ``not-opted-in``."""

    name: str
    status: str

    @property
    def enabled(self) -> bool:
        """Whether the account can use it."""
        return self.status in _ENABLED


def regions_of(account: Account) -> list[Region]:
    """Return every region of the partition with its status, by name. Raises CallFailure.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
    """
    home = HOME.get(account.partition, HOME["aws"])
    answer = account.call("ec2", "DescribeRegions", {"AllRegions": True}, home)
    found = [Region(r["RegionName"], r.get("OptInStatus", "")) for r in answer.get("Regions", ())]
    if not found:
        raise CallFailure(
            "ec2:DescribeRegions", "read_error", "MalformedAnswer", "no region", account.id, home
        )
    return sorted(found)
