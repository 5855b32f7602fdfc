"""Predicates about AWS Backup: which resources a plan takes in, how often it runs, where its copies go."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject
from policyengine.rules.predicates.backup.recovery import parse_duration
from policyengine.rules.predicates.backup.selection import ARNS, selects
from policyengine.rules.predicates.paths import Mistyped, read
from policyengine.rules.predicates.schedule import longest_gap

PLAN: Final = "AWS::Backup::BackupPlan"
SELECTION: Final = "AWS::Backup::BackupSelection"
RULES: Final[Path] = ("BackupPlan", "BackupPlanRule")
DEFAULT_SCHEDULE: Final = "cron(0 5 ? * * *)"
"""https://docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRuleInput.html"""


def selected(subject: Subject) -> Answer:
    """TRUE when the selection of a backup plan takes in the resource, by its ARN, type or tags."""
    expected = "a selection of a backup plan that takes in the resource"
    table = subject.tables(SELECTION)
    if isinstance(table, Unresolved):
        return Answer(UNKNOWN, (Evidence((), table, expected, table.reason),))
    doubt: Unresolved | None = table.more if isinstance(table, OpenList) else None
    for selection in table:
        truth = selects(selection, subject.resource)
        if truth is TRUE:
            return Answer(TRUE, (Evidence((), f"selection `{selection.id}`", expected, "requirement_met"),))
        if truth is UNKNOWN:
            doubt = Unresolved("unsupported", f"whether selection `{selection.id}` takes it in")
    if doubt is not None:
        return Answer(UNKNOWN, (Evidence((), doubt, expected, doubt.reason),))
    return Answer(FALSE, (Evidence((), f"none of {len(table)} selections", expected, "none_satisfies"),))


def runs_every(subject: Subject, *, hours: int) -> Answer:
    """TRUE when one rule of the plan never lets more than that many hours pass."""
    wanted = timedelta(hours=min(hours, 10**6))
    expected = f"a rule that runs at least every {hours} hours"
    found: list[Evidence] = []
    rules = rules_of(subject.resource)
    if isinstance(rules, Unresolved):
        return Answer(UNKNOWN, (Evidence(RULES, rules, expected, rules.reason),))
    for index, rule in enumerate(rules):
        path: Path = (*RULES, index, "ScheduleExpression")
        schedule = rule.get("ScheduleExpression", ABSENT) if isinstance(rule, dict) else rule
        text = DEFAULT_SCHEDULE if schedule is ABSENT else schedule
        gap = longest_gap(text) if isinstance(text, str) else None
        if gap is not None and gap <= wanted:
            return Answer(TRUE, (Evidence(path, schedule, expected, "requirement_met"),))
        found.append(
            Evidence(path, schedule, expected, "value_mismatch" if gap is not None else _why(schedule))
        )
    return _none_of(found, rules, expected)


def copied_elsewhere(subject: Subject) -> Answer:
    """TRUE when a rule of the plan copies its recovery points to a vault in another region."""
    expected = "a rule that copies to a vault in another region"
    found: list[Evidence] = []
    rules = rules_of(subject.resource)
    if isinstance(rules, Unresolved):
        return Answer(UNKNOWN, (Evidence(RULES, rules, expected, rules.reason),))
    for index, rule in enumerate(rules):
        path: Path = (*RULES, index, "CopyActions")
        actions = rule.get("CopyActions", ABSENT) if isinstance(rule, dict) else rule
        if not isinstance(actions, list):
            absent = actions is ABSENT
            found.append(Evidence(path, actions, expected, "missing" if absent else _why(actions)))
            continue
        for number, action in enumerate(actions):
            one = _destination(
                action, subject.resource, (*path, number, "DestinationBackupVaultArn"), expected
            )
            if one.reason == "requirement_met":
                return Answer(TRUE, (one,))
            found.append(one)
        if isinstance(actions, OpenList):
            found.append(Evidence((*path, "-"), actions.more, expected, actions.more.reason))
    return _none_of(found, rules, expected)


def restored_within(subject: Subject, *, field: tuple[str, ...], key: str) -> Answer:
    """TRUE when the minutes at ``field`` are no more than the objective of the tag."""
    tags = subject.resource.tags
    told = tags if isinstance(tags, Unresolved) else _tag(tags, key)
    duration = parse_duration(told) if isinstance(told, str) else None
    if duration is None:
        expected = "a duration such as 4h, 30 minutes or PT15M"
        if told is ABSENT:
            return Answer(FALSE, (Evidence(("tags", key), ABSENT, expected, "tag_missing"),))
        return Answer(UNKNOWN, (Evidence(("tags", key), told, expected, _why(told)),))
    expected = f"at most {told} (the tag `{key}`)"
    value = read(subject, field)
    if value is ABSENT:
        if subject.resource.file is None:
            return Answer(FALSE, (Evidence(field, ABSENT, expected, "missing"),))
        value = Unresolved("not_collected", "only the account shows it, code does not")
    if isinstance(value, bool | Mistyped) or not isinstance(value, int | float):
        observed = value.value if isinstance(value, Mistyped) else value
        return Answer(UNKNOWN, (Evidence(field, observed, expected, _why(observed)),))
    fits = value <= duration.total_seconds() / 60
    reason = "requirement_met" if fits else "value_mismatch"
    return Answer(TRUE if fits else FALSE, (Evidence(field, f"{value} minutes", expected, reason),))


def _tag(tags: dict[str, Any] | None, key: str) -> Any:
    return ABSENT if tags is None else tags.get(key, getattr(tags, "more", ABSENT))


def rules_of(plan: Resource) -> list[Any] | Unresolved:
    """Return the rules of a plan; Unresolved where the list itself is not known."""
    value: Any = plan.properties
    for step in RULES:
        value = value.get(step, getattr(value, "more", ABSENT)) if isinstance(value, dict) else value
    if isinstance(value, list | Unresolved):
        return value
    return [] if value is ABSENT else Unresolved("unsupported", "the rules are no list")


def _destination(action: Any, plan: Resource, path: Path, expected: str) -> Evidence:
    vault = action.get("DestinationBackupVaultArn", ABSENT) if isinstance(action, dict) else action
    if isinstance(vault, Unresolved) and vault.target is not None:
        # A vault of the same stack stands in the stack's own region.
        return Evidence(path, vault, expected, "value_mismatch")
    parts = vault.split(":") if isinstance(vault, str) else []
    if len(parts) < 6 or parts[0] != "arn":
        return Evidence(path, vault, expected, "missing" if vault is ABSENT else _why(vault))
    if plan.region is None:
        unknown = Unresolved("not_collected", "the region of the plan")
        return Evidence(path, unknown, expected, unknown.reason)
    return Evidence(path, vault, expected, "value_mismatch" if parts[3] == plan.region else "requirement_met")


def _why(value: Any) -> str:
    return value.reason if isinstance(value, Unresolved) else "wrong_type"


_FAILS: Final = frozenset({"missing", "value_mismatch"})


def _none_of(found: list[Evidence], rules: list[Any], expected: str) -> Answer:
    """Return the answer where no rule is known to do it: FALSE only when all are known not to."""
    doubts = [one for one in found if one.reason not in _FAILS]
    if isinstance(rules, OpenList):
        doubts.append(Evidence((*RULES, "-"), rules.more, expected, rules.more.reason))
    if doubts:
        return Answer(UNKNOWN, tuple(doubts))
    return Answer(FALSE, tuple(found) or (Evidence(RULES, ABSENT, expected, "empty"),))


PREDICATES: tuple[Predicate, ...] = (
    Predicate(
        "backup.selected",
        selected,
        "A backup plan takes in the resource, by its ARN, its type or its tags.",
        {},
        tuple(ARNS),
        (SELECTION,),
    ),
    Predicate(
        "backup.runs_every",
        runs_every,
        "A rule of the backup plan runs at least every so many hours.",
        {"hours": Arg("integer", help="the most hours between two backups")},
        (PLAN,),
    ),
    Predicate(
        "backup.copied_elsewhere",
        copied_elsewhere,
        "A rule of the backup plan copies its recovery points to another region.",
        {},
        (PLAN,),
    ),
    Predicate(
        "backup.restored_within",
        restored_within,
        "The last restore took no longer than the objective that a tag declares.",
        {
            "field": Arg("path", help="the property with the minutes that the last restore took"),
            "key": Arg("string", help="the tag that declares the recovery time objective"),
        },
    ),
)
