"""Which resource of the head is which of the base, across renames and moves.

What is certain comes first: the same place, the same place in a file that was renamed, the same id elsewhere, the name
AWS will know it by, the same content. What is left is paired where two are each other's most alike, and alike enough;
a guess among several that fit as well would compare the wrong two.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

from policyengine.catalog import registry
from policyengine.model.resource import Resource
from policyengine.review.content import content, digest, leaves, references
from policyengine.review.pairs import Identity, Pair, Pairing

ALIKE: Final = 0.5
"""Share of what two resources say that both say, from which on one may be the other under another name."""
MANY: Final = 200
"""Resources of one type on one side beyond which nobody looks for the most alike: that is quadratic."""


def paired_resources(
    base: Sequence[Resource], head: Sequence[Resource], files: Mapping[str, str] | None = None
) -> Pairing:
    """Pair two sides. ``files`` leads from files of the head to what they were called in the base."""
    work = _Work(base, head, files or {})
    work.match("the same place", lambda r: (r.identity, r.type))
    if files:
        work.match("the file was renamed", work.old_place, of_base=lambda r: (r.identity, r.type))
    work.match("moved", lambda r: (r.type, r.id) if r.file is not None else None)
    work.match("the same name", _named)
    work.match_content()
    work.match_alike()
    return work.pairing()


class Names:
    """What the logical ids of one side stand for: the id in the base of what is paired, the type of the rest."""

    def __init__(self, known: Mapping[tuple[str | None, str], str], resources: Iterable[Resource]) -> None:
        self._known = known
        self._types = {(r.file, r.id): f"\0{r.type}" for r in resources}

    def stands_for(self, file: str | None, name: str) -> str:
        """Return what both sides call it, or the name itself where it is no resource."""
        return self._known.get((file, name)) or self._types.get((file, name), name)

    def of(self, resource: Resource) -> Callable[[str], str]:
        """Return what the names stand for that a resource uses; its own is no difference."""
        return lambda name: "\0self" if name == resource.id else self.stands_for(resource.file, name)

    def key(self, resource: Resource) -> tuple[Hashable, bytes]:
        """Return where a resource runs and the digest of what it says: what goes in one account is not what comes in
        another."""
        return _place(resource), digest(resource, self.of(resource))


class _Work:
    def __init__(self, base: Sequence[Resource], head: Sequence[Resource], files: Mapping[str, str]) -> None:
        self._all = (base, head)
        self._files = files
        self._base: dict[int, Resource] = {id(r): r for r in base}
        self._head: dict[int, Resource] = {id(r): r for r in head}
        self._found: dict[int, tuple[Resource, str]] = {}

    def old_place(self, resource: Resource) -> Any:
        """Return where a resource of the head would have stood in the base."""
        if resource.file is None:
            return None
        return ("", self._files.get(resource.file, resource.file), "", resource.id), resource.type

    def match(
        self,
        how: str,
        of_head: Callable[[Resource], Hashable],
        of_base: Callable[[Resource], Hashable] | None = None,
    ) -> None:
        """Pair what has the same key, where no other has it."""
        before = _unique(self._base.values(), of_base or of_head)
        after = _unique(self._head.values(), of_head)
        for key, resource in after.items():
            if key in before:
                self._take(before[key], resource, how)

    def _take(self, base: Resource, head: Resource, how: str) -> None:
        del self._base[id(base)], self._head[id(head)]
        self._found[id(head)] = (base, how)

    def match_content(self) -> None:
        """Pair what says the same; that two refer to a third that was renamed is the same, too.

        Several that say the same are told apart by what refers to them; where that is the same as well, nothing is.
        """
        while self._head and self._base:
            left = len(self._head)
            of_head, of_base = self._names()
            self.match("renamed", of_head.key, of_base.key)
            if len(self._head) == left and not self._match_twins(of_head, of_base):
                return

    def _match_twins(self, of_head: Names, of_base: Names) -> bool:
        before, after = _groups(self._base.values(), of_base), _groups(self._head.values(), of_head)
        for key, news in after.items():
            olds = before.get(key, [])
            if len(olds) == len(news):
                users_old = _referrers(self._all[0], olds, of_base)
                users_new = _referrers(self._all[1], news, of_head)
                for base, head in zip(_sorted(olds, users_old), _sorted(news, users_new), strict=True):
                    self._take(base, head, "renamed")
                return True
        return False

    def _names(self) -> tuple[Names, Names]:
        """Return what the ids of the head and of the base stand for."""
        renamed = {(h.file, h.id): b.id for h, b in self._pairs()}
        old = {(b.file, b.id): b.id for _, b in self._pairs()}
        return Names(renamed, self._all[1]), Names(old, self._all[0])

    def _pairs(self) -> Iterable[tuple[Resource, Resource]]:
        for resource in self._all[1]:
            if id(resource) in self._found:
                yield resource, self._found[id(resource)][0]

    def match_alike(self) -> None:
        """Pair what is most alike, type by type."""
        names = self._names()
        before, after = _by_type(self._base.values()), _by_type(self._head.values())
        for type_, news in after.items():
            olds = before.get(type_, [])
            if not olds or max(len(olds), len(news)) > MANY:
                continue
            said_old = [Counter(leaves(r, names[1].of(r))) for r in olds]
            said_new = [Counter(leaves(r, names[0].of(r))) for r in news]
            likeness = [[_alike(a, b) for b in said_old] for a in said_new]
            for i, j in _mutual(likeness):
                self._take(olds[j], news[i], "renamed and changed")

    def pairing(self) -> Pairing:
        """Return every resource of both sides once."""
        pairs = [
            Pair(*self._found[id(r)][:1], r, self._found[id(r)][1]) if id(r) in self._found else Pair(None, r, "new")
            for r in self._all[1]
        ]  # fmt: skip
        pairs += [Pair(r, None, "gone") for r in self._base.values()]
        renamed: dict[Identity, Identity] = {
            p.head.identity: p.base.identity
            for p in pairs
            if p.head is not None and p.base is not None and p.head.identity != p.base.identity
        }
        return Pairing(pairs, self._all[0], self._all[1], renamed)


def is_unchanged(pair: Pair, renamed: Mapping[Identity, Identity]) -> bool:
    """Whether both sides say the same; other names of other resources are no difference."""
    if pair.base is None or pair.head is None:
        return False
    file = pair.head.file or ""

    def old(name: str) -> str:
        found = renamed.get(("", file, "", name))
        return found[3] if found is not None else name

    return bool(content(pair.base) == content(pair.head, old))


def _unique(resources: Iterable[Resource], key: Callable[[Resource], Hashable]) -> dict[Hashable, Resource]:
    found: dict[Hashable, list[Resource]] = defaultdict(list)
    for resource in resources:
        value = key(resource)
        if value is not None:
            found[value].append(resource)
    return {value: several[0] for value, several in found.items() if len(several) == 1}


def _groups(resources: Iterable[Resource], naming: Names) -> dict[Hashable, list[Resource]]:
    found: dict[Hashable, list[Resource]] = defaultdict(list)
    for resource in resources:
        found[naming.key(resource)].append(resource)
    return found


def _referrers(every: Iterable[Resource], asked: Sequence[Resource], naming: Names) -> dict[int, list[str]]:
    """Return who refers to each of some resources: names of both sides that mean the same are the same."""
    by_place = {(r.file, r.id): r for r in asked}
    found: dict[int, list[str]] = {id(r): [] for r in asked}
    for resource in every:
        name = naming.stands_for(resource.file, resource.id)
        for target, attribute in references((resource.properties, resource.related)):
            meant = by_place.get((resource.file, target))
            if meant is not None:
                found[id(meant)].append(f"{name} {attribute}")
    return {key: sorted(users) for key, users in found.items()}


def _sorted(resources: Iterable[Resource], users: Mapping[int, list[str]]) -> list[Resource]:
    return sorted(resources, key=lambda r: (users[id(r)], r.identity))


def _named(resource: Resource) -> Hashable:
    values = [(name, resource.properties.get(name)) for name in registry.names(resource.type)]
    known = [(name, value) for name, value in values if isinstance(value, str) and value]
    return (resource.type, resource.account, resource.region, *known) if known else None


def _by_type(resources: Iterable[Resource]) -> dict[Hashable, list[Resource]]:
    found: dict[Hashable, list[Resource]] = defaultdict(list)
    for resource in resources:
        found[resource.type, _place(resource)].append(resource)
    return found


def _place(resource: Resource) -> tuple[str | None, str | None] | None:
    """Return the account and region of what runs; code may move from one file to another."""
    return (resource.account, resource.region) if resource.file is None else None


def _alike(one: Counter[tuple[str, str]], other: Counter[tuple[str, str]]) -> float:
    either = (one | other).total()
    return (one & other).total() / either if either else 1.0


def _mutual(likeness: Sequence[Sequence[float]]) -> Iterable[tuple[int, int]]:
    """Yield (row, column) of what is alike enough and the only best of its row and its column."""
    columns = [list(column) for column in zip(*likeness, strict=True)]
    for i, row in enumerate(likeness):
        best = max(row)
        if best < ALIKE or row.count(best) > 1:
            continue
        j = row.index(best)
        if max(columns[j]) == best and columns[j].count(best) == 1:
            yield i, j
