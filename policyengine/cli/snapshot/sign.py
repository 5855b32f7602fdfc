"""``policyengine snapshot sign``: a population that was not signed when its collection ended."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.options import config_option, rules_option
from policyengine.model.errors import UsageError
from policyengine.sources.paths import printable

if TYPE_CHECKING:
    from policyengine.model.withheld import Plan

_PATH = click.Path(path_type=Path)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 signed; 2 nothing was signed.",
)
@click.argument("folder", type=_PATH)
@click.option(
    "--sign-key", required=True, metavar="FILE|kms:ARN", help="private key (PEM), or a key of AWS KMS"
)
@config_option("policyengine.yaml that says what may be withheld (default: the nearest above the snapshot)")
@rules_option("folder of rules that policyengine.yaml speaks of")
@click.option(
    "--redaction-key", type=_PATH, metavar="FILE", help="key that secrets of withheld values are made from"
)
def sign(
    folder: Path,
    sign_key: str,
    config: Path | None,
    rule_folders: tuple[Path, ...],
    redaction_key: Path | None,
) -> int:
    """Sign the population of the snapshot in FOLDER, as it is now.

    That shows that nothing was changed from now on, and nothing about the time since it was collected: give --sign-key to
    `snapshot --live` or `--org` to have it signed when collection ends.
    """
    from policyengine.cli.evidence.collected import sign_collected
    from policyengine.cli.evidence.signing import signer_of
    from policyengine.cli.run import now_text
    from policyengine.rules.packs import load_packs
    from policyengine.sources.base import SourceOptions
    from policyengine.sources.snapshot import open_snapshot

    if not folder.is_dir():
        raise UsageError(f"`{folder}` is no folder of a snapshot")
    source: Any = open_snapshot(folder, SourceOptions())
    if source.redaction_key is None:
        raise UsageError(
            f"`{folder}` does not say under which key its secrets were taken out: `scan` would keep it without them, as "
            "another population than the one that is signed; sign a snapshot that `policyengine snapshot` wrote"
        )
    plan = plan_of(config, load_packs(rule_folders), folder)
    said = sign_collected(folder, signer_of(sign_key), plan, now_text(), redaction_key)
    click.echo(
        f"{printable(str(folder))}: {said.population.count:,} lines signed, root sha256:{said.population.root}"
    )
    click.echo(
        f"Signed at {said.collected_at}, and begun to be collected at {source.created}: what happened to it in between "
        "is not shown by this."
    )
    return EXIT_OK


def plan_of(config: Path | None, pack: Any, near: Path | None = None) -> Plan | None:
    """Return what the configuration withholds: the one that is given, else the nearest above. Raises ConfigError."""
    from policyengine.cli.inputs import read_configuration

    options = {"config": config, "ous": (), "account": None}
    return read_configuration(options, [str(near or Path())], pack).settings.withhold
