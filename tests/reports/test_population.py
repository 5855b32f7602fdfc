"""Population files: they add up, hold every resource once per set of rules, and run nothing in a spreadsheet."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.reasons import FAIL, LETTERS, VERDICTS
from policyengine.reports import population
from policyengine.reports.csv_report import cell
from policyengine.reports.population import COLUMNS, PopulationWriter

from .sample import HOSTILE

MAPPING = {
    ("f", "1"): ["a", "b"],
    ("f", "2"): ["b", "a"],
    ("g", "=cmd()"): ["c"],
    ("g", "none"): [],
    ("g", "all"): ["a", "b", "c", "d"],
}
RULES = ("a", "b", "c", "d", "unmapped")


class Members:
    """A bundle in memory: each member is opened once."""

    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        assert name not in self.found
        out = io.BytesIO()
        yield out
        self.found[name] = out.getvalue()


class Table:
    """A file as a person reads it: the block above, the names of the columns, the rows."""

    def __init__(self, data: bytes, header_rows: int) -> None:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline="")))
        assert rows[header_rows - 1] == []
        self.block = {row[0]: row[1] for row in rows[: header_rows - 1]}
        self.columns = rows[header_rows]
        self.rows = [dict(zip(self.columns, row, strict=True)) for row in rows[header_rows + 1 :]]


def write(rows: list[Any], about: dict[str, str] | None = None) -> tuple[dict[str, Any], dict[str, Table]]:
    members = Members()
    with PopulationWriter(MAPPING, members.open, about) as writer:
        for number, (letters, waived) in enumerate(rows):
            waivers = [(rule, f"w{number % 2}") for rule in waived]
            writer.add_row("1", "eu-west-1", "AWS::S3::Bucket", f"b{number}", None, RULES, letters, waivers)
        index = writer.end()
    tables = {m["file"]: Table(members.found[m["file"]], m["header_rows"]) for m in index["members"]}
    assert set(tables) == set(members.found)
    return index, tables


@st.composite
def resources(draw: st.DrawFn) -> list[Any]:
    rows = draw(st.lists(st.text("PFUN-", min_size=len(RULES), max_size=len(RULES)), max_size=12))
    return [
        (row, [r for r, x in zip(RULES, row, strict=True) if x == "F" and draw(st.booleans())])
        for row in rows
    ]


@settings(max_examples=150, deadline=None)
@given(resources(), st.sampled_from(["as it is", "spilled", "forgetful"]))
def test_everything_adds_up(rows: list[Any], how: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if how == "spilled":
            patch.setattr(population, "_BUFFER", 1)
        elif how == "forgetful":
            patch.setattr(population, "_KEPT", 1)
        index, tables = write(rows)
    assert index["resources"] == len(rows)
    for member in index["members"]:
        table, rules = tables[member["file"]], member["rules"]
        columns = [RULES.index(rule) for rule in rules]
        asked = [n for n, (letters, _) in enumerate(rows) if any(letters[c] != "-" for c in columns)]
        assert [row["id"] for row in table.rows] == [f"b{n}" for n in asked]
        assert table.columns == [*COLUMNS, *rules]
        counted = Counter(row[rule] for row in table.rows for rule in rules)
        for verdict in VERDICTS:
            expected = sum(letters[c] == LETTERS[verdict] for letters, _ in rows for c in columns)
            assert counted[verdict] == member["verdicts"][verdict] == int(table.block[verdict]) == expected
        assert member["resources"] == int(table.block["resources"]) == len(asked)
        waivers = [w for row in table.rows for w in row["waivers"].split("; ") if w]
        assert len(waivers) == member["waived"] == int(table.block["waived (counted in FAIL)"])
        for row in table.rows:
            present = [row[rule] for rule in rules if row[rule]]
            assert row["verdict"] == next(
                v for v in (*VERDICTS[1:3], *VERDICTS[:1], *VERDICTS[3:]) if v in present
            )
            assert not row["waivers"] or row["verdict"] == FAIL


def test_controls_share_the_file_of_their_rules() -> None:
    index, tables = write([("PPPPP", [])])
    assert [(m["rules"], [c["control"] for c in m["controls"]]) for m in index["members"]] == [
        (["a", "b"], ["1", "2"]),
        (["c"], ["=cmd()"]),
        (["a", "b", "c", "d"], ["all"]),
    ]
    assert [c["file"] is None for c in index["controls"]] == [False, False, False, True, False]
    assert all(re.fullmatch(r"population/[0-9]{4}-[a-z0-9.-]+\.csv", name) for name in tables)
    json.dumps(index)


def test_a_row_may_be_given_by_rule() -> None:
    one, other = Members(), Members()
    with PopulationWriter(MAPPING, one.open) as writer:
        writer.row("1", "r", "T", "i", None, {"b": ("FAIL", "w"), "a": ("PASS", None)})
        first = writer.end()
    with PopulationWriter(MAPPING, other.open) as writer:
        writer.add_row("1", "r", "T", "i", None, ["a", "b", "c"], "PF-", [("b", "w")])
        assert writer.end() == first
    assert one.found == other.found


def test_only_a_fail_is_waived() -> None:
    members = Members()
    with PopulationWriter(MAPPING, members.open) as writer, pytest.raises(ValueError, match="only a FAIL"):
        writer.row("1", "r", "T", "i", None, {"a": ("PASS", "w")})


def test_what_stands_above_the_table() -> None:
    index, tables = write([], {"run": "r1", "population root": "sha256:00"})
    assert index["run"] == "r1"
    table = tables[index["members"][0]["file"]]
    assert (table.block["run"], table.block["population root"], table.block["resources"]) == (
        "r1",
        "sha256:00",
        "0",
    )
    assert table.block["controls"] == "f 1; f 2"


# OWASP, "CSV Injection" (https://owasp.org/www-community/attacks/CSV_Injection)
@pytest.mark.parametrize("text", [*HOSTILE, "-1+1", "\t=1", "\uff1d1", "a;=1", '";"', "'", ",", "\r\n=1"])
def test_hostile_names_run_nothing_and_break_no_row(text: str) -> None:
    members = Members()
    with PopulationWriter(MAPPING, members.open) as writer:
        writer.row(text, text, text, text, text, {"a": ("FAIL", text)})
        index = writer.end()
    reached = 0
    for member in index["members"]:
        data = members.found[member["file"]]
        for row in Table(data, member["header_rows"]).rows:
            reached += 1
            assert [row[name] for name in ("account", "region", "type", "id", "arn")] == [cell(text)] * 5
        for line in csv.reader(io.StringIO(data.decode(), newline="")):
            assert not [c for c in line if c[:1] in set("=+-@\t\r\uff1d\uff0b\uff0d\uff20")]
    assert reached == 2


@given(st.from_regex(population._PLAIN, fullmatch=True))
def test_plain_text_needs_nothing_spelt_out(text: str) -> None:
    assert cell(text) == text


SAME = """
import io, hashlib, contextlib
from policyengine.reports.population import PopulationWriter
whole = hashlib.sha256()
@contextlib.contextmanager
def member(name):
    out = io.BytesIO()
    yield out
    whole.update(name.encode() + out.getvalue())
mapping = {("f", str(n)): {f"r{m}" for m in range(n)} for n in range(9)}
with PopulationWriter(mapping, member) as writer:
    for n in range(50):
        writer.row("1", "r", "T", f"i{n}", None, {f"r{m}": ("PASS", None) for m in range(n % 9)})
    print(writer.end())
print(whole.hexdigest())
"""


def test_same_input_same_bytes() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", SAME], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(outputs) == 1


def test_memory_does_not_grow_with_the_rows() -> None:
    code = """
import contextlib, io, resource, sys
from policyengine.reports.population import PopulationWriter
class Null:
    def write(self, data): pass
@contextlib.contextmanager
def member(name):
    yield Null()
rules = [f"r{n}" for n in range(40)]
mapping = {("f", str(n)): rules[n:] for n in range(40)}
with PopulationWriter(mapping, member) as writer:
    for n in range(int(sys.argv[1])):
        writer.add_row("1", "r", "T", f"i{n}", None, rules, ("P" * 40)[:39] + "PF"[n % 2])
    assert writer.end()["resources"] == int(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    small, large = (
        int(subprocess.run([sys.executable, "-c", code, str(n)], capture_output=True, check=True).stdout)
        for n in (5_000, 50_000)
    )
    assert large < small * 1.2 + 4_000  # kilobytes
