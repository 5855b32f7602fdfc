"""How controls are called: NIST's own ids for SP 800-53, for other frameworks ids that can be read back.

NIST's OSCAL catalog of SP 800-53 Revision 5 (https://github.com/usnistgov/oscal-content) calls control AC-2(3) ``ac-2.3``
and its item (a) ``ac-2.3_smt.a``. No other framework here has a catalog in OSCAL by its publisher, so its ids are made:
``FRAMEWORK__CONTROL``, both as tokens. The original stands beside each as a property.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from policyengine.reports.oscal.words import tail, token, untoken

NIST: Final = "nist-800-53"
_NIST_ID = re.compile(r"([A-Z]{2}-\d{1,3})(?:\((\d{1,3})\))?((?:\([a-z0-9]{1,3}\)|[a-z]|\.\d{1,2})*)")
_ITEM = re.compile(r"[a-z]|\d+")
_SPLIT = re.compile(r"((?:_x[0-9a-f]{1,6}_|[^_])*)__(.*)", re.DOTALL)


class ControlId(NamedTuple):
    """``statement`` is the part of the control that is meant, None where that has no name of its own."""

    control: str
    statement: str | None

    @property
    def target(self) -> tuple[str, str]:
        """Type and id of a finding's target."""
        return ("statement-id", self.statement) if self.statement else ("objective-id", self.control)


def control_id(framework: str, control: str) -> ControlId:
    """Return the ids of a control."""
    if framework == NIST and (match := _NIST_ID.fullmatch(control)):
        base, enhancement, items = match.groups()
        name = base.lower() + (f".{enhancement}" if enhancement else "")
        return ControlId(name, ".".join([f"{name}_smt", *_ITEM.findall(items)]))
    return ControlId(f"{token(framework)}__{tail(control)}", None)


def read_control_id(text: str) -> tuple[str, str] | None:
    """Return framework and control of an id that was made; None for one of NIST's."""
    match = _SPLIT.fullmatch(text)
    return None if match is None else (untoken(match[1]), untoken(match[2]))
