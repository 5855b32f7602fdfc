"""Versions of file formats: a reader takes its own major version, whatever the minor one, and refuses any other.

A format calls itself ``policyengine/NAME/vMAJOR`` (``vMAJOR.MINOR``), or has a number (``2``, ``"2.1"``). What a later minor
version adds may be ignored; a later major version may mean something else by the same words (docs/formats.md).
"""

from __future__ import annotations

import re
from typing import Any, Final

_NAMED: Final = re.compile(r"policyengine/([a-z0-9-]{1,60})/v([0-9]{1,6})(?:\.[0-9]{1,6})?")
_NUMBER: Final = re.compile(r"([0-9]{1,6})(?:\.[0-9]{1,6})?")
_LONGEST: Final = 60
NEWER: Final = "read it with a newer policyengine, or write it again with this one"
OLDER: Final = "write it again with this policyengine, or read it with the one that wrote it"


def refused(found: Any, wanted: str) -> str | None:
    """Say why what calls itself ``found`` is not read as ``wanted`` (``policyengine/NAME/vMAJOR``); None where it is."""
    own, other = _NAMED.fullmatch(wanted), _NAMED.fullmatch(found) if isinstance(found, str) else None
    assert own is not None, wanted
    if other is None or other[1] != own[1]:
        said = f"found `{_shown(found)}`" if found is not None else "it names no schema"
        return f"it is no `{wanted}`: {said}"
    return _difference(int(other[2]), int(own[2]), found, f"`policyengine/{own[1]}`")


def refused_number(found: Any, wanted: int, what: str) -> str | None:
    """Say why a format that says ``found`` is not read as version ``wanted`` of ``what``; None where it is."""
    number = (
        _NUMBER.fullmatch(str(found))
        if isinstance(found, int | float | str) and not isinstance(found, bool)
        else None
    )
    if number is None:
        return f"{what} of version `{_shown(found)}`; expected {wanted}"
    return _difference(int(number[1]), wanted, found, what)


def _difference(major: int, own: int, found: Any, what: str) -> str | None:
    if major == own:
        return None
    said = str(found).rsplit("/v", 1)[-1]
    return f"{what} is of version {said}; this policyengine reads {own}.x: {NEWER if major > own else OLDER}"


def _shown(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
