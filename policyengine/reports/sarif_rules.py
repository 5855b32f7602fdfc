"""SARIF descriptors of rules, with the properties that GitHub code scanning reads.

``security-severity`` over 9.0 is critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, 0.1 to 3.9 low
(https://docs.github.com/en/code-security/reference/code-scanning/sarif-files/sarif-support). Only rules
of the security pillar are tagged ``security`` and carry one: a cost rule is a warning, not a
vulnerability.
"""

from __future__ import annotations

from typing import Any

from policyengine.reports.base import RuleInfo
from policyengine.reports.text import cut

LEVEL = {"critical": "error", "high": "error", "medium": "warning", "low": "note"}
SECURITY_SEVERITY = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
MAX_TAGS = 20
TEXT_LIMIT = 1_000


def unknown_id(rule: str) -> str:
    """Return the SARIF rule id of findings that could not be determined."""
    return f"{rule}/not-determined"


def descriptor(rule: RuleInfo, severity: str) -> dict[str, Any]:
    """Return the reportingDescriptor of a rule; ``severity`` is the worst of its findings."""
    properties: dict[str, Any] = {
        "tags": _tags(rule),
        "precision": "very-high",
        "problem.severity": LEVEL[severity],
    }
    if properties["problem.severity"] == "note":
        properties["problem.severity"] = "recommendation"
    if rule.pillar == "security":
        properties["security-severity"] = SECURITY_SEVERITY[severity]
    return {
        **_texts(rule, rule.id, rule.title),
        "defaultConfiguration": {"level": LEVEL[severity]},
        "properties": properties,
    }


def unknown_descriptor(rule: RuleInfo) -> dict[str, Any]:
    """Return the reportingDescriptor of a rule's UNKNOWN verdicts."""
    about = "The source does not show enough to decide the rule for these resources. " + " ".join(
        rule.why.split()
    )
    return {
        **_texts(rule, unknown_id(rule.id), f"not determined: {rule.title}"),
        "fullDescription": {"text": cut(about, TEXT_LIMIT)},
        "defaultConfiguration": {"level": "note"},
        "properties": {"tags": ["not-determined", rule.family], "precision": "low"},
    }


def _texts(rule: RuleInfo, rule_id: str, title: str) -> dict[str, Any]:
    why = " ".join(rule.why.split())
    found: dict[str, Any] = {
        "id": rule_id,
        "shortDescription": {"text": cut(title, TEXT_LIMIT)},
        "fullDescription": {"text": cut(why or title, TEXT_LIMIT)},
        "help": {"text": _help_text(rule), "markdown": _help_markdown(rule)},
    }
    page = next((ref for ref in rule.references if ref.startswith("https://")), None)
    return {**found, "helpUri": page} if page else found


def _help_text(rule: RuleInfo) -> str:
    parts = [rule.title, rule.why.strip(), f"How to fix: {rule.fix.strip()}" if rule.fix else ""]
    return "\n\n".join([part for part in parts if part] + list(rule.references))


def _help_markdown(rule: RuleInfo) -> str:
    parts = [f"# {rule.title}", rule.why.strip()]
    if rule.fix:
        parts.append(f"## How to fix\n\n{rule.fix.strip()}")
    if rule.frameworks:
        rows = [
            f"- {name}: {', '.join(c if decides == 'whole' else f'{c} (in part)' for c, decides in controls)}"
            for name, controls in sorted(rule.frameworks.items())
        ]
        parts.append("## Controls\n\n" + "\n".join(rows))
    if rule.references:
        parts.append("## References\n\n" + "\n".join(f"- <{ref}>" for ref in rule.references))
    return "\n\n".join(part for part in parts if part)


def _tags(rule: RuleInfo) -> list[str]:
    controls = [f"{name}/{c}" for name, found in sorted(rule.frameworks.items()) for c, _decides in found]
    tags = [*(["security"] if rule.pillar == "security" else []), "aws", rule.family, rule.pillar, *controls]
    return list(dict.fromkeys(tags))[:MAX_TAGS]
