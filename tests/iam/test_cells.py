"""Cells: every text that patterns can tell apart has an example, and every example is what it says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam.cells import (
    ACCOUNT,
    ANYTHING,
    PART,
    SEGMENT,
    Either,
    Pattern,
    arn_glob,
    cells,
    exact,
    glob,
    ignoring_case,
    joined,
    matches,
    signature_of,
)
from policyengine.iam.comparisons import arn_like
from policyengine.iam.glob import compile_glob

TEXT = st.text("ab:/*?", max_size=6)
GLOBS = st.lists(st.text("ab*?", max_size=5), max_size=5)


@given(GLOBS, st.text("abc", min_size=1, max_size=6))
def test_no_text_is_without_a_cell(patterns: list[str], text: str) -> None:
    compiled = tuple(glob(p) for p in patterns)
    found = cells((ANYTHING,), compiled)
    assert found.complete
    assert signature_of(compiled, text) in found.texts


@given(GLOBS, st.sets(st.integers(0, 4)))
def test_what_is_wanted_is_found_as_among_all(patterns: list[str], numbers: set[int]) -> None:
    compiled = tuple(dict.fromkeys(glob(p) for p in patterns))
    wanted = tuple(p for at, p in enumerate(compiled) if at in numbers)
    mask = sum(1 << at for at, p in enumerate(compiled) if p in wanted)
    everything = cells((ANYTHING,), compiled).texts
    some = cells((ANYTHING,), compiled, wanted=wanted).texts
    if wanted:
        assert [i for i in some.items() if i[0] & mask] == [i for i in everything.items() if i[0] & mask]
    else:
        assert some == everything


@given(GLOBS)
def test_an_example_is_in_its_cell(patterns: list[str]) -> None:
    compiled = tuple(glob(p) for p in patterns)
    for signature, text in cells((ANYTHING,), compiled).texts.items():
        assert text
        for at, pattern in enumerate(patterns):
            assert compile_glob(pattern)(text) is bool(signature >> at & 1)


@given(st.text("ab*?", max_size=6), TEXT)
def test_a_pattern_matches_what_its_glob_matches(pattern: str, text: str) -> None:
    assert matches(glob(pattern), text) is compile_glob(pattern)(text)


@settings(max_examples=200)
@given(
    st.lists(st.text("ab*?", max_size=3), min_size=6, max_size=6),
    st.lists(st.text("ab", max_size=3), min_size=6, max_size=7),
)
def test_an_arn_pattern_matches_what_the_operator_does(pattern: list[str], text: list[str]) -> None:
    written, value = ":".join(pattern), ":".join(text)
    assert matches(arn_glob(written), value) is (arn_like([written])(value) is True)


def test_classes() -> None:
    account = joined(exact("arn:aws:iam::"), ACCOUNT, exact(":role/"), SEGMENT)
    assert matches(account, "arn:aws:iam::111122223333:role/app")
    assert not matches(account, "arn:aws:iam::1111:role/app")
    assert not matches(account, "arn:aws:iam::111122223333:role/a/b")
    assert matches(joined(PART, exact(":x")), "a/b:x") and not matches(PART, "a:b")
    assert matches(ignoring_case("Aß"), "aß") and not matches(ignoring_case("a"), "b")


def test_what_lies_between_patterns_is_found() -> None:
    """``a*`` and ``*b`` meet in texts that neither names."""
    found = cells((ANYTHING,), (glob("a*"), glob("*b")))
    assert set(found.texts) == {0, 1, 2, 3}


def test_contradictions_are_not() -> None:
    patterns: tuple[Pattern, ...] = (exact("eu-west-1"), exact("us-east-1"), glob("eu-*"))
    assert set(cells((ANYTHING,), patterns).texts) == {0b000, 0b010, 0b100, 0b101}


@given(GLOBS, GLOBS, st.text("abc", min_size=1, max_size=6))
def test_patterns_of_which_one_is_enough(some: list[str], others: list[str], text: str) -> None:
    """Put together they tell texts apart as their disjunctions do, no more and no less."""
    one, other = Either(glob(p) for p in some), Either(glob(p) for p in others)
    found = cells((ANYTHING,), (one, other))
    wanted = [any(compile_glob(p)(text) for p in patterns) for patterns in (some, others)]
    signature = sum(1 << at for at, hit in enumerate(wanted) if hit)
    assert found.complete and signature in found.texts
    assert signature_of((one, other), text) == signature
    for key, example in found.texts.items():
        assert signature_of((one, other), example) == key


def test_many_resources_of_one_statement_are_few_states() -> None:
    """`arn:aws:ec2:*:*:instance/*` and its like are told apart in the tail of an ARN too, where each set of them
    can be met; as one element of one statement they are a few hundred states, not their power set."""
    kinds = ("instance", "subnet", "volume", "network-interface", "security-group", "key-pair", "snapshot")
    patterns = Either(glob(f"arn:aws:ec2:*:*:{kind}/*") for kind in kinds)
    universe = (joined(exact("arn:aws:ec2:"), PART, exact("::image/"), ANYTHING),)
    found = cells(universe, (patterns,), limit=2_000)
    assert found.complete and set(found.texts) == {0, 1}


def test_too_many_are_not_all_visited() -> None:
    soup = tuple(glob(f"*{a}*{b}*{a}*") for a in "abcdefghij" for b in "klmnopqrst")
    found = cells((ANYTHING,), soup, limit=500)
    assert not found.complete and found.texts
