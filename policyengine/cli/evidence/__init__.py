"""``policyengine evidence``: what an auditor is given, and how they check it."""

from __future__ import annotations

from typing import Final

import click

from policyengine.cli.lazy import LazyGroup

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "export": ("policyengine.cli.evidence.export:export", "Write a run as a signed bundle."),
    "verify": (
        "policyengine.cli.evidence.verify:verify",
        "Verify a bundle: signature, every byte, roots, chain.",
    ),
    "replay": (
        "policyengine.cli.evidence.replay:replay",
        "Perform every verdict of a bundle again, offline.",
    ),
    "prove": (
        "policyengine.cli.evidence.proofs:prove",
        "Show one resource of a bundle, and that it is one of it.",
    ),
    "check-proof": (
        "policyengine.cli.evidence.proofs:check",
        "Check what `prove` wrote, without the bundle.",
    ),
    "sample": (
        "policyengine.cli.evidence.sample:sample",
        "Draw resources of a bundle by the auditor's seed.",
    ),
    "keygen": ("policyengine.cli.evidence.keygen:keygen", "Make a key that signs bundles."),
}
"""name -> (where the command is, its one-line help)."""


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def evidence() -> None:
    """Bundles that an auditor can verify and replay, offline."""
