"""``policyengine schema``: JSON Schemas for editors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from policyengine.cli.options import rules_option
from policyengine.model.errors import UsageError
from policyengine.testing.schema_files import FOLDER, file_name

if TYPE_CHECKING:
    from policyengine.config.editor_schema import Known
    from policyengine.rules.pack import Pack

Json = dict[str, Any]


def _rule(_pack: Pack) -> Json:
    from policyengine.rules.data import data_root
    from policyengine.rules.editor_schema import rule_schema
    from policyengine.rules.frameworks import load_frameworks

    root = data_root()
    repairs = [path.parent.name for path in root.remediations.glob("*/remediation.yaml")]
    return rule_schema(load_frameworks(root.frameworks), repairs)


def _tests(_pack: Pack) -> Json:
    from policyengine.rules.editor_schema import case_schema

    return case_schema()


def _config(pack: Pack) -> Json:
    from policyengine.config.editor_schema import config_schema

    return config_schema(_known(pack))


def _waivers(pack: Pack) -> Json:
    from policyengine.config.editor_schema import waivers_schema

    return waivers_schema(_titles(pack))


def _baseline(_pack: Pack) -> Json:
    from policyengine.config.editor_schema import baseline_schema

    return baseline_schema()


SCHEMAS: Final[Mapping[str, Callable[[Pack], Json]]] = {
    "rule": _rule, "tests": _tests, "config": _config, "waivers": _waivers, "baseline": _baseline,
}  # fmt: skip


def _titles(pack: Pack) -> dict[str, str]:
    return {form["id"]: form["title"] for form in pack.rules}


def _known(pack: Pack) -> Known:
    from policyengine.catalog import registry
    from policyengine.config.editor_schema import Known
    from policyengine.remediate.registry import load_remediations

    repairs = {each.id: (each.mode, each.parameters) for each in load_remediations()}
    parameters = {form["id"]: form["parameters"] for form in pack.rules if form["parameters"]}
    return Known(_titles(pack), parameters, repairs, registry.covered())


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 written; 2 a folder of rules that cannot be read, or a folder that cannot be written.",
)
@click.argument("name", required=False, type=click.Choice(tuple(SCHEMAS)))
@rules_option(name="folders")
@click.option("--write", is_flag=True, help="write all of them to files, over those that are there")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=FOLDER,
    show_default=True,
    metavar="DIR",
    help="where to",
)
def schema(name: str | None, folders: Sequence[Path], write: bool, folder: Path) -> int:
    """Print the JSON Schema of a kind of file, or write them all, for completion and checks in editors.

    They know the ids of the rules, controls, remediations, predicates and types of this version, and of the rules
    you add: write them again after an update.
    """
    from policyengine.rules.packs import load_packs

    if (name is None) != write:
        raise UsageError(f"name one of {', '.join(SCHEMAS)}, or give --write")
    pack = load_packs(folders)
    if name is not None:
        click.echo(json.dumps(SCHEMAS[name](pack), indent=1))
        return 0
    for each, make in SCHEMAS.items():
        path = folder / file_name(each)
        _write(path, json.dumps(make(pack), indent=1) + "\n")
        click.echo(path.as_posix())
    return 0


def _write(path: Path, text: str) -> None:
    from policyengine.cli.waivers.writing import write_whole

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text.encode())
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {(error.strerror or str(error)).lower()}") from error
