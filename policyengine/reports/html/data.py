"""The findings of the page as columns: one row a (resource, rule) pair, PASS and NOT_APPLICABLE too.

Rows stand in the order in which findings came. What is said of every row is a number: rule, status, severity,
reason. What is said of a FAIL or an UNKNOWN only (message, detail, place) has columns with one entry for each of
those rows. A resource is said once, with how many rows follow it.

The finding's id is SHA-256 over rule and identity (``model.finding``), 16 bytes that no compression makes smaller,
so the page computes it; an id that does not come out right from what is shown is kept as text.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from policyengine.model.finding import Finding, finding_id, identity_key
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, SEVERITIES, UNKNOWN
from policyengine.reports.base import SourceText
from policyengine.reports.html.columns import Numbers, Packed, Texts, Words
from policyengine.reports.html.details import Names, detail_line, detail_of, message_of, names_of, shown
from policyengine.reports.tally import is_accepted

OPEN, UNDETERMINED, WAIVED, PASSED, EXCLUDED = range(5)
"""Status of a row, worst first: FAIL, UNKNOWN, a FAIL that a waiver accepts, PASS, NOT_APPLICABLE."""
_STATUS: Final = {FAIL: OPEN, UNKNOWN: UNDETERMINED, PASS: PASSED, NOT_APPLICABLE: EXCLUDED}
_SEVERITY: Final = {name: rank for rank, name in enumerate(reversed(SEVERITIES))}


def status_of(finding: Finding) -> int:
    """Return the status of a finding; what is in the baseline was accepted by nobody, so it fails."""
    return WAIVED if finding.verdict == FAIL and is_accepted(finding.waiver) else _STATUS[finding.verdict]


class Ids:
    """Numbers for names, in the order in which they came."""

    def __init__(self) -> None:
        self.names: dict[str, int] = {}

    def number(self, name: str) -> int:
        """Return the number of a name."""
        return self.names.setdefault(name, len(self.names))


class Data:
    """All columns."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self.rules, self.reasons = Ids(), Ids()
        self.rows = 0
        self._identity: tuple[str, ...] | None = None
        self._names = Names("", "", "", "")
        self._key = b""
        self._following = 0
        self.numbers = {name: Numbers() for name in ("following", "rule", "status", "severity", "reason", "line",
                                                     "column")}  # fmt: skip
        self.words = {name: Words() for name in ("type", "account", "region", "arn", "construct", "code",
                                                 "message", "detail", "file")}  # fmt: skip
        self.texts = {name: Texts() for name in ("name", "id")}

    def add(self, finding: Finding) -> None:
        """Take the next finding."""
        if finding.identity != self._identity:
            self._resource(finding)
        self._following += 1
        status = status_of(finding)
        numbers = self.numbers
        numbers["rule"].add(self.rules.number(finding.rule))
        numbers["status"].add(status)
        numbers["severity"].add(_SEVERITY[finding.severity])
        numbers["reason"].add(self.reasons.number(finding.reason))
        if finding_id(finding.rule, self._key) != finding.id:
            self.texts["id"].add(f"{self.rows} {shown(finding.id)}")
        if status <= WAIVED:
            self._told(finding)
        self.rows += 1

    def _resource(self, finding: Finding) -> None:
        self._end_resource()
        self._identity = finding.identity
        self._names = names = names_of(finding)
        account, file, kind, _ = finding.identity
        # code is known by its file: ("", file, "", id)
        code = shown(file) if not account and not kind else ""
        words = self.words
        kind = shown(finding.resource_type)
        words["type"].add(kind)
        words["account"].add(names.account)
        words["region"].add(names.region)
        words["arn"].add(Names("", *names[1:]).marked(names.arn))
        words["construct"].add(shown(finding.construct_path))
        words["code"].add(code)
        self.texts["name"].add(names.id)
        identity = ("", code, "", names.id) if code else (names.account, names.region, kind, names.id)
        self._key = identity_key(identity)

    def _end_resource(self) -> None:
        if self._identity is not None:
            self.numbers["following"].add(self._following)
        self._following = 0

    def _told(self, finding: Finding) -> None:
        place = finding.location
        self.words["message"].add(self._names.marked(message_of(finding)))
        self.words["detail"].add(self._names.marked(detail_line(detail_of(finding, self._source))))
        self.words["file"].add(shown(place.file) if place is not None else "")
        self.numbers["line"].add((place.line or 0) if place is not None else 0)
        self.numbers["column"].add((place.column or 0) if place is not None else 0)

    def columns(self) -> Iterator[tuple[str, Packed]]:
        """Yield every column with its name; nothing can be added afterwards."""
        self._end_resource()
        self._identity = None
        yield from self.numbers.items()
        yield from self.texts.items()
        for name, words in self.words.items():
            yield f"{name}-lines", words.lines
            yield f"{name}-uses", words.uses


def json_column(value: Any) -> Packed:
    """Return a column that holds one JSON document."""
    packed = Packed()
    packed.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))
    return packed
