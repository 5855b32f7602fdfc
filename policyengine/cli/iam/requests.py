"""The set of requests a question is about: a file, or options for a small one."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from policyengine.iam.errors import PolicyError
from policyengine.iam.request_set import RequestSet, read_request_set
from policyengine.model.errors import InputError, UsageError
from policyengine.model.location import Location

MAX_FILE = 4 * 1024 * 1024
Command = TypeVar("Command", bound=Callable[..., Any])


def request_options(*, required: bool) -> Callable[[Command], Command]:
    """Add ``--requests``; where it is not required, also the options that make a set without a file."""

    def add(command: Command) -> Command:
        if not required:
            for option in reversed(_SMALL):
                command = option(command)
        return click.option(
            "--requests",
            "requests_file",
            required=required,
            type=click.Path(path_type=Path, allow_dash=True),
            metavar="FILE",
            help="the set of requests as JSON: action, resource, principal, context",
        )(command)

    return add


_SMALL = (
    click.option("--action", "actions", multiple=True, metavar="PATTERN", help="an action; may repeat"),
    click.option(
        "--resource", "resources", multiple=True, metavar="PATTERN", help="an ARN, with wildcards; may repeat"
    ),
    click.option(
        "--context",
        multiple=True,
        metavar="KEY=VALUE",
        help="a condition key and a pattern of its value; may repeat, also for one key",
    ),
)


def read_requests(
    file: Path | None,
    actions: Sequence[str] = (),
    resources: Sequence[str] = (),
    context: Sequence[str] = (),
) -> RequestSet:
    """Return the set of ``--requests``, or of the other options; all requests where none is given.

    Raises InputError with the place of a mistake, UsageError where both are given.
    """
    if file is None:
        return _small(actions, resources, context)
    if actions or resources or context:
        raise UsageError("give either --requests or --action, --resource and --context")
    from policyengine.documents import load

    name = "<stdin>" if str(file) == "-" else str(file)
    document = load(_data(file, name), name=name, max_bytes=MAX_FILE)
    try:
        return read_request_set(document.value)
    except PolicyError as error:
        place = document.locate(error.path) or Location(name)
        raise InputError(str(error), place, code="bad_requests") from None


def _data(file: Path, name: str) -> bytes:
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(MAX_FILE + 1)
        with file.open("rb") as stream:
            return stream.read(MAX_FILE + 1)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise InputError(f"cannot be read: {reason}", Location(name), code="unreadable") from None


def _small(actions: Sequence[str], resources: Sequence[str], context: Sequence[str]) -> RequestSet:
    keys: dict[str, list[str]] = {}
    for pair in context:
        key, equals, value = pair.partition("=")
        if not equals or not key or not value:
            raise UsageError(f"--context `{pair}` is no KEY=VALUE")
        keys.setdefault(key, []).append(value)
    form: dict[str, Any] = {"context": keys} if keys else {}
    form |= {"action": list(actions)} if actions else {}
    form |= {"resource": list(resources)} if resources else {}
    try:
        return read_request_set(form)
    except PolicyError as error:
        found = f" `{error.found.strip('`')}`" if error.found else ""
        expected = f"; expected {error.expected}" if error.expected else ""
        raise UsageError(f"--{error.path[0]}{found}: {error.problem}{expected}") from None
