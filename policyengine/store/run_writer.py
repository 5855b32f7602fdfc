"""Writing a run directory: put together beside its name and renamed, so that a killed run leaves none that looks whole."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final

from policyengine.model.errors import UsageError
from policyengine.model.merkle import Merkle
from policyengine.model.run_directory import is_run_directory
from policyengine.store.rundir import RUN_FORMAT

ROWS_A_FILE: Final = 100_000

Json = dict[str, Any]


class RunWriter:
    """Writes a run directory; used as a context manager. ``inputs`` is the folder that what was judged goes into."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> RunWriter:
        path = self.path
        if path.exists() and not is_run_directory(path) and (not path.is_dir() or any(path.iterdir())):
            raise UsageError(f"`{path}` exists and is no run directory; choose another name")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        except OSError as error:
            reason = (error.strerror or "error").lower()
            raise UsageError(f"`{path}` cannot be written: {reason}") from error
        self.temporary.chmod(0o755)
        self.inputs = self.temporary / "inputs"
        self.inputs.mkdir()
        self._rows, self._places = Rows(self.temporary, "results"), Rows(self.temporary, "places")
        return self

    def file(self, name: str, data: bytes) -> None:
        """Write a file of the directory; ``name`` is a relative POSIX path."""
        place = self.temporary / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)

    def add_row(self, line: bytes, places: bytes = b"") -> None:
        """Write the next row, in the order of reports, and where things of it stand in files."""
        self._rows.add(line)
        if places:
            self._places.add(places)

    def end(self, run: Json, **more: Any) -> None:
        """Write ``run.json``: the contract's run object and what else is known of the run."""
        self._close()
        results = {"root": root_text(self._rows.tree), "size": self._rows.tree.size}
        body = {
            "format": RUN_FORMAT,
            "run": run,
            "results": self._rows.files,
            "places": self._places.files,
            **more,
        }
        body["roots"] = {**body.get("roots", {}), "results": results}
        self.file("run.json", (json.dumps(body, indent=1, sort_keys=True) + "\n").encode())

    def _close(self) -> None:
        self._rows.close()
        self._places.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._close()
            if kind is None:
                if self.path.exists():
                    shutil.rmtree(self.path)
                self.temporary.rename(self.path)
        except OSError as problem:
            reason = (problem.strerror or "error").lower()
            raise UsageError(f"`{self.path}` cannot be written: {reason}") from problem
        finally:
            shutil.rmtree(self.temporary, ignore_errors=True)


class Rows:
    """Lines in compressed files of at most ``most`` lines, and the tree over them."""

    def __init__(self, folder: Path, name: str, most: int = ROWS_A_FILE) -> None:
        self._folder = folder
        self._name = name
        self._most = most
        self._stack = ExitStack()
        self._left = 0
        self.tree = Merkle()
        self.files: list[Json] = []
        (folder / name).mkdir()

    def add(self, line: bytes) -> None:
        """Write the next line."""
        if not self._left:
            self._next()
        self._out.write(line + b"\n")
        self.tree.add(line)
        self._left -= 1

    def _next(self) -> None:
        import zstandard  # only when a run is kept

        self._finish()
        path = f"{self._name}/{len(self.files) + 1:04d}.ndjson.zst"
        file = self._stack.enter_context((self._folder / path).open("wb"))
        packer = zstandard.ZstdCompressor(level=3, write_checksum=True)
        self._out: BinaryIO = self._stack.enter_context(packer.stream_writer(file, closefd=False))
        self._left = self._most
        self.files.append({"path": path, "rows": self.tree.size, "sha256": ""})

    def _finish(self) -> None:
        self._stack.close()
        if self.files and not self.files[-1]["sha256"]:
            last = self.files[-1]
            last["rows"] = self.tree.size - last["rows"]
            with (self._folder / last["path"]).open("rb") as file:
                last["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()

    def close(self) -> None:
        """End the last file."""
        self._finish()
        self._left = 0


def root_text(tree: Merkle) -> str:
    """Return the root of a tree as ``sha256:…``."""
    return f"sha256:{tree.root().hex()}"


def counted(verdicts: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Return counts by (rule, verdict) as JSON: rule -> verdict -> number."""
    found: dict[str, dict[str, int]] = {}
    for (rule, verdict), number in sorted(verdicts.items()):
        found.setdefault(rule, {})[verdict] = number
    return found
