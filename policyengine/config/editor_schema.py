"""JSON Schemas of ``policyengine.yaml``, ``waivers.yaml`` and baselines, made of what their readers know (docs/editor.md).

A schema says less than a reader: what depends on two places of a file, on another file or on the day is told by the reader only.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.config import baseline, waivers_reader
from policyengine.config.editor_remediation import remediation_schema
from policyengine.config.loader import ALL_RULES
from policyengine.config.reading import VERSION
from policyengine.config.waivers import DEFAULT_DAYS
from policyengine.documents import json_schema as js
from policyengine.model.reasons import SEVERITIES

_DAY: Final = r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
_FINDING: Final = "[0-9a-f]{32}"
_DIGEST: Final = "sha256:[0-9a-f]{32}"
_BODY: Final = {"integer": "integer", "number": "number", "string": "string", "boolean": "boolean"}
_TEXTS: Final[Mapping[str, str]] = {
    "id": "what reports and code call it, e.g. W-1; each once over all files",
    "owner": "who owns what is waived",
    "approver": "who accepts it: somebody else than the owner",
    "reason": "why it is accepted",
    "ticket": "where that was decided",
}


@dataclass(frozen=True)
class Known:
    """The names that may stand in a file. ``rules``: id -> title; ``parameters``: rule id -> name -> declaration;
    ``remediations``: id -> (mode, parameter -> declaration); ``types`` are those that are covered."""

    rules: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, Mapping[str, Any]]] = field(default_factory=dict)
    remediations: Mapping[str, tuple[str, Mapping[str, Mapping[str, Any]]]] = field(default_factory=dict)
    types: Collection[str] = ()


def config_schema(known: Known) -> js.Schema:
    """Return the schema of ``policyengine.yaml``."""
    severity = {rule: js.referring("severity", title) for rule, title in sorted(known.rules.items())}
    reasons = {rule: js.text(f"why it does not run: {title}") for rule, title in sorted(known.rules.items())}
    files = js.text("a file, from the folder of this one")
    sections = {
        "version": js.whole("version of this format", VERSION, VERSION),
        "parameters": js.referring("parameters", "parameters of rules for the whole organisation"),
        "scopes": js.items(_scope(), "parameters for parts of the organisation"),
        "severities": js.mapping(severity, "severities instead of the rules' own"),
        "disabled": js.mapping(reasons, "rules that do not run, each with the reason"),
        "remediation": remediation_schema(known.remediations),
        "waivers": {
            "description": "files of waivers; default: waivers.yaml beside this file; [] for none",
            "anyOf": [files, {"type": "array", "items": files, "maxItems": waivers_reader.MOST_FILES}],
        },
        "waiving": _waiving(),
        "baseline": js.text("the file of the baseline, as `policyengine baseline write` writes it"),
        "evidence": _evidence(known.types),
    }
    body = js.mapping(sections, "How rules are set, and what is accepted, repaired and withheld.")
    definitions = {
        "parameters": _parameters(known),
        "severity": js.one_of(SEVERITIES, "how bad a failure is"),
        "pointers": js.items({"type": "string", "pattern": "^/"}, "JSON Pointers; a step * is every element"),
    }
    return js.document("config", "policyengine.yaml", {**body, "definitions": definitions})


def _parameters(known: Known) -> js.Schema:
    shared: dict[str, js.Schema] = {}
    rules: dict[str, js.Schema] = {}
    for rule, declared in sorted(known.parameters.items()):
        values = {name: value_schema(declaration) for name, declaration in sorted(declared.items())}
        rules[rule] = js.mapping(values, known.rules.get(rule, rule))
        for name, value in values.items():
            shared.setdefault(name, {"description": value["description"]})
    every = js.mapping(dict(sorted(shared.items())), "for every rule that has a parameter of the name")
    return js.mapping({ALL_RULES: every, **rules}, "parameters by rule")


def value_schema(declaration: Mapping[str, Any]) -> js.Schema:
    """Return the schema of a parameter's value, as it is declared."""
    kind, default = str(declaration["type"]), declaration.get("default")
    about = declaration.get("description") or f"{kind}; default {default!r}"
    found: js.Schema = {"description": str(about)}
    element = kind.removeprefix("list:")
    body: js.Schema = {"type": _BODY[element]} if element in _BODY else {}
    if declaration.get("enum"):
        body = {"enum": list(declaration["enum"])}
    for name in ("minimum", "maximum"):
        if declaration.get(name) is not None:
            body[name] = declaration[name]
    if kind.startswith("list:"):
        return {**found, "type": "array", "items": body}
    return {**found, **body}


def _scope() -> js.Schema:
    tag = js.each({"type": "string"}, "one tag: {Key: value}", minProperties=1, maxProperties=1)
    scope = js.mapping(
        {
            "account": js.text("id of an account: twelve digits, in quotes"),
            "ou": js.text("id of an OU, or of the root"),
            "tag": tag,
            "parameters": js.referring("parameters", "parameters of rules that hold there"),
        },
        "a part of the organisation, by exactly one of account, ou, tag",
    )  # fmt: skip
    return {**scope, "oneOf": [{"required": [key]} for key in ("account", "ou", "tag")]}


def _waiving() -> js.Schema:
    most = js.whole("longest time from granted to expires", 1, waivers_reader.MOST_DAYS, default=DEFAULT_DAYS)
    keys = js.one_or_many(js.text("a file, from the folder of this one"), "files of public keys (PEM)")
    approvers = js.each(keys, "who may approve; once there is one, waivers have to be signed")
    return js.mapping({"maximum_days": most, "approvers": approvers}, "what holds for all waivers")


def _evidence(types: Collection[str]) -> js.Schema:
    named = {type_: js.referring("pointers", f"pointers into {type_}") for type_ in ("*", *sorted(types))}
    withhold = js.mapping(
        {
            "properties": js.mapping(named, "properties that are withheld, by type; * is every type"),
            "tags": js.items(js.text("key of a tag"), "tags that are withheld, wherever they stand"),
        },
        "what an auditor may not see",
    )
    return js.mapping({"withhold": withhold}, "what evidence holds")


def waivers_schema(rules: Mapping[str, str]) -> js.Schema:
    """Return the schema of ``waivers.yaml``; ``rules``: id -> title."""
    rule: js.Schema = {"$ref": "#/definitions/rule"}
    entry = {name: js.text(about, 1, waivers_reader.LONGEST[name]) for name, about in _TEXTS.items()}
    properties = {
        "id": entry["id"],
        "rule": js.one_or_many(rule, "the rule whose failures it accepts, or several"),
        "scope": _waiver_scope(),
        **{name: entry[name] for name in ("owner", "approver", "reason", "ticket")},
        "granted": js.text("the first day (UTC) on which it holds, in quotes", pattern=_DAY),
        "expires": js.text("the first day (UTC) on which it no longer holds, in quotes", pattern=_DAY),
        "pin": _pin(),
        "compensating": _compensating(rule),
        "signature": js.mapping(
            {"keyid": js.text("which key", 0), "sig": js.text("the signature", 0)},
            "the approver's; `policyengine waivers sign` writes it", ("keyid", "sig"),
        ),
    }  # fmt: skip
    waiver = js.mapping(properties, "a failure that a person accepts until a day", waivers_reader.NEEDED)
    waiver["allOf"] = [_needs_pin("resource"), _needs_pin("in_place")]
    listed = {
        "description": "what is accepted",
        "anyOf": [{"type": "array", "items": waiver}, {"type": "null"}],
    }
    version = js.whole("version of this format", VERSION, VERSION)
    body = js.mapping({"version": version, "waivers": listed}, "Failures that people accept.")
    definitions = {"rule": js.one_of(sorted(rules), "id of a rule")}
    return js.document("waivers", "policyengine waivers", {**body, "definitions": definitions})


def _needs_pin(scope: str) -> js.Schema:
    """A waiver of a resource, or of what code refers to, says which values it accepts."""
    named = {"required": ["scope"], "properties": {"scope": {"type": "object", "required": [scope]}}}
    return {"if": named, "then": {"required": ["pin"]}}


def _waiver_scope() -> js.Schema:
    longest = waivers_reader.LONGEST_SCOPE
    resource = js.text("id, ARN, ACCOUNT/REGION/TYPE/ID, FILE:ID of code, CDK path", 1, longest)
    account = js.text("twelve digits, in quotes", pattern="[0-9]{12}")
    tags = js.each({"type": "string"}, "tags that the resource has, all of them", minProperties=1)
    return js.mapping(
        {
            "resource": js.one_or_many(resource, "resources by name"),
            "account": js.one_or_many(account, "accounts"),
            "ou": js.one_or_many(js.text("id of an OU", 1, longest), "OUs at any height above the account"),
            "tag": tags,
            "in_place": js.one_of([True], "only where code refers to it: `# policyengine:waiver ID`"),
        },
        "what it is about: all that is given has to hold",
    )


def _pin() -> js.Schema:
    digests = {"type": "object", "additionalProperties": {"type": "string", "pattern": f"^{_DIGEST}$"}}
    pins = {"type": "object", "additionalProperties": False, "patternProperties": {f"^{_FINDING}$": digests}}
    about = "the values it accepts, as `policyengine waivers pin` writes them; false: whatever they will be"
    return {"description": about, "anyOf": [{"const": False}, pins]}


def _compensating(rule: js.Schema) -> js.Schema:
    name = js.text(
        "the resource it is asked about; default: the one that fails", 1, waivers_reader.LONGEST_SCOPE
    )
    asked = {"rule": js.referring("rule", "the rule that has to pass"), "resource": name}
    elsewhere = js.mapping(asked, "a rule, and the resource it is asked about", ("rule",))
    return {"description": "a rule that has to pass for the waiver to hold", "anyOf": [rule, elsewhere]}


def baseline_schema() -> js.Schema:
    """Return the schema of a baseline. Rules are not held against those there are: one that is gone leaves its entries."""
    part = {"type": "string"}
    entry = js.mapping(
        {
            "id": js.text("id of the finding", pattern=_FINDING),
            "rule": js.text("id of the rule", 0),
            "resource": js.items(part, "account, region, type and id", minItems=4, maxItems=4),
            "values": js.text("digest of the values that the rule read", pattern=_DIGEST),
        },
        "a failure that was there when the baseline was written",
        ("id", "rule", "resource", "values"),
    )
    entry["additionalProperties"] = True
    body = js.mapping(
        {
            "schema": {"const": baseline.SCHEMA, "description": "the format and its major version"},
            "written": js.text(
                "time of the run (RFC 3339, UTC)", pattern="[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z"
            ),
            "findings": js.items(entry, "the failures the project began with"),
        },
        "Failures that were there when a project began; `policyengine baseline write` writes it.",
        ("schema", "written", "findings"),
    )
    return js.document("baseline", "policyengine baseline", {**body, "additionalProperties": True})
