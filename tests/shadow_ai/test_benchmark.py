"""The benchmark runs, and its log is the same each time and free of errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import shadow_ai
from tests.shadow_ai.helpers import document_of


def test_its_log_is_sound_and_the_same_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        shadow_ai.write(tmp_path / name, 500)
    data = (tmp_path / "one").read_bytes()
    found = document_of(data)
    assert found == document_of((tmp_path / "two").read_bytes())
    assert found["errors"] == [] and found["coverage"]["records"] == 500
    assert sum(service["queries"] for service in found["services"]) == 5


@pytest.mark.slow
def test_it_measures() -> None:
    section = shadow_ai.measure(1, 5_000)
    assert section.rows[0].what == "shadow-ai" and "lines/s" in section.rows[0].figure
