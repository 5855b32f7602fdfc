"""The waivers and the baseline of a run, with the texts they were read from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from policyengine.config.baseline import read_baseline
from policyengine.config.waivers import Baseline, Waiver, Waiving
from policyengine.config.waivers_reader import About, file_names, read_waivers
from policyengine.model.errors import ConfigError
from policyengine.model.location import Location
from policyengine.rules.pack import Pack


class Accepts(NamedTuple):
    """What accepts failures, and the texts it was read from: name of the file -> its bytes, as they were written."""

    waiving: Waiving
    texts: Mapping[str, bytes]


def read_accepts(waiving: Waiving, config: Path | None, options: Mapping[str, Any], pack: Pack) -> Accepts:
    """Return the waivers and the baseline of a run; ``--waivers`` and ``--baseline`` stand in for what is configured.

    ``config`` is the configuration file, in whose folder other names begin. Raises ConfigError with the place of every
    mistake.
    """
    given: Sequence[Path] = options.get("waiver_files") or ()
    texts: dict[str, bytes] = {}
    waivers = _waivers(given or file_names(waiving, config), waiving, config, pack, texts)
    baseline = _baseline(waiving, config, options.get("baseline"), texts)
    comps = sorted({w.compensating.rule for w in waivers if w.compensating is not None})
    rules = {form["id"]: form for form in map(pack.rule, comps) if form is not None}
    return Accepts(replace(waiving, waivers=tuple(waivers), baseline=baseline, rules=rules), texts)


def _waivers(
    files: Sequence[Path], waiving: Waiving, config: Path | None, pack: Pack, texts: dict[str, bytes]
) -> list[Waiver]:
    if not files:
        return []
    verify = None
    if waiving.approvers:
        from policyengine.cli.waivers.signing import verifier  # few projects sign their waivers

        verify = verifier(waiving.approvers, config.parent if config is not None else Path())
    about = About({form["id"] for form in pack.rules}, waiving.maximum_days, verify)
    found: list[Waiver] = []
    errors: list[ConfigError] = []
    for path in files:
        try:
            data = _read(path)
            found += read_waivers(data, display(path), about)
            texts[_free(path.name, texts)] = data
        except ConfigError as error:
            errors += getattr(error, "errors", (error,))
    if len(errors) == 1:
        raise errors[0]
    if errors:
        from policyengine.config.reading import ConfigErrors

        raise ConfigErrors(errors)
    return found


def _baseline(
    waiving: Waiving, config: Path | None, given: Path | None, texts: dict[str, bytes]
) -> Baseline | None:
    path = given
    if path is None and waiving.baseline_file is not None and config is not None:
        path = config.parent / waiving.baseline_file
    if path is None:
        return None
    data = _read(path)
    texts[_free(path.name, texts)] = data
    return read_baseline(data, display(path))


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ConfigError(f"cannot be read: {reason}", Location(display(path))) from None


def _free(name: str, texts: Mapping[str, bytes]) -> str:
    """Return a name that no other file has: two of one name may come from two folders."""
    found, number = name, 1
    while found in texts:
        number += 1
        found = f"{number}-{name}"
    return found


def display(path: Path) -> str:
    """Return the path as a user would type it: relative where the file lies below the current folder."""
    try:
        return path.absolute().relative_to(Path.cwd()).as_posix()
    except (OSError, ValueError):
        return path.as_posix()
