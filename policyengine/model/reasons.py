"""The closed table of reason codes: why a finding has its verdict.

Reports, tests and waivers key on the codes; the sentences are written once, here.
"""

from __future__ import annotations

from typing import Final

from policyengine.model.values import UNRESOLVED_REASONS

PASS, FAIL, UNKNOWN, NOT_APPLICABLE = "PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"
VERDICTS: Final = (PASS, FAIL, UNKNOWN, NOT_APPLICABLE)
LETTERS: Final = {PASS: "P", FAIL: "F", UNKNOWN: "U", NOT_APPLICABLE: "N"}
"""Verdict -> the letter that rows, kept results and history write."""
VERDICT_OF: Final = {letter: verdict for verdict, letter in LETTERS.items()}
SEVERITIES: Final = ("low", "medium", "high", "critical")
FAMILIES: Final = (
    "iam", "network", "encryption", "tagging", "bedrock", "pipeline", "logging", "resilience",
    "vulnerability", "governance", "cost",
)  # fmt: skip
PILLARS: Final = (
    "security", "reliability", "operational-excellence", "performance-efficiency",
    "cost-optimization", "sustainability",
)  # fmt: skip

REASONS: Final[dict[str, tuple[frozenset[str], str]]] = {
    "requirement_met": (frozenset({PASS}), "the requirement is met"),
    "when_not_met": (frozenset({NOT_APPLICABLE}), "the rule's `when` excludes this resource"),
    "value_mismatch": (frozenset({FAIL}), "a value is not what the rule requires"),
    "missing": (frozenset({FAIL}), "a required value is missing"),
    "forbidden_present": (frozenset({FAIL}), "a value is present that must not be"),
    "empty": (frozenset({FAIL}), "a list that must have elements is empty or missing"),
    "none_satisfies": (frozenset({FAIL}), "no element satisfies the requirement"),
    "aws_default": (frozenset({FAIL, PASS}), "the value is AWS's default, which applies when none is given"),
    "wrong_type": (frozenset({UNKNOWN}), "a value has a type the rule cannot compare"),
    "internal_error": (frozenset({UNKNOWN}), "the rule crashed; this is a bug in the rule or the engine"),
    "open_to_internet": (frozenset({FAIL}), "reachable from public addresses"),
    "wide_source": (frozenset({FAIL}), "the allowed sources are wider than permitted"),
    "not_group_source": (frozenset({FAIL}), "a source is not one of the allowed security groups"),
    "reachable_from_internet": (
        frozenset({FAIL}),
        "address, route, network ACL and group together let the internet in",
    ),
    "tag_missing": (frozenset({FAIL}), "a mandatory tag is missing"),
    "tag_misspelt": (frozenset({FAIL}), "a tag is there under a variant spelling"),
    "tag_value": (frozenset({FAIL}), "a tag has a value that is not allowed"),
    "tag_placeholder": (frozenset({FAIL}), "a tag has a placeholder instead of a value"),
    "request_allowed": (frozenset({FAIL, PASS}), "policies allow a request that shows it"),
    "request_not_denied": (frozenset({FAIL}), "no Deny stops a request that must be denied"),
    "request_denied": (frozenset({FAIL}), "a request that must be possible is denied"),
    "no_such_request": (frozenset({FAIL, PASS}), "policies allow no such request"),
    "expired": (frozenset({FAIL}), "a date has passed"),
    "expires_soon": (frozenset({FAIL}), "a date is too near"),
    "too_old": (frozenset({FAIL}), "something is older than allowed"),
    "version_unsupported": (frozenset({FAIL}), "the version is past the end of its support"),
    "version_unlisted": (frozenset({UNKNOWN}), "the version is not in the table of support dates"),
    **{code: (frozenset({UNKNOWN}), text) for code, text in UNRESOLVED_REASONS.items()},
}
"""code -> (verdicts it can explain, sentence)."""


def sentence(code: str) -> str:
    """Return the sentence of a reason code; KeyError for a code that is not in the table."""
    return REASONS[code][1]
