"""What is asked about two sides of a principal, or of a resource with a policy of its own."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from policyengine.iam.administration import administrator
from policyengine.iam.catalogue import catalogue
from policyengine.iam.escalating import escalates
from policyengine.iam.exposed_actions import credential_exposure, resource_exposure
from policyengine.iam.grammar import Kind
from policyengine.iam.reason import Yes
from policyengine.review.access_compare import Asked, Comparer, Found, Layers, policy_of, unlimited
from policyengine.review.access_lines import Layer, Line, only

Audience = Literal["", "anybody", "others", "own"]
"""Who gains by a policy of a resource: nobody in particular, principals of other accounts and identity providers, or
only services and principals of its own account; "" of a policy that names no principals."""
_WHO: Final = ("aws:principal", "aws:userid", "aws:username", "aws:sourceidentity")


Power = Literal["", "administrator", "escalates"]
"""What a principal newly is with what it newly may: an administrator, or able to give itself more."""


class Told(NamedTuple):
    """What was found, and who gains by it."""

    found: Found
    audience: Audience = ""
    power: Power = ""


class Questions:
    """Asks about layers of statements; ``old`` and ``new`` change places for what is no longer allowed."""

    def __init__(self, comparer: Comparer) -> None:
        self._compare = comparer
        self._powers: dict[Hashable, Power] = {}

    def identity(self, old: Layers, new: Layers, who: str | None, *, alone: bool = False) -> list[Told]:
        """Return what identity policies within a permission boundary newly allow.

        ``who``: the ARN of the principal. ``alone``: other policies of whoever has these are not known; then, and
        where some are unknown on both sides, a Deny that is gone counts whatever these policies allow.
        """
        if all(a.keys() == b.keys() for a, b in zip(old, new, strict=True)):
            return []
        about_who = who is not None and any(
            map(_about_who, (line for side in (*old, *new) for line in side.values()))
        )
        asked = Asked("identity", callers=who if about_who else None)
        found = self._compare.gained(old, new, asked)
        if alone or any(map(_unknown_allow, old[0].values())):
            found = [*found, *self._freed(old, new, asked, found)]
        power = "" if who is None or not any(map(powerful, found)) else self._power(old, new)
        return [Told(one, "", power if powerful(one) else "") for one in found]

    def _power(self, old: Layers, new: Layers) -> Power:
        """Return what a principal without a permission boundary newly is."""
        free = unlimited("boundary").keys()
        key = (frozenset(old[0]), old[1].keys() == free, frozenset(new[0]), new[1].keys() == free)
        if key not in self._powers:
            had, has = (_powers(side[0]) if side[1].keys() == free else "" for side in (old, new))
            self._powers[key] = has if had != "administrator" and has != had else ""
        return self._powers[key]

    def resource(
        self, old: Layer, new: Layer, kind: Kind, account: str, resources: tuple[str, ...] = ("*",)
    ) -> list[Told]:
        """Return what a resource's policy newly allows, and whom: the widest audience of each statement."""
        own = (f"arn:*:iam::{account}:*", f"arn:*:sts::{account}:*")
        claims = tuple(sorted(_claims((*old.values(), *new.values())))) if kind == "trust" else ()
        narrowed = resources if _about(resources, old, new) else ("*",)
        told: list[Told] = []
        seen: set[object] = set()
        asked: tuple[tuple[Audience, Asked], ...] = (
            ("anybody", Asked(kind, narrowed, callers="anybody", claims=claims)),
            ("others", Asked(kind, narrowed, exempt=own, principals=("arn:*",), claims=claims)),
            ("own", Asked(kind, narrowed, claims=claims)),
        )
        for audience, question in asked:
            for one in self._compare.gained([old], [new], question):
                key = one.cause.key if one.cause is not None and one.witness is not None else None
                if key not in seen:
                    seen.add(key)
                    told.append(Told(one, audience))
        everyone = Asked(kind, narrowed, claims=claims)
        told.extend(Told(one, "own") for one in self._freed([old], [new], everyone, [t.found for t in told]))
        return told

    def _freed(self, old: Layers, new: Layers, asked: Asked, known: Iterable[Found]) -> list[Found]:
        """Return the Deny statements that are gone, whatever the rest allows, but for those known already."""
        if not any(not line.statement.allow for line in only(old[0], new[0])):
            return []
        seen = {one.cause.key for one in known if one.cause is not None}
        before, after = ([_only_denies(side[0], asked.kind), *side[1:]] for side in (old, new))
        return [
            one
            for one in self._compare.gained(before, after, asked)
            if one.cause is None or (one.freed and one.cause.key not in seen)
        ]


def _claims(lines: Iterable[Line]) -> set[str]:
    """Return the condition keys that are claims of tokens: what stands before the colon is the name of an issuer.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
    """
    keys = {condition.key for line in lines for condition in line.statement.conditions}
    return {key for key in keys if "." in key.partition(":")[0] and "/" not in key.rpartition(":")[2]}


def _only_denies(layer: Layer, kind: Kind) -> Layer:
    return {**unlimited(kind), **{key: line for key, line in layer.items() if not line.statement.allow}}


def _powers(identity: Layer) -> Power:
    policies = [policy_of(identity.values(), "identity")]
    if isinstance(administrator(policies), Yes):
        return "administrator"
    return "escalates" if isinstance(escalates(policies), Yes) else ""


def powerful(found: Found) -> bool:
    """Say whether actions change who may do what, or hand out credentials."""
    known, wanted = catalogue(), _power_giving()
    return any((index := known.index(action)) is not None and wanted >> index & 1 for action in found.actions)


@lru_cache(maxsize=1)
def _power_giving() -> int:
    managing = catalogue().access_level_mask("Permissions management")
    return resource_exposure() | credential_exposure() | managing


def _unknown_allow(line: Line) -> bool:
    return line.statement.allow and line.statement.opaque is not None


def _about_who(line: Line) -> bool:
    s = line.statement
    texts = (*(s.resources or ()), *(v for c in s.conditions for v in c.values))
    return any(c.key.lower().startswith(_WHO) for c in s.conditions) or (
        s.variables and any("${" in text for text in texts)
    )


def _about(resources: tuple[str, ...], old: Layer, new: Layer) -> bool:
    """Say whether every statement that differs names one of some resources, by a pattern or as it is.

    Where one does not, the resource may have another ARN than the one that is known or made up here.
    """
    heads = tuple(text.rstrip("*").rstrip("/:") for text in resources)
    differing = [*only(old, new), *only(new, old)]
    for line in differing:
        named = line.statement.resources
        if named is not None and not any(text.strip("*") == "" or text.startswith(heads) for text in named):
            return False
    return True
