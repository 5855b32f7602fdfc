"""Whether a bundle without withheld values shows them elsewhere: asked before it is written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from policyengine.model.canonical_json import canonical
from policyengine.model.errors import UsageError
from policyengine.model.withheld import Withholding
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot.source import open_snapshot
from policyengine.store.lines import readable_lines
from policyengine.store.rundir import RunReader

SHORTEST: Final = 4
"""Characters from which on a text is looked for: shorter ones stand everywhere."""
_SHOWN: Final = 5
_MOST: Final = 100
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")


def is_withheld(run: Path) -> bool:
    """Whether a run withholds values."""
    return "withheld" in RunReader(run).about


def check_hidden(reader: RunReader, withholding: Withholding | None) -> None:
    """Raise UsageError where a bundle without withheld values would show one in the line it was taken from, or where
    nothing is withheld at all.

    Rows and reports were made without these values, so that the lines are what is left to look at. What several
    resources have alike is theirs: the plan says of which it is withheld.
    """
    if withholding is None:
        raise UsageError(
            f"nothing is withheld in `{reader.path}`: name it under `evidence.withhold` in policyengine.yaml, and scan again"
        )
    found = []
    for said in _shown(reader, withholding):
        found.append(said)
        if len(found) == _MOST:
            break
    if found:
        more = (
            f"\nand {len(found) - _SHOWN}{'+' if len(found) == _MOST else ''} more"
            if len(found) > _SHOWN
            else ""
        )
        raise UsageError(
            "what is withheld stands elsewhere in the same resource, and would be shown:\n"
            + "\n".join(found[:_SHOWN])
            + more
            + "\nname these places under `evidence.withhold` too; what is part of an id, an ARN or a name cannot be "
            "withheld: take it out of the plan. Then scan again."
        )


def _shown(reader: RunReader, withholding: Withholding) -> Iterator[str]:
    for folder in reader.inputs():
        for part in open_snapshot(folder, SourceOptions(), name=str(folder)).parts:
            for line in readable_lines(part.path):  # what follows is in no bundle
                yield from _shown_in(line, withholding)


def _shown_in(line: bytes, withholding: Withholding) -> Iterator[str]:
    disclosures = withholding.disclosures(line)
    if not disclosures:
        return
    left = _Left(withholding.committed(line))
    for disclosure in disclosures:
        for text in _texts(disclosure.value):
            place = left.place_of(text)
            if place is not None:
                yield f"{left.name}: {disclosure.path.removeprefix('tags:')} stands at {place} too"
                break


class _Left:
    """What is left of a line."""

    def __init__(self, line: bytes) -> None:
        self._line = line
        self._record: Any = json.loads(line)
        self.name = f"{self._record.get('type')} `{self._record.get('id')}`"

    def place_of(self, text: str) -> str | None:
        """Where a text stands as a value, a part of one, or a name; None where it does not."""
        if canonical(text)[1:-1] not in self._line:
            return None
        return next((path for path, found in _strings(self._record, "") if text in found), None)


def _strings(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield f"{path}/{name}", name
            yield from _strings(each, f"{path}/{name}")
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from _strings(each, f"{path}/{index}")
    elif isinstance(value, str) and not (path.startswith("/unknown/") and _DIGEST.fullmatch(value)):
        yield path, value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield path, str(value)


def _texts(value: Any) -> Iterator[str]:
    """The texts and numbers of a value that are long enough to be looked for; names of members are no values."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)
    elif not isinstance(value, bool) and value is not None and len(str(value)) >= SHORTEST:
        yield str(value)
