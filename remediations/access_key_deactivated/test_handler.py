"""Access keys are deactivated, never deleted, and those in use are left alone unless somebody decides otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.finding import Evidence
from policyengine.model.values import ABSENT, Unresolved
from policyengine.remediate.api import Refused, Target
from policyengine.testing.canned import (
    CannedReader,
    ErrorCode,
    check_calls,
    declaration_beside,
    handler_beside,
    seen,
    target,
)
from policyengine.testing.remediations import Bench

handler: Any = handler_beside(__file__)
OLD, RECENT = "2020-01-01T00:00:00+00:00", "2026-11-20T00:00:00+00:00"
PARAMETERS = {"quiet_days": 30, "in_use": "refuse"}


def made_at(id: str) -> str:
    """The collector takes ids out as secrets; keys are told apart by when they were made."""
    return f"2020-01-0{1 + int(id[-1])}T00:00:00+00:00"


def key(id: str, status: str = "Active", made: str = "", user: str | None = "bob") -> dict[str, Any]:
    found = {"AccessKeyId": id, "Status": status, "CreateDate": made or made_at(id)}
    return found if user is None else {**found, "UserName": user}


def about(
    *numbers: int,
    rule: str = "iam-access-key-used",
    in_use: str = "refuse",
    evidence: Any = None,
    made: str = "",
    **more: Any,
) -> Target:
    given = evidence or [seen(("related", "access_keys", n, "LastUsedDate"), ABSENT) for n in numbers]
    known = [{"Id": "taken out", "Status": "Active", "CreateDate": made or made_at(str(n))} for n in range(4)]
    return target(
        "AWS::IAM::User", "bob", rule, related={"access_keys": known}, evidence=given,
        parameters={**PARAMETERS, "in_use": in_use}, **more,
    )  # fmt: skip


def reader(keys: list[dict[str, Any]], used: dict[str, str] | None = None) -> CannedReader:
    def last(arguments: Any) -> dict[str, Any]:
        date = (used or {}).get(arguments["AccessKeyId"])
        found = {"ServiceName": "N/A" if date is None else "s3", "Region": "N/A"}
        return {
            "UserName": "bob",
            "AccessKeyLastUsed": found if date is None else {**found, "LastUsedDate": date},
        }

    listed = {"AccessKeyMetadata": keys, "IsTruncated": False}
    return CannedReader({"iam:ListAccessKeys": listed, "iam:GetAccessKeyLastUsed": last})


def test_only_the_key_the_finding_names_is_deactivated() -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccessKey.html: Active or Inactive."""
    on = about(1)
    image = handler.image(on, reader([key("AKIA1"), key("AKIA0")], {"AKIA0": RECENT}))
    proposal = handler.plan(on, image)
    check_calls(proposal)
    assert [step.call.arguments for step in proposal.steps] == [
        {"UserName": "bob", "AccessKeyId": "AKIA1", "Status": "Inactive"}
    ]
    assert [dict(call.arguments) for call in proposal.steps[0].undo] == [
        {"UserName": "bob", "AccessKeyId": "AKIA1", "Status": "Active"}
    ]
    assert proposal.after["keys"][0] == image["keys"][0]
    assert proposal.after["keys"][1] == {**image["keys"][1], "status": "Inactive", "quiet": None}


def test_what_is_after_is_what_is_read_after() -> None:
    on = about(0, 1)
    proposal = handler.plan(on, handler.image(on, reader([key("AKIA0"), key("AKIA1")])))
    after = handler.image(on, reader([key("AKIA0", "Inactive"), key("AKIA1", "Inactive")], {"AKIA0": RECENT}))
    assert after == proposal.after


@pytest.mark.parametrize("moment", ["used", "made"])
def test_a_key_that_was_used_or_made_lately_is_left_alone(moment: str) -> None:
    made = RECENT if moment == "made" else OLD
    on = about(0, rule="iam-access-key-age", made=made)
    keys = [key("AKIA0", made=made)]
    image = handler.image(on, reader(keys, {"AKIA0": RECENT} if moment == "used" else {}))
    with pytest.raises(Refused) as refused:
        handler.plan(on, image)
    assert refused.value.code == "unsafe"
    assert "AKIA0 was used or made within the last 30 days" in refused.value.text


def test_a_person_may_decide_about_a_key_in_use() -> None:
    on = about(0, rule="iam-access-key-age", in_use="ask")
    proposal = handler.plan(on, handler.image(on, reader([key("AKIA0")], {"AKIA0": RECENT})))
    assert len(proposal.steps) == 1
    assert "what signs its requests with it will fail" in proposal.concerns[0]


def test_of_two_keys_the_one_that_was_used_last_is_kept() -> None:
    counted = [Evidence(("related", "access_keys"), "2 elements", "at most 1", "value_mismatch")]
    on = about(rule="iam-one-active-access-key", evidence=counted)
    proposal = handler.plan(on, handler.image(on, reader([key("AKIA0"), key("AKIA1")], {"AKIA1": RECENT})))
    assert [step.call.arguments["AccessKeyId"] for step in proposal.steps] == ["AKIA0"]
    assert proposal.after["used_last"] == "AKIA1"


def test_where_no_key_may_be_there_all_go() -> None:
    counted = [Evidence(("related", "access_keys"), "2 elements", "at most 0", "value_mismatch")]
    on = about(rule="iam-users-without-access-keys", evidence=counted)
    proposal = handler.plan(on, handler.image(on, reader([key("AKIA0"), key("AKIA1")])))
    assert len(proposal.steps) == 2
    assert proposal.after["used_last"] is None


def test_a_key_of_which_the_use_is_not_known_is_not_touched() -> None:
    doubt = Evidence(
        ("related", "access_keys", 1, "LastUsedDate"), Unresolved("access_denied"), "a use", "value_mismatch"
    )
    on = about(evidence=[seen(("related", "access_keys", 0, "LastUsedDate"), ABSENT), doubt])
    proposal = handler.plan(on, handler.image(on, reader([key("AKIA0"), key("AKIA1")])))
    assert [step.call.arguments["AccessKeyId"] for step in proposal.steps] == ["AKIA0"]


def test_incident_c7n_2824_a_failed_read_is_never_no_use() -> None:
    """A failed read that was taken for nothing deleted buckets: https://github.com/cloud-custodian/cloud-custodian/issues/2824"""
    listed = {"AccessKeyMetadata": [key("AKIA0")], "IsTruncated": False}
    failing = CannedReader(
        {"iam:ListAccessKeys": listed, "iam:GetAccessKeyLastUsed": ErrorCode("ServiceFailure")}
    )
    with pytest.raises(Refused) as refused:
        handler.image(about(0), failing)
    assert refused.value.code == "not_known"


@pytest.mark.parametrize("user", [None, "alice"])
def test_keys_of_somebody_else_are_refused(user: str | None) -> None:
    """Without UserName, AWS lists the keys of whoever asks, the root user's among them:
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccessKeys.html"""
    with pytest.raises(Refused) as refused:
        handler.image(about(0), reader([key("AKIA0", user=user)]))
    assert refused.value.code == "unsupported"


def test_keys_of_the_root_user_are_refused_before_anything_is_read() -> None:
    asked = reader([key("AKIA0")])
    with pytest.raises(Refused) as refused:
        handler.image(about(0, arn="arn:aws:iam::123456789012:root"), asked)
    assert refused.value.code == "unsupported"
    assert asked.asked == []


def test_keys_that_cannot_be_told_apart_are_refused() -> None:
    on = about(0)
    image = handler.image(on, reader([key("AKIA0"), key("AKIA1", made=made_at("0"))]))
    with pytest.raises(Refused) as refused:
        handler.plan(on, image)
    assert refused.value.code == "not_known"


def test_nothing_is_ever_deleted() -> None:
    declaration = declaration_beside(__file__)
    assert declaration.writes == ("iam:UpdateAccessKey",)


@given(
    st.lists(st.tuples(st.sampled_from(["Active", "Inactive"]), st.sampled_from([None, OLD])), max_size=2),
    st.sets(st.integers(0, 1)),
)
def test_keys_the_finding_is_not_about_stay_as_they_are(states: list[Any], chosen: set[int]) -> None:
    chosen = {n for n in chosen if n < len(states)}
    keys = [key(f"AKIA{n}", status) for n, (status, _) in enumerate(states)]
    used = {f"AKIA{n}": date for n, (_, date) in enumerate(states) if date}
    on = about(*sorted(chosen), evidence=None if chosen else [seen(("UserName",), "bob")])
    image = handler.image(on, reader(keys, used))
    proposal = handler.plan(on, image)
    touched = {step.call.arguments["AccessKeyId"] for step in proposal.steps}
    assert touched == {
        k["AccessKeyId"] for n, k in enumerate(keys) if n in chosen and k["Status"] == "Active"
    }
    for before, after in zip(image["keys"], proposal.after["keys"], strict=True):
        assert before == after or before["id"] in touched


def _user_with_key(bench: Bench) -> Any:
    iam = bench.client("iam")
    iam.create_user(UserName="bob")
    return iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]


def _used(bench: Bench, last: str | None) -> None:
    """A stub: keys of moto were made now, and moto tells no use of a key."""
    iam = bench.client("iam")

    def answer(arguments: Any) -> Any:
        about: dict[str, Any] = {"ServiceName": "N/A", "Region": "N/A"}
        if last:
            about = {"ServiceName": "s3", "Region": "us-east-1", "LastUsedDate": last}
        return {"UserName": "bob", "AccessKeyLastUsed": about}

    bench.stub("iam:GetAccessKeyLastUsed", answer)
    states: dict[str, str] = {}

    def listed(_: Any) -> Any:
        found = [
            {"UserName": "bob", "AccessKeyId": id, "Status": status, "CreateDate": OLD}
            for id, status in states.items()
        ]
        return {"AccessKeyMetadata": found, "IsTruncated": False}

    def update(arguments: Any) -> Any:
        states[arguments["AccessKeyId"]] = arguments["Status"]
        return {}

    for key in iam.list_access_keys(UserName="bob")["AccessKeyMetadata"]:
        states[key["AccessKeyId"]] = key["Status"]
    bench.stub("iam:ListAccessKeys", listed)
    bench.stub("iam:UpdateAccessKey", update)


def test_a_key_of_moto_is_deactivated_and_activated_again(bench: Bench) -> None:
    """moto's own keys: they are as old as the test, so only a rule that counts keys fails at once."""
    _user_with_key(bench)
    parameters = {"in_use": "ask"}
    bench.laws(
        rule="iam-users-without-access-keys",
        type="AWS::IAM::User",
        id="bob",
        region="global",
        parameters=parameters,
    )


def test_an_old_unused_key_is_deactivated(bench: Bench) -> None:
    _user_with_key(bench)
    _used(bench, None)
    bench.laws(rule="iam-access-key-used", type="AWS::IAM::User", id="bob", region="global")


def test_an_old_key_in_use_is_left_alone(bench: Bench) -> None:
    _user_with_key(bench)
    _used(bench, "2999-01-01T00:00:00Z")
    text = bench.refuses("unsafe", "iam-access-key-age", "AWS::IAM::User", "bob", "global")
    assert "give what uses it another key" in text
