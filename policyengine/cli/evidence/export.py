"""``policyengine evidence export``: a run as a bundle that an auditor can verify and replay."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_OK, EXIT_USAGE
from policyengine.cli.options import config_option, jobs_option, rules_option

_PATH = click.Path(path_type=Path)
_FORMATS = ("html", "xlsx", "oscal", "oscal-poam", "well-architected")


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 written, whatever the verdicts are; 2 nothing was written.",
)
@click.argument("target")
@click.option("-o", "--output", type=_PATH, required=True, metavar="FILE", help="the bundle, a zip")
@click.option(
    "--sign-key", required=True, metavar="FILE|kms:ARN", help="private key (PEM), or a key of AWS KMS"
)
@click.option(
    "--framework",
    "frameworks",
    multiple=True,
    metavar="ID",
    help="only this framework; may repeat (default: all)",
)
@click.option(
    "--without", multiple=True, type=click.Choice(_FORMATS), help="leave out a report, which takes time and room; may repeat"
)  # fmt: skip
@click.option(
    "--redact", is_flag=True,
    help="without the values that `evidence.withhold` names; the roots are those of the full bundle",
)  # fmt: skip
@click.option(
    "--previous",
    type=_PATH,
    metavar="BUNDLE",
    help="the bundle before this one, which it follows in the chain",
)
@click.option(
    "--previous-key", "keys", multiple=True, type=_PATH, metavar="FILE",
    help="public key of the bundle before (default: the one that signs now); may repeat",
)  # fmt: skip
@click.option("--history", type=_PATH, metavar="FILE", help="the history that the period is told from")
@click.option("--from", "start", metavar="TIME", help="begin of the period (RFC 3339)")
@click.option("--to", "end", metavar="TIME", help="end of the period")
@click.option(
    "--timeline",
    "timelines",
    multiple=True,
    type=_PATH,
    metavar="FILE",
    help="what `history replay` wrote: evidence between runs",
)
@click.option("--journal", metavar="STORE", help="what was repaired: the store of `remediate`")
@click.option("--shadow-ai", type=_PATH, metavar="FILE", help="what `shadow-ai --format json` found")
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    type=_PATH,
    metavar="FILE",
    help="a receipt (RFC 3161, Object Lock); may repeat",
)
@rules_option("where TARGET is no run: as of `scan`")
@config_option("where TARGET is no run: as of `scan`")
@click.option("--as-of", metavar="TIME", help="where TARGET is no run: as of `scan`")
@jobs_option("where TARGET is no run: processes")
def export(target: str, **options: Any) -> int:
    """Write the evidence of TARGET, a run directory or what `scan` takes, and sign it.

    The bundle holds what was judged, the rules, every verdict, what was left out and why, reports made from the same run,
    and how to verify all of it without this program.

    \b
      policyengine evidence keygen auditkey
      policyengine evidence export run/ --sign-key auditkey --framework soc2 -o evidence.zip
      policyengine evidence verify evidence.zip --key auditkey.pub
    """
    from policyengine.cli.evidence.exporting import export as write
    from policyengine.cli.evidence.hiding import is_withheld
    from policyengine.cli.evidence.signing import signer_of
    from policyengine.model.run_directory import is_run_directory

    signer = signer_of(options["sign_key"])
    with ExitStack() as stack:
        run = Path(target)
        if not is_run_directory(run):
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="policyengine-")))
            run = folder / "run"
            if not _scan(target, run, options):
                return EXIT_USAGE
        head = write(run, options["output"], signer, _wish(options, signer))
        withheld = is_withheld(run)
    size = options["output"].stat().st_size
    click.echo(
        f"{options['output']}: {size:,} bytes, number {head.sequence} of its chain, signed by {signer.public.keyid}"
    )
    click.echo(f"head  sha256:{head.manifest_sha256}")
    if withheld and not options["redact"]:
        click.echo(
            "It is the full bundle, with what is withheld and the secret: give on the one that --redact writes."
        )
    click.echo(
        "Keep the head where those who keep the bundles cannot write: only it tells that a later bundle was taken away."
    )
    return EXIT_OK


def _wish(options: dict[str, Any], signer: Any) -> Any:
    from policyengine.cli.evidence.exporting import Wish
    from policyengine.cli.shadow_document import read_shadow_ai

    shadow, previous = options["shadow_ai"], options["previous"]
    return Wish(
        frameworks=options["frameworks"],
        formats=tuple(name for name in _FORMATS if name not in options["without"]),
        history=options["history"],
        period=(options["start"], options["end"]),
        timelines=options["timelines"],
        journal=None if options["journal"] is None else _journal(options["journal"]),
        shadow_ai=None if shadow is None else read_shadow_ai(shadow),
        anchors=options["anchors"],
        previous=None if previous is None else _head(previous, options["keys"], signer),
        redact=options["redact"],
    )


def _head(bundle: Path, keys: tuple[Path, ...], signer: Any) -> Any:
    """The head of a bundle is only followed where a key that is known signed it."""
    from policyengine.evidence.bundle_reader import read_head
    from policyengine.evidence.keys import load_public

    return read_head(bundle, [load_public(key) for key in keys] or [signer.public])


def _journal(where: str) -> list[bytes]:
    """Return the entries of a journal. Raises StoreError for a store that is not there."""
    from policyengine.model.canonical_json import canonical
    from policyengine.store.open_actions import open_store

    store = open_store(where, create=False)
    return [canonical(entry._asdict()) for entry in store.journal()]


def _scan(target: str, run: Path, options: dict[str, Any]) -> bool:
    """Judge a target into a run directory; False where there was nothing to judge."""
    import io

    from policyengine.cli.run import prepare_run
    from policyengine.cli.scan import quiet_options

    given = {name: options[name] for name in ("config", "as_of", "rule_folders", "jobs")}
    prepared = prepare_run([target], quiet_options(**given, output=run))
    return not prepared.write(io.StringIO()).input_errors
