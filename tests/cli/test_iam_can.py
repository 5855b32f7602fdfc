"""`policyengine iam can` and `who-can`: through all layers a target shows, with requests that are allowed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Result, Run
from tests.cli.organization_files import LAB, SHOP, deny, organization, write

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "organization"
BUCKET = "arn:aws:s3:::ledger"


def policy(action: Any, resource: Any = "*", effect: str = "Allow", **more: Any) -> dict[str, Any]:
    statement = {"Effect": effect, "Action": action, "Resource": resource, **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(name: str, document: Any, account: str = LAB, trusted: Any = None, **more: Any) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": trusted or {"AWS": account}}
    properties = {
        "RoleName": name,
        "Path": "/",
        "Arn": f"arn:aws:iam::{account}:role/{name}",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "Policies": [{"PolicyName": "inline", "PolicyDocument": document}],
        **more,
    }
    return line("AWS::IAM::Role", name, account, "global", properties)


def bucket(name: str, document: Any = None, account: str = LAB) -> dict[str, Any]:
    found = line("AWS::S3::Bucket", name, account, "eu-west-1", {"BucketName": name})
    if document is not None:
        found["related"] = {"policies": [{"PolicyDocument": document}]}
    return found


def line(type_: str, id_: str, account: str, region: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": type_, "id": id_, "account": account, "region": region, "properties": properties}


def can(run: Run, folder: Path, lines: list[Any], who: str, *more: str) -> tuple[int, dict[str, Any]]:
    write(folder / "s.ndjson", lines)
    result = run("iam", "can", "--principal", who, "--in", "s.ndjson", "--format", "json", *more)
    assert result.err == ""
    return result.code, json.loads(result.out)


def everyone(result: Result) -> dict[str, Any]:
    return {line["principal"]: line for line in map(json.loads, result.out.splitlines())}


def test_yes_no_and_their_exit_codes(run: Run, tmp_path: Path) -> None:
    lines = [role("reader", policy("s3:Get*"))]
    code, found = can(run, tmp_path, lines, "reader", "--action", "s3:GetObject")
    assert (code, found["can"], found["witness"]["action"]) == (0, True, "s3:GetObject")
    code, found = can(run, tmp_path, lines, "reader", "--action", "s3:PutObject")
    assert (code, found["can"], found["witness"]) == (1, False, None)


@pytest.mark.parametrize("who", ["reader", f"arn:aws:iam::{LAB}:role/reader"])
def test_a_principal_is_found_by_name_and_arn(run: Run, tmp_path: Path, who: str) -> None:
    code, _ = can(run, tmp_path, [role("reader", policy("s3:Get*"))], who, "--action", "s3:GetObject")
    assert code == 0


def test_scps_of_the_target_count(run: Run, tmp_path: Path) -> None:
    lines = [*organization({"p-1": (deny("s3:*"), [LAB])})]
    lines += [role("reader", policy("*")), role("seller", policy("*"), SHOP)]
    assert can(run, tmp_path, lines, "reader", "--action", "s3:GetObject")[0] == 1
    assert can(run, tmp_path, lines, "seller", "--action", "s3:GetObject")[0] == 0


def test_boundaries_count(run: Run, tmp_path: Path) -> None:
    boundary = line("AWS::IAM::ManagedPolicy", "edge", LAB, "global", {"PolicyDocument": policy("ec2:*")})
    boundary["arn"] = boundary["properties"]["PolicyArn"] = f"arn:aws:iam::{LAB}:policy/edge"
    lines = [boundary, role("reader", policy("*"), PermissionsBoundary=boundary["arn"])]
    assert can(run, tmp_path, lines, "reader", "--action", "s3:GetObject")[0] == 1
    assert can(run, tmp_path, lines, "reader", "--action", "ec2:RunInstances")[0] == 0


def test_a_bucket_policy_decides_about_its_bucket(run: Run, tmp_path: Path) -> None:
    closed = policy("s3:*", [BUCKET, BUCKET + "/*"], "Deny", Principal="*")
    lines = [role("reader", policy("s3:*")), bucket("ledger", closed)]
    asked = ("--action", "s3:GetObject", "--resource", BUCKET + "/*")
    assert can(run, tmp_path, lines, "reader", *asked)[0] == 1
    assert can(run, tmp_path, lines, "reader", "--action", "s3:GetObject")[0] == 0
    opened = policy("s3:GetObject", BUCKET + "/*", Principal={"AWS": f"arn:aws:iam::{LAB}:user/x"})
    code, found = can(run, tmp_path, [lines[0], bucket("ledger", opened)], "reader", *asked)
    assert (code, found["witness"]["resource"].startswith(BUCKET + "/")) == (0, True)


def test_what_is_not_known_is_not_decided(run: Run, tmp_path: Path) -> None:
    found = role("reader", policy("ec2:*"))
    found["unknown"] = [{"path": "/Policies/-", "reason": "access_denied"}]
    code, answer = can(run, tmp_path, [found], "reader", "--action", "s3:GetObject")
    assert (code, answer["can"]) == (3, None)
    assert answer["reasons"]


def test_who_can_lists_the_target_and_those_from_outside(run: Run, tmp_path: Path) -> None:
    shared = policy(
        "s3:GetObject", BUCKET + "/*", Principal={"AWS": [SHOP, "arn:aws:iam::999988887777:root"]}
    )
    lines = [
        role("reader", policy("s3:Get*")),
        role("writer", policy("s3:Put*")),
        role("seller", policy("s3:*"), SHOP),
        bucket("ledger", shared),
    ]
    write(tmp_path / "s.ndjson", lines)
    asked = ("--action", "s3:GetObject", "--resource", BUCKET + "/*")
    result = run("iam", "who-can", "--in", "s.ndjson", *asked, "--format", "json")
    found = everyone(result)
    assert (result.code, result.err) == (0, "")
    inside = {a.rpartition("/")[2]: v["can"] for a, v in found.items() if not v["outside"]}
    assert inside == {"reader": True, "writer": False, "seller": True}
    assert {a for a, v in found.items() if v["outside"]} == {
        f"anyone in account {SHOP}",
        "anyone in account 999988887777",
    }
    page = run("iam", "who-can", "--in", "s.ndjson", *asked)
    assert "2 of 3 principals can" in page.out and "2 from outside, if their own account" in page.out


def test_who_can_assume_a_role(run: Run, tmp_path: Path) -> None:
    lines = [
        role("target", policy("s3:*"), trusted={"AWS": f"arn:aws:iam::{LAB}:role/chosen"}),
        role("chosen", policy("sts:AssumeRole")),
        role("other", policy("sts:AssumeRole")),
        role("open", policy("s3:*"), trusted={"AWS": "*"}),
    ]
    write(tmp_path / "s.ndjson", lines)
    asked = ("--action", "sts:AssumeRole", "--resource", f"arn:aws:iam::{LAB}:role/target")
    found = everyone(run("iam", "who-can", "--in", "s.ndjson", *asked, "--format", "json"))
    assert [a.rpartition("/")[2] for a, v in found.items() if v["can"]] == ["chosen"]
    asked = (*asked[:-1], f"arn:aws:iam::{LAB}:role/open")
    found = everyone(run("iam", "who-can", "--in", "s.ndjson", *asked, "--format", "json"))
    assert found["anyone"]["outside"] is True


def test_code_is_asked_too(run: Run, tmp_path: Path) -> None:
    properties = {
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": []},
        "Policies": [{"PolicyName": "p", "PolicyDocument": policy("s3:*")}],
    }
    properties["AssumeRolePolicyDocument"]["Statement"] = [  # type: ignore[index]  # a nested value
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
    template = {"Resources": {"Worker": {"Type": "AWS::IAM::Role", "Properties": properties}}}
    (tmp_path / "t.json").write_text(json.dumps(template))
    result = run("iam", "can", "--principal", "Worker", "--in", "t.json", "--action", "s3:PutObject")
    assert (result.code, result.err) == (0, "")
    assert "its ARN is made up: the code does not fix it" in result.out


def test_mistakes_are_told(run: Run, tmp_path: Path, snapshot: Path) -> None:
    write(tmp_path / "s.ndjson", [role("reader", policy("s3:Get*"))])
    result = run("iam", "can", "--principal", "raeder", "--in", "s.ndjson", "--action", "s3:*")
    assert result.code == 2 and "no user or role `raeder` in `s.ndjson`; did you mean `reader`?" in result.err
    result = run("iam", "can", "--principal", "reader", "--in", "s.ndjson")
    assert result.code == 2 and "which requests? give --requests FILE or --action PATTERN" in result.err
    result = run("iam", "can", "--principal", "reader", "--in", "s.ndjson", "--action", "s3")
    assert result.code == 2 and "--action `s3`: no action" in result.err
    result = run("iam", "can", "--principal", "x", "--in", "none", "--action", "s3:*")
    assert result.code == 2 and "no such file" in result.err


def test_the_example_organisation(run: Run) -> None:
    result = run("iam", "who-can", "--in", str(EXAMPLE), "--action", "cloudtrail:StopLogging")
    assert (result.code, result.err) == (0, "")
    assert "role/platform/break-glass" in result.out


DOCUMENT = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:Put*", "Resource": "arn:aws:s3:::ledger/*"}],
}


def test_a_bare_document_answers_by_itself(run: Run, tmp_path: Path) -> None:
    (tmp_path / "identity.json").write_text(json.dumps(DOCUMENT))
    principal = "arn:aws:iam::111122223333:role/app"
    ask = ("iam", "can", "--in", "identity.json", "--principal")
    yes = run(*ask, principal, "--action", "s3:PutObject")
    assert yes.code == 0 and f"by {principal}" in yes.out and "identity.json alone" in yes.out
    assert run(*ask, principal, "--action", "s3:GetObject").code == 1
    odd = run(*ask, "app", "--action", "s3:PutObject")
    assert odd.code == 2 and "name one by its ARN" in odd.err
    who = run("iam", "who-can", "--in", "identity.json", "--action", "s3:PutObject", "--format", "json")
    assert who.code == 0 and json.loads(who.out)["principal"] == "whoever holds it"
    opened = {**DOCUMENT["Statement"][0], "Principal": "*"}  # type: ignore[dict-item]  # a statement
    (tmp_path / "bucket.json").write_text(json.dumps({**DOCUMENT, "Statement": [opened]}))
    anybody = run("iam", "who-can", "--in", "bucket.json", "--action", "s3:PutObject")
    assert anybody.code == 0 and "yes: anybody can" in anybody.out
