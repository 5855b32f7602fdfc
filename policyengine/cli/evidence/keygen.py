"""``policyengine evidence keygen``: a key pair for signing bundles."""

from __future__ import annotations

from pathlib import Path

import click

from policyengine.cli.errors import EXIT_OK


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 made; 2 it exists, or cannot be written.",
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--type",
    "kind",
    type=click.Choice(["ed25519", "ecdsa-p256"]),
    default="ed25519",
    show_default=True,
    help="kind of key",
)
def keygen(file: Path, kind: str) -> int:
    """Write a private key to FILE (readable by you alone) and its public key to FILE.pub.

    Give FILE.pub to whoever verifies, by another way than the bundles. Keep FILE where those who could change results
    cannot read it, or sign with AWS KMS instead.
    """
    from policyengine.evidence.signers import generate

    public = generate(kind, file)
    click.echo(f"{file}.pub: {kind}, key id {public.keyid}")
    return EXIT_OK
