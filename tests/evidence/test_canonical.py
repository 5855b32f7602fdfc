"""RFC 8785: its own vectors, another implementation, and a reader that takes one text for one value."""

from __future__ import annotations

import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.evidence.canonical import MAX_DEPTH, MAX_INTEGER, decode, encode
from policyengine.model.canonical_json import canonical

MOST = 1 << 20
# RFC 8785 appendix B: IEEE 754 bits and the text of the number
NUMBERS = [
    ("0000000000000000", "0"),
    ("8000000000000000", "0"),
    ("0000000000000001", "5e-324"),
    ("8000000000000001", "-5e-324"),
    ("7fefffffffffffff", "1.7976931348623157e+308"),
    ("ffefffffffffffff", "-1.7976931348623157e+308"),
    ("4340000000000000", "9007199254740992"),
    ("c340000000000000", "-9007199254740992"),
    ("4430000000000000", "295147905179352830000"),
    ("44b52d02c7e14af5", "9.999999999999997e+22"),
    ("44b52d02c7e14af6", "1e+23"),
    ("44b52d02c7e14af7", "1.0000000000000001e+23"),
    ("444b1ae4d6e2ef4e", "999999999999999700000"),
    ("444b1ae4d6e2ef4f", "999999999999999900000"),
    ("444b1ae4d6e2ef50", "1e+21"),
    ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
    ("3eb0c6f7a0b5ed8d", "0.000001"),
    ("41b3de4355555553", "333333333.3333332"),
    ("41b3de4355555554", "333333333.33333325"),
    ("41b3de4355555555", "333333333.3333333"),
    ("41b3de4355555556", "333333333.3333334"),
    ("41b3de4355555557", "333333333.33333343"),
    ("becbf647612f3696", "-0.0000033333333333333333"),
    ("43143ff3c1cb0959", "1424953923781206.2"),
]


@pytest.mark.parametrize(("bits", "text"), NUMBERS)
def test_numbers_of_appendix_b(bits: str, text: str) -> None:
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert encode(value).decode() == text


def test_the_example_of_section_3_2_2() -> None:
    value = {
        "numbers": [333333333.33333329, 1e30, 4.50, 2e-3, 0.000000000000000000000000001],
        "string": "\u20ac$\u000f\u000aA'\u0042\u0022\u005c\\\"/",
        "literals": [None, True, False],
    }
    assert encode(value).decode() == (
        '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],'
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    )


def test_names_sort_as_in_section_3_2_3() -> None:
    names = {"\u20ac": "Euro Sign", "\r": "Carriage Return", "\ufb33": "Hebrew Letter Dalet With Dagesh", "1": "One",
             "\U0001f600": "Emoji: Grinning Face", "\u0080": "Control", "\u00f6": "Latin Small Letter O With Diaeresis"}  # fmt: skip
    assert list(json.loads(encode(names)).values()) == [
        "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
        "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
    ]  # fmt: skip


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | text
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_law_the_same_bytes_as_another_implementation(value: Any) -> None:
    other = pytest.importorskip("rfc8785", reason="comes with compliance-trestle")
    assert encode(value) == other.dumps(value)


@given(values)
def test_law_what_was_written_is_read_and_nothing_else(value: Any) -> None:
    written = encode(value)
    assert encode(decode(written, most=MOST)) == written
    loose = json.dumps(value, indent=1).encode()
    if loose != written:
        with pytest.raises(ValueError, match="canonical form"):
            decode(loose, most=MOST)


bulk = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | text.filter(lambda t: max(t, default="") < "\uffff"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(text.filter(lambda t: max(t, default="") < "\uffff"), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(bulk)
def test_law_what_we_hash_in_bulk_has_the_same_bytes(value: Any) -> None:
    assert encode(value) == canonical(value)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b'{"a":1,"a":1}', "stands twice"),
        (b'{"b":1,"a":2}', "canonical form"),
        (b'{"a": 1}', "canonical form"),
        (b'{"a":1}\n', "canonical form"),
        (b'\xef\xbb\xbf{"a":1}', "no JSON"),
        (b'{"a":1.0}', "canonical form"),
        (b'{"a":1e2}', "canonical form"),
        (b'{"a":-0}', "canonical form"),
        (b'{"a":"\\u0061"}', "canonical form"),
        (b'{"a":"\\/"}', "canonical form"),
        (b'{"a":"\\ud800"}', "surrogates not allowed"),
        (b'{"a":NaN}', "no JSON"),
        (b'{"a":Infinity}', "no JSON"),
        (b'{"a":9007199254740993}', "canonical form"),
        (b'{"a":' + b"9" * 5000 + b"}", "not finite"),
        (b'{"a":1e999}', "not finite"),
        (b'{"a":"\xff"}', "no UTF-8"),
        (b'{"a":1', "no JSON"),
        (b"", "no JSON"),
        (b"[" * 100_000 + b"]" * 100_000, "nested"),
        (b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2), "nested"),
        (b'"' + b"a" * MOST + b'"', "at most"),
    ],
)
def test_any_other_text_is_refused_and_says_why(data: bytes, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        decode(data, most=MOST)


@pytest.mark.parametrize("value", [{1: 2}, {"a": {1}}, object(), b"bytes"])
def test_what_is_no_json_is_not_written(value: Any) -> None:
    with pytest.raises(TypeError):
        encode(value)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), MAX_INTEGER + 1, "\ud800", {"\udfff": 1}])
def test_what_has_no_canonical_form_is_not_written(value: Any) -> None:
    with pytest.raises(ValueError, match=r".+"):
        encode(value)
