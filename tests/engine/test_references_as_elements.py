"""A list element that is a reference is there, although its value is not known."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.rules import schema as s
from policyengine.rules.data import data_root
from policyengine.rules.loader import compile_text
from policyengine.testing.cases import run_case

TOPIC = {"Fn::GetAtt": ["Topic", "TopicArn"]}


@pytest.mark.parametrize(
    ("actions", "verdict"),
    [
        ([TOPIC], "PASS"),
        ([{"Ref": "Parameter"}], "UNKNOWN"),
        ([{"Ref": "Parameter"}, TOPIC], "PASS"),
        ([], "FAIL"),
    ],
)
def test_whether_a_list_has_an_element(actions: list[Any], verdict: str) -> None:
    path = data_root().rules / "cloudwatch" / "alarm-has-action.yaml"
    form, errors = compile_text(path, path.read_bytes())
    assert form is not None, errors
    case = s.Case(
        case="actions", type="AWS::CloudWatch::Alarm", resource={"AlarmActions": actions}, expect=verdict
    )
    assert run_case(form, case).problem is None
