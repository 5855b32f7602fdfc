"""``policyengine deploy``: what runs in AWS, as one template and one zip."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from policyengine.cli.errors import EXIT_FAIL, EXIT_OK
from policyengine.cli.options import config_option, rules_option
from policyengine.model.errors import InputError, UsageError

if TYPE_CHECKING:
    from policyengine.deploy.choice import Choice

_HELP = {"help_option_names": ["-h", "--help"]}


@click.group(context_settings=_HELP)
def deploy() -> None:
    """Make what runs the rules and remediations continuously in AWS.

    Without options: the rules that have a remediation, and those remediations. Nothing here needs credentials but `diff`.
    Give all three the same options and policyengine.yaml. Each region needs a recorder of AWS Config, a trail and a
    bucket PREFIX-REGION first: docs/lambdas.md says what else.

    \b
      policyengine deploy package -o .
      aws s3 cp policyengine-….zip s3://PREFIX-REGION/
      policyengine deploy render -o stack.json
      aws cloudformation deploy --stack-name policyengine --template-file stack.json \\
        --capabilities CAPABILITY_NAMED_IAM --s3-bucket PREFIX-REGION \\
        --parameter-overrides CodeBucketPrefix=PREFIX CodeKey=policyengine-….zip
    """


def _choosing(command: Callable[..., Any]) -> Callable[..., Any]:
    for option in reversed(
        (
            click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="this rule; may repeat"),
            click.option("--family", "families", multiple=True, metavar="NAME", help="the rules of this family; may repeat"),
            rules_option(),
            config_option("policyengine.yaml (default: the nearest one above this folder)"),
            click.option("--no-remediation", is_flag=True, help="only evaluate"),
            click.option("--hook", is_flag=True, help="a CloudFormation Hook, a stack of its own: judges before deployment"),
        )
    ):  # fmt: skip
        command = option(command)
    return command


def _choice(options: Mapping[str, Any]) -> Choice:
    from policyengine.cli.inputs import read_settings
    from policyengine.cli.run import selected
    from policyengine.deploy.choice import Choice
    from policyengine.remediate.registry import load_remediations
    from policyengine.rules.pack import Pack
    from policyengine.rules.packs import load_packs

    every = load_packs(options["rule_folders"])
    settings, _text = read_settings({**options, "ous": (), "account": None}, ["."], every)
    # a baseline is about builds: in the account what fails is NON_COMPLIANT, and its debt may be repaired
    settings = replace(settings, waiving=replace(settings.waiving, baseline=None))
    pack = selected(every, options)
    if not options["rule_ids"] and not options["families"] and not options["hook"]:
        pack = Pack(pack.digest, tuple(form for form in pack.rules if form["remediation"]))
    return Choice(
        pack, load_remediations(), settings, repair=not options["no_remediation"], hook=options["hook"]
    )


def _write(text: str, output: Path | None) -> None:
    if output is None:
        click.echo(text)
        return
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as problem:
        raise InputError(
            f"`{output}` cannot be written: {problem.strerror or problem}", code="unwritable"
        ) from None


@deploy.command(context_settings=_HELP)
@click.option(
    "--format", "form", type=click.Choice(["stack", "stackset", "conformance-pack"]), default="stack", show_default=True,
    help="stack: everything for one account and region; stackset: the stack in every account of an organisation",
)  # fmt: skip
@click.option("--security-hub", is_flag=True, help="also listen to findings of ours in Security Hub")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="write it here")
@_choosing
def render(form: str, security_hub: bool, output: Path | None, **options: Any) -> int:
    """Print the CloudFormation template."""
    from policyengine.deploy.template import conformance_pack, stack, stack_set

    choice = _choice(options)
    if choice.hook:
        from policyengine.deploy.hook_stack import hook_stack

        if form != "stack" or security_hub:
            raise UsageError("--hook is a stack of its own: it goes without --format and --security-hub")
        _write(json.dumps(hook_stack(choice), indent=1), output)
        return EXIT_OK
    template = {
        "stack": lambda: stack(choice, security_hub=security_hub),
        "stackset": lambda: stack_set(choice),
        "conformance-pack": lambda: conformance_pack(choice),
    }[form]()
    _write(json.dumps(template, indent=1), output)
    return EXIT_OK


@deploy.command(context_settings=_HELP)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), metavar="FILE|DIR", default=Path(), show_default="this folder",
    help="in a folder it is called after its digest",
)  # fmt: skip
@_choosing
def package(output: Path, **options: Any) -> int:
    """Write the zip that the functions run: the same bytes for the same input."""
    from policyengine.deploy.package import name_of
    from policyengine.deploy.package import package as make

    data = make(_choice(options))
    file = output / name_of(data) if output.is_dir() else output
    try:
        file.write_bytes(data)
    except OSError as problem:
        raise InputError(
            f"`{file}` cannot be written: {problem.strerror or problem}", code="unwritable"
        ) from None
    click.echo(f"wrote {file} ({len(data) / 1e6:.1f} MB)")
    click.echo(
        f"next: put it into the bucket PREFIX-REGION of each region, and deploy with CodeKey={file.name}"
    )
    return EXIT_OK


@deploy.command(context_settings=_HELP)
@click.option(
    "--stack", "name", default="policyengine", show_default=True, metavar="NAME", help="the deployed stack"
)
@click.option("--profile", metavar="NAME", help="profile of the AWS configuration files")
@click.option("--region", metavar="NAME", help="region of the stack (default: that of the AWS configuration)")
@click.option("--security-hub", is_flag=True, help="also listen to findings of ours in Security Hub")
@_choosing
def diff(name: str, profile: str | None, region: str | None, security_hub: bool, **options: Any) -> int:
    """Say what deploying would change. Exit code 1 where something would."""
    from policyengine.cli.remediate.session import doors_for
    from policyengine.deploy.changes import changes, deployed
    from policyengine.deploy.package import name_of
    from policyengine.deploy.package import package as make

    choice = _choice(options)
    doors, own_region = doors_for(profile)
    account = doors.open("", doors.own.account).account
    old, parameters = deployed(account, name, region or own_region)
    if not old:
        click.echo(f"there is no stack `{name}` in {region or own_region}; deploying would create it")
    found = list(changes(old, _stack(choice, security_hub=security_hub)))
    for change in found:
        where = f": {', '.join(change.paths)}" if change.paths else ""
        click.echo(f"{change.kind}  {change.type}  {change.id}{where}")
    key = name_of(make(choice))
    other_zip = bool(parameters) and not str(parameters.get("CodeKey", "")).endswith(key)
    if other_zip:
        click.echo(f"changed  the zip: {parameters.get('CodeKey')} is deployed, {key} would be")
    number = len(found) + other_zip
    click.echo(f"{number} change{'s' * (number > 1)}" if number else "nothing would change")
    return EXIT_FAIL if number else EXIT_OK


def _stack(choice: Choice, *, security_hub: bool) -> dict[str, Any]:
    if choice.hook:
        from policyengine.deploy.hook_stack import hook_stack

        return hook_stack(choice)
    from policyengine.deploy.template import stack

    return stack(choice, security_hub=security_hub)
