"""JSON Schemas of rules and of their tests, generated from the models that load them (docs/editor.md)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from policyengine.catalog import registry
from policyengine.documents import json_schema as js
from policyengine.rules import schema as s
from policyengine.rules.frameworks import Framework
from policyengine.rules.predicates.table import PREDICATES

_KINDS: Final = {"integer": "integer", "number": "number", "string": "string", "boolean": "boolean"}
_PARAMETER: Final = r"^\$"
"""A parameter of the rule stands in place of a constant."""


def rule_schema(frameworks: Mapping[str, Framework], remediations: Collection[str]) -> js.Schema:
    """Return the schema of a rule file: shapes from the models; names of types, predicates, controls and remediations."""
    found: js.Schema = js.draft7(s.Rule.model_json_schema(by_alias=True))
    properties, definitions = found["properties"], found["definitions"]
    types = js.one_of(
        sorted([*registry.covered(), "taggable"]), "a resource type, or every one that can be tagged"
    )
    properties["applies_to"] = js.one_or_many(types, str(s.Rule.model_fields["applies_to"].description))
    properties["frameworks"] = js.mapping(
        {name: _controls(framework) for name, framework in sorted(frameworks.items())},
        properties["frameworks"]["description"],
    )
    properties["remediation"] = js.one_of(sorted(remediations), properties["remediation"]["description"])
    definitions.pop("Mapping", None)
    definitions["PredicateCheck"] = _predicates()
    definitions["FieldCheck"]["oneOf"] = [{"required": [name]} for name in s.COMPARISONS]
    description = "A policyengine rule: what must be true of resources of some types."
    return js.document("rule", "policyengine rule", {**found, "description": description})


def case_schema() -> js.Schema:
    """Return the schema of a test file."""
    adapter: TypeAdapter[Any] = TypeAdapter(list[s.Case | s.EquivalentMutants])
    found = js.draft7(adapter.json_schema(by_alias=True))
    found["definitions"]["Case"]["oneOf"] = [{"required": ["resource"]}, {"required": ["resources"]}]
    found["minItems"] = 1
    return js.document(
        "tests", "policyengine rule tests", {**found, "description": "The cases beside a rule."}
    )


def _controls(framework: Framework) -> js.Schema:
    control = js.one_of(framework.controls, "id of the control, as the framework spells it")
    decides = s.Mapping.model_fields["decides"].description or ""
    mapped = js.mapping(
        {"control": control, "decides": js.one_of(("whole", "part"), decides)},
        "a control that the rule decides",
        ("control", "decides"),
    )
    return js.items(mapped, f"{framework.title} {framework.version}")


def _predicates() -> js.Schema:
    return js.mapping(
        {
            name: js.mapping(
                {key: _argument(arg.kind, arg.help) for key, arg in predicate.args.items()},
                predicate.summary,
                [key for key, arg in predicate.args.items() if arg.required],
            )
            for name, predicate in PREDICATES.items()
        },
        "A predicate with its arguments.",
        minProperties=1,
        maxProperties=1,
    )


def _argument(kind: str, about: str) -> js.Schema:
    """Return the schema of an argument: a constant of its kind, or a parameter such as ``$days``."""
    description = about or kind
    if kind in ("path", "alias", "string"):
        return {"type": "string", "description": description}
    parameter = {"type": "string", "pattern": _PARAMETER}
    if kind in _KINDS:
        return {"description": description, "anyOf": [{"type": _KINDS[kind]}, parameter]}
    if kind.startswith("list:"):
        element = _KINDS.get(kind[5:])
        items = {"type": element} if element else {}
        return {"description": description, "anyOf": [{"type": "array", "items": items}, parameter]}
    return {"description": description}
