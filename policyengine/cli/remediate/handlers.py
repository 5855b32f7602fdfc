"""``remediate handlers``: what can be repaired, how far it can be taken back, and who has to agree."""

from __future__ import annotations

import json

import click

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.remediate.completing import remediations
from policyengine.cli.remediate.words import line, say
from policyengine.model.errors import UsageError
from policyengine.remediate.declaration import Declaration


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("name", required=False, shell_complete=remediations)
@click.option(
    "--format", "form", type=click.Choice(["terminal", "json"]), default="terminal", show_default=True
)
def handlers(name: str | None, form: str) -> int:
    """List the remediations there are, or show one."""
    from policyengine.remediate.registry import load_remediations

    found = load_remediations()
    chosen = [each for each in found if name is None or each.id == name]
    if name is not None and not chosen:
        from policyengine.rules.names import unknown

        raise UsageError(unknown("remediation", name, found.declarations))
    if form == "json":
        click.echo(json.dumps([each.to_json() for each in chosen], indent=1))
    elif name is None:
        for each in chosen:
            click.echo(f"{each.id:36} {each.mode:10} undo {each.reversible:8} {each.title}")
    else:
        _show(chosen[0])
    return EXIT_OK


def _mode(each: Declaration) -> str:
    """Return a mode and what it means."""
    people = "one person" if each.approvals <= 1 else f"{each.approvals} people"
    meaning = {
        "automatic": "may run without a person where `remediation.automatic` lists it, else one approves",
        "plan": "only proposes, never applied",
    }
    return f"{each.mode}: {meaning.get(each.mode, f'at least {people} to approve, always')}"


def _show(each: Declaration) -> None:
    line(f"{each.id}  {each.title}", bold=True)
    click.echo(f"  fixes      {', '.join(each.fixes)}")
    click.echo(f"  types      {', '.join(each.types)}")
    click.echo(f"  mode       {_mode(each)}{'; destructive' if each.destructive else ''}")
    click.echo(f"  undo       {each.reversible}{f': {each.lost}' if each.lost else ''}")
    click.echo(f"  reads      {', '.join(each.reads)}")
    click.echo(f"  writes     {', '.join(each.writes) or 'nothing'}")
    for name, form in each.parameters.items():
        click.echo(f"  parameter  {name} ({form.get('type')}, default {json.dumps(form.get('default'))})")
    if each.dangers.strip():
        say(each.dangers, "  dangers    ")
    for page in each.references:
        click.echo(f"  see        {page}")
