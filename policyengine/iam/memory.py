"""What is kept of texts that were read before, within bounds."""

from __future__ import annotations

import gc
from typing import Final, Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_SIZE: Final = 16 * 1024 * 1024
"""Characters of text whose readings are kept; a reading takes some ten times its text."""

ENTRY: Final = 512
"""What a reading counts for beside its text, so that many small ones are bounded too."""


class Memory(Generic[Key, Value]):
    """A mapping of bounded size: when it is full it begins anew, and what it held is freed."""

    def __init__(self, max_size: int = MAX_SIZE) -> None:
        self._max_size = max_size
        self._size = 0
        self._found: dict[Key, Value] = {}
        self.get = self._found.get
        """``get(key)``: the value or None."""

    def keep(self, key: Key, value: Value, size: int) -> None:
        """Remember a value; ``size`` is how long the text was that it was read from."""
        size += ENTRY
        if self._size + size > self._max_size:
            self._found.clear()
            self._size = 0
            # statements and what was compiled of them name each other, and who reads many scenarios has
            # little reason to look for garbage at any other time
            gc.collect()
        self._found[key] = value
        self._size += size
