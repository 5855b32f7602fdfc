"""``policyengine evidence prove`` and ``check-proof``: one resource shown, and that it is one of those signed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.evidence.verify import keys_of
from policyengine.model.errors import InputError, UsageError


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 written; 2 no such resource, or several; 10 or 14 the bundle is not what it says.",
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("resource")
@click.option("--type", "type_", metavar="TYPE", help="where several resources have the id: its type")
@click.option("--account", metavar="ID", help="… its account")
@click.option("--region", metavar="NAME", help="… its region")
@click.option(
    "--disclose", is_flag=True, help="show also what is withheld of the resource, where the bundle holds it"
)
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), metavar="FILE", help="file of the proof"
)
def prove(
    bundle: Path,
    resource: str,
    output: Path,
    disclose: bool,
    type_: str | None,
    account: str | None,
    region: str | None,
) -> int:
    """Write a proof that RESOURCE (id or ARN) with its verdicts is one of those that BUNDLE's signature is over.

    It shows this resource and nothing of the others but hashes.
    """
    from policyengine.evidence.inclusion import Wanted, prove
    from policyengine.evidence.problems import EXIT_CODES, BundleError

    try:
        proof = prove(bundle, Wanted(resource, type_, account, region), disclose=disclose)
    except BundleError as error:
        return _say(error, EXIT_CODES)
    try:
        output.write_bytes(proof)
    except OSError as problem:
        raise UsageError(f"`{output}` cannot be written: {(problem.strerror or 'error').lower()}") from None
    return EXIT_OK


@click.command(
    "check-proof",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 it holds; 2 usage; 10 not one of those signed; 11 not signed by a given key; 14 no proof.",
)
@click.argument("proof", type=click.Path(path_type=Path))
@click.option(
    "--key", "keys", multiple=True, required=True, type=click.Path(path_type=Path), metavar="FILE",
    help="public key (PEM) that you were given; may repeat",
)  # fmt: skip
def check(proof: Path, keys: tuple[Path, ...]) -> int:
    """Check a proof against a key, and print what it shows: lines of the population, rows of the results, and
    the verdict of each rule."""
    from policyengine.evidence.inclusion import MAX_PROOF, check_proof
    from policyengine.evidence.problems import EXIT_CODES, BundleError
    from policyengine.reports.text import visible

    try:
        with proof.open("rb") as file:
            data = file.read(MAX_PROOF + 1)
    except OSError as problem:
        raise InputError(f"`{proof}` cannot be read: {(problem.strerror or 'error').lower()}") from None
    try:
        shown = check_proof(data, keys_of(keys), proof.name)
    except BundleError as error:
        return _say(error, EXIT_CODES)
    for line in shown.lines:
        click.echo(visible(f"collected  {line}"))
    for number, row in enumerate(shown.rows):
        click.echo(visible(f"judged     {row}"))
        for rule, verdict in shown.verdicts[number] if shown.verdicts is not None else ():
            click.echo(visible(f"           {verdict:<14}  {rule}"))
    if shown.rows and shown.verdicts is None:
        click.echo("note       the bundle has no lists of rules: which rule a letter is of is not shown")
    if not shown.rows:
        click.echo("note       it shows no verdicts")
    for value in shown.disclosed:
        click.echo(visible(f"disclosed  {value.path}: {value.value}"))
    click.echo(f"{visible(proof.name)}: holds, signed by {shown.key.keyid}")
    return EXIT_OK


def _say(error: Any, codes: dict[str, int]) -> int:
    from policyengine.reports.text import visible

    click.echo(visible(f"WRONG {error.problem}"))
    return codes[error.problem.kind]
