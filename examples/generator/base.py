"""The organisation's skeleton and the builder every module adds resources with."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policyengine.catalog import registry

NOW = "2026-11-21T09:00:00Z"
REGIONS = ("eu-west-1", "us-east-1")
ROOT = "r-ex01"
ORGANIZATION = "o-exampleorg1"
OUS = {"Security": "ou-ex01-security", "Workloads": "ou-ex01-workload", "Sandbox": "ou-ex01-sandbox0"}

Properties = dict[str, Any]


@dataclass(frozen=True)
class Account:
    """``care`` is the share of resources that are configured as they should be."""

    id: str
    name: str
    ou: str | None
    environment: str
    care: float
    workload: bool = True


MANAGEMENT = Account("100000000001", "management", None, "prod", 0.95, workload=False)
LOG_ARCHIVE = Account("100000000002", "log-archive", "Security", "prod", 0.97, workload=False)
PAYMENTS = Account("100000000003", "payments", "Workloads", "prod", 0.93)
WEB = Account("100000000004", "web", "Workloads", "prod", 0.8)
ANALYTICS = Account("100000000005", "analytics", "Workloads", "prod", 0.75)
SANDBOX = Account("100000000006", "sandbox", "Sandbox", "dev", 0.45)
ACCOUNTS = (MANAGEMENT, LOG_ARCHIVE, PAYMENTS, WEB, ANALYTICS, SANDBOX)

COST_CENTERS = {
    "management": "cc-100", "log-archive": "cc-110", "payments": "cc-210",
    "web": "cc-220", "analytics": "cc-230", "sandbox": "cc-900",
}  # fmt: skip


@dataclass
class Builder:
    """Collects the lines of the snapshot; every random choice comes from one seeded generator."""

    rng: random.Random
    records: list[dict[str, Any]] = field(default_factory=list)

    def add(
        self,
        account: Account,
        region: str,
        type: str,
        id: str,
        properties: Properties,
        *,
        arn: str | None = None,
        tags: Mapping[str, str] | None = None,
        related: Mapping[str, list[Any]] | None = None,
        unknown: list[dict[str, str]] | None = None,
    ) -> str:
        """Add one resource and return its id; taggable types get the account's usual tags."""
        record: dict[str, Any] = {"type": type, "id": id, "account": account.id, "region": region}
        if arn is not None:
            record["arn"] = arn
        if tags is not None or registry.taggable(type):
            record["tags"] = dict(tags) if tags is not None else self.tags(account)
        record["properties"] = properties
        if related:
            record["related"] = dict(related)
        if unknown:
            record["unknown"] = unknown
        record["collected_at"] = NOW
        self.records.append(record)
        return id

    def good(self, account: Account) -> bool:
        """Decide whether the next thing of this account is configured with care."""
        return self.rng.random() < account.care

    def tags(self, account: Account, **more: str) -> dict[str, str]:
        """Return mandatory tags, now and then with one of the mistakes people make."""
        found = {
            "CostCenter": COST_CENTERS[account.name],
            "Environment": account.environment,
            "Owner": f"{account.name}-team",
            "Project": account.name,
        }
        if not self.good(account):
            mistake = self.rng.randrange(5)
            if mistake == 0:
                del found["Owner"]
            elif mistake == 1:
                found["Cost-Center"] = found.pop("CostCenter")
            elif mistake == 2:
                found["Owner"] = "TBD"
            elif mistake == 3:
                found["Environment"] = "Production"
            else:
                found = {"Name": "test"}
        return {**found, **more}


def hex_id(prefix: str, *parts: object) -> str:
    """Return an id as EC2 makes them, the same for the same parts."""
    return f"{prefix}-0{hashlib.sha256('/'.join(map(str, parts)).encode()).hexdigest()[:16]}"


def uuid_id(*parts: object) -> str:
    """Return an id as KMS makes them, the same for the same parts."""
    digits = hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def arn_of(service: str, region: str, account: Account, rest: str) -> str:
    """Return an ARN in the ``aws`` partition; ``global`` has no region."""
    return f"arn:aws:{service}:{'' if region == 'global' else region}:{account.id}:{rest}"


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a policy document with one Allow statement."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def denied(path: str, operation: str) -> dict[str, str]:
    """Return an ``unknown`` entry for a call that was denied."""
    return {"path": path, "reason": "access_denied", "detail": f"{operation} denied"}


def throttled(path: str, operation: str) -> dict[str, str]:
    """Return an ``unknown`` entry for a call that was throttled to the end."""
    return {"path": path, "reason": "throttled", "detail": f"{operation} throttled after 5 tries"}


def key_arn(account: Account, region: str, use: str) -> str:
    """Return the ARN of an account's key for one use."""
    return arn_of("kms", region, account, f"key/{uuid_id(account.id, region, use)}")
