"""``policyengine evidence replay``: every verdict of a bundle performed again, offline."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.options import jobs_option
from policyengine.model.errors import UsageError

_SHOWN: Final = 20
REPLAY_CODE: Final = 13


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 the same results; 2 usage, or a file that cannot be read; 10, 11, 12, 14 as of `verify`; 13 "
    "other results.",
)
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--key", "keys", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="public key (PEM) that you were given: verify the bundle first; may repeat",
)  # fmt: skip
@click.option(
    "--collector-key", "collectors", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="who has to have signed each population when collection ended, as of `verify`; may repeat",
)  # fmt: skip
@jobs_option(most=64)
def replay(bundle: Path, keys: tuple[Path, ...], collectors: tuple[Path, ...], jobs: int) -> int:
    """Perform every verdict of BUNDLE again from its own snapshot and rules; no network, no credentials.

    The rows have to be the same, byte by byte, so that their root is the one that was signed; and what the bundle says of
    the run has to follow from it: which rules were asked of each type, counts, waivers, that nothing was in the way.
    """
    from policyengine.evidence.problems import BundleError, exit_code

    if collectors and not keys:
        raise UsageError("--collector-key goes with --key: who signed the bundle is looked at first")
    try:
        if keys and (code := _verify(bundle, keys, collectors, jobs)):
            return code
        with tempfile.TemporaryDirectory(prefix="policyengine-") as folder:
            return _replay(bundle, Path(folder), jobs, verified=bool(keys))
    except BundleError as error:
        click.echo(f"WRONG {error.problem}")
        return exit_code([error.problem])


def _verify(bundle: Path, keys: tuple[Path, ...], collectors: tuple[Path, ...], jobs: int) -> int:
    from policyengine.cli.evidence.verify import keys_of
    from policyengine.evidence.problems import exit_code
    from policyengine.evidence.verify import examine
    from policyengine.reports.text import visible

    found = examine(bundle, keys_of(keys), jobs=jobs, collectors=keys_of(collectors))
    for problem in found.problems:
        click.echo(visible(f"WRONG {problem}"))
    if found.problems:
        click.echo("nothing was performed again: what does not verify is not unpacked")
    return exit_code(found.problems)


def _replay(bundle: Path, folder: Path, jobs: int, *, verified: bool) -> int:
    from policyengine import __version__
    from policyengine.cli.evidence.rule_texts import differing
    from policyengine.cli.evidence.unpacking import unpack
    from policyengine.cli.replaying import again

    manifest = unpack(bundle, folder)
    run = again(folder, jobs=jobs)
    root, size, types = _rows(run)
    same_engine = manifest.fields.engine.get("version") == __version__
    _notes(run, manifest, verified=verified)
    wrong = _tell("rules", differing(folder), same_engine)
    signed = manifest.results.root
    if (root, size) != (signed.root, signed.count):
        click.echo(
            f"NOT the same: root sha256:{root} over {size:,} rows, the bundle says sha256:{signed.root}"
        )
        return REPLAY_CODE
    wrong |= _run_differs(run, manifest, folder, types, same_engine=same_engine)
    if wrong:
        return REPLAY_CODE
    click.echo(
        f"ok    {_verdicts(manifest):,} verdicts on {size:,} resources performed again: the same results root"
    )
    click.echo(f"root  sha256:{root}")
    return EXIT_OK


def _rows(run: Any) -> tuple[str, int, set[str]]:
    """Judge everything again and say which rows differ. Return the root and number of the rows, and their types."""
    from policyengine.model.merkle import Merkle
    from policyengine.reports.text import visible

    tree = Merkle()
    types: set[str] = set()
    differing = 0
    for number, (kept, judged) in enumerate(zip_longest(run.reader.lines(), run.rows()), 1):
        line = judged[2] if judged is not None else None
        if line is not None:
            tree.add(line)
            types.add(judged[1])
        if kept != line:
            differing += 1
            if differing <= _SHOWN:
                click.echo(visible(f"WRONG replay: row {number}: {_difference(run.reader, kept, line)}"))
    if differing > _SHOWN:
        click.echo(f"… and {differing - _SHOWN:,} more rows")
    return tree.root().hex(), tree.size, types


def _notes(run: Any, manifest: Any, *, verified: bool) -> None:
    from policyengine import __version__

    engine = manifest.fields.engine.get("version")
    if engine != __version__:
        click.echo(f"note  the bundle is of engine {engine}, this is {__version__}")
    if manifest.plan is not None:
        about = run.reader.about.get("withheld")
        lines = about.get("lines") if isinstance(about, dict) else None
        where = f"{lines:,} lines" if isinstance(lines, int) else "lines that nobody counted"
        click.echo(f"note  values are withheld in {where}; the run was judged without them, and so again now")
    if not verified:
        click.echo("note  no key was given: whether the bundle is the one that was signed was not looked at")


def _run_differs(run: Any, manifest: Any, folder: Path, types: set[str], *, same_engine: bool) -> bool:
    """Say what of ``run/run.json`` does not follow from the run that was performed again."""
    from policyengine.cli.evidence.stated import contradictions, differing
    from policyengine.cli.evidence.unpacking import WAIVERS

    try:
        waivers = json.loads((folder / WAIVERS).read_bytes())
        wrong = _tell("run", contradictions(run, manifest, waivers), True)
        return _tell("run", differing(run, types), same_engine) or wrong
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        return _tell("run", ["run/run.json or waivers.json has no form that is known"], True)


def _tell(about: str, problems: Iterable[str], wrong: bool) -> bool:
    """Say problems, as notes where nothing is wrong: another engine compiles to other forms, and may count otherwise.

    Return whether there is something wrong.
    """
    from policyengine.reports.text import visible

    lead = f"WRONG {about}:" if wrong else f"note  {about}, by this engine:"
    number = 0
    for number, problem in enumerate(problems, 1):
        if number <= _SHOWN:
            click.echo(visible(f"{lead} {problem}"))
    if number > _SHOWN:
        click.echo(f"… and {number - _SHOWN:,} more")
    return bool(number) and wrong


def _verdicts(manifest: Any) -> int:
    return sum((manifest.results.verdicts or {}).values())


def _difference(reader: Any, kept: bytes | None, judged: bytes | None) -> str:
    """Say what two rows differ in, most telling first."""
    if kept is None or judged is None:
        return (
            "only judged again, not in the bundle" if kept is None else "in the bundle, and not judged again"
        )
    old, new = (reader.row(line, iter([b'{"own":null,"rules":{}}'])) for line in (kept, judged))
    if old.identity != new.identity:
        return f"is of `{old.id}` in the bundle, and of `{new.id}` judged again"
    rules = reader.rules_of.get(old.type, ())
    told = list(_verdict_changes(rules, old.verdicts, new.verdicts))
    what = "; ".join(told[:3]) or "the same verdicts, with other words or evidence"
    return f"{old.type} `{old.id}`: {what}"


def _verdict_changes(rules: Any, old: str, new: str) -> Iterator[str]:
    from policyengine.model.reasons import VERDICT_OF

    for rule, was, now in zip(rules, old, new, strict=False):
        if was != now:
            yield f"`{rule}` is {VERDICT_OF.get(now, now)}, the bundle says {VERDICT_OF.get(was, was)}"
