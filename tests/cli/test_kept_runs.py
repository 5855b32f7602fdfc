"""A kept run is judged again from what it keeps, and comes to the same rows, byte for byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policyengine.cli.kept_inputs import keep_inputs, without_secrets
from policyengine.cli.replaying import again
from policyengine.model.merkle import root_of
from policyengine.sources.config.source import open_config
from policyengine.store.lines import read_lines
from tests.cli.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT.parent / "shared" / "corpora"
EXAMPLES = ("organization", "template.yaml", "plan.json")
AS_OF = ("--as-of", "2026-11-22T00:00:00Z")


def kept(folder: Path) -> list[bytes]:
    return list(again(folder).reader.lines())


def judged_again(folder: Path, jobs: int = 1) -> list[bytes]:
    return [line for _, _, line, _ in again(folder, jobs=jobs).rows()]


def differing(folder: Path) -> list[tuple[bytes, bytes]]:
    return [pair for pair in zip(kept(folder), judged_again(folder), strict=True) if pair[0] != pair[1]]


@pytest.mark.parametrize("target", EXAMPLES)
@pytest.mark.parametrize("jobs", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_judging_again_gives_the_same_rows(run: Run, tmp_path: Path, target: str, jobs: str) -> None:
    given = ("--config", str(ROOT / "examples/policyengine.yaml"))
    run("scan", str(ROOT / "examples" / target), *given, "-q", "-o", "kept", "-j", jobs, *AS_OF)
    assert len(kept(tmp_path / "kept")) > 5
    assert differing(tmp_path / "kept") == []
    assert judged_again(tmp_path / "kept", jobs=2) == kept(tmp_path / "kept")


@pytest.mark.slow
def test_several_sources_keep_their_order_and_their_own_worlds(run: Run, tmp_path: Path) -> None:
    run("scan", *(str(ROOT / "examples" / name) for name in EXAMPLES), "-q", "-o", "kept", *AS_OF)
    found = again(tmp_path / "kept")
    assert [entry["kind"] for entry in found.reader.about["inputs"]] == ["snapshot", "template", "plan"]
    assert differing(tmp_path / "kept") == []


@pytest.mark.slow
def test_the_roots_are_those_of_what_is_kept(run: Run, tmp_path: Path) -> None:
    run("scan", *(str(ROOT / "examples" / name) for name in EXAMPLES), "-q", "-o", "kept", *AS_OF)
    roots = json.loads((tmp_path / "kept/run.json").read_text())["roots"]
    rows = kept(tmp_path / "kept")
    assert roots["results"] == {"root": f"sha256:{root_of(rows).hex()}", "size": len(rows)}
    parts = [part.path for source in again(tmp_path / "kept").sources for part in source.parts]
    lines = [line for path in parts for line in read_lines(path)]
    assert roots["population"] == {"root": f"sha256:{root_of(lines).hex()}", "size": len(lines)}


@pytest.mark.slow
def test_what_is_kept_does_not_depend_on_reports_nor_processes(run: Run, tmp_path: Path) -> None:
    target = str(ROOT / "examples/organization")
    run("scan", target, "-q", "-o", "one", *AS_OF)
    run("scan", target, "-o", "two", "-j", "2", *AS_OF, "--format", "json=a.json", "--format", "terminal")
    files = [p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*") if p.is_file()]
    assert {
        f for f in files if (tmp_path / "one" / f).read_bytes() != (tmp_path / "two" / f).read_bytes()
    } == set()


def test_an_older_run_directory_is_refused_with_what_to_do(run: Run, tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    (old / "run.json").write_text('{"format": 1, "run": {}}')
    (old / "rules.json").write_text("{}")
    found = run("diff", "old", "old")
    assert found.code == 2
    assert (
        "a run directory is of version 1; this policyengine reads 2.x: write it again with this policyengine"
        in found.err
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "folders", [("cloudformation",), ("terraform-plans", "config-items", "scp-examples")]
)
def test_keeping_changes_no_verdict_and_judging_again_no_byte(
    run: Run, tmp_path: Path, folders: tuple[str, ...]
) -> None:
    if not CORPORA.is_dir():
        pytest.skip("the corpora are not beside the project")
    targets = [str(CORPORA / folder) for folder in folders]
    plain = run("scan", *targets, "-q", "--format", "json=plain.json", *AS_OF, timeout=300)
    with_run = run("scan", *targets, "-q", "--format", "json=kept.json", "-o", "kept", *AS_OF, timeout=300)
    assert plain.code == with_run.code

    def verdicts(name: str) -> dict[str, tuple[str, object]]:
        found = json.loads((tmp_path / name).read_text())["findings"]
        return {f["id"]: (f["verdict"], f["location"]) for f in found}

    assert len(verdicts("plain.json")) > 5_000
    assert verdicts("plain.json") == verdicts("kept.json")
    assert differing(tmp_path / "kept") == []


@pytest.mark.slow
def test_a_report_of_a_kept_run_is_the_report_of_the_scan(run: Run, tmp_path: Path) -> None:
    targets = [str(ROOT / "examples" / name) for name in EXAMPLES]
    given = ("--config", str(ROOT / "examples/policyengine.yaml"))
    # html, xlsx and oscal also show the roots, which are known once the run is kept
    formats = ("json", "ndjson", "csv", "junit", "sarif", "gitlab", "ocsf", "well-architected")

    def files(stem: str) -> list[str]:
        return [f"--format={name}={stem}.{name}" for name in formats]

    run("scan", *targets, *given, "-q", "-o", "kept", *files("scan"), *AS_OF)
    assert run("report", "kept", *files("report")).code == 0
    differing = [
        f for f in formats if (tmp_path / f"scan.{f}").read_bytes() != (tmp_path / f"report.{f}").read_bytes()
    ]
    assert differing == []


@pytest.mark.parametrize("target", ["organization", "template.yaml"])
def test_what_passes_is_explained_by_judging_it_again(run: Run, tmp_path: Path, target: str) -> None:
    rule = ("--rule", "s3-versioning", "--rule", "kms-key-usable")
    given = (str(ROOT / "examples" / target), *rule, "--format", "json", *AS_OF)
    document = run("scan", *given, "-o", "kept").document
    passed = next(f for f in document["findings"] if f["verdict"] == "PASS" and f["evidence"])
    page = run("explain", passed["id"], "--run", "kept").out
    assert passed["message"] in page.replace("\n", " ") or passed["evidence"][0]["expected"] in page
    assert "PASS" in page


@pytest.mark.slow
def test_a_folder_with_a_kept_run_in_it_is_judged_as_without(run: Run, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_bytes((ROOT / "examples/template.yaml").read_bytes())
    before = run("scan", ".", "--format", "json", *AS_OF, "-o", "run").document
    after = run("scan", ".", "--format", "json", *AS_OF)
    told = [(f["id"], f["verdict"]) for f in before["findings"]]
    assert [(f["id"], f["verdict"]) for f in after.document["findings"]] == told
    assert after.document["run"]["skipped"]["run directory"] == 1
    asked = run("scan", "run")
    assert asked.code == 2 and "`run` is a run directory, which `report`" in " ".join(asked.out.split())


@pytest.mark.slow
def test_values_are_pinned_as_every_run_sees_them(run: Run, tmp_path: Path) -> None:
    """A secret has its digest in a kept run; the baseline of the template holds there, and the run's for the template."""
    (tmp_path / "template.yaml").write_bytes((ROOT / "examples/template.yaml").read_bytes())
    run("scan", "template.yaml", "-q", "-o", "run", *AS_OF)
    for target, name in (("template.yaml", "a.json"), ("run", "b.json")):
        assert run("baseline", "write", target, "-o", name).code == 0
        for more in ((), ("-o", "again")):
            found = run("scan", "template.yaml", "-q", "--baseline", name, *more, *AS_OF)
            assert found.code == 0, (name, more, found.err)


def config_item(folder: Path, password: str) -> Path:
    """A snapshot of AWS Config with one function, as `GetFunctionConfiguration` shows it."""
    item = {
        "version": "1.3", "accountId": "111111111111", "awsRegion": "eu-west-1", "resourceType": "AWS::Lambda::Function",
        "resourceId": "orders", "resourceName": "orders", "ARN": "arn:aws:lambda:eu-west-1:111111111111:function:orders",
        "configurationItemCaptureTime": "2026-01-01T00:00:00.000Z", "configurationItemStatus": "OK",
        "configurationStateId": 1, "tags": {}, "relatedEvents": [], "relationships": [], "supplementaryConfiguration": {},
        "configuration": {"functionName": "orders", "environment": {"variables": {"DB_PASSWORD": password}}},
    }  # fmt: skip
    file = folder / "config.json"
    file.write_text(json.dumps({"fileVersion": "1.0", "configSnapshotId": "s", "configurationItems": [item]}))
    return file


def test_a_file_of_aws_config_is_seen_as_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))
    file = config_item(tmp_path, "hunter22-in-clear")
    (seen,) = without_secrets([open_config(file, "config.json")])
    (kept,) = keep_inputs([open_config(file, "config.json")], tmp_path / "kept", "2026-11-22T00:00:00Z")
    (one,), (other,) = seen.resources(), kept.source.resources()
    password = one.properties["Environment"]["Variables"]["DB_PASSWORD"]
    assert (password.reason, "hunter22" in repr(one)) == ("redacted", False)
    assert one.properties == other.properties


@pytest.mark.slow
def test_a_secret_in_files_of_aws_config_is_pinned_as_every_run_sees_it(run: Run, tmp_path: Path) -> None:
    rule = ("--rule", "lambda-environment-without-secrets", "-q")
    config_item(tmp_path, "hunter22-in-clear")
    assert run("scan", "config.json", *rule, *AS_OF).code == 1
    assert run("baseline", "write", "config.json", "-o", "base.json").code == 0
    for more in ((), ("-o", "kept")):
        found = run("scan", "config.json", *rule, "--baseline", "base.json", *more, *AS_OF)
        assert found.code == 0, (more, found.err)
    assert run("baseline", "write", "kept", "-o", "of-run.json").code == 0
    assert run("scan", "config.json", *rule, "--baseline", "of-run.json", *AS_OF).code == 0
    assert not any(
        b"hunter22" in file.read_bytes() for file in (tmp_path / "kept").rglob("*") if file.is_file()
    )
    config_item(tmp_path, "hunter23-in-clear")
    changed = run("scan", "config.json", *rule, "--baseline", "base.json", *AS_OF)
    assert changed.code == 1, "another password is not what was accepted"
