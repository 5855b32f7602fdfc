"""``scan --cache``: the same findings, a private folder, and a word where it cannot be used."""

from __future__ import annotations

import json
import stat
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from policyengine.cli import keeping
from policyengine.config.settings import Settings
from policyengine.engine.kept import stamps
from policyengine.engine.kept.file import NAME
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import Scan
from policyengine.model.reasons import VERDICTS
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot import open_snapshot
from tests.cli.conftest import BUCKET, Run

AS_OF = ("--as-of", "2026-01-01T00:00:00Z", "--fail-on", "never", "--format", "ndjson")
SECRET = "hunter2-and-more"
FUNCTION = {
    "type": "AWS::Lambda::Function", "id": "f", "account": "111122223333", "region": "eu-west-1",
    "properties": {"FunctionName": "f", "Environment": {"Variables": {"DB_PASSWORD": SECRET}}},
}  # fmt: skip


def findings(out: str) -> list[str]:
    return [line for line in out.splitlines() if line.startswith('{"finding"')]


def test_the_findings_are_the_same(run: Run, snapshot: Path, tmp_path: Path) -> None:
    plain = findings(run("scan", str(snapshot), *AS_OF).out)
    assert len(plain) > 5
    for _ in range(2):
        assert findings(run("scan", str(snapshot), *AS_OF, "--cache", str(tmp_path / "kept")).out) == plain


def test_nothing_is_kept_unless_asked_for(run: Run, snapshot: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    run("scan", str(snapshot), *AS_OF, "--cache", str(kept), "--no-cache")
    assert not kept.exists()
    (tmp_path / "template.yaml").write_text("Resources: {B: {Type: 'AWS::S3::Bucket'}}\n")
    run("scan", "template.yaml", *AS_OF, "--cache", str(kept))
    assert not kept.exists()


def test_a_folder_that_cannot_be_used_is_said(run: Run, snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir(mode=0o755)
    found = run("scan", str(snapshot), *AS_OF[:-1], "json", "--cache", str(tmp_path / "kept"))
    assert found.code == 0
    assert "results are not kept in" in " ".join(json.loads(found.out)["run"]["notes"])
    assert list((tmp_path / "kept").iterdir()) == []


def scan(snapshot: Path, kept: Path) -> int:
    """Scan as the command does; return how many pairs of rule and resource were judged."""
    source = open_snapshot(snapshot, SourceOptions())
    now = datetime(2026, 1, 1, tzinfo=UTC)
    evaluator, notes = keeping.evaluator_for(load_packs(), now, Settings(), [source], {"cache": kept})
    assert notes == []
    for _ in Scan(evaluator, [source], Wanted(frozenset(VERDICTS))).findings():
        pass
    assert evaluator.close() == []
    return int(getattr(evaluator, "judged", -1))


def test_another_engine_judges_again(snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "engine_stamp", lambda: b"one")
    first = scan(snapshot, tmp_path / "kept")
    assert first > 5
    assert scan(snapshot, tmp_path / "kept") == 0
    monkeypatch.setattr(stamps, "engine_stamp", lambda: b"other")
    assert scan(snapshot, tmp_path / "kept") == first


def test_the_time_of_the_collection_is_no_change(
    snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stamps, "engine_stamp", lambda: b"one")
    judged = []
    for time_, name in (("09", "b"), ("10", "b"), ("10", "c")):
        changed = {**BUCKET, "collected_at": f"2026-11-21T{time_}:00:00Z", "tags": {"Name": name}}
        snapshot.write_text(json.dumps(changed, separators=(",", ":")) + "\n")
        judged.append(scan(snapshot, tmp_path / "kept"))
    assert judged[1] == 0
    assert judged[0] == judged[2] > 5


def test_no_secret_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamps, "engine_stamp", lambda: b"one")
    snapshot = tmp_path / "s.ndjson"
    snapshot.write_text(json.dumps(FUNCTION) + "\n")
    assert scan(snapshot, tmp_path / "kept") > 5
    assert SECRET.encode() not in (tmp_path / "kept" / NAME).read_bytes()
    assert stat.S_IMODE((tmp_path / "kept").stat().st_mode) == 0o700


def test_files_that_were_just_changed_are_not_believed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "package" / "engine" / "kept"
    package.mkdir(parents=True)
    (package / "stamps.py").write_text("")
    monkeypatch.setattr(stamps, "__file__", str(package / "stamps.py"))
    assert stamps.engine_stamp() is None
    later = time.time() + 10
    monkeypatch.setattr(time, "time", lambda: later)
    first = stamps.engine_stamp()
    assert first is not None
    (package / "stamps.py").write_text("x = 1")
    assert stamps.engine_stamp() != first
