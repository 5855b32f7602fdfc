"""Telling plans and states of Terraform from other documents, without loading what reads them."""

from __future__ import annotations

from typing import Any, Final

_MARKS: Final = ("planned_values", "resource_changes", "configuration")


def is_plan(value: Any) -> bool:
    """Say whether a parsed document is a plan, of whatever version."""
    return isinstance(value, dict) and "format_version" in value and any(m in value for m in _MARKS)


def is_state(value: Any) -> bool:
    """Say whether a parsed document is a Terraform state, raw or as ``show -json`` prints it."""
    if not isinstance(value, dict) or is_plan(value):
        return False
    raw = isinstance(value.get("version"), int) and "terraform_version" in value and "lineage" in value
    return raw or ("format_version" in value and ("values" in value or "terraform_version" in value))
