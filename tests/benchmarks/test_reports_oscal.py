"""The steps of the OSCAL figures do what they say, on a few findings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import reports_oscal


def test_steps_write_and_validate_the_same_document(tmp_path: Path) -> None:
    path = tmp_path / "ar.json"
    for what in ("write-oscal", "validate", "loads", "dumps", "trestle"):
        assert reports_oscal.STEPS[what](300, path) >= 0
    result = json.loads(path.read_text(encoding="utf-8"))["assessment-results"]["results"][0]
    assert sum("subjects" in row for row in result["observations"]) == 300
    again = json.loads(path.with_suffix(".again").read_text(encoding="utf-8"))
    assert again["assessment-results"]["results"][0] == result


def test_a_document_that_is_wrong_gives_no_figure(tmp_path: Path) -> None:
    path = tmp_path / "ar.json"
    path.write_text('{"assessment-results": {}}', encoding="utf-8")
    with pytest.raises(SystemExit, match="does not accept"):
        reports_oscal.STEPS["validate"](1, path)
