"""Where secrets stand in a template's text, so that nobody prints those lines as they are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policyengine.catalog import registry
from policyengine.documents import Document
from policyengine.model.resource import Path

_REFERENCES = frozenset({"Ref", "Fn::GetAtt", "Fn::ImportValue", "Fn::FindInMap"})


def secret_paths(document: Document) -> Iterator[Path]:
    """Yield the path of each secret: defaults of NoEcho parameters, secret properties.

    A property is secret when a step of its path is among ``TypeSpec.secrets`` of its resource's type. What a
    reference names is no secret; the written parts of ``Fn::Sub`` and ``Fn::Join`` are.
    """
    root = document.value if isinstance(document.value, dict) else {}
    for name, declared in _items(root.get("Parameters")):
        if isinstance(declared, dict) and str(declared.get("NoEcho")).lower() == "true":
            yield from _texts(declared.get("Default"), ("Parameters", name, "Default"))
    for name, body in _items(root.get("Resources")):
        if not isinstance(body, dict) or not isinstance(body.get("Type"), str):
            continue
        type_ = body["Type"]
        names = registry.secrets(type_) | (
            _SERVERLESS if type_.startswith("AWS::Serverless::") else frozenset()
        )
        if names:
            yield from _secrets(body.get("Properties"), ("Resources", name, "Properties"), names)
    for name, body in _items(root.get("Globals")):
        yield from _secrets(body, ("Globals", name), _SERVERLESS)


_SERVERLESS = frozenset({"Variables", "Environment"})


def _items(section: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(section, dict):
        yield from section.items()


def _secrets(value: Any, at: Path, names: frozenset[str]) -> Iterator[Path]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from (_texts if key in names else _below(names))(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _secrets(inner, (*at, index), names)


def _below(names: frozenset[str]) -> Any:
    return lambda value, at: _secrets(value, at, names)


def _texts(value: Any, at: Path) -> Iterator[Path]:
    """Yield every text and number below, but what references name."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _REFERENCES:
                yield from _texts(inner, (*at, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _texts(inner, (*at, index))
    elif isinstance(value, str | int | float) and not isinstance(value, bool) and str(value):
        yield at
