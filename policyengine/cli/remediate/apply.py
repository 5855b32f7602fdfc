"""``remediate apply``, ``rollback``, ``recover`` and ``switch``: what changes something."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK
from policyengine.cli.remediate.session import account_options, open_live, open_the_store, store_option, who
from policyengine.model.errors import InputError
from policyengine.remediate.api import Refused
from policyengine.remediate.kernel import Kernel, Outcome
from policyengine.remediate.plan import plan_hash
from policyengine.sources.paths import printable
from policyengine.store.actions import VERIFIED, Action, ConflictError, NoSuchActionError

_WELL: Final = frozenset({VERIFIED, "rolled_back", "expired"})


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("plan", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--action", "only", multiple=True, metavar="ID", help="only this action of the plan; may repeat"
)
@click.option(
    "--approve-as", "approver", metavar="WHO", help="approve first, as this person; not who asked for it"
)
@account_options
def apply(plan: Path, only: tuple[str, ...], approver: str | None, **options: Any) -> int:
    """Carry out PLAN, the file that `remediate plan -o` wrote.

    Each action is planned again under a lock; where that gives another plan, it is refused. What was there is saved
    before the first call, and taken back where the change does not hold. Limits are kept for all together or none.
    """
    actions = _actions(plan, only)
    kernel = open_live(options).kernel
    hashes = {each["id"]: each["hash"] for each in actions}
    refused = _approved(kernel, hashes, approver) if approver is not None else {}
    outcomes = kernel.apply([id for id in hashes if id not in refused], hashes)
    for id, why in refused.items():
        click.echo(f"{id}  not approved: {printable(why.text)}")
    return _told(outcomes) if not refused else max(_told(outcomes), EXIT_FAIL)


def _actions(file: Path, only: Sequence[str]) -> list[dict[str, Any]]:
    """Read a file of plans; one that was edited is refused here already. Raises InputError."""
    try:
        body = json.loads(file.read_bytes())
        actions = [each for each in body["actions"] if not only or each["id"] in only]
        altered = [each["id"] for each in actions if plan_hash(each["plan"]) != each["hash"]]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise InputError(
            f"`{file}` is no file of plans; `policyengine remediate plan TARGET -o FILE` writes one"
        ) from None
    if altered:
        raise InputError(
            f"`{file}`: the plan of {altered[0]} is not the one that was made: its hash differs. Nothing was changed; "
            "plan it again",
            code="altered",
        )
    if not actions:
        raise InputError(f"`{file}` holds no action{' of these ids' if only else ''}")
    return actions


def _approved(kernel: Kernel, hashes: dict[str, str], approver: str) -> dict[str, Refused]:
    refused = {}
    for id, hash in hashes.items():
        try:
            kernel.approve(id, approver, hash)
        except Refused as why:
            refused[id] = why
        except NoSuchActionError:
            raise InputError(
                f"the store knows no action `{id}`: was it planned with another --store?"
            ) from None
        except ConflictError:
            refused[id] = Refused("busy", "somebody else changes the action; try again")
    return refused


def _told(outcomes: Sequence[Outcome]) -> int:
    for outcome in outcomes:
        click.echo(_line(outcome))
    bad = [
        o for o in outcomes if o.refusal is not None or (o.action is not None and o.action.state not in _WELL)
    ]
    return EXIT_FAIL if bad else EXIT_OK


def _line(outcome: Outcome) -> str:
    action, refusal = outcome.action, outcome.refusal
    if refusal is not None:
        return f"{action.id if action else '-'}  refused ({refusal.code}): {printable(refusal.text)}"
    assert action is not None
    return describe(action)


def describe(action: Action) -> str:
    """Return an action on one line."""
    place = action.plan["resource"]
    where = f"{place['type']} {place['id']} {place['account']} {place['region']}"
    why = f": {action.reason}" if action.reason else ""
    return printable(f"{action.id}  {action.state}  {action.handler}  {where}{why}")


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("action")
@click.option("--as", "asker", metavar="WHO", help="who takes it back (default: your user name)")
@account_options
def rollback(action: str, asker: str | None, **options: Any) -> int:
    """Take back what ACTION changed, if what is there is still what it left."""
    kernel = open_live(options).kernel
    try:
        outcome = kernel.rollback(action, who(asker))
    except NoSuchActionError:
        raise InputError(
            f"the store knows no action `{action}`; `policyengine remediate status` lists them"
        ) from None
    return _told([outcome])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@account_options
def recover(**options: Any) -> int:
    """Go on with changes whose process was killed, and end plans that have run out."""
    outcomes = open_live(options).kernel.recover()
    if not outcomes:
        click.echo("nothing was left behind")
    return _told(outcomes)


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("state", type=click.Choice(["off", "on"]))
@click.option("--why", required=True, metavar="TEXT", help="shown to everybody who is refused")
@click.option("--as", "asker", metavar="WHO", help="who switches (default: your user name)")
@click.option(
    "--profile", metavar="NAME", help="profile of the AWS configuration files, for a store in DynamoDB"
)
@store_option
def switch(state: str, why: str, asker: str | None, profile: str | None, where: str | None) -> int:
    """Switch remediation off, or on again, for everybody who uses the store."""
    from policyengine.remediate.breaker import switch as set_switch

    now = datetime.now(UTC).isoformat(timespec="seconds")
    set_switch(open_the_store(where, profile), off=state == "off", who=who(asker), why=why, at=now)
    click.echo(f"remediation is {state}")
    return EXIT_OK
