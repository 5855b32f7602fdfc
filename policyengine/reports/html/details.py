"""What the page keeps of one finding beside its columns: a line of JSON that many findings share.

Text that names the finding's own resource is replaced by marks (:data:`MARKS`), so that the same thing said of a
thousand resources is kept once; ``report.js`` puts the names back. Marks are control characters, which text in the
page never holds (``reports.text.visible``).
"""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple

from policyengine.model.finding import PROPOSAL, Evidence, Finding
from policyengine.model.location import Location
from policyengine.model.resource import json_pointer
from policyengine.reports.base import SourceText
from policyengine.reports.frame import frame
from policyengine.reports.places import waiver_value
from policyengine.reports.text import cut, observed, show_value, visible

MARKS: Final = ("\x01", "\x02", "\x03", "\x04")
"""ARN, id, account and region of the resource."""
NAME_LIMIT: Final = 300
MESSAGE_LIMIT: Final = 600
VALUE_LIMIT: Final = 400
MAX_EVIDENCE: Final = 20
FRAME_WIDTH: Final = 160
_SHORT: Final = 3


def shown(text: str | None, limit: int = NAME_LIMIT) -> str:
    """Return text as the page shows it: one line, everything printable, not too long."""
    return visible(cut(text, limit)) if text else ""


class Names(NamedTuple):
    """What a resource is called, as shown."""

    arn: str
    id: str
    account: str
    region: str

    def marked(self, text: str) -> str:
        """Return ``text`` with the names replaced by marks; names that JSON would escape stay."""
        for name, mark in zip(self, MARKS, strict=True):
            if len(name) > _SHORT and name in text and '"' not in name and "\\" not in name:
                text = text.replace(name, mark)
        return text


def names_of(finding: Finding) -> Names:
    """Return the names of a finding's resource."""
    arn, account, region = (shown(text) for text in (finding.arn, finding.account, finding.region))
    return Names(arn, shown(finding.resource_id), account, region)


def message_of(finding: Finding) -> str:
    """Return the message as shown."""
    return shown(finding.message, MESSAGE_LIMIT)


def detail_of(finding: Finding, source: SourceText) -> dict[str, Any]:
    """Return what the page says of a FAIL or an UNKNOWN; keys that would be empty are left out.

    ``e``: (path, observed, expected) of each piece of evidence; ``more``: how many pieces are left out; ``p``: proposed
    statements; ``w``: principal, action, resource, context of the witness; ``b``: branch; ``v``: waiver; ``f``: lines of
    the frame as (number or null, text, whether it is a mark); ``c``: cause.
    """
    evidence = [_evidence(one) for one in finding.evidence[:MAX_EVIDENCE] if one.path[-1:] != (PROPOSAL,)]
    proposals = [shown(str(one.observed), 4_000) for one in finding.evidence if one.path[-1:] == (PROPOSAL,)]
    found: dict[str, Any] = {
        "e": evidence,
        "more": max(0, len(finding.evidence) - MAX_EVIDENCE),
        "p": proposals,
        "w": _witness(finding),
        "b": _branch(finding),
        "v": waiver_of(finding),
        "f": code_frame(finding.location, source),
        "c": "" if finding.cause is None or "#" in finding.cause else shown(finding.cause, 1_000),
    }
    return {key: value for key, value in found.items() if value}


def detail_line(detail: dict[str, Any]) -> str:
    """Return a detail as one line of JSON."""
    return json.dumps(detail, ensure_ascii=False, separators=(",", ":")) if detail else ""


def _evidence(evidence: Evidence) -> tuple[str, str, str]:
    path = shown(json_pointer(evidence.path))
    return path, observed(evidence, VALUE_LIMIT), shown(evidence.expected, VALUE_LIMIT)


def _witness(finding: Finding) -> list[Any] | None:
    witness = finding.witness
    if witness is None:
        return None
    context = [(shown(str(key)), show_value(value, VALUE_LIMIT)) for key, value in witness.context.items()]
    return [shown(witness.principal), shown(witness.action), shown(witness.resource), context]


def _branch(finding: Finding) -> list[tuple[str, bool]]:
    return [(shown(name), bool(value)) for name, value in sorted((finding.branch or {}).items())]


def waiver_of(finding: Finding) -> dict[str, str]:
    """Return the waiver of a finding as text, keys in the order of a reader's questions."""
    given = dict(finding.waiver or {})
    first = ("kind", "id", "owner", "approver", "reason", "ticket", "granted", "expires")
    keys = [*(key for key in first if key in given), *sorted(key for key in given if key not in first)]
    return {shown(key, 80): waiver_value(given, key, VALUE_LIMIT) for key in keys if given[key] is not None}


def code_frame(place: Location | None, source: SourceText) -> list[tuple[int | None, str, bool]]:
    """Return the offending lines, none where there is no text. Values that look like secrets are masked."""
    if place is None or place.line is None:
        return []
    lines = source.lines(place.file)
    if lines is None:
        return []
    return [(line.number, line.text, line.is_mark) for line in frame(lines, place, FRAME_WIDTH)]
