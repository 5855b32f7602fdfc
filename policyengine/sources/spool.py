"""Streams that can be read once, kept in a private file for as long as the program runs."""

from __future__ import annotations

import atexit
import os
import tempfile
from contextlib import suppress
from pathlib import Path

from policyengine.model.errors import InputError
from policyengine.model.location import Location
from policyengine.sources.snapshot.files import BLOCK, ZSTD_MAGIC


def spool(descriptor: int, name: str, limit: int) -> Path:
    """Return the path of a file with everything the stream gives; it is deleted at exit.

    Only its owner can read the file. A stream of lines may be of any length, because it is read
    in blocks later; any other stops at ``limit`` bytes with InputError ``too_large``.
    """
    handle, text = tempfile.mkstemp(prefix="policyengine-", suffix=".input")
    path = Path(text)
    atexit.register(_delete, path)
    with os.fdopen(handle, "wb") as file:
        size = 0
        lines = False
        while block := os.read(descriptor, BLOCK):
            if size == 0:
                lines = block.startswith((ZSTD_MAGIC, b'{"type":"'))
            size += len(block)
            if size > limit and not lines:
                message = f"is larger than {limit >> 20} MiB, the limit for one template or plan"
                raise InputError(message, Location(name), code="too_large")
            file.write(block)
    return path


def _delete(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
