"""Every value and key has a place, and what is not there has the place of what holds it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.documents import load

YAML = b"""\
a:
  b:
    - 1
    - c: !Sub "x"
  "quoted key": [one, two]
d: |
  block
  text
e: &e {f: 1}
g: *e
h: {<<: *e}
"""
JSON = b'{\n  "a": {"b": [1, {"c": "x\\"y"}]},\n  "d": 2\n}\n'


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (1, 1)),
        (("a",), (2, 3)),
        (("a", "b", 0), (3, 7, 3, 8)),
        (("a", "b", 1, "c"), (4, 10, 4, 18)),
        (("a", "b", 1, "c", "Fn::Sub"), (4, 10, 4, 18)),
        (("a", "quoted key", 1), (5, 23, 5, 26)),
        (("a", "quoted key"), (5, 17, 5, 27)),
        (("a", "b", 1, "nowhere", 7), (4, 7)),
        (("a", "b", 9), (3, 5)),
        (("d",), (6, 4)),
        (("g",), (10, 4, 10, 6)),
        (("g", "f"), (9, 11, 9, 12)),
        (("h", "f"), (9, 11, 9, 12)),
    ],
)
def test_yaml_places(path, place):
    document = load(YAML, name="f", style="cloudformation")
    assert tuple(x for x in document.locate(path)[1:] if x is not None) == place


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (1, 1)),
        (("a",), (2, 8)),
        (("a", "b", 0), (2, 15, 2, 16)),
        (("a", "b", 1, "c"), (2, 24, 2, 30)),
        (("a", "b", 1, "nowhere"), (2, 18)),
        (("d",), (3, 8, 3, 9)),
        (("d", "below a scalar"), (3, 8, 3, 9)),
    ],
)
def test_json_places(path, place):
    document = load(JSON, name="f")
    assert tuple(x for x in document.locate(path)[1:] if x is not None) == place


def test_key_places():
    assert load(YAML, name="f", style="cloudformation").locate(("a", "b"), key=True)[1:] == (2, 3, 2, 4)
    assert load(JSON, name="f").locate(("d",), key=True)[1:] == (3, 3, 3, 6)


def test_a_key_that_is_nowhere_has_the_place_of_what_holds_it():
    assert load(JSON, name="f").locate(("zz",), key=True)[1:3] == (1, 1)


def test_lines():
    document = load(YAML, name="f", style="cloudformation")
    assert [document.line(n) for n in (0, 1, 3, 99)] == ["", "a:", "    - 1", ""]
    assert load(b'{\r\n"a": 1}', name="f").line(1) == "{"


texts = st.text(alphabet='ab"\\\\[]{},: \n', max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=20,
)


def paths_of(value, path=()):
    yield path, value
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, inner in members:
        yield from paths_of(inner, (*path, step))


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(texts, values, min_size=1, max_size=5), st.sampled_from([None, 1, 40]), st.randoms())
def test_every_value_of_a_json_text_stands_where_it_is_found(tree, indent, random):
    # wide indents make containers longer than those that are scanned anew
    text = json.dumps(tree, indent=indent)
    document = load(text.encode(), name="f", syntax="json")
    lines = text.split("\n")
    found = list(paths_of(tree))
    random.shuffle(found)  # what was asked before must not matter
    for path, value in found:
        place = document.locate(path)
        rest = "\n".join([lines[place.line - 1][place.column - 1 :], *lines[place.line :]])
        assert json.JSONDecoder().raw_decode(rest)[0] == value
        if path and isinstance(path[-1], str):
            place = document.locate(path, key=True)
            assert json.JSONDecoder().raw_decode(lines[place.line - 1][place.column - 1 :])[0] == path[-1]
