"""What SARIF says of failures that somebody accepted: ``suppressions`` (SARIF 2.1.0, 3.27.23 and 3.35).

``inSource`` where code refers to the waiver, ``external`` where only ``waivers.yaml`` has it. What is in a baseline is
``underReview``: nobody has accepted it, and a result with such a suppression counts as not suppressed.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from policyengine.model.finding import Finding
from policyengine.reports.jsontext import cleaned_text
from policyengine.reports.places import in_place
from policyengine.reports.tally import is_debt
from policyengine.reports.text import cut, visible

JUSTIFICATION_LIMIT = 2_000


def suppressions(finding: Finding) -> list[dict[str, Any]]:
    """Return the suppressions of a FAIL that a waiver or the baseline is about."""
    waiver = dict(finding.waiver or {})
    if is_debt(finding):
        text = f"in the baseline {waiver.get('id')} since {waiver.get('granted')}; nobody has accepted it"
        return [{"kind": "external", "status": "underReview", "justification": _said(text)}]
    text = (
        f"{waiver.get('reason')} (waiver {waiver.get('id')}, approved by {waiver.get('approver')}, owned by "
        f"{waiver.get('owner')}, ticket {waiver.get('ticket')}, until {waiver.get('expires')})"
    )
    at = in_place(waiver)
    found: dict[str, Any] = {
        "kind": "external" if at is None else "inSource", "status": "accepted", "justification": _said(text),
    }  # fmt: skip
    if at is not None:
        file = artifact_of(at.file)
        region = {"startLine": at.line or 1, **({"startColumn": at.column} if at.column else {})}
        found["location"] = {"physicalLocation": {"artifactLocation": file, "region": region}}
    return [found]


def artifact_of(file: str) -> dict[str, str]:
    """Return the artifactLocation of a file: a relative URI under ``%SRCROOT%``, or an absolute file URI."""
    path = cleaned_text(file).removeprefix("./")
    encoded = quote(path, safe="/@+=,~")
    if path.startswith("/"):
        return {"uri": f"file://{encoded}"}
    return {"uri": encoded or "unknown", "uriBaseId": "%SRCROOT%"}


def _said(text: str) -> str:
    return visible(cut(text, JUSTIFICATION_LIMIT))
