"""``policyengine remediate`` and ``deploy`` as a user meets them: against a server, and with bad input."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from policyengine.aws.failures import CallFailure
from policyengine.deploy.changes import Change, changes, deployed
from policyengine.model.errors import InputError
from policyengine.remediate.plan import plan_hash
from policyengine.store.actions import Action, Note
from policyengine.store.open_actions import open_store
from tests.live.server import environment, running

ROOT = Path(__file__).resolve().parents[2]
RULE = "security-group-admin-ports-closed"


def run(*args: str, home: Path, environ: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ,
        "XDG_STATE_HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "COLUMNS": "200",
        **(environ or {}),
    }
    return subprocess.run(
        [sys.executable, "-m", "policyengine", *args],
        capture_output=True,
        text=True,
        env=env,
        cwd=ROOT,
        timeout=120,
    )


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with running() as found:
        yield found


@pytest.mark.slow
def test_from_a_scan_to_a_repair_and_back(tmp_path: Path, endpoint: str) -> None:
    import boto3

    environ = environment(endpoint)
    keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
    ec2 = boto3.client("ec2", endpoint_url=endpoint, region_name="us-east-1", **keys)
    group = ec2.create_security_group(GroupName="web", Description="web")["GroupId"]
    world = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[world])

    def rules() -> Any:
        return ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]

    def pe(*args: str) -> subprocess.CompletedProcess[str]:
        return run(*args, home=tmp_path, environ=environ)

    before = rules()
    folder, plan = str(tmp_path / "run"), str(tmp_path / "plan.json")
    assert pe("scan", "--live", "--regions", "us-east-1", "--rule", RULE, "-q", "-o", folder).returncode == 1
    planned = pe("remediate", "plan", folder, "-o", plan, "--as", "ann")
    assert planned.returncode == 0, planned.stderr
    assert (
        "ec2:RevokeSecurityGroupIngress" in planned.stdout
        and "undo: ec2:AuthorizeSecurityGroupIngress" in planned.stdout
    )
    assert rules() == before, "planning changes nothing"
    assert pe("remediate", "apply", plan).returncode == 1
    own = pe("remediate", "apply", plan, "--approve-as", "Ann")
    assert own.returncode == 1 and "somebody else has to approve" in own.stdout
    plan = str(tmp_path / "again.json")
    assert pe("remediate", "status", "--state", "planned", "-o", plan).returncode == 0, (
        "as it stands in the store"
    )
    applied = pe("remediate", "apply", plan, "--approve-as", "ben")
    assert applied.returncode == 0 and "verified" in applied.stdout, applied
    assert rules() == []
    action = applied.stdout.split()[0]
    shown = pe("remediate", "status", action)
    assert "approved_by=ben" in shown.stdout and "call=ec2:RevokeSecurityGroupIngress" in shown.stdout
    assert len(re.findall(r"answer .*request_id=\S+", shown.stdout)) == 1, "every call with AWS's id of it"
    back = pe("remediate", "rollback", action, "--as", "cem")
    assert back.returncode == 0 and "rolled_back" in back.stdout, back
    assert [p["IpRanges"] for p in rules()] == [p["IpRanges"] for p in before]
    log = pe("remediate", "log", "--verify")
    assert log.returncode == 0 and "the chain is whole" in log.stdout


@pytest.mark.slow
def test_what_a_snapshot_shows_is_read_again(tmp_path: Path, endpoint: str) -> None:
    """A snapshot of yesterday names a group that is gone, and one of another account."""
    lines = [
        {"type": "AWS::EC2::SecurityGroup", "id": name, "account": account, "region": "us-east-1", "properties": {
            "SecurityGroupIngress": [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]}}
        for name, account in (("sg-gone", "123456789012"), ("sg-other", "999988887777"))
    ]  # fmt: skip
    file = tmp_path / "yesterday.ndjson"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = run("remediate", "plan", str(file), "--rule", RULE, home=tmp_path, environ=environment(endpoint))
    assert done.returncode == 1
    assert "does not exist" in done.stderr and "no role for account 999988887777" in done.stderr
    assert done.stdout.startswith("0 planned")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "code", "told"),
    [
        (("status", "--store", "dynamodb:nowhere"), 4, "`nowhere` in us-east-1 does not exist"),
        (("plan", "FILE", "--rule", "kms-rotation"), 2, "did you mean `kms-key-rotation`"),
        (("plan", "FILE", "--rule", "ebs-volume-not-gp2"), 2, "no remediation repairs `ebs-volume-not-gp2`"),
        (
            ("plan", "FILE", "--type", "AWS::S3::Bucket"),
            2,
            "--type, --id, --account and --region are for one resource",
        ),
        (("plan", "FILE", "--finding", "f-1"), 2, "holds no finding `f-1`"),
    ],
)
def test_what_cannot_be_done_is_told_and_is_no_success(
    tmp_path: Path, endpoint: str, given: tuple[str, ...], code: int, told: str
) -> None:
    file = tmp_path / "s.ndjson"
    file.write_text(
        json.dumps(
            {
                "type": "AWS::SNS::Topic",
                "id": "t",
                "account": "1" * 12,
                "region": "eu-west-1",
                "properties": {},
            }
        )
    )
    asked = [str(file) if each == "FILE" else each for each in given]
    done = run("remediate", *asked, home=tmp_path, environ=environment(endpoint))
    assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    assert "bug of ours" not in done.stderr and done.stdout == ""


@pytest.mark.slow
def test_a_type_that_a_remediation_is_not_for_is_counted_and_not_asked_about(
    tmp_path: Path, endpoint: str
) -> None:
    file = tmp_path / "s.ndjson"
    group = {
        "type": "AWS::Athena::WorkGroup",
        "id": "w",
        "account": "1" * 12,
        "region": "eu-west-1",
        "properties": {"Tags": []},
    }
    file.write_text(json.dumps(group))
    done = run(
        "remediate",
        "plan",
        str(file),
        "--rule",
        "tags-mandatory",
        home=tmp_path,
        environ=environment(endpoint),
    )
    assert done.returncode == 0 and "1 more failure has no remediation" in done.stderr, done.stderr
    assert run("remediate", "log", home=tmp_path).stdout == "", "no refusal was written: nothing was asked"


def test_who_switched_off_is_in_the_journal(tmp_path: Path) -> None:
    for state in ("off", "on"):
        done = run("remediate", "switch", state, "--why", "game day", "--as", "olga", home=tmp_path)
        assert done.returncode == 0, done.stderr
    entries = [
        json.loads(text)
        for text in run("remediate", "log", "--format", "ndjson", home=tmp_path).stdout.splitlines()
    ]
    assert [(e["body"]["switch"], e["body"]["by"]) for e in entries] == [("off", "olga"), ("on", "olga")]
    shown = run("remediate", "log", home=tmp_path).stdout
    assert 'by=olga  switch=off  why="game day"' in shown


def test_a_kept_hash_shows_that_a_journal_was_written_anew(tmp_path: Path) -> None:
    """Who may write to the store can write a whole new chain: only a hash kept elsewhere tells."""
    first, second = str(tmp_path / "a" / "a.db"), str(tmp_path / "b" / "b.db")
    for path, why in ((first, "true"), (second, "forged")):
        store: Any = open_store(path)
        for at in ("2026-11-21T09:00:00+00:00", "2026-11-21T10:00:00+00:00"):
            store.note(Note(at, "act-1", "note", {"why": why}))
        store.close()
    kept = run("remediate", "log", "--verify", "--store", first, home=tmp_path).stdout.split()[-1]
    held = run("remediate", "log", "--verify", "--kept", kept, "--store", first, home=tmp_path)
    assert held.returncode == 0 and "entry 2 has the hash that was kept" in held.stdout
    forged = run("remediate", "log", "--verify", "--kept", kept, "--store", second, home=tmp_path)
    assert forged.returncode == 1 and "no entry has the hash" in forged.stdout
    assert run("remediate", "log", "--kept", kept, home=tmp_path).returncode == 2


def plan_file(folder: Path, **changes: Any) -> Path:
    plan = {"schema": "policyengine/remediation-plan/v1", "steps": [], "before": {}, **changes}
    body = {"schema": "policyengine/remediation-plans/v1", "run": "r", "actions": [
        {"id": "act-1", "hash": plan_hash({k: v for k, v in plan.items() if k != "edited"}), "plan": plan}]}  # fmt: skip
    file = folder / "plan.json"
    file.write_text(json.dumps(body))
    return file


def test_a_plan_that_was_edited_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    done = run("remediate", "apply", str(plan_file(tmp_path, edited=True)), home=tmp_path)
    assert done.returncode == 2
    assert "is not the one that was made" in done.stderr and "plan it again" in done.stderr


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"actions": [{}]}', '{"actions": "x"}', "\x00"])
def test_what_is_no_file_of_plans_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "plan.json"
    file.write_text(text)
    done = run("remediate", "apply", str(file), home=tmp_path)
    assert done.returncode == 2 and "remediate plan TARGET -o FILE" in done.stderr


@pytest.mark.parametrize("id", [1, None, ["act-1"], {"act": 1}])
def test_an_id_that_is_no_text_is_refused(tmp_path: Path, id: Any) -> None:
    file = plan_file(tmp_path)
    body = json.loads(file.read_text())
    body["actions"][0]["id"] = id
    file.write_text(json.dumps(body))
    done = run("remediate", "apply", str(file), home=tmp_path)
    assert done.returncode == 2 and "remediate plan TARGET -o FILE" in done.stderr


def test_a_plan_of_another_store_is_refused_before_anything_is_changed(tmp_path: Path) -> None:
    from policyengine.cli.remediate.apply import _known

    store: Any = open_store(str(tmp_path / "store" / "actions.db"))
    with pytest.raises(InputError, match="another --store"):
        _known(SimpleNamespace(store=store), ["act-of-another"])  # type: ignore[arg-type]  # its store is what is asked
    store.close()


def test_a_store_that_is_none_is_left_alone(tmp_path: Path) -> None:
    store = tmp_path / "notes.txt"
    store.write_text("my notes")
    done = run("remediate", "status", "--store", str(store), home=tmp_path)
    assert done.returncode == 2 and "notes.txt" in done.stderr
    assert store.read_text() == "my notes"


def test_an_empty_store_says_so(tmp_path: Path) -> None:
    assert run("remediate", "status", home=tmp_path).stdout == "0 actions\n"
    assert run("remediate", "log", "--verify", home=tmp_path).stdout == "the journal is empty\n"
    missing = run("remediate", "status", "act-0", home=tmp_path)
    assert missing.returncode == 2 and "knows no action `act-0`" in missing.stderr


def test_a_journal_that_was_changed_is_found(tmp_path: Path) -> None:
    import sqlite3

    path = tmp_path / "store" / "actions.db"
    store: Any = open_store(str(path))
    for number in range(3):
        store.note(Note("2026-11-21T09:00:00+00:00", f"act-{number}", "note", {"why": "x"}))
    store.close()
    assert (
        "3 entries, the chain is whole"
        in run("remediate", "log", "--verify", "--store", str(path), home=tmp_path).stdout
    )
    with sqlite3.connect(path) as connection:
        table = next(
            n
            for (n,) in connection.execute("select name from sqlite_master where type='table'")
            if "journal" in n
        )
        connection.execute(f"delete from {table} where seq = 2")
    done = run("remediate", "log", "--verify", "--store", str(path), home=tmp_path)
    assert done.returncode == 1 and "2" in done.stdout and "not whole" in done.stdout


def test_names_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    """A resource can be called anything its owner likes."""
    path = tmp_path / "store" / "actions.db"
    store: Any = open_store(str(path))
    place = {"type": "AWS::S3::Bucket", "id": "\x1b[2Jgone", "account": "1", "region": "r", "arn": None}
    plan = {"resource": place, "handler": "h", "hash": "sha256:0", "steps": []}
    at = "2026-11-21T09:00:00+00:00"
    action = Action(
        "act-1", "k", "planned", "1/r/t/i", "1", "r", "t", "rule", "h", plan, "sha256:0", "a", at, at, at
    )
    store.claim(action, Note(at, "act-1", "planned"), until=0, now=0)
    store.close()
    assert "\x1b" not in run("remediate", "status", "--store", str(path), home=tmp_path).stdout


@pytest.mark.parametrize(("command", "told"), [("apply", True), ("rollback", True), ("status", False)])
def test_who_interrupts_a_change_is_told_that_one_may_be_under_way(
    command: str, told: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import click

    from policyengine.cli.lazy import LazyGroup
    from policyengine.cli.remediate import remediate

    def interrupted(self: LazyGroup, ctx: click.Context) -> None:
        ctx.invoked_subcommand = command
        raise KeyboardInterrupt

    monkeypatch.setattr(LazyGroup, "invoke", interrupted)
    with pytest.raises(KeyboardInterrupt):
        remediate.invoke(click.Context(remediate))
    assert ("remediate recover" in capsys.readouterr().err) is told


def test_a_file_of_plans_is_its_owners_alone(tmp_path: Path) -> None:
    from policyengine.cli.remediate.plan import write_plans

    write_plans(tmp_path / "plan.json", {"actions": [], "odd": "\ud800"}, quiet=True)
    assert (tmp_path / "plan.json").stat().st_mode & 0o777 == 0o600


def test_handlers_are_listed_and_shown(tmp_path: Path) -> None:
    listed = run("remediate", "handlers", home=tmp_path)
    assert listed.returncode == 0 and len(listed.stdout.splitlines()) >= 24
    shown = run("remediate", "handlers", "kms_rotation", home=tmp_path)
    assert "kms:EnableKeyRotation" in shown.stdout
    assert "did you mean `kms_rotation`" in run("remediate", "handlers", "kms_rotate", home=tmp_path).stderr


# deploy


def test_render_needs_no_credentials_and_prints_one_template(tmp_path: Path) -> None:
    nothing = {name: "" for name in os.environ if name.startswith("AWS_")}
    done = run("deploy", "render", "--rule", "kms-key-rotation", home=tmp_path, environ=nothing)
    template = json.loads(done.stdout)
    assert (
        done.returncode == 0
        and template["Resources"]["RuleKmsKeyRotation"]["Type"] == "AWS::Config::ConfigRule"
    )


class Canned:
    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers

    def call(self, service: str, operation: str, arguments: Any, region: str) -> Any:
        answer = self.answers[operation]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_diff_names_what_is_added_removed_and_changed() -> None:
    old = {"Resources": {"A": {"Type": "T", "Properties": {"x": 1, "y": {"z": 2}}}, "B": {"Type": "T"}}}
    new = {"Resources": {"A": {"Type": "T", "Properties": {"x": 1, "y": {"z": 3}}}, "C": {"Type": "U"}}}
    assert list(changes(old, new)) == [
        Change("changed", "A", "T", ("Properties.y.z",)), Change("removed", "B", "T"), Change("added", "C", "U")
    ]  # fmt: skip
    assert list(changes(new, new)) == []


def test_a_stack_that_is_not_there_is_all_new_and_one_that_cannot_be_read_is_an_error() -> None:
    """https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html: a ValidationError."""
    gone = CallFailure(
        "cloudformation:DescribeStacks", "read_error", "ValidationError", "Stack with id x does not exist"
    )
    account: Any = Canned({"DescribeStacks": gone})
    assert deployed(account, "x", "eu-west-1") == ({}, {})
    account = Canned({"DescribeStacks": CallFailure("c:D", "access_denied", "AccessDenied", "no")})
    with pytest.raises(InputError, match="cannot be read"):
        deployed(account, "x", "eu-west-1")
