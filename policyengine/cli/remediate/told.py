"""What came of requests, told once: refusals of one reason together, the same change once, what to do next."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.cli.remediate.words import line, say
from policyengine.remediate.api import Refused
from policyengine.remediate.ports import Subject
from policyengine.store.actions import Action

Json = dict[str, Any]
_SHOWN: Final = 5
NEXT: Final[Mapping[str, str]] = {
    "not_failing": "nothing where it was repaired meanwhile; a new scan says so",
    "not_known": "see that everything the rule asks about can be read (permissions, the region), then plan again",
    "waived": "nothing, or end the waiver",
    "excluded": "leave it alone, or take the tag away",
    "owned_by_code": "change it in the template",
    "plan_only": "carry the advice of the plan out where the resource is declared",
    "drifted": "plan it again and look at the new plan",
    "too_young": "plan it again later, or set `remediation.settling` (seconds) in policyengine.yaml",
    "outside_window": "apply it while one of `remediation.windows` of policyengine.yaml is open",
    "limit": "apply fewer at once with --action ID, apply later (what was let through counts for its clock hour and the "
    "next), or raise `remediation.limits` in policyengine.yaml",
    "flapping": "stop what puts it back, then plan again",
    "breaker_open": "where changes failed, `policyengine remediate status --state failed --state rolled_back` names them; "
    "what was switched off, `policyengine remediate switch on --why TEXT` switches on",
    "not_approved": "somebody else approves with `policyengine remediate apply PLAN --action ID --approve-as NAME`; what "
    "has ended is planned again",
    "altered": "plan it again",
    "busy": "try again in a few minutes; `policyengine remediate recover` goes on with what a killed process left",
}
"""What somebody who was refused can do, by the code of the refusal (``api.REFUSALS``)."""


class Turned(NamedTuple):
    """A subject that nothing was planned for, and why."""

    subject: Subject
    refusal: Refused

    def to_json(self) -> Json:
        """Return it for programs."""
        return {**self.subject._asdict(), "code": self.refusal.code, "reason": self.refusal.text}


def advice(refusal: Refused, action: Action | None = None) -> str:
    """Return what to do about a refusal, "" where its text says it."""
    if action is not None and action.ended and refusal.code in ("busy", "not_approved"):
        return "nothing: it has ended; plan it again where it still fails"
    if refusal.code == "breaker_open" and "wave before" in refusal.text:
        return "see what became of that one; what is left stays approved and can be applied once it is mended"
    return NEXT.get(refusal.code, "")


def show_turned(turned: Iterable[Turned]) -> None:
    """Print on standard error what was not planned, one reason once with the resources it is the reason for."""
    alike: dict[tuple[str, str], list[Turned]] = {}
    for each in turned:
        alike.setdefault((each.refusal.code, _reason(each)), []).append(each)
    for (code, _), members in alike.items():
        say(f"{members[0].refusal.text}", f"refused ({code}): ", err=True)
        for each in members[:_SHOWN]:
            line(f"    {each.subject.type} {each.subject.id} ({each.subject.rule})", err=True)
        if len(members) > _SHOWN:
            line(f"    and {len(members) - _SHOWN} more", err=True)
        hint = advice(members[0].refusal)
        if hint:
            say(hint, "    what to do: ", err=True)


def _reason(turned: Turned) -> str:
    """Return a refusal without what is one resource's own: its names, and numbers such as its age."""
    text = turned.refusal.text
    for own in (turned.subject.id, turned.subject.type):
        text = text.replace(own, "…")
    return re.sub(r"[0-9]+", "0", text)


def same_changes(actions: Sequence[Action]) -> tuple[list[Action], dict[str, list[Action]]]:
    """Return the actions whose changes differ, and those that make the same calls as one of them, by its id.

    Several rules may ask for one and the same change of one resource; once it is made, there is nothing left for
    the others to do.
    """
    first: dict[str, Action] = {}
    others: dict[str, list[Action]] = {}
    for action in actions:
        calls = [step["call"] for step in action.plan["steps"]]
        key = f"{action.resource}\0{action.handler}\0{calls!r}" if calls else action.id
        known = first.setdefault(key, action)
        if known is not action:
            others.setdefault(known.id, []).append(action)
    return list(first.values()), others


def show_same(others: Mapping[str, Sequence[Action]]) -> None:
    """Say which plans were left out, because another makes the same calls."""
    for kept, members in others.items():
        rules = ", ".join(each.rule for each in members)
        say(f"also repairs {rules}: the same calls, so {_count(len(members), 'plan')} left out", f"{kept}  ")


def contents(actions: Sequence[Action]) -> None:
    """Print one line for each action: what there is to decide about."""
    for each in actions:
        plan = each.plan
        wants = (
            "proposal"
            if plan["plan_only"]
            else "automatic"
            if not plan["approvals"]
            else f"{plan['approvals']} to approve"
        )
        mark = ", destructive" if plan["destructive"] else ""
        line(f"{each.id}  {plan['severity']:8} {wants}{mark}  {each.handler}  {plan['resource']['id']}")
    crowded = _crowded(actions)
    if crowded:
        say(
            f"{crowded} of them change a resource that another one changes too: once one is applied, the next may be "
            "refused as drifted and has to be planned again",
            "note: ",
        )


def _crowded(actions: Sequence[Action]) -> int:
    places = [(each.resource, each.handler) for each in actions if each.plan["steps"]]
    return sum(1 for place in places if places.count(place) > 1)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{' is' if number == 1 else 's are'}"
