"""The reference of the command line, made of the commands themselves."""

from __future__ import annotations

from typing import Any

import click

from policyengine.cli.main import cli


def command_pages() -> dict[str, str]:
    """Return path in the site -> Markdown: a page per command, with its subcommands."""
    context = click.Context(cli, info_name="policyengine")
    pages = {}
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if command is not None and not command.hidden:
            pages[f"commands/{name}.md"] = "\n\n".join(_parts(command, context, name, 1)) + "\n"
    return pages


def _parts(command: click.Command, parent: click.Context, name: str, level: int) -> list[str]:
    context = click.Context(command, info_name=name, parent=parent)
    usage = command.get_usage(context).removeprefix("Usage: ")
    parts = [f"{'#' * min(level, 4)} {context.command_path}", f"```text\n{usage}\n```", _about(command)]
    rows = [row for parameter in command.get_params(context) if (row := _row(parameter, context))]
    if rows:
        parts.append("| option | |\n|---|---|\n" + "\n".join(rows))
    if command.epilog:
        parts.append(_text(command.epilog))
    if isinstance(command, click.Group):
        for each in command.list_commands(context):
            found = command.get_command(context, each)
            if found is not None and not found.hidden:
                parts += _parts(found, context, each, level + 1)
    return parts


def _about(command: click.Command) -> str:
    r"""Return the help; what follows ``\b`` stands as it is written."""
    paragraphs = []
    for paragraph in (command.help or "").split("\n\n"):
        if paragraph.startswith("\b\n"):
            paragraphs.append("```text\n" + paragraph.removeprefix("\b\n") + "\n```")
        else:
            paragraphs.append(_text(paragraph))
    return "\n\n".join(paragraphs)


def _row(parameter: click.Parameter, context: click.Context) -> str | None:
    record: Any = parameter.get_help_record(context)
    if record is None:
        return None
    return f"| `{record[0].replace('|', chr(92) + '|')}` | {_text(record[1]).replace('|', chr(92) + '|')} |"


def _text(text: str) -> str:
    return " ".join(text.split()).replace("<", "&lt;").replace("*", "\\*").replace("[", "\\[")
