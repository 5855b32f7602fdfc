"""``policyengine waivers check``: whether waivers are in order, and what a target or a run makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK
from policyengine.cli.outputs import say
from policyengine.cli.waivers.common import Json, as_text, is_run, options, scan_of, used
from policyengine.cli.waivers.looking import none_found, with_nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from policyengine.reports.extras import WaiverInfo

_ENDED: Final = ("expired", "lapsed")


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 in order; 1 a waiver expired or lapsed; 2 a mistake in a file, or no such target.",
)
@click.argument(
    "target", required=False, type=click.Path(path_type=Path, exists=True), metavar="[TARGET|RUN]"
)
@options
def check(target: Path | None, **given: Any) -> int:
    """Check every waiver: mistakes, signatures, those that expired, expire soon or are over-broad.

    With a TARGET it is judged, and waivers that lapsed or accept nothing are told; of a RUN what it told itself.
    """
    if target is not None and is_run(target):
        infos = _of_run(target)
    else:
        given = dict(with_nearest(given, target))
        infos = _of_target(target, given)
    counts = dict.fromkeys(("active", "expired", "lapsed", "not_yet", "unused"), 0)
    for info in infos:
        counts[info.state] += 1
        _tell(info, looked=target is not None)
    words = {"active": "in force", "not_yet": "not in force yet"}
    states = [f"{number:,} {words.get(state, state)}" for state, number in counts.items() if number]
    if infos:
        say(f"{len(infos):,} waivers: {', '.join(states)}")
    else:
        say(
            "no waivers: the run had none"
            if target is not None and is_run(target)
            else none_found(given, target)
        )
    return EXIT_FAIL if any(counts[state] for state in _ENDED) else EXIT_OK


def _of_target(target: Path | None, given: Json) -> Sequence[WaiverInfo]:
    from policyengine.engine.accepted import Accepted
    from policyengine.reports.waiver_infos import waiver_infos

    if target is None:
        waiving = used(given).waiving
        found = waiver_infos(waiving, Accepted(), as_text(given["as_of"]))
        from dataclasses import replace

        return [replace(i, state="active") if i.state == "unused" else i for i in found]  # nobody has looked
    run = scan_of(target, given)
    for _ in run.scan.findings():
        pass
    from policyengine.cli.waivers.common import complain

    complain(run)
    return waiver_infos(run.evaluator.settings.waiving, run.scan.counts.accepted, run.info.as_of)


def _of_run(target: Path) -> Sequence[WaiverInfo]:
    from policyengine.model.errors import InputError
    from policyengine.reports.extras import waiver_info_of
    from policyengine.store.rundir import read_run

    try:
        return [waiver_info_of(each) for each in read_run(target).get("waivers", ())]
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(f"`{target}` says of its waivers what nobody writes; the run is damaged") from error


def _tell(info: WaiverInfo, *, looked: bool) -> None:
    head = f"{info.id}: {info.rule} ({info.scope})"
    if info.state in _ENDED or info.state == "not_yet":
        why = info.why.removeprefix(f"waiver {info.id} ")
        say(f"{info.state.replace('_', ' ')}: {head}: {why}")
    elif info.state == "unused" and looked:
        say(f"unused: {head}: nothing fails that it is about")
    for place in info.idle_places:
        say(f"unused: {head}: code refers to it at {place}, where nothing fails that it accepts")
    for warning in info.warnings if info.state != "expired" else ():
        say(f"warning: {head}: {warning}")
