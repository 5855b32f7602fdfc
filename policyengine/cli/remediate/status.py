"""``remediate status`` and ``remediate log``: what stands where, and what was done, in order."""

from __future__ import annotations

import json
from typing import Any

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK
from policyengine.cli.remediate.apply import describe
from policyengine.cli.remediate.session import open_the_store, store_option
from policyengine.cli.remediate.show import show_plan
from policyengine.model.errors import InputError
from policyengine.sources.paths import printable
from policyengine.store.actions import STATES, NoSuchActionError

_PROFILE = click.option(
    "--profile", metavar="NAME", help="profile of the AWS configuration files, for a store in DynamoDB"
)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("action", required=False)
@click.option("--state", "states", multiple=True, type=click.Choice(STATES), help="only these; may repeat")
@click.option(
    "--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True
)
@_PROFILE
@store_option
def status(
    action: str | None, states: tuple[str, ...], form: str, profile: str | None, where: str | None
) -> int:
    """List actions, the newest first, or show one ACTION with its plan and every call."""
    store = open_the_store(where, profile)
    if action is None:
        found = list(store.find(states=states))
        if form == "json":
            click.echo(json.dumps([each.to_json() for each in found], indent=1))
            return EXIT_OK
        for each in found:
            click.echo(describe(each))
        click.echo(f"{len(found)} actions")
        return EXIT_OK
    try:
        one = store.get(action)
    except NoSuchActionError:
        raise InputError(
            f"the store knows no action `{action}`; `policyengine remediate status` lists them"
        ) from None
    if form == "json":
        click.echo(json.dumps(one.to_json(), indent=1))
        return EXIT_OK
    show_plan(one.id, one.state, one.plan)
    click.echo(describe(one))
    for approval in one.approvals:
        click.echo(
            printable(f"  approved by {approval['who']} at {approval['at']}, until {approval['expires_at']}")
        )
    for step in one.done:
        request = f" (request {step['request_id']})" if step.get("request_id") else ""
        click.echo(printable(f"  step `{step['step']}` {step['state']} at {step['at']}{request}"))
    return EXIT_OK


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--verify", is_flag=True, help="recompute the hash chain instead of showing the entries")
@click.option("--action", metavar="ID", help="only entries of this action")
@_PROFILE
@store_option
def log(verify: bool, action: str | None, profile: str | None, where: str | None) -> int:
    """Show the journal, one JSON object a line; or verify that none of it was changed, left out or reordered.

    Whether its end was cut off can only be told by the last hash, kept elsewhere: --verify prints it.
    """
    store = open_the_store(where, profile)
    if not verify:
        for entry in store.journal():
            if action is None or entry.action == action:
                click.echo(json.dumps(entry._asdict(), separators=(",", ":")))
        return EXIT_OK
    from policyengine.store.chain import verify as check

    last: list[Any] = []

    def passed() -> Any:
        for entry in store.journal():
            last[:] = [entry]
            yield entry

    head = store.head()
    problem = check(passed(), head=head)
    if problem is not None:
        click.echo(f"the journal is not whole: {problem}")
        return EXIT_FAIL
    click.echo(
        f"{last[0].seq} entries, the chain is whole; it ends with {last[0].hash}"
        if last
        else "the journal is empty"
    )
    return EXIT_OK
