"""Damaging the resources of a rule's test case, in the shape rules see. Every step is data, as in ``mutate``."""

from __future__ import annotations

import copy
import json
from typing import Any

from hypothesis import strategies as st

from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.model.values import UNRESOLVED_REASONS, OpenDict, OpenList, Unresolved
from tests.soundness.holes import Place, copy_of, places, value_at

from .mutate import ODD, POSITION, TREE_STEP, changed
from .policies import ELEMENT, change, statements

_PARTS = st.sampled_from(
    [
        None,
        ("", ""),
        ("arn:aws:s3:::", ""),
        ("arn:aws:iam::", ":role/", "*"),
        ('{"Statement": [', "]}"),
        ("*", ""),
    ]
)
HOLE = st.builds(
    lambda reason, present, target, parts: Unresolved(
        reason, "x", present=present, target=target, parts=parts
    ),
    st.sampled_from(sorted(UNRESOLVED_REASONS)),
    st.booleans(),
    st.sampled_from(
        [None, ("resource-0", "Arn"), ("resource-1", "Ref"), ("subject", "Arn"), ("nobody", "Arn")]
    ),
    _PARTS,
)
STEP = st.one_of(
    st.tuples(st.just("hole"), POSITION, HOLE),
    st.tuples(st.just("open"), POSITION, st.tuples(HOLE, st.integers(0, 3))),
    st.tuples(st.just("odd"), POSITION, st.sampled_from([value for value in ODD if value is not None])),
    st.tuples(st.sampled_from(["remove", "wrap", "double", "copy"]), POSITION, POSITION),
    st.tuples(st.just("say"), POSITION, ELEMENT),
    st.tuples(st.just("say"), POSITION, ELEMENT),
    st.tuples(st.just("text"), POSITION, TREE_STEP),
    st.tuples(
        st.just("place"), POSITION,
        st.sampled_from([(None, None), ("111122223333", "global"), ("444455556666", "us-east-1"), ("111122223333", ""), ("x", "y")]),
    ),
    st.tuples(st.just("name"), POSITION, st.sampled_from(["", "*", "resource-0", "arn:aws:iam::1:role/x", "a/b:c"])),
    st.tuples(st.just("arn"), POSITION, st.sampled_from([None, "", "arn", "arn:aws:s3:::b", "arn:aws:iam::111122223333:role/*"])),
)  # fmt: skip


def damaged(resources: list[Resource], steps: list[Any]) -> list[Resource]:
    """Return copies of the resources with every step taken; the model's promises still hold."""
    found = [copy_of(resource) for resource in resources]
    for kind, position, operand in steps:
        found = _OF_RESOURCES.get(kind, _at_a_place)(found, kind, position, operand)
    return found


def _at_a_place(found: list[Resource], kind: str, position: int, operand: Any) -> list[Resource]:
    every = list(places(found, frozenset()))
    if not every:
        return found
    place = every[position % len(every)]
    tree: Any = getattr(found[place.index], place.side)
    for step in place.path[:-1]:
        tree = tree[step]
    here, last = tree[place.path[-1]], place.path[-1]
    if kind == "remove":
        del tree[last]
    elif kind == "double" and isinstance(tree, list):
        tree.insert(last, copy.deepcopy(here))
    else:
        other = value_at(found, every[operand % len(every)]) if kind == "copy" else None
        value = _instead(here, kind, operand, other)
        if _allowed(place, value):
            tree[last] = value
    return found


def _instead(here: Any, kind: str, operand: Any, other: Any) -> Any:
    if kind in ("hole", "odd"):
        return copy.deepcopy(operand)
    if kind == "open":
        more, length = operand
        if isinstance(here, list):
            return OpenList(here[:length] if length else list(here), more)
        return OpenDict(dict(here), more) if isinstance(here, dict) else here
    if kind == "wrap":
        return [here] if operand % 2 or not (isinstance(here, list) and here) else here[0]
    return copy.deepcopy(other) if kind == "copy" else here


def _allowed(place: Place, value: Any) -> bool:
    """Tags are texts, satellites stand in lists, properties are an object: every source sees to that."""
    if place.side == "tags":
        return isinstance(value, str | Unresolved)
    return place.side != "related" or len(place.path) > 1 or isinstance(value, list | Unresolved)


def _say(found: list[Resource], _kind: str, position: int, operand: Any) -> list[Resource]:
    every = [one for r in found for side in (r.properties, r.related) for one in statements(side)]
    if every:
        change(every[position % len(every)], copy.deepcopy(operand))
    return found


def _text(found: list[Resource], _kind: str, position: int, operand: Any) -> list[Resource]:
    """Change what a text in JSON says; a document that is none becomes one."""
    every = [p for p in places(found, frozenset()) if p.side != "tags"]
    texts = [p for p in every if _document(value_at(found, p)) is not None]
    if not texts:
        return found
    place = texts[position % len(texts)]
    said = json.dumps(changed(_document(value_at(found, place)), *operand))
    tree: Any = getattr(found[place.index], place.side)
    for step in place.path[:-1]:
        tree = tree[step]
    if _allowed(place, said):
        tree[place.path[-1]] = said
    return found


def _document(value: Any) -> Any:
    if isinstance(value, dict) and "Statement" in value:
        try:
            return json.loads(json.dumps(value))
        except TypeError:  # something in it is unresolved
            return None
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return None
    return None


def _locate(_path: Any) -> Location:
    return Location("t.yaml", 3, 5)


def _resource(found: list[Resource], kind: str, position: int, operand: Any) -> list[Resource]:
    """Move a resource or call it otherwise; what has no account is code and stands in a file."""
    at = position % len(found)
    old = found[at]
    account, region = operand if kind == "place" else (old.account, old.region)
    found[at] = Resource(
        old.type, operand if kind == "name" else old.id, account, region, old.properties,
        arn=operand if kind == "arn" else old.arn, tags=old.tags, related=old.related,
        file=old.file if account is not None else "t.yaml", locate=old.locate if account is not None else _locate,
    )  # fmt: skip
    return found


_OF_RESOURCES: dict[str, Any] = {
    "say": _say,
    "text": _text,
    "place": _resource,
    "name": _resource,
    "arn": _resource,
}
