"""cfn-lint resolves values independently: where both give a value, it is the same."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from policyengine.model.values import Unresolved
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import open_template

CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "cloudformation"
FILES = sorted(p for p in CORPUS.glob("*") if p.suffix != ".txt")
REGION = "us-east-1"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FILES, reason="the shared corpora are not beside this checkout"),
]


@pytest.fixture(scope="module")
def lint():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("cfnlint", reason="the oracle cfn-lint is not installed")
        import cfnlint.decode
        from cfnlint.jsonschema import CfnTemplateValidator
        from cfnlint.template import Template

    def theirs(path):
        template, errors = cfnlint.decode.decode(str(path))
        if errors:
            return None
        parsed = Template(str(path), template, [REGION])
        return template, CfnTemplateValidator({}).evolve(cfn=parsed, context=parsed.context)

    return theirs


def functions_in(raw, path=()):
    """Yield (path, raw) of the outermost functions, where no list may shift positions."""
    if isinstance(raw, dict):
        if len(raw) == 1 and next(iter(raw)) in {"Ref", "Fn::Sub", "Fn::Join", "Fn::FindInMap", "Fn::Select"}:
            yield path, raw
            return
        for key, inner in raw.items():
            yield from functions_in(inner, (*path, key))


def at(value, path):
    for step in path:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def test_values_agree_with_cfn_lint(lint):
    compared = 0
    differences = []
    for file in FILES:
        parsed = lint(file)
        if parsed is None or "Resources" not in parsed[0] or "Transform" in parsed[0]:
            continue
        template, validator = parsed
        resources = {r.id: r for r in open_template(file, SourceOptions(region=REGION)).resources()}
        for name, body in template["Resources"].items():
            if name not in resources or resources[name].variants:
                continue
            for path, raw in functions_in(body.get("Properties", {})):
                ours = at(resources[name].properties, path)
                if ours is None or isinstance(ours, Unresolved | dict):
                    continue
                found = [value for value, _, error in validator.resolve_value(raw) if error is None]
                if found and not any(isinstance(v, dict) for v in found):
                    compared += 1
                    if str(ours).lower() not in {str(v).lower() for v in found}:
                        differences.append((file.name, name, path, ours, found[:5]))
    assert compared > 300
    assert differences == []
