"""A narrower policy is proposed from what was called, is proved to allow nothing new, and says what is lost.

moto has neither call of the report; the answers here are held against botocore's models.
"""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam.administration import administrator
from policyengine.iam.documents import read_policy
from policyengine.iam.reason import No, Yes, newly_allows
from policyengine.remediate.api import Refused, Target
from policyengine.sources.live import waiting
from policyengine.testing.canned import ACCOUNT, CannedReader, declaration_beside, handler_beside, target
from policyengine.testing.remediations import Bench

handler: Any = handler_beside(__file__)
DECLARATION = declaration_beside(__file__)
ARN = f"arn:aws:iam::{ACCOUNT}:policy/power"
RECENT, OLD = "2026-11-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00"
ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def service(name: str, last: str | None = RECENT, actions: Any = None) -> dict[str, Any]:
    found: dict[str, Any] = {"ServiceName": name, "ServiceNamespace": name}
    if last:
        found["LastAuthenticated"] = last
    if actions:
        found["TrackedActionsLastAccessed"] = [
            {"ActionName": n, **({"LastAccessedTime": t} if t else {})} for n, t in actions.items()
        ]
    return found


def reader(text: Any, pages: list[dict[str, Any]]) -> CannedReader:
    left = list(pages)
    made = "2026-11-21T00:00:00+00:00"
    return CannedReader(
        {
            "iam:GetPolicy": {"Policy": {"Arn": ARN, "DefaultVersionId": "v3", "AttachmentCount": 2}},
            "iam:GetPolicyVersion": {"PolicyVersion": {"Document": text, "VersionId": "v3"}},
            "iam:GenerateServiceLastAccessedDetails": {"JobId": "1" * 36},
            "iam:GetServiceLastAccessedDetails": lambda _: {
                "JobCreationDate": made, "JobCompletionDate": made, "ServicesLastAccessed": [], "JobStatus": "COMPLETED",
                **left.pop(0),
            },
        }
    )  # fmt: skip


def about() -> Target:
    return target(
        "AWS::IAM::ManagedPolicy", "power", "iam-no-administrator-policy", arn=ARN, parameters={"days": 180}
    )


def planned(text: Any, *services: dict[str, Any]) -> Any:
    on = about()
    return handler.plan(on, handler.image(on, reader(text, [{"ServicesLastAccessed": list(services)}])))


def test_only_what_was_called_stays_and_nothing_is_changed() -> None:
    proposal = planned(
        document(ALL), service("s3"), service("ec2"), service("sqs", OLD), service("sns", None)
    )
    assert proposal.steps == ()
    assert proposal.after["documents"]["proposed"]["Statement"] == [
        {"Effect": "Allow", "Resource": "*", "Action": ["ec2:*", "s3:*"]}
    ]
    new = read_policy(proposal.after["documents"]["proposed"], "identity")
    assert isinstance(administrator([new]), No)
    assert "actions, such as" in proposal.advice
    assert '"s3:*"' in proposal.advice


def test_of_iam_only_what_was_called_and_reading_stays() -> None:
    """Whoever administers IAM gives themselves the rest. AWS tells IAM's actions one by one:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_last-accessed-action-last-accessed.html"""
    proposal = planned(
        document(ALL), service("iam", actions={"PassRole": RECENT, "CreateUser": OLD, "PutRolePolicy": None})
    )
    (statement,) = proposal.after["documents"]["proposed"]["Statement"]
    assert statement["Action"] == ["iam:Get*", "iam:List*", "iam:PassRole"]


def test_conditions_resources_and_denies_stay() -> None:
    condition = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    deny = {"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"}
    proposal = planned(document({**ALL, "Sid": "A", "Condition": condition}, deny), service("s3"))
    first, second = proposal.after["documents"]["proposed"]["Statement"]
    assert first == {
        "Effect": "Allow",
        "Sid": "A",
        "Resource": "*",
        "Condition": condition,
        "Action": ["s3:*"],
    }
    assert second == deny


def test_actions_that_are_left_out_stay_out() -> None:
    text = document({"Effect": "Allow", "NotAction": ["sqs:DeleteQueue", "iam:*"], "Resource": "*"})
    proposal = planned(text, service("sqs"), service("s3"), service("iam", actions={"CreateUser": RECENT}))
    (statement,) = proposal.after["documents"]["proposed"]["Statement"]
    assert "s3:*" in statement["Action"]
    assert "sqs:SendMessage" in statement["Action"]
    assert "sqs:DeleteQueue" not in statement["Action"]
    assert not any(action.startswith("iam:") for action in statement["Action"])


def test_patterns_of_other_services_go() -> None:
    text = document(
        {"Effect": "Allow", "Action": ["s3:Get*", "ec2:*", "SQS:list*", "iam:*"], "Resource": "*"}
    )
    proposal = planned(text, service("s3"), service("sqs"))
    assert proposal.after["documents"]["proposed"]["Statement"][0]["Action"] == ["s3:Get*", "sqs:list*"]


def test_where_nobody_called_anything_it_is_to_be_detached() -> None:
    proposal = planned(document(ALL), service("s3", OLD))
    assert proposal.steps == ()
    assert "detach it" in proposal.advice


def test_what_is_lost_is_shown_with_a_request() -> None:
    proposal = planned(document({**ALL, "Action": ["s3:*", "kms:*", "iam:*"]}), service("s3"))
    assert "Lost, because nobody called it in the last 180 days:" in proposal.advice
    assert "kms (" in proposal.advice


def test_a_report_that_takes_a_while_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(waiting, "sleep", slept.append)
    on = about()
    pages = [{"JobStatus": "IN_PROGRESS"}] * 2 + [
        {"ServicesLastAccessed": [service("s3")], "IsTruncated": True, "Marker": "m"},
        {"ServicesLastAccessed": [service("ec2")]},
    ]
    assert list(handler.image(on, reader(document(ALL), pages))["used"]) == ["ec2", "s3"]
    assert len(slept) == 2


@pytest.mark.parametrize(
    "page", [{"JobStatus": "IN_PROGRESS"}, {"JobStatus": "FAILED", "Error": {"Code": "X", "Message": "no"}}]
)
def test_incident_c7n_2824_a_report_that_failed_is_never_no_use(
    page: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """https://github.com/cloud-custodian/cloud-custodian/issues/2824"""
    monkeypatch.setattr(waiting, "sleep", lambda _: None)
    with pytest.raises(Refused) as found:
        handler.image(about(), reader(document(ALL), [page] * 20))
    assert found.value.code == "not_known"


def test_it_is_never_applied() -> None:
    assert DECLARATION.mode == "plan"
    assert DECLARATION.writes == ()


PATTERNS = st.sampled_from(["*", "s3:*", "s3:Get*", "iam:*", "ec2:Run*", "sqs:SendMessage", "kms:*"])
STATEMENTS = st.builds(
    lambda effect, key, actions, resource: {"Effect": effect, key: actions, "Resource": resource},
    st.sampled_from(["Allow", "Allow", "Deny"]),
    st.sampled_from(["Action", "Action", "NotAction"]),
    st.lists(PATTERNS, min_size=1, max_size=3, unique=True),
    st.sampled_from(["*", "arn:aws:s3:::b/*"]),
)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(STATEMENTS, min_size=1, max_size=3),
    st.sets(st.sampled_from(["s3", "iam", "sqs", "kms"]), min_size=1),
)
def test_it_never_allows_anything_new(statements: list[Any], used: set[str]) -> None:
    text = document(*statements)
    try:
        proposal = planned(text, *(service(name) for name in used))
    except Refused as refused:
        assert refused.code == "unsupported"
        return
    if "proposed" not in proposal.after["documents"]:
        assert "detach it" in proposal.advice
        return
    after = read_policy(proposal.after["documents"]["proposed"], "identity")
    assert not isinstance(newly_allows([read_policy(text, "identity")], [after]), Yes)


def role(documents: dict[str, Any], inline: dict[str, Any], *services: dict[str, Any]) -> Any:
    made = "2026-11-21T00:00:00+00:00"
    given = CannedReader(
        {
            "iam:ListAttachedRolePolicies": {
                "AttachedPolicies": [{"PolicyName": n, "PolicyArn": f"arn:aws:iam::aws:policy/{n}"} for n in documents]
            },
            "iam:ListRolePolicies": {"PolicyNames": list(inline)},
            "iam:GetRolePolicy": lambda asked: {
                "RoleName": "app", "PolicyName": asked["PolicyName"], "PolicyDocument": inline[asked["PolicyName"]]
            },
            "iam:GetPolicy": lambda asked: {"Policy": {"Arn": asked["PolicyArn"], "DefaultVersionId": "v1"}},
            "iam:GetPolicyVersion": lambda asked: {
                "PolicyVersion": {"Document": documents[asked["PolicyArn"].rpartition("/")[2]], "VersionId": "v1"}
            },
            "iam:GenerateServiceLastAccessedDetails": {"JobId": "1" * 36},
            "iam:GetServiceLastAccessedDetails": {
                "JobCreationDate": made, "JobCompletionDate": made, "JobStatus": "COMPLETED",
                "ServicesLastAccessed": list(services),
            },
        }
    )  # fmt: skip
    on = target(
        "AWS::IAM::Role", "app", "iam-role-not-administrator", arn=f"arn:aws:iam::{ACCOUNT}:role/app",
        parameters={"days": 180},
    )  # fmt: skip
    return handler.plan(on, handler.image(on, given))


def test_the_policies_of_a_role_become_one() -> None:
    keys = document(
        {
            "Sid": "A",
            "Effect": "Allow",
            "Action": ["kms:Decrypt", "sqs:*"],
            "Resource": "arn:aws:kms:*:*:key/1",
        }
    )
    deny = document({"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"})
    every = document({**ALL, "Sid": "A"})
    proposal = role(
        {"AdministratorAccess": every, "deny": deny}, {"keys": keys}, service("s3"), service("kms")
    )
    assert proposal.after["documents"]["proposed"]["Statement"] == [
        {"Effect": "Allow", "Resource": "arn:aws:kms:*:*:key/1", "Action": ["kms:Decrypt"]},
        {"Effect": "Allow", "Resource": "*", "Action": ["kms:*", "s3:*"]},
        {"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"},
    ]
    assert "In place of inline policy keys, policy AdministratorAccess, policy deny" in proposal.advice


def test_a_role_on_a_server(bench: Bench) -> None:
    """Stubs: moto has neither GenerateServiceLastAccessedDetails nor GetServiceLastAccessedDetails."""
    iam = bench.client("iam")
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
    text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=trust)
    iam.put_role_policy(RoleName="app", PolicyName="all", PolicyDocument=text)
    made = iam.create_policy(PolicyName="power", PolicyDocument=text)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="app", PolicyArn=made)
    reported(bench)
    outcome = bench.plan("iam-role-not-administrator", "AWS::IAM::Role", "app", "global")
    assert outcome.action is not None, outcome.refusal
    assert '"s3:*"' in outcome.action.plan["advice"]
    assert outcome.action.plan["steps"] == []


def reported(bench: Bench) -> None:
    made = "2026-11-21T00:00:00+00:00"
    bench.stub("iam:GenerateServiceLastAccessedDetails", {"JobId": "1" * 36})
    bench.stub(
        "iam:GetServiceLastAccessedDetails",
        lambda _: {
            "JobStatus": "COMPLETED", "JobCreationDate": made, "JobCompletionDate": made,
            "ServicesLastAccessed": [{**service("s3"), "LastAuthenticated": "2999-01-01T00:00:00+00:00"}],
        },
    )  # fmt: skip


def test_on_a_server_it_proposes_and_changes_nothing(bench: Bench) -> None:
    """Stubs: moto has neither GenerateServiceLastAccessedDetails nor GetServiceLastAccessedDetails."""
    text = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
    bench.client("iam").create_policy(PolicyName="power", PolicyDocument=text)
    reported(bench)
    outcome = bench.plan("iam-no-administrator-policy", "AWS::IAM::ManagedPolicy", "power", "global")
    assert outcome.action is not None
    assert outcome.action.plan["plan_only"]
    assert outcome.action.plan["steps"] == []
    assert '"s3:*"' in outcome.action.plan["advice"]
