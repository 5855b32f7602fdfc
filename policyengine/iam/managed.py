"""The policies that AWS manages, as they were on ``DATE``: documents of their default versions.

Made from moto's list (Apache-2.0, read from AWS) by ``tools/build_managed_policies.py``. AWS changes these
policies and adds others, so an ARN that is not here is unknown, not empty, and so is every one of another
partition than ``aws``: its documents may differ.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("data") / "managed_policies.gz"
_ARN: Final = "arn:aws:iam::aws:policy/"


def _header() -> dict[str, str]:
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        found: dict[str, str] = json.loads(lines.readline())
        return found


_ORIGIN: Final = _header()
DATE: Final = _ORIGIN["date"]
"""When the newest of the policies was changed, ISO 8601."""
MOTO: Final = _ORIGIN["moto"]
"""The version of moto they came with."""


@dataclass(frozen=True, slots=True)
class ManagedPolicy:
    """One policy: ``version`` is the default version (``v3``), ``date`` when it was made, ``text`` its JSON."""

    arn: str
    version: str
    date: str
    text: str


def managed_policy(arn: str) -> Mapping[str, Any] | None:
    """Return the document of a policy's default version, the caller's own; None for an ARN not known."""
    found = entry(arn)
    if found is None:
        return None
    document: dict[str, Any] = json.loads(found.text)
    return document


def entry(arn: str) -> ManagedPolicy | None:
    """Return a policy with its version and date, its document as JSON text; None for an ARN not known."""
    line = _lines().get(arn) if arn.startswith(_ARN) else None
    if line is None:
        return None
    version, date, text = line.split(" ", 2)
    return ManagedPolicy(arn, version, date, text)


def names() -> tuple[str, ...]:
    """Return the ARNs of all of them, sorted."""
    return tuple(_lines())


@lru_cache(maxsize=1)
def _lines() -> dict[str, str]:
    """Return ARN → the rest of its line; documents stay text until somebody asks."""
    lines = gzip.decompress(FILE.read_bytes()).decode().split("\n")
    return dict(line.split(" ", 1) for line in lines[1:])
