"""Property paths as rules write them: ``A.B``, ``tags.Owner``, ``Attributes."dotted key"``, ``.``"""

from __future__ import annotations

from typing import Final, NamedTuple

RESERVED: Final = frozenset({"tags", "related", "with", "resource"})
RESOURCE_ATTRIBUTES: Final = frozenset({"id", "arn", "type", "account", "region"})


class RulePath(NamedTuple):
    """A parsed path: ``root`` is properties, element, tags, related, with or resource."""

    root: str
    steps: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return the path as a reader writes it."""
        parts = [f'"{s}"' if "." in s else s for s in self.steps]
        if self.root not in ("properties", "element"):
            parts.insert(0, self.root)
        return ".".join(parts) or "."


def parse_path(text: str, *, in_resource: bool) -> RulePath:
    """Parse a path; ``in_resource`` is False below a quantifier over plain elements.

    Raises ValueError saying what is wrong and what to write.
    """
    if text == ".":
        if in_resource:
            raise ValueError("`.` is the element inside every/some; here a property path is expected")
        return RulePath("element", ())
    steps = _split(text)
    if not in_resource:
        return RulePath("element", steps)
    if steps[0] not in RESERVED:
        return RulePath("properties", steps)
    root, rest = steps[0], steps[1:]
    if not rest:
        raise ValueError(f"`{root}` needs a name after it, such as `{root}.{_EXAMPLES[root]}`")
    if root == "resource" and (len(rest) != 1 or rest[0] not in RESOURCE_ATTRIBUTES):
        raise ValueError(f"`resource.` is followed by one of {', '.join(sorted(RESOURCE_ATTRIBUTES))}")
    if root == "tags" and len(rest) != 1:
        raise ValueError(f'quote a tag key that has dots: `tags."{".".join(rest)}"`')
    return RulePath(root, rest)


_EXAMPLES: Final = {"tags": "Owner", "related": "policies", "with": "subnet", "resource": "id"}


def _split(text: str) -> tuple[str, ...]:
    steps: list[str] = []
    position = 0
    while position <= len(text):
        if text[position : position + 1] == '"':
            end = text.find('"', position + 1)
            if end < 0:
                raise ValueError(f"`{text}` has an opening quote without a closing one")
            steps.append(text[position + 1 : end])
            position = end + 1
            if position < len(text) and text[position] != ".":
                raise ValueError(f"`{text}`: a quoted step is followed by `.` or the end")
            position += 1
            continue
        end = text.find(".", position)
        end = len(text) if end < 0 else end
        steps.append(text[position:end])
        position = end + 1
    if not all(steps):
        raise ValueError(f"`{text}` has an empty step")
    return tuple(steps)
