"""What a snapshot covers that a collection which is to stand in its place does not: nobody loses it unawares."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from policyengine.sources.base import Coverage
from policyengine.sources.live.collection import Target
from policyengine.sources.live.plan import GLOBAL, Plan
from policyengine.sources.snapshot.manifest import NO_TYPE, Manifest

_NAMED: Final = 3


def not_asked(
    old: Manifest,
    plan: Plan,
    targets: Sequence[Target],
    regions: Collection[str],
    left_out: Callable[[str], bool],
) -> str:
    """Say what the snapshot of a manifest holds that a collection is not going to ask for; "" where that is nothing.

    ``regions`` are those the collection is limited to; empty: all that are enabled. ``left_out`` says of an account
    that is no target whether somebody chose so: of one that was closed nothing can be asked any more.
    """
    organization = {target.id: target.organization for target in targets}
    types = {manages: _types(plan, organization=manages) for manages in set(organization.values())}

    def has_place(account: str, region: str) -> bool:
        return account in organization and (region == GLOBAL or not regions or region in regions)

    def is_asked(account: str, region: str, type: str) -> bool:
        if account not in organization:
            return not left_out(account)
        if not has_place(account, region):
            return False
        return type == NO_TYPE or (region == GLOBAL, type) in types[organization[account]]

    held = {(part.account, part.region, NO_TYPE) for part in old.parts if part.account and part.region}
    held |= {triple for triple in old.coverage if triple[2] != NO_TYPE}
    lost = [triple for triple in held if not is_asked(*triple)]
    return _said(lost, organization.__contains__, has_place)


def not_covered(old: Coverage, new: Coverage) -> str:
    """Say what one coverage has and another one lacks; "" where that is nothing."""
    whole = {triple for triple in new if triple[2] != NO_TYPE}
    places = {triple[:2] for triple in whole}
    accounts = {account for account, _ in places}
    lost = [triple for triple in old - whole if triple[2] != NO_TYPE]
    return _said(lost, accounts.__contains__, lambda account, region: (account, region) in places)


def _types(plan: Plan, *, organization: bool) -> set[tuple[bool, str]]:
    """Return (whether it is global, type) of all that is asked for in an account, satellites among them."""
    also = {c.types: tuple(getattr(c, "also", ())) for c in plan.collectors}
    return {
        (task.place == GLOBAL, type)
        for task in plan.tasks("", "aws", ("any",), organization=organization)
        for type in (*task.types, *also[task.types])
    }


def _said(
    lost: Iterable[tuple[str, str, str]],
    has_account: Callable[[str], bool],
    has_place: Callable[[str, str], bool],
) -> str:
    accounts, regions, types = set(), set(), set()
    for account, region, type in lost:
        if not has_account(account):
            accounts.add(account)
        elif not has_place(account, region):
            regions.add(region)
        else:
            types.add(type)
    found = (("account", accounts), ("region", regions), ("type", types))
    return "; ".join(_named(what, sorted(names)) for what, names in found if names)


def _named(what: str, names: list[str]) -> str:
    more = len(names) - _NAMED
    rest = f" and {more:,} more" if more > 0 else ""
    return f"{what}{'s' * (len(names) > 1)} {', '.join(names[:_NAMED])}{rest}"
