"""Mutants of a rule: each weakens or shifts one thing; the rule's cases must notice every one.

Mutants are made on the compiled form, so that a mutant is always a rule that runs. A mutant's id is
``<operation>@<place>``, stable as long as the rule's text is.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from policyengine.rules import schema as s
from policyengine.rules.predicates.table import PREDICATES
from policyengine.testing.cases import CaseResult, run_case

Form = dict[str, Any]
Place = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """A changed rule; ``says`` describes the change to the rule's author."""

    id: str
    says: str
    form: Form


def survivors(
    form: Mapping[str, Any], cases: Sequence[s.Case], equivalent: Mapping[str, str]
) -> tuple[list[Mutant], list[str], int]:
    """Return (mutants no case kills, listed equivalents that are killed or gone, number of mutants)."""
    alive: list[Mutant] = []
    stale = set(equivalent)
    count = 0
    for mutant in mutants(form):
        count += 1
        killed = any(_kills(run_case(mutant.form, case)) for case in cases)
        if mutant.id in equivalent:
            if not killed:
                stale.discard(mutant.id)
        elif not killed:
            alive.append(mutant)
    return alive, sorted(stale), count


def _kills(result: CaseResult) -> bool:
    """A mutant that crashes is no evidence that a case looked: only a changed answer counts."""
    return result.problem is not None


def mutants(form: Mapping[str, Any]) -> Iterator[Mutant]:
    """Yield every mutant of a compiled rule."""
    for index, variant in enumerate(form["variants"]):
        prefix: Place = ("variants", index)
        name = variant["types"][0].split("::", 1)[-1] if len(form["variants"]) > 1 else ""
        if variant["when"] is not None:
            yield _mutant(form, (*prefix, "when"), None, "drop-when", f"{name}when", "drop the `when`")
        for part in ("when", "require"):
            if variant[part] is not None:
                yield from _of_node(form, variant[part], (*prefix, part), f"{name}{part}")


def _mutant(form: Mapping[str, Any], place: Place, value: Any, operation: str, at: str, says: str) -> Mutant:
    changed: Form = copy.deepcopy(dict(form))
    target: Any = changed
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = value
    return Mutant(f"{operation}@{at}", f"{says} at {at}", changed)


def _of_node(form: Mapping[str, Any], node: Form, place: Place, at: str) -> Iterator[Mutant]:
    op = node["op"]
    yield _mutant(form, place, {"op": "none", "checks": [node]}, "negate", at, "negate the check")
    if op == "field":
        yield from _of_field(form, node, place, at)
    elif op in ("every", "some"):
        yield from _of_quantifier(form, node, place, at)
    elif op == "predicate":
        yield from _of_predicate(form, node, place, at)
    else:
        yield from _of_connective(form, node, place, at)


def _of_connective(form: Mapping[str, Any], node: Form, place: Place, at: str) -> Iterator[Mutant]:
    checks = node["checks"]
    kind = node["op"]
    for index, child in enumerate(checks):
        below = f"{at}.{kind}[{index}]"
        if len(checks) > 1:
            rest = {**node, "checks": checks[:index] + checks[index + 1 :]}
            yield _mutant(form, place, rest, "drop", below, "drop the check")
        yield from _of_node(form, child, (*place, "checks", index), below)
    if len(checks) > 1 and kind in ("all", "any"):
        other = "any" if kind == "all" else "all"
        yield _mutant(
            form, place, {**node, "op": other}, f"{kind}-to-{other}", at, f"replace `{kind}` by `{other}`"
        )


def _of_quantifier(form: Mapping[str, Any], node: Form, place: Place, at: str) -> Iterator[Mutant]:
    op = node["op"]
    other = "some" if op == "every" else "every"
    yield _mutant(form, place, {**node, "op": other}, f"{op}-to-{other}", at, f"replace `{op}` by `{other}`")
    if op == "every":
        flipped = {**node, "empty": not node["empty"]}
        yield _mutant(form, place, flipped, "flip-empty", at, "turn around what an empty list means")
    if node["defaults"]:
        yield _mutant(form, place, {**node, "defaults": []}, "drop-default", at, "ignore the AWS default")
    yield from _of_node(form, node["check"], (*place, "check"), f"{at}.{op}")


def _of_field(form: Mapping[str, Any], node: Form, place: Place, at: str) -> Iterator[Mutant]:
    test, value = node["test"], node["value"]
    if node["absent"] is not None:
        yield _mutant(
            form, place, {**node, "absent": not node["absent"]}, "flip-absent", at, "turn around `absent`"
        )
    if node["defaults"]:
        yield _mutant(form, place, {**node, "defaults": []}, "drop-default", at, "ignore the AWS default")
    if isinstance(value, dict) and "$" in value:
        yield from _of_parameter(form, value["$"], test, at)
    elif test in ("at_least", "at_most"):
        for step in (-1, 1):
            shifted = {**node, "value": value + step}
            yield _mutant(form, place, shifted, f"shift{step:+d}", at, f"compare with {value + step}")
    elif test in ("in", "not_in"):
        yield from _of_members(form, node, place, at)
    elif test in ("equals", "not_equals") and isinstance(value, str):
        yield _mutant(
            form, place, {**node, "value": value + "~"}, "other-value", at, f"compare with `{value}~`"
        )


def _of_members(form: Mapping[str, Any], node: Form, place: Place, at: str) -> Iterator[Mutant]:
    members = node["value"]
    if len(members) == 1:
        changed = {**node, "value": [f"{members[0]}~"]}
        yield _mutant(form, place, changed, "other-value", f"{at}[0]", "compare with another value")
        return
    for index, member in enumerate(members):
        rest = {**node, "value": members[:index] + members[index + 1 :]}
        yield _mutant(form, place, rest, "drop-value", f"{at}[{index}]", f"drop `{member}` from the list")


def _of_predicate(form: Mapping[str, Any], node: Form, place: Place, at: str) -> Iterator[Mutant]:
    declared = PREDICATES[node["name"]].args
    for key, value in node["args"].items():
        below = f"{at}.{key}"
        if isinstance(value, dict) and "$" in value:
            yield from _of_parameter(form, value["$"], "argument", below)
        elif isinstance(value, list) and len(value) > 1:
            for index, member in enumerate(value):
                args = {**node["args"], key: value[:index] + value[index + 1 :]}
                yield _mutant(
                    form, place, {**node, "args": args}, "drop-value", f"{below}[{index}]", f"drop `{member}`"
                )
        elif isinstance(value, dict) and "path" not in value:
            yield from _of_json(form, value, (*place, "args", key), below)
        elif not declared[key].required:
            args = {k: v for k, v in node["args"].items() if k != key}
            yield _mutant(
                form, place, {**node, "args": args}, "drop-argument", below, f"drop the argument `{key}`"
            )


def _of_json(form: Mapping[str, Any], value: Any, place: Place, at: str) -> Iterator[Mutant]:
    """Drop each key and each element of a list, where others stay; shift the parameters inside."""
    if isinstance(value, dict) and "$" in value:
        yield from _of_parameter(form, value["$"], "argument", at)
    elif isinstance(value, dict):
        for key, item in value.items():
            below = f"{at}.{key}"
            if len(value) > 1:
                rest = {k: v for k, v in value.items() if k != key}
                yield _mutant(form, place, rest, "drop-key", below, f"drop `{key}`")
            yield from _of_json(form, item, (*place, key), below)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            below = f"{at}[{index}]"
            if len(value) > 1:
                rest_ = value[:index] + value[index + 1 :]
                yield _mutant(form, place, rest_, "drop-value", below, f"drop `{item}`")
            if isinstance(item, dict | list):
                yield from _of_json(form, item, (*place, index), below)


def _of_parameter(form: Mapping[str, Any], name: str, test: str, at: str) -> Iterator[Mutant]:
    """Shift the default of a parameter; cases that set the parameter themselves do not see it."""
    declared = form["parameters"][name]
    default = declared["default"]
    change: Callable[[Any, str], Mutant] = lambda value, operation: _mutant(  # noqa: E731  # one use, in three branches
        form,
        ("parameters", name, "default"),
        value,
        operation,
        f"{at}.${name}",
        f"change the default of `{name}`",
    )
    if isinstance(default, bool):
        yield change(not default, "flip-default")
    elif isinstance(default, int | float):
        for step in (-1, 1):
            yield change(default + step, f"shift-default{step:+d}")
    elif isinstance(default, list) and len(default) > 1 and len(default) <= 12:
        for index in range(len(default)):
            yield change(default[:index] + default[index + 1 :], f"drop-default[{index}]")
    elif isinstance(default, str):
        yield change(default + "~", "other-default")
