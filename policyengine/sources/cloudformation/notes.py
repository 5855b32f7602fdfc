"""What a user should know about a template that no finding says."""

from __future__ import annotations

import re
from typing import Any, Final

from policyengine.documents import Document
from policyengine.model.resource import Path
from policyengine.sources.cloudformation.template import Declared, Template

_SUPPRESSING: Final = {
    "cfn_nag": ("rules_to_suppress",),
    "checkov": ("skip",),
    "guard": ("SuppressedRules",),
    "cdk_nag": ("rules_to_suppress",),
    "cfn-lint": ("ignore_checks",),
}
"""``Metadata`` keys of other tools -> the keys under them that suppress."""

_COMMENT: Final = re.compile(
    r"#\s*(checkov:skip|cfn-lint[: ]|cfn_nag:|kics-scan ignore|trivy:ignore|tfsec:ignore)"
)


def suppression_notes(template: Template, resources: list[Declared]) -> list[str]:
    """Return one line for each inline suppression of another tool; none of them is honoured."""
    found = _metadata_notes(template, template.root.get("Metadata"), ("Metadata",))
    for resource in resources:
        path = (*resource.path, "Metadata")
        found += _metadata_notes(template, resource.raw.get("Metadata"), path, resource.id)
    return found + _comment_notes(template.document)


def _metadata_notes(template: Template, metadata: Any, path: Path, owner: str = "") -> list[str]:
    if not isinstance(metadata, dict):
        return []
    notes: list[str] = []
    for tool, keys in _SUPPRESSING.items():
        section = metadata.get(tool)
        if tool == "cfn-lint" and isinstance(section, dict):
            section = section.get("config")
        if isinstance(section, dict) and any(section.get(key) for key in keys):
            place = template.document.locate((*path, tool), key=True)
            on = f" on `{owner}`" if owner else ""
            notes.append(f"{place}: the `{tool}` suppression{on} is not honoured; use a waiver")
    return notes


def _comment_notes(document: Document) -> list[str]:
    if document.syntax != "yaml" or not _COMMENT.search(document.text):
        return []
    notes: list[str] = []
    for number, line in enumerate(document.text.split("\n"), 1):
        match = _COMMENT.search(line) if "#" in line else None
        if match:
            what = match[1].rstrip(": ")
            notes.append(
                f"{document.name}:{number}:{match.start() + 1}: the `{what}` comment is not honoured; "
                "use a waiver"
            )
    return notes
