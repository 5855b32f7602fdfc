"""Waiting for what AWS prepares on demand (reports), with an end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from policyengine.aws.failures import CallFailure

Json = dict[str, Any]
PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0, 15.0)
"""Seconds between two looks: a minute in all."""
sleep: Callable[[float], None] = time.sleep


def until(
    ready: Callable[[Json], bool],
    ask: Callable[[], Json],
    *,
    operation: str,
    unready: Iterable[str] = (),
    pauses: Iterable[float] = PAUSES,
) -> Json:
    """Return the first answer that is ``ready``; ``unready`` are error codes that say "not yet".

    Raises CallFailure: the call's own, or the last "not yet" when the time is over.
    """
    codes = tuple(unready)
    waits = iter(pauses)
    while True:
        try:
            answer = ask()
            if ready(answer):
                return answer
            late = CallFailure(operation, "read_error", "NotReady", "AWS was still preparing it")
        except CallFailure as failure:
            if not failure.is_one_of(codes):
                raise
            late = failure
        pause = next(waits, None)
        if pause is None:
            raise late
        sleep(pause)
