"""``remediate status`` and ``remediate log``: what stands where, and what was done, in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK
from policyengine.cli.remediate.apply import describe
from policyengine.cli.remediate.plan import plans_file, write_plans
from policyengine.cli.remediate.session import open_the_store, store_option
from policyengine.cli.remediate.show import show_plan
from policyengine.cli.remediate.values import inline
from policyengine.cli.remediate.words import line, short
from policyengine.model.errors import InputError, UsageError
from policyengine.store.actions import (
    APPROVED,
    PLANNED,
    STATES,
    Action,
    ActionStore,
    Entry,
    NoSuchActionError,
)

_FIRST: Final = (
    "call", "step", "request_id", "error", "as", "code", "by", "approved_by", "type", "id", "account", "region", "rule"
)  # fmt: skip
"""Members of entries that tell what it is about, in this order; the others follow."""

_PROFILE = click.option(
    "--profile", metavar="NAME", help="profile of the AWS configuration files, for a store in DynamoDB"
)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("action", required=False)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="only these; may repeat")
@click.option(
    "--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True
)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE",
    help="write the plans of what is shown and waits here, for `apply`: those that a function in AWS made, too",
)  # fmt: skip
@_PROFILE
@store_option
def status(
    action: str | None,
    states: tuple[str, ...],
    form: str,
    output: Path | None,
    profile: str | None,
    where: str | None,
) -> int:
    """List actions, the newest first, or show one ACTION with its plan and every call."""
    store = open_the_store(where, profile)
    if output is not None:
        chosen = [_known(store, action)] if action is not None else list(store.find(states=states))
        waiting = [each for each in chosen if each.state in (PLANNED, APPROVED)]
        write_plans(output, plans_file("", waiting), quiet=form == "json")
    if action is None:
        found = list(store.find(states=states))
        if form == "json":
            click.echo(json.dumps([each.to_json() for each in found], indent=1))
            return EXIT_OK
        for each in found:
            line(f"{short(each.updated_at)}  {describe(each)}")
        click.echo(f"{len(found)} action{'' if len(found) == 1 else 's'}")
        return EXIT_OK
    one = _known(store, action)
    history = [each for each in store.journal() if each.action == action]
    if form == "json":
        click.echo(json.dumps({**one.to_json(), "journal": [each._asdict() for each in history]}, indent=1))
        return EXIT_OK
    show_plan(one.id, one.state, one.plan)
    _show_history(one, history)
    return EXIT_OK


def _known(store: ActionStore, action: str) -> Action:
    try:
        return store.get(action)
    except NoSuchActionError:
        raise InputError(
            f"the store knows no action `{action}`; `policyengine remediate status` lists them"
        ) from None


def _show_history(action: Action, history: list[Entry]) -> None:
    """Print who did what: from the request over approvals and calls to the end."""
    line("history", bold=True)
    for entry in history:
        line(f"  {entry.seq:>5}  {short(entry.at)}  {sentence(entry)}")
    for approval in action.approvals:
        line(f"  the approval of {approval['who']} holds until {short(approval['expires_at'])}")
    line(describe(action))


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--verify", is_flag=True, help="recompute the hash chain instead of showing the entries")
@click.option(
    "--kept",
    metavar="HASH",
    help="with --verify: a hash that --verify printed before, which has to be in the chain",
)
@click.option("--action", metavar="ID", help="only entries of this action")
@click.option(
    "--format", "form", type=click.Choice(["terminal", "ndjson"]), default="terminal", show_default=True,
    help="ndjson: one JSON object a line, with the hashes",
)  # fmt: skip
@_PROFILE
@store_option
def log(
    verify: bool, kept: str | None, action: str | None, form: str, profile: str | None, where: str | None
) -> int:
    """Show the journal: number, time, action, what happened; or verify that none of it was changed, left out or reordered.

    Each entry is hashed together with the hash of the one before. Somebody who may write to the store can still write
    a whole new journal: keep the hash that --verify prints elsewhere, and give it to a later --verify with --kept.
    Names of people are as they gave them; `as` is the identity that AWS knows of the caller.
    """
    if kept is not None and not verify:
        raise UsageError("--kept goes with --verify")
    store = open_the_store(where, profile)
    if verify:
        return _verify(store, kept)
    for entry in store.journal():
        if action is not None and entry.action != action:
            continue
        if form == "ndjson":
            click.echo(json.dumps(entry._asdict(), separators=(",", ":")))
        else:
            line(f"{entry.seq:>6}  {short(entry.at)}  {entry.action or '-':24}  {sentence(entry)}")
    return EXIT_OK


def _verify(store: ActionStore, kept: str | None) -> int:
    from policyengine.store.chain import verify as check

    last: list[Entry] = []
    seen: list[int] = []

    def passed() -> Iterator[Entry]:
        for entry in store.journal():
            last[:] = [entry]
            if entry.hash == kept:
                seen.append(entry.seq)
            yield entry

    head = store.head()
    problem = check(passed(), head=head)
    if problem is not None:
        line(f"the journal is not whole: {problem}")
        return EXIT_FAIL
    if kept is not None and not seen:
        line(
            f"no entry has the hash {kept}: the journal was written anew, or its end was cut off, since that was kept"
        )
        return EXIT_FAIL
    if not last:
        line("the journal is empty")
        return EXIT_OK
    line(f"{last[0].seq} entries, the chain is whole; it ends with {last[0].hash}")
    if seen:
        line(f"entry {seen[0]} has the hash that was kept: nothing up to it was changed since")
    return EXIT_OK


def sentence(entry: Entry) -> str:
    """Return an entry of the journal as a line: its kind, then its members, those that identify first."""
    order = {name: number for number, name in enumerate(_FIRST)}
    names = sorted(entry.body, key=lambda name: (order.get(name, len(order)), name))
    return (
        f"{entry.kind:15} {'  '.join(f'{name}={_short_value(entry.body[name])}' for name in names)}".rstrip()
    )


def _short_value(value: Any) -> str:
    plain = isinstance(value, str) and value and " " not in value and '"' not in value
    return str(value) if plain else inline(value)
