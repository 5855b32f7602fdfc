"""Suppressions in a template: comments of YAML, and ``Metadata`` of resources.

A comment behind something is about what begins on its line; one on a line of its own about what begins on the next line, in
the same column. Whatever of a resource it stands at, it is about the resource: there is one finding for a rule and resource.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from policyengine.documents import Document
from policyengine.documents.comments import Comment, comments
from policyengine.model.location import Location
from policyengine.model.resource import Path, Resource
from policyengine.model.suppression import WORD
from policyengine.sources.cloudformation.template import Declared, Template
from policyengine.sources.suppressions import (
    COMMENT,
    MARK,
    METADATA,
    Suppression,
    bounded,
    directives,
    metadata_directives,
    suppression_resources,
)


def take_suppressions(
    template: Template,
    declared: Sequence[Declared],
    resources: Sequence[Resource],
    origins: Mapping[str, Path],
    file: str,
    place: tuple[str | None, str | None],
) -> list[Resource]:
    """Return a resource for each suppression, and note on ``resources`` what refers to waivers there.

    ``origins``: where each of the resources is written, by its id; ``declared`` are those the template declares itself.
    """
    if WORD not in template.document.text:
        return []
    paths = {each.path for each in declared}
    every = chain(_in_metadata(template, declared), _in_comments(template.document, paths))
    found, error = bounded(every)
    if error is not None:
        template.error_at(error.message, error.location)
    if not found:
        return []
    targets: dict[Any, list[Resource]] = {}
    for resource in resources:
        targets.setdefault(origins.get(resource.id), []).append(resource)
    return suppression_resources(found, targets, file, _name, place)


def _name(owner: Any) -> str:
    """Return the logical id at the end of a path; of a loop's body as it is written."""
    return str(owner[-1])


def _in_metadata(template: Template, declared: Sequence[Declared]) -> Iterator[Suppression]:
    owners: dict[Path, Any] = {each.path: each.raw.get("Metadata") for each in declared}
    yield from _of_metadata(template, ("Metadata",), template.root.get("Metadata"), None)
    for path, metadata in owners.items():
        yield from _of_metadata(template, (*path, "Metadata"), metadata, path)


def _of_metadata(template: Template, path: Path, metadata: Any, owner: Path | None) -> Iterator[Suppression]:
    if not isinstance(metadata, dict) or WORD not in metadata:
        return
    for below, directive in metadata_directives(metadata[WORD]):
        at = template.document.locate((*path, WORD, *below)) or Location(template.document.name)
        yield Suppression(directive, METADATA, Location(at.file, at.line, at.column), owner)


def _in_comments(document: Document, paths: set[Path]) -> Iterator[Suppression]:
    found = [(each, said) for each in comments(document, MARK) if (said := directives(each.text))]
    if not found:
        return
    begins, ends = _lines(document, paths)
    below = _below(document)
    for comment, said in found:
        owners = _about(document, comment, begins, ends, below)
        owner = next(iter(owners)) if len(owners) == 1 else None
        for directive in said:
            yield Suppression(
                directive, COMMENT, Location(document.name, comment.line, comment.column), owner
            )


def _lines(document: Document, paths: set[Path]) -> tuple[dict[int, set[Path]], dict[int, set[Path]]]:
    """Return line -> the resources of which something begins on it, and of which something ends on it.

    What an alias repeats is where it is written: its lines have a value already.
    """
    begins: dict[int, set[Path]] = defaultdict(set)
    ends: dict[int, set[Path]] = defaultdict(set)
    seen = 0
    for path, first, last in document.extents():
        if first < seen:
            continue
        seen = first
        owner = _owner(path, paths)
        if owner is not None:
            begins[first].add(owner)
            if last is not None:
                ends[last].add(owner)
    return begins, ends


def _about(
    document: Document,
    comment: Comment,
    begins: Mapping[int, set[Path]],
    ends: Mapping[int, set[Path]],
    below: Sequence[int],
) -> set[Path]:
    """Return the resources a comment is about; what is about several says so of none."""
    if not comment.alone:
        return begins.get(comment.line) or ends.get(comment.line) or set()
    number = below[comment.line - 1]
    line = document.line(number)
    return begins.get(number, set()) if len(line) - len(line.lstrip(" ")) == comment.column - 1 else set()


def _below(document: Document) -> list[int]:
    """Return for each line the number of the first line below it that is no comment, lines from 1."""
    lines = document.lines()
    found = [0] * len(lines)
    for number in range(len(lines), 0, -1):
        is_comment = number < len(lines) and lines[number].lstrip(" \t").startswith("#")
        found[number - 1] = found[number] if is_comment else number + 1
    return found


def _owner(path: Path, paths: set[Path]) -> Path | None:
    return next((path[:end] for end in range(len(path), 1, -1) if path[:end] in paths), None)
