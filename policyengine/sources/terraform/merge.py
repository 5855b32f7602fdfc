"""Joins the parts Terraform splits off (a bucket's versioning, a role's attachments) to their resource.

The configuration's references decide; where it shows none, the literal name does. A part whose
resource cannot be told could belong to any of its type, so what it sets becomes Unresolved wherever
nothing certain says otherwise. A part of a resource outside the plan is counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from policyengine.catalog import terraform as catalog
from policyengine.catalog.terraform.language import Merge
from policyengine.model.values import OpenList, Unresolved
from policyengine.sources.terraform.draft import Draft, values
from policyengine.sources.terraform.mapper import Mapper, put
from policyengine.sources.terraform.parts import PARTS
from policyengine.sources.terraform.values import Target

_NAMES = (
    "id", "arn", "name", "bucket", "key_id", "identifier", "cluster_identifier", "url", "function_name",
    "domain_name", "cluster_name", "stage_name", "user", "role", "group",
)  # fmt: skip
"""Attributes by which one AWS resource is named in another."""


class _Match(NamedTuple):
    certain: list[Draft]
    possible: list[Draft]


class _Parents:
    """The drafts that parts may belong to, by type, address and name."""

    def __init__(self, whole: Iterable[Draft]) -> None:
        self.by_type: dict[str, list[Draft]] = {}
        self._by_address: dict[tuple[str, str], Draft] = {}
        self._by_name: dict[tuple[str, str], list[Draft]] = {}
        for draft in whole:
            self.by_type.setdefault(draft.type, []).append(draft)
            if draft.suffix:
                continue
            self._by_address[draft.type, draft.planned.address] = draft
            for name in _names(draft):
                self._by_name.setdefault((draft.type, name), []).append(draft)

    def at(self, type: str, targets: Iterable[Target]) -> list[Draft]:
        """Return the drafts of a type that references lead to."""
        found = (self._by_address.get((type, address)) for address, _ in targets)
        return [draft for draft in found if draft is not None]

    def named(self, type: str, name: Any) -> list[Draft]:
        """Return the drafts of a type that a literal names."""
        return self._by_name.get((type, name), []) if isinstance(name, str) else []


def join(whole: Sequence[Draft], parts: Iterable[Draft], skipped: Counter[str]) -> None:
    """Lay every part into the drafts of ``whole`` it belongs to; count what belongs to none."""
    parents = _Parents(whole)
    uncertain: list[tuple[Draft, Merge, list[Draft]]] = []
    for part in parts:
        found = False
        for merge in catalog.merges(part.planned.type):
            for match in _matches(part, merge, parents):
                for parent in match.certain:
                    _lay(part, merge, parent)
                if match.possible:
                    uncertain.append((part, merge, match.possible))
                found = found or bool(match.certain or match.possible)
        if not found:
            skipped[f"part of a resource outside the plan: {part.planned.type}"] += 1
    for part, merge, possible in uncertain:
        _doubt(part, merge, possible)


def _matches(part: Draft, merge: Merge, parents: _Parents) -> Iterator[_Match]:
    links = part.links.get(merge.by, ())
    addressed = parents.at(merge.parent, links)
    written = part.tree.get(merge.by)
    if len(links) == 1 or (links and len(addressed) == len(links) and isinstance(written, list)):
        yield _Match(addressed, [])
        return
    named = values(written)
    if not named and written is not None:
        return
    if not named:
        yield _Match([], parents.by_type.get(merge.parent, []))
    for value in named:
        yield _by_value(value, merge.parent, parents, addressed)


def _by_value(value: Any, type: str, parents: _Parents, addressed: list[Draft]) -> _Match:
    if isinstance(value, Unresolved):
        if value.target is not None:
            return _Match(parents.at(type, [value.target]), [])
        return _Match([], addressed or parents.by_type.get(type, []))
    same = parents.named(type, value)
    return _Match(same, []) if len(same) == 1 else _Match([], same)


def _names(draft: Draft) -> set[str]:
    return {v for name in _NAMES if isinstance(v := draft.tree.get(name), str) and v}


def _properties(part: Draft, merge: Merge) -> dict[str, Any]:
    found = PARTS[merge.code](part) if merge.code else Mapper().map(merge.fields, part.tree)
    for path, value in merge.constants.items():
        put(found, path, value)
    return found


def _lay(part: Draft, merge: Merge, parent: Draft) -> None:
    parent.merged.append(part)
    for name, value in _properties(part, merge).items():
        known = parent.properties.get(name)
        if name in merge.append:
            parent.properties[name] = _appended(known, value)
        elif isinstance(known, dict) and isinstance(value, dict):
            parent.properties[name] = {**known, **value}
        else:
            parent.properties[name] = value


def _appended(known: Any, value: Any) -> Any:
    if isinstance(known, Unresolved):
        return OpenList(list(value) if isinstance(value, list) else [value], known)
    added = list(value) if isinstance(value, list) else [value]
    before = list(known) if isinstance(known, list) else []
    result = before + [v for v in added if v not in before]
    more = known.more if isinstance(known, OpenList) else None
    return OpenList(result, more) if more is not None else result


def _doubt(part: Draft, merge: Merge, possible: Iterable[Draft]) -> None:
    """Say of every resource the part may belong to that what the part sets is not known."""
    unknown = Unresolved("unresolved_reference", f"`{part.planned.address}` may set it")
    names = list(_properties(part, merge)) or [f.target[0] for f in merge.fields]
    for parent in possible:
        for name in names:
            known = parent.properties.get(name)
            if name in merge.append:
                items = list(known) if isinstance(known, list) else []
                parent.properties[name] = OpenList(items, unknown) if items else (known or unknown)
            elif known is None:
                parent.properties[name] = unknown
