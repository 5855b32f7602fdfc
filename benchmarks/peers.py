"""The peers' environments: ``.venv-bench/checkov`` and ``.venv-bench/engines``, pinned.

Two, because Checkov and Cloud Custodian pin libraries that exclude each other. They are built
once and again when their requirements change; their bytecode is compiled, as ours is.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.measure import ROOT

HERE = Path(__file__).resolve().parent
NAMES = ("checkov", "engines")


def folder() -> Path:
    """Return where the environments are; ``POLICYENGINE_BENCH_VENV`` may name another place."""
    return Path(os.environ.get("POLICYENGINE_BENCH_VENV") or ROOT / ".venv-bench")


def binary(environment: str, name: str) -> Path:
    """Return the path of a program of an environment, whether or not it is there."""
    return folder() / environment / "bin" / name


def build() -> None:
    """Make the environments that are missing or stale."""
    for name in NAMES:
        pinned = (HERE / f"requirements-{name}.txt").read_bytes()
        stamp = folder() / name / ".requirements"
        wanted = hashlib.sha256(pinned).hexdigest()
        if stamp.is_file() and stamp.read_text() == wanted:
            continue
        print(f"building {folder() / name} (once) ...", flush=True)
        venv.create(folder() / name, with_pip=True, clear=True)
        python = str(binary(name, "python"))
        install = [python, "-m", "pip", "install", "--quiet", "--no-deps", "-r"]
        done = subprocess.run(
            [*install, str(HERE / f"requirements-{name}.txt")], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"pip could not install the peers:\n{done.stderr}")
        compile_bytecode(
            binary(name, "python"), next((folder() / name / "lib").glob("python*/site-packages"))
        )
        stamp.write_text(wanted)


def compile_bytecode(python: Path, place: Path) -> None:
    """Compile a tree, so that nobody's figure holds the time of compiling."""
    quiet = [str(python), "-m", "compileall", "-q", "-x", "lib2to3|bad_coding", str(place)]
    subprocess.run(quiet, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def compile_ours() -> None:
    """Compile our package and the libraries it uses."""
    compile_bytecode(Path(sys.executable), ROOT / "policyengine")
    for library in sorted(Path(sys.prefix).glob("lib/python*/site-packages")):
        compile_bytecode(Path(sys.executable), library)


def versions(environment: str, *packages: str) -> dict[str, str]:
    """Return the installed versions of packages."""
    code = "import importlib.metadata as m, sys; print(*[m.version(p) for p in sys.argv[1:]])"
    done = subprocess.run(
        [binary(environment, "python"), "-c", code, *packages], capture_output=True, text=True, check=True
    )
    return dict(zip(packages, done.stdout.split(), strict=True))
