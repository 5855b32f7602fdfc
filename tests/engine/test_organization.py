"""The OUs above an account, nearest first."""

from __future__ import annotations

from typing import Any

from policyengine.engine.organization import units_above
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved


def unit(id_: str, parent: Any) -> Resource:
    return Resource("AWS::Organizations::OrganizationalUnit", id_, "1", "global", {"ParentId": parent})


def account(id_: str, parent: Any) -> Resource:
    return Resource(
        "AWS::Organizations::Account", id_, "1", "global", {"AccountId": id_, "ParentIds": parent}
    )


def test_nearest_first_and_the_root_last() -> None:
    tree = [
        unit("ou-a", "r-1"),
        unit("ou-b", "ou-a"),
        account("111", ["ou-b"]),
        account("222", ["ou-a"]),
        account("333", ["r-1"]),
    ]
    assert units_above(tree) == {"111": ("ou-b", "ou-a", "r-1"), "222": ("ou-a", "r-1"), "333": ("r-1",)}


def test_what_is_not_known_ends_a_chain() -> None:
    hole = Unresolved("access_denied")
    tree = [unit("ou-a", hole), account("111", ["ou-a"]), account("222", hole), account("333", [hole])]
    assert units_above(tree) == {"111": ("ou-a",)}


def test_a_circle_ends() -> None:
    assert units_above([unit("ou-a", "ou-b"), unit("ou-b", "ou-a"), account("1", ["ou-a"])]) == {
        "1": ("ou-a", "ou-b")
    }
