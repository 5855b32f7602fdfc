"""Witnesses of calls through Bedrock's inference profiles are calls that AWS can receive, and that pass whole.

What a call is authorised for: the profile in the source region, the model there and in every destination.
https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
"""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.bedrock_profiles import destinations
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.plain_requests import possible
from policyengine.iam.reason import EVERYONE, EVERYTHING, Answer, No, Yes, covered
from policyengine.iam.request_set import RequestSet, read_request_set
from policyengine.iam.search import Witness

ACCOUNT = "111122223333"
APPROVED = ["eu-west-1", "eu-central-1"]
CALLS = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"]
ALLOW = {"Effect": "Allow", "Action": "*", "Resource": "*"}
GEOGRAPHIC = {
    "action": CALLS,
    "resource": ["arn:*:bedrock:*::foundation-model/*"],
    "context": {
        "aws:RequestedRegion": {"not": APPROVED},
        "bedrock:InferenceProfileArn": {
            "in": ["arn:*:bedrock:*:*:inference-profile/*"],
            "not": ["arn:*:bedrock:*:*:inference-profile/global.*"],
        },
    },
}
GLOBAL = {
    "action": CALLS,
    "resource": ["arn:*:bedrock:::foundation-model/?*"],
    "context": {
        "aws:RequestedRegion": ["unspecified"],
        "bedrock:InferenceProfileArn": ["arn:*:bedrock:*:*:inference-profile/global.*"],
    },
}
APPLICATION = {
    "action": CALLS,
    "context": {
        "aws:RequestedRegion": {"not": APPROVED},
        "bedrock:InferenceProfileArn": ["arn:*:bedrock:*:*:application-inference-profile/*"],
    },
}


def _deny(resource: str = "*", **condition: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": "Deny", "Action": "bedrock:InvokeModel*", "Resource": resource}
    return {**found, "Condition": condition} if condition else found


def _profile(pattern: str) -> dict[str, Any]:
    return {"ArnLike": {"bedrock:InferenceProfileArn": f"arn:aws:bedrock:*:*:inference-profile/{pattern}"}}


def _decided(form: Any, *statements: Any) -> tuple[Answer, RequestSet, list[list[Policy]]]:
    requests = read_request_set(form)
    levels = [[read_policy({"Version": "2012-10-17", "Statement": [*statements, ALLOW]}, "scp")]]

    def allowed(witness: Witness) -> bool:
        return _is_allowed(witness, levels)

    return possible(requests, lambda asked: covered(asked, levels, ACCOUNT), allowed), requests, levels


def _is_allowed(witness: Witness, levels: list[list[Policy]]) -> bool:
    policies = Policies(identity=(EVERYTHING,), resource=EVERYONE, scps=levels)
    return authorize(witness.request(), policies).outcome == "Allowed"


def _other(witness: Witness, resource: str, region: str) -> Witness:
    return Witness(
        witness.principal, witness.action, resource, {**witness.context, "aws:RequestedRegion": region}
    )


@pytest.mark.parametrize(
    "statements",
    [
        (),
        (_deny(**_profile("us.*")),),
        (_deny("arn:aws:bedrock:*:*:inference-profile/us.*"),),
        (_deny(StringEquals={"aws:RequestedRegion": ["us-east-1", "us-east-2", "us-west-2"]}),),
        (_deny("arn:aws:bedrock:*::foundation-model/anthropic.*"),),
        (_deny(**_profile("*.anthropic.*")),),
        (_deny(StringEquals={"aws:RequestedRegion": "us-west-2"}),),
        (_deny(ArnNotLike={"bedrock:InferenceProfileArn": "arn:aws:bedrock:*:*:inference-profile/eu.*"}),),
    ],
)
def test_a_geographic_profile_is_used_where_it_is_and_all_of_the_call_passes(statements: Any) -> None:
    answer, requests, levels = _decided(GEOGRAPHIC, *statements)
    assert isinstance(answer, Yes)
    witness = answer.witness
    assert requests.holds(witness.request())
    profile = str(witness.context["bedrock:InferenceProfileArn"])
    source, name = profile.split(":")[3], profile.partition("/")[2]
    geography, _, model = name.partition(".")
    assert source in destinations()[geography]
    assert witness.context["aws:RequestedRegion"] in destinations()[geography]
    assert witness.resource.endswith(f"::foundation-model/{model}")
    assert witness.resource.split(":")[3] == witness.context["aws:RequestedRegion"]
    assert _is_allowed(_other(witness, profile, source), levels)
    for region in destinations()[geography]:
        assert _is_allowed(
            _other(witness, f"arn:aws:bedrock:{region}::foundation-model/{model}", region), levels
        )


@pytest.mark.parametrize(
    "statements",
    [
        (),
        (_deny(StringEquals={"aws:RequestedRegion": ["us-east-1", "us-west-2"]}),),
        (_deny(StringNotEquals={"aws:RequestedRegion": ["ap-south-1", "unspecified"]}),),
        (_deny("arn:aws:bedrock:*:*:inference-profile/global.anthropic.*"),),
        (_deny("arn:aws:bedrock:*::foundation-model/anthropic.*"),),
    ],
)
def test_a_global_profile_is_called_where_it_may_be_and_all_of_the_call_passes(statements: Any) -> None:
    answer, _, levels = _decided(GLOBAL, *statements)
    assert isinstance(answer, Yes)
    witness = answer.witness
    profile = str(witness.context["bedrock:InferenceProfileArn"])
    source, model = profile.split(":")[3], profile.partition("/global.")[2]
    assert witness.resource == f"arn:aws:bedrock:::foundation-model/{model}"
    assert _is_allowed(_other(witness, profile, source), levels)
    assert _is_allowed(_other(witness, f"arn:aws:bedrock:{source}::foundation-model/{model}", source), levels)


def test_profiles_that_nobody_may_use_leave_no_call() -> None:
    """ "A policy that denies one of them makes every call through the profile fail"; a profile that somebody
    copied from it is another resource."""
    deny = _deny("arn:aws:bedrock:*:*:inference-profile/global.*")
    assert isinstance(_decided(GLOBAL, deny)[0], No)
    assert isinstance(_decided(GEOGRAPHIC, deny)[0], Yes)
    copied = _decided({**GLOBAL, "context": APPLICATION["context"]}, deny)[0]
    assert isinstance(copied, Yes)
    assert ":application-inference-profile/" in str(copied.witness.context["bedrock:InferenceProfileArn"])


def test_profiles_that_somebody_may_use_leave_one() -> None:
    spared = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ml"}}
    answer = _decided(GLOBAL, _deny("arn:aws:bedrock:*:*:inference-profile/global.*", **spared))[0]
    assert isinstance(answer, Yes) and answer.witness.principal.endswith(":role/ml")


def test_an_application_profile_is_one_of_the_region_it_is_used_in() -> None:
    answer = _decided(APPLICATION, _deny(StringEquals={"aws:RequestedRegion": ["us-east-1", "us-west-2"]}))[0]
    assert isinstance(answer, Yes)
    region = answer.witness.context["aws:RequestedRegion"]
    assert str(answer.witness.context["bedrock:InferenceProfileArn"]).split(":")[3] == region
