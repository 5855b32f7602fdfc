"""Which files of waivers commands are about where nobody names one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from policyengine.cli.outputs import note
from policyengine.config.find import FILE_NAME as CONFIG_NAME
from policyengine.config.find import find_above, find_config
from policyengine.config.waivers_reader import FILE_NAME

Options = Mapping[str, Any]


def with_nearest(given: Options, target: Path | None) -> Options:
    """Return the options, with the nearest ``waivers.yaml`` above a target (None: the current folder) where no
    ``policyengine.yaml`` says which files are in use; standard error says that scans do not read it so."""
    if given["waiver_files"] or given["config"] is not None:
        return given
    near = target or Path()
    if find_config(near) is not None:
        return given
    found = find_above(near, FILE_NAME)
    if found is None:
        return given
    from policyengine.cli.configured import display

    note(
        f"no {CONFIG_NAME} was found, so {display(found)} was read; a scan reads it with --waivers, or beside a {CONFIG_NAME}"
    )
    return {**given, "waiver_files": (found,)}


def none_found(given: Options, target: Path | None) -> str:
    """Return where waivers were looked for, as a sentence, where there are none."""
    from policyengine.cli.configured import display

    if given["waiver_files"]:
        return f"no waivers: {', '.join(display(path) for path in given['waiver_files'])} has none"
    near = target or Path()
    config = given["config"] or find_config(near)
    if config is not None:
        return (
            f"no waivers: {display(config)} names no file that has any (`waivers:`), and {FILE_NAME} beside it is not "
            "there or has none; --waivers FILE names one"
        )
    return (
        f"no waivers: there is neither {CONFIG_NAME} nor {FILE_NAME} in `{near.resolve()}` or above it up to the root of "
        "the repository; --waivers FILE names one"
    )
