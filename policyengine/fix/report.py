"""What was fixed, what --unsafe would fix, and what stays with its reason: for people and for programs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from policyengine.fix.planning import Fix, Plan
from policyengine.model.finding import Finding

SCHEMA: Final = "policyengine/fix/v1"
_PLACES: Final = 3
"""Places that a line names before it counts the others."""


class FileFixes(NamedTuple):
    """What became of one file."""

    file: str
    plan: Plan


def lines(files: Sequence[FileFixes], *, written: bool) -> Iterator[str]:
    """Yield the lines of the report for people; ``written`` is False where files stay as they are."""
    for each in files:
        for fix in each.plan.fixed:
            about = f"`{fix.finding.rule}` of `{fix.finding.resource_id}`"
            yield f"{_place(fix.finding)}: {'fixed' if written else 'would fix'} {about}: {_changes(fix)}"
            yield from (f"    {effect}" for effect in fix.effects)
        for finding in each.plan.along:
            yield f"{_place(finding)}: `{finding.rule}` of `{finding.resource_id}` goes away with it"
    unsafe: dict[str, list[Finding]] = defaultdict(list)
    left: dict[str, list[Finding]] = defaultdict(list)
    for each in files:
        for fix in each.plan.unsafe:
            effects = "; ".join(map(str, fix.effects))
            unsafe[f"`{fix.finding.rule}`: {effects}"].append(fix.finding)
        for stays in each.plan.left:
            left[f"`{stays.finding.rule}`: {stays.why}"].append(stays.finding)
    yield from _grouped("with --unsafe:", unsafe)
    yield from _grouped("not fixed (`policyengine explain RULE` says what to do by hand):", left)
    yield summary(files, written=written)


def _grouped(title: str, groups: dict[str, list[Finding]]) -> Iterator[str]:
    if groups:
        yield title
    for text, findings in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        shown = ", ".join(f"{_place(f)} `{f.resource_id}`" for f in findings[:_PLACES])
        more = len(findings) - _PLACES
        yield f"  {text} ({shown}{f' and {more} more' if more > 0 else ''})"


def summary(files: Sequence[FileFixes], *, written: bool) -> str:
    """Return the last line."""
    changed = sum(each.plan.changed for each in files)
    fixed = sum(len(each.plan.fixed) + len(each.plan.along) for each in files)
    unsafe = sum(len(each.plan.unsafe) for each in files)
    left = sum(len(each.plan.left) for each in files)
    verb = "changed" if written else "would change"
    return (
        f"{changed} of {len(files)} files {verb}; {fixed} failures fixed, "
        f"{unsafe} more with --unsafe, {left} not fixed"
    )


def _place(finding: Finding) -> str:
    return str(finding.location) if finding.location is not None else "?"


def _changes(fix: Fix) -> str:
    return ", ".join(str(change) for change in fix.changes)


def document(files: Sequence[FileFixes], refused: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return the report for programs (``policyengine/fix/v1``)."""
    return {
        "schema": SCHEMA,
        "files": [
            {
                "file": each.file,
                "changed": each.plan.changed,
                "fixed": [_fix_json(fix) for fix in each.plan.fixed],
                "along": [_finding_json(finding) for finding in each.plan.along],
                "unsafe": [_fix_json(fix) for fix in each.plan.unsafe],
                "left": [{**_finding_json(stays.finding), "why": stays.why} for stays in each.plan.left],
            }
            for each in files
        ],
        "refused": [{"file": file, "message": message} for file, message in refused],
    }


def _fix_json(fix: Fix) -> dict[str, Any]:
    return {
        **_finding_json(fix.finding),
        "changes": [str(change) for change in fix.changes],
        "effects": [{"kind": effect.kind, "why": effect.why} for effect in fix.effects],
    }


def _finding_json(finding: Finding) -> dict[str, Any]:
    place = finding.location
    return {
        "id": finding.id,
        "rule": finding.rule,
        "resource": {"type": finding.resource_type, "id": finding.resource_id},
        "location": None
        if place is None
        else {"file": place.file, "line": place.line, "column": place.column},
    }
