"""A rule and its tests to start from."""

from __future__ import annotations

import re
from pathlib import Path

from policyengine.catalog import registry
from policyengine.model.errors import UsageError
from policyengine.rules.data import data_root
from policyengine.rules.names import unknown
from policyengine.testing.schema_files import modeline

_RULE = """\
id: {id}
title: TODO say the requirement in one line
family: encryption
pillar: security
severity: medium
applies_to: {type}
why: |
  TODO say what can go wrong, in the reader's words, in two or three sentences.
fix: TODO say which property to set to what.
require: {{field: {property}, is: present}}
message: "TODO what is wrong: {property} is {{{property}}}"
references:
  - https://docs.aws.amazon.com/
"""
_TESTS = """\
- {{case: TODO what is right, resource: {{{property}: TODO}}, expect: PASS}}
- {{case: TODO it is missing, resource: {{}}, expect: FAIL, reason: missing}}
- {{case: TODO it is not resolved, resource: {{{property}: {{Ref: Parameter}}}}, expect: UNKNOWN}}
"""


def scaffold(rule_id: str, type_: str, folder: Path | None) -> list[Path]:
    """Write ``<service>/<id>.yaml`` and its test file, each with the schema for editors where that lies above; returns their
    paths.

    Raises UsageError for an id that is not kebab-case, an unknown type, or files that exist.
    """
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule_id):
        raise UsageError(f"`{rule_id}` is no rule id; expected kebab-case such as `sqs-encrypted`")
    schema = registry.schema(type_)
    if schema is None:
        raise UsageError(unknown("resource type", type_, registry.covered()))
    service = type_.split("::")[1].lower() or "account"
    base = (folder or data_root().rules) / service
    rule, tests = base / f"{rule_id}.yaml", base / f"{rule_id}.test.yaml"
    for path in (rule, tests):
        if path.exists():
            raise UsageError(f"`{path}` exists; choose another id")
    base.mkdir(parents=True, exist_ok=True)
    values = {"id": rule_id, "type": type_, "property": _property(type_, list(schema.children()))}
    rule.write_text(modeline(rule, "rule") + _RULE.format(**values), encoding="utf-8")
    tests.write_text(modeline(tests, "tests") + _TESTS.format(**values), encoding="utf-8")
    return [rule, tests]


def _property(type_: str, names: list[str]) -> str:
    """Return a property a rule may well be about: neither a name of the resource nor one with an AWS default."""
    identifying = {"related", "Tags", "Arn", "Id", *registry.names(type_)}
    own = [
        name for name in names if name not in identifying and not name.endswith(("Arn", "Id", "Name", "Url"))
    ]
    free = [name for name in own if registry.default(type_, (name,)) is None]
    return (free or own or [name for name in names if name != "related"])[0]
