"""``policyengine init``: a configuration, a baseline and a check in CI for the repository there is."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

HOSTS: Final = ("github", "gitlab", "codebuild")


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 written, or there was nothing to do; 2 nothing to judge, or a file cannot be written.",
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False), default=Path())
@click.option(
    "--ci",
    type=click.Choice(["auto", *HOSTS, "none"]),
    default="auto",
    show_default=True,
    help="host to write a check for; auto: those the repository has files of",
)
@click.option("--no-baseline", is_flag=True, help="let what fails today fail")
@click.option("--dry-run", is_flag=True, help="say what would be written; nothing is")
def init(folder: Path, **options: Any) -> int:
    """Look at the repository FOLDER is in, and write what it takes to check it: policyengine.yaml, a baseline of what
    fails today, and a file for its CI.

    What is there is never changed: where it differs from what would be written, the difference is shown. Run again, and
    there is nothing to do.
    """
    from policyengine.cli.initialising.command import initialise

    return initialise(folder, options)
