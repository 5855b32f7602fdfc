"""A check tree in words, for people who read rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policyengine.engine.operators import describe
from policyengine.rules.predicates.table import PREDICATES

Form = Mapping[str, Any]

_HEADS = {"all": "all of:", "any": "at least one of:", "none": "none of:"}


def in_words(form: Form, indent: int = 0) -> list[str]:
    """Return the lines of a check, nested ones indented by two spaces."""
    return list(_lines(form, indent))


def _lines(form: Form, indent: int) -> Iterator[str]:
    margin = "  " * indent
    op = form["op"]
    if op == "field":
        yield margin + _field(form)
    elif op in ("every", "some"):
        word = "every element of" if op == "every" else "some element of"
        tail = " (an empty list passes)" if op == "every" and form["empty"] else ""
        yield f"{margin}{word} {path_text(form)}{tail}:"
        yield from _lines(form["check"], indent + 1)
    elif op == "predicate":
        yield from (margin + line for line in _predicate(form))
    else:
        yield margin + _HEADS[op]
        for child in form["checks"]:
            yield from _lines(child, indent + 1)


def _field(form: Form) -> str:
    text = f"{path_text(form)} is {describe(form['test'], _value(form['value']))}"
    notes = []
    if form["absent"] is not None:
        notes.append("or missing" if form["absent"] else "and not missing")
    notes += [f"AWS default: {json.dumps(d['value'])}" for d in form["defaults"] if d["depends"] is None]
    return text + (f" ({'; '.join(notes)})" if notes else "")


def path_text(form: Form) -> str:
    """Return the path of a node as a rule writes it."""
    steps = [f'"{s}"' if "." in s else s for s in form["steps"]]
    if form["root"] not in ("properties", "element"):
        steps.insert(0, form["root"])
    return ".".join(steps) or "the element"


def _predicate(form: Form) -> Iterator[str]:
    """Yield what a predicate says, with its name; its arguments below, without those it has by itself."""
    known = PREDICATES.get(form["name"])
    said = known.summary.rstrip(".") if known is not None else "holds"
    yield f"{said} ({form['name']})"
    for key, value in form["args"].items():
        own = known.args[key].default if known is not None and key in known.args else None
        shown = _argument(value)
        if shown and value != own:
            yield f"  {key}: {shown}"


def _argument(value: Any) -> str:
    if isinstance(value, dict) and "path" in value:
        return ".".join(value["path"])
    return _spelled(value)


def _spelled(value: Any) -> str:
    """Return a constant as short as a reader can take it: parameters by name, no quotes."""
    shown = _value(value)
    if isinstance(shown, dict):
        if shown.keys() == {"not"}:
            return f"not {_spelled(shown['not'])}"
        return "; ".join(f"{key} {_spelled(item)}" for key, item in shown.items())
    if isinstance(shown, list | tuple):
        return ", ".join(map(_spelled, shown))
    return shown if isinstance(shown, str) else json.dumps(shown)


def _value(value: Any) -> Any:
    """Show a parameter by its name."""
    return f"${value['$']}" if isinstance(value, dict) and "$" in value else value
