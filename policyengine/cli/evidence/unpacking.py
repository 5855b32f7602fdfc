"""The run that a bundle holds, unpacked into a run directory: what verified is judged again from there."""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Final

from policyengine.cli.withheld import write_private
from policyengine.evidence import bundle_reader
from policyengine.evidence.bundle_zip import Stored
from policyengine.evidence.manifest import REDACTED, ROLE_POPULATION, Manifest, folder_of, read_manifest
from policyengine.evidence.problems import SCHEMA, BundleError, Problem
from policyengine.evidence.withholding import withholding_of
from policyengine.model.resource import Coverage
from policyengine.sources.snapshot.manifest import MANIFEST as SNAPSHOT
from policyengine.sources.snapshot.manifest import read_manifest as read_snapshot
from policyengine.sources.snapshot.writer import listed_coverage
from policyengine.store.coverage import read_coverage

WAIVERS: Final = "waivers.json"
ROLE_RULE_TEXT: Final = "rule-text"
_NEEDED: Final = {
    "run/coverage.json": "coverage.json",
    "rules/pack.json": "rules.json",
    "config/settings.json": "settings.json",
    "waivers.json": WAIVERS,
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
        self._digests: dict[str, str] = {}

    def everything(self) -> None:
        for path, name in _NEEDED.items():
            self._write(name, self._content(path))
        for member in self._manifest.members:
            if member.role == ROLE_RULE_TEXT:
                self._write(member.path, self._content(member.path))
            elif member.path.startswith(("results/", "places/")):
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
        digest = sha256()
        with place.open("wb") as out:
            for block in blocks:
                out.write(block)
                digest.update(block)
        self._digests[name] = digest.hexdigest()

    def _snapshot(self, folder: str) -> None:
        """The manifest names parts as they were stored; here they are plain."""
        about = self._json(f"{folder}/{SNAPSHOT}")
        listed = []
        for part in about["parts"]:
            plain = part["path"].removesuffix(".zst").removesuffix(".gz")
            named = {name: part[name] for name in ("account", "region", "resources") if name in part}
            # a part that was missing in the run is missing here, and is told again
            digest = self._digests.get(_kept(f"{folder}/{plain}"), "0" * 64)
            listed.append({"path": plain, "sha256": digest, **named})
        name = _kept(f"{folder}/{SNAPSHOT}")
        self._write(name, iter((json.dumps({**about, "parts": listed}).encode(),)))
        promised = read_snapshot((self._folder / name).parent, folder).coverage
        # what a damaged part withdrew stays withdrawn: the lines here are only those that could be read
        about |= listed_coverage(promised & self._covered())
        self._write(name, iter((json.dumps({**about, "parts": listed}).encode(),)))

    def _covered(self) -> Coverage:
        places = read_coverage(self._folder)
        return frozenset((a, r, t) for (a, r), types in places.items() for t in types)

    def _run(self) -> None:
        about = self._json("run/run.json")
        for name in ("results", "places"):
            for entry in about[name]:
                entry["path"] = entry["path"].removesuffix(".zst")
        if isinstance(about.get("withheld"), dict):
            about["withheld"]["redacted"] = self._manifest.withheld == REDACTED
        self._write("run.json", iter((json.dumps(about).encode(),)))
        withholding = withholding_of(self._file, self._places, self._manifest)
        if withholding is not None:
            write_private(self._folder, withholding)


def _kept(member: str) -> str:
    """``snapshot/0001/…`` of a bundle is ``inputs/0001/…`` of a run."""
    return f"inputs/{member.removeprefix('snapshot/')}"
