"""``--terraform-source DIR``: the block in the configuration that made a resource of the plan.

The folder's ``.tf`` and ``.tofu`` files are the root module; child modules are found through
``module_calls[].source`` where that is a local path, else where ``terraform init`` noted that it put
them. Files are read once, when first asked for. What cannot be found falls back to the place in the plan.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from policyengine.model.location import Location
from policyengine.model.resource import Path as ValuePath
from policyengine.sources.base import SourceOptions
from policyengine.sources.paths import display_path
from policyengine.sources.suppressions import MARK, Suppression
from policyengine.sources.terraform.addresses import names
from policyengine.sources.terraform.configuration import Configuration, Planned
from policyengine.sources.terraform.hcl import Block, Comment, parse
from policyengine.sources.terraform.in_place import comment_suppressions

_MOST_BYTES = 4 * 1024 * 1024
_SUFFIXES = (".tf", ".tofu")

Found = dict[tuple[str, str], tuple[str, Block]]
"""(type, name) -> (file as shown, block)."""


class SourceTree:
    """The configuration's files; ``notes`` says what could not be read."""

    def __init__(self, folder: Path, options: SourceOptions, configuration: Configuration) -> None:
        self.notes: list[str] = []
        self._folder = folder
        self._options = options
        self._configuration = configuration
        self._modules: dict[tuple[str, ...], Found] = {}
        self._modules_json: dict[str, str] | None = None
        self.suppressions: list[Suppression] = []
        """What comments say, of (module, type, name) or of nothing, in the files read so far."""
        self._repeated: set[tuple[tuple[str, ...], str, str]] = set()

    def locate(self, planned: Planned, source: ValuePath) -> Location | None:
        """Return where the attribute at ``source`` (a path below ``after``) is written.

        The block's own line where the attribute is not written; None where the block is nowhere.
        """
        found = self._find(planned)
        if found is None:
            return None
        file, block = found
        line, column = _narrow(block, source)
        return Location(file, line, column)

    def written_blocks(self, planned: Planned) -> frozenset[str] | None:
        """Return the names of the blocks written in a resource at any depth, ``dynamic`` ones too.

        None when the resource is not found, or found in several files (``override.tf``).
        """
        found = self._find(planned)
        if found is None or (names(planned.module), planned.type, planned.name) in self._repeated:
            return None
        return frozenset(_block_names(found[1]))

    def read_module(self, planned: Planned) -> None:
        """Read the files that a resource is written in, if nobody has yet."""
        self._find(planned)

    def _find(self, planned: Planned) -> tuple[str, Block] | None:
        path = names(planned.module)
        if path not in self._modules:
            folder = self._module_folder(path)
            self._modules[path] = self._read(path, folder) if folder is not None else {}
        return self._modules[path].get((planned.type, planned.name))

    def _module_folder(self, path: tuple[str, ...]) -> Path | None:
        folder = self._folder
        for depth, call in enumerate(path):
            parent = self._configuration.module(path[:depth])
            data = parent.calls.get(call) if parent else None
            source = data.get("source") if isinstance(data, dict) else None
            if isinstance(source, str) and source.startswith(("./", "../")):
                folder = folder / source
                continue
            installed = self._installed().get(".".join(path[: depth + 1]))
            if installed is None:
                return None
            folder = self._folder / installed
        return folder if folder.is_dir() else None

    def _installed(self) -> dict[str, str]:
        """Return module path -> folder as ``.terraform/modules/modules.json`` notes it."""
        if self._modules_json is None:
            self._modules_json = _installed(self._folder / ".terraform" / "modules" / "modules.json")
        return self._modules_json

    def _read(self, path: tuple[str, ...], folder: Path) -> Found:
        found: Found = {}
        for file in sorted(folder.iterdir()):
            if file.suffix not in _SUFFIXES or not file.is_file():
                continue
            shown = display_path(file, self._options, self._folder)
            try:
                if file.stat().st_size > _MOST_BYTES:
                    self.notes.append(f"{shown}: larger than {_MOST_BYTES} bytes, not read for places")
                    continue
                text = file.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                self.notes.append(f"{shown}: cannot be read for places ({type(error).__name__})")
                continue
            comments: list[Comment] | None = [] if MARK in text else None
            blocks = parse(text, comments)
            if comments:
                self.suppressions += comment_suppressions(comments, blocks, text, shown, path)
            for block in blocks:
                if block.words[0] == "resource" and len(block.words) == 3:
                    key = (block.words[1], block.words[2])
                    if found.setdefault(key, (shown, block))[1] is not block:
                        self._repeated.add((path, *key))
        return found


def _installed(file: Path) -> dict[str, str]:
    try:
        listed = json.loads(file.read_bytes()) if file.stat().st_size <= _MOST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return {}
    modules = listed.get("Modules") if isinstance(listed, dict) else None
    return {
        m["Key"]: m["Dir"]
        for m in (modules if isinstance(modules, list) else ())
        if isinstance(m, dict) and isinstance(m.get("Key"), str) and isinstance(m.get("Dir"), str)
    }


def _block_names(block: Block) -> Iterator[str]:
    for inner in block.blocks:
        yield inner.words[1] if inner.words[0] == "dynamic" and len(inner.words) == 2 else inner.words[0]
        yield from _block_names(inner)


def _narrow(block: Block, source: ValuePath) -> tuple[int, int]:
    """Follow a path into nested blocks as far as it is written."""
    place = (block.line, block.column)
    steps = list(source)
    while steps:
        name = steps.pop(0)
        if isinstance(name, int):
            continue
        if name in block.attributes:
            return block.attributes[name]
        same = [b for b in block.blocks if b.words == (name,) or b.words == ("dynamic", name)]
        at = steps[0] if steps and isinstance(steps[0], int) else 0
        if not same or (len(same) > 1 and at >= len(same)):
            return place
        block = same[at] if len(same) > 1 else same[0]
        if block.words[0] == "dynamic" and block.blocks:
            place = (block.line, block.column)
            block = next((b for b in block.blocks if b.words == ("content",)), block)
        else:
            place = (block.line, block.column)
    return place
