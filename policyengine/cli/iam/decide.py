"""``policyengine iam decide``: scenarios in, one answer a line out."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from typing import BinaryIO, Final

import click

from policyengine.cli.errors import EXIT_OK, EXIT_USAGE
from policyengine.model.errors import InputError

ENOUGH: Final = 64 * 1024
"""Characters of answers that are written at once."""


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("scenarios", type=click.Path(allow_dash=True))
def decide(scenarios: str) -> int:
    """Answer each scenario of an NDJSON file (`-`: standard input).

    One JSON line a scenario, in order: id, decision, deciding statements, reasons of the others. A line
    that is no scenario is named on standard error; the exit code is then 2. docs/iam.md has the form.
    """
    if scenarios == "-":
        return _decide(sys.stdin.buffer, "-")
    try:
        stream = open(scenarios, "rb")  # noqa: PTH123, SIM115 - pathlib is slow to import; closed below
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot read `{scenarios}`: {reason}") from None
    with stream:
        return _decide(stream, scenarios)


def _decide(stream: BinaryIO, name: str) -> int:
    from policyengine.iam.errors import PolicyError
    from policyengine.iam.scenarios import Decider

    # what is read stays: looking through it for garbage, again and again and once more at the exit, is a
    # third of the time
    gc.set_threshold(1_000_000, 50, 50)
    atexit.register(gc.freeze)
    answer = Decider().answer
    answers: list[str] = []
    waiting = 0
    code = EXIT_OK
    # who asks through a pipe may wait for each answer
    enough = 0 if name == "-" else ENOUGH
    try:
        for number, line in _lines(stream):
            try:
                answers.append(answer(line.decode("utf-8")))
            except (PolicyError, UnicodeDecodeError) as error:
                problem = str(error) if isinstance(error, PolicyError) else "not UTF-8 text"
                print(f"error: {name}:{number}: {problem}", file=sys.stderr)
                code = EXIT_USAGE
                continue
            waiting += len(answers[-1])
            if waiting >= enough:
                _write(answers)
                waiting = 0
    finally:
        _write(answers)
    return code


def _write(answers: list[str]) -> None:
    """Write the answers, each on its line, and empty the list."""
    if answers:
        answers.append("")
        text = "\n".join(answers)
        answers.clear()
        sys.stdout.write(text)


def _lines(stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Yield number and text of each line that is not blank; a leading byte order mark is no text."""
    for number, line in enumerate(stream, 1):
        text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if text:
            yield number, text
