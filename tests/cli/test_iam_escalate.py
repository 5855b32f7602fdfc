"""`policyengine iam escalate`: chains over a whole target, and what stops them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Result, Run
from tests.cli.organization_files import LAB, MANAGEMENT, SHOP, deny, organization, write
from tests.cli.test_iam_can import EXAMPLE, line, policy, role

HEAD = f"arn:aws:iam::{LAB}:"
DEV, ADMIN = f"{HEAD}role/dev", f"{HEAD}role/admin"
LAMBDA = ["iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"]
NEW_FUNCTION = "iam:PassRole+lambda:CreateFunction+lambda:InvokeFunction"
SERVICE = {"Service": "lambda.amazonaws.com"}
Lines = list[dict[str, Any]]


def dev(actions: Any = LAMBDA, **more: Any) -> dict[str, Any]:
    return role("dev", policy(actions), **more)


def admin(trusted: Any = SERVICE, **more: Any) -> dict[str, Any]:
    return role("admin", policy("*"), trusted=trusted, **more)


def user(name: str, document: Any = None, **more: Any) -> dict[str, Any]:
    properties = {"UserName": name, "Path": "/", "Arn": f"{HEAD}user/{name}", **more}
    if document is not None:
        properties["Policies"] = [{"PolicyName": "inline", "PolicyDocument": document}]
    return line("AWS::IAM::User", name, LAB, "global", properties)


def managed(name: str, document: Any) -> dict[str, Any]:
    arn = f"{HEAD}policy/{name}"
    properties = {"PolicyArn": arn, "ManagedPolicyName": name, "PolicyDocument": document}
    return line("AWS::IAM::ManagedPolicy", arn, LAB, "global", properties)


def function(name: str, runs_with: str) -> dict[str, Any]:
    return line("AWS::Lambda::Function", name, LAB, "eu-west-1", {"FunctionName": name, "Role": runs_with})


def instance(profile: str) -> dict[str, Any]:
    properties = {"InstanceId": "i-0123456789abcdef0", "IamInstanceProfile": profile}
    return line("AWS::EC2::Instance", "i-0123456789abcdef0", LAB, "eu-west-1", properties)


def profile(name: str, of: str) -> dict[str, Any]:
    properties = {"InstanceProfileName": name, "Roles": [of]}
    return line("AWS::IAM::InstanceProfile", name, LAB, "global", properties)


def snapshot(folder: Path, lines: Lines) -> str:
    """Write a snapshot that says that it is whole."""
    (folder / "s" / "resources").mkdir(parents=True)
    data = write(folder / "s" / "resources" / "all.ndjson", lines).read_bytes()
    places = {(a, r) for a in (LAB, SHOP, MANAGEMENT) for r in ("global", "eu-west-1")}
    coverage = [{"account": a, "region": r, "types": ["*"]} for a, r in sorted(places)]
    manifest = {"version": "1.0", "created": "2026-11-21T09:00:00Z", "coverage": coverage}
    digest = hashlib.sha256(data).hexdigest()
    parts = [{"path": "resources/all.ndjson", "sha256": digest, "bytes": len(data), "resources": len(lines)}]
    (folder / "s" / "manifest.json").write_text(json.dumps({**manifest, "parts": parts}))
    return "s"


def answers(result: Result) -> dict[str, dict[str, Any]]:
    found = [json.loads(text) for text in result.out.splitlines()]
    assert [one["principal"] for one in found] == sorted(one["principal"] for one in found)
    return {one["principal"]: one for one in found}


def escalate(run: Run, folder: Path, lines: Lines, *more: str) -> tuple[int, dict[str, dict[str, Any]]]:
    result = run("iam", "escalate", "--in", snapshot(folder, lines), "--format", "json", *more)
    assert result.err == ""
    return result.code, answers(result)


def test_a_role_that_can_be_passed_makes_an_administrator(run: Run, tmp_path: Path) -> None:
    code, found = escalate(run, tmp_path, [dev(), admin()])
    assert code == 1
    one = found[DEV]
    assert (one["escalates"], one["to_administrator"], one["administrator"]) == (True, True, False)
    (step,) = one["path"]
    assert (step["from"]["principal"], step["to"]["principal"]) == (DEV, ADMIN)
    assert (step["path"], step["reference"]) == (NEW_FUNCTION, "https://pathfinding.cloud/paths/lambda-001")
    assert [w["action"] for w in step["requests"]] == LAMBDA
    assert step["requests"][0]["resource"] == ADMIN
    assert step["requests"][0]["context"]["iam:PassedToService"] == "lambda.amazonaws.com"
    assert one["gains"]["principal"] == ADMIN
    assert (found[ADMIN]["administrator"], found[ADMIN]["escalates"], found[ADMIN]["path"]) == (
        True,
        False,
        [],
    )


def test_the_page_says_it_step_by_step(run: Run, tmp_path: Path) -> None:
    lines = [user("alice", policy("sts:AssumeRole", DEV)), dev(trusted={"AWS": LAB}), admin()]
    result = run("iam", "escalate", "--in", snapshot(tmp_path, lines))
    assert (result.code, result.err) == (1, "")
    assert result.out.splitlines()[:3] == [
        "2 of 3 principals can make themselves administrator",
        "0 can get more than they have otherwise",
        "1 is administrator already",
    ]
    told = result.out[result.out.index(f"{HEAD}user/alice") :].splitlines()
    assert told[:11] == [
        f"{HEAD}user/alice: administrator in 2 steps",
        "  1. sts:AssumeRole",
        f"     sts:AssumeRole on {DEV}",
        f"     -> {DEV}",
        "     see https://pathfinding.cloud/paths/sts-001",
        f"  2. {NEW_FUNCTION}",
        f"     iam:PassRole on {ADMIN}",
        "       with iam:PassedToService = lambda.amazonaws.com",
        f"     lambda:CreateFunction on arn:aws:lambda:us-east-1:{LAB}:function:any",
        f"     lambda:InvokeFunction on arn:aws:lambda:us-east-1:{LAB}:function:any",
        f"     -> {ADMIN}",
    ]
    assert "1 administrator, with no more to get" in result.out


EDGE = f"{HEAD}policy/edge"
OPENED: dict[str, Lines] = {
    "a function that runs with the role": [dev("lambda:UpdateFunctionCode"), admin(), function("f", ADMIN)],
    "an instance that runs with the role": [
        dev("ssm:StartSession"), admin({"Service": "ec2.amazonaws.com"}), instance("p"), profile("p", "admin"),
    ],
    "a policy of its own": [
        dev("iam:CreatePolicyVersion", ManagedPolicyArns=[EDGE]), managed("edge", policy("s3:GetObject")),
    ],
    "a policy that allows to change it": [
        dev("s3:*", ManagedPolicyArns=[EDGE]), managed("edge", policy("iam:CreatePolicyVersion", EDGE)),
    ],
    "a boundary that it can take off": [
        dev(["iam:PutRolePolicy", "iam:DeleteRolePermissionsBoundary"], PermissionsBoundary=EDGE),
        managed("edge", policy("iam:*")),
    ],
    "a role of another account that trusts it": [
        dev("sts:AssumeRole"), role("admin", policy("*"), SHOP, trusted={"AWS": DEV}),
    ],
}  # fmt: skip
STOPPED: dict[str, Lines] = {
    "a boundary": [dev(PermissionsBoundary=EDGE), managed("edge", policy("lambda:*")), admin()],
    "an SCP": [*organization({"p-1": (deny("iam:PassRole"), [LAB])}), dev(), admin()],
    "an RCP": [
        *organization(
            {"p-1": (deny("sts:AssumeRole", Principal="*"), [LAB])}, kind="RESOURCE_CONTROL_POLICY"
        ),
        dev("sts:AssumeRole"), admin({"AWS": LAB}),
    ],
    "a trust policy that names another service": [dev(), admin({"Service": "ec2.amazonaws.com"})],
    "a trust policy that names another role": [dev("sts:AssumeRole"), admin({"AWS": f"{HEAD}role/other"})],
    "no function runs with the role": [dev("lambda:UpdateFunctionCode"), admin(), function("f", DEV)],
    "a role that only AWS changes": [
        dev("iam:UpdateAssumeRolePolicy"),
        role("x", policy("*"), trusted={"Federated": "saml"}, Arn=f"{HEAD}role/aws-reserved/sso.amazonaws.com/x"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", OPENED)
def test_what_opens_a_way(run: Run, tmp_path: Path, name: str) -> None:
    code, found = escalate(run, tmp_path, OPENED[name], "--principal", "dev", "--to-admin")
    assert (code, found[DEV]["escalates"], found[DEV]["to_administrator"]) == (1, True, True)


@pytest.mark.parametrize("name", STOPPED)
def test_what_stops_it(run: Run, tmp_path: Path, name: str) -> None:
    code, found = escalate(run, tmp_path, STOPPED[name], "--principal", "dev")
    assert (code, found[DEV]["escalates"], found[DEV]["reasons"]) == (0, False, [])


def unread_policy() -> Lines:
    return [dev("s3:GetObject", ManagedPolicyArns=[f"{HEAD}policy/unread"]), admin()]


def unread_function() -> Lines:
    found = function("f", ADMIN)
    del found["properties"]["Role"]
    found["unknown"] = [{"path": "/Role", "reason": "access_denied"}]
    return [dev("lambda:UpdateFunctionCode"), admin(), found]


def unread_trust() -> Lines:
    found = admin()
    del found["properties"]["AssumeRolePolicyDocument"]
    found["unknown"] = [{"path": "/AssumeRolePolicyDocument", "reason": "access_denied"}]
    return [dev(), found]


@pytest.mark.parametrize("lines", [unread_policy, unread_function, unread_trust])
def test_what_is_not_known_is_not_decided(run: Run, tmp_path: Path, lines: Callable[[], Lines]) -> None:
    code, found = escalate(run, tmp_path, lines(), "--principal", "dev")
    assert (code, found[DEV]["escalates"], found[DEV]["path"]) == (3, None, [])
    assert found[DEV]["reasons"]


def test_of_a_snapshot_that_says_nothing_of_functions_there_may_be_some(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "s.ndjson", [dev("lambda:UpdateFunctionCode"), admin()])
    result = run("iam", "escalate", "--in", "s.ndjson", "--principal", "dev", "--format", "json")
    assert result.code == 3
    assert "such a resource runs with this role" in answers(result)[DEV]["reasons"][0]


def test_more_without_administrator(run: Run, tmp_path: Path) -> None:
    lines = [dev("sts:AssumeRole"), role("reader", policy("s3:*"), trusted={"AWS": LAB})]
    code, found = escalate(run, tmp_path, lines)
    assert (code, found[DEV]["escalates"], found[DEV]["to_administrator"]) == (1, True, False)
    assert found[DEV]["gains"]["action"].startswith("s3:")
    result = run("iam", "escalate", "--in", "s", "--to-admin")
    assert (result.code, result.out.splitlines()[0]) == (
        0,
        "0 of 2 principals can make themselves administrator",
    )


def test_a_template(run: Run, tmp_path: Path) -> None:
    def made(document: Any, trusted: Any) -> dict[str, Any]:
        allowed = {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        inline = {"PolicyName": "p", "PolicyDocument": document}
        trust = {"Version": "2012-10-17", "Statement": [allowed]}
        return {
            "Type": "AWS::IAM::Role",
            "Properties": {"AssumeRolePolicyDocument": trust, "Policies": [inline]},
        }

    resources = {
        "Deployer": made(policy("lambda:UpdateFunctionCode"), {"Service": "codebuild.amazonaws.com"}),
        "Worker": made(policy("*"), SERVICE),
        "Job": {
            "Type": "AWS::Lambda::Function",
            "Properties": {"Role": {"Fn::GetAtt": ["Worker", "Arn"]}, "Code": {"ZipFile": "x"}},
        },
    }
    (tmp_path / "t.json").write_text(json.dumps({"Resources": resources}))
    result = run("iam", "escalate", "--in", "t.json")
    assert (result.code, result.err) == (1, "")
    assert "1 of 2 principals can make itself administrator" in result.out
    assert "lambda:UpdateFunctionCode on arn:aws:lambda:" in result.out and ":function:Job" in result.out
    assert "ARNs that the code does not fix are made up" in result.out


REFERENCES = """
Resources:
  Passer:
    Type: AWS::IAM::User
    Properties:
      Policies:
        - PolicyName: p
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
              - {Effect: Allow, Action: "lambda:*", Resource: "*"}
              - {Effect: Allow, Action: "iam:PassRole", Resource: !GetAtt Worker.Arn}
  Ann:
    Type: AWS::IAM::User
    Properties: {Groups: [!Ref Team]}
  Team:
    Type: AWS::IAM::Group
    Properties: {ManagedPolicyArns: [!Ref Own]}
  Own:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "iam:CreatePolicyVersion", Resource: "*"}]
  Worker:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "sts:AssumeRole", Principal: {Service: lambda.amazonaws.com}}]
      ManagedPolicyArns: ["arn:aws:iam::aws:policy/AdministratorAccess"]
"""


def test_code_refers_to_its_own_roles_groups_and_policies(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(REFERENCES)
    result = run("iam", "escalate", "--in", "t.yaml", "--account", LAB, "--format", "json")
    assert (result.code, result.err) == (1, "")
    found = {arn.rpartition("/")[2]: one for arn, one in answers(result).items()}
    assert set(found) == {"Ann", "Passer", "Worker"} and found["Worker"]["administrator"] is True
    (step,) = found["Passer"]["path"]
    assert step["path"] == NEW_FUNCTION and step["requests"][0]["resource"] == f"{HEAD}role/Worker"
    (step,) = found["Ann"]["path"]
    assert step["requests"][0]["resource"] == f"{HEAD}policy/Own"
    assert step["to"] == {
        "principal": f"{HEAD}user/Ann",
        "any_policy": True,
        "no_boundary": False,
        "group": None,
    }


def test_branches_that_differ_are_not_decided(run: Run, tmp_path: Path) -> None:
    template = REFERENCES.replace(
        'Action: "iam:CreatePolicyVersion"',
        'Action: !If [Prod, "s3:ListAllMyBuckets", "iam:CreatePolicyVersion"]',
    )
    head = "Parameters: {Env: {Type: String}}\nConditions: {Prod: !Equals [!Ref Env, prod]}"
    (tmp_path / "t.yaml").write_text(head + template)
    result = run("iam", "escalate", "--in", "t.yaml", "--principal", "Ann", "--format", "json")
    assert (result.code, result.err) == (3, "")
    (one,) = answers(result).values()
    assert one["escalates"] is None and one["reasons"]


def test_administrators_and_mistakes_are_told(run: Run, tmp_path: Path) -> None:
    where = snapshot(tmp_path, [dev(), admin()])
    result = run("iam", "escalate", "--in", where, "--principal", "admin")
    assert (result.code, result.out.splitlines()[0]) == (0, f"no: {ADMIN} is administrator already")
    result = run("iam", "escalate", "--in", where, "--principal", "develop")
    assert result.code == 2 and "no user or role `develop` in `s`; did you mean `dev`?" in result.err
    (tmp_path / "t.json").write_text('{"Resources": {"B": {"Type": "AWS::S3::Bucket"}}}')
    result = run("iam", "escalate", "--in", "t.json")
    assert result.code == 2 and "in `t.json`" in result.err


def test_a_broken_snapshot_is_not_whole(run: Run, tmp_path: Path) -> None:
    where = snapshot(tmp_path, [dev("s3:*")])
    with (tmp_path / "s" / "resources" / "all.ndjson").open("a") as file:
        file.write("{broken\n")
    result = run("iam", "escalate", "--in", where)
    assert result.code == 4 and "all.ndjson:2" in result.err


@pytest.mark.slow
def test_many_roles_that_may_all_assume_each_other_end(run: Run, tmp_path: Path) -> None:
    many = [role(f"r{n:04}", policy("sts:AssumeRole"), trusted={"AWS": LAB}) for n in range(400)]
    result = run("iam", "escalate", "--in", snapshot(tmp_path, many), "--format", "json")
    found = answers(result)
    assert (result.code, len(found)) == (3, 400)
    assert {one["escalates"] for one in found.values()} <= {None, False}


def test_the_example_organisation(run: Run) -> None:
    result = run("iam", "escalate", "--in", str(EXAMPLE))
    assert (result.code, result.err) == (0, "")
    assert "10 are administrator already" in result.out and "role/platform/break-glass" in result.out
