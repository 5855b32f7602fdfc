"""What is released: the same bytes each time, an sdist that lacks nothing, a bill of materials that is true.

`make release-check` does the rest, on every Python of the machine: a wheel in an empty environment and each main command.
"""

from __future__ import annotations

import importlib.metadata
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tools import release_check, sbom

ROOT = Path(__file__).resolve().parents[2]
METADATA = """\
Metadata-Version: 2.4
Name: policyengine-aws
Version: 9.8.7
Summary: one
License-Expression: Apache-2.0
Requires-Dist: jinja2>=3.1
Requires-Dist: click>=8.1
Requires-Dist: aws-sam-translator>=1.100 ; extra == 'sam'
"""


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "policyengine_aws-9.8.7-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            zipfile.ZipInfo("policyengine_aws-9.8.7.dist-info/METADATA", (2026, 1, 2, 3, 4, 6)), METADATA
        )
    return path


def test_the_bill_is_of_its_schema_and_names_what_is_installed(
    wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    text = sbom.bill(wheel)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    found = json.loads(text)
    assert (found["specVersion"], found["metadata"]["timestamp"]) == ("1.6", "2026-01-02T03:04:06+00:00")
    assert found["metadata"]["component"]["purl"] == "pkg:pypi/policyengine-aws@9.8.7"
    assert found["metadata"]["component"]["licenses"] == [
        {"expression": "Apache-2.0", "acknowledgement": "declared"}
    ] or found["metadata"]["component"]["licenses"][0]["license"]["id"] == "Apache-2.0"  # fmt: skip
    versions = {component["name"].lower(): component["version"] for component in found["components"]}
    assert versions == {name: importlib.metadata.version(name) for name in ("click", "jinja2", "markupsafe")}
    needs = {each["ref"]: each.get("dependsOn", []) for each in found["dependencies"]}
    assert [ref.split("@")[0] for ref in needs["pkg:pypi/policyengine-aws@9.8.7"]] == [
        "pkg:pypi/click",
        "pkg:pypi/jinja2",
    ]


def test_the_same_wheel_gives_the_same_bytes(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    one = sbom.bill(wheel)
    assert one == sbom.bill(wheel)
    assert json.loads(one)["metadata"]["timestamp"] == "2023-11-14T22:13:20+00:00"
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("more", "x")
    assert json.loads(sbom.bill(wheel))["serialNumber"] != json.loads(one)["serialNumber"]


def test_a_bill_that_would_not_be_true_is_not_written(wheel: Path, tmp_path: Path) -> None:
    other = tmp_path / "constraints.txt"
    other.write_text(
        (ROOT / "constraints.txt")
        .read_text()
        .replace(f"Jinja2=={importlib.metadata.version('jinja2')}", "Jinja2==0.1")
    )
    with pytest.raises(sbom.Mismatch, match=r"`jinja2` is .* here, and 0\.1 in constraints\.txt"):
        sbom.bill(wheel, other)


def test_a_zip_of_functions_has_a_bill(tmp_path: Path) -> None:
    path = tmp_path / "hook.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("policyengine/__init__.py", "")
        archive.writestr("yaml/__init__.py", "")
    text = sbom.bill(path)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert [component["name"] for component in json.loads(text)["components"]] == ["PyYAML"]


@pytest.mark.slow  # interpreters are asked one by one
def test_this_python_is_among_those_that_are_tried() -> None:
    found = release_check.pythons()
    assert sys.version_info[:2] in {each.version for each in found}
    assert all(each.version >= (3, 11) for each in found)
    assert [each.version for each in found] == sorted({each.version for each in found})


def test_every_main_command_is_tried() -> None:
    from policyengine.cli.main import COMMANDS

    tried = {arguments[0] for arguments in release_check.SMOKE}
    # these need an account, a host, or two of something: tests of their own drive them
    elsewhere = {
        "snapshot",
        "publish",
        "drift",
        "milestones",
        "waivers",
        "baseline",
        "shadow-ai",
        "well-architected",
    }
    beside = set(COMMANDS) - tried - elsewhere
    assert beside <= {"review", "init", "fix", "schema", "pre-commit"}, (
        "add new commands to SMOKE of tools/release_check.py"
    )


@pytest.mark.slow
def test_the_sdist_lacks_nothing_and_builds_are_reproducible(tmp_path: Path) -> None:
    """On a copy of what is committed: the tree may change while this runs."""
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", str(ROOT), str(clone)], check=True)
    done = subprocess.run(
        [sys.executable, "-c", "import sys; sys.path.insert(0, '.'); from pathlib import Path; from tools.release_check import check_builds; check_builds(Path(sys.argv[1]))", str(tmp_path / "out")],
        cwd=clone, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/sbom.json").is_file()
    shutil.rmtree(clone)
