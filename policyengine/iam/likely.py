"""Requests that statements themselves suggest: tried before all others are searched for.

Statements that cannot hold for any resource of a pattern with the keys that are given are left out; from
each of the others comes the request it describes. Where no statement is left the answer is no.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from policyengine.iam.catalogue import catalogue
from policyengine.iam.conditions import Holds, compile_condition, read_operator
from policyengine.iam.documents import Policy, Statement
from policyengine.iam.glob import compile_glob
from policyengine.iam.request import Request
from policyengine.iam.shapes import shapes
from policyengine.iam.ways import action_bits

MAX_TRIED: Final = 64
PER_STATEMENT: Final = 200
MAX_COMPARED: Final = 50_000
"""Largest product of the lengths of two patterns that are compared."""
_ASKER: Final = "arn:aws:iam::123456789012:role/x"


class Likely(NamedTuple):
    """A resource, and keys by their names as written."""

    resource: str
    context: Mapping[str, str]


def statements(
    policies: Sequence[Policy],
    action: str,
    pattern: str,
    wanted: Mapping[str, str | None],
    partition: str = "aws",
) -> list[Statement]:
    """Return the Allow statements that may allow an action on a resource of a pattern, given some keys."""
    bit = catalogue().index(action)
    shown = Request(_ASKER, "x:x", "*", {k: v for k, v in wanted.items() if v is not None})
    found = []
    targets = _targets(action, partition) if pattern == "*" else (pattern,)
    for policy in policies:
        for statement, bits in _with_bits(policy):
            named = statement.allow and (bit is None or bits >> bit & 1)
            if named and _meets(statement, targets) and _agrees(statement, wanted, shown):
                found.append(statement)
    return found


def denies(policies: Sequence[Policy], action: str) -> list[Statement]:
    """Return the Deny statements about an action."""
    bit = catalogue().index(action) or 0
    return [s for p in policies for s, bits in _with_bits(p) if not s.allow and bits >> bit & 1]


def weight(found: Sequence[Statement]) -> int:
    """Return how much there is to look at in statements: their characters, and some for each."""
    return sum(PER_STATEMENT + sum(len(text) for text in s.resources or ()) for s in found)


def requests(
    found: Sequence[Statement], action: str, pattern: str, likely: str | None, account: str
) -> Iterator[Likely]:
    """Yield what the statements suggest, of a pattern of resources; ``likely`` is one of them."""
    tried = 0
    wanted = compile_glob(pattern)
    for statement in found:
        context = _context(statement, action)
        named = [likely] if likely else []
        if statement.resources is not None and not statement.not_resource:
            matched = [likely for r in statement.resources if likely and compile_glob(r)(likely)]
            open_ = [_filled(r, account) for r in statement.resources if r != "*"]
            named = [*matched[:1], *(r.replace("*", tail) for tail in ("any", "any/any") for r in open_)]
        for resource in named:
            if wanted(resource) and tried < MAX_TRIED and takes(action, resource):
                tried += 1
                yield Likely(resource, context)


@lru_cache(maxsize=65_536)
def takes(action: str, resource: str) -> bool:
    """Say whether an action can be about a resource."""
    bit = catalogue().index(action)
    return bit is None or bool(shapes().about(1 << bit, resource, "aws"))


@lru_cache(maxsize=4096)
def _with_bits(policy: Policy) -> tuple[tuple[Statement, int], ...]:
    return tuple((s, action_bits(s, catalogue())) for s in policy.statements)


def _filled(pattern: str, account: str) -> str:
    """Return a pattern with the parts of an ARN filled that are open; stars may be left behind them."""
    parts = [part.replace("?", "x") for part in pattern.split(":", 5)]
    if len(parts) == 6:
        for at, text in ((1, "aws"), (3, "us-east-1"), (4, account)):
            parts[at] = text if parts[at] == "*" else parts[at]
    return ":".join(parts)


@lru_cache(maxsize=4096)
def _targets(action: str, partition: str) -> tuple[str, ...]:
    """Return patterns of all that an action can be about; ``?`` matches the ``*`` of a request."""
    found = catalogue().arn_templates(action)
    if found is None:
        return ("*",)
    return (*(_open(arn.replace("${Partition}", partition)) for arn in found), "?")


def _meets(statement: Statement, targets: Sequence[str]) -> bool:
    if statement.resources is None or statement.not_resource:
        return True
    named = [_open(r) if statement.variables else r for r in statement.resources]
    return any(overlap(target, r) for r in named for target in targets)


def _open(text: str) -> str:
    """Return a pattern with stars in place of policy variables."""
    if "${" not in text:
        return text
    head, *rest = text.split("${")
    return head + "".join("*" + part.partition("}")[2] for part in rest)


@lru_cache(maxsize=65_536)
def overlap(one: str, other: str) -> bool:
    """Say whether a text matches both patterns; ``*`` any run of characters, ``?`` one.

    Of patterns too long to be compared: True, they may.
    """
    if one == "*" or other == "*" or len(one) * len(other) > MAX_COMPARED:
        return True
    for mine, others in zip(one, other, strict=False):
        if mine in "*?" or others in "*?":
            break
        if mine != others:
            return False
    # row[j]: the part of `one` read so far and other[:j] match a common text
    row = _closed([True] + [False] * len(other), other)
    for character in one:
        following = [False] * (len(other) + 1)
        for at, reached in enumerate(row):
            if not reached:
                continue
            if character == "*":
                following[at:] = [True] * (len(other) + 1 - at)
                break
            if at < len(other):
                if other[at] == "*":
                    following[at] = True
                elif other[at] == character or "?" in (other[at], character):
                    following[at + 1] = True
        row = _closed(following, other)
    return row[-1]


def _closed(row: list[bool], other: str) -> list[bool]:
    for at, character in enumerate(other):
        if row[at] and character == "*":
            row[at + 1] = True
    return row


@lru_cache(maxsize=16_384)
def _conditions(statement: Statement) -> tuple[tuple[str, Holds], ...]:
    return tuple((c.key.lower(), compile_condition(c, statement.variables)) for c in statement.conditions)


def _agrees(statement: Statement, wanted: Mapping[str, str | None], shown: Request) -> bool:
    """Say whether no condition on a key that is given is false."""
    return all(key not in wanted or holds(shown) is not False for key, holds in _conditions(statement))


def _context(statement: Statement, action: str) -> dict[str, str]:
    """Return keys AWS documents for the action with values that meet the conditions."""
    found: dict[str, str] = {}
    for condition in statement.conditions:
        if catalogue().may_carry(action, condition.key) is False:
            continue
        operator = read_operator(condition.operator)
        if operator is not None and operator.base == "Null" and condition.values == ("false",):
            found.setdefault(condition.key, "example")
        elif operator is not None and "Not" not in operator.base and operator.base != "Null":
            value = condition.values[0] if condition.values else ""
            if "${" not in value:
                found[condition.key] = value.replace("*", "any") if operator.base[0] in "SA" else value
    return found
