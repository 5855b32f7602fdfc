"""Resources that a run judged, looked up in the order of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from policyengine.history.runs import Identity
from policyengine.model.errors import PolicyEngineError
from policyengine.model.resource import Resource
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot.lines import parse_line
from policyengine.sources.snapshot.problems import LineError
from policyengine.sources.snapshot.source import open_snapshot
from policyengine.store.lines import StreamError, read_lines
from policyengine.store.rundir import RunReader

MOST_AGAIN: Final = 3
"""How often a file may be begun again: what is not in its order is given up."""


class JudgedResources:
    """Finds resources of a run directory. Files are read on from where the last one was found, lines that do not hold the id
    not parsed: who asks in the order of the run has each file read once.
    """

    def __init__(self, run: RunReader) -> None:
        self._run = run
        self._files: list[tuple[str | None, Path]] | None = None
        self._at = 0
        self._lines: Iterator[bytes] | None = None
        self._again = 0

    def find(self, identity: Identity) -> Resource | None:
        """Return a resource, None where it is not at hand."""
        try:
            if self._files is None:
                self._files = self._parts()
            found = self._on(identity)
            if found is None and self._again < MOST_AGAIN:
                self._again += 1
                self._at, self._lines = 0, None
                found = self._on(identity)
        except (PolicyEngineError, StreamError, OSError):
            return None
        return found

    def _parts(self) -> list[tuple[str | None, Path]]:
        """The files with their accounts, in order."""
        found = []
        for folder in self._run.inputs():
            source = open_snapshot(folder, SourceOptions(), name=str(folder))
            found += [(part.account or None, part.path) for part in source.parts]
        return found

    def _on(self, identity: Identity) -> Resource | None:
        files = self._files or []
        account, text = (
            identity[0],
            json.dumps(identity[3], ensure_ascii=False).encode("utf-8", "surrogatepass"),
        )
        ascii_text = json.dumps(identity[3]).encode()
        while self._at < len(files):
            whose, path = files[self._at]
            if not account or whose in (None, account):
                if self._lines is None:
                    self._lines = read_lines(path)
                for line in self._lines:
                    if (text in line or ascii_text in line) and (
                        found := _parsed(line, identity)
                    ) is not None:
                        return found
            self._at, self._lines = self._at + 1, None
        return None


def _parsed(line: bytes, identity: Identity) -> Resource | None:
    try:
        found = parse_line(line, later_minor=True)
    except LineError:
        return None
    return found if found.identity == identity else None
