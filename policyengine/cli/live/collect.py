"""One collection into a snapshot, as ``snapshot`` and ``scan --live`` do it."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from policyengine import __version__
from policyengine.aws.calls import CallLog
from policyengine.cli.live.fleet import Fleet
from policyengine.cli.live.notice import interrupts, shown
from policyengine.cli.live.redaction_key import redactor
from policyengine.cli.live.wish import Wish
from policyengine.engine.needs import needs_of, top_names
from policyengine.model.errors import InputError, UsageError
from policyengine.rules.pack import Pack
from policyengine.sources.base import NO_COVERAGE, Coverage
from policyengine.sources.live.collection import Collected, Collecting, Stop, Target, write
from policyengine.sources.live.narrower import not_asked, not_covered
from policyengine.sources.live.plan import Plan, make_plan
from policyengine.sources.live.spool import Spool
from policyengine.sources.snapshot.manifest import MANIFEST, read_manifest
from policyengine.sources.snapshot.writer import check_target


def plan_for(pack: Pack) -> Plan:
    """Return what to collect for the rules of a pack."""
    return make_plan(top_names(needs_of(pack.rules)))


def collect(
    wish: Wish,
    plan: Plan,
    target: Path,
    *,
    pack: Pack,
    now: str,
    resume: bool,
    quiet: bool,
    kept: bool = True,
    replace: bool = False,
) -> Collected:
    """Collect into a snapshot at ``target``; a notice of progress goes to standard error.

    A snapshot that stands there and holds what is not asked for now is only replaced with ``replace``; what it covered
    and the new one does not is among the notes. After Ctrl-C what was collected stays beside ``target`` for
    ``--resume``, where it is ``kept``. Raises UsageError, InputError.
    """
    _check(target)
    fleet = Fleet(wish)
    targets = fleet.targets(plan)
    old = _standing(target, plan, targets, wish, replace=replace)
    spool = Spool.beside(target)
    redact = redactor(wish.redaction_key)
    header = {
        **_header(wish, plan, pack, now),
        "accounts": [t.id for t in targets],
        "redaction_key": redact.key_id,
    }
    spool.open(header, resume=resume)
    fleet.log.keep_in(spool.keep_calls(fleet.early, resume=resume))
    stop = Stop()
    gc.freeze()  # rules and catalog stay: looking for clients that may go need not look through them
    collecting = Collecting(
        plan, targets, spool, now=now, regions=wish.regions, workers=wish.workers, redact=redact, stop=stop
    )
    try:
        with interrupts(stop, spool, kept=kept), shown(collecting.progress, fleet.log, quiet=quiet):
            collected = collecting.run()
        if collected.stopped:
            raise click.exceptions.Abort
        lost = not_covered(old, collected.coverage)
        gone = [f"the snapshot that was replaced also covered {lost}"] if lost else []
        collected.notes = [*fleet.notes, *gone]
        about = _about(header, collected, fleet.log)
        write(target, spool, collected, created=now, about=about)
    except OSError as problem:
        rest = f"; what was collected stays in `{spool.folder}`, --resume goes on with it" if kept else ""
        raise _unwritable(target, problem, rest) from None
    finally:
        gc.unfreeze()
        spool.close()
    return collected


def _check(target: Path) -> None:
    """Raise InputError for a folder that cannot be written to: before an hour of calls, not after it."""
    try:
        check_target(target)
    except OSError as problem:
        raise InputError(
            f"`{target}` cannot be read: {problem.strerror or problem}", code="unwritable"
        ) from None


def _standing(target: Path, plan: Plan, targets: Sequence[Target], wish: Wish, *, replace: bool) -> Coverage:
    """Return what a snapshot at ``target`` covers; nothing where there is none.

    Raises UsageError for one that holds more than is going to be collected, unless it may be replaced.
    """
    if not (target / MANIFEST).is_file():
        return NO_COVERAGE
    other = "name another folder, or replace it with --replace"
    try:
        old = read_manifest(target, str(target))
    except InputError as problem:
        if replace:
            return NO_COVERAGE
        raise UsageError(
            f"`{target}` holds a snapshot of which cannot be told what it covers ({problem}); {other}",
            code="narrower",
        ) from None
    lost = not_asked(old, plan, targets, wish.regions, wish.leaves_out)
    if lost and not replace:
        raise UsageError(
            f"`{target}` holds a snapshot of more than is asked for now, which would be lost: {lost}; {other}",
            code="narrower",
        )
    return old.coverage


def _unwritable(target: Path, problem: OSError, rest: str) -> InputError:
    return InputError(f"`{target}` cannot be written: {problem.strerror or problem}{rest}", code="unwritable")


def _header(wish: Wish, plan: Plan, pack: Pack, now: str) -> dict[str, Any]:
    """What a collection is of: only the same one is resumed."""
    return {
        "engine": __version__,
        "regions": list(wish.regions),
        "rules": pack.digest,
        "types": sorted(type for c in plan.collectors for type in c.types),
        "started": now,
    }


def _about(header: dict[str, Any], collected: Collected, log: CallLog) -> dict[str, Any]:
    """What the manifest says of how the snapshot came to be."""
    about = {name: header[name] for name in ("engine", "rules", "redaction_key", "started")}
    calls = dict(sorted(_calls(log).items()))
    return {**about, "notes": list(collected.left_out()), "calls": calls, "throttles": log.throttles}


def _calls(log: CallLog) -> dict[str, int]:
    found: dict[str, int] = {}
    for (_, _, operation), times in log.made.items():
        found[operation] = found.get(operation, 0) + times
    return found
