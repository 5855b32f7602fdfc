"""The Dockerfile: a linter reads it, and its steps are done by hand, for there may be no container engine."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from .repositories import OPEN
from .runner import ROOT

FILE = ROOT / "Dockerfile"


class Step(NamedTuple):
    """An instruction; ``stage`` counts from 0, -1 before the first FROM."""

    stage: int
    word: str
    text: str


def steps() -> list[Step]:
    """https://docs.docker.com/reference/dockerfile/: a line that ends with a backslash goes on."""
    lines = [line for line in FILE.read_text().splitlines() if not line.lstrip().startswith("#")]
    text = "\n".join(lines).replace("\\\n", " ")
    found, stage = [], -1
    for line in filter(str.strip, text.splitlines()):
        word, _, rest = line.strip().partition(" ")
        stage += word == "FROM"
        found.append(Step(stage, word, rest.strip()))
    return found


def of(word: str, stage: int | None = None) -> list[str]:
    return [step.text for step in steps() if step.word == word and stage in (None, step.stage)]


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is not installed")
    done = subprocess.run([hadolint, FILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_it_is_pinned_staged_and_runs_as_nobody() -> None:
    assert of("FROM") == ["${BASE} AS build", "${BASE}"]
    (base,) = of("ARG")
    assert re.fullmatch(r"BASE=python:\d+\.\d+\.\d+-slim-[a-z]+", base), "a version, never `latest`"
    assert of("USER", 1) == ["10001:10001"], "a number, which Kubernetes can check (runAsNonRoot)"
    after = [step.word for step in steps() if step.stage == 1]
    assert "RUN" not in after[after.index("USER") :] and "COPY" not in after[after.index("USER") :]
    assert json.loads(of("ENTRYPOINT")[0]) == ["policyengine"] and not of("HEALTHCHECK") and not of("EXPOSE")


def test_no_secret_and_no_remote_file_goes_in() -> None:
    assert not of("ADD")
    assert not re.search(r"(?i)password|token|secret|curl|wget", FILE.read_text())
    assert of("COPY", 1) == ["--from=build /opt/policyengine /opt/policyengine"]


def patterns() -> Iterator[tuple[bool, str]]:
    """https://docs.docker.com/build/concepts/context/#dockerignore-files: the last line that matches decides."""
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            yield not line.startswith("!"), line.removeprefix("!").removeprefix("**/")


def is_sent(path: str) -> bool:
    sent = True
    for ignores, pattern in patterns():
        parts = Path(path).parts
        if (
            any(fnmatch.fnmatch(part, pattern) for part in parts)
            if pattern == "__pycache__"
            else fnmatch.fnmatch(parts[0], pattern)
        ):
            sent = not ignores
    return sent


def test_what_is_copied_is_there_and_is_sent_to_the_builder() -> None:
    copied = [source for text in of("COPY", 0) for source in shlex.split(text)[:-1]]
    assert {"policyengine", "rules", "integrations", "constraints.txt"} <= set(copied)
    assert [source for source in copied if not (ROOT / source).exists() or not is_sent(source)] == []
    for secret in (
        ".git/config",
        ".env",
        "tests/conftest.py",
        ".venv/bin/python",
        "policyengine/__pycache__/x.pyc",
        "demo-out/x",
    ):
        assert not is_sent(secret), secret


@pytest.fixture
def image() -> Iterator[Path]:
    """A folder that stands for the image's root, which others may look into."""
    folder = Path(tempfile.mkdtemp(prefix="policyengine-image-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def interpreter() -> tuple[str, bool]:
    """Return a Python that can make environments, and whether others than us may run it."""
    for name in (sys.executable, "/usr/bin/python3"):
        path = Path(name).resolve()
        if path.exists() and all(above.stat().st_mode & 0o001 for above in (path, *path.parents)):
            asked = [name, "-c", "import sys, venv, pip; sys.exit(sys.version_info < (3, 11))"]
            if subprocess.run(asked, capture_output=True, check=False).returncode == 0:
                return name, True
    return sys.executable, False


@pytest.mark.slow
def test_its_steps_make_a_command_that_works_as_nobody(image: Path) -> None:
    source = image / "src"
    source.mkdir()
    for text in of("COPY", 0):
        *names, target = shlex.split(text)
        for name in names:
            if (ROOT / name).is_dir():
                shutil.copytree(ROOT / name, source / target, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / name, source / target)
    (run,) = of("RUN", 0)
    python, for_others = interpreter()
    (image / "bin").mkdir()
    (image / "bin" / "python").symlink_to(python)
    environ = {"PATH": f"{image / 'bin'}:{os.environ['PATH']}", "HOME": str(image)}
    for name in (
        "PIP_INDEX_URL",
        "PIP_CONFIG_FILE",
        "PIP_EXTRA_INDEX_URL",
        "SSL_CERT_FILE",
        "REQUESTS_CA_BUNDLE",
        "HTTPS_PROXY",
    ):
        if name in os.environ:
            environ[name] = os.environ[name]
    done = subprocess.run(
        ["sh", "-c", run.replace("/opt/policyengine", f"{image}/opt/policyengine")], cwd=source, env=environ, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shutil.rmtree(source)  # the second stage takes nothing else along
    home = image / "opt" / "policyengine"
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    print(f"{size / 1e6:.0f} MB")
    assert not list(home.rglob("pip")) and size < 250e6
    work = image / "work"
    work.mkdir()
    (work / "template.yaml").write_text(OPEN)
    nobody = {"user": 10001, "group": 10001, "extra_groups": []} if os.geteuid() == 0 and for_others else {}
    command = [
        home / "bin" / "policyengine",
        "scan",
        ".",
        "--rule",
        "security-group-admin-ports-closed",
        "--compact",
    ]
    done = subprocess.run(
        command, cwd=work, env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}, capture_output=True, text=True, check=False,
        **nobody,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "template.yaml:7:" in done.stdout and done.stderr == ""
