"""What one finding becomes: an observation, and the resource as an inventory item of its account's component."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from policyengine.model.finding import Evidence, Finding
from policyengine.model.reasons import FAIL, UNKNOWN, VERDICTS
from policyengine.model.resource import json_pointer
from policyengine.reports.base import RunError
from policyengine.reports.oscal.words import (
    Json,
    line,
    prop,
    props,
    some,
    uuid5,
    uuid_bytes,
    uuid_text,
)
from policyengine.reports.places import in_place, place
from policyengine.reports.tally import is_debt
from policyengine.reports.text import observed, plural, show_value

MOST_EVIDENCE: Final = 20
"""Pieces of evidence of one observation; how many more there are is said."""
TOOL: Final = "policyengine"


def observation_uuid(run: str, finding: Finding) -> bytes:
    """Return the 16 bytes of an observation's UUID: the same in assessment results and POA&M of a run."""
    return uuid_bytes(run, "observation", finding.id)


def item_uuid(run: str, finding: Finding) -> str:
    """Return the UUID of the finding's resource: in an account the same in every run."""
    return uuid5("resource" if finding.account else run, *finding.identity)


@lru_cache(1024)
def account_uuid(account: str | None) -> str:
    """Return the UUID of an account's component, or of that of resources without an account."""
    return uuid5("account", account or "")


def observation(run: str, collected: str, finding: Finding, raw: bytes, results: str | None) -> Json:
    """Return the observation ``raw`` of one finding; ``results`` is the UUID of the resource with the digests."""
    waiver = finding.waiver if finding.verdict == FAIL else None
    referred = in_place(waiver)
    return {
        "uuid": uuid_text(raw),
        "title": line(f"{finding.rule}: {finding.verdict}"),
        "description": line(finding.message),
        "props": props(
            {
                "finding-id": finding.id,
                "rule": finding.rule,
                "verdict": finding.verdict,
                "reason": finding.reason,
                "severity": finding.severity,
                "location": None if finding.location is None else place(finding),
                "branch": _branch(finding),
                "cause": finding.cause,
                "accepted-by": None if waiver is None else "baseline" if is_debt(finding) else "waiver",
                "accepted-in-place": None if referred is None else str(referred),
            }
        ),
        "methods": ["TEST"],
        "types": ["finding"],
        "subjects": [{"subject-uuid": item_uuid(run, finding), "type": "inventory-item"}],
        **dict(some(relevant_evidence=_evidence(finding, results))),
        "collected": collected,
        **dict(some(remarks=_witness(finding))),
    }


def _branch(finding: Finding) -> str | None:
    branch = finding.branch
    return ", ".join(f"{k}={str(v).lower()}" for k, v in sorted(branch.items())) if branch else None


def _evidence(finding: Finding, results: str | None) -> list[Json]:
    link = {} if results is None else {"href": f"#{results}"}
    found = [{**link, "description": line(_told(e))} for e in finding.evidence[:MOST_EVIDENCE]]
    more = len(finding.evidence) - MOST_EVIDENCE
    if more > 0:
        found.append(
            {**link, "description": line(f"{plural(more, 'more piece')} of evidence, not listed here")}
        )
    if not found and results is not None:
        found.append({**link, "description": "the row of the resource in the results of the run"})
    return found


def _told(evidence: Evidence) -> str:
    where = json_pointer(evidence.path) or "the resource"
    return f"{where}: observed {observed(evidence, 500)}; expected {evidence.expected}"


def _witness(finding: Finding) -> str:
    if finding.witness is None:
        return ""
    principal, action, resource, context = finding.witness
    with_context = ", ".join(f"{key}={show_value(context[key])}" for key in sorted(context))
    request = f"{principal} asks for {action} on {resource}" + (
        f" with {with_context}" if with_context else ""
    )
    return line(f"a request that shows it: {request}")


def inventory_item(run: str, finding: Finding) -> Json:
    """Return the finding's resource."""
    return {
        "uuid": item_uuid(run, finding),
        "description": line(f"{finding.resource_type} {finding.resource_id}"),
        "props": props(
            {
                "resource-type": finding.resource_type,
                "resource-id": finding.resource_id,
                "arn": finding.arn,
                "account": finding.account,
                "region": finding.region,
                "construct-path": finding.construct_path,
            }
        ),
        "implemented-components": [{"component-uuid": account_uuid(finding.account)}],
    }


def account_component(account: str | None) -> Json:
    """Return the component that an account's resources belong to, or resources without an account."""
    known = account is not None
    return {
        "uuid": account_uuid(account),
        "type": "resource-container" if known else "this-system",
        "title": line(f"AWS account {account}") if known else "Resources without an account",
        "description": "What was looked at of this account."
        if known
        else "What templates, plans and other targets define; which account it is for was not said.",
        **dict(some(props=props({"account": account}))),
        "status": {"state": "operational" if known else "under-development"},
    }


def tool_component(version: str, rules: int, digest: str) -> Json:
    """Return the component that made the observations."""
    return {
        "uuid": uuid5("tool", TOOL, version),
        "type": "software",
        "title": f"{TOOL} {line(version)}",
        "description": "Evaluates rules on the configuration of AWS resources.",
        "props": props({"version": version, "rules": rules, "rule-pack-digest": digest}),
        "status": {"state": "operational"},
    }


def origins(version: str) -> list[Json]:
    """Return the origin that names the tool."""
    return [{"actors": [{"type": "tool", "actor-uuid": uuid5("tool", TOOL, version)}]}]


def rule_observation_uuid(run: str, rule: str) -> str:
    """Return the UUID of the observation about all that a rule was asked of."""
    return uuid5(run, "population", rule)


def rule_observation(
    run: str, collected: str, rule: str, title: str, counts: dict[str, int], waived: int
) -> Json:
    """Return the observation about a rule's whole population: four verdicts that add up."""
    total = sum(counts.values())
    return {
        "uuid": rule_observation_uuid(run, rule),
        "title": line(f"{rule}: population"),
        "description": line(
            f"{title}: asked of {plural(total, 'resource')}; {counts['PASS']:,} pass, {counts[FAIL]:,} fail "
            f"({waived:,} of them waived), {counts[UNKNOWN]:,} could not be determined, "
            f"{counts['NOT_APPLICABLE']:,} not applicable"
        ),
        "props": [
            prop("rule", rule),
            prop("population", total),
            *(prop(name.lower().replace("_", "-"), counts[name]) for name in VERDICTS),
            prop("waived", waived),
        ],
        "methods": ["TEST"],
        "types": ["control-objective"],
        "collected": collected,
    }


def error_observation(run: str, collected: str, number: int, error: RunError) -> tuple[bytes, Json]:
    """Return the observation that something could not be read or evaluated, with the bytes of its UUID."""
    raw = uuid_bytes(run, "error", str(number))
    return raw, {
        "uuid": uuid_text(raw),
        "title": line(f"Not looked at: {error.code}"),
        "description": line(str(error)),
        "props": props(
            {
                "error": error.code,
                "account": error.account,
                "region": error.region,
                "operation": error.operation,
                "types": ", ".join(error.types),
            }
        ),
        "methods": ["UNKNOWN"],
        "types": ["discovery"],
        "collected": collected,
    }
