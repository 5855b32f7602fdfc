"""``policyengine evidence sample``: resources of a bundle, drawn by the auditor's seed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.evidence.verify import keys_of

_PATH = click.Path(path_type=Path)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0; 2 usage; 10 not the population that was signed, or not the sample; 11 not signed by a given "
    "key; 14 no bundle.",
)
@click.argument("bundle", type=_PATH)
@click.option(
    "--key", "keys", multiple=True, required=True, type=_PATH, metavar="FILE",
    help="public key (PEM) that you were given; may repeat (collector and engine)",
)  # fmt: skip
@click.option("--seed", metavar="TEXT", help="any text, chosen after the bundle was signed")
@click.option(
    "--given-at", "--as-of", "given_at", metavar="TIME",
    help="when the seed was chosen (RFC 3339); refused where that is before the bundle was signed",
)  # fmt: skip
@click.option(
    "--size", type=click.IntRange(min=1), metavar="N", help="resources in all, at least one a stratum"
)
@click.option("--fraction", metavar="SHARE", help="instead of a size: this share of each stratum, e.g. 0.05")
@click.option(
    "--by", "strata", multiple=True, metavar="NAME",
    help="verdict (the worst), account, region or type: what strata are made by; may repeat (default: verdict)",
)  # fmt: skip
@click.option(
    "--control",
    metavar="FRAMEWORK:CONTROL",
    help="only what the rules of this control judged, e.g. soc2:CC6.1",
)
@click.option("--check", "known", type=_PATH, metavar="FILE", help="draw the sample of this file again")
@click.option("--format", "form", type=click.Choice(["json", "csv"]), default="json", show_default=True)
def sample(bundle: Path, keys: tuple[Path, ...], known: Path | None, form: str, **options: Any) -> int:
    """Draw a sample of the resources in BUNDLE that anybody can draw again.

    \b
      policyengine evidence sample bundle.zip --key engine.pub --seed "lottery of 5 March" --size 60 \\
          --given-at 2026-03-05T18:00:00Z > sample.json
      policyengine evidence sample bundle.zip --key engine.pub --seed "lottery of 5 March" --size 25 --control soc2:CC6.1
      policyengine evidence sample bundle.zip --key engine.pub --check sample.json
    """
    from policyengine.evidence.problems import EXIT_CODES, BundleError
    from policyengine.reports.text import visible

    try:
        if known is not None:
            return _check(bundle, keys, known, options)
        found = _drawn(bundle, keys, options)
    except BundleError as error:
        click.echo(visible(f"WRONG {error.problem}"))
        return EXIT_CODES[error.problem.kind]
    if form == "csv":
        _print_csv(found)
    else:
        click.echo(json.dumps(found, indent=1))
    return EXIT_OK


def _drawn(bundle: Path, keys: tuple[Path, ...], options: dict[str, Any]) -> dict[str, Any]:
    from policyengine.evidence.sampling import DEFAULT_STRATA, Asked, sample_bundle
    from policyengine.reports.samples import Seed

    if options["seed"] is None:
        raise click.UsageError(
            "a seed is needed: --seed TEXT, chosen by the auditor after the bundle was signed"
        )
    asked = Asked(
        options["size"], options["fraction"], options["strata"] or DEFAULT_STRATA, options["control"]
    )
    found = sample_bundle(bundle, keys_of(keys), Seed(options["seed"], options["given_at"]), asked)
    if options["given_at"] is None:
        signed_at = found["population"]["signed_at"]
        click.echo(
            f"note: when the seed was chosen was not given (--given-at TIME), so it was not held against {signed_at}, "
            "when what is drawn from was fixed",
            err=True,
        )
    return found


def _check(bundle: Path, keys: tuple[Path, ...], known: Path, options: dict[str, Any]) -> int:
    from policyengine.evidence.problems import EXIT_CODES, MISMATCH
    from policyengine.evidence.sampling import drawn_again
    from policyengine.model.errors import InputError
    from policyengine.reports.text import visible

    if any(options.values()):
        raise click.UsageError("--check takes seed, size and strata from the file")
    try:
        text = known.read_bytes()
    except OSError as problem:
        raise InputError(f"`{known}` cannot be read: {(problem.strerror or 'error').lower()}") from None
    differing = drawn_again(bundle, keys_of(keys), text, known.name)
    if differing:
        click.echo(
            visible(f"WRONG mismatch: {known.name}: drawn again, it differs in {', '.join(differing)}")
        )
        return EXIT_CODES[MISMATCH]
    click.echo(visible(f"{known.name}: drawn again, it is the same"))
    return EXIT_OK


def _print_csv(found: dict[str, Any]) -> None:
    import csv
    import sys

    from policyengine.reports.csv_report import cell

    verdicts = ("verdict",) if found["population"]["tree"] == "results" else ()
    names = ("index", "account", "region", "type", "id", *verdicts, "rank")
    writer = csv.writer(sys.stdout, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(names)
    for row in found["sample"]:
        writer.writerow([row["index"], *(cell(row[name]) for name in names[1:])])
