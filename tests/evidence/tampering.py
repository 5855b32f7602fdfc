"""Taking bundles apart and putting them together again, changed, as a forger would."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from policyengine.evidence import bundle_zip
from policyengine.evidence.canonical import encode
from policyengine.evidence.dsse import seal
from policyengine.evidence.manifest import ENVELOPE, MANIFEST, Head
from policyengine.evidence.packing import HEADER, Packer
from policyengine.evidence.problems import Problem
from policyengine.evidence.signers import FileSigner, Signer
from policyengine.evidence.statement import Root, bundle_statement
from policyengine.evidence.verify import verify_bundle
from tests.evidence.building import build, signer

POPULATION: Final = "snapshot/0001/resources/a.ndjson.gz"
RESULTS: Final = "results/0001.ndjson.gz"
CSV: Final = "population/0001.csv"

Members = dict[str, bytes]
Manifest = dict[str, Any]


def members_of(path: Path) -> Members:
    """Every member's bytes."""
    with zipfile.ZipFile(path) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def write_zip(path: Path, members: Mapping[str, bytes]) -> None:
    """Write members in the given order, with headers as ours are."""
    stored, offset = [], 0
    with path.open("wb") as out:
        for name, data in members.items():
            member = bundle_zip.Stored(offset, name, len(data), zlib.crc32(data))
            out.write(bundle_zip.local_header(member) + data)
            stored.append(member)
            offset = member.end
        out.writelines(bundle_zip.tail(stored))


def pack(data: bytes) -> bytes:
    """gzip as ours is."""
    out = io.BytesIO()
    packer = Packer(out.write)
    packer.write(data)
    packer.end()
    return out.getvalue()


def unpack(data: bytes) -> bytes:
    """Whatever gzip makes of it."""
    return gzip.decompress(data)


def with_header(data: bytes, header: bytes) -> bytes:
    """A gzip file with another header."""
    assert data.startswith(HEADER)
    return header + data[len(HEADER) :]


def listed(manifest: Manifest, path: str) -> dict[str, Any]:
    """The manifest's object of a member."""
    found: dict[str, Any] = next(member for member in manifest["members"] if member["path"] == path)
    return found


def seal_manifest(text: bytes, manifest: Manifest, signer: Signer) -> bytes:
    """The envelope of a manifest."""
    roots = [
        Root(manifest["roots"][name]["root"], manifest["roots"][name]["count"])
        for name in ("population", "results", "rules")
    ]
    return seal(bundle_statement(hashlib.sha256(text).hexdigest(), *roots), signer)


def relist(manifest: Manifest, members: Members) -> None:
    """Make digests, sizes and the bundle's id of a manifest those of the members, as far as both have them."""
    for member in manifest["members"]:
        data = members.get(member["path"])
        if data is None:
            continue
        member.update(size=len(data), sha256=hashlib.sha256(data).hexdigest())
        if "unpacked" in member:
            try:
                member["unpacked"] = len(unpack(data))
            except (OSError, EOFError, zlib.error):
                continue
    rename(manifest)


def rename(manifest: Manifest) -> None:
    """Give a manifest the id that follows from what it says."""
    body = {name: value for name, value in manifest.items() if name != "bundle"}
    manifest["bundle"] = hashlib.sha256(encode(body)).hexdigest()[:32]


def resigned(
    source: Path,
    target: Path,
    signer: Signer,
    change: Callable[[Members, Manifest], None],
    *,
    fit: bool = True,
) -> None:
    """Write a changed bundle that is consistent but for what ``change`` did after digests were made to fit."""
    members = members_of(source)
    manifest = json.loads(members[MANIFEST])
    change(members, manifest)
    if fit:
        relist(manifest, members)
    text = encode(manifest)
    rest = {name: data for name, data in sorted(members.items()) if name not in (ENVELOPE, MANIFEST)}
    write_zip(target, {ENVELOPE: seal_manifest(text, manifest, signer), MANIFEST: text, **rest})


class Bundle:
    """A small bundle with its keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = signer(folder)
        self.collector = signer(folder, "p256", 1)
        self.path = folder / "bundle.zip"
        self.head: Head = build(self.path, self.engine, collector=self.collector)
        self.target = folder / "changed.zip"

    def keys(self) -> list[str]:
        """The options that give both public keys to a command."""
        given = []
        for name, by in (("engine", self.engine), ("collector", self.collector)):
            (self.folder / f"{name}.pub").write_bytes(by.public.pem())
            given += ["--key", str(self.folder / f"{name}.pub")]
        return given

    def problems(self, path: Path | None = None, **given: Any) -> list[Problem]:
        """What the verifier says."""
        return verify_bundle(path or self.target, [self.engine.public, self.collector.public], **given)

    def other(self, change: Callable[[Members], Members | None]) -> list[Problem]:
        """What the verifier says of a zip of changed members, each with the right headers."""
        members = members_of(self.path)
        write_zip(self.target, change(members) or members)
        return self.problems()

    def signed_again(
        self, change: Callable[[Members, Manifest], None], by: FileSigner | None = None, *, fit: bool = True
    ) -> list[Problem]:
        """What the verifier says of a changed bundle that was signed again."""
        resigned(self.path, self.target, by or self.engine, change, fit=fit)
        return self.problems()


def kinds(problems: list[Problem]) -> set[str]:
    """Kinds of problems."""
    return {problem.kind for problem in problems}


def places(problems: list[Problem]) -> set[str]:
    """Where they are."""
    return {problem.where for problem in problems}
