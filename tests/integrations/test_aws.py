"""CodeBuild's commands run by bash, and the pipeline judged by our own rules."""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from policyengine.documents import load
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import Scan
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets

from .repositories import RECORD, Change, quiet_rules
from .runner import ROOT, Runner

FOLDER = ROOT / "integrations" / "aws"
PIPELINE = FOLDER / "pipeline.yaml"
SPEC: dict[str, Any] = yaml.safe_load((FOLDER / "buildspec.yml").read_text())
PLACE = SourceOptions(
    account="111122223333",
    region="eu-west-1",
    parameters={
        "ConnectionArn": "arn:aws:codeconnections:eu-west-1:111122223333:connection/0a1b2c3d-0000-4000-8000-000000000000",
        "RepositoryId": "example/shop", "StackName": "shop", "AccessLogBucket": "example-access-logs",
        "DeploymentRoleArn": "arn:aws:iam::111122223333:role/deployment/shop",
    },
)  # fmt: skip

PRINCIPALS = "who else may do it is decided by principals that are not in this template"
DEPLOYER = "what the deployment role may do is not in this template: it is a parameter"
INHERENT = {
    "s3-mfa-delete": "only the root user turns it on, by a call of its own",
    "codebuild-overrides-restricted": PRINCIPALS,
    "pipeline-approvers-cannot-change-pipeline": PRINCIPALS,
    "pipeline-artifacts-written-by-pipeline-only": PRINCIPALS,
    "pipeline-committers-cannot-approve": PRINCIPALS,
    "pipeline-committers-cannot-change-build": PRINCIPALS,
    "pipeline-committers-cannot-change-pipeline": PRINCIPALS,
    "pipeline-committers-cannot-change-roles": PRINCIPALS,
    "pipeline-deployed-by-pipeline-only": PRINCIPALS,
    "iam-policy-no-escalation": DEPLOYER,
    "iam-principal-no-escalation": DEPLOYER,
}
"""Rules of ours that cannot be decided of the pipeline's template alone, and why."""


def test_our_own_rules_find_nothing_wrong_with_the_pipeline() -> None:
    discovery = open_targets([str(PIPELINE)], PLACE)
    evaluator = Evaluator(load_packs(), now=datetime.now(UTC))
    found: dict[str, set[str]] = {"FAIL": set(), "UNKNOWN": set(), "PASS": set()}
    for finding in Scan(evaluator, discovery.sources, Wanted(frozenset(found))).findings():
        found[finding.verdict].add(finding.rule)
    assert not discovery.errors and not any(source.errors for source in discovery.sources)
    assert found["FAIL"] == set()
    assert found["UNKNOWN"] == set(INHERENT)
    roles = {"codepipeline-role-scoped", "codebuild-role-scoped", "pipeline-build-role-cannot-approve",
             "pipeline-build-role-cannot-change-pipeline", "pipeline-manual-approval-before-production",
             "connection-use-limited-to-repositories", "pipeline-failures-noticed"}  # fmt: skip
    assert roles <= found["PASS"], "what the roles may do is proved, not merely unknown"


@pytest.mark.slow
def test_cfn_lint_finds_nothing_in_the_pipeline() -> None:
    pytest.importorskip("cfnlint")
    lint = Path(sys.executable).with_name("cfn-lint")
    done = subprocess.run([lint, PIPELINE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_project_holds_the_commands_itself() -> None:
    """Whoever pushes cannot change what judges the push; the file beside it is for projects of others."""
    template = load(PIPELINE.read_bytes(), name="pipeline.yaml", style="cloudformation").value
    inline = template["Resources"]["Check"]["Properties"]["Source"]["BuildSpec"]
    assert inline == (FOLDER / "buildspec.yml").read_text()


def test_the_buildspec_is_what_codebuild_documents() -> None:
    """https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html."""
    assert set(SPEC) == {"version", "env", "phases", "reports"}
    assert SPEC["version"] == 0.2
    assert set(SPEC["env"]) == {"shell", "variables"} and SPEC["env"]["shell"] == "bash"
    assert all(isinstance(value, str) for value in SPEC["env"]["variables"].values())
    assert set(SPEC["phases"]) == {"install", "build"}
    for phase in SPEC["phases"].values():
        assert set(phase) <= {"runtime-versions", "on-failure", "commands"}
        assert all(isinstance(each, str) for each in phase["commands"])
    assert SPEC["reports"]["policyengine"]["file-format"] == "JUNITXML"


def build(
    clone: Path, tmp_path: Path, *, stub: str | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the commands of the build phase, in one shell as version 0.2 does."""
    command = Runner(tmp_path / "runner", clone, {}, {}).installed(stub)
    home = tmp_path / "policyengine" / "bin"
    home.mkdir(parents=True, exist_ok=True)
    (home / "policyengine").write_text(command.read_text())
    (home / "policyengine").chmod(0o755)
    return subprocess.run(
        ["bash", "-c", "\n".join(SPEC["phases"]["build"]["commands"])], cwd=clone, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path), "RUNNER_TEMP": str(tmp_path),
             "GIT_CONFIG_NOSYSTEM": "1", **SPEC["env"]["variables"], **environ},
    )  # fmt: skip


@pytest.mark.slow
def test_a_build_fails_on_what_fails_and_leaves_a_report(tmp_path: Path, open_main: Path) -> None:
    clone = open_main
    quiet_rules(clone, "security-group-admin-ports-closed")
    done = build(clone, tmp_path)
    assert done.returncode == 1, done.stderr
    assert "template.yaml:7" in done.stdout
    root = ElementTree.parse(clone / "reports" / "policyengine.xml").getroot()
    assert len(root.findall(".//failure")) == 1


@pytest.mark.slow
def test_a_build_in_which_all_is_well_says_one_line(tmp_path: Path, change: Change) -> None:
    clone = change.checkout("refs/heads/main", 1)
    quiet_rules(clone, "security-group-admin-ports-closed")
    done = build(clone, tmp_path)
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (0, 1, "")


PULL = {"CODEBUILD_WEBHOOK_EVENT": "PULL_REQUEST_UPDATED", "CODEBUILD_WEBHOOK_BASE_REF": "refs/heads/main"}
"""https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html."""


def asked(tmp_path: Path) -> list[str]:
    return (tmp_path / "asked").read_text().splitlines()


def test_a_pull_request_is_reviewed_against_where_it_parted(tmp_path: Path, change: Change) -> None:
    clone = change.checkout("refs/heads/change", None)
    assert build(clone, tmp_path, stub=RECORD, **PULL).returncode == 0
    words = asked(tmp_path)
    assert words[words.index("review") :] == [
        "review", "--base", change.parted, "--exact-base", "--head", "HEAD", "--fail-on", "low", "--", ".",
    ]  # fmt: skip


def test_without_its_history_everything_is_judged_and_that_is_said(tmp_path: Path, change: Change) -> None:
    clone = change.checkout("refs/heads/change", 1)
    done = build(clone, tmp_path, stub=RECORD, **PULL)
    assert done.returncode == 0
    assert "everything is judged" in done.stdout and "review" not in asked(tmp_path)


@pytest.mark.parametrize("code", ["2", "4"])
def test_a_build_that_could_not_see_everything_ends_with_that(
    tmp_path: Path, change: Change, code: str
) -> None:
    clone = change.checkout("refs/heads/main", 1)
    assert build(clone, tmp_path, stub=RECORD, STUB_CODE=code).returncode == int(code)
    assert asked(tmp_path).count("scan") == 1


@pytest.mark.slow
def test_a_pull_request_that_opens_a_port_fails(tmp_path: Path, change: Change) -> None:
    clone = change.checkout("refs/heads/change", None)
    done = build(clone, tmp_path, **PULL)
    assert done.returncode == 1, done.stderr
    assert "template.yaml:7" in done.stdout
