"""Findings as text, made where the findings are: a finding crosses processes at twice the cost of its text."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from policyengine.model.finding import Finding

BLOCK: Final = 1_000
"""Findings that become one text."""

Render = Callable[[Finding], str]
"""What makes a finding the text of a report; a function of a module, so that processes can be told of it."""


class Block(NamedTuple):
    """Some findings, in order, as text: one for each renderer; counts by (verdict, whether it is waived)."""

    texts: tuple[str, ...]
    verdicts: Counter[tuple[str, bool]]


def blocks_of(findings: Iterable[Finding], renders: Sequence[Render]) -> Iterator[Block]:
    """Yield the findings as text."""
    left = iter(findings)
    while some := list(islice(left, BLOCK)):
        texts = tuple("".join(map(render, some)) for render in renders)
        yield Block(texts, Counter((f.verdict, f.waiver is not None) for f in some))


@dataclass(frozen=True, slots=True)
class Spooled:
    """Blocks in a file that one process writes and another reads once; neither holds more than one."""

    path: Path

    def __iter__(self) -> Iterator[Block]:
        import pickle  # costs several milliseconds that small runs do not pay

        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            while file.tell() < size:
                yield pickle.load(file)  # noqa: S301 - our own process wrote it, in a folder only we may enter
        self.path.unlink()


def spool_blocks(blocks: Iterable[Block], folder: Path) -> Spooled:
    """Write blocks to a new file in a folder that no other user may enter."""
    import pickle
    import tempfile

    handle, name = tempfile.mkstemp(dir=folder)
    with os.fdopen(handle, "wb") as file:
        for block in blocks:
            pickle.dump(block, file, pickle.HIGHEST_PROTOCOL)
    return Spooled(Path(name))
