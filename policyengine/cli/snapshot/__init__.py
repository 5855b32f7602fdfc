"""``policyengine snapshot``: collect, compare, verify."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_INCOMPLETE, EXIT_OK
from policyengine.cli.lazy import LazyGroup
from policyengine.cli.live import wish
from policyengine.cli.options import config_option, rules_option

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "diff": ("policyengine.cli.snapshot.diff:diff", "Say what changed between two snapshots."),
    "sign": ("policyengine.cli.snapshot.sign:sign", "Sign a snapshot that exists, now."),
    "verify": ("policyengine.cli.snapshot.verify:verify", "Hold a snapshot against its manifest."),
}
"""name -> (where the command is, its one-line help)."""


@click.group(
    cls=LazyGroup,
    table=COMMANDS,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 collected; 2 usage error or no credentials; 4 something could not be read (the snapshot says what).",
)
@wish.options
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="folder of the snapshot")
@click.option("--resume", is_flag=True, help="go on where a broken-off collection into DIR stopped")
@click.option("--replace", is_flag=True, help="replace a snapshot in DIR also where that holds more")
@rules_option()
@click.option(
    "--rule", "rule_ids", multiple=True, metavar="ID", help="collect only what this rule needs; may repeat"
)
@click.option(
    "--family",
    "families",
    multiple=True,
    metavar="NAME",
    help="only what rules of this family need; may repeat",
)
@click.option(
    "--sign-key", metavar="FILE|kms:ARN",
    help="sign what was collected when collection ends: a private key (PEM), or a key of AWS KMS",
)  # fmt: skip
@config_option(
    "policyengine.yaml that says what may be withheld of what is signed (default: the nearest above this folder)"
)
@click.option("-q", "--quiet", is_flag=True, help="no progress, no summary")
@click.pass_context
def snapshot(context: click.Context, /, **options: Any) -> int | None:
    """Collect live accounts into a snapshot, which `scan DIR` evaluates later, offline.

    \b
      policyengine snapshot --live -o snapshot/
      policyengine snapshot --org --role-name PolicyEngineScanner -o snapshot/
    """
    if context.invoked_subcommand is not None:
        return None
    found = wish.wish_of(options)
    if found is None:
        raise click.UsageError(
            "what is to be collected? give --live (this account) or --org (all accounts)", context
        )
    if options["output"] is None:
        raise click.UsageError("where is the snapshot to go? give -o DIR", context)
    if options["config"] is not None and options["sign_key"] is None:
        raise click.UsageError(
            "--config says what is withheld of what is signed: it goes with --sign-key", context
        )
    from policyengine.cli.live.collect import collect, plan_for
    from policyengine.cli.run import now_text, selected
    from policyengine.cli.snapshot.sign import plan_of
    from policyengine.cli.snapshot.summary import say
    from policyengine.rules.packs import load_packs

    every_rule = load_packs(options["rule_folders"])
    pack = selected(every_rule, options)
    signer = _signer(options)
    plan = None if signer is None else plan_of(options["config"], every_rule)
    collected = collect(
        found, plan_for(pack), options["output"], pack=pack, now=now_text(), resume=options["resume"],
        quiet=options["quiet"], replace=options["replace"],
    )  # fmt: skip
    if signer is not None:
        from policyengine.cli.evidence.collected import sign_collected

        sign_collected(options["output"], signer, plan, now_text(), options["redaction_key"])
    if not options["quiet"]:
        say(collected, options["output"])
    return EXIT_INCOMPLETE if any(True for _ in collected.failures()) else EXIT_OK


def _signer(options: dict[str, Any]) -> Any:
    """Who signs; asked before an hour of calls, not after it."""
    if options["sign_key"] is None:
        return None
    from policyengine.cli.evidence.signing import signer_of

    return signer_of(options["sign_key"])
