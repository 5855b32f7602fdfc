"""Whether a gain holds whatever the unknown values are: a parameter in place of a literal may be that literal.

What stands for an unknown is a text that nothing else has, so that ``!Ref Partner`` in place of an account id looks
like access for another account. Where an unknown text of one side can be a known one of the other, the question is
asked once more with that value; a gain that is then none is not certain.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice, product
from typing import Final

from policyengine.iam.documents import Condition, Statement
from policyengine.iam.made_up import REGION
from policyengine.model.account_id import is_account_id
from policyengine.review.access_lines import Line

Values = Mapping[str, str]
"""A text that stands for an unknown → the value it may have."""

MOST: Final = 16
"""Values that are tried one by one."""
_MOST_PAIRS: Final = 2_000
_CODE: Final = re.compile(r"[a-z0-9-]+")
_Text = tuple[str, str]
"""(the element it stands in, the text)"""


def guesses(old: Sequence[Line], new: Sequence[Line], free: Mapping[str, str]) -> list[Values]:
    """Return values that would make removed and added texts the same: all together first, then one by one."""
    if not free:
        return []
    removed, added = set(_texts(old)), set(_texts(new))
    found: dict[str, dict[str, None]] = {}
    pairs = product(sorted(removed - added), sorted(added - removed))
    for (where, before), (other, after) in islice(pairs, _MOST_PAIRS):
        if where == other:
            for token, value in _unified(before, after, free):
                found.setdefault(token, {})[value] = None
    if not found:
        return []
    first = {token: next(iter(values)) for token, values in found.items()}
    single: list[Values] = [{token: value} for token, values in found.items() for value in values]
    return [first, *(guess for guess in single if guess != first)][:MOST]


def _texts(lines: Sequence[Line]) -> Iterator[_Text]:
    for line in lines:
        s = line.statement
        yield from (("resource", text) for text in s.resources or ())
        yield from (("principal", name) for names in (s.principals or {}).values() for name in names)
        yield from ((c.key.lower(), value) for c in s.conditions for value in c.values)


def _unified(before: str, after: str, free: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield what unknown parts of one text have to be for it to be the other."""
    for text, other in ((before, after), (after, before)):
        token = next((t for t in sorted(free, key=len, reverse=True) if text == t), None)
        if token is not None:
            yield from _value(token, other)
            continue
        mine, theirs = text.split(":", 5), other.split(":", 5)
        if len(mine) != len(theirs):
            mine, theirs = [text], [other]
        found = [_part(a, b, free) for a, b in zip(mine, theirs, strict=True)]
        if all(part is not None for part in found):
            yield from (pair for part in found for pair in part or ())


def _part(text: str, other: str, free: Mapping[str, str]) -> list[tuple[str, str]] | None:
    if text == other:
        return []
    token = max((t for t in free if t in text), key=len, default=None)
    if token is None:
        return None
    head, _, tail = text.partition(token)
    if len(other) <= len(head) + len(tail) or not (other.startswith(head) and other.endswith(tail)):
        return None
    return list(_value(token, other[len(head) : len(other) - len(tail)])) or None


def _value(token: str, value: str) -> Iterator[tuple[str, str]]:
    if (is_account_id(token) and not is_account_id(value)) or (
        token == REGION and not _CODE.fullmatch(value)
    ):
        return
    yield token, value


def supposing(lines: Sequence[Line], values: Values) -> list[Line]:
    """Return statements with values in place of what stands for them."""
    texts = sorted(values, key=len, reverse=True)
    return [
        line._replace(statement=_with(line.statement, lambda text: _put(text, texts, values)))
        for line in lines
    ]


def _put(text: str, tokens: Sequence[str], values: Values) -> str:
    for token in tokens:
        if token in text:
            text = text.replace(token, values[token])
    return text


def _with(s: Statement, put: Callable[[str], str]) -> Statement:
    principals = s.principals
    if principals is not None:
        principals = {kind: tuple(map(put, names)) for kind, names in principals.items()}
        if any("*" in names for names in principals.values()):
            principals = {"*": ("*",)}
    return replace(
        s,
        resources=None if s.resources is None else tuple(map(put, s.resources)),
        principals=principals,
        conditions=tuple(Condition(c.operator, c.key, tuple(map(put, c.values))) for c in s.conditions),
        compiled=[],
    )
