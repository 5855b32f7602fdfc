"""`policyengine iam diff`: what is newly allowed, with requests that show it; what no longer is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.documents import read_policy
from policyengine.iam.request import Request
from tests.cli.conftest import Result, Run
from tests.cli.organization_files import deny, organization, write

READ = {"Effect": "Allow", "Action": ["s3:GetObject", "ec2:Describe*"], "Resource": "*"}
MORE = {"Effect": "Allow", "Action": ["s3:Get*", "iam:PassRole"], "Resource": "*"}
MFA = {"Effect": "Deny", "Action": "iam:*", "Resource": "*"}
MFA["Condition"] = {"Bool": {"aws:MultiFactorAuthPresent": "false"}}  # type: ignore[assignment]  # a nested value


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def template(*statements: Any, name: str = "Reader") -> dict[str, Any]:
    properties = {"PolicyDocument": policy(*statements), "ManagedPolicyName": "reader"}
    return {"Resources": {name: {"Type": "AWS::IAM::ManagedPolicy", "Properties": properties}}}


def compare(run: Run, folder: Path, old: Any, new: Any, *more: str) -> Result:
    for name, content in (("old.json", old), ("new.json", new)):
        (folder / name).write_text(json.dumps(content), encoding="utf-8")
    return run("iam", "diff", "old.json", "new.json", *more)


def lines(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.out.splitlines()]


def test_what_is_new_has_a_witness_that_only_the_new_document_allows(run: Run, tmp_path: Path) -> None:
    old, new = policy(READ), policy(MORE, MFA)
    result = compare(run, tmp_path, old, new, "--format", "json")
    assert (result.code, result.err) == (1, "")
    found = lines(result)
    assert [(f["change"], f["services"]) for f in found[:2]] == [
        ("allows", {"iam": 1}),
        ("allows", {"s3": found[1]["actions"]}),
    ]
    assert (found[2]["change"], list(found[2]["services"])) == ("no_longer_allows", ["ec2"])
    before, after = (Policies(identity=(read_policy(p, "identity"),)) for p in (old, new))
    for line in found:
        witness = line["witness"]
        request = Request(*(witness[k] for k in ("principal", "action", "resource", "context")))
        gained = line["change"] == "allows"
        assert (authorize(request, after).outcome == "Allowed") is gained
        assert (authorize(request, before).outcome == "Allowed") is not gained
    assert found[0]["witness"]["context"] == {"aws:MultiFactorAuthPresent": "true"}


def test_less_is_exit_0_and_is_told(run: Run, tmp_path: Path) -> None:
    result = compare(run, tmp_path, policy(MORE), policy(MORE, MFA))
    assert result.code == 0
    assert "`new.json` allows nothing that `old.json` does not" in result.out
    assert "- no longer: iam:PassRole" in result.out


def test_a_page_names_groups_and_witnesses(run: Run, tmp_path: Path) -> None:
    result = compare(run, tmp_path, policy(READ), policy(READ, MFA, MORE))
    assert "+ iam:PassRole\n      iam:PassRole on arn:aws:iam::" in result.out
    assert "with aws:MultiFactorAuthPresent = true" in result.out
    assert "actions (s3 " in result.out and "such as s3:Get" in result.out


def test_only_the_requests_in_question_count(run: Run, tmp_path: Path) -> None:
    result = compare(run, tmp_path, policy(READ), policy(MORE), "--action", "ec2:*")
    assert result.code == 0 and "no longer" in result.out
    result = compare(run, tmp_path, policy(READ), policy(MORE), "--action", "iam:*", "--format", "json")
    assert [f["services"] for f in lines(result)] == [{"iam": 1}]


def test_documents_that_only_deny_are_compared_as_what_they_leave(run: Run, tmp_path: Path) -> None:
    region = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
    wider = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}
    old, new = deny("bedrock:*", region), deny("bedrock:*", wider)
    result = compare(run, tmp_path, old, new, "--format", "json", "--kind", "scp")
    assert result.code == 1
    (found,) = lines(result)
    assert found["witness"]["context"]["aws:RequestedRegion"] == "us-east-1"
    assert compare(run, tmp_path, new, old, "--kind", "scp").code == 0


def test_policies_of_templates_are_compared_in_their_place(run: Run, tmp_path: Path) -> None:
    result = compare(run, tmp_path, template(READ), template(READ, MORE), "--format", "json")
    assert result.code == 1
    assert {f["type"] for f in lines(result)} == {"AWS::IAM::ManagedPolicy"}
    assert lines(result)[0]["place"].startswith("new.json:1:")
    assert compare(run, tmp_path, template(READ), template(READ)).code == 0
    result = compare(run, tmp_path, template(READ), template(READ, name="Other"), "--format", "json")
    assert result.code == 1
    assert {(f["change"], f["state"]) for f in lines(result)} == {
        ("allows", "added"),
        ("no_longer_allows", "removed"),
    }


def test_what_is_not_known_is_the_same_where_it_is_written_the_same(run: Run, tmp_path: Path) -> None:
    unknown = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Ref": "Bucket"}}
    one = template(unknown) | {"Parameters": {"Bucket": {"Type": "String"}}}
    two = template(unknown, MORE) | {"Parameters": {"Bucket": {"Type": "String"}}}
    assert compare(run, tmp_path, one, one, "--strict").code == 0
    result = compare(run, tmp_path, one, two, "--format", "json")
    assert result.code == 1
    assert "iam" in {service for f in lines(result) for service in f.get("services", ())}


def test_policies_of_organisations_are_compared_too(run: Run, tmp_path: Path) -> None:
    for name, action in (("a.ndjson", "s3:*"), ("b.ndjson", "s3:Delete*")):
        write(tmp_path / name, organization({"p-1": (deny(action), ["r-abcd"])}))
    result = run("iam", "diff", "a.ndjson", "b.ndjson", "--format", "json")
    assert result.code == 1
    assert {(f["id"], f["change"], *f["services"]) for f in lines(result)} == {("p-1", "allows", "s3")}


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ({"Statement": []}, "new.json:1:15: $.Statement: no statements; found an empty list"),
        ("x", "new.json: "),
    ],
)
def test_a_broken_document_is_exit_2_with_its_place(
    run: Run, tmp_path: Path, content: Any, error: str
) -> None:
    result = compare(run, tmp_path, policy(READ), content)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {error}"), result.err


def test_a_snapshot_that_could_not_be_read_whole_is_exit_4(run: Run, tmp_path: Path) -> None:
    for name in ("a.ndjson", "b.ndjson"):
        write(tmp_path / name, organization({"p-1": (deny("s3:*"), ["r-abcd"])}))
    with (tmp_path / "b.ndjson").open("a") as file:
        file.write("{broken\n")
    for names in (("a.ndjson", "b.ndjson"), ("b.ndjson", "a.ndjson")):
        result = run("iam", "diff", *names)
        assert result.code == 4 and "error: b.ndjson:" in result.err, result.err
    (tmp_path / "c.ndjson").write_text("{broken\n")
    assert run("iam", "diff", "a.ndjson", "c.ndjson").code == 4
