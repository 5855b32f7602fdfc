"""Every command of the documentation runs, in the order of its page, in a folder that has what the page speaks of."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.docs.documented import NOT_RUN, ROOT, Shown, pages, shown
from tests.history.recorded import item
from tests.live.populate import Clients, organization
from tests.live.server import environment, running
from tests.shadow_ai.helpers import lines, record

FINE = frozenset({0, 1, 3})
"""Exit codes of commands that did what they say: nothing found, something found, something unknown."""
LIVE = frozenset({4})
"""An emulator lacks calls: what they would read is UNKNOWN, and the run says that it is not whole."""
PAGES = [page for page in pages() if any(each.not_run is None for each in shown(page))]
COMMANDS = [each for page in pages() for each in shown(page)]


def test_reasons_for_not_running_are_of_commands_there_are() -> None:
    for start in NOT_RUN:
        assert any(each.text.startswith(start) for each in COMMANDS), start
    assert len([each for each in COMMANDS if each.not_run is None]) > 100


WITHHOLD = "evidence: {withhold: {tags: [Owner]}}"
BEFORE = {
    "policyengine evidence export run/ --sign-key audit.pem --previous last.zip": (
        "policyengine evidence export run/ --sign-key audit.pem --without html --without xlsx -o last.zip"
    ),
    "policyengine scan snapshot/ -o run/                                      # kept whole": (
        f"rm -rf run && echo '{WITHHOLD}' > policyengine.yaml"
    ),
    "policyengine history add runs/": (
        'policyengine history add run-monday && policyengine milestones add "audit 2025" run-monday'
    ),
}
"""Beginning of a command -> what its reader has done before."""
LEFT_OUT = (" --collector-key collector.pub", " --expect-head head.json")
"""Options whose files the reader got from somebody else; tests/evidence have them."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running() as found:
        organization(found, 2, ["eu-west-1"])
        _logs_in_s3(found)
        yield found


def _logs_in_s3(endpoint: str) -> None:
    s3 = Clients(endpoint)("s3")
    s3.create_bucket(Bucket="logs")
    s3.put_object(Bucket="logs", Key="AWSLogs/111122223333/vpcdnsquerylogs/a.log", Body=lines([record()]))


def policyengine(folder: Path, *args: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "policyengine", *args], cwd=folder, capture_output=True, check=False
    )
    assert done.returncode in FINE, done.stderr.decode()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What pages take for granted: templates, plans, snapshots of two days, runs, logs, items of AWS Config."""
    found = tmp_path_factory.mktemp("world")
    shutil.copytree(ROOT / "examples", found / "examples", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "examples/template.yaml", found)
    shutil.copy(ROOT / "examples/plan.json", found)
    shutil.copy(ROOT / "examples/plan.json", found / "old-plan.json")
    shutil.copytree(ROOT / "examples/terraform", found, dirs_exist_ok=True)
    for name in ("snapshot", "monday", "tuesday"):
        shutil.copytree(ROOT / "examples/organization", found / name)
    for name in ("run", "run-monday", "run-tuesday"):
        policyengine(found, "scan", "snapshot", "-o", name, "-q", "--as-of", "2026-01-01T00:00:00Z")
    policyengine(
        found, "rules", "new", "sqs-has-dead-letter-queue", "--type", "AWS::SQS::Queue", "--folder", "mine"
    )
    (found / "templates").mkdir()
    shutil.copy(ROOT / "examples/template.yaml", found / "templates")
    for name in ("engine", "ben"):
        policyengine(found, "evidence", "keygen", name)
    policyengine(
        found,
        "evidence",
        "export",
        "run",
        "--sign-key",
        "engine",
        "-o",
        "bundle.zip",
        *(f"--without={name}" for name in ("html", "xlsx", "oscal", "oscal-poam", "well-architected")),
    )
    (found / "scenarios.ndjson").write_text(_scenarios())
    _logs(found)
    _rules(found)
    return found


def _rules(folder: Path) -> None:
    """Rules of the reader's own, and those of other tools."""
    shutil.copytree(ROOT / "rules/sqs", folder / "policies/sqs")
    (folder / "custodian.yml").write_text(
        "policies:\n  - {name: short-backups, resource: rds, "
        "filters: [{type: value, key: BackupRetentionPeriod, op: lt, value: 7}]}\n"
    )
    (folder / "checks.guard").write_text(
        "rule KEYS_ROTATE { AWS::KMS::Key { Properties.EnableKeyRotation == true } }\n"
    )


def _scenarios() -> str:
    policy = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}],
    }
    asked = {
        "principal": "arn:aws:iam::111122223333:role/r",
        "action": "s3:GetObject",
        "resource": "arn:aws:s3:::b/k",
    }
    return json.dumps({"id": "1", "request": asked, "identity_policies": [policy]}) + "\n"


def _logs(folder: Path) -> None:
    for name in ("query-logs", "logs"):
        (folder / name).mkdir()
        (folder / name / "queries.log").write_bytes(lines([record()]))
    (folder / "flows").mkdir()
    fields = "version account-id interface-id srcaddr dstaddr srcport dstport protocol packets bytes start end action log-status"
    flow = "2 111122223333 eni-1 10.0.0.5 203.0.113.9 56067 443 6 10 840 1612461115 1612461175 ACCEPT OK"
    (folder / "flows/flow.log").write_text(f"{fields}\n{flow}\n")
    items: list[Any] = [item(1, 443), item(2, 22), item(3, 443)]
    delivered = json.dumps({"fileVersion": "1.0", "configurationItems": items}).encode()
    name = "111122223333_Config_eu-west-1_ConfigHistory_AWS::EC2::SecurityGroup_20261104T000000Z_20261104T000000Z_1.json.gz"
    for where in ("config-history", "config-bucket/AWSLogs/111122223333/Config"):
        (folder / where).mkdir(parents=True)
        (folder / where / name).write_bytes(gzip.compress(delivered, mtime=0))
    delivered = json.dumps({"fileVersion": "1.0", "configurationItems": items[:1]}).encode()
    snapshot = "111122223333_Config_eu-west-1_ConfigSnapshot_….json.gz"
    (folder / snapshot).write_bytes(gzip.compress(delivered, mtime=0))
    (folder / "item.json").write_text(json.dumps(items[0]))
    for where in ("trail", "cloudtrail"):
        (folder / where).mkdir()
        (folder / where / "trail.json").write_text('{"Records": []}')
    (folder / "cloudtrail.json.gz").write_bytes(gzip.compress(b'{"Records": []}', mtime=0))


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_commands_of_a_page_run(page: Path, world: Path, endpoint: str, tmp_path: Path) -> None:
    folder = tmp_path / "reader"
    shutil.copytree(world, folder)
    binaries = Path(sys.executable).parent
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(binaries)
    env = {
        **os.environ,
        **environment(endpoint),
        "PATH": f"{binaries}:{os.environ['PATH']}",
        "NO_COLOR": "1",
        "ID": "x",
    }
    _begin_repository(folder, env)
    wrong = [text for each in shown(page) if each.not_run is None and (text := _wrong(each, folder, env))]
    assert wrong == [], "\n".join(wrong)


def _begin_repository(folder: Path, env: dict[str, str]) -> None:
    for args in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["commit", "-q", "-m", "1"],
        ["commit", "-q", "--allow-empty", "-m", "2"],
    ):
        subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@example.com", *args],
            cwd=folder,
            env=env,
            check=True,
        )


def _narrowed(text: str) -> str:
    """Let commands that read accounts ask one region for what one rule needs: the emulator answers slowly, and all that
    collectors can ask is tested elsewhere (tests/live)."""
    for option in LEFT_OUT:
        text = text.replace(option, "")
    parts = text.split(" && ")
    for index, part in enumerate(parts):
        if part.startswith(("policyengine scan", "policyengine snapshot")) and (
            "--live" in part or "--org" in part
        ):
            command, comment, rest = part.partition(" #")
            regions = "" if "--regions" in command else " --regions eu-west-1"
            parts[index] = f"{command.rstrip()} --rule s3-versioning{regions}{comment}{rest}"
    return " && ".join(parts)


def _wrong(each: Shown, folder: Path, env: dict[str, str]) -> str | None:
    """Run a command as a reader would; return what went wrong."""
    before = next((command for start, command in BEFORE.items() if each.text.startswith(start)), None)
    if before is not None:
        made = subprocess.run(
            ["bash", "-c", before],
            cwd=folder,
            env=env,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if made.returncode not in FINE or "error:" in made.stderr:
            return f"{each.page}:{each.line}: what is done before, `{before}`, fails: {made.stderr[-600:]}"
    done = subprocess.run(
        ["bash", "-c", _narrowed(each.text)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    calls = any(word in each.text for word in ("--live", "--org", "drift"))
    if done.returncode in FINE | (LIVE if calls else frozenset()) and "Traceback" not in done.stderr:
        return None
    return f"{each.page}:{each.line}: `{each.text}` exits with {done.returncode}: {(done.stderr or done.stdout)[-600:]}"
