"""The option that says what kind of policy a file is."""

from __future__ import annotations

import click

from policyengine.iam.grammar import RULES

KIND = click.option(
    "--kind",
    type=click.Choice(sorted(RULES)),
    help="what a bare policy is, where its text does not show it; else only policies of this kind",
)
