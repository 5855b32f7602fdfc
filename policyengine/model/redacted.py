"""A value that was taken out: its digest, and what a look at it found before that."""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from policyengine.model.values import Unresolved

_TOKEN: Final = re.compile(
    r"hmac-sha256:[0-9a-f]{8}:[0-9a-f]{32}(; in part)?(?:; as a variable: ([^;]*))?(?:; as a text: ([^;]*))?"
)
_BETWEEN: Final = " | "


class Looked(NamedTuple):
    """Kinds of credentials that were found in a value: taken as a variable of its name, and as a text."""

    variable: tuple[str, ...] = ()
    text: tuple[str, ...] = ()


def redacted(digest: str, found: Looked | None, *, part: bool = False) -> Unresolved:
    """Return what stands in place of a value: ``digest`` is ``hmac-sha256:KEY:MAC``; None: nobody could look. ``part``:
    only some of the value was known, and that is what was taken out."""
    if found is None:
        return Unresolved("redacted", f"{digest}; too long to be looked at", present=True)
    detail = f"{digest}; in part" if part else digest
    for said, kinds in (("as a variable", found.variable), ("as a text", found.text)):
        if kinds:
            detail += f"; {said}: {_BETWEEN.join(' '.join(kind.split()).replace(';', ',') for kind in kinds)}"
    return Unresolved("redacted", detail, present=True)


def found_in(value: Unresolved) -> Looked | None:
    """Return what was found in a value before it was redacted; None where nobody looked."""
    match = _TOKEN.fullmatch(value.detail) if value.reason == "redacted" else None
    if match is None:
        return None
    return Looked(*(tuple(part.split(_BETWEEN)) if part else () for part in match.groups()[1:]))


def was_written(value: Unresolved) -> bool:
    """Whether a whole value stood here before it was redacted: a text or a number, and no reference to one."""
    match = _TOKEN.match(value.detail) if value.reason == "redacted" else None
    return match is not None and match[1] is None


def without_text(value: Unresolved) -> Unresolved:
    """Keep the name of what a secret refers to; a longer expression has parts that are written out."""
    if value.reason == "redacted" or not value.detail or _REFERENCE.fullmatch(value.detail):
        return value
    if is_dynamic(value.detail) or (value.parts and is_dynamic("_".join(value.parts))):
        return value
    return Unresolved(value.reason, "", present=value.present, target=value.target)


def is_dynamic(value: Any) -> bool:
    """A reference that CloudFormation resolves at deployment says where the secret is, not what:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
    """
    return (
        isinstance(value, str)
        and value.startswith("{{resolve:")
        and value.count("{{") == value.count("}}") == 1
        and value.endswith("}}")
    )


_REFERENCE: Final = re.compile(
    r"(Ref|Fn::GetAtt|Fn::ImportValue): [\w:.-]{1,255}|(parameter|Terraform) [\w `.-]{1,300}"
)
