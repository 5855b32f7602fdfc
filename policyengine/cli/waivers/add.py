"""``policyengine waivers add`` and ``pin``: entries written where a person writes them, pinned to what they accept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from policyengine.cli.outputs import say
from policyengine.cli.waivers.common import Json, Used, failures, named, options, today, used
from policyengine.cli.waivers.looking import with_nearest
from policyengine.cli.waivers.writing import write_whole
from policyengine.config.waivers import Compensating, Waiver
from policyengine.model.errors import InputError, UsageError

if TYPE_CHECKING:
    from policyengine.config.waivers_reader import About

_TARGET = click.argument(
    "target", required=False, type=click.Path(path_type=Path, exists=True), metavar="[TARGET|RUN]"
)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 written; 2 a mistake: nothing was written.",
)
@_TARGET
@options
@click.option("--id", "id_", metavar="ID", help="what it is called (default: the next free W-N)")
@click.option(
    "--rule", "rules", multiple=True, required=True, metavar="ID", help="the rule it waives; may repeat"
)
@click.option("--resource", "resources", multiple=True, metavar="NAME", help="id, ARN, FILE:ID; may repeat")
@click.option("--account", "accounts", multiple=True, metavar="ID", help="only in this account; may repeat")
@click.option("--ou", "ous", multiple=True, metavar="ID", help="only below this OU; may repeat")
@click.option("--tag", "tags", multiple=True, metavar="KEY=VALUE", help="only with this tag; may repeat")
@click.option("--in-place", is_flag=True, help="only where code refers to it: `# policyengine:waiver ID`")
@click.option("--owner", required=True, metavar="WHO", help="who owns what is waived")
@click.option("--approver", required=True, metavar="WHO", help="who accepts it; somebody else")
@click.option("--reason", required=True, metavar="TEXT")
@click.option("--ticket", required=True, metavar="TEXT")
@click.option("--granted", metavar="DAY", help="the first day on which it holds (default: today)")
@click.option("--expires", metavar="DAY", help="the first day on which it no longer holds")
@click.option("--days", type=click.IntRange(1, 3660), metavar="N", help="instead of --expires")
@click.option("--compensating", metavar="RULE[=RESOURCE]", help="it holds only while this rule passes")
@click.option("--no-pin", is_flag=True, help="accept whatever values there are and will be")
def add(target: Path | None, **given: Any) -> int:
    """Write a waiver to `waivers.yaml`; what stands there stays as it is, byte for byte.

    A waiver of a resource is pinned to the values its rule reads in TARGET or RUN, and lapses when they change.
    """
    found = used(given, [str(target)] if target is not None and given["config"] is None else (), new=True)
    waiver = _waiver(given, found)
    if (waiver.resources or waiver.in_place) and not given["no_pin"]:
        if target is None:
            raise UsageError("name a TARGET or RUN to pin the waiver to what it has, or give --no-pin")
        _text(waiver, found)  # a mistake is told before anything is judged
        waiver = _pinned(waiver, target, given)
    write_whole(found.file, _text(waiver, found))
    say(
        f"wrote {waiver.id} to {found.file}: {', '.join(waiver.rules)} ({waiver.scope}) until {waiver.expires}"
    )
    if waiver.in_place:
        say(f"note: it holds where code refers to it: `# policyengine:waiver {waiver.id}`, or in `Metadata`")
    if waiver.is_broad:
        say(f"warning: {waiver.id} is over-broad: it accepts every failure of its rule")
    if waiver.compensating is not None:
        say(
            f"note: it holds only while {waiver.compensating.rule} passes: `policyengine waivers check TARGET` says whether"
        )
    if found.config is None:
        say("note: there is no policyengine.yaml: scans read it with `--waivers`")
    if found.waiving.approvers:
        say(f"note: it holds when {waiver.approver} has signed it: `policyengine waivers sign {waiver.id}`")
    return 0


def _waiver(given: Mapping[str, Any], found: Used) -> Waiver:
    from policyengine.cli.inputs import read_pairs

    if (given["expires"] is None) == (given["days"] is None):
        raise UsageError("give --expires DAY or --days N")
    granted = given["granted"] or today(given["as_of"])
    expires = given["expires"]
    if expires is None:
        try:
            expires = (date.fromisoformat(granted) + timedelta(days=given["days"])).isoformat()
        except (ValueError, OverflowError):
            raise UsageError(f"--granted `{granted}` is no day such as 2026-12-31") from None
    return Waiver(
        given["id_"] or _free_id(found), tuple(given["rules"]), given["owner"], given["approver"], given["reason"],
        given["ticket"], granted, expires, resources=tuple(given["resources"]), accounts=tuple(given["accounts"]),
        ous=tuple(given["ous"]), tags=read_pairs("--tag", given["tags"]),
        compensating=_compensating(given, found), in_place=given["in_place"],
    )  # fmt: skip


def _compensating(given: Mapping[str, Any], found: Used) -> Compensating | None:
    """Return what has to pass for the waiver to hold. Raises UsageError for no rule, or for one that is waived itself."""
    from policyengine.rules.names import unknown

    text = given["compensating"]
    if text is None:
        return None
    rule, equals, resource = text.partition("=")
    known = {form["id"] for form in found.pack.rules}
    if not rule or (equals and not resource):
        raise UsageError(f"--compensating `{text}`: expected RULE or RULE=RESOURCE")
    if rule not in known:
        raise UsageError(f"--compensating `{text}`: {unknown('rule', rule, known)}")
    if rule in given["rules"] and not equals:
        raise UsageError(
            f"--compensating `{text}`: the rule fails where it is waived; name another rule, or {rule}=RESOURCE of another "
            "resource"
        )
    return Compensating(rule, resource if equals else None)


def _free_id(found: Used) -> str:
    taken = {waiver.id for waiver in found.waiving.waivers}
    number = len(taken) + 1
    while f"W-{number}" in taken:
        number += 1
    return f"W-{number}"


def _pinned(waiver: Waiver, target: Path, given: Mapping[str, Any]) -> Waiver:
    """Return the waiver with the values its rules read now. Raises InputError where nothing fails that it is about."""
    from dataclasses import replace

    pins = {
        each.finding.id: each.pin
        for each in failures(target, {**given, "waiver_files": ()}, waiver.rules)
        if (not waiver.resources or any(name in waiver.resources for name in each.names))
        and (not waiver.in_place or waiver.id in each.references)
        and (not waiver.accounts or each.finding.account in waiver.accounts)
    }
    if not pins:
        rules = ", ".join(f"`{rule}`" for rule in waiver.rules)
        raise InputError(
            f"nothing fails {rules} on {waiver.scope} in `{target}`: there is nothing to accept; --no-pin writes it all "
            "the same"
        )
    return replace(waiver, pins=pins)


def _text(waiver: Waiver, found: Used) -> bytes:
    """Return the file with the entry, which reads as it should. Raises ConfigError."""
    from policyengine.cli.configured import display
    from policyengine.config.waivers_text import entry_of, with_entry

    name = display(found.file)
    before = found.file.read_bytes() if found.file.exists() else b""
    after = with_entry(before, name, entry_of(waiver))
    _read(after, name, found)
    return after


def _read(data: bytes, name: str, found: Used) -> None:
    """Raise ConfigErrors for what is wrong with a file of waivers that is to be written."""
    from policyengine.config.waivers_reader import read_waivers

    read_waivers(data, name, _about(data, name, found))


def _about(data: bytes, name: str, found: Used) -> About:
    from policyengine.config.waivers_reader import About
    from policyengine.documents import load

    own = load(data, name=name, syntax="yaml", style="strict").value["waivers"]
    here = {each.get("id") for each in own[:-1] if isinstance(each, dict)}
    others = {waiver.id: None for waiver in found.waiving.waivers if waiver.id not in here}
    return About({form["id"] for form in found.pack.rules}, found.waiving.maximum_days, seen=dict(others))


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 written; 2 nothing fails that the waiver is about, or a mistake: nothing was written.",
)
@click.argument("id_", metavar="ID")
@click.argument("target", type=click.Path(path_type=Path, exists=True), metavar="TARGET|RUN")
@options
def pin(id_: str, target: Path, **given: Any) -> int:
    """Pin the waiver ID to the values its rule reads in TARGET or RUN now: whoever does accepts these values.

    A signature is over the old ones, so it has to be given again.
    """
    from policyengine.cli.configured import display
    from policyengine.config.waivers_text import with_key

    given = dict(with_nearest(given, target))
    found = used(given)
    waiver = _pinned(named(found.waiving, id_), target, given)
    pins = {finding: dict(each) for finding, each in (waiver.pins or {}).items()}
    file = file_of(found, given, id_)
    write_whole(file, with_key(file.read_bytes(), display(file), id_, "pin", pins))
    say(f"pinned {id_} to what {len(pins)} {'failure' if len(pins) == 1 else 'failures'} rest on")
    if waiver.signature is not None:
        say(
            f"note: the signature of {waiver.approver} is over other values; `policyengine waivers sign {id_}` gives it again"
        )
    return 0


def file_of(found: Used, given: Mapping[str, Any], id_: str) -> Path:
    """Return the file in which a waiver stands."""
    from policyengine.config.waivers_reader import file_names
    from policyengine.documents import load

    files: Sequence[Path] = given["waiver_files"] or file_names(found.waiving, found.config)
    for file in files:
        value: Any = load(file.read_bytes(), name=str(file), syntax="yaml", style="strict").value
        listed: list[Json] = (value or {}).get("waivers") or []
        if any(each["id"] == id_ for each in listed):
            return file
    raise InputError(f"there is no waiver `{id_}`")
