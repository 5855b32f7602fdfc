"""Repositories that integrations are run in: a change of one template, as hosts check it out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from .github_server import NUMBER, REPOSITORY

CLOSED = """\
Resources:
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8, Description: inside}
"""
OPEN = CLOSED.replace(
    "FromPort: 443, ToPort: 443, CidrIp: 10.0.0.0/8", "FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0"
)
RECORD = '#!/bin/sh\nprintf "%s\\n" "$@" >> "$RUNNER_TEMP/asked"\nexit "${STUB_CODE:-0}"\n'


def git(folder: Path, *args: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *identity, *args], cwd=folder, capture_output=True, text=True, check=True,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"},
    )  # fmt: skip
    return done.stdout.strip()


def commit(folder: Path, text: str, file: str = "template.yaml") -> str:
    (folder / file).write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", f"change {file}")
    return git(folder, "rev-parse", "HEAD")


class Change:
    """A pull request as GitHub checks it out: the merge of head into base, in a clone of `depth`."""

    def __init__(self, folder: Path, before: str = CLOSED, after: str = OPEN) -> None:
        self.origin = folder / "origin"
        self.origin.mkdir(parents=True)
        git(self.origin, "init", "-q", "-b", "main")
        git(self.origin, "config", "uploadpack.allowAnySHA1InWant", "true")  # as GitHub's servers allow it
        self.parted = commit(self.origin, before)
        git(self.origin, "switch", "-qc", "change")
        self.head = commit(self.origin, after)
        git(self.origin, "switch", "-q", "main")
        self.base = commit(self.origin, "hello\n", "other.txt")
        git(self.origin, "switch", "-q", "--detach", "main")
        git(self.origin, "merge", "-q", "--no-ff", "-m", "merge", "change")
        self.merge = git(self.origin, "rev-parse", "HEAD")
        git(self.origin, "update-ref", "refs/pull/7/merge", self.merge)
        git(self.origin, "switch", "-q", "main")
        self.folder = folder

    def checkout(self, revision: str, depth: int | None) -> Path:
        clone = self.folder / "clone"
        clone.mkdir()
        git(clone, "init", "-q")
        git(clone, "remote", "add", "origin", f"file://{self.origin}")
        git(clone, "fetch", "-q", "--no-tags", *([f"--depth={depth}"] if depth else []), "origin", revision)
        git(clone, "checkout", "-q", "--detach", "FETCH_HEAD")
        return clone

    def event(self, base: str | None = None, fork: bool = False) -> dict[str, Any]:
        owner = "mallory/shop" if fork else REPOSITORY
        found = {"number": NUMBER, "base": {"sha": base or self.base}, "head": {"repo": {"full_name": owner}}}
        return {"pull_request": found}


def quiet_rules(folder: Path, *but: str) -> None:
    """Configure every rule off that the templates here would fail besides."""
    from policyengine.rules.packs import load_packs

    ids = [form["id"] for form in load_packs().rules if form["id"] not in but]
    text = "".join(f"  {rule}: not what this test is about\n" for rule in ids)
    (folder / "policyengine.yaml").write_text(f"disabled:\n{text}")
