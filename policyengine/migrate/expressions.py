"""What a rule of another tool says of one resource, with that tool's meaning of what is missing.

:func:`holds` answers as that tool would, on plain values: two-valued, because neither tool knows UNKNOWN.
:func:`check` writes the same in the rule language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

from policyengine.catalog.schema import join_path
from policyengine.rules.patterns import compile_pattern

Json = dict[str, Any]
AS_OF: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The clock of test cases that do not say another."""


@dataclass(frozen=True)
class Test:
    """One value compared. ``path`` begins at the resource's properties, or at the element of the list around it.

    ``op`` is present, equals, in, at_least, at_most, matches (the whole text), contains, filled (neither missing nor the
    empty string), or older_than, expires_within (days). ``missing`` is what the other tool makes of a value that is not there.
    ``tag`` is a tag's key in place of the path. ``kind`` is the catalog's.
    """

    path: tuple[str, ...]
    op: str
    value: Any = None
    missing: bool = False
    tag: str | None = None
    kind: str | None = None
    __test__ = False  # pytest would take the name for one of its own


@dataclass(frozen=True)
class Not:
    """The opposite."""

    inner: Expression


@dataclass(frozen=True)
class AllOf:
    """Every one of them."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one of them."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True)
class Each:
    """Elements of a list: ``some`` of them, or every one; ``empty`` is what no element (or no list) means for every."""

    path: tuple[str, ...]
    inner: Expression
    some: bool
    empty: bool = False


@dataclass(frozen=True)
class Opens:
    """Ingress of a security group from the internet to one of the ports; to any where there are none."""

    ports: tuple[int, ...]


Expression: TypeAlias = Test | Not | AllOf | AnyOf | Each | Opens


def holds(node: Expression, properties: Any, tags: Mapping[str, str]) -> bool:
    """Whether it holds of a resource, as the other tool would say."""
    if isinstance(node, Not):
        return not holds(node.inner, properties, tags)
    if isinstance(node, AllOf):
        return all(holds(part, properties, tags) for part in node.parts)
    if isinstance(node, AnyOf):
        return any(holds(part, properties, tags) for part in node.parts)
    if isinstance(node, Each):
        found = value_at(properties, node.path)
        elements = found if isinstance(found, list) else []
        answers = [holds(node.inner, element, tags) for element in elements]
        return any(answers) if node.some else (all(answers) if answers else node.empty)
    if isinstance(node, Opens):
        return any(_opens(rule, node.ports) for rule in properties.get("SecurityGroupIngress", ()))
    return _test(node, tags.get(node.tag) if node.tag is not None else value_at(properties, node.path))


def value_at(value: Any, path: tuple[str, ...]) -> Any:
    """Return what stands at a path, None where nothing does."""
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _test(node: Test, found: Any) -> bool:
    if node.op == "present":
        return found is not None
    if node.op == "filled":
        return found is not None and found != ""
    if found is None:
        return node.missing
    if node.op in ("older_than", "expires_within"):
        days = timedelta(days=node.value)
        time = datetime.fromisoformat(found)
        return time < AS_OF - days if node.op == "older_than" else time < AS_OF + days
    answers: dict[str, Any] = {
        "equals": lambda: found == node.value and isinstance(found, bool) == isinstance(node.value, bool),
        "in": lambda: found in node.value,
        "at_least": lambda: found >= node.value,
        "at_most": lambda: found <= node.value,
        "matches": lambda: compile_pattern(node.value).fullmatch(found),
        "contains": lambda: node.value in found,
    }
    return bool(answers[node.op]())


def _opens(rule: Json, ports: tuple[int, ...]) -> bool:
    if rule.get("CidrIp") != "0.0.0.0/0" and rule.get("CidrIpv6") != "::/0":
        return False
    if str(rule.get("IpProtocol")) == "-1" or not ports:
        return True
    return any(rule["FromPort"] <= port <= rule["ToPort"] for port in ports)


def leaves(node: Expression, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Test | Opens]]:
    """Yield the comparisons with their whole paths, in which ``[]`` stands for an element."""
    if isinstance(node, Not):
        yield from leaves(node.inner, above)
    elif isinstance(node, AllOf | AnyOf):
        for part in node.parts:
            yield from leaves(part, above)
    elif isinstance(node, Each):
        yield from leaves(node.inner, (*above, *node.path, "[]"))
    elif isinstance(node, Opens):
        yield (), node
    else:
        yield (*above, *node.path), node


def check(node: Expression, *, wanted: bool = True) -> Json:
    """Return the check that is TRUE where the expression holds (``wanted``), or where it does not."""
    if isinstance(node, Not):
        return check(node.inner, wanted=not wanted)
    if isinstance(node, AllOf | AnyOf):
        word = "all" if isinstance(node, AllOf) == wanted else "any"
        return _joined(word, [check(part, wanted=wanted) for part in node.parts])
    if isinstance(node, Each):
        return _list_check(node) if wanted else {"none": [_list_check(node)]}
    if isinstance(node, Opens):
        found: Json = {
            "net.open_to_internet": {"ports": list(node.ports)} if node.ports else {"protocols": ["all"]}
        }
        return found if wanted else {"none": [found]}
    return _true(node) if wanted else _false(node)


def _joined(word: str, checks: list[Json]) -> Json:
    flat = [inner for each in checks for inner in (each[word] if each.keys() == {word} else [each])]
    distinct = [each for number, each in enumerate(flat) if each not in flat[:number]]
    return distinct[0] if len(distinct) == 1 else {word: distinct}


def _list_check(node: Each) -> Json:
    path, inner = join_path(node.path), check(node.inner)
    if node.some:
        return {"some": path, "satisfies": inner}
    return {"every": path, "satisfies": inner, **({"empty": "passes"} if node.empty else {})}


def _field(node: Test) -> str:
    if node.tag is not None:
        return f'tags."{node.tag}"' if not re.fullmatch(r"[A-Za-z0-9_-]+", node.tag) else f"tags.{node.tag}"
    return join_path(node.path) if node.path else "."


def _plain(node: Test) -> Json:
    field = _field(node)
    if node.op == "present":
        return {"field": field, "is": "present"}
    if node.op == "filled":
        return {"field": field, "not_equals": "", "absent": "fails"}
    if node.op == "older_than":
        return {"none": [{"time.not_older_than": {"field": field, "days": node.value}}]}
    if node.op == "expires_within":
        return {"none": [{"time.not_within": {"field": field, "days": node.value}}]}
    return {"field": field, node.op: _literal(node)}


def _literal(node: Test) -> Any:
    return list(node.value) if isinstance(node.value, tuple) else node.value


def _true(node: Test) -> Json:
    plain = _plain(node)
    if not node.missing or node.op in ("present", "filled", "older_than", "expires_within"):
        return plain
    return {"any": [{"field": _field(node), "is": "absent"}, plain]}


def _false(node: Test) -> Json:
    field = _field(node)
    if node.op == "present":
        return {"field": field, "is": "absent"}
    if node.op == "filled":
        return {"any": [{"field": field, "is": "absent"}, {"field": field, "equals": ""}]}
    if node.op in ("older_than", "expires_within"):
        return dict(_plain(node)["none"][0])
    absent = "fails" if node.missing else "passes"
    if node.op in ("equals", "in"):
        if node.op == "equals" and isinstance(node.value, bool) and node.missing:
            return {"field": field, "equals": not node.value}
        return {"field": field, f"not_{node.op}": _literal(node), "absent": absent}
    opposite: Json = {"none": [_plain(node)]}
    return {"all": [{"field": field, "is": "present"}, opposite]} if node.missing else opposite
