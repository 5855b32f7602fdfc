"""The population behind each control: a CSV file for every distinct set of rules, and which control uses which.

One row a resource that at least one rule of the set was asked about, one column a rule, so an auditor can count for
herself: the numbers of verdicts in the columns of the rules add up to the control's. Above the table stands a block of
(name, value) rows with the count of resources and verdicts, then an empty line. ``index.json`` says all of it for
programs, ``header_rows`` how many rows to skip.

Cells are safe to open in a spreadsheet (:mod:`policyengine.reports.csv_report`), RFC 4180, UTF-8, CRLF.

INVARIANT: memory does not grow with the number of resources. Rows wait in one temporary file until their counts are
known: each set keeps a buffer and the places of its blocks in that file.
"""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final

from policyengine.model.reasons import FAIL, LETTERS, NOT_APPLICABLE, PASS, UNKNOWN, VERDICT_OF, VERDICTS
from policyengine.reports.controls import MappedRule
from policyengine.reports.csv_report import cell
from policyengine.reports.extras import FrameworkInfo

SCHEMA: Final = "policyengine/population/v1"
COLUMNS: Final = ("account", "region", "type", "id", "arn", "verdict", "waivers")
"""Columns before those of the rules. ``verdict`` is the worst of the row: FAIL, UNKNOWN, PASS, NOT_APPLICABLE;
``waivers`` are ``rule=id of the waiver`` for accepted FAILs, which stay FAIL."""

Control = tuple[str, str]
"""Framework id and control id."""
OpenMember = Callable[[str], AbstractContextManager[IO[bytes]]]
"""Opens the member of a name for writing; each is opened once, written from front to back and closed."""

_BUFFER: Final = 128 * 1024
_KEPT: Final = 20_000
_CHUNK: Final = 1 << 20
_WORST: Final = (FAIL, UNKNOWN, PASS, NOT_APPLICABLE)
# nothing in such a text has to be spelt out or could be a formula: `cell` returns it as it is
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/\-]{0,2000}")
_SLUG: Final = re.compile(r"[^a-z0-9.]+")

_Vector = tuple[tuple[str, ...], str, tuple[tuple[str, str], ...]]
"""Rules that were asked, a letter each, and (rule, waiver id) of those that are waived."""


def rules_by_control(
    frameworks: Iterable[FrameworkInfo], rules: Mapping[str, MappedRule]
) -> dict[Control, list[str]]:
    """Return the rules of every control, in the order of the frameworks' files; ``rules`` are those that were asked.

    A control that rules name and its framework lacks comes after those of the framework.
    """
    found: dict[Control, list[str]] = {}
    for framework in frameworks:
        mapped: dict[str, list[str]] = {control: [] for control in framework.controls}
        for rule in sorted(rules):
            for control, _ in rules[rule].frameworks.get(framework.id, ()):
                mapped.setdefault(control, []).append(rule)
        found.update({(framework.id, control): ids for control, ids in mapped.items()})
    return found


class PopulationWriter:
    """Takes the resources of a run one by one and writes the files in the end; used as a context manager.

    ``mapping``: control -> ids of its rules; its order is that of the index. ``about``: more rows of the block above each
    table (the run's id, its time, the population root). ``folder``: where the temporary file lies, which grows as large as
    all files together (default: the system's). Each resource must be given once.
    """

    def __init__(
        self,
        mapping: Mapping[Control, Sequence[str]],
        open_member: OpenMember,
        about: Mapping[str, str] | None = None,
        folder: Path | None = None,
    ) -> None:
        self._folder = folder
        self._mapping = {control: tuple(sorted(set(rules))) for control, rules in mapping.items()}
        self._open = open_member
        self._about = dict(about or {})
        self._sets: dict[tuple[str, ...], _Set] = {}
        for control, rules in self._mapping.items():
            if rules:
                self._sets.setdefault(rules, _Set(len(self._sets) + 1, rules)).controls.append(control)
        self._of_rule: dict[str, list[_Set]] = {}
        for found in self._sets.values():
            for rule in found.rules:
                self._of_rule.setdefault(rule, []).append(found)
        self._tails: dict[_Vector, list[tuple[_Set, bytes]]] = {}
        self._tally: Counter[_Vector] = Counter()
        self._resources = 0

    def __enter__(self) -> PopulationWriter:
        self._spool = tempfile.TemporaryFile(dir=self._folder)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.close()

    def row(
        self,
        account: str | None,
        region: str | None,
        type_: str,
        id_: str,
        arn: str | None,
        verdicts: Mapping[str, tuple[str, str | None]],
    ) -> None:
        """Take one resource; ``verdicts``: rule -> its verdict and the id of the waiver that accepts it, or None."""
        rules = tuple(sorted(verdicts))
        letters = "".join(LETTERS[verdicts[rule][0]] for rule in rules)
        waivers = [(rule, waiver) for rule in rules if (waiver := verdicts[rule][1]) is not None]
        self.add_row(account, region, type_, id_, arn, rules, letters, waivers)

    def add_row(
        self,
        account: str | None,
        region: str | None,
        type_: str,
        id_: str,
        arn: str | None,
        rules: Sequence[str],
        letters: str,
        waivers: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Take one resource as a run directory keeps it: a letter for each of ``rules``, ``-`` for one not asked.

        ``waivers`` are (rule, id of the waiver) of the FAILs that are accepted.
        """
        self._resources += 1
        vector = (tuple(rules), letters, tuple(waivers))
        tails = self._tails.get(vector)
        if tails is None:
            tails = self._new_tails(vector)
        self._tally[vector] += 1
        if not tails:
            return
        head = f"{_quoted(account)},{_quoted(region)},{_quoted(type_)},{_cell(id_)},{_cell(arn)},".encode()
        for found, tail in tails:
            buffer = found.buffer
            buffer += head
            buffer += tail
            if len(buffer) > _BUFFER:
                self._spill(found)

    def _new_tails(self, vector: _Vector) -> list[tuple[_Set, bytes]]:
        """Return what follows the names of a resource in each file it belongs to, and remember it."""
        if len(self._tails) >= _KEPT:
            self._count()
        rules, letters, waivers = vector
        verdicts = {
            rule: VERDICT_OF[letter]
            for rule, letter in zip(rules, letters, strict=True)
            if letter != "-" and rule in self._of_rule
        }
        accepted = dict(waivers)
        for rule in accepted:
            if rule in self._of_rule and verdicts.get(rule) != FAIL:
                raise ValueError(f"{rule}: only a FAIL can be waived; found {verdicts.get(rule)}")
        sets = {found.number: found for rule in verdicts for found in self._of_rule[rule]}
        tails = [(sets[number], sets[number].tail(verdicts, accepted)) for number in sorted(sets)]
        self._tails[vector] = tails
        return tails

    def _count(self) -> None:
        """Add up what was counted by vector, and forget the vectors."""
        for (rules, letters, waivers), number in self._tally.items():
            accepted = dict(waivers)
            touched: dict[int, _Set] = {}
            for rule, letter in zip(rules, letters, strict=True):
                for found in self._of_rule.get(rule, ()) if letter != "-" else ():
                    found.verdicts[VERDICT_OF[letter]] += number
                    found.waived += number * (rule in accepted)
                    touched[found.number] = found
            for found in touched.values():
                found.resources += number
        self._tally.clear()
        self._tails.clear()

    def _spill(self, found: _Set) -> None:
        self._spool.seek(0, 2)
        found.blocks.append((self._spool.tell(), len(found.buffer)))
        self._spool.write(found.buffer)
        found.buffer.clear()

    def end(self) -> dict[str, Any]:
        """Write a member for each set of rules and return the content of ``index.json``."""
        self._count()
        members = {}
        for rules, found in self._sets.items():
            name = found.name
            block = found.block(self._about)
            with self._open(name) as out:
                out.write(block)
                self._pour(found, out)
            members[rules] = {
                "file": name,
                "controls": [{"framework": f, "control": c} for f, c in found.controls],
                "rules": list(rules),
                "resources": found.resources,
                "verdicts": {verdict: found.verdicts[verdict] for verdict in VERDICTS},
                "waived": found.waived,
                "header_rows": found.header_rows(self._about),
            }
        return {
            "schema": SCHEMA,
            **self._about,
            "resources": self._resources,
            "members": list(members.values()),
            "controls": [
                {
                    "framework": framework,
                    "control": control,
                    "file": members[rules]["file"] if rules else None,
                }
                for (framework, control), rules in self._mapping.items()
            ],
        }

    def _pour(self, found: _Set, out: IO[bytes]) -> None:
        for start, length in found.blocks:
            self._spool.seek(start)
            while length:
                chunk = self._spool.read(min(length, _CHUNK))
                if not chunk:
                    raise OSError("the temporary file of the population was cut off")
                out.write(chunk)
                length -= len(chunk)
        out.write(found.buffer)
        found.buffer.clear()
        found.blocks.clear()


class _Set:
    """A distinct set of rules and what waits to be written of it."""

    __slots__ = ("blocks", "buffer", "controls", "number", "resources", "rules", "verdicts", "waived")

    def __init__(self, number: int, rules: tuple[str, ...]) -> None:
        self.number = number
        self.rules = rules
        self.controls: list[Control] = []
        self.verdicts: Counter[str] = Counter()
        self.resources = 0
        self.waived = 0
        self.buffer = bytearray()
        self.blocks: list[tuple[int, int]] = []

    @property
    def name(self) -> str:
        framework, control = self.controls[0]
        slug = _SLUG.sub("-", f"{framework}-{control}".lower()).strip("-.")[:60]
        return f"population/{self.number:04d}-{slug}.csv"

    def tail(self, verdicts: Mapping[str, str], accepted: Mapping[str, str]) -> bytes:
        """Return the rest of a row after the names of the resource."""
        mine = [verdicts.get(rule, "") for rule in self.rules]
        worst = next(verdict for verdict in _WORST if verdict in mine)
        waivers = "; ".join(f"{rule}={accepted[rule]}" for rule in self.rules if rule in accepted)
        return ",".join([worst, _cell(waivers), *mine]).encode() + b"\r\n"

    def facts(self, about: Mapping[str, str]) -> list[tuple[str, str]]:
        return [
            *about.items(),
            ("controls", "; ".join(f"{framework} {control}" for framework, control in self.controls)),
            ("resources", str(self.resources)),
            *((verdict, str(self.verdicts[verdict])) for verdict in VERDICTS),
            ("waived (counted in FAIL)", str(self.waived)),
        ]

    def header_rows(self, about: Mapping[str, str]) -> int:
        return len(self.facts(about)) + 1

    def block(self, about: Mapping[str, str]) -> bytes:
        """Return what stands above the rows, the names of the columns included."""
        lines = [f"{_cell(name)},{_cell(value)}" for name, value in self.facts(about)]
        names = ",".join(_cell(name) for name in (*COLUMNS, *self.rules))
        return ("\r\n".join([*lines, "", names]) + "\r\n").encode()


def _cell(text: str | None) -> str:
    """Return ``text`` as a quoted cell that no spreadsheet runs; nothing for no text."""
    if not text:
        return ""
    if _PLAIN.fullmatch(text):
        return f'"{text}"'
    return '"' + cell(text).replace('"', '""') + '"'


_quoted = lru_cache(maxsize=4096)(_cell)
"""The same for what repeats from row to row."""
