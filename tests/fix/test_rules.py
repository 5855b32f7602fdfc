"""Every rule's own failing cases, as templates in JSON and YAML: whatever is fixed keeps the contract."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from policyengine.catalog.derive import VIEWS
from policyengine.engine.evaluate import Evaluator
from policyengine.fix.judging import Place
from policyengine.fix.knowledge import EFFECTS, known, table
from policyengine.fix.planning import Plan, Wanted, plan
from policyengine.model.errors import InputError
from policyengine.rules.pack import Pack
from policyengine.sources.base import SourceOptions
from policyengine.testing import cases as case_files
from tests.fix.helpers import NOW, ROOT, holds, pack, read

PLACE = Place("template.yaml", "template.yaml", SourceOptions(account="111122223333", region="eu-west-1"))
QUICK = (
    "rds-deletion-protection", "s3-bucket-public-access-block", "load-balancer-deletion-protection", "s3-acls-disabled",
    "eks-control-plane-logs", "block-devices-encrypted", "launch-template-imdsv2", "redshift-serverless-tls-required",
    "security-group-admin-ports-closed", "kms-key-rotation", "user-pool-password-length", "log-group-retention-set",
)  # fmt: skip
FIXED_AT_LEAST = 190
"""How many rules have a fix for some failing case of theirs; measured 209 of 933 on 2026-11-22."""


def cases(form: dict[str, Any]) -> Iterator[tuple[Evaluator, dict[str, Any]]]:
    """Yield the failing cases of a rule that one resource makes, with what judges them."""
    path = case_files.tests_of(ROOT / "rules" / form["source"])
    for case in case_files.load_tests(path).cases:
        if case.expect != "FAIL" or case.resource is None or case.related or case.tags or case.unknown:
            continue
        type_ = case.type or next((t for t in form["applies_to"] if t != "taggable"), "")
        if not type_.startswith("AWS::") or "::::" in type_:
            continue
        given = {
            name: {**p, "default": case.parameters.get(name, p["default"])}
            for name, p in form["parameters"].items()
        }
        rule = {**form, "parameters": given}
        body = {"Resources": {"Subject": {"Type": type_, "Properties": case.resource}}}
        yield Evaluator(Pack("sha256:test", (rule,)), now=NOW), body


def fixes_of(rule: str) -> int:
    """Fix the cases of a rule in both syntaxes, hold the contract against each; return how many were fixed."""
    form = pack().rule(rule)
    assert form is not None
    number = 0
    for by, body in cases(form):
        for text in (json.dumps(body, indent=2) + "\n", yaml.safe_dump(body, sort_keys=False)):
            found = _plan(text, by)
            if found is None:
                continue
            holds(text, found, by=by)
            number += bool(found.fixed)
            if found.fixed:
                again = _plan(found.text, by)
                assert again is not None
                assert again.text == found.text
    return number


def _plan(text: str, by: Evaluator) -> Plan | None:
    try:
        return plan(PLACE, read(text), by, Wanted(unsafe=True))
    except InputError:
        return None  # a case of what no template can say


@pytest.mark.parametrize("rule", QUICK)
def test_rules_with_a_fix(rule: str) -> None:
    assert fixes_of(rule) > 0


@pytest.mark.slow
def test_every_rule() -> None:
    fixable = [form["id"] for form in pack().rules if fixes_of(form["id"])]
    assert len(fixable) >= FIXED_AT_LEAST, len(fixable)


# -- what is known of properties ----------------------------------------------------------------------


@cache
def schemas() -> tuple[dict[str, Path], dict[str, str]]:
    """Return name -> file of the registry schemas that cfn-lint ships, and type -> name."""
    spec = importlib.util.find_spec("cfnlint")
    assert spec is not None
    folder = Path(str(spec.origin)).parent / "data" / "schemas"
    files = {file.stem: file for file in (folder / "resources").rglob("*.json")}
    return files, json.loads((folder / "providers" / "us-east-1.json").read_bytes())


def schema_of(type_: str) -> dict[str, Any]:
    files, index = schemas()
    found: dict[str, Any] = json.loads(files[index[type_]].read_bytes())
    return found


oracle = pytest.mark.skipif(importlib.util.find_spec("cfnlint") is None, reason="cfn-lint is not installed")


def names(schema: dict[str, Any], key: str) -> list[str]:
    return [path.removeprefix("/properties/").replace("/", ".") for path in schema.get(key, [])]


@oracle
@pytest.mark.parametrize("type_", sorted(table()))
def test_properties_are_those_of_the_registry_and_what_replaces_is_never_safe(type_: str) -> None:
    """createOnlyProperties: "properties that can be set by the user only during resource creation"
    (https://docs.aws.amazon.com/cloudformation-cli/latest/userguide/resource-type-schema.html)."""
    schema = schema_of(type_)
    views = {view.into for view in VIEWS.get(type_, ())}
    for name, about in table()[type_].items():
        assert name.split(".")[0] in {*schema["properties"], *views}, name
        parents = [name[:at] for at in range(len(name) + 1) if at == len(name) or name[at] == "."]
        plain = {p.removesuffix(".*") for p in parents}
        if plain & {n.removesuffix(".*") for n in names(schema, "createOnlyProperties")}:
            assert "replaces" in {e.kind for e in about.effects}, name
        if plain & set(names(schema, "conditionalCreateOnlyProperties")):
            assert not about.safe, name
        if about.values:
            assert set(about.values) <= set(schema["properties"][name]["enum"])


def test_every_effect_says_why() -> None:
    for properties in table().values():
        for about in properties.values():
            assert about.safe or about.effects
            assert all(e.kind in EFFECTS and e.why for e in about.effects)


def test_a_property_nobody_looked_at_is_not_known() -> None:
    assert known("AWS::RDS::DBInstance", ("Port",)) is None
    assert known("AWS::Nothing::There", ("X",)) is None


@pytest.mark.parametrize(
    "rule", ["s3-bucket-public-access-block", "rds-deletion-protection", "ecr-scan-on-push"]
)
def test_what_is_repaired_without_asking_is_safe_here_too(rule: str) -> None:
    """A remediation that runs automatically and a fix that is unsafe would be two opinions about one change."""
    form = pack().rule(rule)
    assert form is not None
    found = [_plan(json.dumps(body), by) for by, body in cases(form)]
    assert any(each is not None and each.fixed and not each.fixed[0].effects for each in found)
