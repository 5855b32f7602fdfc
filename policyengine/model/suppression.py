"""Suppressions in code: comments and metadata that refer to waivers (docs/decisions/0020-suppressions-in-place.md).

A source gives each one as a resource of its own, of :data:`SUPPRESSION`, and notes on the resources it stands at
which waivers code refers to there. None of that accepts anything: waivers do.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from policyengine.model.location import Location
from policyengine.model.resource import Resource

SUPPRESSION: Final = "PolicyEngine::Code::Suppression"
WORD: Final = "policyengine"
"""What every suppression of ours has in its text: nothing is looked for in files without it."""
_REFERENCES: Final = "suppressions"
"""Key of ``Resource.provenance``, whose values are texts: JSON ``[[waiver, file, line, column], …]``."""


class Reference(NamedTuple):
    """Where code refers to a waiver; line and column start at 1."""

    waiver: str
    file: str
    line: int | None
    column: int | None

    @property
    def location(self) -> Location:
        """The place of the comment or of the entry."""
        return Location(self.file, self.line, self.column)

    def shown(self) -> dict[str, Any]:
        """Return the place as findings have places, its names in the order in which kept rows have them."""
        return {"column": self.column, "file": self.file, "line": self.line}


def note_references(resource: Resource, references: Iterable[Reference]) -> None:
    """Note on every branch of a resource which waivers code refers to there, beside those that are noted already."""
    given = list(references)
    for branch in (resource, *resource.variants):
        found = list(dict.fromkeys([*references_of(branch), *given]))
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        branch.provenance = {**(branch.provenance or {}), _REFERENCES: text}


def references_of(resource: Resource) -> list[Reference]:
    """Return the references to waivers that code has at a resource; of kept resources those that can be read."""
    origin = resource.provenance
    if origin is None or _REFERENCES not in origin:
        return []
    try:
        listed = json.loads(origin[_REFERENCES])
    except (ValueError, RecursionError):
        return []
    return [Reference(*each) for each in listed if _is_reference(each)] if isinstance(listed, list) else []


def _is_reference(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != len(Reference._fields):
        return False
    numbers = value[2:]
    return all(isinstance(each, str) for each in value[:2]) and all(
        each is None or (isinstance(each, int) and not isinstance(each, bool)) for each in numbers
    )
