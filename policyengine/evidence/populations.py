"""Populations that were signed when collection ended, before anything was judged, held against what a bundle has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import BinaryIO, Final, NamedTuple

from policyengine.evidence import bundle_reader
from policyengine.evidence.bundle_zip import Stored
from policyengine.evidence.dsse import MAX_ENVELOPE, open_envelope
from policyengine.evidence.keys import PublicKey, by_id
from policyengine.evidence.manifest import ROLE_STATEMENT, STATEMENT_FILE, Manifest, folder_of
from policyengine.evidence.problems import MISMATCH, SCHEMA, SIGNATURE, BundleError, Problem
from policyengine.evidence.statement import Root, read_population_statement
from policyengine.model.merkle import EMPTY_ROOT

_NOTHING: Final = Root(EMPTY_ROOT.hex(), 0)


class Said(NamedTuple):
    """What is told of the check beside problems; ``required``: a population that nobody signed is a problem."""

    passed: list[str]
    notes: list[str]
    required: bool


def check_populations(
    file: BinaryIO, places: Mapping[str, Stored], manifest: Manifest, keys: Sequence[PublicKey], said: Said
) -> Iterator[Problem]:
    """Yield where an input is not what one of ``keys`` signed when its collection ended. An input without a resource is
    one too: that there was nothing was signed."""
    folders = {folder_of(path) for path in manifest.by_path if path.startswith("snapshot/")}
    for folder in sorted(folders | set(manifest.inputs)):
        path = f"{folder}/{STATEMENT_FILE}"
        if path not in manifest.by_path:
            if said.required:
                yield Problem(SIGNATURE, path, "it is missing: no given collector signed this population")
            else:
                said.notes.append(f"{folder}: its population was not signed when collection ended")
            continue
        try:
            said.passed.append(_check(file, places[path], manifest, folder, keys))
        except BundleError as error:
            yield error.problem


def _check(file: BinaryIO, place: Stored, manifest: Manifest, folder: str, keys: Sequence[PublicKey]) -> str:
    """Return in words what holds. Raises BundleError."""
    member = manifest.by_path[place.path]
    if member.role != ROLE_STATEMENT or member.size > MAX_ENVELOPE:
        raise BundleError(Problem(SCHEMA, member.path, f"it is no envelope of role `{ROLE_STATEMENT}`"))
    envelope = b"".join(bundle_reader.content(file, place, member))
    opened = open_envelope(envelope, by_id(keys), member.path)
    collected = read_population_statement(opened.payload, member.path)
    beside = manifest.by_path.get(f"{folder}/manifest.json")
    if collected.population != manifest.inputs.get(folder, _NOTHING):
        text = "the population that was signed when collection ended is another than this input's"
        raise BundleError(Problem(MISMATCH, member.path, text))
    if beside is None or beside.sha256 != collected.manifest_sha256:
        text = "it is not the manifest that was signed when collection ended"
        raise BundleError(Problem(MISMATCH, f"{folder}/manifest.json", text))
    return f"{folder}: as it was signed at {collected.collected_at} by {opened.key.keyid[:16]}…"
