"""``--format oscal``, ``oscal-poam`` and ``xlsx`` as a user runs them."""

from __future__ import annotations

import io
import json
import stat
from pathlib import Path

import openpyxl
import pytest

from tests.cli.conftest import Run, command

TEMPLATE = """\
Parameters: {Encrypt: {Type: String}}
Resources:
  Logs: {Type: 'AWS::S3::Bucket', Properties: {BucketName: '=1+1'}}
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: "Zażółć"
      SecurityGroupIngress: [{IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}]
  Data:
    Type: AWS::RDS::DBInstance
    Properties: {StorageEncrypted: !Ref Encrypt, DBInstanceClass: db.t3.micro}
"""
FORMATS = ("oscal", "oscal-full", "oscal-poam", "xlsx", "csv")
SCAN = (
    "scan",
    "t.yaml",
    "--quiet",
    "--as-of",
    "2026-01-01T00:00:00+02:00",
    *(f"--format={f}={f}" for f in FORMATS),
)


WAIVERS = """\
waivers:
  - id: W-1
    rule: security-group-admin-ports-closed
    scope: {resource: "t.yaml:Web"}
    owner: Ana
    approver: Ben
    reason: "=lab"
    ticket: SEC-12
    granted: "2026-01-01"
    expires: "2026-06-30"
    pin: false
"""


def written(folder: Path, env: dict[str, str]) -> dict[str, bytes]:
    folder.mkdir()
    (folder / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    done = command(folder, *SCAN, env=env)
    assert done.code == 1, done.err
    return {name: (folder / name).read_bytes() for name in FORMATS}


@pytest.mark.slow
@pytest.mark.parametrize(
    "env",
    [
        {"TZ": "Pacific/Chatham", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONHASHSEED": "7"},
        {"LC_ALL": "tr_TR.UTF-8", "PYTHONHASHSEED": "random", "PYTHONOPTIMIZE": "1"},
    ],
    ids=["zone", "locale", "language"],
)
def test_the_same_run_gives_the_same_bytes_anywhere(tmp_path: Path, env: dict[str, str]) -> None:
    plain = written(tmp_path / "a", {"TZ": "UTC", "PYTHONHASHSEED": "0"})
    other = written(tmp_path / "b", env)
    assert [name for name in FORMATS if plain[name] != other[name]] == []
    assert all(plain.values())


def test_the_documents_are_of_one_run(tmp_path: Path) -> None:
    found = written(tmp_path / "a", {})
    results = json.loads(found["oscal"])["assessment-results"]
    poam = json.loads(found["oscal-poam"])["plan-of-action-and-milestones"]
    assert results["metadata"]["version"] == poam["metadata"]["version"]
    assert results["results"][0]["start"] == "2025-12-31T22:00:00Z"
    summary = openpyxl.load_workbook(io.BytesIO(found["xlsx"]))["Summary"]
    said = {row[0]: row[1] for row in summary.iter_rows(values_only=True)}
    assert said["Run complete"] == "yes"
    assert said["Run"] == results["metadata"]["version"]
    assert said["Not determined"] > 0
    states = {f["target"]["status"]["state"] for f in results["results"][0]["findings"]}
    assert states >= {"not-satisfied"}


def test_a_workbook_on_standard_output_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    done = run("scan", str(tmp_path / "t.yaml"), "--format", "xlsx")
    assert done.code == 2
    assert done.raw == b""
    assert "give it a file: `--format xlsx=report.xlsx`" in done.err


def test_a_workbook_replaces_a_file_whole_and_can_be_read_by_others(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    target, link = tmp_path / "old.xlsx", tmp_path / "link.xlsx"
    target.write_bytes(b"old")
    link.symlink_to(target)
    run("scan", str(tmp_path / "t.yaml"), f"--format=xlsx={link}")
    assert link.is_symlink()
    assert target.read_bytes()[:2] == b"PK"
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.xlsx", "old.xlsx", "t.yaml"]


def test_a_workbook_that_cannot_be_written_is_an_error(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    done = run("scan", str(tmp_path / "t.yaml"), f"--format=xlsx={tmp_path}/none/a.xlsx")
    assert done.code == 2
    assert "cannot be written" in done.err


SAME = ("json", "ndjson", "csv", "sarif", "junit", "gitlab", "markdown", "ocsf", "asff")


@pytest.mark.slow
def test_what_differs_between_a_scan_and_its_kept_run_is_the_roots(run: Run, tmp_path: Path) -> None:
    line = {
        "type": "AWS::S3::Bucket",
        "id": "b",
        "account": "111122223333",
        "region": "eu-west-1",
        "properties": {},
    }
    (tmp_path / "s.ndjson").write_text(json.dumps(line) + "\n", encoding="utf-8")
    kept = str(tmp_path / "run")
    wanted = [*SAME, "html", "xlsx"]
    run("scan", str(tmp_path / "s.ndjson"), "-o", kept, "--quiet", "--as-of", "2026-03-01T00:00:00Z",
        *[f"--format={name}={tmp_path}/scanned.{name}" for name in wanted])  # fmt: skip
    assert run("report", kept, *[f"--format={name}={tmp_path}/kept.{name}" for name in wanted]).code == 0

    def both(name: str) -> list[bytes]:
        return [(tmp_path / f"{which}.{name}").read_bytes() for which in ("scanned", "kept")]

    for name in SAME:
        assert len(set(both(name))) == 1, name
    before, after = (text.decode().split('<section aria-labelledby="proof">') for text in both("html"))
    assert before[0] == after[0]
    assert before[1].partition("</section>")[2] == after[1].partition("</section>")[2]
    root = json.loads((tmp_path / "run/run.json").read_text(encoding="utf-8"))["roots"]["results"]["root"]
    assert root in after[1] and "Nobody has signed this" in after[1] and root not in before[1]
    assert "bundle it came with" not in after[1], "it came with none"
    books = [openpyxl.load_workbook(io.BytesIO(data)) for data in both("xlsx")]
    for sheet in books[0].sheetnames:
        first, second = (list(book[sheet].iter_rows(values_only=True)) for book in books)
        told = {row[0] for row in set(first) ^ set(second)}
        assert told == ({"Population root", "Results root", "Signer"} if sheet == "Summary" else set())


@pytest.mark.slow
def test_a_kept_run_gives_the_same_documents_with_its_roots(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE, encoding="utf-8")
    kept = tmp_path / "run"
    (tmp_path / "w.yaml").write_text(WAIVERS, encoding="utf-8")
    run(
        "scan", str(tmp_path / "t.yaml"), "-o", str(kept), f"--format=oscal={tmp_path}/scanned", "--quiet",
        "--waivers", str(tmp_path / "w.yaml"), "--as-of", "2026-03-01T00:00:00Z",
    )  # fmt: skip
    wanted = [f"--format={name}={tmp_path / name}" for name in ("oscal", "oscal-poam", "xlsx")]
    assert run("report", str(kept), *wanted).code == 0
    scanned, reported = (
        json.loads((tmp_path / name).read_text(encoding="utf-8"))["assessment-results"]
        for name in ("scanned", "oscal")
    )
    root = json.loads((kept / "run.json").read_text(encoding="utf-8"))["roots"]["results"]
    resource = reported["back-matter"]["resources"][1]
    assert [p["value"] for p in resource["props"] if p["name"] == "results-root"] == [root["root"]]
    first, second = scanned["results"][0], reported["results"][0]
    assert scanned["uuid"] != reported["uuid"]
    for part in ("reviewed-controls", "risks", "findings", "start", "end", "remarks"):
        assert first[part] == second[part]
    links = [e.pop("href") for o in second["observations"] for e in o.get("relevant-evidence", [])]
    assert set(links) == {f"#{resource['uuid']}"}
    assert first["observations"] == second["observations"]
    accepted = [risk for risk in first["risks"] if risk["status"] == "deviation-approved"]
    assert [risk["deadline"] for risk in accepted] == ["2026-06-30T00:00:00Z"]
    book = openpyxl.load_workbook(io.BytesIO((tmp_path / "xlsx").read_bytes()))
    said = {row[0]: row[1] for row in book["Summary"].iter_rows(values_only=True)}
    assert said["Results root"] == root["root"]
    assert said["of them accepted by a waiver"] == 1
    waiver = [one.value for one in book["Waivers"][2]]
    assert [waiver[i] for i in (0, 1, 4, 5, 6)] == ["active", "W-1", "Ana", "Ben", "'=lab"]
