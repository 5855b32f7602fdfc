"""What fails although nothing of it changed: told with the change it comes from, where there is one such change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from policyengine.model.reasons import SEVERITIES
from policyengine.review.changes import Change, worst
from policyengine.review.content import references
from policyengine.review.matching import is_unchanged
from policyengine.review.pairs import Identity, Pairing


def with_consequences(changes: Iterable[Change], pairing: Pairing) -> list[Change]:
    """Return the changes without those that only follow from one other, which tells them.

    A consequence is of a resource that says what it said before. It follows from what got worse at the one changed
    resource that it refers to, or that refers to it; where there are several such or none, it stands by itself.
    """
    every = list(changes)
    same = {p.head.identity for p in pairing.pairs if p.head is not None and is_unchanged(p, pairing.renamed)}
    causes: dict[Identity, list[int]] = defaultdict(list)
    for index, change in enumerate(every):
        if change.effect == "worse" and change.resource is not None and change.resource.identity not in same:
            causes[change.resource.identity].append(index)
    links = _links(pairing)
    gone: set[int] = set()
    for index, change in enumerate(every):
        if change.effect != "worse" or change.resource is None or change.resource.identity not in same:
            continue
        near = [identity for identity in links.get(change.resource.identity, ()) if identity in causes]
        if len(near) == 1:
            first = causes[near[0]][0]
            every[first] = _told(every[first], change)
            gone.add(index)
    return worst(change for index, change in enumerate(every) if index not in gone)


def _told(cause: Change, consequence: Change) -> Change:
    resource = consequence.resource
    assert resource is not None
    names = ", ".join(rule.rule for rule in consequence.rules) or consequence.kind
    text = f"{resource.type} `{resource.id}`, which is unchanged, fails because of it: {consequence.title} ({names})"
    severity = max(cause.severity, consequence.severity, key=SEVERITIES.index)
    return cause._replace(severity=severity, details=(*cause.details, text))


def _links(pairing: Pairing) -> Mapping[Identity, set[Identity]]:
    """Return who refers to whom, in both directions, among the resources of the head."""
    by_name = {(r.file, r.id): r.identity for r in pairing.head if r.file is not None}
    found: dict[Identity, set[Identity]] = defaultdict(set)
    for resource in pairing.head:
        for name, _ in references((resource.properties, resource.related)):
            other = by_name.get((resource.file or "", name))
            if other is not None and other != resource.identity:
                found[resource.identity].add(other)
                found[other].add(resource.identity)
    return found
