"""A check tree in words, for people who read rules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from policyengine.engine.operators import describe

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
        yield margin + _predicate(form)
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


def _predicate(form: Form) -> str:
    arguments = ", ".join(f"{key}: {_argument(value)}" for key, value in form["args"].items())
    return f"{form['name']}({arguments})"


def _argument(value: Any) -> str:
    if isinstance(value, dict) and "path" in value:
        return ".".join(value["path"])
    shown = _value(value)
    return shown if isinstance(shown, str) else json.dumps(shown)


def _value(value: Any) -> Any:
    """Show a parameter by its name."""
    return f"${value['$']}" if isinstance(value, dict) and "$" in value else value
