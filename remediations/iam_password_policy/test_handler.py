"""One setting becomes stricter and every other stays as it is, though the call replaces the whole policy."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.api import Target
from policyengine.testing.canned import CannedReader, ErrorCode, check_calls, handler_beside, target
from policyengine.testing.remediations import Bench

handler: Any = handler_beside(__file__)
PARAMETERS = {"length": 14, "remembered": 24, "days": 90}
ACCOUNT_TYPE = "AWS::::Account"


def about(rule: str = "iam-password-length") -> Target:
    return target(ACCOUNT_TYPE, "123456789012", rule, parameters=PARAMETERS)


def reader(policy: Any) -> CannedReader:
    answer = ErrorCode("NoSuchEntity") if policy is None else {"PasswordPolicy": policy}
    return CannedReader({"iam:GetAccountPasswordPolicy": answer})


def planned(policy: Any, rule: str = "iam-password-length") -> Any:
    on = about(rule)
    proposal = handler.plan(on, handler.image(on, reader(policy)))
    check_calls(proposal)
    return proposal


def test_a_first_policy_is_not_weaker_than_having_none() -> None:
    """Without a policy three of four kinds of characters are asked for:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html"""
    (step,) = planned(None).steps
    assert step.call.arguments == {
        "MinimumPasswordLength": 14, "PasswordReusePrevention": 24, "RequireLowercaseCharacters": True,
        "RequireNumbers": True, "RequireSymbols": True, "RequireUppercaseCharacters": True,
    }  # fmt: skip
    assert [(c.operation, dict(c.arguments)) for c in step.undo] == [("DeleteAccountPasswordPolicy", {})]


def test_expiry_asks_a_person() -> None:
    policy = {"MinimumPasswordLength": 14, "AllowUsersToChangePassword": False, "HardExpiry": False}
    proposal = planned(policy, "iam-password-expires")
    assert proposal.steps[0].call.arguments["MaxPasswordAge"] == 90
    assert len(proposal.concerns) == 2
    assert "locked out" in planned({**policy, "MaxPasswordAge": 60}, "iam-password-hard-expiry").concerns[1]
    assert planned(policy, "iam-password-symbols").concerns == ()


@pytest.mark.parametrize(
    ("rule", "policy", "name", "value"),
    [
        ("iam-password-length", {"MinimumPasswordLength": 20}, "MinimumPasswordLength", 20),
        ("iam-password-reuse", {"PasswordReusePrevention": 3}, "PasswordReusePrevention", 24),
        ("iam-password-expires", {"MaxPasswordAge": 30}, "MaxPasswordAge", 30),
        ("iam-password-expires", {"MaxPasswordAge": 365}, "MaxPasswordAge", 90),
    ],
)
def test_nothing_becomes_weaker(rule: str, policy: Any, name: str, value: int) -> None:
    assert planned(policy, rule).after["policy"][name] == value


POLICIES = st.fixed_dictionaries(
    {"MinimumPasswordLength": st.integers(6, 128)},
    optional={
        **dict.fromkeys(
            (
                "RequireSymbols", "RequireNumbers", "RequireUppercaseCharacters", "RequireLowercaseCharacters",
                "AllowUsersToChangePassword", "ExpirePasswords", "HardExpiry",
            ),
            st.booleans(),
        ),
        "MaxPasswordAge": st.integers(0, 1095),
        "PasswordReusePrevention": st.integers(0, 24),
    },
)  # fmt: skip


@given(POLICIES, st.sampled_from(sorted(handler.SETTINGS)))
def test_every_other_setting_stays_as_it_is(policy: Any, rule: str) -> None:
    """ "This operation does not support partial updates":
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html"""
    proposal = planned(policy, rule)
    name = handler.SETTINGS[rule]
    kept = {k: v for k, v in policy.items() if v and k not in (name, "ExpirePasswords")}
    for step in proposal.steps:
        assert {k: v for k, v in step.call.arguments.items() if k != name} == kept
        (undo,) = step.undo
        assert dict(undo.arguments) == {k: v for k, v in policy.items() if v and k != "ExpirePasswords"}
    assert {k: v for k, v in proposal.after["policy"].items() if k != name} == kept


@pytest.mark.parametrize("rule", ["iam-password-length", "iam-password-hard-expiry"])
def test_repairs(bench: Bench, rule: str) -> None:
    more: dict[str, Any] = {"MaxPasswordAge": 80} if rule == "iam-password-hard-expiry" else {}
    bench.client("iam").update_account_password_policy(
        MinimumPasswordLength=8, AllowUsersToChangePassword=True, **more
    )
    asked = {"asked": True} if rule == "iam-password-hard-expiry" else {}
    bench.laws(rule, ACCOUNT_TYPE, bench.account, "global", rule_parameters=asked)


def test_repairs_where_there_is_no_policy(bench: Bench) -> None:
    bench.laws("iam-password-length", ACCOUNT_TYPE, bench.account, "global")
