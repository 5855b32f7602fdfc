"""What the commands of ``waivers`` and ``baseline`` share: options, the files in use, failures of a target or a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from policyengine.cli.options import config_option, rules_option
from policyengine.model.errors import InputError, UsageError
from policyengine.model.run_directory import is_run_directory

if TYPE_CHECKING:
    from policyengine.cli.run import Run
    from policyengine.config.waivers import Waiver, Waiving
    from policyengine.engine.scan import Scan
    from policyengine.model.finding import Finding
    from policyengine.model.resource import Resource
    from policyengine.rules.pack import Pack

Json = dict[str, Any]
FILE_NAME: Final = "waivers.yaml"
_PATH: Final = click.Path(path_type=Path)
_SHARED: Final = ("config", "waiver_files", "rule_folders", "as_of")


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which waivers are meant, and by which rules and clock."""
    for option in reversed(
        (
            config_option(),
            click.option(
                "--waivers", "waiver_files", multiple=True, type=_PATH, metavar="FILE",
                help="instead of the files policyengine.yaml names; may repeat",
            ),
            rules_option(),
            click.option("--as-of", metavar="TIME", help="the clock (RFC 3339)"),
        )
    ):  # fmt: skip
        command = option(command)
    return command


class Used(NamedTuple):
    """The waivers in use, the configuration they are of, and the file that a new one is written to."""

    waiving: Waiving
    config: Path | None
    file: Path
    pack: Pack


def used(given: Mapping[str, Any], near: Sequence[str] = (), *, new: bool = False) -> Used:
    """Return the waivers in use. ``new``: their file may not be there yet. Raises ConfigError with every mistake."""
    from policyengine.cli.inputs import read_configuration
    from policyengine.cli.scan import quiet_options
    from policyengine.config.waivers_reader import file_names
    from policyengine.rules.packs import load_packs

    pack = load_packs(given["rule_folders"])
    files = list(given["waiver_files"])
    absent = [path for path in files if new and not path.exists()]
    asked = quiet_options(
        **{**_shared(given), "waiver_files": tuple(path for path in files if path not in absent)}
    )
    found = read_configuration(asked, [str(target) for target in near] or ["."], pack)
    waiving = found.settings.waiving
    listed = files or list(file_names(waiving, found.path))
    folder = found.path.parent if found.path is not None else Path()
    return Used(waiving, found.path, listed[-1] if listed else folder / FILE_NAME, pack)


def _shared(given: Mapping[str, Any]) -> Json:
    return {key: given[key] for key in _SHARED if key in given}


def named(waiving: Waiving, id_: str) -> Waiver:
    """Return the waiver of an id. Raises InputError with the nearest one there is."""
    from policyengine.rules.names import unknown

    found = {waiver.id: waiver for waiver in waiving.waivers}
    if id_ not in found:
        raise InputError(unknown("waiver", id_, list(found)))
    return found[id_]


def today(as_of: str | None) -> str:
    """Return the day in UTC. Raises UsageError."""
    from policyengine.cli.run import clock

    return clock(as_of)[1].astimezone(UTC).date().isoformat()


def as_text(as_of: str | None) -> str:
    """Return the clock in RFC 3339. Raises UsageError."""
    from policyengine.cli.run import clock

    return clock(as_of)[0] or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def is_run(target: Path) -> bool:
    """Whether a target is a run or a report of one, which holds findings."""
    if target.is_dir():
        return is_run_directory(target)
    if not target.is_file() or target.suffix not in (".json", ".ndjson"):
        return False
    with target.open("rb") as stream:
        return b'"policyengine/findings' in stream.read(4096)


def scan_of(target: Path, given: Mapping[str, Any], rules: Iterable[str] = (), **more: Any) -> Run:
    """Return a scan of a target that nobody has begun. Raises PolicyEngineError."""
    from policyengine.cli.kept_inputs import without_secrets
    from policyengine.cli.run import prepare_run
    from policyengine.cli.scan import quiet_options

    options = quiet_options(**_shared(given), rule_ids=tuple(rules), limit=0, **more)
    run = prepare_run([str(target)], options)
    run.discovery.replace(
        without_secrets(run.discovery.sources)
    )  # values are pinned as every later run sees them
    run.scan.sources = run.discovery.sources
    return run


class Failing(NamedTuple):
    """A FAIL, what a waiver may call its resource, the values it rests on, and the waivers that code refers to there."""

    finding: Finding
    names: Sequence[str]
    pin: Mapping[str, str]
    references: frozenset[str]


def failures(target: Path, given: Mapping[str, Any], rules: Sequence[str] = ()) -> list[Failing]:
    """Return the FAILs of a target, which is judged now, or of a run directory, which is judged again as it was.

    Raises PolicyEngineError, also for a report: it does not hold the values that are accepted.
    """
    if is_run(target) and not target.is_dir():
        raise InputError(
            f"`{target}` is a report, which does not hold the values that are accepted: name a run directory "
            "(`scan -o DIR`), or what was scanned"
        )
    if is_run(target):
        from policyengine.cli.replaying import again

        return failing_of(again(target).scan, rules)
    run = scan_of(target, given, rules)
    found = failing_of(run.scan, rules)
    complain(run)
    return found


def failing_of(scan: Scan, rules: Sequence[str]) -> list[Failing]:
    """Return the FAILs of a scan that nobody has begun, each with what it rests on."""
    from policyengine.engine.elsewhere import names_of_resource
    from policyengine.engine.piece import Wanted
    from policyengine.engine.pinning import Pins
    from policyengine.model.reasons import FAIL
    from policyengine.model.suppression import references_of

    pins = Pins({form["id"]: form for form in scan.evaluator.pack.rules})
    found: list[Failing] = []

    def row(resource: Resource, _verdicts: object, findings: Sequence[Finding]) -> tuple[bytes, bytes]:
        names = names_of_resource(resource)
        referred = frozenset(each.waiver for each in references_of(resource))
        found.extend(
            Failing(each, names, pins.of(each, resource), referred)
            for each in findings
            if each.verdict == FAIL and (not rules or each.rule in rules)
        )
        return b"", b""

    scan.wanted = Wanted(frozenset((FAIL,)), row=row)
    for _ in scan.findings():
        pass
    return found


def complain(run: Run) -> None:
    """Raise UsageError where a target could not be read: what was not seen is not accepted either."""
    errors = [*run.discovery.errors, *run.scan.errors]
    errors += [error for source in run.discovery.sources for error in source.errors]
    if errors:
        raise errors[0]
    if not run.scan.counts.resources:
        raise UsageError(f"no resource in `{run.info.targets[0]}`")
