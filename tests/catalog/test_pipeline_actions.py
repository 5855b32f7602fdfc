"""The actions of a pipeline in one list: order, what is laid out, where it stands, and doubt."""

from __future__ import annotations

from typing import Any

from policyengine.catalog.derive import derive
from policyengine.catalog.pipeline_actions import flatten
from policyengine.model.location import Location
from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved

DOUBT = Unresolved("unresolved_reference", "`Ref: X`")
SOURCE = {
    "Name": "S",
    "Actions": [{"Name": "Pull", "ActionTypeId": {"Category": "Source", "Provider": "S3"}}],
}
DEPLOY = {
    "Name": "D",
    "OnFailure": {"Result": "ROLLBACK"},
    "Actions": [{"Name": "A", "RunOrder": 2, "Configuration": {"X": "y"}}, {"Name": "B", "RoleArn": "r"}],
}


def test_actions_are_laid_out_in_their_order() -> None:
    assert flatten([SOURCE, DEPLOY]) == [
        {
            "StageIndex": 0, "RunOrder": 1, "Stage": "S", "Category": "Source", "Provider": "S3", "Name": "Pull",
        },
        {
            "StageIndex": 1, "RunOrder": 2, "Stage": "D", "StageOnFailure": "ROLLBACK", "Name": "A",
            "Configuration": {"X": "y"},
        },
        {
            "StageIndex": 1, "RunOrder": 1, "Stage": "D", "StageOnFailure": "ROLLBACK", "Name": "B", "RoleArn": "r",
        },
    ]  # fmt: skip


def test_what_is_not_known_stays_so() -> None:
    assert flatten(DOUBT) is DOUBT
    assert isinstance(flatten("text"), Unresolved)
    assert flatten([]) == []
    assert flatten([{"Name": "S"}]) == []
    for stages in (
        [SOURCE, DOUBT],
        OpenList([SOURCE], DOUBT),
        [SOURCE, {"Name": "M", "Actions": DOUBT}],
        [{**SOURCE, "Actions": OpenList(SOURCE["Actions"], DOUBT)}],  # type: ignore[arg-type]  # a list, which mypy sees as object
        [SOURCE, OpenDict({"Name": "M"}, DOUBT)],
    ):
        found = flatten(stages)
        assert isinstance(found, OpenList)
        assert len(found) == 1
    assert flatten([{"Name": "S", "Actions": [DOUBT]}]) == [DOUBT]
    (open_action,) = flatten([{"Name": DOUBT, "Actions": [OpenDict({"Name": "A"}, DOUBT)]}])
    assert isinstance(open_action, OpenDict)
    assert open_action["Stage"] == DOUBT
    assert open_action["Category"] == DOUBT


def test_values_are_found_where_they_are_written() -> None:
    asked: list[Path] = []

    def locate(path: Path) -> Location | None:
        asked.append(path)
        return None

    made = Resource("AWS::CodePipeline::Pipeline", "p", None, None, {"Stages": [SOURCE, DEPLOY]})
    made.locate = locate
    derive(made)
    derive(made)
    paths: list[tuple[Any, ...]] = [
        ("Actions",), ("Actions", 2, "RoleArn"), ("Actions", 0, "Category"), ("Actions", 1, "Stage"),
        ("Actions", 1, "StageOnFailure"), ("Actions", 1, "StageIndex"), ("Actions", 1, "Configuration", "X"),
        ("Actions", 9), ("Name",),
    ]  # fmt: skip
    for path in paths:
        made.locate(path)
    assert asked == [
        ("Stages",),
        ("Stages", 1, "Actions", 1, "RoleArn"),
        ("Stages", 0, "Actions", 0, "ActionTypeId", "Category"),
        ("Stages", 1, "Name"),
        ("Stages", 1, "OnFailure", "Result"),
        ("Stages", 1),
        ("Stages", 1, "Actions", 0, "Configuration", "X"),
        ("Stages",),
        ("Name",),
    ]
