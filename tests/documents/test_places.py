"""Every value and key has a place, and what is not there has the place of what holds it."""

from __future__ import annotations

import time

import pytest

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


def test_a_usual_template_is_read_within_ten_milliseconds():
    body = b"".join(
        b"  R%d:\n    Type: AWS::S3::Bucket\n    Properties:\n      BucketName: !Sub '${A}-%d'\n" % (i, i)
        for i in range(50)
    )
    best = min(_seconds(b"Resources:\n" + body) for _ in range(5))
    assert best < 0.010


def _seconds(data):
    started = time.perf_counter()
    load(data, name="f", style="cloudformation")
    return time.perf_counter() - started
