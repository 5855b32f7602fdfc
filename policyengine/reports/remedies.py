"""What a user can do about a reason code: the other half of the table in ``model.reasons``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

REMEDIES: Final[Mapping[str, str]] = {
    "unresolved_reference": (
        "Give the missing value: `--parameters FILE` for template parameters, or scan the other stack with "
        "it; a snapshot or the live account always has it."
    ),
    "known_after_apply": (
        "Terraform decides it during apply: set it in the configuration, or scan again after apply from a "
        "snapshot or the live account."
    ),
    "access_denied": "Allow the collector the call that was denied, collect again and scan again.",
    "not_collected": "Collect the missing type in this account and region; the snapshot's coverage lists them.",
    "throttled": "Collect again with a lower rate; the call was throttled until its retries ran out.",
    "unsupported": "Write the value in a way this version understands, or scan the deployed resource.",
    "too_many_branches": "Decide some of the conditions: set their parameters with `--parameters FILE`.",
    "default_depends": "Write the property down instead of relying on AWS's default.",
    "redacted": "Collect again without redacting it, or decide this rule where the value may be seen.",
    "read_error": "Collect again; if the call fails again, its error in the run says why.",
    "wrong_type": "Correct the value's type: the rule cannot compare what is there.",
    "internal_error": "Report it with the finding id: this is a bug in the rule or the engine.",
    "version_unlisted": "Update to a release whose table of support dates has this version.",
    "aws_default": "Nothing is written, so AWS's default holds: write the property down.",
    "tag_misspelt": "Rename the tag to the required spelling; a second tag beside it would also do.",
    "tag_placeholder": "Replace the placeholder with a real value.",
    "expires_soon": "Renew it now: the verdict depends on the date and does not get better by itself.",
}
"""reason code -> what to do; codes whose remedy is the rule's own `fix` are not here."""


def remedy(code: str) -> str | None:
    """Return what to do about a reason code, None where the rule's own remedy says it."""
    return REMEDIES.get(code)
