"""``policyengine evidence verify``: is a bundle what a given key signed?"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from policyengine.evidence.keys import PublicKey
    from policyengine.evidence.verify import Verification

CODES: Final = (
    "Exit codes: 0 it is; 2 usage, or a file that cannot be read; 10 content, zip or roots are others than those signed; "
    "11 not signed by a given key; 12 the chain or the expected head; 14 not of the form of a bundle. Several: 11, 14, 10, 12."
)
_MOST_JOBS: Final = 8


def keys_of(paths: tuple[Path, ...]) -> list[PublicKey]:
    """Return the public keys in files. Raises InputError."""
    from policyengine.evidence.keys import load_public

    return [load_public(path) for path in paths]


@click.command(context_settings={"help_option_names": ["-h", "--help"]}, epilog=CODES)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--key", "keys", multiple=True, required=True, type=click.Path(path_type=Path), metavar="FILE",
    help="public key (PEM) that you were given; never the one in the bundle; may repeat",
)  # fmt: skip
@click.option(
    "--collector-key", "collectors", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="public key that has to have signed the population when collection ended (default: any --key may have)",
)  # fmt: skip
@click.option(
    "--expect-head", metavar="HEAD", help="digest of the newest bundle (sha256:…), or the file of an anchor"
)
@click.option(
    "--previous",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="BUNDLE",
    help="a bundle before this one; may repeat",
)
@click.option(
    "-j", "--jobs", type=click.IntRange(1, 64), metavar="N", help="processes (default: the processors)"
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(
    bundle: Path,
    keys: tuple[Path, ...],
    collectors: tuple[Path, ...],
    expect_head: str | None,
    previous: tuple[Path, ...],
    jobs: int | None,
    form: str,
) -> int:
    """Say whether BUNDLE is what a given key signed, whole and unchanged; else what is wrong and where.

    Without --expect-head nobody can tell whether a later bundle was taken away.
    """
    from policyengine.evidence.chaining import head_of
    from policyengine.evidence.problems import exit_code
    from policyengine.evidence.verify import examine

    head = None if expect_head is None else head_of(expect_head)
    jobs = jobs or min(_MOST_JOBS, os.cpu_count() or 1)
    found = examine(bundle, keys_of(keys), head, previous, jobs, keys_of(collectors))
    (_as_json if form == "json" else _as_text)(found, bundle)
    return exit_code(found.problems)


def _as_text(found: Verification, bundle: Path) -> None:
    from policyengine.reports.text import visible

    for problem in found.problems:
        click.echo(visible(f"WRONG {problem}"))
    for text in found.passed:
        click.echo(visible(f"ok    {text}"))
    for text in found.notes:
        click.echo(visible(f"note  {text}"))
    if found.head is not None and not found.problems:
        click.echo(f"head  number {found.head.sequence}, sha256:{found.head.manifest_sha256}")
    name = visible(bundle.name)
    verdict = f"NOT verified, {len(found.problems)} wrong" if found.problems else "verified"
    click.echo(f"{name}: {verdict}")


def _as_json(found: Verification, bundle: Path) -> None:
    value = {
        "bundle": bundle.name,
        "verified": not found.problems,
        "key": found.key.keyid if found.key else None,
        "head": found.head.to_json() if found.head and not found.problems else None,
        "problems": [problem._asdict() for problem in found.problems],
        "passed": found.passed,
        "notes": found.notes,
    }
    click.echo(json.dumps(value, indent=1))
