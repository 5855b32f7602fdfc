"""A plan as a careful engineer would sign it: what is, what will be, every call and how it is taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from policyengine.cli.remediate.values import difference, holds_text, inline, lines, name_text, named_in
from policyengine.cli.remediate.words import line, say, short, width

Json = Mapping[str, Any]
_UNDO: Final = {
    "full": "can be taken back",
    "partial": "can be taken back in part",
    "no": "cannot be taken back",
}


def show_plan(action: str, state: str, plan: Json) -> None:
    """Print one plan."""
    place = plan["resource"]
    line(f"{action}  {plan['handler']}  {state}", bold=True)
    say(f"{place['type']} {place['id']}", "  resource  ")
    if place.get("arn") and place["arn"] != place["id"]:
        say(place["arn"], "  arn       ")
    say(f"{place['account']} {place['region']}", "  account   ")
    say(f"{plan['severity']}  {plan['rule']}: {plan['message']}", "  finding   ")
    if plan.get("requested_by"):
        say(f"{plan['requested_by']} at {short(plan['made_at'])}", "  asked by  ")
    line("")
    say(plan["summary"], "  ", bold=True)
    _show_difference(plan)
    _show_steps(plan)
    _show_terms(plan)
    line("")


def _show_difference(plan: Json) -> None:
    if plan["before"] == plan["after"]:
        return  # a plan that only proposes
    for text in difference(plan["before"], plan["after"]):
        line(f"    {text}", sign=text[:1])


def _show_steps(plan: Json) -> None:
    known = {f"{name} above, as it will be": each for name, each in named_in(plan["after"]).items()}
    known |= {f"{name} above, as it is": each for name, each in named_in(plan["before"]).items()}
    for number, step in enumerate(plan["steps"], 1):
        _show_call(step["call"], f"  {number}. ", plan, known)
        if step["why"]:
            say(step["why"], "     why: ")
        for call in step["undo"]:
            _show_call(call, "     undo: ", plan, known)
        if not step["undo"]:
            say("cannot be taken back", "     undo: ")


def _show_call(call: Json, lead: str, plan: Json, known: Json) -> None:
    """Print a call: on one line where it fits, else an argument a line."""
    name = f"{call['service']}:{call['operation']}"
    place = f" in {call['region']}" if call["region"] and call["region"] != plan["region"] else ""
    given = call["arguments"]
    text = f"{lead}{name}({', '.join(f'{name_text(key)}={inline(value)}' for key, value in given.items())}){place}"
    if len(text) <= width() and not holds_text(given):
        line(text)
        return
    line(f"{lead}{name}{place}")
    indent = " " * (len(lead) + 2)
    for key, value in given.items():
        text = f"{indent}{name_text(key)}: {inline(value)}"
        if len(text) <= width() and not holds_text(value):
            line(text)
            continue
        for part in lines({key: value}, known):
            line(f"{indent}{part}")


def _show_terms(plan: Json) -> None:
    for concern in plan["concerns"]:
        say(concern, "  look at: ")
    if plan["dangers"]:
        say(plan["dangers"], "  dangers: ")
    for number, part in enumerate(plan["advice"].splitlines()):
        line(("  advice: " if not number else "          ") + part)
    say(terms(plan), "  ")
    if plan["permissions"]:
        say(", ".join(plan["permissions"]), "  needs: ")
    line(f"  hash:  {plan['hash']}")
    if plan.get("expires_at"):
        line(
            f"  holds until {short(plan['expires_at'])}; only as long as the resource, the rule and the settings stay as they are"
        )


def terms(plan: Json) -> str:
    """Return how far a plan can be taken back and who has to agree."""
    told = [_UNDO[plan["reversible"]] + (f" ({plan['lost'].strip().rstrip('.')})" if plan["lost"] else "")]
    if plan["destructive"]:
        told.append("destructive")
    told.append("only proposed, never applied" if plan["plan_only"] else people(plan["approvals"]))
    return "; ".join(told)


def people(number: int) -> str:
    """Return how many people have to approve."""
    if not number:
        return "may run without a person"
    return f"{number} {'person has' if number == 1 else 'people have'} to approve, not who asked for it"
