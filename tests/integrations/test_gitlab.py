"""The GitLab template: its script run by sh in a clone, and the Code Quality report it leaves."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from .repositories import RECORD, Change, quiet_rules
from .runner import ROOT, Runner

FILE = ROOT / "integrations" / "gitlab" / "policyengine.gitlab-ci.yml"
JOB: dict[str, Any] = yaml.safe_load(FILE.read_text())["policyengine"]
SEVERITIES = {"info", "minor", "major", "critical", "blocker"}


def test_the_schema_store_takes_it() -> None:
    vendored = pytest.importorskip("check_jsonschema")
    jsonschema = pytest.importorskip("jsonschema")
    schema = Path(vendored.__file__).parent / "builtin_schemas" / "vendor" / "gitlab-ci.json"
    jsonschema.validate(yaml.safe_load(FILE.read_text()), json.loads(schema.read_text()))


def test_the_job_has_what_gitlab_documents() -> None:
    """https://docs.gitlab.com/ci/yaml/; `artifacts:reports:codequality` is uploaded whatever the job ends with."""
    assert set(JOB) == {"stage", "image", "variables", "rules", "before_script", "script", "artifacts"}
    assert JOB["artifacts"]["when"] == "always"
    assert JOB["artifacts"]["reports"] == {"codequality": "gl-code-quality-report.json"}
    assert [rule["if"] for rule in JOB["rules"]] == [
        '$CI_PIPELINE_SOURCE == "merge_request_event"', "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
    ]  # fmt: skip


def script(
    clone: Path, tmp_path: Path, *, stub: str | None = None, **environ: str
) -> subprocess.CompletedProcess[str]:
    """Run the script as the runner does: one shell, variables in its environment."""
    command = Runner(tmp_path / "runner", clone, {}, {}).installed(stub)
    home = tmp_path / "policyengine-1" / "bin"
    home.mkdir(parents=True, exist_ok=True)
    (home / "policyengine").write_text(command.read_text())
    (home / "policyengine").chmod(0o755)
    given = {key: str(value) for key, value in JOB["variables"].items()}
    return subprocess.run(
        ["sh", "-c", "\n".join(JOB["script"])], cwd=clone, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CI_PROJECT_DIR": str(clone), "CI_JOB_ID": "1", "TMPDIR": str(tmp_path), "RUNNER_TEMP": str(tmp_path),
             "GIT_CONFIG_NOSYSTEM": "1", **given, **environ},
    )  # fmt: skip


def report(clone: Path) -> list[dict[str, Any]]:
    """https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format: these members, and no BOM."""
    data = (clone / "gl-code-quality-report.json").read_bytes()
    assert not data.startswith(b"\xef\xbb\xbf")
    issues: list[dict[str, Any]] = json.loads(data)
    for issue in issues:
        assert {"description", "check_name", "fingerprint", "location", "severity"} <= issue.keys()
        assert issue["severity"] in SEVERITIES
        assert not issue["location"]["path"].startswith(("/", "./"))
        assert type(issue["location"]["lines"]["begin"]) is int
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    return issues


@pytest.mark.slow
def test_a_branch_with_a_failure_fails_and_reports_it(tmp_path: Path, open_main: Path) -> None:
    clone = open_main
    quiet_rules(clone, "security-group-admin-ports-closed")
    done = script(clone, tmp_path)
    assert done.returncode == 1, done.stderr
    assert "template.yaml:7" in done.stdout
    assert [
        (i["check_name"], i["location"]["path"], i["location"]["lines"]["begin"]) for i in report(clone)
    ] == [("security-group-admin-ports-closed", "template.yaml", 7)]


@pytest.mark.slow
def test_a_branch_without_one_says_one_line_and_reports_nothing(tmp_path: Path, change: Change) -> None:
    clone = change.checkout("refs/heads/main", 1)
    quiet_rules(clone, "security-group-admin-ports-closed")
    done = script(clone, tmp_path)
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (0, 1, "")
    assert report(clone) == []


def test_a_merge_request_is_reviewed_against_its_diff_base(tmp_path: Path, change: Change) -> None:
    clone = change.checkout("refs/heads/change", 1)
    done = script(clone, tmp_path, stub=RECORD, CI_MERGE_REQUEST_DIFF_BASE_SHA=change.parted)
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:6] == [
        "scan",
        "--quiet",
        "--fail-on",
        "never",
        "--format",
        "gitlab=gl-code-quality-report.json",
    ]
    assert asked[asked.index("review") :] == [
        "review", "--base", change.parted, "--exact-base", "--head", "HEAD", "--fail-on", "low", "--format", "terminal",
        "--format", "markdown=policyengine-review.md", "--", ".",
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["2", "4"])
def test_a_scan_that_could_not_see_everything_ends_the_job(tmp_path: Path, change: Change, code: str) -> None:
    clone = change.checkout("refs/heads/main", 1)
    done = script(clone, tmp_path, stub=RECORD, STUB_CODE=code, CI_MERGE_REQUEST_DIFF_BASE_SHA="HEAD")
    assert done.returncode == int(code)
    assert "review" not in (tmp_path / "asked").read_text()


def test_a_merge_request_that_opens_a_port_fails_and_leaves_what_it_says(
    tmp_path: Path, change: Change
) -> None:
    clone = change.checkout("refs/heads/change", 1)
    done = script(clone, tmp_path, CI_MERGE_REQUEST_DIFF_BASE_SHA=change.parted)
    assert done.returncode == 1, done.stderr
    assert "template.yaml:7" in done.stdout
    assert "template.yaml" in (clone / "policyengine-review.md").read_text()
    assert "security-group-admin-ports-closed" in {issue["check_name"] for issue in report(clone)}
