"""Suppressions in Terraform's configuration: comments inside a ``resource`` block, on its line or right above it.

Only ``--terraform-source`` shows them: a plan holds no comments.
"""

from __future__ import annotations

from bisect import bisect_right
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
    below = _below(text.split("\n"))
    starts = [block.line for block in blocks]
    for comment in comments:
        said = directives(comment.text)
        if not said:
            continue
        owner = _owner(comment, blocks, starts, below, module)
        for directive in said:
            yield Suppression(directive, COMMENT, Location(file, comment.line, comment.column), owner)


def _below(lines: Sequence[str]) -> list[int]:
    """Return for each line the number of the first line below it that is no comment, lines from 1."""
    found = [0] * len(lines)
    for number in range(len(lines), 0, -1):
        is_comment = number < len(lines) and lines[number].lstrip(" \t").startswith(("#", "//"))
        found[number - 1] = found[number] if is_comment else number + 1
    return found


def _owner(
    comment: Comment,
    blocks: Sequence[Block],
    starts: Sequence[int],
    below: Sequence[int],
    module: tuple[str, ...],
) -> Written | None:
    block = _at(comment.line, blocks, starts)
    if block is None and comment.alone:
        last = min(comment.line + comment.text.count("\n"), len(below))
        block = _at(below[last - 1], blocks, starts)
    if block is None or block.words[0] != "resource" or len(block.words) != 3:
        return None
    return module, block.words[1], block.words[2]


def _at(line: int, blocks: Sequence[Block], starts: Sequence[int]) -> Block | None:
    """Return the block that a line is in; several on one line: none, since either may be meant."""
    after = bisect_right(starts, line)
    holding = [block for block in blocks[max(0, after - 2) : after] if block.end is None or line <= block.end]
    return holding[0] if len(holding) == 1 else None


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
