"""``policyengine iam decide``: scenarios in, one answer a line out."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import click

from policyengine.cli.errors import EXIT_OK, EXIT_USAGE
from policyengine.model.errors import InputError


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("scenarios", type=click.Path(path_type=Path, allow_dash=True))
def decide(scenarios: Path) -> int:
    """Answer each scenario of an NDJSON file (`-`: standard input).

    One JSON line a scenario, in order: id, decision, deciding statements, reasons of the others. A line
    that is no scenario is named on standard error; the exit code is then 2. docs/iam.md has the form.
    """
    if str(scenarios) == "-":
        return _decide(sys.stdin.buffer, "-")
    try:
        stream = scenarios.open("rb")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot read `{scenarios}`: {reason}") from None
    with stream:
        return _decide(stream, str(scenarios))


def _decide(stream: BinaryIO, name: str) -> int:
    from policyengine.iam.errors import PolicyError
    from policyengine.iam.scenarios import Decider

    # what is read stays: looking through it for garbage, again and again and once more at the exit, is a
    # third of the time
    gc.set_threshold(1_000_000, 50, 50)
    atexit.register(gc.freeze)
    answer = Decider().answer
    write = sys.stdout.write
    code = EXIT_OK
    for number, line in _lines(stream):
        try:
            write(answer(line.decode("utf-8")) + "\n")
        except (PolicyError, UnicodeDecodeError) as error:
            problem = str(error) if isinstance(error, PolicyError) else "not UTF-8 text"
            print(f"error: {name}:{number}: {problem}", file=sys.stderr)
            code = EXIT_USAGE
    return code


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield number and text of each line that is not blank; a leading byte order mark is no text."""
    for number, line in enumerate(stream, 1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if text:
            yield number, text
