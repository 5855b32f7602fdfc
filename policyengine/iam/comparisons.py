"""The base operators: how one value of a request compares with the values a policy lists.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

from policyengine.iam.glob import Matcher, compile_glob, compile_pieces
from policyengine.iam.opaque import Answer, Opaque, any_of
from policyengine.iam.variables import Piece

Test = Callable[[str], Answer]
"""Whether one value of the request matches any value of the policy."""

_NUMBER: Final = re.compile(
    r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,3})?\Z"
)
_DATE: Final = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2}))?)?)?\Z"
)
_ARN_PARTS: Final = 6
Pieces = Sequence[Piece]


def string_equals(values: Sequence[str]) -> Test:
    """Exact, case sensitive."""
    if len(values) == 1:
        return values[0].__eq__
    return frozenset(values).__contains__


def string_equals_ignore_case(values: Sequence[str]) -> Test:
    """Exact, ignoring case."""
    lowered = frozenset(v.lower() for v in values)
    return lambda value: value.lower() in lowered


def string_like(values: Sequence[str]) -> Test:
    """With wildcards anywhere, case sensitive; they cross colons and slashes."""
    return _any_matcher([compile_glob(v) for v in values])


def arn_like(values: Sequence[str]) -> Test:
    """Six parts between colons, each compared by itself (`ArnEquals` and `ArnLike` are the same)."""
    tests = [_arn(v) for v in values]
    return tests[0] if len(tests) == 1 else lambda value: any_of(t(value) for t in tests)


def boolean(values: Sequence[str]) -> Test:
    """``true`` and ``false`` in any case; anything else cannot be compared."""
    wanted = {v.lower() for v in values}
    odd = wanted - {"true", "false"}

    def test(value: str) -> Answer:
        found = value.lower()
        if found in wanted and found not in odd:
            return True
        if odd or found not in ("true", "false"):
            return Opaque("not a Boolean")
        return False

    return test


def binary(values: Sequence[str]) -> Test:
    """Bytes; policy and request both hold them in base 64."""
    return _ordered(values, _bytes, operator.eq, "not base 64")


def numeric(compare: Callable[[Any, Any], bool]) -> Callable[[Sequence[str]], Test]:
    """Return the builder of a numeric operator."""
    return lambda values: _ordered(values, number, compare, "not a number")


def date(compare: Callable[[Any, Any], bool]) -> Callable[[Sequence[str]], Test]:
    """Return the builder of a date operator: ISO 8601 as W3C profiles it, or seconds since 1970."""
    return lambda values: _ordered(values, moment, compare, "not a date")


def ip_address(values: Sequence[str]) -> Test:
    """Addresses in blocks of either family; a block of the other family never holds an address."""
    blocks = [address_block(v) for v in values]

    def test(value: str) -> Answer:
        address = address_block(value)
        if address is None:
            return Opaque("not an address")
        version, low, high = address
        for block in blocks:
            if block is not None and block[0] == version and block[1] <= low and high <= block[2]:
                return True
        return Opaque("not an address block") if None in blocks else False

    return test


def filled_like(pieces: Sequence[Pieces]) -> Test:
    """``string_like`` for texts whose variables were filled in."""
    return _any_matcher([compile_pieces(p) for p in pieces])


def filled_arn_like(pieces: Sequence[Pieces]) -> Test:
    """``arn_like`` for texts whose variables were filled in."""
    tests = [_arn_test(_split(p)) for p in pieces]
    return lambda value: any_of(t(value) for t in tests)


def _any_matcher(matchers: list[Matcher]) -> Test:
    if len(matchers) == 1:
        return matchers[0]

    return lambda value: any(matches(value) for matches in matchers)


@lru_cache(maxsize=4096)
def _arn(pattern: str) -> Test:
    return _arn_test([[(part, False)] for part in pattern.split(":", _ARN_PARTS - 1)])


def _split(pieces: Pieces) -> list[list[Piece]]:
    """Cut pieces at the first five colons."""
    parts: list[list[Piece]] = [[]]
    for text, literal in pieces:
        cut = text.split(":", _ARN_PARTS - len(parts)) if len(parts) < _ARN_PARTS else [text]
        parts[-1].append((cut[0], literal))
        parts.extend([(rest, literal)] for rest in cut[1:])
    return parts


def _arn_test(parts: list[list[Piece]]) -> Test:
    if (
        len(parts) == 1
        and parts[0]
        and all(not text.strip("*") and not literal for text, literal in parts[0])
    ):
        no_arn = Opaque("an ARN operator on a value that is no ARN")
        return lambda value: True if value.startswith("arn:") and value.count(":") > 4 else no_arn
    if len(parts) != _ARN_PARTS:
        # "each of the six components is checked separately" says nothing of a pattern without six
        wild = any("*" in text and not literal for part in parts for text, literal in part)
        undecided = Opaque("an ARN operator with a pattern that is no ARN")
        return (lambda value: undecided) if wild else (lambda value: False)
    matchers = [compile_pieces(part) for part in parts]

    def test(value: str) -> Answer:
        found = value.split(":", _ARN_PARTS - 1)
        return len(found) == _ARN_PARTS and all(m(f) for m, f in zip(matchers, found, strict=True))

    return test


def _ordered(
    values: Sequence[str], read: Callable[[str], Any], compare: Callable[[Any, Any], bool], bad: str
) -> Test:
    read_values = [read(v) for v in values]
    limits = [v for v in read_values if v is not None]
    otherwise: Answer = Opaque(bad) if len(limits) < len(values) else False

    def test(value: str) -> Answer:
        found = read(value)
        if found is None:
            return Opaque(bad)
        for limit in limits:
            if compare(found, limit):
                return True
        return otherwise

    return test


@lru_cache(maxsize=4096)
def number(text: str) -> Decimal | None:
    """Return the number a text stands for, None where it is none."""
    try:
        return Decimal(text) if _NUMBER.match(text.strip()) else None
    except InvalidOperation:
        return None


@lru_cache(maxsize=4096)
def moment(text: str) -> Decimal | None:
    """Return seconds since 1970; four digits are a year, other bare numbers are seconds already."""
    match = _DATE.match(text)
    if match is None:
        return number(text)
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        clock = int(hour or 0), int(minute or 0), int(second or 0)
        at = datetime(int(year), int(month or 1), int(day or 1), *clock, tzinfo=UTC)
    except ValueError:
        return None
    seconds = Decimal(int((at - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()))
    if zone and zone != "Z":
        offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
        seconds -= Decimal(int(offset.total_seconds())) * (1 if zone[0] == "+" else -1)
    return seconds + Decimal(fraction or 0)


@lru_cache(maxsize=4096)
def _bytes(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None


@lru_cache(maxsize=4096)
def address_block(text: str) -> tuple[int, int, int] | None:
    """Return (version, first, last address); without a prefix a block is one address."""
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
    return network.version, int(network.network_address), int(network.broadcast_address)


OPERATORS: Final[dict[str, tuple[Callable[[Sequence[str]], Test], bool]]] = {
    "StringEquals": (string_equals, False),
    "StringNotEquals": (string_equals, True),
    "StringEqualsIgnoreCase": (string_equals_ignore_case, False),
    "StringNotEqualsIgnoreCase": (string_equals_ignore_case, True),
    "StringLike": (string_like, False),
    "StringNotLike": (string_like, True),
    "NumericEquals": (numeric(operator.eq), False),
    "NumericNotEquals": (numeric(operator.eq), True),
    "NumericLessThan": (numeric(operator.lt), False),
    "NumericLessThanEquals": (numeric(operator.le), False),
    "NumericGreaterThan": (numeric(operator.gt), False),
    "NumericGreaterThanEquals": (numeric(operator.ge), False),
    "DateEquals": (date(operator.eq), False),
    "DateNotEquals": (date(operator.eq), True),
    "DateLessThan": (date(operator.lt), False),
    "DateLessThanEquals": (date(operator.le), False),
    "DateGreaterThan": (date(operator.gt), False),
    "DateGreaterThanEquals": (date(operator.ge), False),
    "Bool": (boolean, False),
    "BinaryEquals": (binary, False),
    "IpAddress": (ip_address, False),
    "NotIpAddress": (ip_address, True),
    "ArnEquals": (arn_like, False),
    "ArnLike": (arn_like, False),
    "ArnNotEquals": (arn_like, True),
    "ArnNotLike": (arn_like, True),
}
"""Name → (how to build its test, whether it is negated): the whole table of the page but `Null`."""
