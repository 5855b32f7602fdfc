"""Extract what the catalog needs from the CloudFormation registry schemas that cfn-lint ships.

Run ``make catalog`` (or ``python tools/extract_schemas.py``) after upgrading cfn-lint or after adding
a type to ``policyengine/catalog/types``. Writes ``policyengine/catalog/data/schemas.json`` (covered
types and satellites), ``handlers.json`` (how Cloud Control reads them),
``taggable.json`` (every taggable type) and ``index.json`` (our declarations'
names and satellites). ``--check`` writes nothing and exits 1 when a
file would change. Reads the JSON files; never imports cfn-lint, whose engine takes seconds to load.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "policyengine" / "catalog" / "data"
sys.path.insert(0, str(ROOT))

from policyengine.catalog import registry  # noqa: E402  # the checkout must win over an installed copy
from policyengine.catalog.spec import TypeSpec  # noqa: E402  # as above

SCALARS = {"string": "s", "integer": "i", "number": "n", "boolean": "b"}


def schema_folder() -> Path:
    """Return cfn-lint's schema folder; SystemExit when cfn-lint is not installed."""
    found = importlib.util.find_spec("cfnlint")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("cfn-lint is not installed: `pip install cfn-lint`, then run this again")
    return Path(found.submodule_search_locations[0]) / "data" / "schemas"


def index(folder: Path) -> dict[str, str]:
    """Return type -> schema file stem; us-east-1 first, other regions for what it lacks."""
    files = sorted((folder / "providers").glob("*.json"), key=lambda f: (f.stem != "us-east-1", f.stem))
    found: dict[str, str] = {}
    for file in files:
        if file.stem != "sam":
            for type_name, stem in json.loads(file.read_bytes()).items():
                found.setdefault(type_name, stem)
    return found


class Reducer:
    """Turns one registry schema into the compact tree of ``policyengine.catalog.schema``."""

    def __init__(self, source: dict[str, Any]) -> None:
        self.source = source
        self.definitions: dict[str, Any] = {}

    def reduce(self) -> dict[str, Any]:
        """Return ``{"p": properties, "d": definitions, "id": …, "ro": …, "req": …}``."""
        result: dict[str, Any] = {"p": self.properties(self.source)}
        if self.definitions:
            result["d"] = {name: self.definitions[name] for name in sorted(self.definitions)}
        result["id"] = [top(p) for p in self.source.get("primaryIdentifier", [])]
        result["ro"] = sorted({dotted(p) for p in self.source.get("readOnlyProperties", [])})
        result["req"] = sorted(self.source.get("required", []))
        return {k: v for k, v in result.items() if v}

    def properties(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return the properties of an object, those of its alternatives included."""
        found: dict[str, Any] = {}
        for name, value in node.get("properties", {}).items():
            found[name] = self.node(value)
        for word in ("allOf", "anyOf", "oneOf"):
            for alternative in node.get(word, []):
                for name, value in self.properties(self.follow(alternative)).items():
                    found.setdefault(name, value)
        return dict(sorted(found.items()))

    def follow(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return the node a chain of ``$ref`` ends at."""
        while "$ref" in node:
            target: Any = self.source
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            node = target
        return node

    def node(self, node: dict[str, Any]) -> Any:
        """Return the compact node; a definition that is an object becomes ``#Name``."""
        reference = node.get("$ref", "")
        if not reference.startswith("#/definitions/"):
            return self.plain(self.follow(node))
        name = reference.removeprefix("#/definitions/")
        if name not in self.definitions:
            self.definitions[name] = "j"  # a recursive definition meets itself here
            self.definitions[name] = self.plain(self.follow(node))
        value = self.definitions[name]
        if isinstance(value, str) and not self._open(name):
            del self.definitions[name]
            return value
        return f"#{name}"

    def _open(self, name: str) -> bool:
        target = self.source["definitions"][name]
        return bool(self.properties_of(target))

    def properties_of(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return the raw properties of a definition, alternatives included, without descending."""
        node = self.follow(node)
        found = dict(node.get("properties", {}))
        for word in ("allOf", "anyOf", "oneOf"):
            for alternative in node.get(word, []):
                found.update(self.properties_of(alternative))
        return found

    def plain(self, node: dict[str, Any]) -> Any:
        """Return the compact node of a schema that is no reference."""
        declared = node.get("type")
        if isinstance(declared, list):
            scalars = [t for t in declared if t in SCALARS and t != "string"]
            return "j" if "object" in declared or not scalars else SCALARS[scalars[0]]
        if declared in SCALARS:
            return SCALARS[declared]
        if declared == "array" or "items" in node:
            items = node.get("items")
            return [self.node(items)] if isinstance(items, dict) else ["j"]
        found = self.properties(node)
        if found:
            return found
        patterns = list(node.get("patternProperties", {}).values())
        extra = node.get("additionalProperties")
        if len(patterns) == 1:
            return {"*": self.node(patterns[0])}
        if isinstance(extra, dict) and extra:
            return {"*": self.node(extra)}
        for word in ("anyOf", "oneOf", "allOf"):
            for alternative in node.get(word, []):
                if (value := self.node(alternative)) != "j":
                    return value
        return "s" if "enum" in node or "const" in node or "pattern" in node else "j"


def dotted(pointer: str) -> str:
    """Return ``Endpoint.Address`` for ``/properties/Endpoint/Address``."""
    steps = pointer.strip("/").split("/")
    return ".".join(s for s in steps if s != "properties")


def top(pointer: str) -> str:
    """Return the top-level property of a pointer."""
    return dotted(pointer).split(".")[0]


def load(folder: Path, stem: str) -> dict[str, Any]:
    """Return one registry schema."""
    loaded: dict[str, Any] = json.loads((folder / "resources" / f"{stem}.json").read_bytes())
    return loaded


def tag_place(source: dict[str, Any], path: list[str]) -> tuple[str, str]:
    """Return (dotted path, ``list`` or ``map``) for the tag property at ``path``.

    ``*`` steps into elements. An object whose only property is a list (``{Items: […]}``) is that list.
    """
    reducer = Reducer(source)
    node: dict[str, Any] = source
    for step in path:
        node = reducer.follow(node)
        node = node["items"] if step == "*" else node["properties"][step]
    node = reducer.follow(node)
    if set(node.get("properties", {})) == {"Items"}:
        path, node = [*path, "Items"], reducer.follow(node["properties"]["Items"])
    return ".".join(path), "list" if node.get("type") == "array" else "map"


def taggable(folder: Path, types: dict[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield (type, dotted tag property, shape) for each taggable type."""
    for type_name, stem in sorted(types.items()):
        source = load(folder, stem)
        tagging = source.get("tagging")
        if tagging is None:
            # a schema from before tagging was declared: CodeBuild projects, DocumentDB clusters, ...
            if "Tags" in source.get("properties", {}) and not type_name.startswith("AWS::Serverless::"):
                yield type_name, *tag_place(source, ["Tags"])
        elif tagging.get("taggable"):
            path = tagging.get("tagProperty", "/properties/Tags").strip("/").split("/")[1:]
            yield type_name, *tag_place(source, path)


def build() -> dict[str, str]:
    """Return file name -> text of the generated files."""
    folder = schema_folder()
    types = index(folder)
    origin = {
        "schema_date": json.loads((folder / "version.json").read_bytes())["schema_date"],
        "cfn_lint": importlib.metadata.version("cfn-lint"),
    }
    tags: dict[str, dict[str, list[str]]] = {}
    for type_name, path, shape in taggable(folder, types):
        tags.setdefault(path, {}).setdefault(shape, []).append(type_name)
    declared = registry.declared_types()
    folded = satellites(declared)
    wanted = sorted({*declared, *folded})
    schemas = {name: Reducer(load(folder, types[name])).reduce() for name in wanted if name in types}
    return {
        "index.json": json.dumps({"covered": sorted(declared), "satellites": folded}, indent=1) + "\n",
        "schemas.json": dump({**origin, "types": schemas}),
        "taggable.json": dump({**origin, "types": tags}),
        "handlers.json": dump(
            {
                **origin,
                "types": {name: handlers(load(folder, types[name])) for name in wanted if name in types},
            }
        ),
    }


def handlers(source: dict[str, Any]) -> dict[str, Any]:
    """Return what Cloud Control needs for reading a type: permissions, and properties it never gives.

    ``list`` and ``read`` are IAM actions (missing where the type has no such handler), ``needs`` what a
    listing must be told, ``wo`` write-only properties.
    """
    found: dict[str, Any] = {}
    for name in ("list", "read"):
        if name in (given := source.get("handlers") or {}):
            found[name] = sorted(set(given[name].get("permissions", ())))
    needs = source.get("handlers", {}).get("list", {}).get("handlerSchema", {}).get("required")
    if needs:
        found["needs"] = sorted(needs)
    if "writeOnlyProperties" in source:
        found["wo"] = sorted({dotted(p) for p in source["writeOnlyProperties"]})
    return found


def satellites(declared: dict[str, TypeSpec]) -> dict[str, list[list[str]]]:
    """Return satellite type -> [[parent, by, into], …]."""
    found: dict[str, list[list[str]]] = {}
    for name, spec in sorted(declared.items()):
        for satellite in spec.satellites:
            found.setdefault(satellite.type, []).append([name, satellite.by, satellite.into])
    return dict(sorted(found.items()))


def dump(value: dict[str, Any]) -> str:
    """Return JSON with one line per type, so that a refresh gives a readable diff."""
    lines = [f"{json.dumps(k)}:{json.dumps(v)}" for k, v in value.items() if k != "types"]
    rows = [
        f"{json.dumps(k)}:{json.dumps(v, separators=(',', ':'))}" for k, v in sorted(value["types"].items())
    ]
    return "{" + ",\n".join(lines) + ',\n"types":{\n' + ",\n".join(rows) + "\n}}\n"


def main() -> int:
    """Write the files, or with ``--check`` compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when stale")
    check = parser.parse_args().check
    stale = []
    for name, text in build().items():
        file = DATA / name
        if not file.exists() or file.read_text() != text:
            stale.append(name)
            if not check:
                DATA.mkdir(exist_ok=True)
                file.write_text(text)
    print(f"{'stale' if check else 'written'}: {', '.join(stale) or 'nothing'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
