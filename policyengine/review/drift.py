"""Where what runs has other verdicts than what is declared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, NamedTuple

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from policyengine.review.joining import Identity, Joined

Kind = Literal["drifted", "better", "not_determined"]
_KINDS: Final[Mapping[tuple[str, str], Kind]] = {
    (PASS, FAIL): "drifted",
    (NOT_APPLICABLE, FAIL): "drifted",
    (UNKNOWN, FAIL): "drifted",
    (FAIL, PASS): "better",
    (FAIL, NOT_APPLICABLE): "better",
    (PASS, UNKNOWN): "not_determined",
}


class Drift(NamedTuple):
    """One rule on one joined resource. ``drifted``: what runs fails and what is declared does not; ``better``: the
    other way round; ``not_determined``: what is declared passes, and what runs could not be judged."""

    kind: Kind
    joined: Joined
    declared: Finding
    live: Finding


def drifts(
    joined: Iterable[Joined],
    declared: Mapping[Identity, Mapping[str, Finding]],
    live: Mapping[Identity, Mapping[str, Finding]],
) -> Iterator[Drift]:
    """Yield the differences, resource by resource; findings are by identity and rule."""
    for pair in joined:
        ours, theirs = declared.get(pair.declared, {}), live.get(pair.live, {})
        for rule in sorted(ours.keys() & theirs.keys()):
            kind = _KINDS.get((ours[rule].verdict, theirs[rule].verdict))
            if kind is not None:
                yield Drift(kind, pair, ours[rule], theirs[rule])
