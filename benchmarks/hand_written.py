"""What a programmer would write instead of the three rules: plain functions, plain dictionaries.

They know nothing of unknown values, defaults, IPv6, address ranges that together are the internet,
branches, parameters or places, so this is the floor, not a peer.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from benchmarks.memory_data import VOLUME, Record

Found = dict[str, Any]


def encrypted(record: Record, passing: bool) -> Found | None:
    """Whether a volume is encrypted."""
    observed = record["properties"].get("Encrypted")
    if observed is True and not passing:
        return None
    return _finding("encrypted", "high", observed is True, record, "/Encrypted", observed, "true")


def tag_present(record: Record, passing: bool) -> Found | None:
    """Whether the tag ``Owner`` is there."""
    observed = record["tags"].get("Owner")
    if observed and not passing:
        return None
    return _finding("tag-present", "low", bool(observed), record, "/Tags/Owner", observed, "present")


def ssh_closed(record: Record, passing: bool) -> Found | None:
    """Whether no entry opens port 22 to everybody."""
    for index, entry in enumerate(record["properties"].get("SecurityGroupIngress", ())):
        if (
            entry.get("CidrIp") in ("0.0.0.0/0", "::/0")
            and entry.get("IpProtocol") in ("tcp", "-1")
            and entry.get("FromPort", 0) <= 22 <= entry.get("ToPort", 65535)
        ):
            path = f"/SecurityGroupIngress/{index}"
            return _finding("ssh-closed", "critical", False, record, path, entry["CidrIp"], "no internet")
    if not passing:
        return None
    return _finding("ssh-closed", "critical", True, record, "/SecurityGroupIngress", None, "no internet")


def _finding(
    rule: str, severity: str, ok: bool, record: Record, path: str, observed: Any, expected: str
) -> Found:
    return {
        "id": f"{rule}:{record['account']}:{record['region']}:{record['id']}",
        "rule": rule,
        "severity": severity,
        "verdict": "PASS" if ok else "FAIL",
        "message": f"{rule}: found {observed}, expected {expected}",
        "resource": {
            "type": record["type"],
            "id": record["id"],
            "account": record["account"],
            "region": record["region"],
        },
        "evidence": [{"path": path, "observed": observed, "expected": expected}],
    }


def evaluate(records: list[Record], *, passing: bool) -> Iterator[Found]:
    """Yield the findings of the three functions; those of passing resources only when asked for."""
    for record in records:
        special = encrypted if record["type"] == VOLUME else ssh_closed
        for function in (special, tag_present):
            found = function(record, passing)
            if found is not None:
                yield found
