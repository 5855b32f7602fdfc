"""Findings as JSON and back: what a rule said of a resource, without what the rule or the resource says itself."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.finding import Evidence, Finding, Witness
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved

_MARK: Final = "!"
"""The key of what is no plain JSON value."""
_PLAIN: Final = frozenset({str, bool, int, float, type(None)})

Told = list[Any]
"""Verdict, reason, message, evidence, witness, cause: as :func:`told_of` writes them."""


class UntoldError(Exception):
    """A finding holds something that cannot be written down exactly."""


def told_of(finding: Finding) -> Told:
    """Return a finding as JSON; raises UntoldError where it could not be read back the same."""
    if finding.branch is not None or finding.location is not None or finding.waiver is not None:
        raise UntoldError(finding.rule)
    witness = finding.witness
    return [
        finding.reason,
        finding.message,
        [[_path(e.path), _written(e.observed), e.expected, e.reason, e.provenance] for e in finding.evidence],
        None if witness is None else [*witness[:3], _written(dict(witness.context))],
        finding.cause,
    ]


def evidence_of(told: Told) -> tuple[Evidence, ...]:
    """Return the evidence of what was told; raises ValueError, TypeError or LookupError for what nobody wrote."""
    return tuple(
        Evidence(tuple(path), _read(observed), expected, reason, provenance)
        for path, observed, expected, reason, provenance in told[2]
    )


def witness_of(told: Told) -> Witness | None:
    """Return the request of what was told; raises as :func:`evidence_of`."""
    if told[3] is None:
        return None
    principal, action, resource, context = told[3]
    return Witness(principal, action, resource, _read(context))


def _path(path: Any) -> list[Any]:
    if any(step.__class__ is not str and step.__class__ is not int for step in path):
        raise UntoldError("path")
    return list(path)


def _written(value: Any) -> Any:
    kind = value.__class__
    if kind in _PLAIN:
        return value
    if kind is list:
        return [_written(item) for item in value]
    if kind is dict:
        if any(key.__class__ is not str for key in value):
            raise UntoldError("key")
        found = {key: _written(item) for key, item in value.items()}
        return {_MARK: "d", "v": found} if _MARK in found else found
    if kind is tuple:
        return {_MARK: "t", "v": [_written(item) for item in value]}
    if value is ABSENT:
        return {_MARK: "a"}
    if kind is Unresolved:
        return {_MARK: "u", "v": _unresolved(value)}
    if kind is OpenList:
        return {_MARK: "l", "v": [_written(item) for item in value], "more": _unresolved(value.more)}
    if kind is OpenDict:
        return {_MARK: "o", "v": _written(dict(value)), "more": _unresolved(value.more)}
    raise UntoldError(kind.__name__)


def _unresolved(value: Unresolved) -> list[Any]:
    parts = None if value.parts is None else list(value.parts)
    target = None if value.target is None else list(value.target)
    return [
        value.reason, value.detail, value.present, target, parts, [_unresolved(gap) for gap in value.gaps]
    ]  # fmt: skip


def _read(value: Any) -> Any:
    kind = value.__class__
    if kind in _PLAIN:
        return value
    if kind is list:
        return [_read(item) for item in value]
    mark = value.get(_MARK)
    if mark is None:
        return {key: _read(item) for key, item in value.items()}
    if mark == "a":
        return ABSENT
    inner = value["v"]
    if mark == "u":
        return _known_unresolved(inner)
    if mark == "d":
        return {key: _read(item) for key, item in inner.items()}
    if mark == "t":
        return tuple(_read(item) for item in inner)
    if mark == "l":
        return OpenList([_read(item) for item in inner], _known_unresolved(value["more"]))
    if mark == "o":
        return OpenDict(_read(inner), _known_unresolved(value["more"]))
    raise ValueError(f"no mark `{mark}`")


def _known_unresolved(value: Any) -> Unresolved:
    reason, detail, present, target, parts, gaps = value
    return Unresolved(
        reason,
        detail,
        present=present,
        target=None if target is None else (target[0], target[1]),
        parts=None if parts is None else tuple(parts),
        gaps=tuple(_known_unresolved(gap) for gap in gaps),
    )
