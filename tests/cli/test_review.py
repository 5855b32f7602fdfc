"""``policyengine review`` over real repositories."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.review import review
from policyengine.model.errors import PolicyEngineError
from tests.cli.conftest import command

TEMPLATE = """\
Resources:
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      VpcId: vpc-1
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8}
  Logs:
    Type: AWS::SQS::Queue
"""
OPEN = "        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}\n"
OPENED = TEMPLATE.replace("  Logs:", OPEN + "  Logs:")
RULE = ("--rule", "security-group-admin-ports-closed")


class Repo:
    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(exist_ok=True)
        self.git("init", "-q", "-b", "main", ".")

    def git(self, *args: str) -> str:
        names = {
            f"GIT_{who}_{what}": "x@example.com"
            for who in ("AUTHOR", "COMMITTER")
            for what in ("NAME", "EMAIL")
        }
        env = {**os.environ, **names, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        done = subprocess.run(
            ["git", *args], cwd=self.root, env=env, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def write(self, **files: str) -> None:
        for name, text in files.items():
            path = self.root / name.replace("__", "/")
            path = path.with_name(
                path.name.replace("_yaml", ".yaml").replace("_json", ".json").replace("_tf", ".tf")
            )
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def commit(self, **files: str) -> str:
        self.write(**files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "x")
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Repo:
    found = Repo(tmp_path / "repo")
    found.commit(template_yaml=TEMPLATE)
    monkeypatch.chdir(found.root)
    return found


Asked = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Asked:
    def asked(*args: str, rules: tuple[str, ...] = RULE) -> tuple[int, dict[str, Any]]:
        code = review.main([*args, *rules, "--format", "json"], standalone_mode=False)
        return code, json.loads(capsys.readouterr().out)

    return asked


def told(document: dict[str, Any], *effects: str) -> list[tuple[str, str]]:
    return [(e["kind"], e["title"]) for e in document["entries"] if not effects or e["effect"] in effects]


def test_one_port_is_one_finding_at_its_line(repo: Repo, ask: Asked) -> None:
    repo.write(template_yaml=OPENED)
    code, found = ask("--base", "HEAD", rules=())
    assert code == 1 and found["summary"]["worse"] == 1
    entry = next(e for e in found["entries"] if e["effect"] == "worse")
    assert (entry["kind"], entry["file"], entry["line"]) == ("network", "template.yaml", 9)
    assert {r["rule"] for r in entry["rules"]} >= {"security-group-admin-ports-closed"}
    assert all((r["before"], r["after"]) == ("PASS", "FAIL") for r in entry["rules"])


def test_what_was_wrong_before_is_not_told(repo: Repo, ask: Asked) -> None:
    repo.commit(template_yaml=OPENED)
    repo.write(template_yaml=OPENED.replace("GroupDescription: web", "GroupDescription: other"))
    code, found = ask("--base", "HEAD", rules=())
    assert (code, told(found, "worse")) == (0, [])
    assert found["run"]["resources"] == {"changed": 1, "unchanged": 1}


def test_nothing_changed_is_quiet(repo: Repo, capsys: pytest.CaptureFixture[str]) -> None:
    assert review.main(["--base", "HEAD", "-q"], standalone_mode=False) == 0
    assert capsys.readouterr().out == ""
    assert review.main(["--base", "HEAD"], standalone_mode=False) == 0
    assert "nothing got worse: the work tree against" in capsys.readouterr().out


def test_a_renamed_file_and_a_moved_resource_are_no_change(repo: Repo, ask: Asked) -> None:
    repo.git("mv", "template.yaml", "network.yaml")
    code, found = ask("--base", "HEAD", rules=())
    assert (code, told(found, "worse", "unclear", "better")) == (0, [])
    repo.write(queue_yaml="Resources:\n  Logs:\n    Type: AWS::SQS::Queue\n")
    repo.write(network_yaml=TEMPLATE.replace("  Logs:\n    Type: AWS::SQS::Queue\n", ""))
    code, found = ask("--base", "HEAD", rules=())
    assert (code, told(found, "worse", "better")) == (0, [])
    assert found["run"]["resources"] == {"unchanged": 2}


@pytest.mark.slow
def test_what_others_merged_since_is_no_part_of_the_change(repo: Repo, ask: Asked) -> None:
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit(other_yaml="Resources: {Q: {Type: AWS::SQS::Queue}}\n")
    repo.git("checkout", "-q", "main")
    repo.commit(template_yaml=OPENED)
    repo.git("checkout", "-q", "topic")
    code, found = ask("--base", "main", "--head", "HEAD")
    assert (code, told(found, "worse", "better")) == (0, [])
    code, found = ask("--base", "main", "--head", "HEAD", "--exact-base")
    assert [kind for kind, _ in told(found, "better")] == ["network"]


def test_a_new_file_that_git_does_not_know_is_reviewed_and_one_it_ignores_is_not(
    repo: Repo, ask: Asked
) -> None:
    repo.write(
        new_yaml=OPENED.replace("Logs", "More").replace(
            "GroupDescription: web", "GroupDescription: quite another"
        )
    )
    assert ask("--base", "HEAD")[0] == 1
    (repo.root / ".gitignore").write_text("new.yaml\n")
    assert ask("--base", "HEAD")[0] == 0


def test_the_scope_is_the_current_folder_or_what_is_named(
    repo: Repo, ask: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.write(a__template_yaml=OPENED, b__template_yaml=OPENED)
    monkeypatch.chdir(repo.root / "a")
    _, found = ask("--base", "HEAD")
    assert {e["file"] for e in found["entries"] if e["effect"] == "worse"} == {"a/template.yaml"}
    _, found = ask("--base", "HEAD", "../b")
    assert {e["file"] for e in found["entries"] if e["effect"] == "worse"} == {"b/template.yaml"}


CONFIG = "severities: {security-group-admin-ports-closed: low}\n"
OFF = "disabled:\n  security-group-admin-ports-closed: not for us\n"


def test_a_change_cannot_loosen_its_own_gate(repo: Repo, ask: Asked) -> None:
    repo.commit(policyengine_yaml=CONFIG)
    repo.write(policyengine_yaml=OFF, template_yaml=OPENED)
    code, found = ask("--base", "HEAD")
    assert code == 1 and found["run"]["config"].endswith(":policyengine.yaml")
    assert [title for kind, title in told(found, "new") if kind == "gate"] == [
        "rule `security-group-admin-ports-closed` is disabled: not for us"
    ]
    assert ask("--base", "HEAD", "--config", "policyengine.yaml")[0] == 1


def test_a_broken_gate_is_told_as_the_reader_knows_it(repo: Repo, ask: Asked) -> None:
    commit = repo.commit(policyengine_yaml="severity: {}\n")
    with pytest.raises(PolicyEngineError) as caught:
        ask("--base", "HEAD")
    assert str(caught.value).startswith(f"{commit[:12]}:policyengine.yaml:1:1: unknown key `severity`")


def test_rules_are_those_of_the_base(repo: Repo, ask: Asked) -> None:
    with pytest.raises(PolicyEngineError, match=r"--rules `rules` is not in the base"):
        (repo.root / "rules").mkdir()
        (repo.root / "rules/x.yaml").write_text("id: x\n")
        ask("--base", "HEAD", "--rules", "rules")


WAIVERS = """\
waivers:
  - id: W-1
    rule: security-group-admin-ports-closed
    scope: {resource: Web}
    owner: a@example.com
    approver: b@example.com
    reason: until the bastion is gone
    ticket: T-1
    granted: "2026-01-01"
    expires: "2026-06-01"
    pin: false
"""


def test_a_waiver_that_goes_is_a_waiver_lost(repo: Repo, ask: Asked) -> None:
    repo.commit(policyengine_yaml=CONFIG, waivers_yaml=WAIVERS, template_yaml=OPENED)
    at = ("--as-of", "2026-02-01T00:00:00Z")
    repo.write(template_yaml=OPENED.replace("GroupDescription: web", "GroupDescription: other"))
    assert ask("--base", "HEAD", *at)[0] == 0
    repo.write(waivers_yaml="waivers: []\n")
    code, found = ask("--base", "HEAD", *at)
    assert code == 1 and [kind for kind, _ in told(found, "worse")] == ["waiver"]


def test_what_cannot_be_read_is_no_success(
    repo: Repo, ask: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    repo.write(template_yaml=TEMPLATE + "  Broken: [\n")
    code, found = ask("--base", "HEAD")
    assert code == 2 and not found["run"]["complete"]
    assert "template.yaml" in found["run"]["errors"][0]["message"]
    assert {e["file"] for e in found["entries"] if e["kind"] == "unreadable"} == {"template.yaml"}


def test_terraform_without_a_plan_is_said(repo: Repo, ask: Asked) -> None:
    repo.write(main_tf='resource "aws_s3_bucket" "b" {}\n')
    code, found = ask("--base", "HEAD")
    assert code == 0 and "terraform show -json" in " ".join(title for _, title in told(found, "unclear"))
    assert ask("--base", "HEAD", "--strict")[0] == 3


def test_files_and_folders(tmp_path: Path, ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in (("old", TEMPLATE), ("new", OPENED)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "template.yaml").write_text(text)
        (tmp_path / f"{name}.yaml").write_text(text)
    for base, head in (("old", "new"), ("old.yaml", "new.yaml")):
        code, found = ask("--base", base, "--head", head)
        assert code == 1 and found["summary"]["worse"] == 1
        assert found["run"]["resources"]["unchanged"] == 1
    with pytest.raises(PolicyEngineError, match="a file with a file"):
        ask("--base", "old", "--head", "new.yaml")
    with pytest.raises(PolicyEngineError, match="in no git work tree"):
        ask("--base", "main")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--base", "nowhere"], "neither a file, a folder nor a revision"),
        (["--base", "--upload-pack=x"], "neither a file, a folder nor a revision"),
        (["--base", "HEAD", "nothing.yaml"], "does not exist"),
        (["--base", "template.yaml"], "--base is a file"),
        (["--base", "template.yaml", "--head", "nothing"], "neither a file nor a folder"),
        (["--base", "HEAD", "--format", "pdf"], "unknown format `pdf`"),
        (["--base", "HEAD", "--format", "markdown"], "two formats want standard output"),
    ],
)
def test_usage(repo: Repo, ask: Asked, args: list[str], says: str) -> None:
    with pytest.raises(PolicyEngineError, match=says):
        ask(*args)


def test_a_name_of_both_is_ambiguous(repo: Repo, ask: Asked) -> None:
    (repo.root / "main").mkdir()
    with pytest.raises(PolicyEngineError, match=r"write `\./main` or `refs/heads/main`"):
        ask("--base", "main")


@pytest.mark.slow
def test_a_shallow_clone_is_told_what_to_fetch(repo: Repo, tmp_path: Path) -> None:
    repo.git("checkout", "-q", "-b", "topic")
    repo.commit(template_yaml=OPENED)
    shallow = Repo(tmp_path / "shallow")
    shallow.git("fetch", "-q", "--depth", "1", repo.root.as_uri(), "main:base", "topic:topic")
    shallow.git("checkout", "-q", "topic")
    found = command(shallow.root, "review", "--base", "base")
    assert found.code == 2 and "fetch-depth: 0" in found.err
    exact = command(shallow.root, "review", "--base", "base", "--exact-base")
    assert exact.code == 1, exact.err


@pytest.mark.slow
def test_a_repository_runs_nothing_of_its_own(repo: Repo, tmp_path: Path) -> None:
    """What a checked-out repository configures must not be executed by looking at it."""
    proof = tmp_path / "proof"
    hook = tmp_path / "hook"
    hook.write_text(f"#!/bin/sh\ntouch {proof}\n")
    hook.chmod(0o755)
    (repo.root / ".gitattributes").write_text("*.yaml diff=evil filter=evil\n")
    repo.git("config", "diff.evil.textconv", str(hook))
    repo.git("config", "diff.evil.command", str(hook))
    repo.git("config", "core.fsmonitor", str(hook))
    repo.git("config", "diff.external", str(hook))
    repo.write(template_yaml=OPENED)
    found = command(repo.root, "review", "--base", "HEAD", *RULE)
    assert found.code == 1, found.err
    assert not proof.exists()


def test_a_document_that_only_denies_guards_an_organisation(
    tmp_path: Path, ask: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, spared in (("old", ["iam:*"]), ("new", ["iam:*", "bedrock:*"])):
        condition = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}}
        statement = {"Effect": "Deny", "NotAction": spared, "Resource": "*", "Condition": condition}
        (tmp_path / f"{name}.json").write_text(
            json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        )
    code, found = ask("--base", "old.json", "--head", "new.json", rules=())
    assert code == 1 and [kind for kind, _ in told(found, "worse")] == ["bedrock"]
    assert ask("--base", "new.json", "--head", "old.json", rules=())[0] == 0
