"""`policyengine iam covers`: one answer an account, witnesses that hold, places of what is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.documents import read_policy
from policyengine.iam.reason import EVERYONE, EVERYTHING
from policyengine.iam.request import Request
from tests.cli.conftest import Result, Run
from tests.cli.organization_files import LAB, MANAGEMENT, OU, ROOT, SHOP, deny, organization, write

BEDROCK = {"action": ["bedrock:InvokeModel*"], "context": {"aws:RequestedRegion": {"not": ["eu-west-1"]}}}
OUTSIDE = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}
EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "organization"


def ask(run: Run, folder: Path, lines: list[Any], requests: Any = BEDROCK, *more: str) -> Result:
    write(folder / "org.ndjson", lines)
    (folder / "q.json").write_text(json.dumps(requests), encoding="utf-8")
    return run("iam", "covers", "--in", "org.ndjson", "--requests", "q.json", *more)


def answers(result: Result) -> dict[str, dict[str, Any]]:
    return {line["account"]: line for line in map(json.loads, result.out.splitlines())}


def test_one_line_for_each_member_account(run: Run, tmp_path: Path) -> None:
    lines = organization({"p-1": (deny("bedrock:*", OUTSIDE), [OU])})
    result = ask(run, tmp_path, lines, BEDROCK, "--format", "json")
    assert (result.code, result.err) == (1, "")
    found = answers(result)
    assert list(found) == [SHOP, LAB]
    assert found[LAB] == {
        "account": LAB,
        "covered": True,
        "witness": None,
        "reasons": [
            {"code": "denied", "node": OU, "policy": "p-1", "name": "p-1", "statement": 0, "sid": None}
        ],
    }
    assert found[SHOP]["covered"] is False
    witness = found[SHOP]["witness"]
    assert set(witness) == {"principal", "action", "resource", "context"}
    assert f":{SHOP}:" in witness["principal"]
    assert witness["context"]["aws:RequestedRegion"] != "eu-west-1"
    assert [r["code"] for r in found[SHOP]["reasons"]] == ["no_deny"]


def test_all_covered_is_exit_0_and_says_who_is_beyond(run: Run, tmp_path: Path) -> None:
    result = ask(run, tmp_path, organization({"p-1": (deny("*", OUTSIDE), [ROOT])}))
    assert (result.code, result.err) == (0, "")
    assert "covered: SCPs deny all of `q.json` in 2 member accounts" in result.out
    assert f"The management account {MANAGEMENT} is no member account" in result.out


def test_a_disabled_policy_type_covers_nothing(run: Run, tmp_path: Path) -> None:
    lines = organization({"p-1": (deny("*"), [ROOT])}, enabled=False)
    found = answers(ask(run, tmp_path, lines, BEDROCK, "--format", "json"))
    assert [(a["covered"], a["reasons"][0]["code"]) for a in found.values()] == [
        (False, "scps_not_enabled")
    ] * 2
    assert all(a["witness"] is not None for a in found.values())


def test_a_level_without_an_allow_covers(run: Run, tmp_path: Path) -> None:
    lines = organization({})
    full = next(line for line in lines if line["id"] == "p-FullAWSAccess")
    full["properties"]["TargetIds"].remove(OU)
    found = answers(ask(run, tmp_path, lines, BEDROCK, "--format", "json"))
    assert found[LAB]["covered"] is True
    assert [(r["code"], r["node"]) for r in found[LAB]["reasons"]] == [("no_allow", OU)]
    assert found[SHOP]["covered"] is False


@pytest.mark.parametrize("strict", [False, True])
def test_what_cannot_be_read_is_null_and_a_known_deny_still_decides(
    run: Run, tmp_path: Path, strict: bool
) -> None:
    lines = organization({"p-1": ("{", [SHOP, LAB]), "p-2": (deny("*", OUTSIDE), [OU])})
    more = ["--strict"] if strict else []
    result = ask(run, tmp_path, lines, BEDROCK, "--format", "json", *more)
    found = answers(result)
    assert result.code == 4
    assert (found[SHOP]["covered"], found[SHOP]["witness"], found[LAB]["covered"]) == (None, None, True)
    assert "the content of the policy cannot be read" in found[SHOP]["reasons"][0]["text"]
    number = next(i for i, line in enumerate(lines, 1) if line["id"] == "p-1")
    assert result.err.startswith(f"error: org.ndjson:{number}: Policy `p-1`: `Content` is no policy AWS")


def test_strict_exits_3_when_something_is_not_decided(run: Run, tmp_path: Path) -> None:
    lines = organization({"p-1": (deny("*", OUTSIDE), [OU])})
    lines[-1]["unknown"] = [{"path": "/TargetIds/-", "reason": "access_denied"}]
    result = ask(run, tmp_path, lines, BEDROCK, "--format", "json", "--strict")
    found = answers(result)
    assert (found[SHOP]["covered"], found[LAB]["covered"]) == (None, True)
    assert result.code == 3
    assert ask(run, tmp_path, lines, BEDROCK).code == 0


def test_accounts_that_policies_name_are_decided_by_themselves(run: Run, tmp_path: Path) -> None:
    roles = {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{SHOP}:role/admin"}}
    lines = organization({"p-1": (deny("s3:DeleteBucket", roles), [ROOT])})
    found = answers(ask(run, tmp_path, lines, {"action": "s3:DeleteBucket"}, "--format", "json"))
    assert (found[LAB]["covered"], found[SHOP]["covered"]) == (True, False)
    assert found[SHOP]["witness"]["principal"] == f"arn:aws:iam::{SHOP}:role/admin"


def test_what_follows_from_being_a_member_is_known(run: Run, tmp_path: Path) -> None:
    inside = {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}}
    below = {"StringLike": {"aws:PrincipalOrgPaths": f"o-abcdefghij/{ROOT}/{OU}/*"}}
    for condition, expected in ((inside, {LAB: True, SHOP: True}), (below, {LAB: True, SHOP: False})):
        condition = {f"ForAnyValue:{k}" if "Like" in k else k: v for k, v in condition.items()}
        lines = organization({"p-1": (deny("s3:DeleteBucket", condition), [ROOT])})
        found = answers(ask(run, tmp_path, lines, {"action": "s3:DeleteBucket"}, "--format", "json"))
        assert {a: line["covered"] for a, line in found.items()} == expected


def test_witnesses_of_many_accounts_get_through_their_own_chain(run: Run, tmp_path: Path) -> None:
    content = deny("bedrock:*", {"StringEquals": {"aws:RequestedRegion": "us-east-1"}})
    lines = organization({"p-1": (content, [ROOT])})
    extra = [f"{444444444444 + n}" for n in range(200)]
    for account in extra:
        line = json.loads(json.dumps(next(x for x in lines if x["id"] == SHOP)))
        line["id"] = line["properties"]["AccountId"] = account
        lines.append(line)
    full = next(line for line in lines if line["id"] == "p-FullAWSAccess")
    full["properties"]["TargetIds"] += extra
    found = answers(ask(run, tmp_path, lines, BEDROCK, "--format", "json"))
    assert set(found) == {SHOP, LAB, *extra}
    scps = [[EVERYTHING, read_policy(content, "scp")]]
    for account, line in found.items():
        witness = line["witness"]
        assert witness["principal"].split(":")[4] == account
        request = Request(*(witness[k] for k in ("principal", "action", "resource", "context")))
        assert (
            authorize(request, Policies(identity=(EVERYTHING,), resource=EVERYONE, scps=scps)).outcome
            == "Allowed"
        )


@pytest.mark.parametrize(
    ("requests", "error"),
    [
        ({"actions": "s3:*"}, "q.json:1:1: $: no such key; found `actions`"),
        ({"action": ["s3"]}, "q.json:1:13: $.action[0]: no action; found `s3`"),
        ([], "q.json:1:1: $: no set of requests; found an empty list"),
    ],
)
def test_a_broken_request_set_is_told_with_its_place(
    run: Run, tmp_path: Path, requests: Any, error: str
) -> None:
    result = ask(run, tmp_path, organization({}), requests)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"error: {error}"), result.err


def test_accounts_can_be_chosen(run: Run, tmp_path: Path) -> None:
    result = ask(run, tmp_path, organization({}), BEDROCK, "--account", LAB, "--format", "json")
    assert list(answers(result)) == [LAB]
    result = ask(run, tmp_path, organization({}), BEDROCK, "--account", MANAGEMENT)
    assert result.code == 2
    assert f"--account `{MANAGEMENT}` is the management account" in result.err


def test_a_target_without_an_organisation_is_an_input_error(run: Run, snapshot: Path, tmp_path: Path) -> None:
    (tmp_path / "q.json").write_text("{}")
    result = run("iam", "covers", "--in", snapshot.name, "--requests", "q.json")
    assert result.code == 2
    assert "no member account of an organisation in `one.ndjson`" in result.err


def test_the_example_organisation(run: Run, tmp_path: Path) -> None:
    (tmp_path / "q.json").write_text(
        json.dumps(
            {
                "action": "bedrock:InvokeModel*",
                "context": {"aws:RequestedRegion": {"not": ["eu-west-1", "eu-central-1"]}},
            }
        )
    )
    result = run("iam", "covers", "--in", str(EXAMPLE), "--requests", "q.json")
    assert (result.code, result.err) == (1, "")
    assert "not covered: SCPs deny all of `q.json` in 3 of 5 member accounts" in result.out
    assert "open in 2 accounts: 100000000002, 100000000006" in result.out


def test_accounts_of_code_have_no_id_yet(run: Run, tmp_path: Path) -> None:
    def resource(type_: str, **properties: Any) -> dict[str, Any]:
        return {"Type": f"AWS::Organizations::{type_}", "Properties": properties}

    content = deny("bedrock:*", OUTSIDE)
    policy = {
        "Name": "g",
        "Type": "SERVICE_CONTROL_POLICY",
        "Content": content,
        "TargetIds": [{"Ref": "Lab"}],
    }
    resources = {
        "Lab": resource("OrganizationalUnit", Name="lab", ParentId=ROOT),
        "One": resource("Account", AccountName="x", Email="a@b.c", ParentIds=[{"Ref": "Lab"}]),
        "Two": resource("Account", AccountName="y", Email="a@b.c", ParentIds=[ROOT]),
        "Guard": resource("Policy", **policy),
    }
    (tmp_path / "t.json").write_text(json.dumps({"Resources": resources}))
    (tmp_path / "q.json").write_text(json.dumps(BEDROCK))
    asked = ("--in", "t.json", "--requests", "q.json", "--format", "json")
    result = run("iam", "covers", *asked)
    assert (result.code, result.err) == (1, "")
    assert {a: line["covered"] for a, line in answers(result).items()} == {"One": True, "Two": False}
    guard = json.loads(run("iam", "guard", *asked).out)
    assert (guard["attach"], guard["proved"]) == (["Two"], True)
