"""A counter that goes to disk counts what one in memory counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.errors import PolicyEngineError
from policyengine.shadow_ai.counting import Counted

ROWS = st.lists(
    st.tuples(
        st.sampled_from("abc"), st.integers(0, 3), st.integers(1, 5), st.integers(0, 1), st.integers(0, 99)
    ),
    max_size=40,
)


@given(ROWS, st.integers(1, 5))
def test_spilling_changes_nothing(rows: list[tuple[str, int, int, int, int]], limit: int) -> None:
    counted = Counted(2, 2, limit)
    wanted: dict[tuple[str, int], list[int]] = {}
    for name, number, one, two, at in rows:
        counted.add((name, number), (one, two), at, at)
        kept = wanted.setdefault((name, number), [0, 0, at, at])
        kept[:] = [kept[0] + one, kept[1] + two, min(kept[2], at), max(kept[3], at)]
    expected = sorted((*key, *kept) for key, kept in wanted.items())
    assert list(counted.rows()) == expected
    assert list(counted.rows("b")) == [row for row in expected if row[0] == "b"]
    top, left = counted.top(("a",), 2)
    ours = sorted((row for row in expected if row[0] == "a"), key=lambda r: (-r[2], -r[3], r[1]))
    assert (top, left) == (ours[:2], max(0, len(ours) - 2))
    latest, before = counted.latest(("a",), 2)
    mine = [row for row in expected if row[0] == "a"]
    assert (latest, before) == (mine[-2:], max(0, len(mine) - 2))
    assert counted.distinct(1, 10) == {row[1] for row in expected}
    counted.close()


def test_more_can_be_added_after_asking() -> None:
    counted = Counted(1, 1, 1)
    counted.add(("a",), (1,), "2", "2")
    assert list(counted.rows()) == [("a", 1, "2", "2")]
    counted.add(("a",), (1,), "1", "1")
    counted.add(("b",), (1,), "3", "3")
    assert list(counted.rows()) == [("a", 2, "1", "2"), ("b", 1, "3", "3")]
    assert counted.distinct(0, 1) is None


def test_no_room_on_disk_is_an_error_a_user_understands() -> None:
    counted = Counted(1, 1, 1)
    counted.add(("a",), (1,), 1, 1)
    counted._opened().execute("PRAGMA query_only=ON")  # as a full disk: what is written is refused
    with pytest.raises(PolicyEngineError, match="temporary database cannot be written"):
        counted.add(("b",), (1,), 1, 1)


def test_sums_stay_numbers_of_sqlite() -> None:
    counted = Counted(1, 1, 1)
    for _ in range(40):
        counted.add(("a",), (10**18,), 1, 1)
        counted.add(("b",), (10**18,), 1, 1)
    assert [(row[0], row[1]) for row in counted.rows()] == [("a", 1 << 61), ("b", 1 << 61)]
