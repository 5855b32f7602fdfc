"""``policyengine rules changes``: which verdicts differ between two sets of rules."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK

if TYPE_CHECKING:
    from policyengine.cli.packs.comparing import Changed


@click.command()
@click.argument("old", required=False, metavar="[OLD]")
@click.argument("new", required=False, metavar="[NEW]")
@click.option("--write", "folder", type=click.Path(path_type=Path, file_okay=False, exists=True), metavar="DIR",
              help="write CHANGELOG.md and pack.json in this folder of rules; OLD is then the version they record")  # fmt: skip
@click.option(
    "--release", metavar="DAY", help="with --write: what is unreleased becomes a version of this day"
)
@click.option("--check", is_flag=True, help="exit 1 when a verdict changes")
@click.option(
    "--format", "form", type=click.Choice(["markdown", "json"]), default="markdown", show_default=True
)
def changes(
    old: str | None, new: str | None, folder: Path | None, release: str | None, check: bool, form: str
) -> int:
    """Say what changed between two sets of rules, and which verdicts that changes.

    OLD and NEW are a folder of rules, a rule file, a wheel, a compiled pack, a kept run, or a git revision
    (`v1.2.0`, `main:policies`). The cases beside the rules are judged by both.

    \b
      policyengine rules changes main rules
      policyengine rules changes --write rules
    """
    from policyengine.cli.packs.comparing import changed_rules, with_cases
    from policyengine.cli.packs.sides import open_side

    if release is not None and folder is None:
        raise click.UsageError("--release goes with --write")
    before, after = _sides(old, new, folder)
    one, other = open_side(before), open_side(after)
    found = [with_cases(each, one, other) for each in changed_rules(one, other)]
    if folder is None:
        _print(found, form)
    else:
        from policyengine.cli.packs.changelog import CHANGELOG, write

        forms = list(other.compiled(other.ids).values())
        version = write(folder, found, forms, None if release is None else _day(release))
        click.echo(f"{folder / CHANGELOG}: {len(found):,} rules since {before}; recorded as {version}")
    return EXIT_FAIL if check and any(each.turned for each in found) else EXIT_OK


def _sides(old: str | None, new: str | None, folder: Path | None) -> tuple[str, str]:
    if folder is None:
        if old is None or new is None:
            raise click.UsageError("name two sets of rules, OLD and NEW, or give --write DIR")
        return old, new
    if new is not None and Path(new).resolve() != folder.resolve():
        raise click.UsageError(f"--write {folder} records the rules of that folder; NEW is not needed")
    return old or _recorded_at(folder), str(folder)


def _recorded_at(folder: Path) -> str:
    """Return the revision in which the recorded version was released."""
    from policyengine.cli.packs.gitfiles import commit_that, top_folder
    from policyengine.rules.recorded import FILE

    commit = commit_that('-G"version"', "--", str(folder / FILE))
    if commit is None:
        raise click.UsageError(
            f"no commit of `{folder / FILE}` is at hand, which would say what the rules were at their last version; name OLD"
        )
    return f"{commit}:{folder.resolve().relative_to(top_folder().resolve()).as_posix()}"


def _day(text: str) -> str:
    from datetime import date

    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise click.UsageError(f"--release `{text}` is no day; expected e.g. 2026-11-22") from None


def _print(found: list[Changed], form: str) -> None:
    from policyengine.cli.packs.changelog import markdown
    from policyengine.cli.packs.comparing import bump_of

    if form == "markdown":
        click.echo(markdown(found), nl=False)
        return
    body = {
        "schema": "policyengine/rule-changes/v1",
        "bump": bump_of(found),
        "rules": [_json(c) for c in found],
    }
    click.echo(json.dumps(body, indent=2))


def _json(change: Changed) -> dict[str, Any]:
    return {
        "rule": change.rule, "change": change.kind, "bump": change.bump, "notes": list(change.notes),
        "cases": change.cases, "uncomparable": change.uncomparable,
        "turned": [each._asdict() for each in change.turned],
    }  # fmt: skip
