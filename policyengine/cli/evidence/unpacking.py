"""The run that a bundle holds, unpacked into a run directory: what verified is judged again from there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from policyengine.evidence import bundle_reader
from policyengine.evidence.bundle_zip import Stored
from policyengine.evidence.manifest import ROLE_POPULATION, Manifest, folder_of, read_manifest
from policyengine.evidence.problems import SCHEMA, BundleError, Problem
from policyengine.sources.snapshot.manifest import MANIFEST as SNAPSHOT

_NEEDED: Final = {
    "run/coverage.json": "coverage.json",
    "rules/pack.json": "rules.json",
    "config/settings.json": "settings.json",
}


def unpack(bundle: Path, folder: Path) -> Manifest:
    """Write the run of a bundle to a folder and return the bundle's manifest.

    Nothing is unpacked before every byte of the zip is what the manifest says. Raises BundleError, InputError.
    """
    with bundle_reader.open_file(bundle) as file:
        texts = bundle_reader.read_texts(file)
        manifest = read_manifest(texts.manifest)
        for problem in bundle_reader.compare(file, texts, manifest):
            raise BundleError(problem)
        places = bundle_reader.places(texts, manifest)
        work = _Unpacking(file, places, manifest, folder)
        try:
            work.everything()
        except KeyError as missing:
            raise BundleError(
                Problem(SCHEMA, str(missing.args[0]), "the bundle has no such member")
            ) from None
    return manifest


class _Unpacking:
    def __init__(self, file: BinaryIO, places: Any, manifest: Manifest, folder: Path) -> None:
        self._file = file
        self._places: dict[str, Stored] = dict(places)
        self._manifest = manifest
        self._folder = folder

    def everything(self) -> None:
        for path, name in _NEEDED.items():
            self._write(name, self._content(path))
        for member in self._manifest.members:
            if member.path.startswith(("results/", "places/")):
                self._write(member.path.removesuffix(".gz"), self._content(member.path))
            elif member.role == ROLE_POPULATION:
                self._write(_kept(member.path).removesuffix(".gz"), self._content(member.path))
        for folder in sorted({folder_of(part) for part in self._manifest.population.parts} | self._inputs()):
            self._snapshot(folder)
        self._run()

    def _inputs(self) -> set[str]:
        return {folder_of(m.path) for m in self._manifest.members if m.role == "snapshot-manifest"}

    def _content(self, path: str) -> Iterator[bytes]:
        return bundle_reader.content(self._file, self._places[path], self._manifest.by_path[path])

    def _json(self, path: str) -> Any:
        try:
            return json.loads(b"".join(self._content(path)))
        except (ValueError, RecursionError):
            raise BundleError(Problem(SCHEMA, path, "it is no JSON")) from None

    def _write(self, name: str, blocks: Iterator[bytes]) -> None:
        place = self._folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("wb") as out:
            out.writelines(blocks)

    def _snapshot(self, folder: str) -> None:
        """The manifest names parts as they were stored; here they are plain."""
        about = self._json(f"{folder}/{SNAPSHOT}")
        listed = []
        for part in about["parts"]:
            plain = part["path"].removesuffix(".zst").removesuffix(".gz")
            named = {name: part[name] for name in ("account", "region", "resources") if name in part}
            listed.append({"path": plain, **named})
        text = json.dumps({**about, "parts": listed}).encode()
        self._write(_kept(f"{folder}/{SNAPSHOT}"), iter((text,)))

    def _run(self) -> None:
        about = self._json("run/run.json")
        for name in ("results", "places"):
            for entry in about[name]:
                entry["path"] = entry["path"].removesuffix(".zst")
        self._write("run.json", iter((json.dumps(about).encode(),)))


def _kept(member: str) -> str:
    """``snapshot/0001/…`` of a bundle is ``inputs/0001/…`` of a run."""
    return f"inputs/{member.removeprefix('snapshot/')}"
