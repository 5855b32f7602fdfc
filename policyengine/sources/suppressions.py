"""Suppressions in code, whatever language it is written in: how they are spelt, and the resources they become.

``# policyengine:waiver W-1`` refers to a waiver, ``# policyengine:ignore`` to none. What accepts a failure is a waiver, so
the second accepts nothing, and is found by a rule (docs/decisions/0020-suppressions-in-place.md).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.model.suppression import SUPPRESSION, WORD, Reference, note_references

MARK: Final = f"{WORD}:"
"""What every comment of ours begins with."""
WAIVER: Final = "waiver"
IGNORE: Final = "ignore"
UNREADABLE: Final = "unreadable"
COMMENT: Final = "comment"
METADATA: Final = "metadata"
_COMMENT: Final = re.compile(rf"(?:#+|//+|/\*+)[ \t]*{WORD}:[ \t]*([A-Za-z]+)(.*)", re.DOTALL)
_IDS: Final = re.compile(r"[\s:=]*([^\s,;]+(?:[ \t]*,[ \t]*[^\s,;]+)*)")
_REFERRING: Final = frozenset({"waiver", "waivers"})
_IGNORING: Final = frozenset(
    (
        "accept",
        "allow",
        "disable",
        "except",
        "exclude",
        "exempt",
        "ignore",
        "nosec",
        "noqa",
        "off",
        "skip",
        "suppress",
    )
)
"""Words by which other tools, and people who come from them, suppress."""
_LONGEST: Final = 100
_MOST_IDS: Final = 20
MOST_SUPPRESSIONS: Final = 2_000
"""Of one template or plan; a template has at most 500 resources
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)."""


class Directive(NamedTuple):
    """What one comment or entry says: ``kind`` is waiver, ignore or unreadable; ``text`` is it as it is written, short."""

    kind: str
    text: str
    waiver: str = ""


class Suppression(NamedTuple):
    """A directive, where it stands, and what it stands at (None: at no resource)."""

    directive: Directive
    form: str
    place: Location
    owner: Hashable | None


def directives(comment: str) -> list[Directive]:
    """Return what a comment says to us; nothing where it is no comment of ours, or of a word that suppresses nothing."""
    found = _COMMENT.match(comment)
    if found is None:
        return []
    word, rest = found[1].lower(), found[2]
    ids = _IDS.match(rest)
    named = [each.strip() for each in ids[1].split(",")][:_MOST_IDS] if ids is not None else []
    if word in _REFERRING and named:
        return [waiver_directive(each) for each in named]
    if word in _REFERRING or word in _IGNORING:
        text = f"{MARK}{word} {', '.join(named)}".strip()
        return [Directive(IGNORE, _short(text))]
    return []


def waiver_directive(id_: str) -> Directive:
    """Return what refers to a waiver."""
    return Directive(WAIVER, _short(f"{MARK}{WAIVER} {id_}"), id_[: 2 * _LONGEST])


def metadata_directives(value: Any) -> list[tuple[tuple[str | int, ...], Directive]]:
    """Return what the entry ``policyengine`` of a ``Metadata`` section says, each with its path below that entry."""
    if not isinstance(value, dict):
        return [((), Directive(UNREADABLE, f"Metadata {WORD}"))]
    found: list[tuple[tuple[str | int, ...], Directive]] = []
    for key, item in value.items():
        text = _short(f"Metadata {WORD}.{key}")
        if key != "waivers":
            found.append(((str(key),), Directive(IGNORE, text)))
            continue
        listed = item if isinstance(item, list) else [item]
        for index, each in enumerate(listed[:_MOST_IDS]):
            path = (key, index) if isinstance(item, list) else (key,)
            is_id = isinstance(each, str) and each.strip() != ""
            found.append((path, waiver_directive(each) if is_id else Directive(UNREADABLE, text)))
    return found


def _short(text: str) -> str:
    clean = "".join(c if c.isprintable() else " " for c in text[: _LONGEST + 1])
    return f"{clean[:_LONGEST]}…" if len(clean) > _LONGEST else clean


def bounded(found: Iterable[Suppression]) -> tuple[list[Suppression], PolicyEngineError | None]:
    """Return at most MOST_SUPPRESSIONS, and the error where there are more: work grows with their square."""
    kept: list[Suppression] = []
    for each in found:
        if len(kept) == MOST_SUPPRESSIONS:
            text = f"more than {MOST_SUPPRESSIONS:,} suppressions; the others are not read"
            return kept, InputError(text, each.place)
        kept.append(each)
    return kept, None


def suppression_resources(
    found: Iterable[Suppression],
    targets: Mapping[Hashable, Sequence[Resource]],
    file: str,
    name: Callable[[Hashable], str],
    place: tuple[str | None, str | None],
) -> list[Resource]:
    """Return a resource for each thing that is said of each owner, and note on the owner's resources what refers to waivers.

    ``targets`` are the resources of an owner, ``name`` what an owner is called; ``place`` is the account and region of what
    stands at nothing. What is said twice of one owner is one, at its first place; an owner without resources is left out.
    """
    each: dict[tuple[Hashable | None, str], list[Suppression]] = defaultdict(list)
    for one in found:
        each[one.owner, one.directive.waiver or one.directive.text].append(one)
    made = []
    references: dict[int, tuple[Resource, list[Reference]]] = {}
    for (owner, said), same in each.items():
        first = same[0]
        about = targets.get(owner, ()) if owner is not None else ()
        if owner is not None and not about:
            continue  # what nobody creates is not judged, and neither is what is said of it
        if first.directive.kind == WAIVER:
            at = first.place
            reference = Reference(first.directive.waiver, at.file, at.line, at.column)
            for resource in about:
                references.setdefault(id(resource), (resource, []))[1].append(reference)
        owned = "" if owner is None else name(owner)
        made.append(_resource(f"{owned}#{said}", first, about, file, place))
    for resource, listed in references.values():
        note_references(resource, listed)
    return made


def _resource(
    id_: str, first: Suppression, about: Sequence[Resource], file: str, place: tuple[str | None, str | None]
) -> Resource:
    directive = first.directive
    properties: dict[str, Any] = {"Kind": directive.kind, "Form": first.form, "Text": directive.text}
    if directive.waiver:
        properties["Waiver"] = directive.waiver
    properties["Targets"] = [_target(each) for each in about]
    account, region = (about[0].account, about[0].region) if about else place
    at = first.place
    return Resource(
        type=SUPPRESSION, id=id_, account=account, region=region, properties=properties, file=file,
        locate=lambda _path: at,
    )  # fmt: skip


def _target(resource: Resource) -> dict[str, Any]:
    origin = resource.provenance or {}
    named = {
        "Id": resource.id, "Type": resource.type, "Account": resource.account, "Region": resource.region,
        "Arn": resource.arn, "ConstructPath": origin.get("construct_path"),
    }  # fmt: skip
    return {key: value for key, value in named.items() if value is not None}


__all__ = [
    "COMMENT", "IGNORE", "MARK", "METADATA", "UNREADABLE", "WAIVER", "Directive", "Suppression", "bounded", "directives",
    "metadata_directives", "suppression_resources", "waiver_directive",
]  # fmt: skip
