"""Coverage of an organisation is what each chain by itself says, however accounts share their answers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam.account_ids import names_accounts
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.covering import coverage
from policyengine.iam.organization import Chain, read_organization
from policyengine.iam.reason import EVERYONE, EVERYTHING, Unknown, Yes, covered
from policyengine.iam.request_set import read_request_set
from tests.cli.organization_files import LAB, OU, ROOT, SHOP, organization

ACTIONS = st.sampled_from(["*", "s3:*", "s3:GetObject", "s3:Delete*", "ec2:RunInstances", "iam:*"])
CONDITIONS = st.sampled_from(
    [
        {},
        {"StringEquals": {"aws:RequestedRegion": "us-east-1"}},
        {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
        {"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{SHOP}:role/admin"}},
        {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}},
        {"StringLike": {"aws:PrincipalAccount": "2222*"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-abcdefghij"}},
    ]
)
STATEMENTS = st.builds(
    lambda effect, action, condition: {
        "Effect": effect, "Action": action, "Resource": "*", **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(["Deny", "Deny", "Allow"]), ACTIONS, CONDITIONS,
)  # fmt: skip
TARGETS = st.lists(st.sampled_from([ROOT, OU, SHOP, LAB]), max_size=3, unique=True)
POLICIES = st.lists(st.tuples(st.lists(STATEMENTS, min_size=1, max_size=3), TARGETS), max_size=4)


@settings(max_examples=120, deadline=None)
@given(POLICIES, ACTIONS)
def test_each_account_has_the_answer_of_its_own_chain(found: Any, action: str) -> None:
    policies = {
        f"p-{n}": ({"Version": "2012-10-17", "Statement": statements}, targets)
        for n, (statements, targets) in enumerate(found)
    }
    known = read_organization(organization(policies), complete=True)
    member = {"aws:PrincipalOrgID": ["o-abcdefghij"]}
    requests = read_request_set({"action": action, "context": member})
    for result in coverage(known, requests):
        chain = known.chain(result.account, "scp")
        assert isinstance(chain, Chain)
        assert type(result.answer) is type(covered(requests, chain.policies(), result.account))
        if isinstance(result.answer, Yes):
            everything = Policies(identity=(EVERYTHING,), resource=EVERYONE, scps=chain.policies())
            assert authorize(result.answer.witness.request(), everything).outcome == "Allowed"
            assert requests.holds(result.answer.witness.request())


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("arn:aws:iam::*:role/x", set()),
        (f"arn:aws:iam::{SHOP}:role/x", {SHOP}),
        (SHOP, {SHOP}),
        ("arn:aws:iam::2222*:role/x", {"*"}),
        ("arn:aws:bedrock:*::foundation-model/anthropic.claude-3-5-sonnet-20240620-v1:0", set()),
        ("eu-west-1", set()),
        ("30", set()),
        ("*22", {"*"}),
    ],
)
def test_texts_that_name_accounts(text: str, named: set[str]) -> None:
    assert names_accounts([text]) == named


@pytest.mark.parametrize("shown", [False, True])
def test_code_without_its_organisation_does_not_say_that_no_scp_stands_above(shown: bool) -> None:
    """An account alone in a template may be below any SCP; one beside its organisation is judged by what is shown."""
    records = [
        {
            "type": "AWS::Organizations::Account",
            "id": "Own",
            "properties": {"ParentIds": ["ou-abcd-11111111"]},
        }
    ]
    if shown:
        about = {"FeatureSet": "ALL", "RootId": "Org.RootId"}
        records.append({"type": "AWS::Organizations::Organization", "id": "Org", "properties": about})
    known = read_organization(records, assume_full_access=True)
    found = next(coverage(known, read_request_set({"action": ["organizations:LeaveOrganization"]})))
    assert isinstance(found.answer, Yes if shown else Unknown)
