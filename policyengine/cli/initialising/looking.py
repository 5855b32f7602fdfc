"""What a repository holds: what can be judged, where its own rules are, which CI it uses."""

from __future__ import annotations

import os
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from policyengine.sources.base import Source
from policyengine.sources.discover import SKIPPED_FOLDERS, Discovery

MOST_FILES: Final = 500_000
"""Names that are looked at; a larger repository is looked at in part, and that is said."""
UNSUPPORTED: Final = {
    "azure-pipelines.yml": "Azure Pipelines",
    "Jenkinsfile": "Jenkins",
    "bitbucket-pipelines.yml": "Bitbucket Pipelines",
    ".circleci/config.yml": "CircleCI",
}
_BUILDSPECS: Final = ("buildspec.yml", "buildspec.yaml")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_./ -]{0,200}")
"""Names of folders that are written into files of CI: others could mean something there."""
_BRANCH: Final = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._/-]{0,200}")


@dataclass(frozen=True, slots=True)
class Cdk:
    """A CDK app: its folder from the root ("" for the root), and the commands that make its templates."""

    folder: str
    synth: tuple[str, ...]
    known: bool
    """Whether the commands install what the app needs."""

    @property
    def out(self) -> str:
        """The folder the templates are written to."""
        return f"{self.folder}/cdk.out" if self.folder else "cdk.out"


@dataclass(slots=True)
class Repository:
    """``root`` is the folder of the repository; paths are POSIX, from there."""

    root: Path
    branch: str = "main"
    kinds: Counter[str] = field(default_factory=Counter)
    """Sources by kind: ``template``, ``plan``, ``snapshot``."""
    broken: int = 0
    cdk: list[Cdk] = field(default_factory=list)
    terraform: list[str] = field(default_factory=list)
    rules: list[str] = field(default_factory=list)
    not_rules: list[tuple[str, str]] = field(default_factory=list)
    """Folders of rules or CDK apps that are left out, with why."""
    hosts: list[str] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)
    has_pre_commit: bool = False
    cut: bool = False

    @property
    def judged(self) -> bool:
        """Whether a check of this repository has something to judge."""
        return bool(self.kinds or self.cdk)


def root_of(folder: Path) -> Path:
    """Return the root of the git work tree above a folder, else the folder itself."""
    start = folder.resolve()
    return next((above for above in (start, *start.parents) if (above / ".git").exists()), start)


def look(root: Path) -> Repository:
    """Look at names only; :func:`count` adds what can be read."""
    found = Repository(root, branch=_branch(root))
    terraform: dict[str, None] = {}
    for number, (folder, names) in enumerate(_walk(root)):
        if number > MOST_FILES:
            found.cut = True
            break
        here = "" if folder == root else folder.relative_to(root).as_posix()
        if "cdk.json" in names:
            found.cdk.append(_cdk(folder, here, names))
        if any(name.endswith((".tf", ".tofu")) for name in names):
            terraform[here or "."] = None
        if any(name.endswith(".test.yaml") and f"{name[:-10]}.yaml" in names for name in names):
            found.rules.append(here or ".")
    found.terraform = list(terraform)
    found.rules = [each for each in found.rules if not _is_below(each, found.rules)]
    odd = [each for each in [*found.rules, *(app.folder for app in found.cdk)] if not _PLAIN.fullmatch(each)]
    found.not_rules = [
        (each, "its name has characters that files of CI cannot hold safely; rename it") for each in odd
    ]
    found.rules = [each for each in found.rules if each not in odd]
    found.cdk = [app for app in found.cdk if app.folder not in odd]
    found.hosts = _hosts(root)
    found.unsupported = [name for file, name in UNSUPPORTED.items() if (root / file).exists()]
    found.has_pre_commit = (root / ".pre-commit-config.yaml").exists()
    return found


def count(found: Repository, discovery: Discovery) -> None:
    """Count what was found to be judged, without what CDK has written: that is made anew."""
    own = [source for source in discovery.sources if not _is_made(source, found)]
    found.kinds = Counter(source.kind for source in own)
    found.broken = len(discovery.errors) + sum(bool(source.errors) for source in own)


def _is_made(source: Source, found: Repository) -> bool:
    return any(source.target.startswith(f"{each.out}/") for each in found.cdk)


def _walk(root: Path) -> Iterator[tuple[Path, frozenset[str]]]:
    for folder, below, names in os.walk(root):
        below[:] = sorted(
            name for name in below if not name.startswith(".") and name not in {*SKIPPED_FOLDERS, "cdk.out"}
        )
        yield Path(folder), frozenset(names)


def _is_below(folder: str, others: list[str]) -> bool:
    return any(folder != other and (other == "." or folder.startswith(f"{other}/")) for other in others)


def _cdk(folder: Path, here: str, names: frozenset[str]) -> Cdk:
    if "package.json" in names:
        locked = "package-lock.json" in names
        install = "npm ci --no-audit --no-fund" if locked else "npm install --no-audit --no-fund"
        return Cdk(here, (install, "npx cdk synth --quiet"), known=True)
    synth = "npx --yes aws-cdk@2 synth --quiet"
    if "requirements.txt" in names:
        return Cdk(here, ("pip install --quiet -r requirements.txt", synth), known=True)
    del folder
    return Cdk(here, (synth,), known=False)


def _hosts(root: Path) -> list[str]:
    """By their files; the remote decides where there is none."""
    found = []
    if (root / ".github").is_dir():
        found.append("github")
    if (root / ".gitlab-ci.yml").exists():
        found.append("gitlab")
    if any((root / name).exists() for name in _BUILDSPECS):
        found.append("codebuild")
    if found:
        return found
    remote = _git(root, "config", "--get", "remote.origin.url")
    return [host for host in ("github", "gitlab") if re.search(rf"(?:@|//|\.)(?:www\.)?{host}\.", remote)]


def _branch(root: Path) -> str:
    """Return the branch that changes are merged into; ``main`` where nothing says it."""
    head = _git(root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD").removeprefix("origin/")
    name = head or _git(root, "symbolic-ref", "--short", "HEAD") or "main"
    return name if _BRANCH.fullmatch(name) else "main"


def _git(root: Path, *args: str) -> str:
    """Return what git says, "" where it says nothing or is not there."""
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(root), *args]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
