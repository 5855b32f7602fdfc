"""Suppressions in Terraform's configuration: comments inside a ``resource`` block, on its line or right above it.

Only ``--terraform-source`` shows them: a plan holds no comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.sources.suppressions import COMMENT, Suppression, directives, suppression_resources
from policyengine.sources.terraform.addresses import names
from policyengine.sources.terraform.draft import Draft
from policyengine.sources.terraform.hcl import Block, Comment

Written = tuple[tuple[str, ...], str, str]
"""Names of the modules, type and name: one block, however many instances it has."""


def comment_suppressions(
    comments: Sequence[Comment], blocks: Sequence[Block], text: str, file: str, module: tuple[str, ...]
) -> Iterator[Suppression]:
    """Yield what the comments of a file say; ``file`` is its name as it is shown."""
    lines = text.split("\n")
    for comment in comments:
        said = directives(comment.text)
        if not said:
            continue
        owner = _owner(comment, blocks, lines, module)
        for directive in said:
            yield Suppression(directive, COMMENT, Location(file, comment.line, comment.column), owner)


def _owner(
    comment: Comment, blocks: Sequence[Block], lines: Sequence[str], module: tuple[str, ...]
) -> Written | None:
    line = comment.line
    if comment.alone and not any(_holds(block, line) for block in blocks):
        line += comment.text.count("\n") + 1
        while line <= len(lines) and lines[line - 1].lstrip(" \t").startswith(("#", "//")):
            line += 1
    for block in blocks:
        if _holds(block, line) and block.words[0] == "resource" and len(block.words) == 3:
            return module, block.words[1], block.words[2]
    return None


def _holds(block: Block, line: int) -> bool:
    return block.line <= line and (block.end is None or line <= block.end)


def take_suppressions(
    found: Sequence[Suppression],
    drafts: Sequence[tuple[Draft, Resource]],
    file: str,
    place: tuple[str | None, str | None],
) -> list[Resource]:
    """Return a resource for each suppression, and note on the resources what refers to waivers where they are written."""
    targets: dict[Any, dict[int, Resource]] = {}
    for draft, resource in drafts:
        for part in (draft, *draft.merged):
            planned = part.planned
            targets.setdefault((names(planned.module), planned.type, planned.name), {})[id(resource)] = (
                resource
            )
    each = {written: list(same.values()) for written, same in targets.items()}
    return suppression_resources(found, each, file, _name, place)


def _name(owner: Any) -> str:
    module, type_, name = owner
    return ".".join([*(f"module.{each}" for each in module), type_, name])
