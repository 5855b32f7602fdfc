"""Test cases of a converted rule: resources made of what it compares, and the verdict the other tool's meaning gives.

The expectation is computed by :func:`~policyengine.migrate.expressions.holds`, never by asking the converted rule.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from datetime import timedelta
from itertools import islice, product
from typing import Any, Final, NamedTuple

from policyengine.catalog import registry
from policyengine.migrate.drafts import Draft, NotConverted, sentence
from policyengine.migrate.expressions import AS_OF, Opens, Test, holds, leaves
from policyengine.rules.patterns import compile_pattern

MISSING: Final = object()
MOST_CASES: Final = 14
_MOST_TRIED: Final = 20_000
Path = tuple[str, ...]
"""Steps into the properties; ``[]`` is an element of a list, ``("tags", KEY)`` a tag."""
_TAG: Final = "\0tags"
Assignment = Mapping[Path, Any]


class Sample(NamedTuple):
    """One case: properties, tags, and the verdict the other tool's meaning gives; ```missing`` are paths without a value,
    ``unknown`` points at what nobody could read."""

    name: str
    properties: dict[str, Any]
    tags: dict[str, Any]
    expect: str
    missing: Sequence[Path] = ()
    unknown: str = ""


def samples(draft: Draft) -> list[Sample]:
    """Return cases: what passes, what each value changes, what is missing, what is not resolved.

    Raises NotConverted where no resource passes, or none fails: such a rule says nothing, or was not understood.
    """
    values = _candidates(draft)
    found: dict[str, Assignment] = {}
    for assignment, verdict in _judged(draft, values):
        found.setdefault(verdict, assignment)
    for verdict in ("PASS", "FAIL"):
        if verdict not in found:
            raise NotConverted(
                "the rule as a whole", f"no value of what it compares makes it {verdict}", draft.line
            )
    chosen: list[tuple[Assignment, str, str]] = [
        (found[v], v, _name(found[v])) for v in ("PASS", "FAIL", "NOT_APPLICABLE") if v in found
    ]
    for path, options in values.items():
        for value in options:
            other = _possible({**found["PASS"], path: value})
            chosen.append((other, _verdict(draft, other), _name({path: value})))
    cases = list(_distinct(chosen))[:MOST_CASES]
    unresolved = (each for v in ("PASS", "FAIL") for each in _unresolved(draft, found[v], values))
    return list(_named([*(_sample(*case) for case in cases), *islice(unresolved, 1)]))


def _named(cases: Sequence[Sample]) -> Iterator[Sample]:
    """No two cases of a rule have one name."""
    seen: Counter[str] = Counter()
    for case in cases:
        seen[case.name] += 1
        yield case if seen[case.name] == 1 else case._replace(name=f"{case.name} ({seen[case.name]})")


def _judged(draft: Draft, values: Mapping[Path, Sequence[Any]]) -> Iterator[tuple[Assignment, str]]:
    for chosen in islice(product(*values.values()), _MOST_TRIED):
        assignment = dict(zip(values, chosen, strict=True))
        if _possible(assignment) == assignment:
            yield assignment, _verdict(draft, assignment)


def _possible(assignment: Assignment) -> Assignment:
    """What lies below something that is missing is missing too."""
    gone = [path for path, value in assignment.items() if value is MISSING]
    return {
        path: MISSING
        if any(len(above) < len(path) and path[: len(above)] == above for above in gone)
        else value
        for path, value in assignment.items()
    }


def _verdict(draft: Draft, assignment: Assignment) -> str:
    properties, tags = _built(assignment)
    if draft.effective:
        _fill_defaults(draft.type, assignment, properties)
    if draft.when is not None and not holds(draft.when, properties, tags):
        return "NOT_APPLICABLE"
    return "PASS" if holds(draft.require, properties, tags) else "FAIL"


def _fill_defaults(type_: str, assignment: Assignment, properties: dict[str, Any]) -> None:
    """What the API of a resource says where nobody said anything: AWS's default, where it depends on nothing."""
    for path, value in assignment.items():
        default = registry.default(type_, path) if value is MISSING and "[]" not in path else None
        if default is not None and not default.depends:
            _put(properties, path, default.value)


def _candidates(draft: Draft) -> dict[Path, list[Any]]:
    """Return for each path values that satisfy and violate what is asked of it, and none."""
    found: dict[Path, list[Any]] = {}
    expressions = [draft.require, *([draft.when] if draft.when is not None else [])]
    for path, leaf in (each for expression in expressions for each in leaves(expression)):
        if isinstance(leaf, Opens):
            options = found.setdefault(("SecurityGroupIngress",), [])
            made = _ingress(leaf)
        else:
            options = found.setdefault((_TAG, leaf.tag) if leaf.tag is not None else path, [])
            made = _values(leaf)
        options += [
            value
            for value in made
            if not any(value is o or (type(value) is type(o) and value == o) for o in options)
        ]
    return {path: [*options, MISSING] for path, options in found.items()}


def _ingress(leaf: Opens) -> list[Any]:
    port = leaf.ports[0] if leaf.ports else 443
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    return [[{**rule, "CidrIp": "10.0.0.0/8"}], [{**rule, "CidrIp": "0.0.0.0/0"}]]


def _values(leaf: Test) -> list[Any]:
    value = leaf.value
    if leaf.op in ("older_than", "expires_within"):
        edge = AS_OF - timedelta(days=value) if leaf.op == "older_than" else AS_OF + timedelta(days=value)
        return [(edge + timedelta(days=n)).strftime("%Y-%m-%dT%H:%M:%S+00:00") for n in (30, -30)]
    if leaf.op == "equals":
        return [value, _other(value)]
    if leaf.op == "in":
        return [*value[:2], _other(value[0])]
    if leaf.op in ("at_least", "at_most"):
        return [value, value - 1 if leaf.op == "at_least" else value + 1]
    if leaf.op == "matches":
        return [*_matching(value), "\u00a7"]
    if leaf.op == "contains":
        return [[value], [_other(value)]]
    any_value: dict[str, list[Any]] = {
        "boolean": [True], "integer": [7], "number": [7], "object": [{}], "list": [[]],
    }  # fmt: skip
    return any_value.get(leaf.kind or "", ["a-value"])


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"not-{value}"


def _matching(pattern: str) -> list[str]:
    """Return a text that matches: the pattern's own letters, where those do."""
    plain = re.sub(r"^\(\?[a-z]+\)|\\(.)", lambda found: found.group(1) or "", pattern)
    tries = [
        plain,
        re.sub(r"[\^$().*+?|\[\]{}:]", "", plain),
        *re.split(r"[|()^$.*?]+", plain),
        "1",
        "a",
        "a-1",
    ]
    return next(([text] for text in tries if text and compile_pattern(pattern).fullmatch(text)), [])


def _built(assignment: Assignment) -> tuple[dict[str, Any], dict[str, Any]]:
    properties: dict[str, Any] = {}
    tags: dict[str, Any] = {}
    for path, value in assignment.items():
        if value is MISSING:
            continue
        if path[0] == _TAG:
            tags[path[1]] = value
        else:
            _put(properties, path, deepcopy(value))
    return properties, tags


def _put(at: Any, path: Path, value: Any) -> None:
    """Set a value, making the objects and the one element of each list on its way."""
    for step, following in zip(path, (*path[1:], None), strict=True):
        if step == "[]":
            if following is None:
                if not (at and value == {}):
                    at[:] = [value]
                return
            if not at or not isinstance(at[0], dict):
                at[:] = [{}]
            at = at[0]
        elif following is None:
            if not (step in at and value in ({}, [])):
                at[step] = value
        else:
            below = at.get(step)
            if not isinstance(below, dict | list) or isinstance(below, list) != (following == "[]"):
                below = at[step] = [] if following == "[]" else {}
            at = below


def _distinct(cases: Sequence[tuple[Assignment, str, str]]) -> Iterator[tuple[Assignment, str, str]]:
    seen = set()
    for assignment, verdict, name in cases:
        key = _key(assignment)
        if key not in seen:
            seen.add(key)
            yield assignment, verdict, name


def _key(assignment: Assignment) -> str:
    return repr(_built(assignment))


def _sample(assignment: Assignment, verdict: str, name: str) -> Sample:
    properties, tags = _built(assignment)
    missing = [path for path, value in assignment.items() if value is MISSING]
    return Sample(name, properties, tags, verdict, missing)


def _name(assignment: Assignment) -> str:
    said = [
        f"{_shown(path)} is {'missing' if value is MISSING else _value(value)}"
        for path, value in assignment.items()
    ]
    return sentence(", ".join(said), 150)


def _shown(path: Path) -> str:
    return f"tag {path[1]}" if path[0] == _TAG else ".".join(path).replace(".[]", "[]")


def _value(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _unresolved(draft: Draft, given: Assignment, values: Mapping[Path, Sequence[Any]]) -> Iterator[Sample]:
    """Yield one case in which what decides is not known: neither tool has a verdict for that, ours is UNKNOWN."""
    for path, options in values.items():
        verdicts = {_verdict(draft, {**given, path: value}) for value in options if value is not MISSING}
        if len(verdicts) > 1 and "[]" not in path and path[0] != _TAG:
            properties, tags = _built({**given, path: {"Ref": "Parameter"}})
            yield Sample(f"{_shown(path)} is a parameter", properties, tags, "UNKNOWN")
    for path, options in values.items():
        if len({_verdict(draft, _possible({**given, path: value})) for value in options}) > 1:
            top = path if path[0] == _TAG else path[:1]
            others = {each: value for each, value in given.items() if each[: len(top)] != top}
            properties, tags = _built(others)
            pointer = f"/Tags/{path[1]}" if path[0] == _TAG else f"/{path[0]}"
            yield Sample(f"{_shown(top)} could not be read", properties, tags, "UNKNOWN", (), pointer)
