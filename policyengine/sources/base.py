"""What every source gives the engine, and what it may be told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.location import Location
from policyengine.model.resource import NO_COVERAGE, Coverage, Resource

__all__ = ["MAX_ERRORS", "NO_COVERAGE", "Coverage", "SecretText", "Source", "SourceOptions", "add_error"]


MAX_ERRORS = 10_000
"""Errors one template or plan lists; one more says that there are others."""


def add_error(errors: list[PolicyEngineError], error: PolicyEngineError) -> None:
    """Append an error unless there are MAX_ERRORS already; the one after says so."""
    if len(errors) < MAX_ERRORS:
        errors.append(error)
    elif len(errors) == MAX_ERRORS:
        place = Location(error.location.file) if error.location else None
        errors.append(InputError(f"more than {MAX_ERRORS:,} errors; the others are not listed", place))


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """What a user may say about reading targets.

    ``base`` is the folder that file identities are relative to; None means the repository root
    above the target, else the target itself. ``parameters`` are CloudFormation parameter values
    (``--parameters``); ``account`` and ``region`` bind code to a place.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    terraform_source: Path | None = None
    account: str | None = None
    region: str | None = None
    base: Path | None = None
    max_bytes: int = 128 * 1024 * 1024
    stack_tags: Mapping[str, str] = field(default_factory=dict)
    """Tags the stack is deployed with (``--stack-tag``): CloudFormation gives them to its resources."""


@dataclass(frozen=True, slots=True)
class SecretText:
    """What must not be printed of a file's lines.

    ``spans`` are places of secrets in ``file``; ``texts`` are secrets wherever they stand in the files a
    source read; ``hidden`` are files of which no line may be shown.
    """

    spans: tuple[Location, ...] = ()
    texts: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()


class Source(Protocol):
    """A readable target. ``resources`` may be called again and gives the same sequence.

    A part that cannot be read (a bad line, a resource without ``Type``) is appended to
    ``errors`` while iterating, and the rest is still given. ``skipped`` counts what was left out
    on purpose, by a short reason; ``notes`` are things a user should know (an ignored inline
    suppression). Opening raises InputError when nothing at all can be read.
    """

    kind: str
    """``template``, ``plan``, ``snapshot``, ``live`` or ``config``."""
    target: str
    coverage: Coverage
    errors: list[PolicyEngineError]
    skipped: Counter[str]
    notes: list[str]

    def resources(self) -> Iterator[Resource]:
        """Yield every resource once, its branches as ``variants``."""
        ...
