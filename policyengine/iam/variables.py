"""Policy variables: ``${key}``, ``${key, 'default'}`` and the fixed ``${*}``, ``${?}``, ``${$}``.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html. They are replaced
only in documents of version 2012-10-17; in others the text stands for itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from policyengine.iam.glob import has_wildcard
from policyengine.iam.opaque import Opaque
from policyengine.iam.request import Request

_VARIABLE: Final = re.compile(r"\$\{([^{}$]*+|\$)\}")
_DEFAULTED: Final = re.compile(r"\s*([^,'\s]+)\s*,\s*'([^']*)'\s*\Z")


@dataclass(frozen=True, slots=True)
class Variable:
    """A place in a text that the request fills."""

    key: str
    default: str | None


Piece = tuple[str, bool]
"""A text, and whether its stars are only stars."""


class Template:
    """A text with variables, ready to be filled in for each request."""

    __slots__ = ("parts",)

    def __init__(self, text: str) -> None:
        self.parts: list[Piece | Variable] = []
        end = 0
        for match in _VARIABLE.finditer(text):
            if match.start() > end:
                self.parts.append((text[end : match.start()], False))
            inner = match.group(1)
            if inner in ("*", "?", "$"):
                self.parts.append((inner, True))
            else:
                defaulted = _DEFAULTED.match(inner)
                key, default = defaulted.groups() if defaulted else (inner.strip(), None)
                self.parts.append(Variable(key.lower(), default))
            end = match.end()
        if end < len(text):
            self.parts.append((text[end:], False))

    def fill(self, request: Request) -> list[Piece] | Opaque | None:
        """Return the pieces with values in place; None where the request lacks a value.

        Opaque: a key with several values ("you can't use a multivalued key as a variable"), a value
        with wildcards in it (AWS does not say whether these count), a value nobody knows.
        """
        pieces: list[Piece] = []
        for part in self.parts:
            if not isinstance(part, Variable):
                pieces.append(part)
                continue
            values = request.values(part.key)
            if isinstance(values, Opaque):
                return values
            if values is None or not values:
                if part.default is None:
                    return None
                values = (part.default,)
            if len(values) > 1:
                return Opaque("a policy variable with several values")
            if has_wildcard(values[0]):
                return Opaque("a policy variable whose value holds a wildcard")
            pieces.append((values[0], True))
        return pieces


def template(text: str, variables: bool) -> Template | None:
    """Return the template of a text, None where nothing in it is replaced."""
    if not variables or "${" not in text or _VARIABLE.search(text) is None:
        return None
    return Template(text)
