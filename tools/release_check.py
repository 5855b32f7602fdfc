"""Build what would be released and try it where nothing else is installed.

    python tools/release_check.py [--output build/release] [--only 3.12]

1. sdist and wheel from the tree, twice: the same bytes (SOURCE_DATE_EPOCH is the time of the last commit).
2. A wheel from the sdist: the same files as the wheel from the tree, so the sdist lacks nothing.
3. The bill of materials (tools/sbom.py).
4. On every Python from 3.11 that this machine has: the wheel in an empty virtual environment, away from the checkout, and each
   main command; on the oldest of them the sdist too. Versions that are not here are printed as untested.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[1]
OLDEST: Final = (3, 11)
NEWEST: Final = (3, 14)
"""The newest Python there is as this is written: later ones are tried where they are found."""
FINE: Final = frozenset({0, 1, 3})
"""Exit codes of commands that did what they say: nothing found, something found, something unknown."""
SMOKE: Final[tuple[tuple[str, ...], ...]] = (
    ("--version",),
    ("scan", "template.yaml"),
    (
        "scan",
        "snapshot",
        "--format",
        "sarif=findings.sarif",
        "--format",
        "html=report.html",
        "-o",
        "run",
        "-q",
    ),
    ("scan", "plan.json", "--format", "json=plan-findings.json", "-q"),
    ("report", "run", "--format", "xlsx=report.xlsx"),
    ("diff", "run", "run"),
    ("history", "add", "run", "--db", "history.db"),
    ("explain", "s3-tls-only"),
    ("rules", "list"),
    ("rules", "new", "queue-has-key", "--type", "AWS::SQS::Queue", "--folder", "mine"),
    ("rules", "impact", "mine", "mine", "snapshot"),
    ("frameworks", "list"),
    ("iam", "who-can", "--in", "snapshot", "--action", "s3:DeleteBucket"),
    ("permissions",),
    ("evidence", "export", "run", "-o", "evidence.zip", "--sign-key", "key.pem"),
    ("evidence", "verify", "evidence.zip", "--key", "public.pem"),
    ("remediate", "handlers"),
    ("deploy", "--help"),
    ("completion", "bash"),
)
"""One call of each main command, in a folder with the examples; what must work without the checkout."""


_KEYS: Final = """
from pathlib import Path
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives import serialization as s
key = Ed25519PrivateKey.generate()
Path("key.pem").write_bytes(key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption()))
Path("public.pem").write_bytes(key.public_key().public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo))
"""
"""Makes a pair of keys, so that evidence can be signed and verified."""


class Python(NamedTuple):
    """An interpreter and its version."""

    path: str
    version: tuple[int, int]

    @property
    def name(self) -> str:
        """Its version as people write it."""
        return ".".join(map(str, self.version))


class Failed(Exception):
    """A check that does not hold."""


def main() -> int:
    """Run the checks; 1 when one does not hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--output", type=Path, default=ROOT / "build" / "release")
    parser.add_argument("--only", metavar="3.X", help="only this Python")
    given = parser.parse_args()
    try:
        wheel, sdist = check_builds(given.output)
        found = [each for each in pythons() if given.only in (None, each.name)]
        if not found:
            raise Failed(f"no Python {given.only or 'from 3.11'} on this machine")
        for number, python in enumerate(found):
            check_install(python, wheel)
            if number == 0:
                check_install(python, sdist)
    except Failed as error:
        print(f"FAILED: {error}", file=sys.stderr)
        return 1
    tested = {python.version for python in found}
    others = [f"3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 1) if (3, minor) not in tested]
    print(f"tested on {', '.join(python.name for python in found)}; untested: {', '.join(others) or 'none'}")
    return 0


def check_builds(output: Path) -> tuple[Path, Path]:
    """Build wheel and sdist into a folder, hold them against each other, and write the bill of materials."""
    shutil.rmtree(output, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        wheel, sdist = build(ROOT, output)
        again = build(ROOT, Path(folder) / "again")
        for one, other in zip((wheel, sdist), again, strict=True):
            if _digest(one) != _digest(other):
                raise Failed(f"{one.name} has other bytes when it is built again")
        print(f"ok  {wheel.name} and {sdist.name} have the same bytes when they are built again")
        with tarfile.open(sdist) as archive:
            archive.extractall(Path(folder) / "unpacked", filter="data")
        (source,) = (Path(folder) / "unpacked").iterdir()
        rebuilt, _ = build(source, Path(folder) / "from-sdist")
        different = differing(wheel, rebuilt)
        if different:
            raise Failed(f"the wheel of the sdist differs in {', '.join(different[:10])}")
        print("ok  the wheel of the sdist is the wheel of the tree")
    _run([sys.executable, str(ROOT / "tools" / "sbom.py"), str(wheel), "-o", str(output / "sbom.json")], ROOT)
    print(f"ok  {output / 'sbom.json'}")
    return wheel, sdist


def build(source: Path, output: Path) -> tuple[Path, Path]:
    """Return (wheel, sdist) of a folder, built with what the environment has."""
    output.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch()}
    for kind in ("--wheel", "--sdist"):
        _run(
            [sys.executable, "-m", "build", "--no-isolation", kind, "--outdir", str(output), str(source)],
            source,
            environment,
        )
    (wheel,), (sdist,) = output.glob("*.whl"), output.glob("*.tar.gz")
    return wheel, sdist


def epoch() -> str:
    """Return SOURCE_DATE_EPOCH, else the time of the last commit, else hatchling's own (2020-02-02)."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given is not None:
        return given
    done = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "1580601600"


def differing(one: Path, other: Path) -> list[str]:
    """Return the files that two wheels do not both have with the same bytes; RECORD may be in another order."""
    first, second = _files(one), _files(other)
    return sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))


def _files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        found = {name: archive.read(name) for name in archive.namelist()}
    return {
        name: b"\n".join(sorted(data.splitlines())) if name.endswith("RECORD") else data
        for name, data in found.items()
    }


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def pythons() -> list[Python]:
    """Return one interpreter of each version from 3.11 on: on PATH, of pyenv, or the one that runs this."""
    names = [f"python3.{minor}" for minor in range(OLDEST[1], NEWEST[1] + 3)]
    candidates = [sys.executable, *(path for name in names if (path := shutil.which(name)) is not None)]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += sorted(str(path) for path in root.glob("3.*/bin/python"))
    found: dict[tuple[int, int], Python] = {}
    for path in candidates:
        version = _version(path)
        if version is not None and version >= OLDEST:
            found.setdefault(version, Python(path, version))
    return [found[version] for version in sorted(found)]


def _version(path: str) -> tuple[int, int] | None:
    code = "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])"
    try:
        done = subprocess.run([path, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    parts = done.stdout.split()
    return (int(parts[0]), int(parts[1])) if done.returncode == 0 and len(parts) == 2 else None


def check_install(python: Python, distribution: Path) -> None:
    """Install a distribution into an empty environment and run each main command away from the checkout."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run([python.path, "-m", "venv", str(folder / "env")], folder)
        binary = folder / "env" / "bin"
        pip = [str(binary / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        _run([*pip, "install", str(distribution)], folder)
        _run([*pip, "check"], folder)
        work = folder / "work"
        work.mkdir()
        prepare(work)
        _run([str(binary / "python"), "-c", _KEYS], work)
        for arguments in SMOKE:
            smoke(binary, work, arguments)
        print(f"ok  Python {python.name}: {distribution.name}, {len(SMOKE)} commands")


def prepare(work: Path) -> None:
    """Put the examples that the commands speak of into a folder."""
    shutil.copy(ROOT / "examples" / "template.yaml", work)
    shutil.copy(ROOT / "examples" / "plan.json", work)
    shutil.copytree(ROOT / "examples" / "organization", work / "snapshot")


def smoke(binary: Path, work: Path, arguments: Sequence[str]) -> None:
    """Run one command as a user would. Raises Failed where it does not do what it says."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "AWS_", "POLICYENGINE_"))
    }
    environment |= {"HOME": str(work), "NO_COLOR": "1"}
    _run(
        [str(binary / "policyengine"), *arguments],
        work,
        environment,
        FINE,
    )


def _run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    fine: frozenset[int] = frozenset({0}),
) -> None:
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=900
    )  # fmt: skip
    if done.returncode not in fine or "Traceback" in done.stderr:
        raise Failed(
            f"`{' '.join(map(str, command))}` exits with {done.returncode}: {(done.stderr or done.stdout)[-1500:]}"
        )


if __name__ == "__main__":
    sys.exit(main())
