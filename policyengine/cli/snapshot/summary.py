"""What a collection came to, in a few lines."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from policyengine.sources.live.collection import BLINDED, Collected
from policyengine.sources.live.plan import GLOBAL
from policyengine.sources.paths import printable

_MANY: Final = 10


def say(collected: Collected, target: Path) -> None:
    """Print how much was collected and what could not be."""
    accounts = {kept.task.account for kept in collected.tasks}
    regions = {kept.task.place for kept in collected.tasks} - {GLOBAL}
    resources = sum(kept.resources for kept in collected.tasks)
    types = {type for kept in collected.tasks if kept.resources for type in kept.task.types}
    print(
        f"{printable(str(target))}: {_many(resources, 'resource')} of {_many(len(types), 'type')}; read: "
        f"{_many(len(accounts), 'account')}, {_many(len(regions), 'region')}"
    )
    for note in collected.left_out():
        print(f"  {printable(note)}")
    failures = list(collected.failures())
    for failure, times, types_lost in failures[:_MANY]:
        place = " ".join(part for part in (failure.account, failure.region) if part)
        lost = f"; not whole: {', '.join(types_lost)}" if types_lost else ""
        print(
            f"  not read: {printable(str(failure))} [{place}]{f', {times:,} times' if times > 1 else ''}{lost}"
        )
    if len(failures) > _MANY:
        print(f"  and {len(failures) - _MANY:,} more kinds of failed calls; `errors` of the manifest has all")
    if any(failure.by_scp for failure, _, _ in failures):
        print(f"  {BLINDED}")
    if failures:
        print(
            "the snapshot is incomplete: what could not be read is UNKNOWN, never absent; the same command with "
            "--resume asks for it again"
        )


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
