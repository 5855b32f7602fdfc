"""What was looked up, counted: by service, day, source and domain; and which VPCs logged anything.

Memory is bounded whatever the log holds: by the services on the list, and by counters that go to disk.
"""

from __future__ import annotations

from typing import Any, BinaryIO, Final

from policyengine.shadow_ai.catalogue import Catalogue
from policyengine.shadow_ai.counting import LIMIT, Counted
from policyengine.shadow_ai.flows import address_of
from policyengine.shadow_ai.matching import Match, Matcher, matcher_of
from policyengine.shadow_ai.problems import Problems, Wrong
from policyengine.shadow_ai.reading import MAX_VALUE, READ_ERRORS, read_problem, values
from policyengine.shadow_ai.records import (
    BadRecordError,
    Moments,
    Source,
    answers_of,
    envelopes,
    identifier,
    kind_of,
    name_of,
    seconds,
    source_of,
)

WINDOW: Final = 3600
"""Seconds after a lookup in which a connection to an answer is taken for the service's. The log has no TTL; clients keep
addresses for as long as minutes to hours (docs/shadow-ai.md)."""
KINDS: Final = ("query", "blocked", "failed", "other")
_NUMBERS: Final = {kind: tuple(int(kind == each) for each in KINDS) for kind in KINDS}
_HELD: Final = 10_000


class Tally:
    """Counts records. ``want_answers`` keeps the addresses that answered, for joining flow logs."""

    def __init__(
        self, catalogue: Catalogue, *, want_answers: bool = False, window: int = WINDOW, limit: int = LIMIT
    ) -> None:
        self.catalogue = catalogue
        self.window = window
        self.matcher: Matcher = matcher_of(catalogue)
        self.problems = Problems()
        self.records = 0
        self.first: str | None = None
        self.last: str | None = None
        self.sources = Counted(7, len(KINDS), limit)
        """service, then account, region, VPC, address, instance, endpoint: the kinds."""
        self.days = Counted(2, len(KINDS), limit)
        self.domains = Counted(2, len(KINDS) + 1, limit)
        """service, domain: the kinds, and how many of them came to it by an alias (a CNAME of another name)."""
        self.vpcs = Counted(3, 1, limit)
        self.answers = Counted(5, 1, limit) if want_answers else None
        """source address, answered address, service, VPC and account, slot of time: when it was asked for."""
        self._moments = Moments()
        self._held: dict[tuple[Any, Any, Any], list[Any]] = {}

    def read(self, stream: BinaryIO, name: str) -> None:
        """Count what a log file holds; what is wrong with it is added to ``problems``."""
        wrong = self.problems.of(name)
        try:
            for line, value in values(stream, wrong, MAX_VALUE):
                self._value(line, value, wrong)
        except READ_ERRORS as problem:
            self.problems.add_error(read_problem(problem, name))

    def _value(self, line: int, value: Any, wrong: Wrong) -> None:
        try:
            if value.__class__ is dict and "query_name" in value:
                self.add(value)
                return
            for record in envelopes(value):
                try:
                    self.add(record)
                except BadRecordError as problem:
                    wrong(line, str(problem))
        except BadRecordError as problem:
            wrong(line, str(problem))

    def add(self, record: dict[str, Any]) -> None:
        """Count one record. Raises BadRecordError."""
        name = name_of(record)
        moment = self._moments(record.get("query_timestamp"))
        match = self.matcher.find(name)
        aliased = False
        if match is None and record.get("answers"):
            match = self._by_alias(record)
            aliased = match is not None
        if match is not None:
            self._add_match(record, match, moment, aliased)
        self._seen(record, moment)

    def _by_alias(self, record: dict[str, Any]) -> Match | None:
        """Asked of nearly every line, so it looks for what is rare before it looks closely."""
        answers = record["answers"]
        if answers.__class__ is list:
            for answer in answers:
                if answer.__class__ is dict and answer.get("Type") == "CNAME":
                    break
            else:
                return None
        for target in answers_of(record, "CNAME"):
            found = self.matcher.find(target)
            if found is not None:
                return found
        return None

    def _seen(self, record: dict[str, Any], moment: str) -> None:
        """Count a record for its VPC; the counter is asked rarely, because this is done for every line."""
        key = (record.get("account_id"), record.get("region"), record.get("vpc_id"))
        try:
            held = self._held.get(key)
        except TypeError:
            raise BadRecordError("`account_id`, `region` or `vpc_id` is no text") from None
        if held is None:
            names = ("account_id", "region", "vpc_id")
            for value, what in zip(key, names, strict=True):
                identifier(value, what)
            if len(self._held) >= _HELD:
                self._settle()
            self._held[key] = [1, moment, moment]
        else:
            held[0] += 1
            if moment < held[1]:
                held[1] = moment
            if moment > held[2]:
                held[2] = moment
        self.records += 1
        if self.first is None or moment < self.first:
            self.first = moment
        if self.last is None or moment > self.last:
            self.last = moment

    def _settle(self) -> None:
        for key, (count, first, last) in self._held.items():
            self.vpcs.add(tuple(part or "" for part in key), (count,), first, last)
        self._held.clear()

    def _add_match(self, record: dict[str, Any], match: Match, moment: str, aliased: bool) -> None:
        source = source_of(record)
        at = seconds(moment)
        kind = kind_of(record)
        numbers = _NUMBERS[kind]
        service = match.service.id
        self.sources.add((service, *source), numbers, moment, moment)
        self.days.add((service, moment[:10]), numbers, moment, moment)
        self.domains.add((service, match.domain.pattern), (*numbers, int(aliased)), moment, moment)
        if self.answers is not None and kind == "query":
            self._add_answers(record, source, service, at)

    def _add_answers(self, record: dict[str, Any], source: Source, service: str, at: int) -> None:
        assert self.answers is not None
        asked_from = address_of(source.address)
        if asked_from is None:
            return
        scope, slot = f"{source.vpc} {source.account}", at // self.window
        for text in answers_of(record, "A", "AAAA"):
            address = address_of(text)
            if address is not None:
                # two lookups in one slot are less than a window apart: their windows are one
                self.answers.add((asked_from, address, service, scope, slot), (1,), at, at)

    def finish(self) -> None:
        """Settle what is held back; to be called when everything was read."""
        self._settle()

    def close(self) -> None:
        """Let go of what is on disk."""
        for counter in (self.sources, self.days, self.domains, self.vpcs, self.answers):
            if counter is not None:
                counter.close()
