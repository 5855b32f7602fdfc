"""No cell of the CSV report is a formula, whatever white space, quote or separator comes before it.

OWASP, "CSV Injection": https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from policyengine.reports import csv_report
from policyengine.reports.csv_report import CELL_LIMIT, cell

from . import sample
from .helpers import render

STARTS = "=+-@"
FORMS = [
    ch for ch in map(chr, range(0x110000)) if unicodedata.normalize("NFKC", ch) in STARTS and ch not in STARTS
]
"""Every character that programs which normalise text take for one of the four."""
BEFORE = ["", " ", "  ", "\u00a0", "\u3000", '"', '""', "' "[1:], ' "', "\u201c", "\u2019"]


def runs(shown: str) -> bool:
    """Whether a spreadsheet could take a cell for a formula, after dropping white space and quotes."""
    if shown.startswith("'"):
        return False
    bare = unicodedata.normalize("NFKC", shown).lstrip(' \t\r\n"\u201c\u201d\u2018\u2019')
    return bare[:1] in tuple(STARTS) or shown[:1] in ("\t", "\r", "\n")


def test_the_normalised_forms_are_known() -> None:
    assert {"＝", "＋", "＠", "﹦", "﹢", "﹫", "－", "﹣"} <= set(FORMS)


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("start", [*STARTS, *FORMS, "\t=", "\r=", "\n="])
def test_what_begins_like_a_formula_gets_an_apostrophe(before: str, start: str) -> None:
    text = f"{before}{start}HYPERLINK(1)"
    assert cell(text).startswith("'")
    assert not runs(cell(text))


@pytest.mark.parametrize("before", BEFORE)
@pytest.mark.parametrize("start", [*STARTS, *FORMS])
def test_so_does_what_a_semicolon_would_make_a_cell(before: str, start: str) -> None:
    for part in cell(f"a;{before}{start}1;b").split(";")[1:]:
        bare = unicodedata.normalize("NFKC", part).lstrip(' "')
        assert bare[:1] not in tuple(STARTS)


@pytest.mark.parametrize("text", ["a=1", "1-2", "arn:aws:s3:::b", "x@y", "'quoted'", "a;b", "(none)", "über"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert cell(text) == text


@given(st.text(max_size=60))
@example('=1+1";=1')
@example("\u200b=1")
@example("\ufeff=1")
@example("\x00=1")
def test_no_text_makes_a_formula(text: str) -> None:
    shown = cell(text)
    assert not runs(shown)
    for part in shown.split(";")[1:]:
        assert unicodedata.normalize("NFKC", part).lstrip(" \"'")[:1] not in tuple(STARTS) or part.lstrip(
            ' "'
        ).startswith("'")
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerow([shown, "x"])
    assert next(csv.reader(io.StringIO(out.getvalue(), newline=""), strict=True)) == [shown, "x"]


@pytest.mark.parametrize("text", ["x", "\U0001f512", "\u202e", "\U000e0001", ";=", "\x1b", "\n"])
def test_a_cell_fits_into_excel(text: str) -> None:
    assert CELL_LIMIT < 32_767
    assert len(cell(text * 40_000).encode("utf-16-le")) // 2 <= CELL_LIMIT


def test_rows_end_with_crlf_and_every_cell_is_quoted() -> None:
    text = render("csv", sample.findings())
    assert text.endswith("\r\n")
    assert all(row.startswith('"') and row.endswith('"') for row in text.removesuffix("\r\n").split("\r\n"))


@given(st.text(st.characters(codec="ascii"), max_size=30))
@example("a::b")
@example("a##[b")
@example("a;=1")
def test_the_short_way_of_plain_text_changes_nothing(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_report, "_PLAIN", re.compile("(?!)"))
        expected = cell(text)
    assert cell(text) == expected
