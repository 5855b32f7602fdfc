"""JSON Schemas for editors, in the words of draft-07.

That is the draft that the servers behind editors support: yaml-language-server and VS Code's JSON service take later ones in part
(https://github.com/redhat-developer/yaml-language-server/issues/856), and draft-07 ignores what stands beside a ``$ref``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

Schema = dict[str, Any]
DRAFT: Final = "http://json-schema.org/draft-07/schema#"
_MAPS: Final = frozenset({"properties", "patternProperties", "definitions", "$defs"})
"""Keywords whose keys are names of our own, not keywords."""


def document(name: str, title: str, body: Mapping[str, Any], version: int = 1) -> Schema:
    """Return a whole schema; its ``$id`` names the kind of file and the major version of its format."""
    head = {"$schema": DRAFT, "$id": f"urn:policyengine:schema:{name}:v{version}", "title": title}
    return {**head, **{key: value for key, value in body.items() if key != "title"}}


def mapping(
    properties: Mapping[str, Schema], description: str, required: Iterable[str] = (), **more: Any
) -> Schema:
    """Return the schema of a mapping with these keys and no others."""
    needed = list(required)
    found: Schema = {"type": "object", "description": description, "additionalProperties": False}
    found["properties"] = dict(properties)
    return {**found, **({"required": needed} if needed else {}), **more}


def each(values: Schema, description: str, **more: Any) -> Schema:
    """Return the schema of a mapping from names of the user's own to these values."""
    return {"type": "object", "description": description, "additionalProperties": values, **more}


def text(
    description: str, least: int = 1, most: int | None = None, pattern: str | None = None, **more: Any
) -> Schema:
    """Return the schema of a text; ``pattern`` is over all of it."""
    found: Schema = {"type": "string", "description": description}
    if pattern is not None:
        found["pattern"] = f"^(?:{pattern})$"
    elif least:
        found["minLength"] = least
    return {**found, **({"maxLength": most} if most is not None else {}), **more}


def whole(description: str, least: int, most: int, **more: Any) -> Schema:
    """Return the schema of a whole number."""
    return {"type": "integer", "description": description, "minimum": least, "maximum": most, **more}


def one_of(values: Sequence[Any], description: str) -> Schema:
    """Return the schema of one of some values: editors complete them."""
    return {"enum": list(values), "description": description}


def items(of: Schema, description: str, **more: Any) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "description": description, "items": of, **more}


def one_or_many(of: Schema, description: str) -> Schema:
    """Return the schema of a value or a list of them, each once."""
    many = {"type": "array", "items": of, "minItems": 1, "uniqueItems": True}
    return {"description": description, "anyOf": [of, many]}


def referring(name: str, description: str) -> Schema:
    """Return a schema that is defined under a name, with a description of its own."""
    return {"description": description, "allOf": [{"$ref": f"#/definitions/{name}"}]}


def draft7(schema: Any, *, names: bool = False) -> Any:
    """Return what pydantic generates (2020-12) in the words of draft-07, without the titles it makes up.

    An optional value may be left out; writing ``null`` for it is what nobody means. ``names``: the keys are names.
    """
    if isinstance(schema, list):
        return [draft7(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if names:
        return {key: draft7(value) for key, value in schema.items()}
    found = {
        "definitions" if key == "$defs" else key: draft7(value, names=key in _MAPS)
        for key, value in schema.items()
        if key not in ("title", "default", "enum", "const", "$ref", "required")
    }
    for key in ("enum", "const", "required"):
        if key in schema:
            found[key] = schema[key]
    if schema.get("default") is not None:
        found["default"] = schema["default"]
    elif "default" in schema:
        found = _without_null(found)
    if "$ref" in schema:
        reference = {"$ref": str(schema["$ref"]).replace("#/$defs/", "#/definitions/")}
        return {**found, "allOf": [reference]} if found else reference
    return found


def _without_null(schema: Schema) -> Schema:
    left = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if len(left) == len(schema.get("anyOf", ())):
        return schema
    rest = {key: value for key, value in schema.items() if key != "anyOf"}
    if len(left) > 1:
        return {**rest, "anyOf": left}
    return {**rest, "allOf": left} if "$ref" in left[0] else {**left[0], **rest}
