"""``policyengine waivers sign``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from policyengine.cli.evidence.signing import PASSPHRASE, file_signer
from policyengine.cli.outputs import say
from policyengine.cli.waivers.common import named, options, used
from policyengine.cli.waivers.looking import with_nearest
from policyengine.model.errors import UsageError

if TYPE_CHECKING:
    from policyengine.cli.waivers.common import Used
    from policyengine.config.waivers import Waiver


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 signed; 2 no such waiver, or not a key of its approver: nothing was written.",
)
@click.argument("id_", metavar="ID")
@click.option(
    "--key", required=True, type=click.Path(path_type=Path), metavar="FILE",
    help=f"the approver's private key (PEM, Ed25519 or P-256); its passphrase is in {PASSPHRASE}",
)  # fmt: skip
@options
def sign(id_: str, key: Path, **given: Any) -> int:
    """Sign the waiver ID as its approver: everything it says, the values it is pinned to included."""
    from policyengine.cli.configured import display
    from policyengine.cli.waivers.add import file_of
    from policyengine.cli.waivers.signing import sign as signed
    from policyengine.cli.waivers.writing import write_whole
    from policyengine.config.waivers_text import with_key

    given = dict(with_nearest(given, None))
    found = used(given)
    waiver = named(found.waiving, id_)
    signer = file_signer(key)
    signature = signed(waiver, signer)
    _check(found, waiver, signature)
    file = file_of(found, given, id_)
    write_whole(file, with_key(file.read_bytes(), display(file), id_, "signature", signature))
    say(f"signed {id_} for {waiver.approver} with the key {signer.public.keyid[:16]}…")
    if not found.waiving.approvers:
        say("note: nobody verifies it: `waiving.approvers` in policyengine.yaml says whose keys count")
    return 0


def _check(found: Used, waiver: Waiver, signature: dict[str, str]) -> None:
    """Raise UsageError for a key that is not the approver's, where their keys are known."""
    from dataclasses import replace

    from policyengine.cli.waivers.signing import verifier

    if not found.waiving.approvers:
        return
    folder = found.config.parent if found.config is not None else Path()
    why = verifier(found.waiving.approvers, folder)(replace(waiver, signature=signature, refused=""))
    if why:
        raise UsageError(f"waiver {waiver.id}: {why}")
