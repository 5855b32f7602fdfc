"""Which service a name belongs to: the domain with the most labels that the name ends in, label by label."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from policyengine.shadow_ai.catalogue import Catalogue, Domain, Service
from policyengine.shadow_ai.names import labels

_REMEMBERED: Final = 20_000


class Match(NamedTuple):
    """What a name belongs to: the service and the domain of it."""

    service: Service
    domain: Domain


class _Node:
    """A label in the tree, read from the right; ``below`` and ``alone`` are what ends here."""

    __slots__ = ("alone", "any", "below", "endings", "next")

    def __init__(self) -> None:
        self.next: dict[str, _Node] = {}
        self.endings: list[tuple[str, _Node]] = []
        self.any: _Node | None = None
        self.below: Match | _Excepted | None = None
        self.alone: Match | _Excepted | None = None


class _Excepted:
    """Stands where a user said that a domain is no service's."""


_NONE: Final = _Excepted()
_Best = tuple[int, "Match | _Excepted | None"]


class Matcher:
    """Finds services by name; the last of two services that have the same domain wins, and an exception over both.

    Names are remembered, a bounded number of them: logs ask for few names often.
    """

    def __init__(self, services: Iterable[Service], exceptions: Iterable[Domain]) -> None:
        self._root = _Node()
        self._known: dict[str, Match | None] = {}
        for service in services:
            for domain in service.domains:
                self._add(domain, Match(service, domain))
        for domain in exceptions:
            self._add(domain, _NONE)

    def _add(self, domain: Domain, found: Match | _Excepted) -> None:
        node = self._root
        for label in reversed(domain.labels):
            node = _child(node, label)
        if domain.exact:
            node.alone = found
        else:
            node.below = found

    def find(self, name: str) -> Match | None:
        """Return the service of a name as a log writes it, None where it is on no list."""
        try:
            return self._known[name]
        except KeyError:
            pass
        found = self.find_labels(labels(name))
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[name] = found
        return found

    def find_labels(self, name: tuple[str, ...]) -> Match | None:
        """Return the service of a name given as labels."""
        _, found = self._search(self._root, name, 0, (0, None))
        return found if isinstance(found, Match) else None

    def _search(self, node: _Node, name: tuple[str, ...], depth: int, best: _Best) -> _Best:
        """The tree is as deep as the longest domain, so a long name costs no more than that."""
        if depth > best[0] and node.below is not None:
            best = (depth, node.below)
        if depth == len(name):
            # the whole name, written with `=`, says more than the same labels without
            return (depth + 1, node.alone) if node.alone is not None and depth >= best[0] else best
        label = name[-1 - depth]
        following = node.next.get(label)
        if following is not None:
            best = self._search(following, name, depth + 1, best)
        for ending, node_of in node.endings:
            if label.endswith(ending) and len(label) > len(ending):
                best = self._search(node_of, name, depth + 1, best)
        return best if node.any is None else self._search(node.any, name, depth + 1, best)


def _child(node: _Node, label: str) -> _Node:
    if label == "*":
        if node.any is None:
            node.any = _Node()
        return node.any
    if label.startswith("*"):
        for ending, found in node.endings:
            if ending == label[1:]:
                return found
        made = _Node()
        node.endings.append((label[1:], made))
        node.endings.sort(key=lambda item: (-len(item[0]), item[0]))
        return made
    return node.next.setdefault(label, _Node())


def matcher_of(catalogue: Catalogue) -> Matcher:
    """Return the matcher of a catalogue.

    Users' services come after ours where both have a domain; what was approved by domain comes last.
    """
    ordered = sorted(catalogue.services, key=lambda s: (":" in s.id, _users(s), s.id))
    return Matcher(ordered, catalogue.exceptions)


def _users(service: Service) -> bool:
    return any(domain.confidence == "user" for domain in service.domains)
