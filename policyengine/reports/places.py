"""How reports name a resource and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from policyengine.model.finding import Finding
from policyengine.model.location import Location
from policyengine.reports.base import is_unknown
from policyengine.reports.text import cut, show_value, visible

MAX_NAME = 200
UNDETERMINED = "not determined: "


def place(finding: Finding) -> str:
    """Return ``file:line:column``, or ``account/region`` for a resource that is in no file."""
    if finding.location is not None:
        return visible(str(finding.location))
    where = "/".join(p for p in (finding.account, finding.region) if p)
    return visible(where or "unknown account")


def in_place(waiver: Mapping[str, Any] | None) -> Location | None:
    """Return where code refers to the waiver that a finding carries; None where it does not."""
    at = None if waiver is None else waiver.get("in_place")
    file = at.get("file") if isinstance(at, Mapping) else None
    if not isinstance(at, Mapping) or not isinstance(file, str):
        return None
    line, column = (at.get(name) if isinstance(at.get(name), int) else None for name in ("line", "column"))
    return Location(file, line, column)


def waiver_value(waiver: Mapping[str, Any], key: str, limit: int) -> str:
    """Return what a waiver says of something, on one line: a place as places are told."""
    at = in_place(waiver) if key == "in_place" else None
    return visible(cut(str(at), limit)) if at is not None else show_value(waiver[key], limit)


def resource_name(finding: Finding, limit: int = 120) -> str:
    """Return e.g. ``AWS::S3::Bucket logs``, and the CDK construct it comes from."""
    name = f"{visible(finding.resource_type)} {cut(visible(finding.resource_id), limit)}"
    return f"{name} ({cut(visible(finding.construct_path), limit)})" if finding.construct_path else name


def told(finding: Finding, limit: int) -> str:
    """Return the message; what could not be determined begins by saying so, once."""
    message = visible(cut(finding.message.removeprefix(UNDETERMINED), limit))
    return f"{UNDETERMINED}{message}" if is_unknown(finding) else message


def relative_path(finding: Finding) -> str:
    """Return a relative path for formats that insist on a file.

    A resource without a file gets ``aws/ACCOUNT/REGION/TYPE/ID``, each part percent-encoded, which
    is stable over runs and cannot leave the folder ``aws``.
    """
    if finding.location is not None:
        return finding.location.file
    parts = (
        finding.account or "unknown-account",
        finding.region or "global",
        finding.resource_type.replace("::", "."),
        _short(finding),
    )
    return "/".join(["aws", *(_segment(part) for part in parts)])


def _short(finding: Finding) -> str:
    """The resource's id; a long one is cut and told from others by the finding id."""
    name = finding.resource_id
    return name if len(name) <= MAX_NAME else f"{name[: MAX_NAME - 20]}~{finding.id[:12]}"


def _segment(text: str) -> str:
    encoded = quote(text.encode("utf-8", "replace"), safe="@:+=,")
    return encoded if encoded.strip(".") else f"_{encoded}"


def line_of(finding: Finding) -> int:
    """Return the 1-based line, 1 where there is none."""
    return (finding.location.line if finding.location else None) or 1
