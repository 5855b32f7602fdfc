"""Predicate about engine versions and runtimes: are they still in AWS's standard support?

The dates are ``data/lifecycle.json``: one table for each service, or for each engine of a service,
with the AWS page and the day up to which the page is known to say so. A version that is in no
table is UNKNOWN; the table is never guessed from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.values import ABSENT, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.paths import Mistyped, read

_DATA: Final = Path(__file__).with_name("data") / "lifecycle.json"
Field = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Support:
    """Standard support ends on ``end`` (None: no end announced), paid support on ``extended``."""

    end: date | None
    extended: date | None


@dataclass(frozen=True, slots=True)
class Table:
    """The versions of one engine. ``exact`` says that names match whole, not up to a dot."""

    page: str
    as_of: date
    exact: bool
    versions: Mapping[str, Support]

    def find(self, version: str) -> tuple[str, Support] | None:
        """Return the entry for a version: the longest name that is it or its first parts."""
        parts = version.strip().split(".")
        lengths = [len(parts)] if self.exact else range(len(parts), 0, -1)
        for length in lengths:
            name = ".".join(parts[:length])
            if name in self.versions:
                return name, self.versions[name]
        return None

    @property
    def provenance(self) -> str:
        """Return the page and its date, as evidence shows them."""
        return f"{self.page} as of {self.as_of.isoformat()}"


@cache
def tables() -> Mapping[str, Mapping[str, Table]]:
    """Return service -> engine -> table; the engine is ``""`` where a service has only one."""
    data = json.loads(_DATA.read_bytes())
    return {
        service: {engine: _table(form) for engine, form in engines.items()}
        for service, engines in data["tables"].items()
    }


def _table(form: Mapping[str, Any]) -> Table:
    versions = {
        name: Support(_day(v["end"]), _day(v.get("extended"))) for name, v in form["versions"].items()
    }
    return Table(form["page"], date.fromisoformat(form["as_of"]), form["match"] == "exact", versions)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def supported(subject: Subject, *, table: str, field: Field, engine_field: Field | None) -> Answer:
    """TRUE when standard support of the version at ``field`` ends after the run's clock.

    Without the property AWS chooses a version, so that the answer is UNKNOWN.
    """
    engines = tables().get(table)
    if engines is None:
        known = ", ".join(sorted(tables()))
        return Answer(UNKNOWN, (Evidence(field, table, f"a table that exists: {known}", "version_unlisted"),))
    chosen = _choose(subject, table, engines, engine_field)
    if isinstance(chosen, Answer):
        return chosen
    value = read(subject, field)
    unclear = _unclear(value, field, f"a version of {table} in AWS's standard support")
    return unclear or _judge(str(value), field, chosen, subject.now)


def _choose(
    subject: Subject, table: str, engines: Mapping[str, Table], engine_field: Field | None
) -> Table | Answer:
    """Return the table of the resource's engine."""
    if engine_field is None:
        if "" in engines:
            return engines[""]
        expected = f"`engine_field`, because {table} has the engines {', '.join(engines)}"
        return Answer(UNKNOWN, (Evidence((), ABSENT, expected, "version_unlisted"),))
    value = read(subject, engine_field)
    expected = f"one of the engines {', '.join(e for e in engines if e)}"
    unclear = _unclear(value, engine_field, expected)
    if unclear is not None:
        return unclear
    found = engines.get(str(value).lower(), engines.get(""))
    return found or Answer(UNKNOWN, (Evidence(engine_field, value, expected, "version_unlisted"),))


def _unclear(value: Any, field: Field, expected: str) -> Answer | None:
    """Return the answer for what is no version: absent, unresolved, or a number that lost its zero."""
    if value is ABSENT:
        default = Unresolved("default_depends", "AWS chooses the version when none is given")
        return Answer(UNKNOWN, (Evidence(field, default, expected, default.reason),))
    if isinstance(value, Unresolved):
        return Answer(UNKNOWN, (Evidence(field, value, expected, value.reason),))
    if isinstance(value, bool) or not isinstance(value, str | int):
        observed = value.value if isinstance(value, Mistyped) else value
        return Answer(UNKNOWN, (Evidence(field, observed, expected + ", as text", "wrong_type"),))
    return None


def _judge(version: str, field: Field, table: Table, now: datetime) -> Answer:
    found = table.find(version)
    if found is None:
        expected = "a version in the table of support dates"
        return Answer(UNKNOWN, (Evidence(field, version, expected, "version_unlisted", table.provenance),))
    name, support = found
    today = now.astimezone(UTC).date()
    if support.end is None or support.end > today:
        end = f"until {support.end.isoformat()}" if support.end else "with no end announced"
        expected = f"a version in standard support; {name} is, {end}"
        return Answer(TRUE, (Evidence(field, version, expected, "requirement_met", table.provenance),))
    expected = f"a version in standard support, which ended for {name} on {support.end.isoformat()}"
    if support.extended is not None:
        verb = "runs until" if support.extended > today else "ended on"
        expected += f"; paid extended support {verb} {support.extended.isoformat()}"
    return Answer(FALSE, (Evidence(field, version, expected, "version_unsupported", table.provenance),))


PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "lifecycle.supported",
        supported,
        "The runtime or engine version is in AWS's standard support.",
        {
            "table": Arg(
                "string", help="lambda-runtimes, rds, eks, opensearch, elasticsearch, elasticache, msk, …"
            ),
            "field": Arg("path", help="the property that holds the version"),
            "engine_field": Arg(
                "path", False, None, "the property that holds the engine, where a table has several"
            ),
        },
        reads=(),
    ),
)
