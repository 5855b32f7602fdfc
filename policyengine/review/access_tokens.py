"""What both sides of a change call what neither knows: resources of the code, parameters, the account.

References to a resource go by the resource it is paired with, so that a new logical id is no new access.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from policyengine.iam.made_up import ACCOUNT, NAME_PREFIX
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.review.pairs import Identity, Pairing

_HOLE: Final = re.compile(r"\$\{([^}]*)\}")
_WORD: Final = re.compile(r"[A-Za-z0-9]+")
_PARAMETER: Final = re.compile(r"parameter `([A-Za-z0-9]+)` has no default")
_LONGEST_NAME: Final = 40


class Hole(NamedTuple):
    """One unknown part of a text: ``written`` is what both sides call it; ``resource`` and ``attribute`` where it
    refers to a resource of the same source."""

    written: str
    resource: Resource | None = None
    attribute: str = ""

    @property
    def shown(self) -> str:
        """Return how a reader writes it."""
        if self.resource is not None:
            return f"{self.resource.id}.{self.attribute}".removesuffix(".Ref")
        return readable(self.written)


@dataclass(slots=True)
class Tokens:
    """The texts that stand for unknown values, of both sides.

    ``free``: text → what it stands for, of those that may turn out to be any value (a parameter, the account),
    unlike the name of a resource of the same code.
    """

    free: dict[str, str] = field(default_factory=dict)
    _of: dict[str, str] = field(default_factory=dict)
    _taken: list[str] = field(default_factory=list)
    _shown: dict[str, str] = field(default_factory=dict)

    def name(self, hole: Hole) -> str:
        """Return the text for an unknown; none begins with another one."""
        found = self._of.get(hole.written)
        if found is None:
            label = hole.shown.removesuffix(".Arn").rpartition(":")[2]
            slug = "-".join(_WORD.findall(label)).lower()[:_LONGEST_NAME].strip("-") or "value"
            found, salt = NAME_PREFIX + slug, hole.written
            while any(found.startswith(t) or t.startswith(found) for t in self._taken):
                salt += "'"
                found = f"{NAME_PREFIX}{_number(salt) % 10_000:04}-{slug}"
            self._taken.append(found)
            self._of[hole.written] = found
            self._shown[found] = f"${{{hole.shown}}}"
        if hole.resource is None:
            self.free.setdefault(found, hole.written)
        return found

    def digits(self, hole: Hole) -> str:
        """Return the id of an account for an unknown."""
        return self.whole(f"0987{_number(hole.written) % 10**8:08}", hole.written)

    def number(self, hole: Hole) -> str:
        """Return a number for an unknown."""
        return self.whole(f"9{_number(hole.written) % 10**8:08}", hole.written)

    def whole(self, text: str, written: str) -> str:
        """Keep a text that stands for an unknown, and return it."""
        self.free.setdefault(text, written)
        self._shown.setdefault(text, f"${{{readable(written)}}}")
        return text

    def accounts(self, text: str) -> list[str]:
        """Return what the account ids stand for in a text that are made up for something unknown."""
        return [
            f"{t} stands for {self._shown[t]}"
            for t in sorted(self.free)
            if t.isdigit() and t != ACCOUNT and t in text
        ]

    def as_written(self, value: Any) -> Any:
        """Return a JSON value with what code says in place of the texts that stand for it."""
        if isinstance(value, str):
            for token in sorted((t for t in self._shown if t in value), key=len, reverse=True):
                value = value.replace(token, self._shown[token])
            return value
        if isinstance(value, dict):
            return {key: self.as_written(item) for key, item in value.items()}
        return [self.as_written(item) for item in value] if isinstance(value, list) else value


def readable(written: str) -> str:
    """Return what code calls an unknown value, as a reader knows it."""
    parameter = _PARAMETER.fullmatch(written)
    return parameter.group(1) if parameter is not None else written.removeprefix("Ref: ")


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()[:6])


class Names:
    """What both sides call the resources of one side, and the unknown values that they hold."""

    def __init__(self, resources: Sequence[Resource], known: Mapping[Identity, str]) -> None:
        self._resources: dict[tuple[str | None, str], Resource] = {
            (r.file, r.id): r for r in resources if r.file is not None
        }
        self._known = known

    def of(self, resource: Resource) -> str:
        """Return what both sides call a resource."""
        return self._known.get(resource.identity) or " ".join(resource.identity)

    def written(self, value: Unresolved, file: str | None) -> str:
        """Return how both sides write an unknown value."""
        holes = self.holes(value, file)
        if len(holes) == 1 and value.parts is None:
            return holes[0].written
        parts = value.parts or ("", "")
        return parts[0] + "".join(f"${{{h.written}}}{p}" for h, p in zip(holes, parts[1:], strict=True))

    def holes(self, value: Unresolved, file: str | None) -> list[Hole]:
        """Return what is not known of a value: between the known parts of a text, or all of it.

        Where a source does not tell what stands between the parts, each hole is called by the whole.
        """
        if value.parts is None:
            return [self._whole(value, file)]
        if len(value.gaps) == len(value.parts) - 1:
            return [self._gap(gap, file) for gap in value.gaps]
        if tuple(_HOLE.sub("\0", value.detail).split("\0")) == value.parts:
            return [self._called(name, file) for name in _HOLE.findall(value.detail)]
        if value.target is not None and len(value.parts) == 2:
            return [self._named(*value.target, file)]
        detail = self._detail(value, file)
        return [Hole(f"{detail} #{number}") for number in range(1, len(value.parts))]

    def _gap(self, gap: Unresolved, file: str | None) -> Hole:
        return self._whole(gap, file) if gap.parts is None else Hole(self.written(gap, file))

    def _whole(self, value: Unresolved, file: str | None) -> Hole:
        if value.target is not None:
            return self._named(*value.target, file)
        return Hole(self._detail(value, file))

    def _called(self, name: str, file: str | None) -> Hole:
        id_, _, attribute = name.partition(".")
        if (file, id_) in self._resources:
            return self._named(id_, attribute or "Ref", file)
        return Hole(f"Ref: {name}")

    def _named(self, id_: str, attribute: str, file: str | None) -> Hole:
        found = self._resources.get((file, id_))
        if found is None:
            return Hole(f"{id_}.{attribute}")
        return Hole(f"{self.of(found)}.{attribute}", found, attribute)

    def _detail(self, value: Unresolved, file: str | None) -> str:
        detail = _HOLE.sub(lambda hole: "${" + self._called(hole.group(1), file).written + "}", value.detail)
        return detail or value.reason


def both_names(pairing: Pairing) -> tuple[Names, Names]:
    """Return the names of the base and of the head, the same for resources that are paired."""
    before = {p.base.identity: " ".join(p.base.identity) for p in pairing.pairs if p.base is not None}
    after = {
        p.head.identity: before[p.base.identity] if p.base is not None else f"new {' '.join(p.head.identity)}"
        for p in pairing.pairs
        if p.head is not None
    }
    return Names(pairing.base, before), Names(pairing.head, after)
