"""Patterns answer as `re.fullmatch` does, in linear time, and say what to write instead."""

import re
import time
import warnings

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.rules.patterns import MAX_STATES, PatternError, compile_pattern

ALPHABET = "abAB1_ .-é\n"

atoms = st.one_of(
    st.sampled_from(["a", "b", "A", "1", "_", " ", ".", "é", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S"]),
    st.sampled_from([r"\.", r"\-", r"\x61", r"\u0062", r"\n", "{", "}", "a{", "-"]),
    st.sampled_from(["[ab]", "[^ab]", "[a-b1]", r"[\d_-]", r"[^\w]", "[]a]", "[^]a]", r"[\]A-Z]", r"[\D]"]),
)


def repeated(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    quantifiers = st.sampled_from(
        ["", "*", "+", "?", "*?", "+?", "??", "{2}", "{0,2}", "{1,}", "{,2}", "{0}", "{2,3}?"]
    )
    return st.builds(lambda part, q: f"(?:{part}){q}", inner, quantifiers)


patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        repeated(inner),
        inner.map(lambda part: f"({part}|)"),
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(patterns, st.booleans(), st.lists(st.text(ALPHABET, max_size=8), min_size=1, max_size=6))
def test_agrees_with_re(pattern: str, fold: bool, texts: list[str]) -> None:
    source = ("(?i)" if fold else "") + pattern
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # `[[`: re warns, both take it literally
        expected = re.compile(source)
    ours = compile_pattern(source)
    for text in texts:
        assert ours.fullmatch(text) == bool(expected.fullmatch(text)), (source, text)


@settings(max_examples=200, deadline=None)
@given(st.characters(exclude_categories=["Cs"]))
def test_classes_agree_with_re_on_every_character(char: str) -> None:
    for source in (r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", ".", r"[^\d]", "(?i)k", "(?i)[s]"):
        assert compile_pattern(source).fullmatch(char) == bool(re.fullmatch(source, char)), (source, char)


@pytest.mark.parametrize("pattern", ["(a|a)*b", "(a*)*b", "(a|aa)+b", "(.*)*b", "(a?){200}a{200}b"])
def test_no_pattern_explodes(pattern: str) -> None:
    compiled = compile_pattern(pattern)
    started = time.process_time()
    assert not compiled.fullmatch("a" * 100_000)
    assert time.process_time() - started < 2


def test_cache_stays_bounded_and_right_when_it_overflows() -> None:
    compiled = compile_pattern("(?:a|b)*a(?:a|b){12}c")
    text = "".join("ab"[(index * index // 7) % 2] for index in range(40_000))
    assert not compiled.fullmatch(text)
    assert compiled.fullmatch(text + "a" + "ba" * 6 + "c")
    assert compiled._cached <= 20_000


def test_anchors_at_the_ends_are_redundant() -> None:
    assert compile_pattern("^ab$|^cd$").fullmatch("cd")
    assert not compile_pattern("^ab$").fullmatch("ab\n")


@pytest.mark.parametrize(
    ("pattern", "column", "advice"),
    [
        ("a(?=b)", 2, "second check"),
        ("a(?!b)", 2, "`none`"),
        ("(?<=a)b", 1, "look-behind"),
        (r"(a)\1", 4, "spell out"),
        ("(?P<x>a)", 1, "`(?:`"),
        ("(?P=x)", 1, "back reference"),
        ("(?>a)", 1, "atomic"),
        ("a(?i)b", 2, "start of the pattern"),
        ("*a", 1, r"`\*`"),
        ("a**", 3, "two quantifiers"),
        ("a*+", 3, "possessive"),
        ("a{3,2}", 2, "swap"),
        ("a{1001}", 2, "smaller"),
        ("a{99999999999999999999}", 2, "smaller"),
        ("(a{1000}){3}", 1, str(MAX_STATES)),
        ("[ab", 1, "never closed"),
        ("[b-a]", 4, "swap"),
        (r"[a-\d]", 5, r"`\-`"),
        ("[[:alpha:]]", 2, "a-zA-Z"),
        ("(ab", 1, "never closed"),
        ("ab)", 3, r"`\)`"),
        ("a^b", 2, r"`\^`"),
        ("a$b", 2, r"`\$`"),
        (r"a\b", 2, "not supported"),
        (r"\x1", 1, "hexadecimal"),
        ("a\\", 2, "backslash"),
        ("(" * 60 + "a" + ")" * 60, 52, "flatter"),
        ("a" * 4001, 4001, "longer"),
    ],
)
def test_error_names_column_and_what_to_write(pattern: str, column: int, advice: str) -> None:
    with pytest.raises(PatternError) as caught:
        compile_pattern(pattern)
    assert caught.value.column == column
    assert str(caught.value).startswith(f"column {column}: ")
    assert advice in str(caught.value)


def test_nested_empty_repeats_cost_nothing() -> None:
    assert compile_pattern("((((){1000}){1000}){1000}){1000}").fullmatch("")
