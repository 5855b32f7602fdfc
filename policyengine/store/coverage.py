"""What a run looked at, kept beside its findings: a resource that is not among them is gone only where somebody looked.

``coverage.json`` holds ``{"coverage": [{"types": [...], "places": [[ACCOUNT, REGION], ...]}, ...]}``: places of which
the same types were collected whole stand together, as thousands of them mostly do. ``*`` stands for every type.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from policyengine.model.coverage import places_alike
from policyengine.model.errors import InputError
from policyengine.model.resource import Coverage

FILE: Final = "coverage.json"
Places = Mapping[tuple[str, str], frozenset[str]]
"""(account, region) -> the types that were collected whole there; a place that was not read has none."""


def coverage_json(coverage: Coverage) -> dict[str, Any]:
    """Return the object of ``coverage.json``, the same for the same coverage."""
    return {"coverage": [{"types": types, "places": places} for types, places in places_alike(coverage)]}


def read_coverage(run: Path) -> Places:
    """Return what the run at ``run`` covers; nothing where a report, or an older run directory, does not say it.

    Raises InputError when the file is not what a run directory holds.
    """
    file = run / FILE
    if not run.is_dir() or not file.is_file():
        return {}
    try:
        found: dict[tuple[str, str], frozenset[str]] = {}
        for entry in json.loads(file.read_bytes())["coverage"]:
            types = frozenset(map(str, entry["types"]))
            found.update({(str(account), str(region)): types for account, region in entry["places"]})
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"`{file}` does not say what the run looked at; expected what `scan -o DIR` writes"
        ) from error
    return found
