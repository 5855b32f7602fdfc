"""Two sequences side by side: each item once, in order, beside its like."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.pairing import paired

KEYS = st.lists(st.integers(0, 8), max_size=12).map(sorted)


@given(KEYS, KEYS)
def test_everything_is_given_once_in_order_and_paired_as_often_as_it_can_be(
    left: list[int], right: list[int]
) -> None:
    pairs = list(paired([(k, f"left {k}") for k in left], [(k, f"right {k}") for k in right]))
    assert [one for one, _ in pairs if one is not None] == [f"left {k}" for k in left]
    assert [other for _, other in pairs if other is not None] == [f"right {k}" for k in right]
    both = Counter(one.split()[1] for one, other in pairs if one is not None and other is not None)
    assert both == Counter(map(str, left)) & Counter(map(str, right))
    assert all(one.split()[1] == other.split()[1] for one, other in pairs if one and other)
    order = [int((one or other or "").split()[1]) for one, other in pairs]
    assert order == sorted(order)
