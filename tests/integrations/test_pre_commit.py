"""`policyengine pre-commit`: only the files of a commit, quiet where all is well."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.cli.conftest import Result, command

from .repositories import CLOSED, OPEN, git, quiet_rules
from .runner import ROOT

HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q")
    quiet_rules(tmp_path, "security-group-admin-ports-closed")
    (tmp_path / "good.yaml").write_text(CLOSED)
    (tmp_path / "bad.yaml").write_text(OPEN)
    (tmp_path / "other.yaml").write_text("jobs: {build: {steps: [run]}}\n")
    (tmp_path / "notes.json").write_text('{"Resources": "of the library"}')
    (tmp_path / "broken.yaml").write_text("AWSTemplateFormatVersion: '2010-09-09'\nResources: {A: [}\n")
    (tmp_path / "secret.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "empty.yaml").write_text("")
    return tmp_path


def hook(folder: Path, *args: str) -> Result:
    return command(folder, "pre-commit", *args)


@pytest.mark.parametrize(
    "files",
    [
        [], ["good.yaml", "other.yaml", "notes.json", "secret.yaml", "empty.yaml", "deleted.yaml", "."], ["other.yaml"],
    ],
)  # fmt: skip
def test_it_is_silent_where_nothing_is_wrong(folder: Path, files: list[str]) -> None:
    done = hook(folder, *files)
    assert (done.code, done.out, done.err) == (0, "", "")


def test_only_what_is_named_is_judged(folder: Path) -> None:
    done = hook(folder, "bad.yaml", "good.yaml", "other.yaml")
    assert done.code == 1
    assert "bad.yaml:7:" in done.out and "good.yaml" not in done.out
    assert hook(folder, "bad.yaml", "--fail-on", "never").out == ""


def test_a_template_that_cannot_be_read_stops_the_commit(folder: Path) -> None:
    done = hook(folder, "broken.yaml", "good.yaml")
    assert done.code == 2
    assert "broken.yaml:2" in done.out


@pytest.mark.slow
def test_debt_of_the_baseline_does_not_stop_a_commit(folder: Path) -> None:
    run = partial(command, folder)
    assert run("baseline", "write", ".", "-o", "baseline.json").code == 2, "broken.yaml is an error to it"
    (folder / "broken.yaml").unlink()
    assert run("baseline", "write", ".", "-o", "baseline.json").code == 0
    with (folder / "policyengine.yaml").open("a") as file:
        file.write("baseline: baseline.json\n")
    assert (hook(folder, "bad.yaml").code, hook(folder, "bad.yaml").out) == (0, "")


def test_unknown_is_told_under_strict_only(folder: Path) -> None:
    text = OPEN.replace("CidrIp: 0.0.0.0/0", "SourcePrefixListId: !ImportValue Partners")
    (folder / "unknown.yaml").write_text(text)
    assert (hook(folder, "unknown.yaml").code, hook(folder, "unknown.yaml").out) == (0, "")
    strict = hook(folder, "unknown.yaml", "--strict")
    assert strict.code == 3 and "not determined" in strict.out


def test_the_manifest_is_pre_commits() -> None:
    """https://pre-commit.com/#creating-new-hooks; its own validator reads it."""
    validate = Path(sys.executable).with_name("pre-commit")
    if not validate.exists():
        pytest.skip("pre-commit is not installed")
    manifest = ROOT / ".pre-commit-hooks.yaml"
    done = subprocess.run(
        [validate, "validate-manifest", manifest], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert [each["id"] for each in HOOKS] == ["policyengine", "policyengine-review"]
    for each in HOOKS:
        assert each["entry"].split()[0] == "policyengine" and each["language"] == "python"


@pytest.mark.slow
def test_pre_commit_runs_the_hook_in_a_repository(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """pre-commit makes its own environment of this checkout, and gives the hook the files of the commit."""
    tool = Path(sys.executable).with_name("pre-commit")
    if not tool.exists():
        pytest.skip("pre-commit is not installed")
    source = tmp_path_factory.mktemp("hooks") / "policyengine"
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "tests", "benchmarks", "__pycache__", ".*_cache", "demo-out", "build"
    )
    shutil.copytree(ROOT, source, ignore=ignored)
    git(source, "init", "-q")
    git(source, "add", "-Af")
    git(source, "commit", "-qm", "hooks")
    revision = git(source, "rev-parse", "HEAD")
    config = {"repos": [{"repo": str(source), "rev": revision, "hooks": [{"id": "policyengine"}]}]}
    (folder / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    environ = {
        **os.environ,
        "PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("home")),
        "GIT_CONFIG_GLOBAL": os.devnull,
    }

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [tool, "run"], cwd=folder, env=environ, capture_output=True, text=True, check=False
        )

    git(folder, "add", "good.yaml", "other.yaml", ".pre-commit-config.yaml")
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Passed" in done.stdout and "bad.yaml" not in done.stdout
    git(folder, "add", "bad.yaml")
    done = run()
    assert done.returncode == 1 and "bad.yaml:7:" in done.stdout
