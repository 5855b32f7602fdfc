"""What is not known never becomes an answer: every predicate, on every value of its conformance cases.

The laws of ``test_rules``, one level below: a hole gives the same answer or UNKNOWN, and where the answer
stays decided, whatever else the cases have at such a place gives the same answer or UNKNOWN.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from policyengine.model.logic import UNKNOWN
from policyengine.rules.predicates.api import Answer
from policyengine.rules.predicates.table import PREDICATES
from tests.net import test_predicate_cases as net
from tests.predicates import conformance

from .test_rules import CHEAP

FOLDER = Path(conformance.__file__).parent
MOST_FILLERS = 12


class Style(NamedTuple):
    """How a family of cases writes values: where they stand, a hole, one that is certainly there."""

    keys: tuple[str, ...]
    hole: Any
    marks: tuple[str, ...]


PLAIN = Style(
    ("properties", "tags", "related", "with", "where"),
    {"$unresolved": "access_denied"},
    ("$unresolved", "$reference", "$more"),
)
NET = Style(
    ("resource", "entries", "acl", "satellites", "tables"),
    {"Unknown": "access_denied"},
    ("Ref", "Unknown", "More"),
)


class Question(NamedTuple):
    """A predicate's case: ``ask`` answers it for the data it is given."""

    name: str
    data: dict[str, Any]
    ask: Callable[[dict[str, Any]], Answer]
    style: Style


def questions() -> Iterator[Question]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for case in conformance.cases(path.stem):
            yield Question(path.stem, case, _plain(path.stem), PLAIN)
    for case in (*net.GROUPS, *net.ACLS):
        yield Question(case["predicate"], case, _net(case["predicate"], {}), NET)
    for case in net.REACH:
        name = "net.reachable_from_internet"
        yield Question(name, _with_tables(case, net.WORLD["world"]), _net(name, {}), NET)
    for case in net.SUBNETS:
        name = case["predicate"]
        yield Question(name, _with_tables(case, net.SUBNET_WORLD["world"]), _net(name, {}), NET)


def _plain(name: str) -> Callable[[dict[str, Any]], Answer]:
    predicate = PREDICATES[name]

    def ask(case: dict[str, Any]) -> Answer:
        given = {
            k: tuple(v) if predicate.args[k].kind == "path" else v for k, v in case.get("args", {}).items()
        }
        defaults = {key: arg.default for key, arg in predicate.args.items() if not arg.required}
        answer: Answer = predicate.check(conformance.subject(case), **{**defaults, **given})
        return answer

    return ask


def _net(name: str, world: dict[str, Any]) -> Callable[[dict[str, Any]], Answer]:
    return lambda case: net.BY_NAME[name].check(net.subject_of(case, world), **case["args"])


def _with_tables(case: dict[str, Any], world: dict[str, Any]) -> dict[str, Any]:
    return {**case, "tables": {**world, **case.get("tables", {})}}


def paths(value: Any, marks: tuple[str, ...], at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the paths of all values below, not into what is marked as unknown already."""
    items: Iterator[tuple[Any, Any]] = iter(())
    if isinstance(value, dict) and value.keys().isdisjoint(marks):
        items = iter(value.items())
    elif isinstance(value, list):
        items = iter(enumerate(value))
    for step, inner in items:
        yield (*at, step)
        yield from paths(inner, marks, (*at, step))


def places(question: Question) -> Iterator[tuple[Any, ...]]:
    for key in question.style.keys:
        for path in paths(question.data.get(key), question.style.marks, (key,)):
            if _may_be_unknown(path, question.data):
                yield path


def _may_be_unknown(path: tuple[Any, ...], data: dict[str, Any]) -> bool:
    """Tables and the things relations lead to are resources: their ids and existence are not values.

    Nor is what a relation follows: the case says what it finds.
    """
    if any(isinstance(step, str) and step.startswith("$") for step in path):
        return False  # what a related resource is, not a property of it
    if path[0] == "properties" and path[1] in [
        via.split(".")[0] for via in data.get("relations", {}).values()
    ]:
        return False
    if path[0] == "tables":
        return len(path) > 4 and path[3] in ("properties", "related")
    return path[0] != "with" or len(path) > 3


def at(data: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        data = data[step]
    return data


def put(data: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(data)
    at(changed, path[:-1])[path[-1]] = copy.deepcopy(value)
    return changed


def is_hole(value: Any, style: Style) -> bool:
    return isinstance(value, dict) and not value.keys().isdisjoint(style.marks)


QUESTIONS = list(questions())
FILLERS: dict[tuple[Any, ...], list[Any]] = defaultdict(list)
for _question in QUESTIONS:
    for _path in places(_question):
        _found = at(_question.data, _path)
        _values = FILLERS[(_question.name, *("[]" if isinstance(s, int) else s for s in _path))]
        if not is_hole(_found, _question.style) and len(_values) < MOST_FILLERS and _found not in _values:
            _values.append(_found)


def fillers(question: Question, path: tuple[Any, ...]) -> list[Any]:
    return FILLERS[(question.name, *("[]" if isinstance(step, int) else step for step in path))]


MOST_PLACES = 3
"""Places of a case of a question that is decided over all requests: each answer takes milliseconds."""


def some_places(question: Question) -> list[tuple[Any, ...]]:
    """Return the places, or of a costly question some spread evenly; the slow test takes all."""
    found = list(places(question))
    return found[:: max(1, -(-len(found) // MOST_PLACES))] if is_costly(question) else found


def is_costly(question: Question) -> bool:
    return question.name.split(".")[0] not in CHEAP


def name_of(question: Question) -> str:
    return f"{question.name}: {question.data['case']}"


@pytest.mark.parametrize("question", QUESTIONS, ids=name_of)
def test_a_value_made_unknown_changes_no_answer(question: Question) -> None:
    assert changed_answers(question, some_places(question)) == []


@pytest.mark.slow
@pytest.mark.parametrize("question", [q for q in QUESTIONS if is_costly(q)], ids=name_of)
def test_no_value_made_unknown_changes_an_answer_over_all_requests(question: Question) -> None:
    assert changed_answers(question, list(places(question))) == []


def changed_answers(question: Question, paths: list[tuple[Any, ...]]) -> list[Any]:
    """Return the places where a value that is not known, or another than was not known, changes the answer."""
    before = question.ask(question.data).truth
    problems = []
    for path in paths:
        if is_hole(at(question.data, path), question.style):
            continue
        answer = question.ask(put(question.data, path, question.style.hole))
        assert answer.evidence or answer.truth is not UNKNOWN, path
        if before is not UNKNOWN and answer.truth not in (before, UNKNOWN):
            problems.append((path, f"{before.name} became {answer.truth.name}"))
        elif answer.truth is not UNKNOWN:
            for filler in fillers(question, path):
                after = question.ask(put(question.data, path, filler)).truth
                if after not in (answer.truth, UNKNOWN) and not is_name(path):
                    problems.append((path, f"{answer.truth.name} with a hole, {after.name} with {filler!r}"))
    return problems


def is_name(path: tuple[Any, ...]) -> bool:
    """A resource that a source shows has a name, which is its id: that is never unknown alone."""
    return path[-1] in ("GroupName", "GroupId", "KeyId", "BackupPlanId", "BackupVaultName", "AccountId")


ODD = (7, -1, True, "zz", "", [], {}, ["zz"], {"zz": [{}]}, 1e300)


@pytest.mark.parametrize("question", QUESTIONS, ids=name_of)
def test_odd_values_get_an_answer(question: Question) -> None:
    odd = ODD[::3] if is_costly(question) else ODD
    for path in some_places(question):
        for filler in odd:
            answer = question.ask(put(question.data, path, filler))
            assert answer.evidence or answer.truth is not UNKNOWN, (path, filler)
