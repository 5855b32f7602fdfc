"""The key of redacted values: made once and whole, private, and refused where it is no key."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from policyengine.cli.live.redaction_key import VARIABLE, redaction_key
from policyengine.model.errors import InputError


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path / "policyengine"


def test_runs_that_begin_together_have_one_key(home: Path) -> None:
    """A reader must never meet a file that is there and not yet written."""
    for _ in range(20):
        with ThreadPoolExecutor(8) as pool:
            keys = {key.result() for key in [pool.submit(redaction_key) for _ in range(8)]}
        assert len(keys) == 1
        assert len(keys.pop()) == 32
        assert [file.name for file in home.iterdir()] == ["redaction.key"]
        assert (home / "redaction.key").stat().st_mode & 0o777 == 0o600
        (home / "redaction.key").unlink()


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot be read: No such file"), (b"", "has 0 bytes"), (b"short", "has 5 bytes; expected at least 16")],
)  # fmt: skip
def test_what_is_no_key_is_refused(home: Path, content: bytes | None, said: str) -> None:
    file = home.parent / "mine.key"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=said):
        redaction_key(file)
    assert not home.exists()
