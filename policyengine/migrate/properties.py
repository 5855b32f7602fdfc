"""Properties of a type as the catalog knows them, found by the names other tools use."""

from __future__ import annotations

from functools import cache

from policyengine.catalog import registry
from policyengine.catalog.schema import Kind
from policyengine.sources.live.spec import Collector, Step
from policyengine.sources.live.table import collector_of

Path = tuple[str, ...]


def kind_at(type_: str, path: Path) -> Kind | None:
    """Return the kind of a property; lists are stepped through. None where the type has none."""
    schema = registry.schema(type_)
    return None if schema is None else schema.kind(path)


def nearest(type_: str, path: Path) -> str:
    """Return a hint at what the type has instead, empty where nothing is near."""
    import difflib

    schema = registry.schema(type_)
    names = list(schema.children()) if schema is not None else []
    close = difflib.get_close_matches(path[0], names, n=1) if path else []
    return f"; did you mean `{close[0]}`?" if close else ""


def from_api(type_: str, path: Path) -> Path | None:
    """Return the CloudFormation path of what an API calls ``path``: by the collector's renames, else by the name alone.

    None where the catalog has no property that is so called.
    """
    renames = _renames(type_)
    wanted = ".".join(path)
    for said, name in renames.items():
        if said.lower() == wanted.lower():
            return tuple(name.split(".")) if name and kind_at(type_, tuple(name.split("."))) else None
    return _spelt(type_, path)


def _spelt(type_: str, path: Path) -> Path | None:
    """Return a path in the catalog's letters."""
    schema = registry.schema(type_)
    if schema is None:
        return None
    found: Path = ()
    for step in path:
        names = {name.lower(): name for name in schema.children(found)}
        name = names.get(step.lower())
        if name is None:
            return None
        found = (*found, name)
    return found


@cache
def _renames(type_: str) -> dict[str, str]:
    collector = collector_of(type_)
    if not isinstance(collector, Collector):
        return {}
    steps: list[Step] = [collector.list, *([collector.describe] if collector.describe is not None else [])]
    found: dict[str, str] = {}
    for renames in (*(step.rename for step in steps), collector.rename):
        found |= dict(renames)
    return found


def segments(type_: str, path: Path) -> list[Path]:
    """Return a path cut behind each list it steps through: ``A.B`` (a list), then what is asked of its elements."""
    found: list[Path] = []
    begun = 0
    for end in range(1, len(path)):
        kind = kind_at(type_, path[:end])
        if kind is not None and kind.name == "list":
            found.append(path[begun:end])
            begun = end
    return [*found, path[begun:]]


def scalar(kind: Kind | None) -> str | None:
    """Return the name of a kind whose values can be compared, None for objects, lists and free-form values."""
    return kind.name if kind is not None and kind.name in ("string", "integer", "number", "boolean") else None


def fitted(value: object, kind: str | None) -> object:
    """Return a literal as the catalog types the property: other tools compare ``"true"`` and ``"7"`` with text."""
    if kind == "boolean" and isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if kind in ("integer", "number") and isinstance(value, str) and value.lstrip("-").isascii():
        return int(value) if value.lstrip("-").isdigit() else value
    if kind == "string" and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value
