"""Images compared: what differs between two, and whether one can be seen on the way from one to another."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.canonical_json import digest

_NOTHING: Final = object()


def differing(now: Any, expected: Any) -> str:
    """Name the members in which two images differ, not their values, which may be secret."""
    if isinstance(now, dict) and isinstance(expected, dict):
        names = sorted(name for name in {*now, *expected} if now.get(name) != expected.get(name))
        return f"`{'`, `'.join(names[:8])}` differ" if names else "nothing differs"
    return f"{digest(now)[:19]} is not {digest(expected)[:19]}"


def between(now: Any, before: Any, after: Any) -> bool:
    """Whether what is there can come of some of a change's calls alone: every part of it is as before or as after.

    Anything else was put there by somebody else.
    """
    if now in (before, after):
        return True
    if all(isinstance(each, dict) for each in (now, before, after)):
        names = {*now, *before, *after}
        return all(between(*(each.get(name, _NOTHING) for each in (now, before, after))) for name in names)
    if all(isinstance(each, list) for each in (now, before, after)):
        if len(now) == len(before) == len(after) and all(map(between, now, before, after)):
            return True
        known = all(each in before or each in after for each in now)
        return known and all(each in now for each in before if each in after)
    return False
