"""The heat map: accounts against the controls of one framework, open failures in each cell.

Many accounts or controls do not fit a page: the worst are shown, and what is left out is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from policyengine.reports.controls import ControlResult
from policyengine.reports.html.counts import Cell, Counts

MAX_ACCOUNTS: Final = 25
MAX_CONTROLS: Final = 20
SHADES: Final = 5
"""Darkness 1 to 5 of a cell with failures."""


class Square(NamedTuple):
    """A cell: ``shade`` is 0 for none failing, 1..5 by share, ``u`` only unknown, ``n`` nothing to judge."""

    cell: Cell
    shade: str


class Row(NamedTuple):
    """An account with its squares and its sum over everything that was judged."""

    account: str
    squares: Sequence[Square]
    total: Cell


class Heat(NamedTuple):
    """The map of one framework, "" for rules where no framework is given."""

    framework: str
    title: str
    columns: Sequence[str]
    rows: Sequence[Row]
    accounts: int
    controls: int
    """How many accounts and controls there are with anything failing or unknown."""
    rest: Cell | None
    """What the accounts that are left out have together."""


def _worse(cell: Cell) -> tuple[int, int]:
    return (-cell.open, -cell.unknown)


def _square(cell: Cell) -> Square:
    if not cell.total:
        return Square(cell, "n")
    if cell.open:
        return Square(cell, str(min(SHADES, 1 + cell.open * SHADES // (cell.total + 1))))
    return Square(cell, "u" if cell.unknown else "0")


def _ranked(counts: Counts) -> dict[str, Cell]:
    """Return every known account with its sum, the worst first."""
    totals = {account: counts.account(account) for account in counts.accounts if account}
    return dict(sorted(totals.items(), key=lambda pair: (_worse(pair[1]), pair[0])))


def heat(
    framework: str,
    title: str,
    columns: Mapping[str, Sequence[str]],
    counts: Counts,
    totals: Mapping[str, Cell],
) -> Heat | None:
    """Return the map; ``columns``: control -> its rules, ``totals``: accounts, the worst first. None where nothing
    fails or is unknown, or no account is known."""
    if not totals:
        return None
    bad = {name: list(rules) for name, rules in columns.items() if _fails(counts, rules)}
    if not bad:
        return None
    ranked = list(totals)
    order = {name: at for at, name in enumerate(columns)}
    chosen = sorted(bad, key=lambda name: (_weight(counts, bad[name]), order[name]))[:MAX_CONTROLS]
    chosen.sort(key=order.__getitem__)
    rows = [
        Row(account, [_square(counts.cell(account, bad[name])) for name in chosen], totals[account])
        for account in ranked[:MAX_ACCOUNTS]
    ]
    left = [totals[account] for account in ranked[MAX_ACCOUNTS:]]
    rest = Cell(*(sum(cell[kind] for cell in left) for kind in range(3))) if left else None
    return Heat(framework, title, chosen, rows, len(ranked), len(bad), rest)


def _fails(counts: Counts, rules: Sequence[str]) -> bool:
    return any(_weight(counts, rules))


def _weight(counts: Counts, rules: Sequence[str]) -> tuple[int, int]:
    found = [counts.rules[rule] for rule in rules if rule in counts.rules]
    return (-sum(numbers[0] for numbers in found), -sum(numbers[1] for numbers in found))


def heats(results: Sequence[ControlResult], titles: Mapping[str, str], counts: Counts) -> list[Heat]:
    """Return a map for each framework; one of rules where there is no framework."""
    totals = _ranked(counts)
    frameworks: dict[str, dict[str, list[str]]] = {}
    for result in results:
        frameworks.setdefault(result.framework, {})[result.control] = [rule for rule, _ in result.rules]
    if not frameworks:
        found = heat("", "Rules", {rule: [rule] for rule in sorted(counts.rules)}, counts, totals)
        return [found] if found else []
    made = (
        heat(name, titles.get(name, name), columns, counts, totals) for name, columns in frameworks.items()
    )
    return [one for one in made if one is not None]
