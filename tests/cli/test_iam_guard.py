"""`policyengine iam guard`: the policy, its place, its proofs, quotas and past use."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Result, Run
from tests.cli.organization_files import LAB, MANAGEMENT, OU, ROOT, SHOP, deny, organization, record, write

BEDROCK = {"action": ["bedrock:InvokeModel*"], "context": {"aws:RequestedRegion": {"not": ["eu-west-1"]}}}
OUTSIDE = {"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}


def ask(run: Run, folder: Path, lines: list[Any], requests: Any, *more: str) -> Result:
    write(folder / "org.ndjson", lines)
    (folder / "q.json").write_text(json.dumps(requests), encoding="utf-8")
    return run("iam", "guard", "--in", "org.ndjson", "--requests", "q.json", *more)


def answer(result: Result) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(result.out)
    return found


def statement(result: Result) -> dict[str, Any]:
    (policy,) = answer(result)["policies"]
    found: dict[str, Any] = policy["Statement"][0]
    return found


def test_the_policy_closes_what_covers_finds_open(run: Run, tmp_path: Path) -> None:
    lines = organization({"p-1": (deny("bedrock:*", OUTSIDE), [OU])})
    result = ask(run, tmp_path, lines, BEDROCK, "--format", "json")
    assert (result.code, result.err) == (0, "")
    found = answer(result)
    assert (found["open"], found["attach"], found["proved"]) == ([SHOP], [SHOP], True)
    assert statement(result)["Condition"] == OUTSIDE
    content = {"Type": "SERVICE_CONTROL_POLICY", "Content": found["policies"][0], "TargetIds": [SHOP]}
    write(tmp_path / "after.ndjson", [*lines, record("Policy", "p-2", content)])
    covers = run("iam", "covers", "--in", "after.ndjson", "--requests", "q.json")
    assert covers.code == 0, covers.out
    again = run("iam", "guard", "--in", "after.ndjson", "--requests", "q.json")
    assert again.code == 0
    assert "nothing to do: SCPs deny all of `q.json` in 2 member accounts" in again.out


def test_it_goes_to_the_topmost_node_whose_accounts_are_all_open(run: Run, tmp_path: Path) -> None:
    found = answer(ask(run, tmp_path, organization({}), BEDROCK, "--format", "json"))
    assert found["attach"] == [ROOT]
    lines = organization({"p-1": (deny("bedrock:*", OUTSIDE), [SHOP])})
    found = answer(ask(run, tmp_path, lines, BEDROCK, "--format", "json"))
    assert (found["attach"], found["open"], found["covered"]) == ([OU], [LAB], 1)


CASES: list[tuple[Any, Any]] = [
    ({"ec2:InstanceType": {"not": ["t3.*"]}}, {"StringNotLike": {"ec2:InstanceType": "t3.*"}, "Null": {"ec2:InstanceType": "false"}}),
    ({"ec2:InstanceType": {"not": ["t3.*"], "or_absent": True}}, {"StringNotLike": {"ec2:InstanceType": "t3.*"}}),
    ({"ec2:InstanceType": ["p4d.24xlarge"]}, {"StringEquals": {"ec2:InstanceType": "p4d.24xlarge"}}),
    ({"ec2:InstanceType": {"in": ["p4d.24xlarge"], "or_absent": True}}, {"StringEqualsIfExists": {"ec2:InstanceType": "p4d.24xlarge"}}),
    ({"aws:SecureTransport": ["false"]}, {"Bool": {"aws:SecureTransport": "false"}}),
    ({"aws:SourceIp": {"not": ["10.0.0.0/8"], "or_absent": True}}, {"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
    ({"aws:RequestTag/Owner": {"or_absent": True, "in": ["*"]}}, None),
    ({"aws:RequestTag/Owner": ["*"]}, {"Null": {"aws:RequestTag/Owner": "false"}}),
]  # fmt: skip


@pytest.mark.parametrize(("context", "condition"), CASES)
def test_conditions_say_the_set_and_no_more(run: Run, tmp_path: Path, context: Any, condition: Any) -> None:
    requests = {"action": "ec2:RunInstances", "context": context}
    result = ask(run, tmp_path, organization({}), requests, "--format", "json")
    assert (result.code, statement(result).get("Condition")) == (0, condition)
    assert answer(result)["proved"] is True


def test_actions_are_compressed_only_within_the_set(run: Run, tmp_path: Path) -> None:
    actions = ["iam:CreateUser", "iam:CreateAccessKey", "macie2:GetFindings", "sqs:*", "sqs:SendMessage"]
    result = ask(run, tmp_path, organization({}), {"action": actions}, "--format", "json")
    kept = ["sqs:*", "iam:CreateAccessKey", "iam:CreateUser", "macie2:GetFindings"]
    assert statement(result)["Action"] == kept
    assert answer(result)["proved"] is True


def test_a_star_in_a_principal_is_read_as_the_set_reads_it(run: Run, tmp_path: Path) -> None:
    requests = {"action": "iam:*", "principal": ["arn:aws:iam::*:role/dev-*"]}
    result = ask(run, tmp_path, organization({}), requests, "--format", "json")
    assert statement(result)["Condition"] == {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/dev-*"}}


def test_rcps_leave_services_alone_and_say_what_they_cannot_deny(run: Run, tmp_path: Path) -> None:
    lines = organization({}, kind="RESOURCE_CONTROL_POLICY")
    requests = {"action": ["s3:*", "ec2:*"], "context": {"aws:SecureTransport": ["false"]}}
    result = ask(run, tmp_path, lines, requests, "--format", "json", "--kind", "rcp")
    found = answer(result)
    assert result.code == 1
    assert statement(result) == {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"Bool": {"aws:SecureTransport": "false", "aws:PrincipalIsAWSService": "false"}},
    }
    assert (found["closes"], found["exact"]) == (True, True)
    assert found["problems"][0].startswith("no RCP can deny")


def test_what_a_policy_cannot_say_is_named(run: Run, tmp_path: Path) -> None:
    requests = {"action": "s3:*", "resource": "arn:aws:s3:::${aws:username}/*"}
    result = ask(run, tmp_path, organization({}), requests)
    assert result.code == 1
    assert "a policy would take it for a variable" in result.out


def test_disabled_policies_close_nothing(run: Run, tmp_path: Path) -> None:
    result = ask(run, tmp_path, organization({}, enabled=False), BEDROCK, "--format", "json")
    assert result.code == 1
    assert answer(result)["proved"] is False
    assert "SCPs are not enabled" in answer(result)["problems"][0]


def test_quotas_of_nodes_and_characters(run: Run, tmp_path: Path) -> None:
    policies = {f"p-{n}": (deny(f"s3:Get{n}"), [ROOT]) for n in range(9)}
    result = ask(run, tmp_path, organization(policies), BEDROCK, "--format", "json")
    (node,) = answer(result)["nodes"]
    assert (result.code, node["policies"], node["limit"], node["fits"]) == (1, 11, 10, False)
    assert {room["policy"] for room in node["room_in"]} == set(policies)
    long = {"action": [f"s3:Made-Up-{n:04}-{'x' * 40}" for n in range(400)]}
    result = ask(run, tmp_path, organization({}), long, "--format", "json")
    found = answer(result)
    assert (result.code, found["proved"]) == (0, True)
    assert len(found["policies"]) > 1 and max(found["characters"]) <= found["limit"] == 10_240


def event(account: str, name: str = "Converse", region: str = "us-east-1", **more: Any) -> dict[str, Any]:
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{account}:role/team/app"}
    identity = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{account}:assumed-role/app/s",
        "sessionContext": {"sessionIssuer": issuer},
    }
    return {
        "eventSource": "bedrock.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "eventTime": "2026-10-01T00:00:00Z",
        "userIdentity": identity,
        "recipientAccountId": account,
        **more,
    }


EVENTS = [
    event(SHOP),
    event(SHOP, "InvokeModel"),
    event(SHOP, "InvokeModel", "eu-west-1"),
    event(SHOP, errorCode="AccessDenied"),
    event(MANAGEMENT),
    event(LAB),
    event(SHOP, "NoSuchEvent"),
    event(SHOP, userIdentity={"type": "AWSService", "invokedBy": "x.amazonaws.com"}),
]


@pytest.mark.parametrize("form", ["records", "lines", "gzip", "folder"])
def test_past_use_names_principals_and_calls(run: Run, tmp_path: Path, form: str) -> None:
    records = json.dumps({"Records": EVENTS}, indent=1 if form == "folder" else None).encode()
    path = tmp_path / "trail.json"
    if form == "lines":
        path.write_bytes(b"".join(json.dumps(e).encode() + b"\n" for e in EVENTS))
    elif form == "gzip":
        path.write_bytes(gzip.compress(records))
    elif form == "folder":
        path.mkdir()
        (path / "a.json").write_bytes(records)
    else:
        path.write_bytes(records)
    lines = organization({"p-1": (deny("bedrock:*", OUTSIDE), [OU])})
    result = ask(run, tmp_path, lines, BEDROCK, "--cloudtrail", "trail.json", "--format", "json")
    past = answer(result)["past_use"]
    assert (past["records"], past["judged"]) == (len(EVENTS), 5)
    assert past["unread"] == {"no action is known for `NoSuchEvent` of `bedrock.amazonaws.com`": 1}
    assert [(b["principal"], b["action"], b["sure"], b["calls"]) for b in past["broken"]] == [
        (f"arn:aws:iam::{SHOP}:role/team/app", "bedrock:InvokeModel", True, 2)
    ]


def test_what_cloudtrail_does_not_record_is_said(run: Run, tmp_path: Path) -> None:
    requests = {"action": "bedrock:*", "context": {"aws:PrincipalTag/team": {"not": ["ml"]}}}
    (tmp_path / "trail.json").write_text(json.dumps({"Records": [event(SHOP)]}))
    result = ask(run, tmp_path, organization({}), requests, "--cloudtrail", "trail.json", "--format", "json")
    (broken,) = answer(result)["past_use"]["broken"]
    assert (broken["sure"], broken["why"]) == (False, "CloudTrail does not record it")


@pytest.mark.parametrize(
    ("content", "place"),
    [(b"{\n", "trail.json:1"), (b"\x1f\x8bxx", "trail.json"), (b'{"a":1}\n[', "trail.json:2")],
)
def test_broken_records_are_told_with_their_place(
    run: Run, tmp_path: Path, content: bytes, place: str
) -> None:
    (tmp_path / "trail.json").write_bytes(content)
    result = ask(run, tmp_path, organization({}), BEDROCK, "--cloudtrail", "trail.json")
    assert result.code == 2
    assert result.err.startswith(f"error: {place}: "), result.err


def test_quotas_are_parameters(run: Run) -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html; they change."""
    root = Path(__file__).resolve().parents[2] / "examples"
    command = ["iam", "guard", "--in", str(root / "organization")]
    command += ["--requests", str(root / "bedrock-outside-eu.json")]
    fits = run(*command)
    assert fits.code == 0 and "of 10 SCPs at" in fits.out
    full = run(*command, "--per-node", "1")
    assert full.code == 1 and "TOO MANY: 2 of 1 SCPs at" in full.out
    long = run(*command, "--characters", "50")
    assert long.code == 1 and "of 50 characters" in long.out
