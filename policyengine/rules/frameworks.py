"""Compliance frameworks: the control ids a rule may name under ``frameworks:``.

One file ``frameworks/<id>.yaml`` a framework, ids only. A rule that names a control which is not in
the file is refused, with the ids it may have meant.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from policyengine.documents import Document, DocumentError, load
from policyengine.model.errors import RuleError

_TEXTS: Final = ("id", "title", "version", "source", "note")
_KEYS: Final = (*_TEXTS, "controls")
_NOISE: Final = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Framework:
    """A framework and the controls of it that rules can decide, in the order of the standard."""

    id: str
    title: str
    version: str
    source: str
    note: str
    controls: tuple[str, ...]

    @cached_property
    def _known(self) -> frozenset[str]:
        return frozenset(self.controls)

    def has(self, control: str) -> bool:
        """Return whether the framework has this control, exactly spelt."""
        return control in self._known

    def suggest(self, control: str, limit: int = 3) -> list[str]:
        """Return the known ids a misspelt one may have meant, the likeliest first.

        Ids that differ in case and punctuation only (``ac-2 (1)``, ``cc_6_1``) come before those that
        merely look alike.
        """
        same = [known for known in self.controls if _plain(known) == _plain(control)]
        close = difflib.get_close_matches(control, self.controls, n=limit, cutoff=0.6)
        return list(dict.fromkeys([*same, *close]))[:limit]


def load_frameworks(root: Path) -> Mapping[str, Framework]:
    """Return the frameworks of ``root`` by id, in the order of their ids; empty without the folder.

    Raises RuleError with the place when a file cannot be read or has another shape.
    """
    found = {path.stem: _read(path) for path in sorted(root.glob("*.yaml"))}
    return MappingProxyType(found)


def _plain(control: str) -> str:
    """Return the id without what people spell differently; ``2.10`` and ``21.0`` stay different."""
    return _NOISE.sub("-", control.lower()).strip("-")


def read_document(path: Path) -> Document:
    """Return a file about frameworks. Raises RuleError where it cannot be read or is no YAML."""
    try:
        return load(path.read_bytes(), name=path.as_posix(), syntax="yaml", style="strict")
    except DocumentError as error:
        raise RuleError(error.message, error.location) from error
    except OSError as error:
        raise RuleError(f"{path.as_posix()}: cannot be read: {error.strerror}") from error


def _read(path: Path) -> Framework:
    document = read_document(path)
    value = document.value
    if not isinstance(value, dict):
        raise wrong(document, (), "expected a mapping with id, title, version, source, note and controls")
    for key in value:
        if key not in _KEYS:
            raise wrong(document, (key,), f"unknown key `{key}`; known are {', '.join(_KEYS)}")
    for key in _TEXTS:
        if not isinstance(value.get(key), str):
            raise wrong(document, (key,), f"`{key}` must be text")
    if value["id"] != path.stem:
        raise wrong(document, ("id",), f"id `{value['id']}` is not the file's name; expected `{path.stem}`")
    texts = {key: value[key] for key in _TEXTS}
    return Framework(**texts, controls=_controls(document, value.get("controls")))


def _controls(document: Document, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise wrong(document, ("controls",), "`controls` must be a list with at least one id")
    seen: set[str] = set()
    for index, control in enumerate(value):
        if not isinstance(control, str) or not control:
            raise wrong(
                document, ("controls", index), f"a control id must be text, in quotes; found `{control}`"
            )
        if control in seen:
            raise wrong(document, ("controls", index), f"the control `{control}` is listed twice")
        seen.add(control)
    return tuple(value)


def wrong(document: Document, path: tuple[str | int, ...], message: str) -> RuleError:
    """Return what is raised for the value at a path of a file."""
    return RuleError(message, document.locate(path))
