"""``policyengine iam``: questions about AWS policies."""

from __future__ import annotations

from typing import Final

import click

from policyengine.cli.lazy import LazyGroup

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "decide": ("policyengine.cli.iam.decide:decide", "Answer scenarios: one request against every layer."),
    "can": ("policyengine.cli.iam.can:can", "Can a principal make a request of a set?"),
    "who-can": ("policyengine.cli.iam.can:who_can", "Who can make a request of a set?"),
    "escalate": ("policyengine.cli.iam.escalate:escalate", "Who can get more than it has, and how?"),
    "guard": (
        "policyengine.cli.iam.guard:guard",
        "Make the policy that closes a set of requests, with proofs.",
    ),
    "explain": ("policyengine.cli.iam.explain:explain", "Say in plain words what each statement does."),
    "diff": ("policyengine.cli.iam.diff:diff", "What does a new document allow that the old one did not?"),
    "covers": ("policyengine.cli.iam.covers:covers", "Are requests denied in every account, by SCPs alone?"),
}
"""name -> (where the command is, its one-line help)"""


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def iam() -> None:
    """Questions about AWS policies: one request, and all requests."""
