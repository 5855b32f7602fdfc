"""A review for programs: SARIF for code scanning, annotations of GitHub, Code Quality of GitLab.

What got worse and what could not be decided is told; the rest is no problem anybody has to look at.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import quote

from policyengine.reports.github import KINDS as ANNOTATIONS
from policyengine.reports.github import PER_KIND, escape_data, escape_property
from policyengine.reports.gitlab import SEVERITY
from policyengine.reports.jsontext import cleaned_text, compact
from policyengine.reports.sarif import SCHEMA_URI
from policyengine.reports.sarif_rules import LEVEL, SECURITY_SEVERITY
from policyengine.reports.text import cut, visible, without_log_commands
from policyengine.review.changes import KINDS
from policyengine.review.pages.words import Json, before_after, headline, name, rules, witness

_TOLD: Final = ("worse", "unclear")
NO_FILE: Final = "aws"
"""Where formats that insist on a file put what is in none."""


def told(document: Json) -> list[Json]:
    """Return the entries that programs are told."""
    return [entry for entry in document["entries"] if entry["effect"] in _TOLD]


def sarif(document: Json) -> str:
    """Return a SARIF 2.1.0 log; a rule of it is a kind of change."""
    entries = told(document)
    ids = list(dict.fromkeys(_rule_id(entry) for entry in entries))
    run = document["run"]
    worst = {rule: next(e["severity"] for e in entries if _rule_id(e) == rule) for rule in ids}
    log = {
        "$schema": SCHEMA_URI,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "policyengine review",
                        "semanticVersion": run["engine_version"],
                        "rules": [_descriptor(rule, worst[rule]) for rule in ids],
                    }
                },
                "automationDetails": {"id": "policyengine-review/"},
                "invocations": [
                    {
                        "executionSuccessful": run["complete"],
                        "startTimeUtc": run["as_of"],
                        "endTimeUtc": run["as_of"],
                        "toolExecutionNotifications": [
                            {"level": "error", "message": {"text": visible(error["message"])}} for error in run["errors"]
                        ],
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": [_result(entry, ids) for entry in entries],
            }
        ],
    }  # fmt: skip
    return compact(log) + "\n"


def _rule_id(entry: Json) -> str:
    return f"review/{entry['kind']}" + ("/not-determined" if entry["effect"] == "unclear" else "")


def _descriptor(rule: str, severity: str) -> dict[str, Any]:
    kind = rule.split("/")[1]
    unclear = rule.endswith("/not-determined")
    text = f"not determined: {KINDS[kind]}" if unclear else KINDS[kind]  # type: ignore[index]  # a kind is a text in JSON
    properties: dict[str, Any] = {"tags": ["aws", kind]}
    if not unclear:
        properties["security-severity"] = SECURITY_SEVERITY[severity]
    return {
        "id": rule,
        "shortDescription": {"text": text},
        "fullDescription": {"text": f"{text}: what a change allows, or protects less, against its base"},
        "defaultConfiguration": {"level": "note" if unclear else LEVEL[severity]},
        "properties": properties,
    }


def _result(entry: Json, ids: list[str]) -> dict[str, Any]:
    rule, unclear = _rule_id(entry), entry["effect"] == "unclear"
    region = {"startLine": entry["line"] or 1}
    if entry["column"] is not None:
        region["startColumn"] = entry["column"]
    return {
        "ruleId": rule,
        "ruleIndex": ids.index(rule),
        "kind": "open" if unclear else "fail",
        "level": "none" if unclear else LEVEL[entry["severity"]],
        "message": {"text": cut(_message(entry), 4_000)},
        "locations": [
            {"physicalLocation": {"artifactLocation": {"uri": _uri(entry), "uriBaseId": "%SRCROOT%"}, "region": region}}
        ],
        "partialFingerprints": {"primaryLocationLineHash": entry["id"], "policyengineReview/v1": entry["id"]},
        "properties": {"effect": entry["effect"], "severity": entry["severity"], "rules": [r["rule"] for r in entry["rules"]]},
    }  # fmt: skip


def _message(entry: Json) -> str:
    lines = [f"{name(entry)}: {visible(entry['title'])}" if entry["resource"] else visible(entry["title"])]
    lines += [
        text for text in (witness(entry) and f"for example: {witness(entry)}", before_after(entry)) if text
    ]
    lines += [visible(detail) for detail in entry["details"][:10]]
    lines += [f"rule {rule}" for rule in rules(entry)[:10]]
    return "\n".join(lines).replace("](", "] (")


def _path(entry: Json) -> str:
    if entry["file"] is not None:
        return str(entry["file"])
    resource = entry["resource"] or {}
    parts = (resource.get("account") or "unknown-account", resource.get("region") or "global")
    kind = str(resource.get("type") or "policyengine").replace("::", ".")
    return "/".join(
        [NO_FILE, *(quote(str(p), safe="@:+=,") for p in (*parts, kind, resource.get("id") or "review"))]
    )


def _uri(entry: Json) -> str:
    return quote(cleaned_text(_path(entry)), safe="/@+=,~%") if entry["file"] is None else quote(
        cleaned_text(_path(entry)), safe="/@+=,~"
    )  # fmt: skip


def github(document: Json) -> Iterator[str]:
    """Yield annotations, the worst ten of each kind, and a last line that counts."""
    number = dict.fromkeys(("error", "warning", "notice"), 0)
    for error in document["run"]["errors"][:PER_KIND]:
        yield f"::error title=policyengine review::{escape_data(visible(error['message']))}\n"
    for entry in told(document):
        kind = "notice" if entry["effect"] == "unclear" else ANNOTATIONS[entry["severity"]]
        number[kind] += 1
        if number[kind] > PER_KIND:
            continue
        at = (
            [("file", entry["file"]), ("line", entry["line"]), ("col", entry["column"])]
            if entry["file"]
            else []
        )
        fields = [*at, ("title", f"{KINDS[entry['kind']]} ({entry['severity']})")]
        text = ",".join(
            f"{key}={escape_property(visible(str(value)))}" for key, value in fields if value is not None
        )
        yield f"::{kind} {text}::{escape_data(cut(_message(entry), 4_000))}\n"
    rest = sum(max(0, count - PER_KIND) for count in number.values())
    more = f"; {rest:,} more are not annotated: `--format sarif` has all" if rest else ""
    yield without_log_commands(f"policyengine review: {headline(document)}{more}") + "\n"


def gitlab(document: Json) -> str:
    """Return a Code Quality report (https://docs.gitlab.com/ci/testing/code_quality/)."""
    issues = [
        {
            "description": cut(_message(entry), 1_500),
            "check_name": _rule_id(entry),
            "fingerprint": entry["id"],
            "severity": "info" if entry["effect"] == "unclear" else SEVERITY[entry["severity"]],
            "location": {"path": _path(entry).removeprefix("./"), "lines": {"begin": entry["line"] or 1}},
        }
        for entry in told(document)
    ]
    return "[" + ",".join("\n " + compact(issue) for issue in issues) + ("\n]\n" if issues else "]\n")
