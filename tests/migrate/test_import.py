"""`rules import` from file to rules whose tests hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from policyengine.cli.main import cli
from policyengine.migrate.drafts import Draft, NotConverted
from policyengine.migrate.expressions import AnyOf, Not, Test
from policyengine.migrate.samples import samples

POLICIES = """\
policies:
  - name: rds-storage-encrypted
    resource: rds
    description: Databases whose storage is in clear text
    metadata: {severity: high}
    filters: [{StorageEncrypted: false}]
  - name: public
    resource: rds
    filters:
      - PubliclyAccessible: true
      - {type: value, key: Engine, op: in, value: [postgres, mysql]}
  - name: untagged
    resource: sqs
    filters: ["tag:Owner": absent, not: ["tag:Exempt": present]]
  - name: ssh
    resource: security-group
    filters: [{type: ingress, Ports: [22], Cidr: {value: "0.0.0.0/0"}}]
  - name: shared
    resource: s3
    filters: [cross-account]
"""
GUARD = """\
let d = Resources.*[ Type == 'AWS::RDS::DBInstance' ]
let g = Resources.*[ Type == 'AWS::EC2::SecurityGroup' ]
rule DB_ENCRYPTED when %d !empty {
  %d.Properties.StorageEncrypted exists
  %d.Properties.StorageEncrypted == true <<Violation: storage in clear text
    Fix: set StorageEncrypted>>
}
rule NO_DEFAULT when %d !empty { %d.Properties.MultiAZ exists }
rule GROUPS_CLOSED when %g !empty {
  let open = %g[ some Properties.SecurityGroupIngress[*].CidrIp == '0.0.0.0/0' ]
  %open empty
}
"""


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value, done.stdout


@pytest.mark.parametrize(
    ("tool", "name", "text", "converted", "left"),
    [
        ("custodian", "p.yml", POLICIES, ["custodian-rds-storage-encrypted", "public", "untagged", "ssh"], ["shared"]),
        ("guard", "r.guard", GUARD, ["db-encrypted", "groups-closed"], ["NO_DEFAULT"]),
    ],
)  # fmt: skip
def test_what_is_written_holds_its_own_cases(
    tmp_path: Path, tool: str, name: str, text: str, converted: list[str], left: list[str]
) -> None:
    (tmp_path / name).write_text(text)
    code, said = run(
        "rules", "import", "--from", tool, str(tmp_path), "-o", str(tmp_path / "out"), "--format", "json"
    )
    document = json.loads(said)
    assert code == 4
    assert [each["rule"] for each in document["converted"]] == converted
    assert [each["name"] for each in document["not_converted"]] == left
    code, said = run("rules", "test", "--rules", str(tmp_path / "out"))
    assert code == 0, said
    assert f"{len(converted)} rules" in said


def test_a_rule_that_would_pass_where_the_other_tool_fails_is_not_written(tmp_path: Path) -> None:
    """Guard wants MultiAZ to be written; here AWS's default counts, so `is: present` would let everything pass."""
    (tmp_path / "r.guard").write_text(GUARD)
    _, said = run("rules", "import", "--from", "guard", str(tmp_path), "-o", str(tmp_path / "out"))
    assert "MultiAZ is missing, guard says FAIL and the converted rule PASS (aws_default)" in said
    assert not list((tmp_path / "out").rglob("no-default*"))


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "r.guard").write_text(GUARD)
    arguments = ("rules", "import", "--from", "guard", str(tmp_path / "r.guard"), "-o", str(tmp_path / "out"))
    run(*arguments)
    (written,) = (tmp_path / "out").rglob("db-encrypted.yaml")
    written.write_text("mine")
    _, said = run(*arguments)
    assert written.read_text() == "mine"
    assert "db-encrypted.yaml` exists" in said


def test_a_rule_that_cannot_fail_says_nothing() -> None:
    always = Test(("Engine",), "present", kind="string")
    draft = Draft("one", "one", "f", 3, "guard", "AWS::RDS::DBInstance", AnyOf((always, Not(always))))
    with pytest.raises(NotConverted, match="makes it FAIL"):
        samples(draft)
