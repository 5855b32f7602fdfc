"""Texts keep every byte that is not edited, whatever style they are written in."""

from __future__ import annotations

import difflib
import json
from typing import Any

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from policyengine.documents import load
from policyengine.fix.rewrite import CannotEditError, Edit, Rewriter, apply_edits, unshared
from policyengine.fix.style import Noted


def rewritten(text: str, change: Any, syntax: Any = None) -> str:
    document = load(text.encode(), name="t", style="cloudformation", syntax=syntax)
    value = unshared(document.value)
    change(value)
    return apply_edits(document.text, Rewriter(document).edits(value))


def put(*steps: Any, to: Any) -> Any:
    def change(value: Any) -> None:
        for step in steps[:-1]:
            value = value[step]
        if isinstance(value, list) and steps[-1] == len(value):
            value.append(to)
        else:
            value[steps[-1]] = to

    return change


TAGS = [{"Key": "Owner", "Value": "me"}]

CASES: dict[str, tuple[str, Any, str]] = {
    "a block map gets a member after its last line": (
        "R:\n  A: 1  # one\n  # two\nO: 1\n", put("R", "B", to=2), "R:\n  A: 1  # one\n  B: 2\n  # two\nO: 1\n",
    ),
    "a text without a last line feed stays so": ("R:\n  A: 1", put("R", "B", to=2), "R:\n  A: 1\n  B: 2"),
    "the line ends are the text's": ("R:\r\n  A: 1\r\n", put("R", "B", to=2), "R:\r\n  A: 1\r\n  B: 2\r\n"),
    "after block text": (
        "R:\n  A: |\n    x\n\n  C: 1\nO: 1\n", put("R", "B", to=2), "R:\n  A: |\n    x\n\n  C: 1\n  B: 2\nO: 1\n",
    ),
    "after block text at the end": (
        "R:\n  A: |\n    x\n", put("R", "B", to=2), "R:\n  A: |\n    x\n  B: 2\n",
    ),
    "after kept empty lines": (
        "R:\n  A: |+\n    x\n\n\nO: 1\n", put("R", "B", to=2), "R:\n  A: |+\n    x\n\n\n  B: 2\nO: 1\n",
    ),
    "an empty line between members goes on": (
        "R:\n  A: 1\n\n  B: 2\n", put("R", "C", to={"D": 1}), "R:\n  A: 1\n\n  B: 2\n\n  C:\n    D: 1\n",
    ),
    "lists that are not indented": (
        "R:\n  L:\n  - a\n  T: 1\n", put("R", "Tags", to=TAGS),
        "R:\n  L:\n  - a\n  T: 1\n  Tags:\n  - Key: Owner\n    Value: me\n",
    ),
    "lists that are": (
        "R:\n    L:\n      - a\n    T: {a: 1}\n", put("R", "Tags", to=TAGS),
        "R:\n    L:\n      - a\n    T: {a: 1}\n    Tags:\n      - Key: Owner\n        Value: me\n",
    ),
    "an element of a list that is not indented": (
        "R:\n  L:\n  - a: 1\n    b: 2\n  M: 1\n", put("R", "L", 1, to={"a": 3}),
        "R:\n  L:\n  - a: 1\n    b: 2\n  - a: 3\n  M: 1\n",
    ),
    "a member of a map in a list": (
        "L:\n  - a: 1\n  - b: 2\n", put("L", 0, "c", to=True), "L:\n  - a: 1\n    c: true\n  - b: 2\n",
    ),
    "flow style in one line": ("R: {A: 1}  # c\n", put("R", "B", to="x y"), "R: {A: 1, B: 'x y'}  # c\n"),
    "flow style with a comma at the end": ("R: {A: 1,}\n", put("R", "B", to=2), "R: {A: 1, B: 2,}\n"),
    "flow style over lines with a comment": (
        "R: {\n  A: 1  # c\n}\n", put("R", "B", to=2), "R: {\n  A: 1,  # c\n  B: 2\n}\n",
    ),
    "an empty map": ("R: {}\n", put("R", "B", to={"C": [1]}), "R: {B: {C: [1]}}\n"),
    "quotes stay": ("R: \"false\"\nS: 'x'\n", put("R", to="true"), "R: \"true\"\nS: 'x'\n"),
    "a word that YAML would read as something else is quoted": (
        "R:\n  A: 1\n", put("R", "B", to="no"), "R:\n  A: 1\n  B: 'no'\n",
    ),
    "functions have short tags": (
        "R:\n  A: 1\n", put("R", "B", to=[{"Ref": "X"}, {"Fn::GetAtt": ["X", "Arn"]}, {"Fn::Sub": "${X}/*"}]),
        "R:\n  A: 1\n  B:\n    - !Ref X\n    - !GetAtt X.Arn\n    - !Sub '${X}/*'\n",
    ),
    "a note becomes a comment": (
        "R:\n  A: 1\n", put("R", "B", to=Noted.of("CHANGE-ME", "say who")), "R:\n  A: 1\n  B: CHANGE-ME  # say who\n",
    ),
    "beside a merge": (
        "B: &b\n  A: 1\nR:\n  <<: *b\n  C: 2\n", put("R", "D", to=3), "B: &b\n  A: 1\nR:\n  <<: *b\n  C: 2\n  D: 3\n",
    ),
    "JSON with tabs": (
        '{\n\t"R": {\n\t\t"A": 1\n\t}\n}\n', put("R", "B", to={"C": 2}),
        '{\n\t"R": {\n\t\t"A": 1,\n\t\t"B": {\n\t\t\t"C": 2\n\t\t}\n\t}\n}\n',
    ),
    "JSON with a space before the colon": (
        '{\n  "R" : {\n    "A" : 1\n  }\n}', put("R", "B", to=TAGS),
        '{\n  "R" : {\n    "A" : 1,\n    "B" : [\n      {\n        "Key" : "Owner",\n        "Value" : "me"\n      }\n    ]\n  }\n}',
    ),
    "JSON in one line": ('{"R":{"A":1}}', put("R", "B", to={"C": [2, 3]}), '{"R":{"A":1,"B":{"C":[2,3]}}}'),
    "JSON in one line inside JSON over lines": (
        '{\n  "R": { "A": 1, "B": 2 }\n}\n', put("R", "C", to=3), '{\n  "R": { "A": 1, "B": 2, "C": 3 }\n}\n',
    ),
    "an empty object over lines": (
        '{\n  "R": {}\n}\n', put("R", "C", to=3), '{\n  "R": {\n    "C": 3\n  }\n}\n',
    ),
    "JSON with CRLF": ('{\r\n "A": 1\r\n}\r\n', put("B", to=2), '{\r\n "A": 1,\r\n "B": 2\r\n}\r\n'),
    "other letters": ("Ä:\n  é: ü  # ñ\n", put("Ä", "b", to=1), "Ä:\n  é: ü  # ñ\n  b: 1\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_style(name: str) -> None:
    before, change, after = CASES[name]
    assert rewritten(before, change) == after


REFUSED: dict[str, tuple[str, Any, str]] = {
    "an alias": ("A: &x {P: 1}\nB: *x\n", put("B", "Q", to=2), "the alias"),
    "what an alias repeats": ("A: &x\n  P: 1\nB: *x\n", put("A", "Q", to=2), "used in other places"),
    "what a merge brings": (
        "A: &x\n  P: 1\nB:\n  <<: *x\n  R: 1\n",
        put("B", "P", to=2),
        "comes from a merge",
    ),
    "inside a function": (
        "A: !Sub ['${x}', {x: 1}]\n",
        put("A", "Fn::Sub", 1, "x", to=2),
        "made by a function",
    ),
    "a removal": ("A:\n  B: 1\n  C: 1\n", lambda value: value["A"].pop("B"), "removed"),
    "a map in place of a word": ("A:\n  B: x\n", put("A", "B", to={"C": 1}), "another form"),
    "block text": ("A:\n  B: |\n    x\n", put("A", "B", to="y"), "another form"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    before, change, reason = REFUSED[name]
    with pytest.raises(CannotEditError, match=reason):
        rewritten(before, change)


def test_an_anchor_that_nothing_repeats_is_no_reason() -> None:
    assert rewritten("A: &x\n  P: 1\n", put("A", "Q", to=2)) == "A: &x\n  P: 1\n  Q: 2\n"


words = st.sampled_from(
    ["a", "b", "c", "é", "yes", "1", "x y", "- z", "#k", "k: v", "", "'", '"', "null", "0x1"]
)
scalars = words | st.booleans() | st.integers(-3, 3)
trees = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=12,
)
roots = st.dictionaries(words, trees, min_size=1, max_size=4)


def grown(value: Any, draw: Any, added: Any) -> Any:
    """Return a value with something more somewhere: members and elements added, words replaced."""
    if isinstance(value, dict):
        found = {key: grown(inner, draw, added) for key, inner in value.items()}
        if draw(st.booleans()):
            found[draw(st.sampled_from(["New", "aws:x", "é é"]))] = added
        return found
    if isinstance(value, list):
        return [grown(inner, draw, added) for inner in value] + ([added] if draw(st.booleans()) else [])
    return draw(scalars) if draw(st.integers(0, 4)) == 0 else value


def texts_of(root: Any) -> list[str]:
    return [
        json.dumps(root, indent=2, ensure_ascii=False),
        json.dumps(root, indent="\t"),
        json.dumps(root, separators=(",", ":")),
        json.dumps(root, indent=1).replace("\n", "\r\n"),
        yaml.safe_dump(root, allow_unicode=True, sort_keys=False),
        yaml.safe_dump(root, default_flow_style=True, sort_keys=False),
        yaml.safe_dump(root, allow_unicode=True, default_style='"', sort_keys=False),
        "# first\n" + yaml.safe_dump(root, sort_keys=False).replace("\n", "  # after\n"),
    ]


@settings(max_examples=50)
@given(roots, trees, st.data(), st.integers(0, 7))
def test_law_the_value_becomes_the_wanted_one_and_what_is_kept_is_kept(
    root: Any, added: Any, data: st.DataObject, style: int
) -> None:
    text = texts_of(root)[style]
    syntax: Any = "json" if style < 4 else "yaml"
    document = load(text.encode(), name="t", style="cloudformation", syntax=syntax)
    assume(isinstance(document.value, dict))
    wanted = grown(unshared(document.value), data.draw, added)
    rewriter = Rewriter(document)
    assert rewriter.edits(unshared(document.value)) == []
    try:
        edits = rewriter.edits(wanted)
    except CannotEditError:
        return
    after = apply_edits(text, edits)
    assert load(after.encode(), name="t", style="cloudformation", syntax=syntax).value == wanted
    rest, at = [], 0
    for edit in edits:
        rest.append(text[at : edit.start])
        at = edit.end
    assert kept_in_order([*rest, text[at:]], after)


def kept_in_order(pieces: list[str], text: str) -> bool:
    at = 0
    for piece in pieces:
        at = text.find(piece, at)
        if at < 0:
            return False
        at += len(piece)
    return True


@settings(max_examples=40)
@given(roots, st.integers(0, 7))
def test_law_additions_alone_only_insert(root: Any, style: int) -> None:
    text = texts_of(root)[style]
    document = load(text.encode(), name="t", style="cloudformation", syntax="json" if style < 4 else "yaml")
    assume(isinstance(document.value, dict))
    try:
        edits = Rewriter(document).edits({**document.value, "New": {"a": [1]}})
    except CannotEditError:
        return
    assert all(edit.start == edit.end for edit in edits)
    pieces = difflib.SequenceMatcher(None, text, apply_edits(text, edits), autojunk=False).get_opcodes()
    assert {kind for kind, *_ in pieces} <= {"equal", "insert"}


def test_edits_must_not_overlap() -> None:
    assert apply_edits("abcd", [Edit(2, 2, "x"), Edit(0, 1, "y"), Edit(2, 3, "z")]) == "ybxzd"
    with pytest.raises(ValueError, match="overlap"):
        apply_edits("abcd", [Edit(0, 3, ""), Edit(2, 4, "")])
