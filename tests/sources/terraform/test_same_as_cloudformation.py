"""One resource written in CloudFormation and in Terraform is one resource to a rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from policyengine.catalog.derive import derive
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import open_template

from .plans import read, shown

CASES = yaml.safe_load((Path(__file__).parent / "same.yaml").read_text(encoding="utf-8"))


def comparable(value: Any) -> Any:
    """CloudFormation accepts numbers and booleans as text; order of key-value lists means nothing."""
    if isinstance(value, dict):
        return {k: comparable(v) for k, v in value.items()}
    if isinstance(value, list):
        return sorted((comparable(v) for v in value), key=lambda v: json.dumps(v, sort_keys=True))
    return value


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_both_languages_give_the_same_properties(case: dict[str, Any], tmp_path: Path) -> None:
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"Resources": {"R": case["template"]}}), encoding="utf-8")
    (written,) = open_template(template, SourceOptions(base=tmp_path)).resources()
    (planned,) = read({f"{case['type']}.r": {"after": case["after"]}}, tmp_path).values()
    for resource in (written, planned):
        derive(resource)
    assert planned.type == written.type
    assert comparable(shown(planned.properties)) == comparable(shown(written.properties))
    assert planned.tags == written.tags
