"""What can be wrong with one line, said without the place, which the reader adds."""

from __future__ import annotations

from policyengine.sources.paths import printable


class LineError(ValueError):
    """A line that is no resource; the message says what was found and what was expected."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))
