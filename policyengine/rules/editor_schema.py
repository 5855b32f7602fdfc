"""JSON Schemas for editors, generated from the models that load rules."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter

from policyengine.catalog import registry
from policyengine.rules import schema as s
from policyengine.rules.predicates.table import PREDICATES

_BASE = "https://json-schema.org/draft/2020-12/schema"


def rule_schema() -> dict[str, Any]:
    """Return the schema of a rule file: shapes from the models, names from the catalog and table."""
    found = s.Rule.model_json_schema(by_alias=True)
    types = sorted([*registry.covered(), "taggable"])
    found["properties"]["applies_to"] = {
        "description": s.Rule.model_fields["applies_to"].description,
        "anyOf": [{"enum": types}, {"type": "array", "items": {"enum": types}, "minItems": 1}],
    }
    found["$defs"]["PredicateCheck"] = _predicates()
    return {"$schema": _BASE, **found, "title": "policyengine rule"}


def _predicates() -> dict[str, Any]:
    return {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            name: {
                "description": predicate.summary,
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    key: {"description": arg.help or arg.kind} for key, arg in predicate.args.items()
                },
                "required": [key for key, arg in predicate.args.items() if arg.required],
            }
            for name, predicate in PREDICATES.items()
        },
    }


def case_schema() -> dict[str, Any]:
    """Return the schema of a test file."""
    adapter: TypeAdapter[Any] = TypeAdapter(list[s.Case | s.EquivalentMutants])
    return {"$schema": _BASE, **adapter.json_schema(by_alias=True), "title": "policyengine rule tests"}
