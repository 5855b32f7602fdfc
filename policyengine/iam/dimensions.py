"""The values of one dimension that stand for all others: one for each way the atoms in play answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from policyengine.iam.atoms import Atom, Truth
from policyengine.iam.cells import FRESH, Either, Pattern, cells, exact, ignoring_case, signature_of
from policyengine.iam.comparisons import address_block, moment, number
from policyengine.iam.glob import has_wildcard

Value = Any
"""A text for resource and principal; for a key its values as a tuple, or None where it is absent."""

MAX_SETS: Final = 256
"""Most sets of values that are tried for a key with several values."""

_TYPED: Final = frozenset({"ip", "numeric", "date"})
"""Kinds of keys whose values are never any text: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""

STATE: Final = 5
"""What visiting a state of an automaton costs, in answers of an atom."""

MAX_TESTS: Final = 300_000
"""Most answers of atoms that one dimension takes; candidates beyond are left out, and it is not complete."""

MAX_DRESSED: Final = 64
"""Patterns up to which examples are made to look like what they are."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Domain:
    """Which texts a dimension ranges over; ``nice`` are the values a reader would rather see."""

    universe: tuple[Pattern, ...]
    absent: bool = False
    several: bool = False
    boolean: bool = False
    rare: bool = False
    """Whether most requests do not carry the key: a witness carries it only where it must."""
    kind: str = "string"
    """What AWS says the key's values are."""
    nice: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()
    admits: Callable[[Value], bool] = lambda value: True
    asked: tuple[str, ...] = ()
    """The values a question names."""
    patterns: tuple[Pattern, ...] = ()
    """Where ``admits`` can change its answer."""
    account: str | None = None
    """The account that examples of ARNs are given where it makes no difference."""
    wanted: tuple[Pattern, ...] = ()
    """Those of ``patterns`` one of which ``admits`` asks for; none where it does not."""


class Dimension:
    """Candidates, one for each way the atoms answer, and the answers as bits."""

    def __init__(
        self, values: Iterable[Value], atoms: Sequence[Atom], complete: bool, visited: int = 0
    ) -> None:
        self.candidates: list[Value] = []
        self.complete = complete
        self.cost = STATE * visited
        """What it took to make it, in answers of an atom; the same for the same question."""
        self._may = [0] * len(atoms)
        self._must = [0] * len(atoms)
        self._places = {id(atom): at for at, atom in enumerate(atoms)}
        self._atoms = atoms  # an id stays its own only as long as what it names
        left = MAX_TESTS // (len(atoms) + 1)
        seen: set[tuple[Truth, ...]] = set()
        for value in values:
            if left <= 0:
                self.complete = False
                break
            left -= 1
            self.cost += len(atoms) + 1
            answers = tuple(a.test(value) for a in atoms)
            if answers not in seen:
                seen.add(answers)
                self._add(value, answers)
        self.all = (1 << len(self.candidates)) - 1

    def _add(self, value: Value, answers: Sequence[Truth]) -> None:
        bit = 1 << len(self.candidates)
        self.candidates.append(value)
        for at, (may, must) in enumerate(answers):
            if may:
                self._may[at] |= bit
            if must:
                self._must[at] |= bit

    def masks(self, atom: Atom) -> tuple[int, int]:
        """Return the candidates for which the atom may hold, and those for which it must."""
        at = self._places[id(atom)]
        return self._may[at], self._must[at]


def key_dimension(atoms: Sequence[Atom], domain: Domain) -> Dimension:
    """Return the dimension of a condition key."""
    families = {a.family for a in atoms} - {"null", "tie", "hint"}
    typed = domain.kind in _TYPED and not families - {domain.kind}
    if typed:
        families = {domain.kind}
    complete = len(families) <= 1
    if families - {"text", "ip", "bool"} and any(has_wildcard(v) for v in domain.asked):
        complete = False
    texts: list[str] = []
    visited = 0
    for family in sorted(families - {"text"}):
        values = [v for a in atoms if a.family == family for v in a.values]
        texts.extend(_points(family, [*values, *domain.asked]))
    if not typed and (families & {"text"} or not families or domain.asked):
        found, whole, visited = _texts(atoms, domain)
        texts.extend((*found, *domain.extra))
        complete = complete and whole
    if domain.boolean:
        texts = ["true", "false"]
    singles: list[Value] = [(t,) for t in dict.fromkeys(texts)]
    if domain.absent:
        singles.insert(0 if domain.rare else len(singles), None)
    single = Dimension([s for s in singles if domain.admits(s)], atoms, complete, visited)
    if domain.several and any(a.quantified for a in atoms):
        sets, whole = _unions(single.candidates, atoms, domain)
        return Dimension(sets, atoms, single.complete and whole, visited)
    return single


def text_dimension(atoms: Sequence[Atom], domain: Domain) -> Dimension:
    """Return the dimension of the resource or the principal."""
    texts, complete, visited = _texts(atoms, domain)
    admitted = [t for t in (*texts, *domain.extra) if domain.admits(t)]
    return Dimension(admitted, atoms, complete, visited)


def _texts(atoms: Sequence[Atom], domain: Domain) -> tuple[Sequence[str], bool, int]:
    patterns = tuple(dict.fromkeys(p for a in atoms for p in a.patterns)) + domain.patterns
    return _told_apart(domain.universe, patterns, domain.nice, domain.account, domain.wanted)


@lru_cache(maxsize=4096)
def _told_apart(
    universe: tuple[Pattern, ...],
    patterns: tuple[Pattern | Either, ...],
    nice: tuple[str, ...],
    account: str | None,
    wanted: tuple[Pattern, ...],
) -> tuple[Sequence[str], bool, int]:
    """Return a text for each way the patterns can match, whether these are all, and what it took.

    Rules ask the same of the same documents, and documents of many resources name the same things.
    """
    found = cells(universe, patterns, wanted=wanted)
    if len(patterns) > MAX_DRESSED:
        return tuple(found.texts.values()), found.complete, found.cost
    texts = tuple(
        _nicer(text, (universe, patterns), signature, (*nice, *_dressed(text, account)))
        for signature, text in found.texts.items()
    )
    return texts, found.complete, found.cost


def _nicer(
    text: str,
    told: tuple[tuple[Pattern, ...], tuple[Pattern | Either, ...]],
    signature: int,
    candidates: Iterable[str],
) -> str:
    """Return a text that looks like what it is where the patterns cannot tell the difference."""
    universe, patterns = told
    for candidate in candidates:
        if signature_of(patterns, candidate) == signature and signature_of(universe, candidate):
            return candidate
    return text


def _dressed(text: str, account: str | None) -> Iterable[str]:
    """Yield an ARN's text with a region, an account and a name in place of made-up characters."""
    parts = text.split(":", 5)
    if len(parts) < 6:
        return
    last = parts[5]
    tail = "/".join("example" if len(p) == 1 and p in FRESH else p for p in last.split("/"))
    if tail[-1:] and tail[-1] in FRESH and tail[-2:-1] == ":":
        tail = f"{tail[:-1]}example"
    regions = [r for r in ("us-east-1", "eu-west-1", "ap-southeast-2") if len(parts[3]) == 1] or [parts[3]]
    accounts = [parts[4]]
    if parts[4] and len(set(parts[4])) == 1:
        accounts = [*([account] if account else []), "111122223333", "444455556666"]
    for region in regions:
        for whose in accounts:
            yield ":".join([*parts[:3], region, whose, tail])
    for region in regions:
        yield ":".join([*parts[:3], region, *parts[4:]])
    yield ":".join([*parts[:5], tail])


def _unions(singles: Sequence[Value], atoms: Sequence[Atom], domain: Domain) -> tuple[list[Value], bool]:
    """Return sets of values as well: how a set answers follows from how its parts do, so sets grow
    by one value until nothing new comes out."""
    kept = {tuple(a.test(v) for a in atoms): v for v in reversed(singles)}
    parts = [v for v in singles if v is not None]
    queue = list(parts)
    complete = True
    while queue:
        known = queue.pop()
        for part in parts:
            if part[0] in known:
                continue
            union = (*known, part[0])
            answers = tuple(a.test(union) for a in atoms)
            if answers in kept or not domain.admits(union):
                continue
            if len(kept) >= MAX_SETS:
                return list(kept.values()), False
            kept[answers] = union
            queue.append(union)
    return list(kept.values()), complete


def _points(family: str, values: Sequence[str]) -> list[str]:
    """Return values on, between and beyond the limits that conditions compare with."""
    if family == "bool":
        return ["true", "false"]
    if family == "binary":
        return [*values, "AA=="]
    if family == "ip":
        return _addresses(values)
    read = number if family == "numeric" else moment
    limits = sorted({found for v in values if (found := read(v)) is not None})
    if not limits:
        limits = [Decimal(0)]
    between = [(a + b) / 2 for a, b in pairwise(limits)]
    points = [*limits, *between, limits[0] - 1, limits[-1] + 1]
    return [_written(p, family) for p in points]


def _written(value: Decimal, family: str) -> str:
    if family == "numeric":
        return format(value.normalize(), "f")
    try:
        return (_EPOCH + timedelta(seconds=float(value))).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return format(value, "f")


def _addresses(values: Sequence[str]) -> list[str]:
    """Return an address of every piece into which blocks cut the addresses: each begins where a block
    begins or just behind one."""
    points: dict[int, set[int]] = {4: {0}, 6: {0}}
    for value in values:
        block = address_block(value)
        if block is not None:
            version, low, high = block
            points[version] |= {low, high + 1}
    texts = ["203.0.113.7", "2001:db8::7"]
    for version, starts in points.items():
        size = 32 if version == 4 else 128
        kind = ipaddress.IPv4Address if version == 4 else ipaddress.IPv6Address
        texts.extend(str(kind(p)) for p in sorted(starts) if p < 1 << size)
    return texts


def boolean_texts() -> tuple[Pattern, ...]:
    """Return the patterns of a Boolean's two values."""
    return ignoring_case("true"), exact("false")
