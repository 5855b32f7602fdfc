"""``policyengine completion``: the script a shell sources."""

from __future__ import annotations

import click


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL; source it from the shell's start-up file.

    For bash: `eval "$(policyengine completion bash)"`.
    """
    from click.shell_completion import get_completion_class

    from policyengine.cli.main import cli

    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"no completion for `{shell}`")
    click.echo(found(cli, {}, "policyengine", "_POLICYENGINE_COMPLETE").source())
