"""Test cases of a rule as examples that can be read: what each has that the one beside it has not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

_ORDER: Final = {"PASS": 0, "FAIL": 1, "UNKNOWN": 2, "NOT_APPLICABLE": 3}
_SHOWN: Final = 3
_LINES: Final = 4
_WIDTH: Final = 160
_BESIDE: Final = ("tags", "unknown", "related")
_DEPTH: Final = 12
_NAMED: Final = {
    "Principal": "to",
    "NotPrincipal": "to all but",
    "Resource": "on",
    "NotResource": "on all but",
}
Case = Mapping[str, Any]
Parts = dict[str, dict[str, Any]]
"""Resource → property → value; the case's own settings under an empty name."""


def examples_of(cases: Any) -> list[tuple[Case, str]]:
    """Return a case for each of the first three verdicts, with what tells it from another one, as text."""
    known = [
        c
        for c in (cases if isinstance(cases, list) else ())
        if isinstance(c, dict) and isinstance(c.get("case"), str) and str(c.get("expect")) in _ORDER
    ]
    firsts = {c["expect"]: c for c in reversed(known)}
    shown = [firsts[verdict] for verdict in _ORDER if verdict in firsts][:_SHOWN]
    found: list[tuple[Case, str]] = []
    for case in shown:
        other = next((other for other in shown if other is not case), {})
        lines = list(_told(_parts(case), _parts(other)))
        more = len(lines) - _LINES
        found.append((case, "\n".join(lines if more <= 0 else [*lines[:_LINES], f"and {more} more"])))
    return found


def _told(own: Parts, other: Parts) -> Iterator[str]:
    """Yield the properties that the other case has otherwise; a resource that only one has is one line."""
    for name in [*own, *(name for name in other if name not in own)]:
        if name not in own:
            yield f"without {name}"
        elif name and name not in other:
            policies = [_text(value) for value in own[name].values() if _has_statements(value)]
            yield f"with {name}: {' | '.join(policies)}" if policies else f"with {name}"
        else:
            yield from _differing(name, own[name], other.get(name, {}))


def _differing(name: str, own: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    head = f"{name} " if name else ""
    for key, value in own.items():
        if key not in other or other[key] != value:
            yield f"{head}{key}: {_cut(_text(value))}"
    for key in other:
        if key not in own:
            yield f"{head}has no {key}" if head else f"no {key}"


def _parts(case: Case) -> Parts:
    settings = {key: case[key] for key in (*_BESIDE, "parameters") if case.get(key)}
    one, listed = case.get("resource"), case.get("resources")
    found: Parts = {"": {**(one if isinstance(one, dict) else {}), **settings}}
    for resource in listed if isinstance(listed, list) else ():
        if isinstance(resource, dict):
            properties = resource.get("properties")
            own = dict(properties) if isinstance(properties, dict) else {}
            own.update({key: resource[key] for key in _BESIDE if resource.get(key)})
            found[f"{str(resource.get('type', '')).removeprefix('AWS::')} {resource.get('id', '')}"] = own
    return found


def _has_statements(value: Any, depth: int = 0) -> bool:
    if depth > _DEPTH or not isinstance(value, dict | list):
        return False
    if isinstance(value, dict) and "Statement" in value:
        return True
    items = value.values() if isinstance(value, dict) else value
    return any(_has_statements(item, depth + 1) for item in items)


def _text(value: Any, depth: int = 0) -> str:
    """Return a value as short as a reader can take it: policies as sentences, the rest as YAML would have it."""
    if depth > _DEPTH:
        return "…"
    if isinstance(value, dict):
        if "Statement" in value:
            listed = value["Statement"]
            return "; ".join(_statement(s, depth) for s in (listed if isinstance(listed, list) else [listed]))
        if "PolicyDocument" in value:
            return _text(value["PolicyDocument"], depth + 1)
        return f"{{{', '.join(f'{key}: {_text(item, depth + 1)}' for key, item in value.items())}}}"
    if isinstance(value, list):
        shown = [_text(item, depth + 1) for item in value]
        return shown[0] if len(value) == 1 and _has_statements(value) else f"[{', '.join(shown)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _statement(statement: Any, depth: int) -> str:
    """Return ``Allow s3:GetObject to * on arn:… if {…}``."""
    if not isinstance(statement, dict):
        return _text(statement, depth + 1)
    actions = f"all but {_patterns(statement['NotAction'], depth)}" if "NotAction" in statement else ""
    words = [str(statement.get("Effect", "")), actions or _patterns(statement.get("Action", ""), depth)]
    words += [
        f"{word} {_patterns(statement[key], depth)}" for key, word in _NAMED.items() if key in statement
    ]
    if "Condition" in statement:
        words.append(f"if {_text(statement['Condition'], depth + 1)[1:-1]}")
    return " ".join(words)


def _patterns(value: Any, depth: int) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item, depth + 1) for item in value)
    if isinstance(value, dict) and len(value) == 1 and depth <= _DEPTH:
        return _patterns(next(iter(value.values())), depth + 1)
    return _text(value, depth + 1)


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else f"{text[: _WIDTH - 2]} …"
