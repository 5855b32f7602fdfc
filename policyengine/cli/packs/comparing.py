"""What changed between two sets of rules, and which verdicts of their cases that changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from policyengine.model.reasons import FAIL, SEVERITIES
from policyengine.rules.recorded import deciding_text

if TYPE_CHECKING:
    from policyengine.cli.packs.sides import Form, RuleText, Side
    from policyengine.rules.schema import Case

Bump = Literal["major", "minor", "patch", "none"]
Kind = Literal["new", "removed", "decides", "says"]
_WORDS: Final = ("title", "why", "fix", "message", "references")


class Turned(NamedTuple):
    """A case that the two rules judge differently."""

    case: str
    was: str
    now: str


class Changed(NamedTuple):
    """A rule that is not the same in both sets. ``turned`` and ``uncomparable`` (cases that one of the two cannot be
    asked) are of a rule that decides otherwise; ``notes`` say what else a reader has to know."""

    rule: str
    kind: Kind
    old: Form | None
    new: Form | None
    turned: Sequence[Turned] = ()
    cases: int = 0
    uncomparable: int = 0
    notes: Sequence[str] = ()

    @property
    def bump(self) -> Bump:
        """What the change means for the version of the pack (docs/rule-packs.md)."""
        if self.kind == "new":
            return "minor"
        if self.kind == "removed":
            return "major"
        old, new = self.old or {}, self.new or {}
        if self.kind == "says":
            told = ("frameworks", "remediation")
            return "minor" if any(old.get(key) != new.get(key) for key in told) else "patch"
        stricter = any(each.now == FAIL for each in self.turned)
        louder = SEVERITIES.index(new["severity"]) > SEVERITIES.index(old["severity"])
        # a change that no case shows may be any change
        unseen = not self.turned and _judging(old) != _judging(new)
        return "major" if stricter or louder or unseen or _lost_parameters(old, new) else "minor"


def changed_rules(old: Side, new: Side) -> list[Changed]:
    """Return what differs, by id; cases are not run. Raises RuleErrors where a side cannot be compiled."""
    ids = sorted(rule for rule in old.ids | new.ids if not old.same_text(new, rule))
    before, after = old.compiled(ids), new.compiled(ids)
    found = []
    for rule in ids:
        one, other = before.get(rule), after.get(rule)
        if one is None or other is None:
            found.append(Changed(rule, "new" if one is None else "removed", one, other))
        elif deciding_text(one) != deciding_text(other):
            found.append(Changed(rule, "decides", one, other, notes=_notes(one, other)))
        elif _said(one) != _said(other):
            found.append(Changed(rule, "says", one, other, notes=_said_notes(one, other)))
    return found


def with_cases(change: Changed, old: Side, new: Side) -> Changed:
    """Run the cases of both sides under both rules, where there are both.

    Raises RuleError for cases that cannot be read.
    """
    if change.kind != "decides" or change.old is None or change.new is None:
        return change
    from policyengine.testing.cases import run_case

    turned, number, failed = [], 0, 0
    for case in _cases(new.texts.get(change.rule), old.texts.get(change.rule)):
        was, now = run_case(change.old, case).finding, run_case(change.new, case).finding
        number += 1
        if was is None or now is None:
            failed += 1
        elif was.verdict != now.verdict:
            turned.append(Turned(case.case, was.verdict, now.verdict))
    return change._replace(turned=turned, cases=number, uncomparable=failed)


def bump_of(changes: Sequence[Changed]) -> Bump:
    """Return what all changes together mean for the version."""
    found = {change.bump for change in changes}
    order: tuple[Bump, ...] = ("major", "minor", "patch")
    return next((bump for bump in order if bump in found), "none")


def next_version(version: str, bump: Bump) -> str:
    """Return the version that follows ``MAJOR.MINOR.PATCH``."""
    major, minor, patch = (int(part) for part in version.split("."))
    following = {
        "major": (major + 1, 0, 0), "minor": (major, minor + 1, 0), "patch": (major, minor, patch + 1),
        "none": (major, minor, patch),
    }  # fmt: skip
    return ".".join(map(str, following[bump]))


def _cases(*sides: RuleText | None) -> Iterator[Case]:
    """Yield the cases of several sides, those that ask the same only once."""
    from policyengine.testing.cases import parse_tests, tests_of

    seen = set()
    for side in sides:
        if side is None or side.tests is None:
            continue
        for case in parse_tests(tests_of(side.path), side.tests).cases:
            asked = case.model_dump_json(exclude={"case", "expect", "reason", "branch"})
            if asked not in seen:
                seen.add(asked)
                yield case


def _judging(form: Form) -> str:
    """What decides verdicts: severity, family and pillar tell where a finding is shown and counted."""
    told = ("severity", "family", "pillar")
    return deciding_text({key: value for key, value in form.items() if key not in told})


def _said(form: Form) -> str:
    keys = (*_WORDS, "frameworks", "remediation")
    return json.dumps([form.get(key) for key in keys], sort_keys=True)


def _lost_parameters(old: Form, new: Form) -> bool:
    """Whether a configuration that sets a parameter of the old rule would be refused."""
    return any(
        name not in new["parameters"] or new["parameters"][name]["type"] != parameter["type"]
        for name, parameter in old["parameters"].items()
    )


def _notes(old: Form, new: Form) -> list[str]:
    notes = [
        f"{key} {old[key]} -> {new[key]}" for key in ("severity", "family", "pillar") if old[key] != new[key]
    ]
    if old["applies_to"] != new["applies_to"]:
        notes.append(f"applies to {_listed(old['applies_to'])} -> {_listed(new['applies_to'])}")
    for name in sorted(old["parameters"].keys() | new["parameters"].keys()):
        one, other = old["parameters"].get(name), new["parameters"].get(name)
        if one is None or other is None:
            notes.append(f"parameter {name} {'is new' if one is None else 'is gone'}")
        elif one.get("default") != other.get("default"):
            notes.append(f"parameter {name}: default {_value(one)} -> {_value(other)}")
        elif one != other:
            notes.append(f"parameter {name} takes other values")
    return notes + _said_notes(old, new)


def _said_notes(old: Form, new: Form) -> list[str]:
    notes = [f"{key} changed" for key in ("frameworks", "remediation") if old.get(key) != new.get(key)]
    return notes + (["words changed"] if any(old.get(key) != new.get(key) for key in _WORDS) else [])


def _value(parameter: Any) -> str:
    return json.dumps(parameter.get("default"), ensure_ascii=False)


def _listed(types: Sequence[str]) -> str:
    return ", ".join(types)
