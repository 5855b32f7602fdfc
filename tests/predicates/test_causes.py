"""What findings have as their cause: the statement, or the SCPs, that have to change for them to go away.

SCPs: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from policyengine.cli.main import cli
from policyengine.rules.predicates.iam.asking import unwanted

Scan = Mapping[tuple[str, str], Any]
"""(rule, resource id) → finding"""


def write(folder: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Write a snapshot that says that it is whole."""
    (folder / "resources").mkdir(parents=True)
    data = "".join(json.dumps(line) + "\n" for line in lines).encode()
    (folder / "resources" / "all.ndjson").write_bytes(data)
    places = sorted({(line["account"], region) for line in lines for region in ("global", "eu-west-1")})
    manifest = {
        "version": "1.0",
        "created": "2026-11-21T09:00:00Z",
        "coverage": [{"account": account, "region": region, "types": ["*"]} for account, region in places],
        "parts": [
            {
                "path": "resources/all.ndjson",
                "sha256": hashlib.sha256(data).hexdigest(),
                "bytes": len(data),
                "resources": len(lines),
            }
        ],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def scan(
    folder: Path, lines: Sequence[Mapping[str, Any]], rules: Sequence[str], config: str = "{}\n"
) -> Scan:
    target, out, settings = folder / "s", folder / "out.json", folder / "policyengine.yaml"
    settings.write_text(config)
    write(target, lines)
    asked = [part for rule in rules for part in ("--rule", rule)]
    arguments = ["scan", str(target), *asked, "--fail-on", "never", "--config", str(settings)]
    result = CliRunner().invoke(cli, [*arguments, "--format", f"json={out}"])
    assert result.exit_code == 0, result.output
    return {(f["rule"], f["resource"]["id"]): f for f in json.loads(out.read_text())["findings"]}


def line(
    type_: str, id_: str, account: str = "111122223333", region: str = "global", **properties: Any
) -> dict[str, Any]:
    return {"type": type_, "id": id_, "account": account, "region": region, "properties": properties}


# -- the SCPs above an account ---------------------------------------------------------------------------------

MEMBERS = {"222233334444": "r-root", "333344445555": "r-root", "444455556666": "ou-root-aaaaaaaa"}
BEDROCK = (
    "bedrock-global-profiles-denied",
    "bedrock-invocation-denied-outside-approved-regions",
    "bedrock-services-denied-outside-approved-regions",
)
APPROVED = "parameters: {all-rules: {approved_regions: [eu-west-1]}}\n"


def organization(*policies: tuple[str, Any, Sequence[str]]) -> list[dict[str, Any]]:
    found = [
        line(
            "AWS::Organizations::Organization", "o-aaaaaaaaaa", "111122223333", Id="o-aaaaaaaaaa", RootId="r-root",
            ManagementAccountId="111122223333", PolicyTypes=[{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
        ),
        line("AWS::Organizations::OrganizationalUnit", "ou-root-aaaaaaaa", "111122223333", ParentId="r-root"),
    ]  # fmt: skip
    for account, parent in MEMBERS.items():
        found.append(
            line(
                "AWS::Organizations::Account", account, "111122223333", AccountId=account, ParentIds=[parent]
            )
        )
    full = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    everywhere = ["r-root", "ou-root-aaaaaaaa", *MEMBERS]
    for name, content, targets in (("p-FullAWSAccess", full, everywhere), *policies):
        found.append(
            line(
                "AWS::Organizations::Policy",
                name,
                "111122223333",
                Type="SERVICE_CONTROL_POLICY",
                Name=name,
                TargetIds=targets,
                Content=content,
            )
        )
    return found


def denying(action: str) -> Any:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]}


def by_cause(found: Scan) -> dict[str | None, set[tuple[str, str]]]:
    causes: dict[str | None, set[tuple[str, str]]] = defaultdict(set)
    for key, finding in found.items():
        if finding["verdict"] == "FAIL":
            causes[finding.get("cause")].add(key)
    return dict(causes)


def test_accounts_under_the_same_scps_and_kinds_of_calls_share_a_cause(tmp_path: Path) -> None:
    other = ("p-other", denying("ec2:*"), ["ou-root-aaaaaaaa"])
    found = scan(tmp_path, organization(other), BEDROCK, APPROVED)
    assert by_cause(found) == {
        "bedrock under no SCP of o-aaaaaaaaaa but FullAWSAccess": {
            (r, a) for r in BEDROCK for a in ("222233334444", "333344445555")
        },
        "bedrock under SCPs p-other": {(r, "444455556666") for r in BEDROCK},
    }


def test_other_services_have_another_cause(tmp_path: Path) -> None:
    rules = ("scp-protects-cloudtrail", "scp-denies-leaving-organization")
    causes = by_cause(scan(tmp_path, organization(), rules))
    assert {cause and cause.split(" under ")[0] for cause in causes} == {"cloudtrail", "organizations"}


def test_what_passes_has_no_cause(tmp_path: Path) -> None:
    rules = ("scp-denies-leaving-organization",)
    found = scan(tmp_path, organization(("p-stay", denying("organizations:Leave*"), ["r-root"])), rules)
    assert all(found[rules[0], account]["verdict"] == "PASS" for account in MEMBERS)
    assert not any("cause" in f for f in found.values())


def test_accounts_without_any_opt_out_policy_share_a_cause(tmp_path: Path) -> None:
    found = scan(tmp_path, organization(), ("ai-services-opted-out",))
    assert set(by_cause(found)) == {"no AI services opt-out policy in o-aaaaaaaaaa"}


# -- the statement of a policy ---------------------------------------------------------------------------------

QUEUE = ("sqs-queue-policy-not-public", "messaging-policy-inside-organization")


def queue(*statements: Any) -> dict[str, Any]:
    name = "https://sqs.eu-west-1.amazonaws.com/111122223333/q"
    body = line("AWS::SQS::Queue", name, region="eu-west-1", QueueName="q")
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    body["arn"] = "arn:aws:sqs:eu-west-1:111122223333:q"
    body["related"] = {"policies": [{"PolicyDocument": document, "Queues": [name]}]}
    return body


def allow(principal: Any) -> Any:
    return {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": "*"}


def test_a_public_statement_is_the_cause_of_each_rule_that_it_fails(tmp_path: Path) -> None:
    found = scan(tmp_path, [queue(allow({"AWS": "111122223333"}), allow("*"))], QUEUE)
    failed = {rule: f["cause"] for (rule, _), f in found.items() if f["verdict"] == "FAIL"}
    assert failed[QUEUE[0]].endswith("#/related/policies/0/PolicyDocument/Statement/1")
    assert set(failed.values()) == {failed[QUEUE[0]]}


@pytest.mark.parametrize("rule", QUEUE)
def test_each_rule_fails_alone(tmp_path: Path, rule: str) -> None:
    """Findings are told together; no rule leaves a verdict to another that may not have been asked."""
    found = scan(tmp_path, [queue(allow("*"))], [rule])
    assert [f["verdict"] for f in found.values()] == ["FAIL"]


def test_statements_of_a_role_that_fail_rules_together(tmp_path: Path) -> None:
    statements = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"},
        {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"},
    ]
    policy = {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
    trust = {
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ]
    }
    role = line("AWS::IAM::Role", "app", RoleName="app", AssumeRolePolicyDocument=trust, Policies=[policy])
    rules = (
        "iam-no-whole-services",
        "iam-write-actions-listed",
        "iam-write-resources-named",
        "iam-no-service-administrator",
    )
    found = scan(tmp_path, [role], rules)
    place = "111122223333/global/AWS::IAM::Role/app#/Policies/0/PolicyDocument/Statement/1"
    assert by_cause(found) == {place: {(rule, "app") for rule in rules}}


# -- what was expected, in plain words ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked_for", "expected"),
    [
        ("public access", "no public access"),
        ("a way out of the permissions boundary", "no way out of the permissions boundary"),
        ("an Allow with NotAction", "no Allow with NotAction"),
        ("analysts", "no analysts"),
    ],
)
def test_what_a_rule_forbids_is_expected_not_to_be(asked_for: str, expected: str) -> None:
    assert unwanted(asked_for) == expected


def test_no_finding_expects_what_it_found(tmp_path: Path) -> None:
    found = scan(tmp_path, [queue(allow("*"))], QUEUE)
    expected = {e["expected"] for f in found.values() for e in f["evidence"]}
    assert expected == {"no public access", "no access from outside the organisation"}
    assert all("any role in any account, e.g. 5" in f["message"] for f in found.values())
