"""Streams that can be read once, kept in a private file for as long as the program runs."""

from __future__ import annotations

import atexit
import errno
import os
import select
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from policyengine.model.errors import InputError
from policyengine.model.location import Location
from policyengine.sources.config.stream import GZIP_MAGIC
from policyengine.sources.snapshot.files import BLOCK, ZSTD_MAGIC

_STREAMED = (ZSTD_MAGIC, GZIP_MAGIC, b'{"type":"', b'{"fileVersion"')
"""How snapshots and files of AWS Config begin, which are read piece by piece."""
WRITER_SECONDS = 60
"""How long the first byte of a named pipe may take."""


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a pipe or device for reading; a pipe that nobody writes to is an OSError, not a wait without end."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if stat.S_ISFIFO(os.fstat(file.fileno()).st_mode):
            # a pipe that no writer has opened yet is not ready, whatever the flags say
            ready, _, _ = select.select([file], [], [], WRITER_SECONDS)
            if not ready:
                raise OSError(errno.ETIMEDOUT, f"nothing was written to it in {WRITER_SECONDS} seconds")
        os.set_blocking(file.fileno(), True)
        yield file


def spool(descriptor: int, name: str, limit: int) -> Path:
    """Return the path of a file with everything the stream gives; it is deleted at exit.

    Only its owner can read the file. A stream of lines or items may be of any length, because it is
    read in blocks later; any other stops at ``limit`` bytes with InputError ``too_large``.
    """
    handle, text = tempfile.mkstemp(prefix="policyengine-", suffix=".input")
    path = Path(text)
    atexit.register(_delete, path)
    with os.fdopen(handle, "wb") as file:
        size = 0
        lines = False
        while block := os.read(descriptor, BLOCK):
            if size == 0:
                lines = block.startswith(_STREAMED)
            size += len(block)
            if size > limit and not lines:
                message = f"is larger than {limit >> 20} MiB, the limit for one template or plan"
                raise InputError(message, Location(name), code="too_large")
            file.write(block)
    return path


def _delete(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
