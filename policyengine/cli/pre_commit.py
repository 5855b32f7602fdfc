"""``policyengine pre-commit``: the files of a commit, and silence where nothing is wrong with them."""

from __future__ import annotations

import io
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.options import config_option, rules_option

_PATH: Final = click.Path(path_type=Path)
_OURS: Final = ("template", "plan", "broken")
_MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one file: CloudFormation takes templates of 1 MB, and nobody waits at a commit for more than this."""
_SCAN: Final[Mapping[str, Any]] = {
    "formats": (), "output": None, "compact": True, "limit": None, "show_waived": False, "quiet": False, "families": (),
    "rule_ids": (), "waiver_files": (), "baseline": None, "parameters": (), "stack_tags": (), "terraform_source": None,
    "account": None, "region": None, "ous": (), "as_of": None, "jobs": 1, "cache": None,
}  # fmt: skip
"""Options of a scan that this command does not have."""


@click.command(
    "pre-commit",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 nothing fails, and nothing is printed; 1 a FAIL at or above --fail-on; 2 usage or input error; 3 "
    "UNKNOWN under --strict; 4 the run is incomplete.",
)
@click.argument("files", nargs=-1, type=_PATH, metavar="FILE...")
@config_option()
@rules_option()
@click.option(
    "--fail-on",
    type=click.Choice(["low", "medium", "high", "critical", "never"]),
    default="low",
    show_default=True,
    help="exit 1 on a FAIL at or above this severity",
)
@click.option("--strict", is_flag=True, help="exit 3 when a verdict is UNKNOWN")
def pre_commit(files: Sequence[Path], **options: Any) -> int:
    """Judge the templates and plans among FILEs, which is what pre-commit calls with the files of a commit.

    Files that are none are passed over; a template that cannot be read is an error. Waivers and the baseline hold as in
    `scan`: what was there before does not stop a commit.
    """
    ours = [str(file) for file in files if _is_ours(file)]
    if not ours:
        return EXIT_OK
    from policyengine.cli.run import prepare_run
    from policyengine.cli.scan import exit_code

    out = io.StringIO()
    result = prepare_run(ours, {**_SCAN, **options}).write(out)
    code = exit_code(result, fail_on=options["fail_on"], strict=options["strict"])
    if code != EXIT_OK:
        sys.stdout.write(out.getvalue())
    return code


def _is_ours(file: Path) -> bool:
    """Whether a file is a template or a plan, or would be one if it could be read. What is gone has been deleted."""
    from policyengine.sources.recognize import HEAD, recognize

    try:
        with file.open("rb") as stream:
            head = stream.read(HEAD)
        found = recognize(head, partial(_whole, file), str(file), asked=False, max_bytes=_MOST_BYTES)
    except OSError:
        return False
    return found.kind in _OURS


def _whole(file: Path) -> bytes:
    with file.open("rb") as stream:
        return stream.read(_MOST_BYTES + 1)
