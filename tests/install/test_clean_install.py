"""A wheel in an empty virtual environment works from any folder, without the checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow

TEMPLATE = "Resources:\n  Db:\n    Type: AWS::RDS::DBInstance\n    Properties: {BackupRetentionPeriod: 3}\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder / "env", with_pip=True)
    pip = [str(folder / "env" / "bin" / "python"), "-m", "pip", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, "install", str(ROOT)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder / "env" / "bin"


def run(installed: Path, folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    environment["HOME"] = str(folder)
    command = [str(installed / "policyengine"), *args]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_it_scans_with_the_bundled_rules_from_any_folder(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    done = run(installed, tmp_path, "scan", "template.yaml", "--format", "json")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert "rds-backup-retention" in {f["rule"] for f in document["findings"] if f["verdict"] == "FAIL"}
    assert document["run"]["rule_pack"]["rules"] >= 115


def test_the_wheel_and_the_checkout_have_the_same_rules(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    wheel = json.loads(run(installed, tmp_path, "scan", "template.yaml", "--format", "json").stdout)
    command = [
        sys.executable,
        "-m",
        "policyengine",
        "scan",
        str(tmp_path / "template.yaml"),
        "--format",
        "json",
    ]
    checkout = json.loads(
        subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    )
    assert wheel["run"]["rule_pack"] == checkout["run"]["rule_pack"]


def test_rules_can_be_shown_added_and_tested(installed: Path, tmp_path: Path) -> None:
    assert "Requires" in run(installed, tmp_path, "rules", "show", "rds-backup-retention").stdout
    made = run(
        installed, tmp_path, "rules", "new", "queue-is-good", "--type", "AWS::SQS::Queue", "--folder", "mine"
    )
    assert made.returncode == 0, made.stderr
    assert run(installed, tmp_path, "rules", "test", "queue-is-good", "--rules", "mine").returncode in (0, 1)


def test_sam_without_its_extra_says_what_to_install(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "sam.yaml").write_text(
        "Transform: AWS::Serverless-2016-10-31\nResources:\n  F:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {Runtime: python3.12, Handler: a.b, InlineCode: x}\n"
    )
    done = run(installed, tmp_path, "scan", "sam.yaml", "--format", "json")
    assert "policyengine-aws[sam]" in " ".join(json.loads(done.stdout)["run"]["notes"])


def test_the_wheel_and_the_checkout_have_the_same_remediations(installed: Path, tmp_path: Path) -> None:
    """The wheel has them compiled, with their handlers and without their tests."""
    code = (
        "from policyengine.remediate.registry import load_remediations as load\n"
        "for each in load(): load().handler(each.id)\n"
        "import sys; sys.stdout.buffer.write(load().to_bytes()); print(); print(load().folder)\n"
    )
    ran = [
        subprocess.run([python, "-c", code], cwd=folder, capture_output=True, text=True, check=True).stdout
        for python, folder in ((str(installed / "python"), tmp_path), (sys.executable, ROOT))
    ]
    wheel, checkout = (text.splitlines() for text in ran)
    assert wheel[0] == checkout[0]
    assert wheel[1] != checkout[1]
    assert not [path for path in Path(wheel[1]).rglob("*.py") if path.name != "handler.py"]
