"""Options that several commands have, each spelt once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])
PATH: Final = click.Path(path_type=Path)


def rules_option(help: str = "add a folder of rules", *, name: str = "rule_folders") -> Callable[[F], F]:
    """``--rules DIR``, any number of times; a command is given them as ``name``."""
    return click.option("--rules", name, multiple=True, type=PATH, metavar="DIR", help=help)


def config_option(help: str = "policyengine.yaml to use") -> Callable[[F], F]:
    """``--config FILE``; without it a command looks for the nearest one itself."""
    return click.option("--config", type=PATH, metavar="FILE", help=help)


def jobs_option(help: str = "processes", *, most: int = 256) -> Callable[[F], F]:
    """``-j N``: processes, 1 where nobody says another number."""
    return click.option("-j", "--jobs", type=click.IntRange(1, most), default=1, metavar="N", help=help)
