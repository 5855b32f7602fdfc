"""The forms logs come in, and hostile ones: every broken line has a place, the rest goes on, memory is bounded."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.shadow_ai import reading
from policyengine.shadow_ai.reading import values
from tests.shadow_ai.helpers import document_of, lines, record, service_of, tally_of

ONE = json.dumps(record())


def read(data: bytes, limit: int = reading.MAX_VALUE) -> tuple[list[tuple[int, Any]], list[tuple[int, str]]]:
    wrong: list[tuple[int, str]] = []
    return list(values(io.BytesIO(data), lambda line, text: wrong.append((line, text)), limit)), wrong


def envelope(*messages: str, kind: str = "DATA_MESSAGE") -> str:
    """https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html"""
    events = [{"id": str(n), "timestamp": 1612461115000, "message": text} for n, text in enumerate(messages)]
    return json.dumps({"messageType": kind, "owner": "111122223333", "logGroup": "g", "logEvents": events})


FORMS = {
    "lines of S3": f"{ONE}\n{ONE}\n",
    "no line end at the end": f"{ONE}\n{ONE}",
    "CRLF and empty lines": f"\r\n{ONE}\r\n\r\n{ONE}\r\n",
    "one after another, as Firehose writes": ONE + ONE,
    "with spaces between": f"  {ONE}  {ONE}  ",
    "an export of CloudWatch Logs": f"2021-02-04T17:51:55.000Z {ONE}\n2021-02-04T17:51:55.000Z {ONE}\n",
    "a subscription": envelope(ONE, ONE),
    "two subscriptions in one line": envelope(ONE) + envelope(kind="CONTROL_MESSAGE") + envelope(ONE),
    "aws logs filter-log-events": json.dumps({"events": [{"message": ONE}, {"message": ONE}]}),
    "Logs Insights": "\n".join(json.dumps({"@timestamp": "t", "@message": ONE}) for _ in range(2)),
    "a byte order mark": f"\ufeff{ONE}\n{ONE}\n",
}


@pytest.mark.parametrize("form", FORMS, ids=str)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_forms(form: str, packed: bool) -> None:
    data = FORMS[form].encode()
    if packed:
        half = len(data) // 2
        data = gzip.compress(data[:half]) + gzip.compress(
            data[half:]
        )  # members, as CloudWatch Logs makes them
    found = document_of(data)
    assert found["errors"] == []
    assert found["coverage"]["records"] == 2
    assert service_of(found, "openai")["queries"] == 2


BROKEN = {
    "{": "no JSON",
    '{"query_name": ': "no JSON",
    "hello": "no JSON",
    "[1, 2]": "no object",
    "17": "no object",
    "null": "no object",
    '{"Records": []}': "--trail",
    '{"a": 1}': "no `query_name`",
    '{"messageType": "DATA_MESSAGE", "logEvents": [{}]}': "without a message",
    '{"logEvents": [{"message": "hello"}]}': "no JSON",
    '{"logEvents": [{"message": "[]"}]}': "no `query_name`",
    "[" * 100_000: "nested too deeply",
    '{"a": ' + "9" * 5000 + "}": "no JSON",
    json.dumps(record(query_name=7)): "`query_name`",
    json.dumps(record(query_name="a" * 2000)): "`query_name`",
    json.dumps(record(query_timestamp=None)): "`query_timestamp`",
    json.dumps(record(query_timestamp="yesterday")): "`query_timestamp`",
    json.dumps(record(query_timestamp="2021-13-04T17:51:55Z")): "`query_timestamp`",
    json.dumps(record(query_timestamp="2021-02-30T17:51:55Z")): "no day",
    json.dumps(record(query_timestamp=["2021-02-04T17:51:55Z"])): "`query_timestamp`",
    json.dumps(record(vpc_id=7)): "`vpc_id`",
    json.dumps(record(query_name="example.com.", vpc_id=[])): "is no text",
    json.dumps(record(query_name="example.com.", vpc_id="v" * 100)): "`vpc_id`",
    json.dumps(record(srcaddr="a" * 100)): "`srcaddr`",
    json.dumps(record(srcaddr="10.0.0.1\n")): "`srcaddr`",
    json.dumps(record(srcids=[])): "`srcids`",
    json.dumps(record(srcids={"instance": {}})): "`srcids.instance`",
    json.dumps(record(account_id="\u0661")): "`account_id`",
    json.dumps(record(account_id="\ud800")): "`account_id`",
}


@pytest.mark.parametrize("line", BROKEN, ids=lambda line: line[:60])
def test_a_broken_line_has_a_place_and_the_rest_goes_on(line: str) -> None:
    found = document_of(f"{ONE}\n{line}\n{ONE}\n".encode())
    (error,) = found["errors"]
    assert (error["file"], error["line"]) == ("log", 2)
    assert BROKEN[line] in error["message"]
    assert found["coverage"]["records"] == 2
    assert service_of(found, "openai")["queries"] == 2


def test_bytes_that_are_no_text() -> None:
    found = document_of(b"\xff\xfe\n" + lines([record()]) + b'{"query_name": "\xff"}\n')
    assert [e["line"] for e in found["errors"]] == [1, 3]
    assert service_of(found, "openai")["queries"] == 1


def test_a_cut_off_end_is_an_error() -> None:
    whole = gzip.compress(lines([record()] * 1000))
    for data in (lines([record()])[:-30], whole[:-40], whole[:-8] + b"12345678"):
        found = document_of(data)
        assert len(found["errors"]) == 1
    assert document_of(b"")["errors"] == []


def test_errors_are_counted_and_the_first_ones_shown() -> None:
    tally = tally_of(b"x\n" * 250 + lines([record()]))
    assert (tally.problems.count, len(tally.problems.shown), tally.problems.left_out) == (250, 100, 150)
    assert tally.records == 1


def test_a_very_long_line_is_an_error_and_not_read_into_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "BLOCK", 1 << 12)
    long = b'{"query_name": "' + b"a" * (1 << 20) + b'"}'
    found, wrong = read(b'{"a": 1}\n' + long + b'\n{"b": 2}\n', limit=1 << 14)
    assert [value for _, value in found] == [{"a": 1}, {"b": 2}]
    assert [(line, "longer than" in text) for line, text in wrong] == [(2, True)]
    assert found[-1][0] == 3


@settings(max_examples=60)
@given(
    st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=8), max_size=3), max_size=12),
    st.sampled_from(["", " ", "\n", "\r\n"]),
    st.integers(1, 40),
    st.integers(30, 200),
)
def test_blocks_and_pieces_change_nothing(
    records: list[dict[str, str]], between: str, block: int, limit: int
) -> None:
    data = between.join(json.dumps(each, ensure_ascii=False) for each in records).encode()
    longest = max((len(json.dumps(each, ensure_ascii=False).encode()) for each in records), default=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "BLOCK", block)
        found, wrong = read(data, max(limit, longest + 40))
    assert [value for _, value in found] == records
    assert wrong == []


def test_a_bomb_is_not_unpacked_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FREE", 1 << 20)
    bomb = gzip.compress(b"\n" * (64 << 20))
    tracemalloc.start()
    try:
        found = document_of(bomb)
        assert tracemalloc.get_traced_memory()[1] < 48 << 20
    finally:
        tracemalloc.stop()
    assert "unpacks to more than" in found["errors"][0]["message"]
    assert found["errors"][0]["line"] is None


def test_an_honest_log_is_no_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "FREE", 1 << 10)
    data = lines(record(srcport=str(n), srcaddr=f"10.0.{n % 256}.{n % 251}") for n in range(5000))
    packed = zlib.compress(data)
    assert len(data) / len(packed) < reading.RATIO / 4
    assert document_of(gzip.compress(data))["errors"] == []


def test_a_file_of_broken_lines_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policyengine.shadow_ai.problems.MAX_BROKEN", 20)
    found = document_of(b"x\n{}\n" * 50 + lines([record()]))
    assert len(found["errors"]) == 21
    assert "more than 20 broken lines" in found["errors"][-1]["message"]
    assert found["services"] == []


def test_what_follows_a_long_line_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the line ends where a block does, or beyond it."""
    monkeypatch.setattr(reading, "BLOCK", 64)
    for length in range(960, 1100):
        found, wrong = read(b"[" + b"1," * (length // 2) + b"\n\n" + b'{"b": 2}\n', limit=512)
        assert [value for _, value in found] == [{"b": 2}], length
        assert len(wrong) == 1
