"""A converted rule asked about a resource: PASS, FAIL, or what else it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from policyengine.migrate.drafts import Draft
from policyengine.migrate.writing import rule_text
from policyengine.rules.loader import compile_text
from policyengine.rules.schema import Case
from policyengine.testing.cases import run_case


def verdict(draft: Draft, properties: dict[str, Any], tags: dict[str, str] | None = None) -> str:
    form, errors = compile_text(Path(f"x/{draft.id}.yaml"), rule_text(draft).encode())
    assert form is not None, (errors, rule_text(draft))
    case = Case.model_validate({"case": "one", "resource": properties, "tags": tags, "expect": "PASS"})
    finding = run_case(form, case).finding
    assert finding is not None
    return finding.verdict
