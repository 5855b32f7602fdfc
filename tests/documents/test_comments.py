"""Comments of YAML are found by its tokens: what stands in a text is none (YAML 1.2.2, 6.6 and 8.1.1)."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policyengine.documents import load
from policyengine.documents.comments import comments

WORD = "policyengine:"


def found(text: str) -> list[tuple[str, int, int, bool]]:
    document = load(text.encode(), name="t.yaml", syntax="yaml", style="cloudformation")
    return [tuple(each) for each in comments(document, WORD)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a: 1 # policyengine:x\n", [("# policyengine:x", 1, 6, False)]),
        ("# policyengine:x\na: 1\n", [("# policyengine:x", 1, 1, True)]),
        ("a:\n  # policyengine:x\n  b: 1\n", [("# policyengine:x", 2, 3, True)]),
        ("a: one#policyengine:x\n", []),
        ("a: 'one # policyengine:x'\n", []),
        ('a: "one # policyengine:x" # policyengine:y\n', [("# policyengine:y", 1, 27, False)]),
        ('a: "one\n  # policyengine:x"\n', []),
        ("a: |\n  # policyengine:x\nb: 1\n", []),
        ("a: >-\n  # policyengine:x\n  two\nb: 1\n", []),
        ("a: |  # policyengine:x\n  # policyengine:y\n", [("# policyengine:x", 1, 7, False)]),
        ("a: |2-  # policyengine:x\n    text\n", [("# policyengine:x", 1, 9, False)]),
        ("a: |\n  text\n# policyengine:x\nb: 1\n", [("# policyengine:x", 3, 1, True)]),
        ("a: |\n  text\n  # policyengine:x\n # policyengine:y\n", [("# policyengine:y", 4, 2, True)]),
        ("a: [1, # policyengine:x\n  2]\n", [("# policyengine:x", 1, 8, False)]),
        ("a: {b: 1} # policyengine:x\n", [("# policyengine:x", 1, 11, False)]),
        ("? a # policyengine:x\n: b\n", [("# policyengine:x", 1, 5, False)]),
        ("a: !Sub '${b} # policyengine:x'\n", []),
        ("a: &x b#policyengine:x\n", []),
        ("a: 1\r\n# policyengine:x\r\n", [("# policyengine:x", 2, 1, True)]),
        ("ä: ö # policyengine:x\n", [("# policyengine:x", 1, 6, False)]),
        ("a: 𝄞 # policyengine:x\n", [("# policyengine:x", 1, 6, False)]),
        ("--- # policyengine:x\na: 1\n", [("# policyengine:x", 1, 5, False)]),
        ("a: 1\n# policyengine:x", [("# policyengine:x", 2, 1, True)]),
        (
            "a: 1 # see policyengine:x # policyengine:y\n",
            [("# see policyengine:x # policyengine:y", 1, 6, False)],
        ),
        ("a: 1 # nothing of ours\n", []),
    ],
)
def test_table(text: str, expected: list[tuple[str, int, int, bool]]) -> None:
    assert found(text) == expected


def test_json_has_none() -> None:
    document = load(b'{"a": "# policyengine:x"}', name="t.json")
    assert comments(document, WORD) == []


@given(
    st.lists(
        st.sampled_from(["# policyengine:x", "a", "\n", " ", "#", "'", '"', ": ", "- ", "|", "é"]),
        max_size=12,
    ),
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.booleans(),
)
def test_no_text_is_a_comment_however_it_is_written(parts: list[str], style: str | None, flow: bool) -> None:
    value = "".join(parts)
    text = yaml.dump(
        {"a": {"b": value, "c": [value, value]}}, default_style=style, default_flow_style=flow, width=20
    )
    assert (
        load(text.encode(), name="t.yaml", syntax="yaml", style="data").value["a"]["b"] == value
        or style is None
    )
    assert found(text) == []


@given(
    st.lists(
        st.sampled_from(["one", "'two # policyengine:no'", "[1, 2]", "{x: 1}", "|\n    # policyengine:no"]),
        min_size=1,
        max_size=6,
    )
)
def test_a_comment_below_anything_is_found_where_it_stands(values: list[str]) -> None:
    text = "".join(f"k{i}: {value}\n# policyengine:{i}\n" for i, value in enumerate(values))
    lines = text.split("\n")
    assert [(each[0], each[1]) for each in found(text)] == [
        (line, number) for number, line in enumerate(lines, 1) if line.startswith("# policyengine:")
    ]
