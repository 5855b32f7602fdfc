"""Every module that a function may import is in the zip: all imports are followed, those inside functions too, from the
handlers of Lambda and of the remediations, and the tables whose modules are imported by name are named here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from policyengine.catalog import registry
from policyengine.catalog.types import MODULES as TYPES
from policyengine.deploy.package import LEFT_OUT, PACKAGE, members
from policyengine.rules.predicates.table import MODULES as PREDICATES
from policyengine.sources import snapshot
from policyengine.sources.config.table import MODULES as ITEMS
from policyengine.sources.live.table import MODULES as COLLECTORS
from tests.deploy.test_template import default

ROOTS = tuple(f"policyengine.lambdas.{name}" for name in ("config_rule", "events", "remediation"))
BY_NAME = {
    "policyengine/catalog/registry.py": [f"policyengine.catalog.types.{name}" for name in TYPES],
    "policyengine/rules/predicates/table.py": [f"policyengine.rules.predicates.{name}" for name in PREDICATES],
    "policyengine/sources/config/table.py": [f"policyengine.sources.config.types_{name}" for name in ITEMS],
    "policyengine/sources/live/table.py": [f"policyengine.sources.live.collectors.{name}" for name in COLLECTORS],
    "policyengine/sources/snapshot/__init__.py": [f"{snapshot.__name__}.{name}" for name in snapshot.MODULES],
    "policyengine/remediate/registry.py": [],
}  # fmt: skip
"""File that imports by name -> all that it may import so; the registry runs handlers, which are roots here."""
NAMES_A_MODULE = re.compile(r"\b(import_module|__import__|spec_from_file_location|find_spec|run_module)\(")


@cache
def held() -> dict[str, bytes]:
    return dict(members(default()))


def file_of(module: str) -> str | None:
    """Return the path of a module in the checkout, as the zip has it; None for what is no module of ours."""
    path = PACKAGE.parent.joinpath(*module.split("."))
    for found in (path / "__init__.py", path.with_suffix(".py")):
        if found.is_file():
            return found.relative_to(PACKAGE.parent).as_posix()
    return None


def imports(source: str) -> Iterator[str]:
    """Yield what a file imports when it runs, at its top or in a function; not what only types need."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def read(name: str) -> str:
    return (PACKAGE.parent / name).read_text(encoding="utf-8")


def reachable(roots: tuple[str, ...] = ROOTS) -> dict[str, str]:
    """Return the files of all modules that may be imported, with who imports each."""
    handlers = {
        name: data for name, data in held().items() if "/_data/remediations/" in name and name.endswith(".py")
    }
    assert len(handlers) >= 24
    waiting = [(module, "Lambda") for module in roots]
    waiting += [
        (module, name)
        for name, data in handlers.items()
        for module in imports(data.decode())
        if roots is ROOTS
    ]
    found: dict[str, str] = {}
    while waiting:
        module, by = waiting.pop()
        parts = module.split(".")
        for steps in range(1, len(parts) + 1 if parts[0] == "policyengine" else 0):
            name = file_of(".".join(parts[:steps]))
            if name is not None and name not in found:
                found[name] = by
                waiting += [(each, name) for each in (*imports(read(name)), *BY_NAME.get(name, ()))]
    return found


def test_what_a_function_may_import_is_in_the_zip() -> None:
    found = reachable()
    assert {name: by for name, by in found.items() if name not in held()} == {}
    assert len(found) > 400 and "policyengine/remediate/kernel.py" in found, "the walk stopped too early"


def test_the_walk_knows_every_place_that_imports_by_name() -> None:
    by_name = {name for name in reachable() if NAMES_A_MODULE.search(read(name))}
    assert by_name <= set(BY_NAME)
    for names in BY_NAME.values():
        assert [each for each in names if file_of(each) is None] == []


def test_data_files_are_in_the_zip_with_the_packages_that_read_them() -> None:
    """Nothing but Python is left out of a package that is in the zip."""
    folders = {Path(name).parent.as_posix() for name in reachable()}
    data = [
        path.relative_to(PACKAGE.parent).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc", ".pyi") and "_data" not in path.relative_to(PACKAGE).parts
            and path.relative_to(PACKAGE).parts[0] not in LEFT_OUT
    ]  # fmt: skip
    near = [
        name for name in data
        if {Path(name).parent.as_posix(), Path(name).parent.parent.as_posix()} & folders
    ]  # fmt: skip
    assert near and [name for name in near if name not in held()] == []


@pytest.mark.parametrize("name", sorted(LEFT_OUT - {"_data"}))
def test_what_is_left_out_is_there_to_be_left_out(name: str) -> None:
    """An entry that names nothing any more, or names what should be in, would go unnoticed."""
    assert (PACKAGE / name).exists()
    assert not any(each.startswith(f"policyengine/{name}") for each in held())


def test_catalog_modules_are_found_by_name_in_the_zip() -> None:
    """The registry's own index names modules too: each is held."""
    assert registry.declared_types()
    assert {f"policyengine/catalog/types/{name}.py" for name in TYPES} <= held().keys()
