"""What one side has and the other did not collect: that is no change."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from policyengine.model.resource import Coverage, Resource, is_covered
from policyengine.reports.text import plural
from policyengine.review.changes import Change
from policyengine.review.pairs import Pairing


def only_collected(pairing: Pairing, base: Coverage, head: Coverage) -> tuple[Pairing, list[Change]]:
    """Return the pairs that both sides can tell about, and what is left out.

    What runs and is on one side only is new or gone where the other side collected all of its type there. A side that says
    of nothing what it collected is taken as whole.
    """
    kept = []
    left: Counter[tuple[str, str, str, str]] = Counter()
    for pair in pairing.pairs:
        side = "base" if pair.base is None else "head" if pair.head is None else ""
        coverage = base if side == "base" else head
        if side and coverage and not _is_collected(pair.either, coverage):
            resource = pair.either
            left[side, resource.account or "", resource.region or "", resource.type] += 1
        else:
            kept.append(pair)
    told = [
        Change(
            "unreadable", "unclear", "low",
            f"the {side} did not collect all of {type_} in {account or 'no account'}/{region or 'no region'}: whether "
            f"{plural(number, 'resource')} {'is' if number == 1 else 'are'} {'new' if side == 'base' else 'gone'} is not known",
            None,
        )
        for (side, account, region, type_), number in sorted(left.items())
    ]  # fmt: skip
    return replace(pairing, pairs=kept), told


def _is_collected(resource: Resource, coverage: Coverage) -> bool:
    if resource.file is not None:
        return True
    return is_covered(coverage, resource.account or "", resource.region or "", resource.type)
