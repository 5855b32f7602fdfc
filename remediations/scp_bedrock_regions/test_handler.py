"""A new SCP with the proposed statement, on the account or a canary OU; quotas, the root and the manager are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from policyengine.iam.documents import read_policy
from policyengine.iam.proposal import proposed
from policyengine.iam.request_set import read_request_set
from policyengine.model.finding import PROPOSAL, Evidence
from policyengine.remediate.api import FromAnswer, Refused, Target
from policyengine.testing.canned import (
    CannedReader,
    ErrorCode,
    check_calls,
    declaration_beside,
    handler_beside,
    target,
)
from policyengine.testing.remediations import Bench

handler: Any = handler_beside(__file__)
DECLARATION = declaration_beside(__file__)
DEFAULTS = {name: form["default"] for name, form in DECLARATION.parameters.items()}
RULE, TYPE = "bedrock-invocation-denied-outside-approved-regions", "AWS::Organizations::Account"
MANAGER, MEMBER, OTHER = "123456789012", "111122223333", "444455556666"
SET = {"action": ["@bedrock-inference"], "context": {"aws:RequestedRegion": {"not": ["eu-west-1"]}}}
STATEMENT = proposed(read_request_set(SET))


def about(statement: Any = STATEMENT, account: str = MEMBER, **parameters: Any) -> Target:
    evidence = [Evidence((), "role any may call", "SCPs", "request_not_denied")]
    if statement is not None:
        text = json.dumps(statement)
        evidence.append(Evidence(("with", PROPOSAL), text, "SCPs", "request_not_denied"))
    return target(TYPE, account, RULE, evidence=evidence, parameters={**DEFAULTS, **parameters})


def reader(
    *, enabled: bool = True, attached: int = 1, made: Any = (), below: Any = (MEMBER,)
) -> CannedReader:
    types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}] if enabled else []
    parents = {MEMBER: "ou-canary", "ou-canary": "ou-top", "ou-top": "r-root"}

    def parent(given: Any) -> Any:
        above = parents[given["ChildId"]]
        kind = "ROOT" if above.startswith("r-") else "ORGANIZATIONAL_UNIT"
        return {"Parents": [{"Id": above, "Type": kind}]}

    return CannedReader(
        {
            "organizations:DescribeOrganization": {"Organization": {"Id": "o-1", "MasterAccountId": MANAGER}},
            "organizations:ListRoots": {"Roots": [{"Id": "r-root", "PolicyTypes": types}]},
            "organizations:ListPolicies": {
                "Policies": [{"Id": f"p-{n}", "Name": n} for n in ("FullAWSAccess", *made)]
            },
            "organizations:ListPoliciesForTarget": {
                "Policies": [{"Id": f"p-{n}", "Name": f"P{n}"} for n in range(attached)]
            },
            "organizations:ListParents": parent,
            "organizations:ListAccountsForParent": lambda given: {
                "Accounts": [{"Id": each} for each in below] if given["ParentId"] == "ou-low" else []
            },
            "organizations:ListOrganizationalUnitsForParent": lambda given: {
                "OrganizationalUnits": [{"Id": "ou-low"}] if given["ParentId"] == "ou-canary" else []
            },
        }
    )


def planned(on: Target, given: CannedReader) -> Any:
    proposal = handler.plan(on, handler.image(on, given))
    check_calls(proposal)
    return proposal


def refused(on: Target, given: CannedReader) -> Refused:
    with pytest.raises(Refused) as found:
        handler.plan(on, handler.image(on, given))
    return found.value


def test_a_new_policy_is_made_and_attached_to_the_account_alone() -> None:
    proposal = planned(about(), reader())
    create, attach = proposal.steps
    text = create.call.arguments["Content"]
    assert json.loads(text)["Statement"] == [STATEMENT]
    assert not any(statement.allow for statement in read_policy(text, "scp").statements)
    id = FromAnswer("create", "Policy.PolicySummary.Id")
    assert attach.call.arguments == {"PolicyId": id, "TargetId": MEMBER}
    assert [(c.operation, dict(c.arguments)) for c in attach.undo] == [
        ("DetachPolicy", dict(attach.call.arguments))
    ]
    assert [(c.operation, dict(c.arguments)) for c in create.undo] == [("DeletePolicy", {"PolicyId": id})]
    assert proposal.approvals == DECLARATION.approvals == 2
    assert DECLARATION.mode == "approval"


def test_policies_that_are_there_stay_and_those_of_others_are_no_part_of_it() -> None:
    on = about()
    image = handler.image(on, reader(attached=3, made=(f"{handler.PREFIX}ou-other-1",)))
    assert handler.image(on, reader(attached=4)) == image
    after = handler.plan(on, image).after
    assert {k: v for k, v in after.items() if k not in ("attached", "made")} == {
        k: v for k, v in image.items() if k not in ("attached", "made")
    }
    assert after["attached"] == after["made"] != []
    assert not any("Update" in operation for operation in DECLARATION.writes)


def test_a_canary_ou_gets_it_where_the_account_is_below() -> None:
    proposal = planned(about(canary_ou="ou-canary"), reader(below=(MEMBER, OTHER)))
    assert proposal.steps[1].call.arguments["TargetId"] == "ou-canary"
    assert "2 accounts" in proposal.steps[1].why


@pytest.mark.parametrize(
    ("parameters", "given", "code"),
    [
        ({"canary_ou": "r-root"}, {}, "unsupported"),
        ({"canary_ou": "ou-elsewhere"}, {}, "unsafe"),
        ({"canary_ou": "ou-canary", "most_accounts": 1}, {"below": (MEMBER, OTHER)}, "unsafe"),
        ({"canary_ou": "ou-canary"}, {"below": (MEMBER, MANAGER)}, "unsupported"),
        ({}, {"enabled": False}, "unsupported"),
        ({}, {"attached": 10}, "unsupported"),
        ({"policies_per_target": 5}, {"attached": 5}, "unsupported"),
        ({"characters": 200}, {}, "unsupported"),
    ],
)  # fmt: skip
def test_what_is_refused(parameters: Any, given: Any, code: str) -> None:
    """Quotas since 2026-05-15: 10 SCPs a target, 10,240 characters, before 5 and 5,120:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html"""
    assert refused(about(**parameters), reader(**given)).code == code


def test_nine_policies_leave_room_for_one() -> None:
    assert len(planned(about(), reader(attached=9)).steps) == 2


def test_policies_of_its_own_count_too() -> None:
    given = reader(attached=8)
    own = [{"Id": f"p-{n}", "Name": f"{handler.PREFIX}{MEMBER}-{n}"} for n in range(2)]
    others = [{"Id": f"p-x{n}", "Name": f"P{n}"} for n in range(8)]
    listed = {"organizations:ListPoliciesForTarget": {"Policies": [*own, *others]}}
    given.answers = {**given.answers, **listed}
    assert refused(about(), given).code == "unsupported"
    given.answers = {
        **given.answers,
        "organizations:ListPoliciesForTarget": {"Policies": [*own, *others[:7]]},
    }
    assert len(planned(about(), given).steps) == 2


def test_the_management_account_is_not_restricted_by_scps() -> None:
    """https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html"""
    assert refused(about(account=MANAGER), reader()).code == "unsupported"


def test_without_a_proposed_statement_nothing_is_made_up() -> None:
    assert refused(about(None), reader()).code == "unsupported"


def test_a_statement_that_allows_is_refused() -> None:
    allow = {"Effect": "Allow", "Action": "bedrock:*", "Resource": "*"}
    assert refused(about(allow), reader()).code == "unsafe"


def test_a_policy_somebody_made_before_is_not_taken_over() -> None:
    name = planned(about(), reader()).after["made"][0]
    assert refused(about(), reader(made=(name,))).code == "unsupported"


def call(region: str, account: str = MEMBER) -> dict[str, Any]:
    return {
        "eventSource": "bedrock.amazonaws.com", "eventName": "InvokeModel", "awsRegion": region,
        "eventTime": "2026-11-01T00:00:00Z", "recipientAccountId": account,
        "userIdentity": {
            "type": "AssumedRole", "arn": f"arn:aws:sts::{account}:assumed-role/app/s", "accountId": account,
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": f"arn:aws:iam::{account}:role/app"}},
        },
    }  # fmt: skip


def test_recorded_calls_say_what_would_have_been_denied() -> None:
    records = [call("us-east-1"), call("us-east-1"), call("eu-west-1"), call("us-east-1", OTHER)]
    (concern,) = planned(about(used_calls=records), reader()).concerns
    assert (
        "2 recorded calls of bedrock:InvokeModel by arn:aws:iam::111122223333:role/app (us-east-1)" in concern
    )
    assert planned(about(used_calls=[call("eu-west-1")]), reader()).concerns == ()
    assert "could not be judged" in planned(about(used_calls=[{"x": 1}]), reader()).concerns[0]


def test_without_recorded_calls_that_is_said() -> None:
    assert "not known" in planned(about(), reader()).concerns[0]


def test_incident_c7n_2824_a_failed_listing_is_not_an_empty_one() -> None:
    """https://github.com/cloud-custodian/cloud-custodian/issues/2824"""
    given = reader()
    given.answers = {**given.answers, "organizations:ListPoliciesForTarget": ErrorCode("ServiceException")}
    assert refused(about(), given).code == "not_known"


def _organization(bench: Bench) -> tuple[Any, str, str]:
    client = bench.client("organizations")
    client.create_organization(FeatureSet="ALL")
    root = client.list_roots()["Roots"][0]["Id"]
    client.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    unit = client.create_organizational_unit(ParentId=root, Name="canary")["OrganizationalUnit"]["Id"]
    made = client.create_account(Email="a@example.com", AccountName="a")["CreateAccountStatus"]
    account = made["AccountId"]
    client.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    return client, account, unit


@pytest.mark.parametrize("canary", [False, True])
def test_denies_on_a_server(bench: Bench, canary: bool) -> None:
    client, account, unit = _organization(bench)

    def again() -> str:
        """A policy whose answer was lost cannot be deleted, for nobody knows its id: begin without one."""
        for policy in client.list_policies(Filter="SERVICE_CONTROL_POLICY")["Policies"]:
            if policy["Name"].startswith("policyengine-"):
                for place in client.list_targets_for_policy(PolicyId=policy["Id"])["Targets"]:
                    client.detach_policy(PolicyId=policy["Id"], TargetId=place["TargetId"])
                client.delete_policy(PolicyId=policy["Id"])
        return account

    parameters = {"canary_ou": unit} if canary else {}
    regions = {"approved_regions": ["eu-west-1"]}
    bench.laws(RULE, TYPE, account, "global", again=again, parameters=parameters, rule_parameters=regions)
