"""Signing what was collected when collection ends, before anything is judged: ``population.dsse.json`` in the snapshot."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from policyengine.cli.outputs import note
from policyengine.cli.withheld import FILE, new_withholding, shown_manifest, unmet_notes, write_private
from policyengine.evidence.dsse import seal
from policyengine.evidence.manifest import STATEMENT_FILE
from policyengine.evidence.signers import Signer
from policyengine.evidence.statement import Collected, Root, population_statement
from policyengine.model.errors import InputError, UsageError
from policyengine.model.merkle import Merkle
from policyengine.model.withheld import Plan, Withholding
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot.manifest import MANIFEST, MAX_MANIFEST
from policyengine.sources.snapshot.source import open_snapshot
from policyengine.store.lines import StreamError, read_lines


def sign_collected(
    folder: Path, signer: Signer, plan: Plan | None, at: str, key: Path | None = None
) -> Collected:
    """Sign a snapshot as :func:`sign_population`, without the values that ``plan`` names; their secret is put into a
    private file in the folder, which a run over the snapshot takes on. ``key`` is the file of the redaction key.

    The statement stands last: a folder without one is one that nobody signed. Raises as that.
    """
    withholding = None
    if plan is not None:
        withholding = new_withholding(plan, sha256(_manifest(folder)).digest(), key)
    try:
        (folder / STATEMENT_FILE).unlink(missing_ok=True)  # the file beside it is about to be another's
        (folder / FILE).unlink(missing_ok=True)
        if withholding is not None:
            write_private(folder, withholding)
    except OSError as problem:
        raise UsageError(f"`{folder}` cannot be written: {(problem.strerror or 'error').lower()}") from None
    signed = sign_population(folder, signer, withholding, at)
    for text in [] if withholding is None else unmet_notes(withholding):
        note(text)
    return signed


def sign_population(
    folder: Path, signer: Signer, withholding: Withholding | None = None, at: str | None = None
) -> Collected:
    """Sign the lines and the manifest of a snapshot folder; return what was signed.

    The leaves are all lines of its parts, in the order of the manifest, as for runs and bundles, and without what is
    withheld. ``at`` is when this is (ISO 8601; None: when the snapshot was begun, as its manifest says). Raises
    InputError where the snapshot cannot be read whole, UsageError where the folder cannot be written.
    """
    manifest = _manifest(folder)
    tree = Merkle()
    source = open_snapshot(folder, SourceOptions())
    for part in source.parts:
        try:
            tree.add_many(_leaves(part.path, withholding))
        except StreamError as problem:
            raise InputError(f"`{part.path}` {problem}; a population that is damaged is not signed") from None
    shown = manifest if withholding is None else shown_manifest(manifest)
    collected = Collected(
        Root(tree.root().hex(), tree.size), sha256(shown).hexdigest(), at or _created(manifest, folder)
    )
    _put(folder / STATEMENT_FILE, seal(population_statement(collected), signer))
    return collected


def _leaves(part: Path, withholding: Withholding | None) -> Iterator[bytes]:
    for number, line in enumerate(read_lines(part), 1):
        try:
            yield line if withholding is None else withholding.committed(line)
        except ValueError as problem:
            raise InputError(
                f"`{part}` line {number}: {problem}; a population that is damaged is not signed"
            ) from None


def _manifest(folder: Path) -> bytes:
    try:
        with (folder / MANIFEST).open("rb") as file:
            return file.read(MAX_MANIFEST + 1)
    except OSError as problem:
        raise InputError(
            f"`{folder / MANIFEST}` cannot be read: {(problem.strerror or 'error').lower()}"
        ) from None


def _created(manifest: bytes, folder: Path) -> str:
    try:
        created = json.loads(manifest)["created"]
    except (ValueError, KeyError, TypeError, RecursionError):
        created = None
    if not isinstance(created, str):
        raise InputError(f"`{folder / MANIFEST}` does not say when it was created")
    return created


def _put(path: Path, text: bytes) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except OSError as problem:
        raise UsageError(f"`{path}` cannot be written: {(problem.strerror or 'error').lower()}") from None
