"""What is shown while a collection goes on: accounts done, calls, throttles met, time left."""

from __future__ import annotations

import io
import json
import time

import pytest

from policyengine.aws.calls import CallLog
from policyengine.cli.live import notice
from policyengine.sources.live.collection import Progress


def _state() -> tuple[Progress, CallLog]:
    log = CallLog()
    log.add(("1", "us-east-1", "ec2:DescribeVolumes"), 3, 0.0)
    return Progress(20, 5, 4, 100, 80, 1234), log


def test_the_accounts_that_have_not_begun_are_to_be_done_too() -> None:
    assert Progress(20, 5, 5, 100, 100).share == pytest.approx(0.25)
    assert Progress(1, 1, 0, 100, 50).share == pytest.approx(0.5)
    assert Progress(20).share == 0.0


def test_a_line_of_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    progress, log = _state()
    notice._say(progress, log, 30.0, terminal=False)
    record = json.loads(capsys.readouterr().err)
    assert record["accounts_done"] == 4
    assert (record["calls"], record["retries"]) == (1, 3)
    assert record["seconds_left"] == 120  # a fifth took 30 s


def test_the_line_of_a_terminal_is_rewritten_and_goes_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    shown = Terminal()
    monkeypatch.setattr("sys.stderr", shown)
    progress, log = _state()
    with notice.shown(progress, log, quiet=False):
        time.sleep(0.6)
    text = shown.getvalue()
    assert "accounts 4/20, types 80/100, 1,234 resources, 1 calls, 3 retries, about" in text
    assert text.endswith("\r\x1b[2K")
    assert "\n" not in text
