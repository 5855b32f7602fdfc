"""``policyengine shadow-ai`` as a user runs it: processes, exit codes, formats, hostile names."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from policyengine.model.resource import Resource
from policyengine.sources.snapshot.writer import write_snapshot
from tests.shadow_ai.helpers import lines, record
from tests.shadow_ai.test_calls import event
from tests.shadow_ai.test_flows import BACK, HEADER, OUT

ROOT = Path(__file__).resolve().parents[2]
CREATED = "2026-11-22T00:00:00Z"


def run(
    *arguments: str | Path, cwd: Path, data: bytes = b"", **env: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "policyengine", "shadow-ai", *map(str, arguments)],
        input=data, capture_output=True, cwd=cwd, timeout=120,
        env={**os.environ, "PYTHONPATH": str(ROOT), **env},
    )  # fmt: skip


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    (folder / "2021").mkdir(parents=True)
    (folder / "2021" / "a.log.gz").write_bytes(gzip.compress(lines([record()])))
    (folder / "b.log").write_bytes(lines([record(query_name="claude.ai.", srcaddr="10.0.0.6")]))
    (folder / ".hidden").write_bytes(b"broken")
    (folder / "aws-logs-write-test").write_bytes(b"Permission Check Successful")
    return folder


def test_a_folder(logs: Path) -> None:
    done = run("logs", "--format", "json", cwd=logs.parent)
    assert (done.returncode, done.stderr) == (0, b"")
    found = json.loads(done.stdout)
    assert [s["id"] for s in found["services"]] == ["anthropic", "openai"]
    table = run("logs", cwd=logs.parent).stdout.decode()
    assert "looked up" in table and "connected" not in table
    assert "111122223333 us-east-1 vpc-7example 10.0.0.5 i-0d15cd0d3example: 1 looked up" in table


def test_standard_input(tmp_path: Path) -> None:
    for data in (lines([record()]), gzip.compress(lines([record()]))):
        done = run("-", "--format", "json", cwd=tmp_path, data=data)
        assert done.returncode == 0
        assert json.loads(done.stdout)["services"][0]["queries"] == 1


def test_what_is_not_approved_fails_when_asked(logs: Path) -> None:
    cwd = logs.parent
    assert run("logs", "--fail-on-unapproved", cwd=cwd).returncode == 1
    assert run("logs", "--fail-on-unapproved", "--approved", "openai", cwd=cwd).returncode == 1
    both = ["--approved", "openai", "--approved", "claude.ai"]
    assert run("logs", "--fail-on-unapproved", *both, cwd=cwd).returncode == 0
    assert b"approved" in run("logs", *both, cwd=cwd).stdout


def test_broken_lines_make_it_incomplete_and_the_rest_counts(logs: Path) -> None:
    (logs / "b.log").write_bytes(b"{broken\n" + lines([record(query_name="claude.ai.")]))
    (logs / "c.gz").write_bytes(gzip.compress(lines([record()]) * 100)[:-20])
    done = run("logs", "--format", "json", "--fail-on-unapproved", cwd=logs.parent)
    assert done.returncode == 4, "that something is missing goes before what was found"
    found = json.loads(done.stdout)
    assert {s["id"] for s in found["services"]} == {"anthropic", "openai"}
    assert [(e["file"], e["line"]) for e in found["errors"]] == [("b.log", 1), ("c.gz", None)]
    for args in (("--format", "json"), ("--format", "csv"), ("-o", "page.txt")):
        said = run("logs", *args, cwd=logs.parent).stderr.decode()
        assert "error: b.log:1: " in said and "error: c.gz: " in said, said
        assert said.endswith("error: the result is incomplete\n")
    assert b"2 errors; the result is incomplete" in run("logs", cwd=logs.parent).stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "missing argument"),
        (["nowhere"], "neither a file nor a folder"),
        (["-", "-"], "read once only"),
        (["s3://"], "names no bucket"),
        (["logs", "--approved", "opanai"], "neither the id of a service nor a domain"),
        (["logs", "--services", "nowhere.yaml"], "cannot be read"),
        (["logs", "--services", "logs/b.log"], "expected"),
        (["logs", "--flow-format", "xx yy"], "lacks srcaddr"),
        (["logs", "--vpcs", "nowhere"], "no snapshot"),
        (["logs", "--window", "5"], "60"),
        (["logs", "-o", "logs"], "cannot be written"),
        (["empty"], "no file is below it"),
    ],
)
def test_usage(logs: Path, arguments: list[str], words: str) -> None:
    (logs.parent / "empty").mkdir()
    done = run(*arguments, cwd=logs.parent)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr.decode()
    assert b"Traceback" not in done.stderr


def test_joins(logs: Path) -> None:
    cwd = logs.parent
    (cwd / "flow.log.gz").write_bytes(gzip.compress(f"{HEADER}\n{OUT}\n{BACK}\n".encode()))
    (cwd / "trail.json.gz").write_bytes(gzip.compress(json.dumps({"Records": [event()]}).encode()))
    done = run("logs", "--flow-logs", "flow.log.gz", "--trail", "trail.json.gz", cwd=cwd)
    assert done.returncode == 0, done.stderr
    text = done.stdout.decode()
    assert "connected: 2 flow records, 1,500 bytes sent, 9,000 received" in text
    assert "arn:aws:iam::111122223333:role/app as alice: 1 InvokeModel anthropic.claude-v2" in text
    assert "no connection to an answered address" in text


def test_csv_says_how_sure_it_is_and_asks_nobody_about_aws(logs: Path) -> None:
    names = ["claude.ai.", "bedrock-runtime.us-east-1.amazonaws.com.", "dns.google."]
    (logs / "b.log").write_bytes(lines([record(query_name=name) for name in names]))
    (logs.parent / "flow.log").write_text(f"{HEADER}\n{OUT}\n{BACK}\n")
    done = run("logs", "--flow-logs", "flow.log", "--format", "csv", "--approved", "openai", cwd=logs.parent)
    rows = {row["service"]: row for row in csv.DictReader(io.StringIO(done.stdout.decode()))}
    assert {name: row["approved"] for name, row in rows.items()} == {
        "openai": "yes", "anthropic": "no", "aws-bedrock": "not asked", "doh-google": "not asked",
    }  # fmt: skip
    assert {row["known_by"] for row in rows.values()} <= {"documented", "catalogued", "client", "listed"}
    assert rows["openai"]["flow_logs"] == "connected"
    done = run("logs", "--format", "csv", cwd=logs.parent)
    assert {row["flow_logs"] for row in csv.DictReader(io.StringIO(done.stdout.decode()))} == {""}


def _resource(kind: str, ident: str, **properties: Any) -> Resource:
    return Resource(kind, ident, "111122223333", "us-east-1", properties)


def test_vpcs_of_a_snapshot(logs: Path) -> None:
    vpc, link = "AWS::EC2::VPC", "AWS::Route53Resolver::ResolverQueryLoggingConfigAssociation"
    resources = [
        _resource(vpc, "vpc-7example"),
        _resource(vpc, "vpc-b"),
        _resource(vpc, "vpc-c"),
        _resource(vpc, "vpc-d"),
        _resource(link, "l-1", ResourceId="vpc-7example", Status="ACTIVE"),
        _resource(link, "l-2", ResourceId="vpc-b", Status="FAILED"),
        _resource(link, "l-3", ResourceId="vpc-d", Status="ACTIVE"),
    ]
    coverage = frozenset({("111122223333", "us-east-1", kind) for kind in (vpc, link)})
    write_snapshot(logs.parent / "snap", resources, created=CREATED, coverage=coverage)
    done = run("logs", "--vpcs", "snap", "--format", "json", cwd=logs.parent)
    assert done.returncode == 0, done.stderr
    unlogged = json.loads(done.stdout)["coverage"]["vpcs_unlogged"]
    assert [(v["vpc"], v["why"].partition(" (")[0]) for v in unlogged] == [
        ("vpc-b", "the association of its query logging configuration is FAILED"),
        ("vpc-c", "no query logging configuration is associated with it"),
        ("vpc-d", "a query logging configuration is associated"),
    ]
    write_snapshot(
        logs.parent / "half",
        resources[:4],
        created=CREATED,
        coverage=frozenset({("111122223333", "us-east-1", vpc)}),
    )
    done = run("logs", "--vpcs", "half", "--format", "json", cwd=logs.parent)
    assert {v["why"] for v in json.loads(done.stdout)["coverage"]["vpcs_unlogged"]} == {
        "whether it logs queries was not collected"
    }
    write_snapshot(logs.parent / "none", [], created=CREATED, coverage=frozenset())
    assert run("logs", "--vpcs", "none", cwd=logs.parent).returncode == 2


def test_the_same_bytes_whatever_the_machine(logs: Path) -> None:
    cwd = logs.parent
    outputs = set()
    for form in ("json", "csv", "terminal"):
        made = {
            run("logs", "--format", form, cwd=cwd, **env).stdout
            for env in (
                {"PYTHONHASHSEED": "1"},
                {"PYTHONHASHSEED": "2", "TZ": "Asia/Kolkata", "LC_ALL": "C"},
            )
        }
        assert len(made) == 1
        (data,) = made
        assert str(cwd).encode() not in data
        outputs.add(data)
        assert run("logs", "--format", form, "-o", "out", cwd=cwd).stdout == b""
        if form != "terminal":
            assert (cwd / "out").read_bytes() == data
    assert len(outputs) == 3


def test_hostile_names(tmp_path: Path) -> None:
    services = "services: [{id: evil, name: '=HYPERLINK(\"x\")</script>\\u202e##vso[x]', provider: '@x', domains: [e.example]}]"
    (tmp_path / "s.yaml").write_text(services.replace("'", '"').replace('("x")', "(1)"), encoding="utf-8")
    hostile = ["=1+1", "+1", "-1", "@SUM(1)", '"a', "::error::x", "</script>", "%0a"]
    data = lines(
        record(query_name="a.e.example.", srcaddr=text, vpc_id=text, srcids={"instance": text})
        for text in hostile
    )
    (tmp_path / "log").write_bytes(data)
    for form in ("json", "csv", "terminal"):
        done = run("log", "--services", "s.yaml", "--format", form, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        text = done.stdout.decode()
        assert "\u202e" not in text and "##vso[" not in text
        assert not any(line.startswith("::") for line in text.splitlines())
        if form == "csv":
            rows = list(csv.reader(io.StringIO(text)))
            assert len(rows) == 1 + len(hostile) and {len(row) for row in rows} == {len(rows[0])}
            assert not any(cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row)


def test_many_sources_are_cut_in_csv_and_table(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(lines(record(srcaddr=f"10.0.0.{n}") for n in range(9)))
    text = run("log", "--max-sources", "2", "--format", "csv", cwd=tmp_path).stdout.decode()
    assert text.count("\r\n") == 4 and '"and 7 more sources"' in text
    assert "and 7 more sources" in run("log", "--max-sources", "2", cwd=tmp_path).stdout.decode()


def test_the_list_can_be_read(tmp_path: Path) -> None:
    done = run("--list", "--approved", "openai", cwd=tmp_path)
    assert done.returncode == 0
    rows = done.stdout.decode().splitlines()
    assert len(rows) > 400
    assert any(row.startswith("assistant openai api.openai.com catalogued approved https://") for row in rows)


def test_help_and_the_table_of_commands(tmp_path: Path) -> None:
    assert b"--fail-on-unapproved" in run("--help", cwd=tmp_path).stdout
    done = subprocess.run([sys.executable, "-m", "policyengine", "--help"], capture_output=True, cwd=ROOT)
    assert b"shadow-ai" in done.stdout


def test_starting_loads_no_library_of_aws() -> None:
    code = "import sys, policyengine.cli.shadow_ai as m; print([n for n in ('botocore', 'boto3', 'yaml', 'sqlite3') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=ROOT)
    assert done.stdout.strip() == b"[]"


def test_folders_are_read_in_the_order_of_names_and_links_do_not_go_round(tmp_path: Path) -> None:
    for name in ("b/2.log", "b/1.log", "a/z/9.log", "a/0.log", "c.log"):
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"broken")
    (tmp_path / "logs" / "b" / "round").symlink_to(tmp_path / "logs")
    done = run("logs", "--format", "json", cwd=tmp_path)
    assert done.returncode == 4
    assert [e["file"] for e in json.loads(done.stdout)["errors"]] == [
        "c.log", "a/0.log", "a/z/9.log", "b/1.log", "b/2.log",
    ]  # fmt: skip


def test_what_cannot_be_listed_or_opened_is_an_error_and_the_rest_is_read(tmp_path: Path) -> None:
    """Wired, because tests may run as root, whom no permission stops."""
    code = """
import os, sys
from policyengine.cli.shadow_ai import targets
from policyengine.cli.main import main
scandir = os.scandir
def refusing(path):
    if str(path).endswith("shut"):
        raise PermissionError(13, "Permission denied", path)
    return scandir(path)
targets.os.scandir = refusing
main(["shadow-ai", "logs", "--format", "json"])
"""
    for name in ("a.log", "shut/b.log", "z/c.log"):
        path = tmp_path / "logs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(lines([record()]))
    (tmp_path / "logs" / "gone.log").symlink_to("nowhere")
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 4, done.stderr
    found = json.loads(done.stdout)
    assert found["coverage"]["records"] == 2
    assert [e["message"] for e in found["errors"]] == ["cannot be listed: permission denied"]
