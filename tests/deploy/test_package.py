"""The zip: the same bytes every time, small, and complete without what the runtime does not have."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from policyengine.config.remediation import Remediating, Window
from policyengine.config.settings import Settings
from policyengine.deploy.choice import Choice
from policyengine.deploy.package import MOST_BYTES, members, name_of, package
from policyengine.remediate.registry import load_remediations
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from tests.deploy.test_template import default

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_the_same_bytes_in_another_process() -> None:
    """Hash seeds, times and the order of folders must not show."""
    code = (
        "import hashlib, sys; from policyengine.deploy.package import package; from tests.deploy.test_template import default;"
        "sys.stdout.write(hashlib.sha256(package(default())).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1",)
    } | {hashlib.sha256(package(default())).hexdigest()}
    assert len(digests) == 1
    assert name_of(package(default())) == f"policyengine-{digests.pop()[:16]}.zip"


def test_it_is_small_and_holds_no_tests() -> None:
    found = dict(members(default()))
    assert sum(map(len, found.values())) < MOST_BYTES
    assert not [name for name in found if "test_" in name or "/testing/" in name or "/cli/" in name]
    assert not [name for name in found if name.endswith((".so", ".pyd"))], "one zip serves both architectures"


def test_every_module_has_bytecode_that_is_used() -> None:
    with zipfile.ZipFile(io.BytesIO(package(default()))) as archive:
        names = set(archive.namelist())
        assert all(info.compress_type == zipfile.ZIP_STORED for info in archive.infolist())
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    tag = sys.implementation.cache_tag
    for name in names:
        if name.endswith(".py"):
            folder, _, file = name.rpartition("/")
            assert f"{folder}/__pycache__/{file[:-3]}.{tag}.pyc" in names


def test_bytecode_is_loaded_and_not_made_again(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(package(default()))) as archive:
        archive.extractall(tmp_path)
    source = tmp_path / "policyengine" / "lambdas" / "config_rule.py"
    source.write_text("raise SystemExit('the source was compiled again')")
    code = "import sys; sys.path.insert(0, sys.argv[1]); import policyengine.lambdas.config_rule as m; print(m.handler.__name__)"
    done = subprocess.run([sys.executable, "-I", "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("handler\n", "")


@pytest.mark.parametrize("module", ["config_rule", "events", "remediation"])
def test_importing_a_handler_loads_nothing_heavy(module: str) -> None:
    code = f"import sys, policyengine.lambdas.{module}; print(*sys.modules)"
    loaded = set(
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.split()
    )
    assert not loaded & {
        "boto3",
        "botocore",
        "pydantic",
        "yaml",
        "zstandard",
        "click",
        "rich",
        "jsonschema",
        "hypothesis",
    }


def test_time_zones_of_change_windows_go_along(tmp_path: Path) -> None:
    """The runtime may have none of its own."""
    window = Window((0, 1, 2, 3, 4), "09:00", "17:00", "America/Argentina/Ushuaia")
    pack = load_packs()
    forms = tuple(form for form in pack.rules if form["id"] == "kms-key-rotation")
    settings = Settings(remediation=Remediating(windows=(window,)))
    with zipfile.ZipFile(
        io.BytesIO(package(Choice(Pack(pack.digest, forms), load_remediations(), settings)))
    ) as archive:
        archive.extractall(tmp_path)
    code = (
        "import sys, zoneinfo; zoneinfo.reset_tzpath(to=()); sys.path.insert(0, sys.argv[1]);"
        "print(zoneinfo.ZoneInfo('America/Argentina/Ushuaia').key)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("America/Argentina/Ushuaia\n", "")
