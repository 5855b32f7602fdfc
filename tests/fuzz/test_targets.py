"""A short run of every fuzz target, and that the fuzzer sees what is broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import strategies as st

from .drive import Found, drive
from .targets import Target, targets, told

SECONDS = 1.0
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.name)
def test_nothing_breaks_in_a_short_run(target: Target) -> None:
    assert drive(target, SECONDS, keep=False) > 0


def test_a_failure_is_found_and_made_small() -> None:
    def check(data: bytes) -> None:
        assert b"\xff" not in data

    with pytest.raises(Found) as caught:
        drive(Target("planted", st.binary(max_size=200), check), 5, keep=False)
    assert caught.value.value == b"\xff"
    assert "planted fails on\n    b'\\xff'" in str(caught.value)


def test_an_error_without_a_place_is_a_failure() -> None:
    from policyengine.model.errors import InputError

    with pytest.raises(AssertionError):
        told([InputError("no place")])


def test_the_command_runs_the_targets_it_is_given() -> None:
    command = [sys.executable, "-m", "tests.fuzz", "1", "snapshot-line"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("ok   snapshot-line: ")
    assert "fuzz" in (ROOT / "Makefile").read_text()
