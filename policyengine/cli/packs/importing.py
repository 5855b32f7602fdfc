"""``policyengine rules import``: convert policies of Cloud Custodian and rules of CloudFormation Guard."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from policyengine.cli.errors import EXIT_INCOMPLETE, EXIT_OK

if TYPE_CHECKING:
    from policyengine.migrate.drafts import Draft, Left
    from policyengine.migrate.samples import Sample
    from policyengine.migrate.writing import Kept

SUFFIXES: Final = {"custodian": (".yml", ".yaml", ".json"), "guard": (".guard", ".ruleset")}
_MOST_BYTES: Final = 4 * 1024 * 1024
_OF_DEFAULTS: Final = ("aws_default", "default_depends")


class Written(NamedTuple):
    """A rule that was converted, where it is, and what its reader has to know."""

    draft: Draft
    path: Path
    cases: Sequence[Kept]


@click.command(
    "import",
    epilog="Exit codes: 0 everything was converted; 2 usage or input error; 4 something was not converted.",
)
@click.option(
    "--from", "tool", type=click.Choice(["custodian", "guard"]), required=True, help="whose files they are"
)
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="FILE..."
)
@click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), required=True, metavar="DIR",
              help="where rules are written; nothing that exists is overwritten")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def import_(tool: str, files: Sequence[Path], output: Path, form: str) -> int:
    """Convert simple policies of Cloud Custodian, or rules of CloudFormation Guard, into rules with their tests.

    A FILE may be a folder. A rule is converted whole or not at all; what is not converted is listed with its place and
    the reason. Cases get the verdict that the other tool's meaning gives, and the converted rule has to agree.

    \b
      policyengine rules import --from guard rules.guard -o policies
      policyengine rules test --rules policies
    """
    from policyengine.model.errors import UsageError

    found = [path for given in files for path in _files(given, tool)]
    if not found:
        raise UsageError(f"no file of {tool} there; expected {', '.join(SUFFIXES[tool])}")
    written: list[Written] = []
    left: list[Left] = []
    taken = _bundled()
    for path in found:
        drafts, others = _read(path, tool)
        left += others
        for draft in drafts:
            _convert(draft, output, taken, written, left)
    _say(written, left, form)
    return EXIT_INCOMPLETE if left else EXIT_OK


def _files(given: Path, tool: str) -> list[Path]:
    if given.is_file():
        return [given]
    return sorted(path for path in given.rglob("*") if path.suffix in SUFFIXES[tool] and path.is_file())


def _bundled() -> dict[str, str]:
    """Return id -> where a rule of that id is already."""
    from policyengine.rules.packs import load_packs

    return {form["id"]: "the bundled rules" for form in load_packs().rules}


def _read(path: Path, tool: str) -> tuple[list[Draft], list[Left]]:
    from policyengine.migrate.custodian import read_policies
    from policyengine.migrate.guard import read_rules
    from policyengine.model.errors import InputError
    from policyengine.model.location import Location

    if path.stat().st_size > _MOST_BYTES:
        raise InputError(f"has over {_MOST_BYTES:,} bytes; split it", Location(str(path)))
    data = path.read_bytes()
    return read_policies(data, str(path)) if tool == "custodian" else read_rules(data, str(path))


def _convert(
    draft: Draft, output: Path, taken: dict[str, str], written: list[Written], left: list[Left]
) -> None:
    from policyengine.migrate.drafts import Left, NotConverted
    from policyengine.migrate.samples import samples
    from policyengine.migrate.writing import rule_text, tests_text

    if draft.id in taken:
        other = f"{draft.tool}-{draft.id}"
        draft = replace(draft, id=other).noted(
            f"`{draft.id}` is also in {taken[draft.id]}: see whether that is enough"
        )
    if draft.id in taken:
        left.append(
            Left(draft.name, draft.file, draft.line, "the rule as a whole", f"`{draft.id}` exists twice")
        )
        return
    try:
        cases = reconciled(draft, samples(draft))
    except NotConverted as error:
        left.append(Left(draft.name, draft.file, error.line, error.construct, error.why))
        return
    folder = output / draft.type.split("::")[1].lower()
    rule, tests = folder / f"{draft.id}.yaml", folder / f"{draft.id}.test.yaml"
    for path in (rule, tests):
        if path.exists():
            left.append(Left(draft.name, draft.file, draft.line, "the rule as a whole", f"`{path}` exists"))
            return
    folder.mkdir(parents=True, exist_ok=True)
    rule.write_text(rule_text(draft), "utf-8")
    tests.write_text(tests_text(cases), "utf-8")
    taken[draft.id] = str(rule)
    written.append(Written(draft, rule, cases))


def reconciled(draft: Draft, cases: Sequence[Sample]) -> list[Kept]:
    """Hold the converted rule against the meaning it had.

    It may differ only where the case leaves out what AWS has a default for, and never by letting more pass. Raises
    NotConverted where it does, or where the rule is none.
    """
    from policyengine.migrate.drafts import NotConverted
    from policyengine.migrate.writing import Kept, rule_text, tests_text
    from policyengine.rules.loader import compile_text
    from policyengine.testing.cases import parse_tests, run_case, tests_of

    path = Path(draft.type.split("::")[1].lower()) / f"{draft.id}.yaml"
    form, errors = compile_text(path, rule_text(draft).encode())
    if form is None:
        raise NotConverted("the rule as a whole", f"it would not load: {errors[0].message}", draft.line)
    plain = [Kept(case, case.expect) for case in cases]
    kept = []
    for each, case in zip(plain, parse_tests(tests_of(path), tests_text(plain).encode()).cases, strict=True):
        result = run_case(form, case)
        finding = result.finding
        if result.problem is None:
            kept.append(each)
        elif finding is None:
            raise NotConverted("the rule as a whole", f"a case cannot be asked: {result.problem}", draft.line)
        elif (
            finding.verdict in ("FAIL", "UNKNOWN") and finding.reason in _OF_DEFAULTS and each.sample.missing
        ):
            said = f"{draft.tool} says {each.expect}; here the value in force counts ({finding.reason})"
            kept.append(Kept(each.sample, finding.verdict, said))
        else:
            raise NotConverted(
                "the rule as a whole",
                f"where {each.sample.name}, {draft.tool} says {each.expect} and the converted rule {finding.verdict} "
                f"({finding.reason})",
                draft.line,
            )
    return kept


def _say(written: Sequence[Written], left: Sequence[Left], form: str) -> None:
    from policyengine.cli.outputs import say

    if form == "json":
        click.echo(json.dumps(_json(written, left), indent=2))
        return
    for each in written:
        say(f"converted      {each.draft.name} -> {each.path} ({len(each.cases)} cases)")
        for note in dict.fromkeys([*each.draft.notes, *(kept.note for kept in each.cases if kept.note)]):
            say(f"               = {note}")
    for one in left:
        say(f"not converted  {one.name}")
        say(f"               {one}")
    click.echo(f"{len(written):,} converted, {len(left):,} not")
    if written:
        click.echo(
            "read each converted rule before it decides anything: give it words, a severity and controls of your own"
        )


def _json(written: Sequence[Written], left: Sequence[Left]) -> dict[str, Any]:
    return {
        "schema": "policyengine/rules-import/v1",
        "converted": [
            {
                "name": each.draft.name, "file": each.draft.file, "line": each.draft.line, "rule": each.draft.id,
                "path": each.path.as_posix(), "cases": len(each.cases), "notes": list(each.draft.notes),
                "differences": [{"case": k.sample.name, "note": k.note} for k in each.cases if k.note],
            }
            for each in written
        ],
        "not_converted": [one.__dict__ for one in left],
    }  # fmt: skip
