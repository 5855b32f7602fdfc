"""Every reader takes its own major version, whatever the minor one, and refuses the next with what to do (docs/formats.md)."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from policyengine.cli.main import cli
from policyengine.cli.remediate.apply import _actions
from policyengine.cli.shadow_document import read_shadow_ai
from policyengine.config.baseline import read_baseline
from policyengine.config.loader import load_config
from policyengine.config.waivers_reader import About, read_waivers
from policyengine.evidence.inclusion import _read as read_proof
from policyengine.evidence.manifest import read_manifest as read_bundle_manifest
from policyengine.evidence.problems import BundleError
from policyengine.evidence.sampling import drawn_again
from policyengine.history.continuity import Continuity
from policyengine.history.database import open_history
from policyengine.model.errors import PolicyEngineError
from policyengine.model.formats import refused, refused_number
from policyengine.remediate.plan import plan_hash
from policyengine.remediate.registry import load_remediations, parse_remediations
from policyengine.reports.well_architected_compare import checked
from policyengine.rules.pack import Pack, parse_pack
from policyengine.rules.recorded import Recorded, read_recorded, recorded_bytes
from policyengine.sources.snapshot.manifest import read_manifest
from policyengine.store.actions import StoreError
from policyengine.store.rundir import RunReader, read_findings, read_run
from policyengine.store.sqlite_file import open_file
from tests.shadow_ai.helpers import lines, record

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> None:
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    assert done.exception is None, done.exception


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of each format, as this version writes it."""
    at = tmp_path_factory.mktemp("formats")
    formats = [
        f"{name}={at / file}"
        for name, file in (("json", "f.json"), ("ndjson", "f.ndjson"), ("well-architected", "wa.json"))
    ]
    given = [part for each in formats for part in ("--format", each)]
    run(
        "scan",
        str(ROOT / "examples/template.yaml"),
        "--rule",
        "s3-tls-only",
        "-o",
        str(at / "run"),
        "-q",
        *given,
    )
    run("baseline", "write", str(at / "run"), "-o", str(at / "baseline.json"))
    (at / "logs").mkdir()
    (at / "logs/q.log").write_bytes(lines([record()]))
    shadow = CliRunner().invoke(
        cli, ["shadow-ai", str(at / "logs"), "--format", "json"], standalone_mode=False
    )
    (at / "shadow.json").write_text(shadow.stdout)
    (at / "plans.json").write_text(
        json.dumps(
            {
                "schema": "policyengine/remediation-plans/v1",
                "run": {},
                "actions": [{"id": "a", "plan": {}, "hash": plan_hash({})}],
            }
        )
    )
    (at / "timeline.json").write_text(
        json.dumps({"schema": "policyengine/timeline/v1", "rules": {}, "places": [], "resources": []})
    )
    (at / "pack.json").write_bytes(recorded_bytes(Recorded("1.0.0", {})))
    (at / "rules.json").write_bytes(Pack("sha256:0", ()).to_bytes())
    (at / "remediations.json").write_bytes(load_remediations().to_bytes())
    (at / "snapshot").mkdir()
    (at / "snapshot/manifest.json").write_text(
        json.dumps(
            {"version": "1.0", "created": "2026-01-01T00:00:00Z", "coverage": [], "parts": [], "errors": []}
        )
    )
    return at


class Format(NamedTuple):
    """A format: its file, how its version is written, what reads it. ``own`` and ``later`` are texts of versions."""

    file: str
    own: str
    minor: str
    later: str
    read: Callable[[Path], Any]


def named(file: str, name: str, read: Callable[[Path], Any]) -> Format:
    head = f"policyengine/{name}/v"
    return Format(file, f'"{head}1"', f'"{head}1.7"', f'"{head}2"', read)


def proof() -> bytes:
    members = {"envelope": {}, "population": [], "results": [], "rules": [], "disclosed": []}
    return json.dumps(
        {**members, "schema": "policyengine/evidence-proof/v1"}, sort_keys=True, separators=(",", ":")
    ).encode()


def timeline(path: Path) -> None:
    Continuity([path])


FORMATS = {
    "findings": named("f.json", "findings", lambda path: list(read_findings(path))),
    "findings-run": named("f.json", "findings", read_run),
    "stream": named("f.ndjson", "findings-stream", lambda path: list(read_findings(path))),
    "stream-run": named("f.ndjson", "findings-stream", read_run),
    "well-architected": named("wa.json", "well-architected", lambda path: checked(json.loads(path.read_bytes()), str(path))),
    "baseline": named("baseline.json", "baseline", lambda path: read_baseline(path.read_bytes(), str(path))),
    "plans": named("plans.json", "remediation-plans", lambda path: _actions(path, ())),
    "timeline": named("timeline.json", "timeline", timeline),
    "shadow-ai": named("shadow.json", "shadow-ai", read_shadow_ai),
    "rule-pack": named("pack.json", "rule-pack", lambda path: read_recorded(path.parent)),
    "run-directory": Format("run/run.json", '"format":2', '"format":"2.7"', '"format":3', lambda path: RunReader(path.parent)),
    "compiled-rules": Format("rules.json", '"format":1', '"format":1.7', '"format":2', lambda path: parse_pack(path.read_bytes())),
    "compiled-remediations": Format(
        "remediations.json", '"format":1', '"format":1.7', '"format":2', lambda path: parse_remediations(path.read_bytes(), path.parent)
    ),
    "snapshot": Format(
        "snapshot/manifest.json", '"version": "1.0"', '"version": "1.7"', '"version": "2.0"', lambda path: read_manifest(path.parent, str(path.parent))
    ),
}  # fmt: skip


@pytest.fixture
def rewritten(world: Path) -> Iterator[Callable[[Format, str], Path]]:
    """Files with another version; afterwards they are as they were."""
    kept: dict[Path, bytes] = {}

    def write(form: Format, version: str) -> Path:
        path = world / form.file
        kept.setdefault(path, path.read_bytes())
        text = kept[path].decode()
        own = form.own if form.own in text else form.own.replace(":", ": ")
        assert text.count(own) >= 1, (form.own, text[:300])
        path.write_text(text.replace(own, version, 1))
        return path

    yield write
    for path, data in kept.items():
        path.write_bytes(data)


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name == "shadow-ai")) for name in FORMATS]
)
def test_its_own_and_later_minor_versions_are_read(
    name: str, rewritten: Callable[[Format, str], Path]
) -> None:
    form = FORMATS[name]
    form.read(rewritten(form, form.own))
    form.read(rewritten(form, form.minor))


@pytest.mark.parametrize("name", FORMATS)
def test_the_next_major_version_is_refused(name: str, rewritten: Callable[[Format, str], Path]) -> None:
    """The message has the file, the version found, the one that is read, and what to do."""
    form = FORMATS[name]
    path = rewritten(form, form.later)
    with pytest.raises(PolicyEngineError) as caught:
        form.read(path)
    said = str(caught.value)
    found = form.later.strip('"').rsplit("v", 1)[-1].rsplit(":", 1)[-1].strip(' "')
    assert found in said
    assert ".x" in said
    assert "policyengine" in said and ("newer" in said or "again" in said)
    if name not in (
        "compiled-rules",
        "compiled-remediations",
    ):  # nobody names them: they come with the program
        assert path.name in said or path.parent.name in said


@pytest.mark.parametrize(
    ("text", "fine"), [("version: 1\n", True), ("version: 1.7\n", True), ("version: 2\nnew_key: {}\n", False)]
)
def test_files_that_people_write(tmp_path: Path, text: str, fine: bool) -> None:
    config = tmp_path / "policyengine.yaml"
    config.write_text(text)
    readers: list[Callable[[], Any]] = [
        lambda: load_config(config, lambda *_: None, {}),
        lambda: read_waivers(text.encode(), "waivers.yaml", About(frozenset(), 90, None)),
    ]
    for read in readers:
        if fine:
            read()
            continue
        with pytest.raises(
            PolicyEngineError, match=r"\.yaml:1:10: .* of version 2; this policyengine reads 1\.x: .* newer"
        ) as caught:
            read()
        assert "new_key" not in str(caught.value)


@pytest.mark.parametrize("opened", [
    lambda path: open_history(path, create=True),
    lambda path: open_file(path, create=True, wait=1),
], ids=["history", "actions"])  # fmt: skip
def test_databases_have_one_version(tmp_path: Path, opened: Callable[[Path], sqlite3.Connection]) -> None:
    path = tmp_path / "one" / "file.db"
    path.parent.mkdir(mode=0o700)
    opened(path).close()
    with closing(opened(path)) as again:
        (own,) = again.execute("PRAGMA user_version").fetchone()
    with closing(sqlite3.connect(path)) as other:
        other.execute(f"PRAGMA user_version = {own + 1}")
        other.commit()
    with pytest.raises(
        (PolicyEngineError, StoreError),
        match=rf"file\.db` has version {own + 1}; expected {own}: use the policyengine that wrote it",
    ):
        opened(path)


def test_what_is_signed_is_read_in_one_version_only() -> None:
    """A later minor version could say something that is signed and not shown."""
    for version in ("1.7", "2"):
        text = json.dumps({"schema": f"policyengine/evidence/v{version}"}, separators=(",", ":")).encode()
        with pytest.raises(BundleError, match=r"newer policyengine"):
            read_bundle_manifest(text)


def test_proofs_and_samples() -> None:
    read_proof(proof(), "one.json")
    with pytest.raises(BundleError, match=r"version 2; this policyengine reads 1\.x"):
        read_proof(proof().replace(b"/v1", b"/v2"), "one.json")
    with pytest.raises(
        PolicyEngineError, match=r"`s.json` is no sample .* version 2; this policyengine reads 1\.x"
    ):
        drawn_again(Path("nowhere"), (), b'{"schema":"policyengine/sample/v2"}', "s.json")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ("policyengine/one/v1", None), ("policyengine/one/v1.0", None), ("policyengine/one/v0", "reads 1.x: write it again"),
        ("policyengine/one/v2.3", "version 2.3; this policyengine reads 1.x: read it with a newer"),
        ("policyengine/two/v1", "it is no `policyengine/one/v1`: found"), (None, "it names no schema"), ([1] * 100, "…"),
    ],
)  # fmt: skip
def test_names_of_formats(found: object, says: str | None) -> None:
    said = refused(found, "policyengine/one/v1")
    assert said is None if says is None else says in (said or "")


@pytest.mark.parametrize("found", [True, None, "x", "1.x", -1, {}, "1" * 50])
def test_what_is_no_version_is_none(found: object) -> None:
    assert "expected 1" in (refused_number(found, 1, "a file") or "")


def test_every_format_is_in_the_table() -> None:
    page = (ROOT / "docs/formats.md").read_text("utf-8")
    found = {
        name
        for path in (ROOT / "policyengine").rglob("*.py")
        for name in re.findall(r'"policyengine/([a-z0-9-]+)/v[0-9]"', path.read_text("utf-8"))
    }
    assert len(found) > 20
    assert sorted(name for name in found if f"{name}/v" not in page) == []
