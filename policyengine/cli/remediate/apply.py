"""``remediate apply``, ``rollback``, ``recover`` and ``switch``: what changes something."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK
from policyengine.cli.remediate.session import account_options, open_live, open_the_store, store_option, who
from policyengine.cli.remediate.told import advice
from policyengine.cli.remediate.words import line, say
from policyengine.model.errors import InputError
from policyengine.model.formats import refused
from policyengine.remediate.api import Refused
from policyengine.remediate.kernel import Kernel, Outcome
from policyengine.remediate.plan import plan_hash
from policyengine.store.actions import VERIFIED, Action, ConflictError, NoSuchActionError, Note

SCHEMA: Final = "policyengine/remediation-outcomes/v1"
PLANS: Final = "policyengine/remediation-plans/v1"
_FORMAT: Final = click.option(
    "--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True
)
_WELL: Final = frozenset({VERIFIED, "rolled_back", "expired"})


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("plan", type=click.Path(path_type=Path, exists=True))
@click.option(
    "--action", "only", multiple=True, metavar="ID", help="only this action of the plan; may repeat"
)
@click.option(
    "--approve-as", "approver", metavar="WHO", help="approve first, as this person; not who asked for it"
)
@_FORMAT
@account_options
def apply(plan: Path, only: tuple[str, ...], approver: str | None, **options: Any) -> int:
    """Carry out PLAN, the file that `remediate plan -o` wrote.

    Each action is planned again under a lock; where that gives another plan, it is refused. What was there is saved
    before the first call, and taken back where the change does not hold. Limits are kept for all together or none.
    """
    actions = _actions(plan, only)
    kernel = open_live(options).kernel
    hashes = {each["id"]: each["hash"] for each in actions}
    _known(kernel, hashes)
    refused = _approved(kernel, hashes, approver) if approver is not None else {}
    outcomes = kernel.apply([id for id in hashes if id not in refused], hashes, by=who(None))
    outcomes += [Outcome(kernel.store.get(id), why) for id, why in refused.items()]
    return _told(outcomes, options["form"])


def _actions(file: Path, only: Sequence[str]) -> list[dict[str, Any]]:
    """Read a file of plans; one that was edited is refused here already. Raises InputError."""
    try:
        body = json.loads(file.read_bytes())
        wrong = refused(body["schema"], PLANS)
        if wrong is not None:
            raise InputError(f"`{file}` is no file of plans that can be read: {wrong}")
        actions = [each for each in body["actions"] if not only or each["id"] in only]
        altered = [str(each["id"]) for each in actions if plan_hash(each["plan"]) != each["hash"]]
        if not all(isinstance(each["id"], str) for each in actions):
            raise TypeError("an id is a text")
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
    missing = set(only) - {each["id"] for each in actions}
    if missing:
        raise InputError(
            f"`{file}` holds no action `{min(missing)}`; it holds {', '.join(each['id'] for each in body['actions'])}"
        )
    if not actions:
        raise InputError(f"`{file}` holds no action: nothing was planned")
    return actions


def _known(kernel: Kernel, ids: Iterable[str]) -> None:
    """Raise InputError where an action is none of this store's, before any of them is approved or changed."""
    for id in ids:
        try:
            kernel.store.get(id)
        except NoSuchActionError:
            raise InputError(
                f"the store knows no action `{id}`: was it planned with another --store? Nothing was changed"
            ) from None


def _approved(kernel: Kernel, hashes: dict[str, str], approver: str) -> dict[str, Refused]:
    refused = {}
    for id, hash in hashes.items():
        try:
            kernel.approve(id, approver, hash)
        except Refused as why:
            refused[id] = why
        except ConflictError:
            refused[id] = Refused("busy", "somebody else changes the action; try again")
    return refused


def _told(outcomes: Sequence[Outcome], form: str) -> int:
    bad = [
        o for o in outcomes if o.refusal is not None or (o.action is not None and o.action.state not in _WELL)
    ]
    if form == "json":
        click.echo(
            json.dumps({"schema": SCHEMA, "outcomes": [_outcome(each) for each in outcomes]}, indent=1)
        )
        return EXIT_FAIL if bad else EXIT_OK
    refused: dict[tuple[str, str, str], list[str]] = {}
    for action, refusal in outcomes:
        if refusal is None:
            assert action is not None
            line(describe(action))
            if action.state == VERIFIED:
                line(f"  to take it back: policyengine remediate rollback {action.id}")
        else:
            alike = (refusal.code, refusal.text, advice(refusal, action))
            refused.setdefault(alike, []).append(action.id if action else "-")
    for (code, text, hint), ids in refused.items():
        if len(ids) == 1:
            say(text, f"{ids[0]}  refused ({code}): ")
        else:
            say(text, f"refused ({code}), {len(ids)} actions: ")
            say(" ".join(ids), "  ")
        if hint:
            say(hint, "  what to do: ")
    return EXIT_FAIL if bad else EXIT_OK


def _outcome(outcome: Outcome) -> dict[str, Any]:
    action, refusal = outcome
    return {
        "id": action.id if action else None,
        "state": action.state if action else None,
        "code": refusal.code if refusal else (action.code if action else ""),
        "reason": refusal.text if refusal else (action.reason if action else ""),
        "refused": refusal is not None,
        "request_ids": [each["request_id"] for each in action.done if each.get("request_id")]
        if action
        else [],
    }


def describe(action: Action) -> str:
    """Return an action on one line."""
    place = action.plan["resource"]
    where = f"{place['type']} {place['id']}  {place['account']} {place['region']}"
    code = f" ({action.code})" if action.code else ""
    why = f": {action.reason}" if action.reason else ""
    return f"{action.id}  {action.state}{code}  {action.handler}  {where}{why}"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("action")
@click.option("--as", "asker", metavar="WHO", help="who takes it back (default: your user name)")
@_FORMAT
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
    return _told([outcome], options["form"])


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@_FORMAT
@account_options
def recover(**options: Any) -> int:
    """Go on with changes whose process was killed, and end plans that have run out."""
    outcomes = open_live(options).kernel.recover()
    if not outcomes and options["form"] != "json":
        click.echo("nothing was left behind")
    return _told(outcomes, options["form"])


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
    store, name = open_the_store(where, profile), who(asker)
    set_switch(store, off=state == "off", who=name, why=why, at=now)
    store.note(Note(now, "", "note", {"switch": state, "by": name, "why": why}))
    click.echo(f"remediation is {state}")
    return EXIT_OK
