"""``policyengine rules``: list, show, new, test, schema, predicates; changes, impact and import lie beside it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK
from policyengine.cli.lazy import LazyGroup
from policyengine.cli.options import rules_option
from policyengine.cli.outputs import say

_FOLDERS = rules_option(name="folders")


_BESIDE: Final = {
    "changes": (
        "policyengine.cli.packs.changes:changes",
        "Say which verdicts differ between two sets of rules.",
    ),
    "impact": (
        "policyengine.cli.packs.impact:impact",
        "Say whom a change of rules would hit, on past snapshots.",
    ),
    "import": (
        "policyengine.cli.packs.importing:import_",
        "Convert policies of Custodian and rules of Guard.",
    ),
}


class _Rules(LazyGroup):
    """The commands of this module, and those that load when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in order."""
        return [*self.commands, *self.table]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of this module, or import it."""
        return self.commands.get(cmd_name) or super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        own = [(name, command.get_short_help_str(limit=100)) for name, command in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl([*own, *((name, text) for name, (_, text) in self.table.items())])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find commands of either kind."""
        if args[0] in self.commands:
            return click.Group.resolve_command(self, ctx, args)
        return super().resolve_command(ctx, args)


@click.group(cls=_Rules, table=_BESIDE, context_settings={"help_option_names": ["-h", "--help"]})
def rules() -> None:
    """List, show, test and scaffold rules."""


@rules.command("list")
@_FOLDERS
@click.option("--family", metavar="NAME", help="only this family")
@click.option("--type", "type_", metavar="TYPE", help="only rules about this resource type")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_rules(folders: Sequence[Path], family: str | None, type_: str | None, format_: str) -> None:
    """List the rules in use."""
    from policyengine.catalog import registry
    from policyengine.model.reasons import FAMILIES
    from policyengine.rules.packs import load_packs

    pack = load_packs(folders)
    every = pack.rules
    _known("family", family, FAMILIES)
    _known("resource type", type_, registry.covered())
    wanted = {type_, "taggable"} if type_ is not None and registry.taggable(type_) else {type_}
    chosen = [
        form
        for form in every
        if (family is None or form["family"] == family)
        and (type_ is None or not wanted.isdisjoint(form["applies_to"]))
    ]
    if format_ == "json":
        keys = ("id", "title", "family", "pillar", "severity", "applies_to", "frameworks", "source")
        click.echo(json.dumps([{k: form[k] for k in keys} for form in chosen], indent=2))
        return
    width = max((len(form["id"]) for form in chosen), default=0)
    for form in chosen:
        say(f"{form['id']:<{width}}  {form['severity']:<8}  {form['family']:<13}  {form['title']}")
    version = f"; bundled rules {pack.version}" if pack.version is not None else ""
    click.echo(f"{len(chosen):,} rule{'' if len(chosen) == 1 else 's'}{version}")


def _known(what: str, name: str | None, choices: Iterable[str]) -> None:
    names = list(choices)
    if name is not None and name not in names:
        from policyengine.model.errors import UsageError
        from policyengine.rules.names import unknown

        raise UsageError(unknown(what, name, names))


@rules.command()
@click.argument("rule_id", metavar="ID")
@_FOLDERS
def show(rule_id: str, folders: Sequence[Path]) -> None:
    """Print a rule as a page."""
    from policyengine.cli.pages import rule_page

    click.echo(rule_page(rule_id, folders))


@rules.command()
@click.argument("rule_id", metavar="ID")
@click.option("--type", "type_", required=True, metavar="TYPE", help="resource type, e.g. AWS::S3::Bucket")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="where rules lie; default: rules/ of the checkout",
)
def new(rule_id: str, type_: str, folder: Path | None) -> None:
    """Write a rule and its tests to start from; never overwrites."""
    from policyengine.testing.scaffold import scaffold

    for path in scaffold(rule_id, type_, folder):
        click.echo(path)


@rules.command()
@click.argument("rule_ids", nargs=-1, metavar="[ID]...")
@rules_option("a folder of rules to test", name="folders")
@click.option("--mutate", is_flag=True, help="weaken each rule in every way; fail when no case notices")
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=1, show_default=True, help="processes")
@click.option("-v", "--verbose", is_flag=True, help="print every case")
def test(rule_ids: Sequence[str], folders: Sequence[Path], mutate: bool, jobs: int, verbose: bool) -> int:
    """Run the cases beside rules: of those named, of the folders named, or else of all."""
    from policyengine.testing.runner import run_tests

    summary = run_tests(rule_ids, folders, mutate=mutate, jobs=jobs)
    for report in summary.reports:
        for line in report.problems:
            say(f"FAIL {report.rule}: {line}")
        if verbose and not report.problems:
            click.echo(
                f"ok   {report.rule}: {report.cases} cases"
                + (f", {report.mutants} mutants killed" if mutate else "")
            )
    click.echo(summary.line(mutate=mutate))
    return EXIT_OK if summary.ok else EXIT_FAIL


@rules.command()
@click.option("--tests", is_flag=True, help="the schema of test files instead")
def schema(tests: bool) -> None:
    """Print the JSON Schema of rule files, for editors; `policyengine schema` has those of all files."""
    from policyengine.cli.schema import SCHEMAS
    from policyengine.rules.packs import load_packs

    click.echo(json.dumps(SCHEMAS["tests" if tests else "rule"](load_packs()), indent=2, sort_keys=True))


@rules.command()
def predicates() -> None:
    """List the predicates a rule may use, with their arguments."""
    from policyengine.rules.predicates.table import PREDICATES

    for predicate in PREDICATES.values():
        click.echo(f"{predicate.name}: {predicate.summary}")
        for name, arg in predicate.args.items():
            shown = "required" if arg.required else f"default {json.dumps(arg.default)}"
            click.echo(f"    {name} ({arg.kind}, {shown})" + (f": {arg.help}" if arg.help else ""))
