"""A plan as a careful engineer would sign it: what is, what will be, every call and how it is taken back."""

from __future__ import annotations

import difflib
import json
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from policyengine.sources.paths import printable

Json = Mapping[str, Any]
_WIDTH: Final = 110
_SIGNS: Final = {"+": "green", "-": "red", "@": "cyan"}


def show_plan(action: str, state: str, plan: Json) -> None:
    """Print one plan."""
    place = plan["resource"]
    head = f"{action}  {plan['handler']}  {state}"
    click.secho(printable(head), bold=True)
    where = f"{place['type']} {place['id']}  {place['account']} {place['region']}"
    _say(where)
    _say(f"{plan['severity']}  {plan['rule']}: {plan['message']}")
    click.echo()
    click.secho(f"  {printable(plan['summary'])}", bold=True)
    for line in difference(plan["before"], plan["after"]):
        click.secho(f"    {printable(line)}", fg=_SIGNS.get(line[:1]))
    _show_steps(plan)
    _show_terms(plan)
    click.echo()


def difference(before: Any, after: Any) -> Iterator[str]:
    """Yield the lines of a unified diff of two images."""
    old, new = (_lines(each) for each in (before, after))
    for number, line in enumerate(difflib.unified_diff(old, new, lineterm="", n=2)):
        if number >= 2:  # the names of files, of which there are none
            yield line


def _lines(image: Any) -> list[str]:
    return json.dumps(image, indent=2, sort_keys=True, ensure_ascii=False).splitlines()


def _show_steps(plan: Json) -> None:
    for number, step in enumerate(plan["steps"], 1):
        _say(f"{number}. {call_text(step['call'])}", indent="  ", further="       ")
        if step["why"]:
            _say(step["why"], indent="     why: ", further="          ")
        for call in step["undo"]:
            _say(call_text(call), indent="     undo: ", further="           ")
        if not step["undo"]:
            _say("cannot be taken back", indent="     undo: ")


def call_text(call: Json) -> str:
    """Return a call with its arguments on one line."""
    given = ", ".join(f"{name}={_value(value)}" for name, value in call["arguments"].items())
    place = f" in {call['region']}" if call["region"] else ""
    return f"{call['service']}:{call['operation']}({given}){place}"


def _value(value: Any) -> str:
    if isinstance(value, Mapping) and "$answer" in value:
        return f"<{value['$answer']['path']} of step `{value['$answer']['step']}`>"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_value(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _show_terms(plan: Json) -> None:
    for concern in plan["concerns"]:
        _say(concern, indent="  look at: ", further="           ")
    if plan["dangers"]:
        _say(plan["dangers"], indent="  dangers: ", further="           ")
    if plan["advice"]:
        for line in plan["advice"].splitlines():
            _say(line, indent="  advice: ", further="          ")
    kind = {"full": "can be taken back", "partial": "can be taken back in part", "no": "cannot be taken back"}
    terms = [kind[plan["reversible"]], *(["destructive"] if plan["destructive"] else [])]
    terms.append("only proposed" if plan["plan_only"] else _people(plan["approvals"]))
    _say("; ".join(terms) + (f": {plan['lost']}" if plan["lost"] else ""))
    if plan["permissions"]:
        _say(f"needs {', '.join(plan['permissions'])}", further="        ")
    _say(f"plan {plan['hash']}, holds until {plan['expires_at']}")


def _people(number: int) -> str:
    if not number:
        return "may run without a person"
    return f"{number} {'person has' if number == 1 else 'people have'} to approve"


def _say(text: str, indent: str = "  ", further: str = "  ") -> None:
    lines = textwrap.wrap(
        printable(" ".join(text.split())), _WIDTH, initial_indent=indent, subsequent_indent=further, break_long_words=False,
        break_on_hyphens=False,
    )  # fmt: skip
    click.echo("\n".join(lines or [indent]))
