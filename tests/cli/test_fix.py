"""``policyengine fix`` as a user runs it: files, exit codes, streams."""

from __future__ import annotations

import codecs
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from policyengine.cli import fixing
from policyengine.cli.main import main
from policyengine.fix.planning import plan
from tests.cli.conftest import Run

TEMPLATE = """\
# tables of the shop
Resources:
  Orders:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: orders   # the name that the shop knows
      BillingMode: PAY_PER_REQUEST
"""
FIXED = TEMPLATE + "      DeletionProtectionEnabled: true\n"
Here = Callable[..., "Said"]


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """The command in this process: one that starts takes longer than all that is asked here."""
    monkeypatch.chdir(tmp_path)

    def run_here(*args: str) -> Said:
        with pytest.raises(SystemExit) as ended:
            main(["fix", *args])
        said = capsys.readouterr()
        return Said(int(ended.value.code or 0), said.out, said.err)

    return run_here


ONE = ("--rule", "dynamodb-deletion-protection")


def test_writes_the_file_keeps_its_mode_and_is_done_then(run: Run, here: Here, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(TEMPLATE)
    path.chmod(0o640)
    first = run("fix", "t.yaml", *ONE)
    assert first.code == 0
    assert path.read_text() == FIXED
    assert path.stat().st_mode & 0o777 == 0o640
    assert "fixed `dynamodb-deletion-protection` of `Orders`: DeletionProtectionEnabled = true" in first.out
    assert first.out.endswith("1 of 1 files changed; 1 failures fixed, 0 more with --unsafe, 0 not fixed\n")
    again = here("t.yaml", *ONE)
    assert again.code == 0
    assert path.read_text() == FIXED


def test_a_diff_is_a_patch_and_writes_nothing(run: Run, here: Here, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(TEMPLATE.rstrip("\n"))
    shown = run("fix", "t.yaml", "--diff", *ONE)
    assert shown.code == 1
    assert path.read_text() == TEMPLATE.rstrip("\n")
    assert "would fix" in shown.err
    if shutil.which("git"):
        (tmp_path / "p.patch").write_text(shown.out)
        subprocess.run(["git", "apply", "--unsafe-paths", "p.patch"], cwd=tmp_path, check=True)
        assert path.read_text() == FIXED.rstrip("\n")
        assert here("t.yaml", "--diff", *ONE).code == 0


def test_what_stays_is_told_with_its_reason(here: Here, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    shown = here("t.yaml", "--diff", "--format", "json")
    document = json.loads(shown.err)
    assert document["schema"] == "policyengine/fix/v1"
    (file,) = document["files"]
    assert {e["rule"] for e in file["fixed"]} == {"dynamodb-deletion-protection"}
    unsafe = {e["rule"]: [f["kind"] for f in e["effects"]] for e in file["unsafe"]}
    assert unsafe["dynamodb-point-in-time-recovery"] == ["costs"]
    assert unsafe["tags-mandatory"] == ["placeholder"]
    assert all(e["why"] for e in file["left"])


def test_byte_order_mark_and_line_ends_stay(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_bytes(codecs.BOM_UTF8 + TEMPLATE.replace("\n", "\r\n").encode())
    assert here("t.yaml", *ONE).code == 0
    assert path.read_bytes() == codecs.BOM_UTF8 + FIXED.replace("\n", "\r\n").encode()


def test_utf_16_is_not_edited(here: Here, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_bytes(TEMPLATE.encode("utf-16"))
    found = here("t.yaml")
    assert found.code == 2
    assert "save it as UTF-8" in found.err


def test_the_configuration_of_the_project_counts(here: Here, tmp_path: Path) -> None:
    (tmp_path / "t.json").write_text(
        json.dumps(
            {"Resources": {"Db": {"Type": "AWS::RDS::DBInstance", "Properties": {"Engine": "mysql"}}}},
            indent=1,
        )
    )
    (tmp_path / "policyengine.yaml").write_text("parameters:\n  rds-backup-retention: {days: 30}\n")
    found = here("t.json", "--unsafe", "--rule", "rds-backup-retention")
    assert found.code == 0, found.err
    assert '"BackupRetentionPeriod": 30' in (tmp_path / "t.json").read_text()


def test_what_is_generated_is_not_edited(here: Here, tmp_path: Path) -> None:
    made = Path(__file__).parents[2] / "examples" / "plan.json"
    shutil.copy(made, tmp_path / "plan.json")
    text = TEMPLATE + "    Metadata: {'aws:cdk:path': Shop/Orders/Resource}\n"
    (tmp_path / "cdk.yaml").write_text(text)
    found = here("plan.json", "cdk.yaml")
    assert found.code == 2
    assert "change the `.tf` file" in found.err
    assert (
        "edit the construct in its source; each finding of `scan` names it, such as `Shop/Orders/Resource`"
        in found.err
    )
    assert (tmp_path / "cdk.yaml").read_text() == text
    walked = here(".")
    assert walked.code == 0
    assert "skipped: cdk.yaml" in walked.err


def test_a_link_out_of_the_tree_is_not_followed(here: Here, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    (tmp_path / "outside.yaml").write_text(TEMPLATE)
    (tmp_path / "work" / "t.yaml").symlink_to(tmp_path / "outside.yaml")
    found = here("work/t.yaml")
    assert found.code == 2
    assert "leads out of its folder" in found.err
    assert (tmp_path / "outside.yaml").read_text() == TEMPLATE


def test_what_changed_meanwhile_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(TEMPLATE)
    monkeypatch.chdir(tmp_path)

    def slow(*args: object) -> object:
        path.write_text(TEMPLATE + "# mine\n")
        return plan(*args)  # type: ignore[arg-type]  # as they come

    monkeypatch.setattr("policyengine.cli.fixing.plan", slow)
    options = {
        "as_of": None, "account": None, "region": None, "rule_folders": (), "config": None, "ous": (),
        "rule_ids": ONE[1:], "families": (), "tags": (), "parameters": (), "stack_tags": (), "unsafe": False,
        "diff": False, "quiet": False, "shape": "terminal", "waiver_files": (),
    }  # fmt: skip
    assert fixing.run(["t.yaml"], options) == 2
    assert path.read_text() == TEMPLATE + "# mine\n"


def test_a_file_that_cannot_be_written_is_left_whole(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "t.yaml").write_text(TEMPLATE)
    folder.chmod(0o555)
    try:
        found = run("fix", "work/t.yaml", mortal=True)
    finally:
        folder.chmod(0o755)
    assert found.code == 2
    assert "cannot be written" in found.err
    assert (folder / "t.yaml").read_text() == TEMPLATE
    assert [each.name for each in folder.iterdir()] == ["t.yaml"]


def test_secrets_are_stars_in_a_diff(here: Here, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(
        "Resources:\n  Db:\n    Type: AWS::RDS::DBInstance\n    Properties:\n      Engine: mysql\n"
        "      MasterUserPassword: hunter2-hunter2\n"
    )
    found = here("t.yaml", "--diff", "--rule", "rds-deletion-protection")
    assert found.code == 1
    assert "hunter2" not in found.out + found.err
    assert "shows as stars" in found.err
    assert here("t.yaml", "--rule", "rds-deletion-protection").code == 0
    assert "hunter2-hunter2" in (tmp_path / "t.yaml").read_text()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("missing.yaml",), "cannot be read"),
        (("t.yaml", "--rule", "no-such-rule"), "no-such-rule"),
        (("t.yaml", "--tag", "Owner"), "--tag"),
        ((), "Missing argument"),
    ],
)
def test_usage(here: Here, tmp_path: Path, args: tuple[str, ...], said: str) -> None:
    (tmp_path / "t.yaml").write_text(TEMPLATE)
    found = here(*args)
    assert found.code == 2
    assert said in found.err
    assert (tmp_path / "t.yaml").read_text() == TEMPLATE


def test_standard_input_cannot_be_written(run: Run) -> None:
    found = run("fix", "-", stdin=TEMPLATE.encode())
    assert found.code == 2
    assert "name the file" in found.err
