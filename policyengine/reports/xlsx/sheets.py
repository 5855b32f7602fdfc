"""Sheets that are filled row by row, and a workbook whose bytes depend on what is written and on nothing else.

Text is always written as a string, never as a formula, link or number, and what a spreadsheet would run after an export
to CSV gets an apostrophe as there. Excel's limits (https://support.microsoft.com/en-us/office/
excel-specifications-and-limits-1672b34d-7043-467e-8e27-269d656771c3): 1,048,576 rows, 32,767 characters in a cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any, Final

from policyengine.reports.csv_report import cell
from policyengine.reports.times import moment

MOST_ROWS: Final = 1_048_576
CELL_LIMIT: Final = 4_000
MOST_CHARACTERS: Final = 1_000_000_000
"""Text of one sheet; beyond it a workbook would need what Excel does not open (ZIP64)."""

Value = str | int | None
Column = tuple[str, int]
"""A heading and the width of its column, in characters."""

COLORS: Final[Mapping[str, tuple[str, str]]] = {
    "bad": ("#9C0006", "#FFC7CE"),
    "unsure": ("#7F4F00", "#FFEB9C"),
    "good": ("#006100", "#C6EFCE"),
    "plain": ("#3A3A3A", "#EDEDED"),
}
"""Tone -> text and background. A tone only repeats what the word in the cell says."""


class Sheet:
    """One sheet: a frozen heading with a filter, then rows. ``left_out`` counts rows that did not fit."""

    def __init__(self, book: Book, name: str, columns: Sequence[Column], most: int = MOST_ROWS) -> None:
        self._book = book
        self._sheet = book.workbook.add_worksheet(name)
        self._columns = columns
        self._most = min(most, MOST_ROWS)
        self._row = 1
        self._characters = 0
        self.left_out = 0
        for index, (title, width) in enumerate(columns):
            self._sheet.set_column(index, index, width)
            self._sheet.write_string(0, index, title, book.heading)
        self._sheet.freeze_panes(1, 0)

    def add(self, values: Sequence[Value], tone: str | None = None) -> None:
        """Write a row; ``tone`` colours its first cell."""
        if self._row >= self._most or self._characters > MOST_CHARACTERS:
            self.left_out += 1
            return
        for index, value in enumerate(values):
            form = self._book.tones[tone] if tone is not None and index == 0 else self._book.body
            if isinstance(value, int):
                self._sheet.write_number(self._row, index, value, form)
            elif value:
                text = cell(value, CELL_LIMIT)
                self._characters += len(text)
                # of the writers of a cell this one alone does not look at what the text begins with
                self._sheet.write_string(self._row, index, text, form)
        self._row += 1

    def end(self, nothing: str) -> None:
        """Set the filter; a sheet without rows says ``nothing``."""
        if self._row == 1:
            self._sheet.write_string(1, 0, nothing, self._book.body)
            self._row = 2
        self._sheet.autofilter(0, 0, self._row - 1, len(self._columns) - 1)


class Book:
    """A workbook; ``created`` is an RFC 3339 time. Rows wait on disk, in a folder that goes away at the end."""

    def __init__(self, out: IO[bytes], title: str, created: str) -> None:
        from tempfile import TemporaryDirectory

        from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types; imported late: it is slow

        self._folder = TemporaryDirectory(prefix="policyengine.")
        options: dict[str, Any] = {
            "constant_memory": True,
            "tmpdir": self._folder.name,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self.workbook: Any = Workbook(out, options)
        when = datetime.fromisoformat(moment(created)).astimezone(UTC).replace(tzinfo=None)
        self.workbook.set_properties({"title": title, "author": "policyengine", "created": when})
        self.heading = self.workbook.add_format(
            {"bold": True, "bg_color": "#DDE3EA", "bottom": 1, "valign": "top"}
        )
        self.body = self.workbook.add_format({"valign": "top"})
        self.tones = {
            tone: self.workbook.add_format(
                {"bold": True, "font_color": text, "bg_color": back, "valign": "top"}
            )
            for tone, (text, back) in COLORS.items()
        }

    def close(self) -> None:
        """Write the file."""
        self.workbook.close()
        self._folder.cleanup()
