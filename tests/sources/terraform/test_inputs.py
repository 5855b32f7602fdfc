"""Bad input: what cannot be read is said with its place, the rest is still given."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policyengine.model.errors import InputError
from policyengine.sources.terraform.marks import is_plan, is_state

from .plans import make_plan, source

A_STATE = (
    "plan.json:1:1: this is a Terraform state, not a plan: run `terraform plan -out=PLANFILE` and "
    "`terraform show -json PLANFILE`"
)
QUEUE = {"aws_sqs_queue.q": {"after": {"name": "q"}}}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"version": 4, "terraform_version": "1.9.0", "serial": 1, "lineage": "x", "resources": []},
         A_STATE),
        ({"format_version": "1.0", "terraform_version": "1.9.0", "values": {"root_module": {}}},
         A_STATE),
        ({"Resources": {}}, "plan.json:1:1: not a Terraform plan: expected the output of `terraform show -json PLANFILE`"),
        ([], "plan.json:1:1: not a Terraform plan: expected the output of `terraform show -json PLANFILE`"),
        ({"format_version": "2.0", "planned_values": {}},
         "plan.json:2:20: plan format_version `2.0` is not supported: expected 0.x or 1.x"),
        ({"format_version": "9\n::error::\x1b", "planned_values": {}},
         "plan.json:2:20: plan format_version `9\\n::error::\\x1b` is not supported: expected 0.x or 1.x"),
        ({"format_version": 1, "planned_values": {}},
         "plan.json:2:20: plan format_version `1` is not supported: expected 0.x or 1.x"),
        ({"format_version": "1.2", "resource_changes": {}},
         "plan.json:3:22: `resource_changes` is not a list: the plan is damaged"),
    ],
)  # fmt: skip
def test_what_is_no_plan_is_refused_with_what_to_do(document: Any, expected: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        source(document, tmp_path)
    assert str(caught.value) == expected


@pytest.mark.parametrize(
    "text", ['{"format_version": "1.2", "resource_changes": [{"address"', "", "\0\0\0", "[" * 100_000]
)
def test_text_that_is_no_json_has_a_place(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        source(text, tmp_path)
    assert str(caught.value).startswith("plan.json")


def test_a_missing_file_is_an_input_error(tmp_path: Path) -> None:
    from policyengine.sources.base import SourceOptions
    from policyengine.sources.terraform.plan import open_plan

    with pytest.raises(InputError, match="cannot be read"):
        open_plan(tmp_path / "nowhere.json", SourceOptions(base=tmp_path))


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (17, "an entry of `resource_changes` is no object"),
        ({"type": "aws_x"}, "a resource without `address`, `type` and `name` as strings"),
        ({"address": "aws_x.y", "type": "aws_x", "name": "y"}, "`aws_x.y` has no `change` object"),
        ({"address": "aws_x.y", "type": "aws_x", "name": "y", "change": {"actions": ["create"], "after": None}},
         "`aws_x.y`: `change.after` is missing although the resource is not deleted"),
        ({"address": "aws_x.y", "type": "aws_x", "name": "y", "change": {"actions": ["create"], "after": []}},
         "`aws_x.y`: `change.after` is no object"),
    ],
)  # fmt: skip
def test_a_broken_resource_is_an_error_and_the_rest_is_given(
    broken: Any, message: str, tmp_path: Path
) -> None:
    plan = make_plan(QUEUE)
    plan["resource_changes"].insert(0, broken)
    opened = source(plan, tmp_path)
    assert [r.id for r in opened.resources()] == ["aws_sqs_queue.q"]
    assert len(opened.errors) == 1
    assert opened.errors[0].message == message
    assert opened.errors[0].location is not None
    assert opened.errors[0].location.line is not None


def test_one_address_twice_is_an_error(tmp_path: Path) -> None:
    plan = make_plan(QUEUE)
    plan["resource_changes"] *= 2
    opened = source(plan, tmp_path)
    assert [r.id for r in opened.resources()] == ["aws_sqs_queue.q"]
    assert [e.message for e in opened.errors] == ["`aws_sqs_queue.q` stands twice in `resource_changes`"]


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    plan = make_plan(
        {
            "aws_sqs_queue.gone": {"actions": ["delete"], "after": None},
            "aws_sqs_queue.lost": {"actions": ["forget"], "after": None},
            "aws_gamelift_fleet.f": {"after": {}},
            "random_id.r": {"after": {}},
            "aws_s3_bucket_versioning.v": {"after": {"bucket": "elsewhere"}},
        }
    )
    plan["resource_changes"].append(
        {"address": "data.aws_ami.a", "mode": "data", "type": "aws_ami", "name": "a", "change": {}}
    )
    plan["deferred_changes"] = [{"reason": "unknown_count"}]
    opened = source(plan, tmp_path)
    assert list(opened.resources()) == []
    assert opened.errors == []
    assert dict(opened.skipped) == {
        "deleted by the plan": 1,
        "forgotten by the plan": 1,
        "type not covered: aws_gamelift_fleet": 1,
        "not an AWS resource": 1,
        "data source": 1,
        "deferred by Terraform": 1,
        "part of a resource outside the plan: aws_s3_bucket_versioning": 1,
    }


def test_plans_and_states_are_told_apart() -> None:
    assert is_plan({"format_version": "0.1", "planned_values": {}})
    assert not is_plan({"format_version": "1.0", "values": {}})
    assert is_state({"format_version": "1.0", "values": {}})
    assert not is_state({"format_version": "1.0", "planned_values": {}})
    assert not is_plan([]) and not is_state("x")


def test_old_plans_without_a_configuration_are_read(tmp_path: Path) -> None:
    plan = make_plan({"aws_sqs_queue.q": {"after": {"name": "q"}, "unknown": {"kms_master_key_id": True}}})
    plan["format_version"] = "0.1"
    del plan["configuration"]
    found = {r.id: r for r in source(json.dumps(plan), tmp_path).resources()}
    assert found["aws_sqs_queue.q"].properties["KmsMasterKeyId"].reason == "known_after_apply"
