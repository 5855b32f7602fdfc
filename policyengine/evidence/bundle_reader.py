"""Opening a bundle: who signed it, and what it says it holds. Nothing of its content is unpacked before that is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple

from policyengine.evidence import bundle_zip
from policyengine.evidence.bundle_zip import Read, Stored
from policyengine.evidence.dsse import MAX_ENVELOPE, open_envelope
from policyengine.evidence.keys import PublicKey, by_id
from policyengine.evidence.manifest import (
    ENVELOPE,
    MANIFEST,
    MAX_MANIFEST,
    Head,
    Manifest,
    Member,
    read_manifest,
)
from policyengine.evidence.packing import unpacked
from policyengine.evidence.problems import MISMATCH, SCHEMA, BundleError, Problem
from policyengine.evidence.statement import Root, read_bundle_statement
from policyengine.model.errors import InputError

_BLOCK: Final = 1 << 18


class Texts(NamedTuple):
    """The two members that nothing lists, and where they stand."""

    envelope: bytes
    manifest: bytes
    stored: tuple[Stored, Stored]


class Signed(NamedTuple):
    """What a key vouches for: the digest of the manifest and the roots."""

    key: PublicKey
    manifest_sha256: str
    population: Root
    results: Root
    rules: Root


def open_file(path: Path) -> BinaryIO:
    """Open a bundle. Raises InputError."""
    try:
        return path.open("rb")
    except OSError as problem:
        raise InputError(f"`{path}` cannot be read: {(problem.strerror or 'error').lower()}") from None


def read_texts(file: BinaryIO) -> Texts:
    """Return envelope and manifest. Raises BundleError (``schema``) where the file does not begin with them."""
    envelope = _first(file, 0, ENVELOPE, MAX_ENVELOPE)
    manifest = _first(file, envelope.end, MANIFEST, MAX_MANIFEST)
    texts = []
    for member in (envelope, manifest):
        file.seek(member.data)
        texts.append(file.read(member.size))
    return Texts(texts[0], texts[1], (envelope, manifest))


def signed(texts: Texts, keys: Sequence[PublicKey]) -> Signed:
    """Return what one of the keys signed. Raises BundleError."""
    opened = open_envelope(texts.envelope, by_id(keys), ENVELOPE)
    return Signed(opened.key, *read_bundle_statement(opened.payload, ENVELOPE))


def check_signed(manifest: Manifest, text: bytes, said: Signed) -> Iterator[Problem]:
    """Yield where the manifest is not the one that was signed."""
    if sha256(text).hexdigest() != said.manifest_sha256:
        yield Problem(MISMATCH, MANIFEST, "it is not the manifest that was signed: its SHA-256 is another")
    for name, root, other in (
        ("population", manifest.population.root, said.population),
        ("results", manifest.results.root, said.results),
        ("rules", manifest.rules, said.rules),
    ):
        if root != other:
            yield Problem(MISMATCH, MANIFEST, f"its root of `{name}` is not the one that was signed")


def read_head(path: Path, keys: Sequence[PublicKey]) -> Head:
    """Return the head of a bundle that one of the keys signed: id, sequence, manifest. Raises as :func:`signed_manifest`."""
    return signed_manifest(path, keys).head()


def signed_manifest(path: Path, keys: Sequence[PublicKey]) -> Manifest:
    """Return the manifest of a bundle that one of the keys signed. Its members are not looked at.

    Raises BundleError, and InputError where the file cannot be read.
    """
    with open_file(path) as file:
        texts = read_texts(file)
    said = signed(texts, keys)
    manifest = read_manifest(texts.manifest)
    for problem in check_signed(manifest, texts.manifest, said):
        raise BundleError(problem)
    return manifest


def listed(texts: Texts, manifest: Manifest) -> list[tuple[str, int]]:
    """Return (path, size) of every member in the order of the zip."""
    return [
        (ENVELOPE, len(texts.envelope)),
        (MANIFEST, len(texts.manifest)),
        *((member.path, member.size) for member in manifest.members),
    ]


def compare(file: BinaryIO, texts: Texts, manifest: Manifest) -> Iterator[Problem]:
    """Yield what of the file is not what follows from the manifest: content, headers, end."""
    for found in bundle_zip.compare(file, listed(texts, manifest)):
        if not isinstance(found, Read):
            yield Problem(MISMATCH, *found)
            continue
        member = manifest.by_path.get(found.member.path)
        if member is not None and member.sha256 != found.sha256:
            yield Problem(
                MISMATCH, member.path, "its bytes are not those that the manifest has the SHA-256 of"
            )


def places(texts: Texts, manifest: Manifest) -> Mapping[str, Stored]:
    """Return where each member stands, as :func:`compare` has found."""
    found, offset = {}, 0
    for path, size in listed(texts, manifest):
        found[path] = Stored(offset, path, size, 0)
        offset = found[path].end
    return found


def content(file: BinaryIO, place: Stored, member: Member) -> Iterator[bytes]:
    """Yield a member's content, unpacked where it is a gzip file. Raises PackedError."""
    stored = _stored(file, place)
    return stored if member.unpacked is None else unpacked(stored, member.unpacked)


def _stored(file: BinaryIO, place: Stored) -> Iterator[bytes]:
    file.seek(place.data)
    left = place.size
    while left and (block := file.read(min(_BLOCK, left))):
        left -= len(block)
        yield block


def _first(file: BinaryIO, offset: int, path: str, most: int) -> Stored:
    found = bundle_zip.first_header(file, offset, path, most)
    if isinstance(found, str):
        raise BundleError(Problem(SCHEMA, "the zip", found))
    return found
