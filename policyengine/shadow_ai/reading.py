"""Bytes of a log to JSON values, in bounded memory, with the line of each: plain or gzip, one a line or one after another.

CloudWatch Logs exports have a time before the message of each line
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/S3Export.html); Firehose puts records one after another without
a line end unless it is told to
(https://docs.aws.amazon.com/firehose/latest/dev/create-destination.html, "New line delimiter").
"""

from __future__ import annotations

import gzip
import io
import json
import re
import zlib
from collections.abc import Generator, Iterator
from typing import Any, BinaryIO, Final

from policyengine.model.errors import InputError
from policyengine.model.location import Location
from policyengine.shadow_ai.problems import GiveUpError, Wrong

BLOCK: Final = 1 << 20
MAX_VALUE: Final = 4 << 20
"""Bytes of one line or one value; a record of a query log has one or two thousand."""
MAX_TRAIL: Final = 64 << 20
"""Bytes of a file of CloudTrail, which is one value."""
FREE: Final = 256 << 20
RATIO: Final = 200
"""What a gzip file unpacks to: anything up to ``FREE`` bytes, beyond that at most ``RATIO`` times its own size. Logs
unpack to some twenty times."""
_STAMP: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,20}Z? ")
_scan: Final = json.JSONDecoder().scan_once  # type: ignore[attr-defined]  # what raw_decode calls, in all Pythons
"""The decoder without looking for where a text begins and ends, which takes as long again on lines this short."""
_SPACE: Final = " \t\r\n\x1e"


class _Counting(io.RawIOBase):
    """Counts the packed bytes that were read."""

    def __init__(self, start: bytes, stream: BinaryIO) -> None:
        self._start, self._stream, self.count = start, stream, 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if self._start:
            data, self._start = self._start[:size], self._start[size:]
        else:
            data = self._stream.read(size)
        self.count += len(data)
        return data


def blocks(stream: BinaryIO) -> Iterator[bytes]:
    """Yield the bytes of a stream, unpacked where it is gzip (of several members too).

    Raises OSError, EOFError and zlib.error as the libraries do, and GiveUpError.
    """
    start = stream.read(4)
    if start[:2] != b"\x1f\x8b":
        if start:
            yield start
        while data := stream.read(BLOCK):
            yield data
        return
    packed = _Counting(start, stream)
    total = 0
    with gzip.GzipFile(fileobj=packed, mode="rb") as unpacked:
        while data := unpacked.read(BLOCK):
            total += len(data)
            if total > FREE and total > packed.count * RATIO:
                raise GiveUpError(f"unpacks to more than {RATIO} times its size")
            yield data


def lines(stream: BinaryIO, limit: int = MAX_VALUE) -> Iterator[tuple[int, list[str], bool]]:
    """Yield (number of the first line, lines without their ends, whether the last one goes on).

    Text that is no UTF-8 holds half surrogates. A line that goes on is given in pieces of at most ``limit`` bytes
    and one block.
    """
    number, rest, first = 1, b"", True
    for data in blocks(stream):
        if first:
            data, first = data.removeprefix(b"\xef\xbb\xbf"), False
        end = data.rfind(b"\n")
        if end < 0:
            rest += data
            if len(rest) > limit:
                cut = rest.rfind(b"}") + 1 or len(rest)  # never inside a letter of several bytes
                yield number, [rest[:cut].decode("utf-8", "surrogateescape")], True
                rest = rest[cut:]
            continue
        whole = (rest + data[:end]).decode("utf-8", "surrogateescape").split("\n")
        rest = data[end + 1 :]
        yield number, whole, False
        number += len(whole)
    if rest:
        yield number, [rest.decode("utf-8", "surrogateescape")], False


def values(stream: BinaryIO, wrong: Wrong, limit: int = MAX_VALUE) -> Iterator[tuple[int, Any]]:
    """Yield (line, value) for every JSON value of a stream; tells ``wrong`` of what is none, and goes on after it."""
    number, carry, skipping = 1, "", False
    for number, batch, goes_on in lines(stream, limit):
        for offset, line in enumerate(batch):
            if not (line or carry or skipping):
                continue
            if skipping:
                skipping = goes_on
                continue
            if not (carry or goes_on):
                try:
                    value, end = _scan(line, 0)
                    if end == len(line):
                        yield number + offset, value
                        continue
                except (StopIteration, ValueError, RecursionError):
                    pass  # said below, with what is wrong
            text, carry = carry + line, ""
            rest = yield from _several(number + offset, text, wrong, goes_on)
            if goes_on and len(rest) > limit:
                wrong(number + offset, f"is longer than {limit >> 20} MiB without the end of a record")
                skipping, rest = True, ""
            carry = rest if goes_on else ""
    if carry:
        wrong(number, "the file ends before its JSON does; is it truncated?")


def _several(number: int, text: str, wrong: Wrong, goes_on: bool) -> Generator[tuple[int, Any], None, str]:
    """Yield the values of a text, one after another; returns what may be the start of one that goes on."""
    stamp = _STAMP.match(text)
    at = stamp.end() if stamp else 0
    while True:
        while at < len(text) and text[at] in _SPACE:
            at += 1
        if at == len(text):
            return ""
        try:
            value, end = _scan(text, at)
        except StopIteration:
            error: str = f"no JSON at character {at + 1}"
        except RecursionError:
            error = "is nested too deeply"
        except ValueError as problem:
            message = getattr(problem, "msg", str(problem))
            error = f"no JSON: {message[:1].lower()}{message[1:120]}"
        else:
            yield number, value
            at = end
            continue
        if goes_on:
            return text[at:]
        wrong(number, error)
        return ""


def read_problem(problem: BaseException, name: str) -> InputError:
    """Return what a file that cannot be read to its end is called in reports."""
    if isinstance(problem, GiveUpError):
        return InputError(f"{problem}; it is read no further", Location(name), code="too_large")
    if isinstance(problem, EOFError | zlib.error | gzip.BadGzipFile):
        return InputError("the gzip data is damaged or cut off", Location(name), code="unreadable")
    reason = (getattr(problem, "strerror", None) or str(problem) or type(problem).__name__).lower()
    return InputError(f"cannot be read to its end: {reason}", Location(name), code="unreadable")


READ_ERRORS: Final = (OSError, EOFError, zlib.error, GiveUpError)
