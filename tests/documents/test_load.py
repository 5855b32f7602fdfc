"""What documents become values, what is refused, and where the message points."""

from __future__ import annotations

import json
import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policyengine.documents import MAX_DEPTH, DocumentError, load

BOMB = b"a: &a [1,1,1,1,1,1,1,1,1]\n" + b"".join(
    b"%c: &%c [%s]\n" % (98 + i, 98 + i, b",".join([b"*%c" % (97 + i)] * 9)) for i in range(9)
)
MERGED = b",".join(b"k%d: 1" % i for i in range(20_000))
MERGE_BOMB = b"m0: &m0 {%s}\n" % MERGED + b"".join(
    b"m%d: &m%d {<<: *m%d}\n" % (i, i, i - 1) for i in range(1, 5000)
)
DEEP_BLOCK = b"".join(b" " * i + b"a:\n" for i in range(1000))

REFUSED = [
    ("an empty file", b"", "empty", None),
    ("white space only", b" \n\t\n", "empty", None),
    ("comments only", b"# nothing\n", "empty", None),
    ("zero bytes", b"\x7fELF\0\1\2", "not_text", None),
    ("a control character", b"a: 1\nb: \x01", "not_text", (2, 4)),
    ("Latin-1", "a: 1\nb: ü".encode("latin-1"), "encoding", (2, 4)),
    ("UTF-16 without mark", '{"a": 1}'.encode("utf-16-le"), "encoding", (1, 1)),
    ("UTF-32", '{"a": 1}'.encode("utf-32"), "encoding", (1, 1)),
    ("half a surrogate pair", b'{"a": "\\ud800"}', "encoding", (1, 8)),
    ("truncated JSON", b'{"a": [1,', "syntax", (1, 10)),
    ("truncated YAML", b"a: [1", "syntax", (1, 6)),
    ("a tab as indentation", b"a:\n\tb: 1", "syntax", (2, 1)),
    ("NaN", b'{"a": NaN}', "syntax", (1, 7)),
    ("an infinite number", b'{"a": 1e999}', "syntax", (1, 7)),
    ("two documents", b"a: 1\n---\nb: 2\n", "syntax", (2, 1)),
    ("a map as key", b"? {a: 1}\n: 2", "syntax", (1, 3)),
    ("an unknown tag", b"a: !Foo 1", "syntax", (1, 4)),
    ("a Python tag", b"a: !!python/object:os.system ls", "syntax", (1, 4)),
    ("an alias to nothing", b"a: *b", "syntax", (1, 4)),
    ("a duplicate key in JSON", b'{"x": {"a": 1,\n "a": 2}}', "duplicate_key", (2, 2)),
    ("a duplicate key in YAML", b"x:\n  a: 1\n  b: 1\n  a: 2", "duplicate_key", (4, 3)),
    ("deep JSON lists", b"[" * 100_000, "too_deep", (1, MAX_DEPTH + 1)),
    ("deep closed JSON", b"[" * 10_000 + b"]" * 10_000, "too_deep", (1, MAX_DEPTH + 1)),
    ("deep JSON objects", b'{"a":' * 100_000, "too_deep", (1, 5 * MAX_DEPTH + 1)),
    ("deep flow in YAML", b"a: " + b"[" * 100_000, "too_deep", (1, MAX_DEPTH + 3)),
    ("deep compact block", b"- " * 100_000, "too_deep", (1, 2 * MAX_DEPTH + 1)),
    ("deep indentation", DEEP_BLOCK, "too_deep", None),
    ("deep complex keys", b"? " * 100_000, "syntax", (1, 3)),
    ("an alias bomb", BOMB, "too_many_aliases", None),
    ("a merge bomb", MERGE_BOMB, "too_many_aliases", None),
    ("an alias to itself", b"a: &a [*a]", "too_many_aliases", (1, 8)),
]


@pytest.mark.parametrize(("data", "code", "place"), [c[1:] for c in REFUSED], ids=[c[0] for c in REFUSED])
def test_refused_with_code_and_place(data, code, place):
    started = time.process_time()
    with pytest.raises(DocumentError) as caught:
        load(data, name="f")
    assert time.process_time() - started < 5
    error = caught.value
    assert error.code == code
    assert "\n" not in str(error)
    assert str(error).startswith("f:")
    if place is not None:
        assert (error.location.line, error.location.column) == place


def test_a_file_over_the_limit_is_refused_unread():
    with pytest.raises(DocumentError) as caught:
        load(b" " * 11, name="f", max_bytes=10)
    assert caught.value.code == "too_large"
    with pytest.raises(DocumentError, match="YAML file has"):
        load(b"a: 1\n" * 1_000_000, name="f")


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "ü"}'.encode("utf-16"), {"a": "ü"}),
        (b"{a: 1, b: [c]}", {"a": 1, "b": ["c"]}),
        (b"{'a': 1}", {"a": 1}),
        (b"a: 2012-10-17\nb: yes\nc: 010\nd: 1.5\ne:\n012: x", {"a": "2012-10-17", "b": "yes", "c": "010",
                                                                "d": 1.5, "e": None, "012": "x"}),
        (b"x: &m {a: 1, b: 1}\ny: {<<: *m, b: 2}", {"x": {"a": 1, "b": 1}, "y": {"a": 1, "b": 2}}),
        (b"y: {<<: [{a: 1}, {a: 2, b: 3}]}", {"y": {"a": 1, "b": 3}}),
        (b'y: {"<<": 1}', {"y": {"<<": 1}}),
        (b"a: !!str 1\nb: ! 1\nc: !!int '3'", {"a": "1", "b": "1", "c": 3}),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
    ],
)  # fmt: skip
def test_values(data, value):
    assert load(data, name="f").value == value


def test_a_json_file_that_is_no_json_is_not_read_as_yaml():
    with pytest.raises(DocumentError, match="not valid JSON"):
        load(b"{a: 1}", name="t.json")


CLOUDFORMATION = [
    ("Version: 2012-10-17", {"Version": "2012-10-17"}),
    ("a: yes\nb: Off", {"a": True, "b": False}),
    ("a: 010\nb: 0x1F\nc: 1_000\nd: 0b11", {"a": 8, "b": 31, "c": 1000, "d": 3}),
    ("a: 012345678901", {"a": "012345678901"}),
    ("a: 22:22", {"a": "22:22"}),
    ("a: !Ref B", {"a": {"Ref": "B"}}),
    ("a: !Condition B", {"a": {"Condition": "B"}}),
    ("a: !GetAtt A.B.C", {"a": {"Fn::GetAtt": ["A", "B.C"]}}),
    ("a: !GetAtt [A, B]", {"a": {"Fn::GetAtt": ["A", "B"]}}),
    ("a: !Ref 123", {"a": {"Ref": "123"}}),
    ('a: !GetAZs ""', {"a": {"Fn::GetAZs": ""}}),
    ("a: !If [c, !Ref B, {d: !Sub x}]", {"a": {"Fn::If": ["c", {"Ref": "B"}, {"d": {"Fn::Sub": "x"}}]}}),
    ("a: !Rain::Embed f.py", {"a": {"!Rain::Embed": "f.py"}}),
    ("123456789012: x", {"123456789012": "x"}),
]


@pytest.mark.parametrize(("text", "value"), CLOUDFORMATION, ids=[c[0] for c in CLOUDFORMATION])
def test_cloudformation_style(text, value):
    assert load(text.encode(), name="f", style="cloudformation").value == value


TRAPS = ["yes", "No", "on", "OFF", "y", "N", "True", "NULL", "010", "0o17", "0x1f", "0b1", "1_000", "+5",
         "22:22", "1:30:00", "2012-10-17", "2012-10-17T00:00:00Z", ".5", "5.", "1e5", "1.10", ".inf",
         ".NaN"]  # fmt: skip


@pytest.mark.parametrize("word", TRAPS)
def test_strict_refuses_words_that_readers_understand_differently(word):
    with pytest.raises(DocumentError) as caught:
        load(f"a:\n  - {word}".encode(), name="f", style="strict")
    assert (caught.value.location.line, caught.value.location.column) == (2, 5)
    assert f'write `"{word}"`' in caught.value.message
    assert load(f'a: "{word}"'.encode(), name="f", style="strict").value == {"a": word}


@pytest.mark.parametrize(
    "text", ["a: &x 1", "a: !!str 1", "a: !Ref x", "a: {<<: {b: 1}}", "a: &x [1]", "a: !t {}"]
)
def test_strict_has_no_anchors_tags_or_merges(text):
    with pytest.raises(DocumentError, match="not allowed here"):
        load(text.encode(), name="f", style="strict")


def test_strict_values():
    text = b"a: true\nb: null\nc: -5\nd: 1.5\ne: 10.0.0.0/8\nf: text\ng: ~\nyes: 0\n"
    expected = {"a": True, "b": None, "c": -5, "d": 1.5, "e": "10.0.0.0/8", "f": "text", "g": None, "yes": 0}
    assert load(text, name="f", style="strict").value == expected


@given(st.binary(max_size=200))
def test_bytes_never_raise_anything_else(data):
    for style in ("data", "cloudformation", "strict"):
        try:
            load(data, name="f", style=style)
        except DocumentError as error:
            assert error.location is not None
            assert "\n" not in str(error)


@given(st.text(alphabet="{}[]:,-?!&*<>|'\"#%@ \n\tab01.~\\", max_size=80))
def test_punctuation_never_raises_anything_else(text):
    for style in ("data", "cloudformation", "strict"):
        try:
            load(text.encode(), name="f", style=style)
        except DocumentError as error:
            assert error.location is not None


TEXT = st.text(st.characters(codec="utf-8"))
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.booleans(), st.sampled_from([None, 2]))
def test_json_round_trip_and_every_value_has_its_place(value, ascii_only, indent):
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    document = load(text.encode(), name="f", syntax="json")
    assert document.value == value
    lines = text.split("\n")
    for path, part in _leaves(value):
        place = document.locate(path)
        found = json.JSONDecoder().raw_decode("\n".join(lines[place.line - 1 :])[place.column - 1 :])[0]
        assert found == part


@given(JSON)
def test_yaml_scalars_agree_with_the_reference_reader(value):
    text = yaml.safe_dump(value, allow_unicode=True, default_style='"')
    assert load(text.encode(), name="f", syntax="yaml").value == _stringly(yaml.safe_load(text))


def _stringly(value):
    """Keys are text here; the reference reader gives null keys and the like."""
    if isinstance(value, dict):
        return {str(k): _stringly(v) for k, v in value.items()}
    return [_stringly(v) for v in value] if isinstance(value, list) else value


def _leaves(value, path=()):
    yield path, value
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
