"""What is known of properties: which may be set by themselves, and what setting them does to what runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.documents import load

EFFECTS: Final[Mapping[str, str]] = {
    "refused": "CloudFormation refuses it on what exists",
    "replaces": "the resource is replaced",
    "interrupts": "it interrupts",
    "access": "it may cut off access",
    "behaves": "it changes how things behave",
    "costs": "it costs",
    "loses": "it deletes",
    "permanent": "it cannot be undone",
    "placeholder": "it writes a placeholder",
}
"""Closed table: what makes a fix unsafe -> how a reader is told."""

_FILE: Final = Path(__file__).parent / "data" / "properties.yaml"


class Effect(NamedTuple):
    """One thing that a change does to what runs: a word of :data:`EFFECTS`, and the reason."""

    kind: str
    why: str

    def __str__(self) -> str:
        return f"{EFFECTS[self.kind]}: {self.why}"


class Known(NamedTuple):
    """One property. ``choose`` is the value where a rule leaves several, and of a switch or a word the only one (None
    without one), ``values`` all numbers that AWS takes, ``others`` that a rule may name another word; ``also`` what
    has to be set with it, ``not_with`` properties it does not go with; ``new`` that a list may get an element for it,
    which needs no more than what the rule asks."""

    effects: tuple[Effect, ...]
    choose: Any = None
    safe: bool = False
    unless: tuple[str, ...] = ()
    new: bool = False
    also: Mapping[str, Any] = {}
    not_with: tuple[str, ...] = ()
    values: tuple[int, ...] = ()
    others: bool = False

    def takes(self, value: Any) -> bool:
        """Say whether a fix may write a value: of a switch or a word only the one that protects."""
        if isinstance(value, bool):
            return value is (True if self.choose is None else self.choose)
        return self.others or not isinstance(self.choose, str) or value == self.choose

    def effects_beside(self, present: Sequence[str]) -> tuple[Effect, ...]:
        """Return what setting it does on a resource that has these properties."""
        if self.safe and not set(self.unless) & set(present):
            return ()
        return self.effects


def known(type_: str, steps: Sequence[str | int]) -> Known | None:
    """Return what is known of a property; None for one that is not set by itself."""
    return table().get(type_, {}).get(dotted(steps))


def dotted(steps: Sequence[str | int]) -> str:
    """Return the steps of a path as the table spells them."""
    parts = ("*" if isinstance(s, int) else f'"{s}"' if "." in s or ":" in s else s for s in steps)
    return ".".join(parts)


@cache
def table() -> Mapping[str, Mapping[str, Known]]:
    """Return type -> property -> what is known. Raises ValueError for a word that is not one of the table's."""
    document = load(_FILE.read_bytes(), name=_FILE.name, syntax="yaml", style="strict")
    return {
        type_: {_spelt(name): _entry(entry) for name, entry in properties.items()}
        for type_, properties in document.value.items()
    }


def _spelt(name: str) -> str:
    """``Settings."containerInsights"`` is written in quotes for the reader's eye; only dots and colons need them."""
    head, quote, rest = name.partition('."')
    key = rest.removesuffix('"')
    return name if not quote else f"{head}.{dotted([key])}"


def _entry(entry: Any) -> Known:
    if entry == "safe":
        return Known((), safe=True)
    effects = tuple(Effect(kind, why) for kind, why in entry.items() if kind in EFFECTS)
    rest = set(entry) - EFFECTS.keys() - set(Known._fields)
    safe = entry.get("safe") is True
    if rest or not (effects or safe):
        raise ValueError(f"{_FILE.name}: {sorted(rest) or 'no effect'} in {entry}")
    return Known(
        effects,
        entry.get("choose"),
        safe,
        tuple(entry.get("unless", ())),
        entry.get("new") is True,
        entry.get("also", {}),
        tuple(entry.get("not_with", ())),
        tuple(entry.get("values", ())),
        entry.get("others") is True,
    )
