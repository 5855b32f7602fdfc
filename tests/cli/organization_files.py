"""A small organisation as a snapshot file, for tests of `policyengine iam`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

MANAGEMENT, SHOP, LAB = "111111111111", "222222222222", "333333333333"
ROOT, OU = "r-abcd", "ou-abcd-11111111"
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def deny(action: Any, condition: Any = None, **more: Any) -> dict[str, Any]:
    """Return a document with one Deny."""
    statement = {"Effect": "Deny", "Action": action, "Resource": "*", **more}
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


def record(type_: str, id_: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return one line of the snapshot."""
    return {
        "type": f"AWS::Organizations::{type_}",
        "id": id_,
        "account": MANAGEMENT,
        "region": "global",
        "properties": properties,
    }


def organization(
    policies: Mapping[str, tuple[Any, Sequence[str]]],
    enabled: bool = True,
    kind: str = "SERVICE_CONTROL_POLICY",
) -> list[dict[str, Any]]:
    """Return the lines of root → OU → LAB, root → SHOP; ``policies``: id → (content, targets)."""
    status = "ENABLED" if enabled else "DISABLED"
    types = [{"Type": kind, "Status": status}]
    about = {"Id": "o-abcdefghij", "ManagementAccountId": MANAGEMENT, "RootId": ROOT, "PolicyTypes": types}
    lines = [
        record("Organization", "o-abcdefghij", about),
        record("OrganizationalUnit", OU, {"Id": OU, "Name": "lab", "ParentId": ROOT}),
    ]
    for account, parent in ((MANAGEMENT, ROOT), (SHOP, ROOT), (LAB, OU)):
        lines.append(record("Account", account, {"AccountId": account, "ParentIds": [parent]}))
    everywhere = [ROOT, OU, MANAGEMENT, SHOP, LAB]
    full = {"Name": "FullAWSAccess", "Type": "SERVICE_CONTROL_POLICY", "TargetIds": everywhere}
    lines.append(record("Policy", "p-FullAWSAccess", {**full, "Content": ALL}))
    for id_, (content, targets) in policies.items():
        properties = {"Name": id_, "Type": kind, "Content": content, "TargetIds": list(targets)}
        lines.append(record("Policy", id_, properties))
    return lines


def write(path: Path, lines: Sequence[Mapping[str, Any]]) -> Path:
    """Write a snapshot of one file."""
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path
