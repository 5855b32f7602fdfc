"""Values cut from files in any pieces: places, bounds, what is broken."""

from __future__ import annotations

import gzip
import json
import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.sources.config.stream import MAX_ITEM, Piece, PieceError, Pieces, inflate
from policyengine.sources.snapshot.files import StreamError

FILE = {
    "fileVersion": "1.0",
    "configSnapshotId": "s",
    "configurationItems": [{"a": [1, {"b": '"]}'}]}, {"c": "é"}],
}


def cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def values(data: bytes, size: int = 7) -> list[object]:
    return [p.value if isinstance(p, Piece) else p.message for p in Pieces(cut(data, size), "f")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1 << 20])
@pytest.mark.parametrize("indent", [None, 2])
def test_items_are_cut_wherever_the_blocks_end(size: int, indent: int | None) -> None:
    data = json.dumps(FILE, indent=indent, ensure_ascii=False).encode()
    pieces = Pieces(cut(data, size), "f")
    assert [p.value for p in pieces if isinstance(p, Piece)] == FILE["configurationItems"]
    assert pieces.is_snapshot


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"configurationItem": {"x": 1}, "messageType": "m"}', [{"configurationItem": {"x": 1}, "messageType": "m"}]),
        ('[{"x": 1}, "{\\"y\\": 2}"]', [{"x": 1}, '{"y": 2}']),
        ('\ufeff{"BaseConfigurationItems": [{"x": 1}], "n": null}', [{"x": 1}]),
        ('{"Results": ["{}"], "QueryInfo": {"SelectFields": []}}', ["{}"]),
        ('{"configurationItems": null}', [{"configurationItems": None}]),
        ('{"configurationItems": []}', []),
        ("[]", []),
        ("{}", [{}]),
    ],
)  # fmt: skip
def test_every_form_of_file(text: str, found: list[object]) -> None:
    for size in (1, 5, 1000):
        assert values(text.encode(), size) == found


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "f:1:1", "is no JSON object or list"),
        ("x", "f:1:1", "is no JSON object or list"),
        ('{"configurationItems":[{"a":1},\n{"a":', "f:2:6", "the file ends before its JSON does"),
        ('{"configurationItems":[{"a":1}\n{"a":2}]}', "f:2:1", "expected `,`, found `{`"),
        ('{"configurationItems":[{"a":1}]}\n}', "f:2:1", "more text follows"),
        ('{"a" 1}', "f:1:6", "expected `:`"),
        ("{a: 1}", "f:1:2", "expected the name of a property"),
        ('{"a":\n  "x\ty"}', "f:2:5", "no JSON: invalid control character"),
        ('[{"a":1,"a":2}]', "f:1:2", "the key `a` stands twice"),
        ('[{"a":NaN}]', "f:1:2", "`NaN` is no JSON value"),
        ('[{"a":1e999}]', "f:1:2", "too large"),
        ('["\\ud800"]', "f:1:2", "half of a surrogate pair"),
        ("[" * 100_000, "f:1:100001", "the file ends before its JSON does"),
        ("[" * 300 + "]" * 300, "f:1:2", "nested deeper than 200 levels"),
    ],
)
def test_what_is_broken_is_told_with_its_place(text: str, place: str, message: str) -> None:
    for size in (1, 1000):
        errors = [p for p in Pieces(cut(text.encode("utf-8"), size), "f") if isinstance(p, PieceError)]
        assert [str(e.place) for e in errors] == [place]
        assert message in errors[0].message


def test_one_bad_item_leaves_the_others() -> None:
    data = b'{"configurationItems":[{"a":1},{"b":1,"b":2},{"c":"\x00"},{"d":4}]}'
    assert values(data)[0] == {"a": 1}
    assert values(data)[-1] == {"d": 4}
    assert len(values(data)) == 4


def test_an_item_has_a_largest_size() -> None:
    def endless(start: bytes) -> Iterator[bytes]:
        yield start
        while True:
            yield b'"' + b"x" * 200_000 + b'",'

    for start in (b'{"configurationItems":[["', b'[["', b'{"a":["'):
        *_, last = Pieces(endless(start + b'",'), "f")
        assert isinstance(last, PieceError)
        assert f"over the limit of {MAX_ITEM >> 20} MiB" in last.message


def test_memory_does_not_grow_with_the_file() -> None:
    element = json.dumps({"configuration": {"x": "y" * 900}}).encode()

    def blocks(number: int) -> Iterator[bytes]:
        yield b'{"configurationItems":[' + element
        for _ in range(number):
            yield (b"," + element) * 100
        yield b"]}"

    def peak(number: int) -> int:
        tracemalloc.start()
        try:
            assert sum(1 for _ in Pieces(blocks(number), "f")) == 100 * number + 1
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(200) < 1.5 * peak(20)


def test_gzip_in_members_and_what_is_wrong_with_it() -> None:
    data = json.dumps(FILE).encode()
    members = gzip.compress(data[:30]) + gzip.compress(data[30:])
    assert b"".join(inflate(cut(members, 11))) == data
    assert b"".join(inflate(cut(data, 11))) == data
    for broken, message in (
        (members[:-9], "truncated"),
        (members[:20] + b"xx" + members[22:], "no valid gzip"),
    ):
        with pytest.raises(StreamError, match=message):
            list(inflate([broken]))
    bomb = gzip.compress(b"\0" * (200 << 20), 9)
    with pytest.raises(StreamError, match="expands to more than 200 times its size"):
        for _ in inflate(cut(bomb, 1 << 20)):
            pass


@settings(deadline=None, max_examples=200)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8).filter(lambda t: t.isprintable()),
        lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=5).filter(str.isprintable), below, max_size=4),
        max_leaves=12,
    ),
    st.integers(1, 40),
)  # fmt: skip
def test_what_json_writes_is_read_again(value: object, size: int) -> None:
    wanted = [value, value]
    assert values(json.dumps({"configurationItems": wanted}).encode(), size) == wanted


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=60) | st.text('[]{}":,\\ax1 \n', max_size=40).map(str.encode), st.integers(1, 20))
def test_any_bytes_end_in_values_or_errors(data: bytes, size: int) -> None:
    pieces = list(Pieces(cut(data, size), "f"))
    assert pieces == [] or all(isinstance(p, Piece | PieceError) for p in pieces)
