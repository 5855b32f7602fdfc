"""Sets of requests that leave things out, and the lists of actions they name."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam import bedrock_profiles
from policyengine.iam.action_sets import action_set, action_sets
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import read_policy
from policyengine.iam.domains import any_caller, one_caller
from policyengine.iam.errors import PolicyError
from policyengine.iam.exemptions import besides, exemptions
from policyengine.iam.proposal import proposed
from policyengine.iam.reason import EVERYONE, EVERYTHING, No, Unknown, Yes, covered, grants
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet, read_request_set

ACCOUNT = "111122223333"
ADMIN = "arn:aws:iam::*:role/NetworkAdmin"
DATA = Path(__file__).resolve().parents[2] / "policyengine" / "iam" / "data"


def _scp(*statements: Any) -> Any:
    return read_policy({"Version": "2012-10-17", "Statement": list(statements)}, "scp")


FULL = _scp({"Effect": "Allow", "Action": "*", "Resource": "*"})


def _ask(requests: Any, *statements: Any) -> Any:
    return covered(read_request_set(requests), [[FULL, _scp(*statements)]], ACCOUNT)


def _deny(action: Any = "*", **condition: Any) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Action": action,
        "Resource": "*",
        **({"Condition": condition} if condition else {}),
    }


# -- lists of actions --------------------------------------------------------------------------------------


def test_every_action_of_a_list_is_in_the_catalogue() -> None:
    known = catalogue()
    for name, actions in action_sets().items():
        assert [a for a in actions if not known.matching(a)] == [], name
        assert len(actions) == len(set(actions)), name


def test_every_list_says_what_it_is_about_where_and_since_when() -> None:
    for name, entry in json.loads((DATA / "action_sets.json").read_text(encoding="utf-8")).items():
        assert re.fullmatch(r"[a-z][a-z-]+", name)
        assert entry["source"].startswith("https://docs.aws.amazon.com/")
        assert re.fullmatch(r"\d{4}-\d{2}-\d{2}", entry["checked"])
        assert len(entry["about"]) > 20


def test_what_bedrock_invokes_is_in_a_list() -> None:
    """A new action of Bedrock called Invoke…, Retrieve… or Converse… should not be missed."""
    known = catalogue()
    listed = known.matching_any(action_set("bedrock-processing") or ())
    for prefix in ("bedrock", "bedrock-mantle", "bedrock-agentcore", "bedrock-websearch"):
        for verb in ("Invoke", "Retrieve", "Converse", "CallWith"):
            missing = known.matching(f"{prefix}:{verb}*") & ~listed
            assert missing == 0, known.names[missing.bit_length() - 1]


def test_the_lists_keep_inference_and_services_apart() -> None:
    inference, services = action_set("bedrock-inference") or (), action_set("bedrock-services") or ()
    assert set(inference).isdisjoint(services)
    assert "bedrock:InvokeModel" in inference
    assert "bedrock:InvokeAgent" in services
    assert set(action_set("bedrock-processing") or ()) >= {*inference, *services}


def test_profiles_send_requests_to_regions_of_their_geography() -> None:
    for geography, regions in bedrock_profiles.destinations().items():
        heads = {"jp": "ap", "au": "ap", "apac": "ap"}
        assert all(region.startswith(heads.get(geography, geography)) for region in regions)
        assert len(regions) > 1


# -- what is left out --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"action": ["@nothing"]}, "no list of actions"),
        ({"action": {"without": ["s3:*"]}}, "no patterns"),
        ({"action": ["s3:*"], "principal": {"not": ["NetworkAdmin"]}}, "no ARN"),
        ({"action": ["s3:*"], "resource": {}}, "no patterns"),
        ({"action": {"not": ["s3"]}}, "no action"),
    ],
)
def test_what_cannot_be_read_says_so(form: Any, text: str) -> None:
    with pytest.raises(PolicyError, match=re.escape(text)):
        read_request_set(form)


def test_actions_less_others_are_all_that_is_left() -> None:
    known = catalogue()
    found = read_request_set({"action": {"in": ["s3:*", "iam:*"], "not": ["s3:Get*"]}})
    wanted = (known.matching("s3:*") | known.matching("iam:*")) & ~known.matching("s3:Get*")
    assert known.matching_any(found.actions) == wanted
    assert "iam:*" in found.actions


def test_a_star_among_resources_stays_within_its_part_of_the_arn() -> None:
    found = read_request_set({"action": ["ec2:RunInstances"], "resource": ["arn:*:ec2:*:*:instance/*"]})
    who = f"arn:aws:iam::{ACCOUNT}:role/x"
    assert found.holds(Request(who, "ec2:RunInstances", "arn:aws:ec2:eu-west-1:1:instance/i-1", {}))
    assert not found.holds(Request(who, "ec2:RunInstances", "arn:aws:ec2:eu-west-1:1:image/:instance/", {}))


@pytest.mark.parametrize(
    ("operator", "answer"),
    [("ArnNotLike", No), ("ArnNotEquals", No), ("StringNotLike", Yes), ("ForAllValues:StringNotLike", Yes)],
)
def test_who_is_left_out_is_compared_part_by_part(operator: str, answer: type) -> None:
    """`StringNotLike` spares more: https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html"""
    requests = {"action": ["s3:*"], "principal": {"not": [ADMIN]}}
    found = _ask(requests, _deny("s3:*", **{operator: {"aws:PrincipalArn": ADMIN}}))
    assert isinstance(found, answer)
    if isinstance(found, Yes):
        assert re.fullmatch(
            rf"arn:aws:iam::{ACCOUNT}:(role|user)/.*:role/NetworkAdmin", found.witness.principal
        )


def test_whoever_a_text_admits_besides() -> None:
    assert besides(ADMIN, ACCOUNT) == f"arn:aws:iam::{ACCOUNT}:role/x:role/NetworkAdmin"
    assert besides(f"arn:aws:iam::{ACCOUNT}:role/NetworkAdmin", ACCOUNT) is None
    statement = _scp(_deny(StringNotLike={"aws:PrincipalArn": ADMIN})).statements[0]
    assert [e.besides for e in exemptions(statement, ACCOUNT)] == [besides(ADMIN, ACCOUNT)]
    exact = _scp(_deny(ArnNotLike={"aws:PrincipalArn": ADMIN})).statements[0]
    assert [e.besides for e in exemptions(exact, ACCOUNT)] == [None]


def test_service_linked_roles_are_never_asked_about() -> None:
    linked = "arn:aws:iam::*:role/aws-service-role/*"
    assert isinstance(_ask({"action": ["s3:*"]}, _deny("s3:*", ArnNotLike={"aws:PrincipalArn": linked})), No)


PRINCIPALS = st.sampled_from(
    [ADMIN, "arn:aws:iam::*:role/*", "arn:aws:iam::*:user/ci", "arn:aws:iam::*:root"]
)
SPARED = st.dictionaries(
    st.sampled_from(["ArnNotLike", "StringNotLike", "StringNotEquals"]),
    st.builds(lambda p: {"aws:PrincipalArn": p}, PRINCIPALS), max_size=1,
)  # fmt: skip
REGIONS = st.sampled_from([["eu-west-1"], ["eu-west-1", "us-east-1"], ["unspecified"]])
LEFT_OUT = st.lists(PRINCIPALS, max_size=2, unique=True)
CALLERS = [
    f"arn:aws:iam::{ACCOUNT}:{n}"
    for n in ("role/NetworkAdmin", "role/app", "role/x:role/NetworkAdmin", "user/ci", "user/a/ci", "root")
]


@settings(max_examples=150, deadline=None)
@given(SPARED, REGIONS, REGIONS, LEFT_OUT, st.booleans())
def test_no_is_said_only_where_no_request_passes(
    spared: Any, let_through: Any, approved: Any, left_out: Any, profile: bool
) -> None:
    """Each answer against single requests, decided one by one."""
    condition = {**spared, "StringNotEqualsIfExists": {"aws:RequestedRegion": let_through}}
    policy = _scp(_deny("bedrock:*", **condition))
    context: dict[str, Any] = {"aws:RequestedRegion": {"not": approved}}
    if profile:
        context["bedrock:InferenceProfileArn"] = {"in": ["arn:*:bedrock:*:*:inference-profile/*"],
                                                  "not": ["*:inference-profile/eu.*"], "or_absent": True}  # fmt: skip
    requests = read_request_set(
        {"action": ["bedrock:InvokeModel"], "principal": {"not": left_out}, "context": context}
    )
    answer = covered(requests, [[FULL, policy]], ACCOUNT)
    policies = Policies(identity=(EVERYTHING,), resource=EVERYONE, scps=[[FULL, policy]])
    if isinstance(answer, Yes):
        request = answer.witness.request()
        assert requests.holds(request)
        assert authorize(request, policies).outcome == "Allowed"
    for caller in CALLERS:
        for region in ("eu-west-1", "us-east-1", "ap-south-1", "unspecified"):
            resource = f"arn:aws:bedrock:{region}::foundation-model/m"
            request = Request(caller, "bedrock:InvokeModel", resource, {"aws:RequestedRegion": region})
            if requests.holds(request) and isinstance(answer, No):
                assert authorize(request, policies).outcome != "Allowed"


# -- the statement that would close a set --------------------------------------------------------------------


@pytest.mark.parametrize(
    "form",
    [
        {"action": ["@bedrock-processing"], "context": {"aws:RequestedRegion": {"not": ["eu-west-1"]}}},
        {"action": ["@bedrock-services"], "principal": {"not": [ADMIN]}},
        {"action": {"not": ["@global-services"]}, "context": {"aws:RequestedRegion": {"not": ["eu-west-1"]}}},
        {"action": {"not": ["s3:PutBucketPolicy"]}, "principal": ["arn:*:iam::*:root"]},
        {
            "action": ["@bedrock-invocation"],
            "context": {
                "bedrock:InferenceProfileArn": {
                    "in": ["arn:aws:bedrock:*:*:inference-profile/*"],
                    "not": ["arn:aws:bedrock:*:*:inference-profile/eu.*"],
                }
            },
        },
    ],
)
def test_what_is_proposed_closes_the_set(form: Any) -> None:
    requests = read_request_set(form)
    statement = proposed(requests)
    assert statement is not None
    assert isinstance(covered(requests, [[FULL, _scp(statement)]], ACCOUNT), No)
    assert len(json.dumps(statement)) < 5_120


def test_nothing_is_proposed_where_one_statement_cannot_say_it() -> None:
    assert proposed(RequestSet(("s3:GetObject",), ("arn:aws:s3:::*",), excluded=("arn:aws:s3:::a",))) is None


@pytest.mark.parametrize(
    ("kind", "caller"),
    [("AssumedRole", "role/x"), ("User", "user/x"), ("Account", "root"), ("Anonymous", "*")],
)
def test_the_type_of_a_principal_follows_from_who_asks(kind: str, caller: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable"""
    condition = {"StringEquals": {"aws:PrincipalType": kind}}
    allow = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "*",
        "Condition": condition,
    }
    policies = [read_policy({"Version": "2012-10-17", "Statement": allow}, "resource")]
    requests = RequestSet(("s3:GetObject",), ("arn:aws:s3:::b/k",))
    own = caller if caller == "*" else f"arn:aws:iam::{ACCOUNT}:{caller}"
    assert isinstance(grants(policies, requests, any_caller()), Yes)
    assert isinstance(grants(policies, requests, one_caller(own)), Yes)
    other = "user/x" if kind == "AssumedRole" else "role/x"
    assert isinstance(grants(policies, requests, one_caller(f"arn:aws:iam::{ACCOUNT}:{other}")), No)
    assert isinstance(grants(policies, requests, one_caller("sns.amazonaws.com")), Unknown)
