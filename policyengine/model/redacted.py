"""A value that was taken out: its digest, and what a look at it found before that."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from policyengine.model.values import Unresolved

_TOKEN: Final = re.compile(
    r"hmac-sha256:[0-9a-f]{8}:[0-9a-f]{32}(?:; as a variable: ([^;]*))?(?:; as a text: ([^;]*))?"
)
_BETWEEN: Final = " | "


class Looked(NamedTuple):
    """Kinds of credentials that were found in a value: taken as a variable of its name, and as a text."""

    variable: tuple[str, ...] = ()
    text: tuple[str, ...] = ()


def redacted(digest: str, found: Looked | None) -> Unresolved:
    """Return what stands in place of a value: ``digest`` is ``hmac-sha256:KEY:MAC``; None: nobody could look."""
    if found is None:
        return Unresolved("redacted", f"{digest}; too long to be looked at", present=True)
    detail = digest
    for said, kinds in (("as a variable", found.variable), ("as a text", found.text)):
        if kinds:
            detail += f"; {said}: {_BETWEEN.join(' '.join(kind.split()).replace(';', ',') for kind in kinds)}"
    return Unresolved("redacted", detail, present=True)


def found_in(value: Unresolved) -> Looked | None:
    """Return what was found in a value before it was redacted; None where nobody looked."""
    match = _TOKEN.fullmatch(value.detail) if value.reason == "redacted" else None
    if match is None:
        return None
    return Looked(*(tuple(part.split(_BETWEEN)) if part else () for part in match.groups()))
