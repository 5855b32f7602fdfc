"""One collection into a snapshot, as ``snapshot`` and ``scan --live`` do it."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import click

from policyengine import __version__
from policyengine.aws.calls import CallLog
from policyengine.cli.live.fleet import Fleet
from policyengine.cli.live.notice import interrupts, shown
from policyengine.cli.live.redaction_key import redaction_key
from policyengine.cli.live.wish import Wish
from policyengine.engine.needs import needs_of, top_names
from policyengine.model.errors import InputError
from policyengine.rules.pack import Pack
from policyengine.rules.predicates.pipeline.plain_secrets import looked_at
from policyengine.sources.live.collection import Collected, Collecting, Stop, write
from policyengine.sources.live.plan import Plan, make_plan
from policyengine.sources.live.spool import Spool
from policyengine.sources.redaction import Redactor
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
) -> Collected:
    """Collect into a snapshot at ``target``; a notice of progress goes to standard error.

    Raises UsageError, InputError. After Ctrl-C what was collected stays beside ``target``
    for ``--resume``, where it is ``kept``.
    """
    _check(target)
    fleet = Fleet(wish)
    targets = fleet.targets(plan)
    spool = Spool.beside(target)
    redactor = Redactor(redaction_key(wish.redaction_key), looked_at)
    header = {
        **_header(wish, plan, pack, now),
        "accounts": [t.id for t in targets],
        "redaction_key": redactor.key_id,
    }
    spool.open(header, resume=resume)
    stop = Stop()
    gc.freeze()  # rules and catalog stay: looking for clients that may go need not look through them
    collecting = Collecting(
        plan, targets, spool, now=now, regions=wish.regions, workers=wish.workers, redact=redactor, stop=stop
    )
    try:
        with interrupts(stop, spool, kept=kept), shown(collecting.progress, fleet.log, quiet=quiet):
            collected = collecting.run()
        if collected.stopped:
            raise click.exceptions.Abort
        collected.notes = fleet.notes
        write(target, spool, collected, created=now, about=_about(header, collected, fleet.log))
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
