"""What handlers that end the sharing with everybody say alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from policyengine.remediate.api import Call, Proposal, Step


def make_private(
    what: str,
    permissions: tuple[str, Sequence[Any]],
    everybody: Any,
    change: tuple[Call, Call],
    *,
    why: str,
    others: Callable[[int], str] = "the {} accounts".format,
) -> Proposal:
    """Propose to take ``everybody`` out of who may use something; those it is shared with by name stay.

    ``what`` is its kind and id, ``permissions`` the image's one member and its value, ``change`` the call that takes
    everybody out and the one that lets everybody in again; ``others`` says who so many are.
    """
    member, allowed = permissions
    left = [each for each in allowed if each != everybody]
    away, back = change
    kept = f"; {others(len(left))} it is shared with keep it" if left else ""
    return Proposal(
        f"make {what} private{kept}", (Step("make-private", away, (back,), why=why),), after={member: left}
    )
