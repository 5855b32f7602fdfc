"""The text of a ``policyengine.yaml`` to begin with: every setting explained, nothing set that nobody asked for."""

from __future__ import annotations

from typing import Final

BASELINE: Final = "policyengine-baseline.json"

_TEXT: Final = """\
# Settings of policyengine for this repository. `policyengine scan`, `review` and `pre-commit` find this file by
# themselves, for everything below its folder; `review` reads it from the base of a change, so that no change loosens its
# own gate. Everything here is optional: lines that begin with `#` show what can be said. An unknown key is refused.

# What rules ask for, where their default is not yours. `policyengine rules show ID` lists what a rule can be told.
parameters: {}
#  all-rules: # for every rule that has a parameter of the name
#    approved_regions: [eu-west-1, eu-central-1]
#  rds-backup-retention: {days: 14}

# Parameters for a part of the organisation; each has exactly one of account, ou and tag.
scopes: []
#  - account: "111122223333" # quoted: an account id is no number
#    parameters: {rds-backup-retention: {days: 30}}

# How bad it is, where the rule's own opinion is not yours: low, medium, high, critical.
severities: {}
#  ebs-volume-not-gp2: low

# Rules that are not asked at all, each with the reason.
disabled: {}
#  s3-incomplete-uploads-removed: lifecycle rules are managed by the storage team

# What somebody accepts until a day stands in waivers.yaml beside this file: `policyengine waivers add` writes it.
"""
_WITH: Final = f"""
# The failures this repository began with: they are shown everywhere, and only what is new fails. When some are repaired:
#   policyengine baseline write . -o {BASELINE} --prune
baseline: {BASELINE}
"""
_WITHOUT: Final = f"""
# Nothing failed when this file was written. To begin with what fails one day, without failing on it:
#   policyengine baseline write . -o {BASELINE}
# baseline: {BASELINE}
"""


def configuration(*, baseline: bool) -> str:
    """Return the text. ``baseline``: there is one to name."""
    return _TEXT + (_WITH if baseline else _WITHOUT)
