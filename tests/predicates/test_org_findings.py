"""What rules about SCPs say of the policies from practice: the finding's text, its request, its proposal.

(a) four actions of Bedrock denied outside two regions; (b) everything denied outside three regions but for one
role, by `ForAllValues:StringNotLike`; (c) a role that is denied everything but a list.
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import pytest

from policyengine.iam import covering
from policyengine.iam.organization import read_organization
from policyengine.iam.reason import Yes, covered
from policyengine.iam.request_set import read_request_set
from policyengine.model.finding import Finding
from policyengine.rules.data import data_root
from policyengine.rules.loader import compile_text
from policyengine.testing import cases as rule_cases

EVIDENCE_OF_PROPOSAL = ("with", "proposed statement")


@lru_cache(maxsize=64)
def _rule(service: str, name: str) -> tuple[Any, Any]:
    path = data_root().rules / service / f"{name}.yaml"
    form, errors = compile_text(path, path.read_bytes())
    assert form is not None, errors
    return form, {case.case: case for case in rule_cases.load_tests(rule_cases.tests_of(path)).cases}


def _finding(service: str, name: str, case: str) -> Finding:
    form, cases = _rule(service, name)
    found = rule_cases.run_case(form, cases[case]).finding
    assert found is not None
    return found


def _observed(finding: Finding) -> list[str]:
    return [str(e.observed) for e in finding.evidence]


def _proposal(finding: Finding) -> Any:
    return next(
        json.loads(str(e.observed)) for e in finding.evidence if tuple(e.path) == EVIDENCE_OF_PROPOSAL
    )


A = "four actions of many (a)"


def test_a_names_a_request_among_the_rest_and_says_how_much_is_open() -> None:
    finding = _finding("bedrock", "bedrock-invocation-denied-outside-approved-regions", A)
    assert finding.verdict == "FAIL"
    assert finding.witness is not None
    assert finding.witness.action not in ("bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream")
    assert finding.witness.context["aws:RequestedRegion"] not in ("ap-south-1", "us-east-1")
    assert "names only bedrock:InvokeModel, bedrock:InvokeModelWithResponseStream" in finding.message
    assert any("5 of 7 actions are in no Deny: all of bedrock-mantle" in text for text in _observed(finding))
    proposed = _proposal(finding)
    assert proposed["Effect"] == "Deny"
    assert "bedrock-mantle:*" in " ".join(proposed["Action"]) or any(
        a.startswith("bedrock-mantle:") for a in proposed["Action"]
    )
    assert proposed["Condition"]["StringNotEquals"]["aws:RequestedRegion"] == ["ap-south-1", "us-east-1"]


def test_a_leaves_services_open_which_is_not_the_same_as_inference() -> None:
    """`InvokeAgent` is authorised; whether a model answers depends on the role behind the agent."""
    finding = _finding("bedrock", "bedrock-services-denied-outside-approved-regions", A)
    assert finding.verdict == "FAIL"
    assert "whether or not a model then answers" in finding.message
    observed = " ".join(_observed(finding))
    assert "55 of 55 actions are in no Deny" in observed or "no SCP denies any of these actions" in observed
    direct = _finding("bedrock", "bedrock-geographic-profiles-denied-outside-approved-regions", A)
    assert direct.verdict == "PASS"


@pytest.mark.parametrize(
    ("geography", "region"), [("us", "us-east-2"), ("us", "us-west-2"), ("apac", "ap-northeast-1")]
)
def test_a_also_denies_where_profiles_send_requests(geography: str, region: str) -> None:
    case = f"four actions, and the destinations of {geography}. profiles (a)"
    finding = _finding("bedrock", "bedrock-approved-profiles-usable", case)
    assert finding.verdict == "FAIL"
    assert finding.reason == "request_denied"
    text = f"calls through `{geography}.` profiles need the model in {region}, and statement 1 `A` of SCP own denies it"
    assert text in _observed(finding)


def test_b_leaves_a_role_in_every_account() -> None:
    case = "one role is spared in every account (b)"
    finding = _finding("bedrock", "bedrock-invocation-denied-outside-approved-regions", case)
    assert finding.verdict == "FAIL"
    assert finding.witness is not None
    assert finding.witness.principal == "arn:aws:iam::111122223333:role/NetworkAdmin"
    assert "role NetworkAdmin in account 111122223333 may call bedrock:InvokeModel in" in finding.message
    said = next(text for text in _observed(finding) if " spares " in text)
    assert "spares arn:aws:iam::*:role/NetworkAdmin" in said
    assert "`*` crosses `:` and `/`" in said
    assert "arn:aws:iam::111122223333:role/x:role/NetworkAdmin" in said
    assert "service-linked roles are beyond every SCP" in said
    assert "whoever may create, change or assume it escapes, and no SCP protects it" in said
    assert "may call iam:" in said


def test_b_with_that_role_exempt_names_another_of_its_name() -> None:
    case = "that role is exempt, and another of that name (b)"
    finding = _finding("bedrock", "bedrock-invocation-denied-outside-approved-regions", case)
    assert finding.verdict == "FAIL"
    assert finding.witness is not None
    assert finding.witness.principal.endswith(":role/NetworkAdmin")
    assert finding.witness.principal != "arn:aws:iam::111122223333:role/NetworkAdmin"
    assert ":role/NetworkAdmin in account" in finding.message
    assert "arn:aws:iam::*:role/NetworkAdmin; service-linked roles" in _observed(finding)
    assert _proposal(finding)["Condition"]["ArnNotLike"] == {
        "aws:PrincipalArn": "arn:aws:iam::*:role/NetworkAdmin"
    }


def test_a_role_that_is_exempt_is_named_where_all_is_well() -> None:
    finding = _finding("bedrock", "bedrock-invocation-denied-outside-approved-regions", "that role is exempt")
    assert finding.verdict == "PASS"
    assert any("NetworkAdmin; service-linked roles" in text for text in _observed(finding))


def test_whoever_may_make_an_exempt_role_is_a_finding_of_its_own() -> None:
    finding = _finding("organizations", "scp-exempt-roles-protected", "all but its creation")
    assert finding.verdict == "FAIL"
    assert finding.witness is not None
    assert finding.witness.action == "iam:CreateRole"
    assert finding.witness.resource == "arn:aws:iam::111122223333:role/NetworkAdmin"


@pytest.mark.parametrize("where", ["", ", in a managed policy"])
def test_c_is_too_strict_by_name(where: str) -> None:
    case = f"a list that forgets the login{where} (c)"
    finding = _finding("iam", "iam-image-pull-not-denied-in-part", case)
    assert finding.verdict == "FAIL"
    assert "ecr:GetAuthorizationToken is denied by statement 2" in finding.message
    assert "(NotAction leaves it out)" in finding.message


def test_c_is_found_from_the_task_that_needs_the_image() -> None:
    case = "the list forgets ecr:GetAuthorizationToken"
    finding = _finding("ecs", "ecs-execution-role-can-pull-images", case)
    assert finding.verdict == "FAIL"
    assert "statement 2 `OnlyThese`" in finding.message


PROWLER = [
    ("no approved regions are set", "NOT_APPLICABLE"),
    ("four regions are let through", "FAIL"),
    ("all of Bedrock is exempt", "FAIL"),
    ("something else is denied", "FAIL"),
    ("no wildcard in StringNotLike", "PASS"),
    ("operator and key in another case", "PASS"),
    ("attached elsewhere", "FAIL"),
]
"""organizations_scp_check_deny_regions: the six cases it gets wrong, and the attachment it never looks at."""


@pytest.mark.parametrize(("case", "verdict"), PROWLER)
def test_what_another_tool_gets_wrong(case: str, verdict: str) -> None:
    assert _finding("organizations", "scp-denies-unapproved-regions", case).verdict == verdict


def test_accounts_with_the_same_policies_above_them_are_decided_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 accounts below three units: three questions for a rule, and the same proposal for all."""
    asked: list[str] = []
    decided = covered

    def counted(requests: Any, chain: Any, account: str, setting: Any = None) -> Any:
        asked.append(account)
        return decided(requests, chain, account, setting)

    monkeypatch.setattr("policyengine.iam.covering.covered", counted)
    units = [f"ou-root-{n:08d}" for n in range(3)]
    accounts = [str(100_000_000_000 + n) for n in range(200)]
    records: list[dict[str, Any]] = [
        _record("Organization", "o-aaaaaaaaaa", Id="o-aaaaaaaaaa", ManagementAccountId="999988887777",
                RootId="r-root", PolicyTypes=[{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]),
        *(_record("OrganizationalUnit", u, Id=u, ParentId="r-root") for u in units),
        *(_record("Account", a, AccountId=a, ParentIds=[units[n % 3]]) for n, a in enumerate(accounts)),
        _record("Policy", "p-FullAWSAccess", Type="SERVICE_CONTROL_POLICY", TargetIds=["r-root", *units, *accounts]),
        *(_record("Policy", f"p-{n}", Type="SERVICE_CONTROL_POLICY", TargetIds=[u], Content=json.dumps(_spares(n)))
          for n, u in enumerate(units)),
    ]  # fmt: skip
    known = read_organization(records, complete=True)
    requests = read_request_set(
        {"action": ["@bedrock-processing"], "context": {"aws:RequestedRegion": {"not": ["eu-west-1"]}},
         "principal": {"not": ["arn:aws:iam::*:role/NetworkAdmin"]}}
    )  # fmt: skip
    found = list(covering.coverage(known, requests))
    assert len(found) == 200
    assert [isinstance(c.answer, Yes) for c in found[:3]] == [False, True, True]
    assert len(asked) <= 3
    assert {c.answer.witness.principal.split(":")[4] for c in found if isinstance(c.answer, Yes)} == {
        a for n, a in enumerate(accounts) if n % 3
    }


def _record(kind: str, id_: str, **properties: Any) -> dict[str, Any]:
    return {"type": f"AWS::Organizations::{kind}", "id": id_, "properties": properties}


def _spares(number: int) -> dict[str, Any]:
    prefixes = ["bedrock:*", "bedrock-mantle:*", "bedrock-agentcore:*", "bedrock-websearch:*"]
    condition = {
        "StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-west-2"][: 1 + number % 2]},
        ("ArnNotLike", "ArnNotLike", "StringNotLike")[number]: {
            "aws:PrincipalArn": "arn:aws:iam::*:role/NetworkAdmin"
        },
    }
    statement = {"Effect": "Deny", "Action": prefixes, "Resource": "*", "Condition": condition}
    return {"Version": "2012-10-17", "Statement": [statement]}
