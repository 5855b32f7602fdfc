"""``policyengine waivers``: what somebody accepts until a day."""

from __future__ import annotations

from typing import Final

import click

from policyengine.cli.lazy import LazyGroup

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "check": (
        "policyengine.cli.waivers.check:check",
        "Check waivers, and what a target or a run makes of them.",
    ),
    "list": ("policyengine.cli.waivers.listing:list_waivers", "List waivers."),
    "add": ("policyengine.cli.waivers.add:add", "Write a waiver, pinned to the values it accepts."),
    "pin": ("policyengine.cli.waivers.add:pin", "Pin a waiver to the values a target or a run has now."),
    "sign": ("policyengine.cli.waivers.sign:sign", "Sign a waiver as its approver."),
}


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def waivers() -> None:
    """Accept failures until a day: who owns them, who approved that, and why. What is waived still fails.

    \b
      policyengine waivers add snapshot/ --rule s3-versioning --resource arn:aws:s3:::scratch --owner Ana \\
        --approver Ben --reason "rebuilt every night" --ticket SEC-12 --expires 2027-03-31
      policyengine waivers check snapshot/
    """
