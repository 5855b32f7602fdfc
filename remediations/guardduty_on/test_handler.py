"""GuardDuty is resumed or turned on; what was made is removed again, what was suspended is suspended again."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.remediate.api import FromAnswer, Refused
from policyengine.testing.canned import CannedReader, ErrorCode, check_calls, handler_beside, target
from policyengine.testing.remediations import Bench

handler: Any = handler_beside(__file__)
RULE, TYPE, REGION = "guardduty-on", "PolicyEngine::Account::Region", "eu-west-1"
ON = target(TYPE, REGION, RULE, region=REGION, at=REGION, parameters={"publishing_frequency": "SIX_HOURS"})


def reader(status: Any, ids: Any = ("d1",)) -> CannedReader:
    detector = {"ServiceRole": "arn", "Status": status}
    return CannedReader(
        {"guardduty:ListDetectors": {"DetectorIds": list(ids)}, "guardduty:GetDetector": detector}
    )


def planned(given: CannedReader) -> Any:
    proposal = handler.plan(ON, handler.image(ON, given))
    check_calls(proposal)
    return proposal


def test_a_suspended_detector_is_resumed_as_it_is() -> None:
    """https://docs.aws.amazon.com/guardduty/latest/ug/guardduty_suspend-disable.html: suspended, it keeps its findings
    and settings; so nothing but `Enable` is set."""
    (step,) = planned(reader("DISABLED")).steps
    assert step.call == ("guardduty", "UpdateDetector", {"DetectorId": "d1", "Enable": True}, "")
    assert [dict(call.arguments) for call in step.undo] == [{"DetectorId": "d1", "Enable": False}]


def test_without_a_detector_one_is_made_and_can_be_removed() -> None:
    (step,) = planned(reader("x", ids=())).steps
    assert step.call.operation == "CreateDetector"
    (undo,) = step.undo
    assert undo.arguments == {"DetectorId": FromAnswer("create", "DetectorId")}


def test_one_that_is_on_is_left_alone() -> None:
    assert planned(reader("ENABLED")).steps == ()


def test_two_detectors_are_more_than_aws_has() -> None:
    """https://docs.aws.amazon.com/guardduty/latest/APIReference/API_CreateDetector.html: one for each region."""
    with pytest.raises(Refused):
        handler.image(ON, reader("ENABLED", ids=("a", "b")))


def test_what_it_costs_is_weighed_by_a_person() -> None:
    assert "charged" in planned(reader("DISABLED")).concerns[0]


def test_incident_c7n_2824_a_failed_listing_is_not_no_detector() -> None:
    """https://github.com/cloud-custodian/cloud-custodian/issues/2824"""
    failing = CannedReader({"guardduty:ListDetectors": ErrorCode("InternalServerErrorException")})
    with pytest.raises(Refused) as found:
        handler.image(ON, failing)
    assert found.value.code == "not_known"


def test_turns_on_where_there_is_none(bench: Bench) -> None:
    client = bench.client("guardduty", REGION)

    def again() -> str:
        """A detector whose answer was lost cannot be taken back, for nobody knows its id: begin without one."""
        for id in client.list_detectors()["DetectorIds"]:
            client.delete_detector(DetectorId=id)
        return REGION

    bench.laws(RULE, TYPE, REGION, REGION, again=again)


def test_resumes(bench: Bench) -> None:
    bench.client("guardduty", REGION).create_detector(Enable=False)
    bench.laws(RULE, TYPE, REGION, REGION)
