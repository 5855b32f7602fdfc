"""What the sections of a configuration file are read with: every mistake kept with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from policyengine.documents import Document
from policyengine.documents.errors import shown
from policyengine.model.errors import ConfigError
from policyengine.model.formats import refused_number
from policyengine.model.location import Location

VERSION: Final = 1
"""Of policyengine.yaml and of waivers.yaml; one that says none is of this."""
MOST_ERRORS: Final = 100
"""Mistakes that are told: a file with more is no configuration with slips in it."""
LONGEST_NAME: Final = 200
"""Longer names get no suggestion: nothing is called that, and comparing takes time."""
Step = str | int
Place = tuple[Step, ...]


class TooManyError(Exception):
    """More mistakes than anybody reads."""


class ConfigErrors(ConfigError):
    """Everything that is wrong with a configuration file, in the order of the file."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        self.errors = tuple(errors)
        super().__init__("")
        self.message = "\n".join(str(e) for e in errors)


def in_order(errors: Sequence[ConfigError], name: str) -> ConfigErrors:
    """Return the mistakes of the file ``name`` as one error."""
    found = sorted(errors, key=_place)
    if len(found) >= MOST_ERRORS:
        found.append(ConfigError(f"{MOST_ERRORS} mistakes are told; there may be more", Location(name)))
    return ConfigErrors(found)


def _place(error: ConfigError) -> tuple[int, int]:
    at = error.location
    return (at.line or 0, at.column or 0) if at is not None else (0, 0)


class Mistakes:
    """The mistakes of one document. What a reader returns is only used where there is none."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.errors: list[ConfigError] = []

    def wrong(self, place: Sequence[Step], message: str, *, key: bool = False) -> None:
        """Keep a mistake. Raises TooManyError."""
        self.errors.append(ConfigError(message, self.document.locate(tuple(place), key=key)))
        if len(self.errors) >= MOST_ERRORS:
            raise TooManyError

    def mapping(self, value: Any, place: Sequence[Step]) -> Mapping[str, Any]:
        """Return the value where it is a mapping, else an empty one."""
        if isinstance(value, dict):
            return value
        where = shown(".".join(map(str, place))) if place else "the file"
        self.wrong(place, f"{where} is no mapping; expected `key: value` lines")
        return {}

    def other_version(self, top: Mapping[str, Any], what: str) -> bool:
        """Whether the file says that it is of a version that is not read; what else it says is then not looked at."""
        wrong = refused_number(top["version"], VERSION, what) if "version" in top else None
        if wrong is not None:
            self.wrong(("version",), wrong)
        return wrong is not None

    def known_keys(self, value: Mapping[str, Any], known: Sequence[str], place: Sequence[Step]) -> None:
        """Tell the keys that nobody knows."""
        for key in value:
            if key not in known:
                self.wrong((*place, key), unknown("key", key, known), key=True)

    def items(self, value: Any, place: Sequence[Step], what: str) -> list[Any]:
        """Return the value where it is a list, else an empty one; ``what`` are its items."""
        if isinstance(value, list):
            return value
        self.wrong(place, f"{shown(str(place[-1]))} is a list of {what}; found {shown(str(value))}")
        return []


def unknown(what: str, name: str, choices: Iterable[str]) -> str:
    """Say that a name is unknown, with the nearest one that is known."""
    import difflib  # nothing is misspelt in most runs

    known = list(choices)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5) if len(name) <= LONGEST_NAME else []
    if close:
        return f"unknown {what} {shown(name)}; did you mean `{close[0]}`?"
    few = f"; known are {', '.join(known)}" if len(known) <= 8 else ""
    return f"unknown {what} {shown(name)}{few}"
