"""Verify a bundle of evidence with Python's standard library alone (3.9 or newer).

    python3 -I -S verify.py BUNDLE.zip --key SIGNER.pem [--previous OLDER.zip ...] [--expect-head sha256:...]

Every byte of the zip, the files' digests, the roots, the journal and the chain are checked here; the signature by the
`openssl` program, when it is installed. What could not be checked is said, and is no success: exit code 3.

Exit codes: 0 everything holds; 2 usage; 3 nothing is wrong, and something could not be checked; 10 content; 11 signature;
12 chain; 14 no bundle of ours. It stops at the first thing that is wrong. `policyengine evidence verify` says them all.
"""
# Every bundle carries this as verify.py, made one file with standalone_zip.py: nothing but the standard library, and no
# syntax beyond 3.9.

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

# -- a bundle's verify.py has the first part here
from policyengine.evidence.standalone_zip import (
    BLOCK,
    CHAIN,
    CONTENT,
    DIGEST,
    EDWARDS,
    ENVELOPE,
    GZIP,
    JOURNAL,
    MANIFEST,
    MAX_32,
    MAX_LINE,
    P256,
    PAYLOAD_TYPE,
    RUN,
    SCHEMA,
    SIGNATURE,
    Json,
    Key,
    Wrong,
    canonical,
    check_paths,
    compare_zip,
    first,
    strict,
)

# -- the second part


def read_manifest(text: bytes) -> Json:
    """Return the manifest, held against its form as far as this program relies on it."""
    manifest: Json = strict(text, MANIFEST)
    try:
        body = {name: value for name, value in manifest.items() if name != "bundle"}
        if manifest["schema"] != "policyengine/evidence/v1":
            raise Wrong(SCHEMA, MANIFEST, "it is of another schema")
        if manifest["bundle"] != hashlib.sha256(canonical(body).encode("utf-8")).hexdigest()[:32]:
            raise Wrong(SCHEMA, MANIFEST, "its `bundle` is not the hash of what it says")
        members = manifest["members"]
        check_paths([ENVELOPE, MANIFEST] + [member["path"] for member in members])
        for member in members:
            if (
                type(member["size"]) is not int
                or member["size"] < 0
                or not DIGEST.fullmatch(member["sha256"])
            ):
                raise Wrong(SCHEMA, member["path"], "its size or digest is none")
            if member["path"].endswith(".gz") != (type(member.get("unpacked")) is int):
                raise Wrong(SCHEMA, member["path"], "gzip files, and only they, have `unpacked`")
        for name in ("population", "results"):
            parts = manifest["roots"][name]["parts"]
            if sorted(parts) != [member["path"] for member in members if member["role"] == name]:
                raise Wrong(SCHEMA, MANIFEST, f"the parts of `{name}` are not the members with that role")
    except (KeyError, TypeError, AttributeError):
        raise Wrong(SCHEMA, MANIFEST, "it has not the form of a manifest") from None
    return manifest


def read_envelope(text: bytes, where: str) -> tuple[str, bytes, bytes]:
    """Return key id, signature and payload of an envelope in its one form."""
    envelope = strict(text, where)
    try:
        (one,) = envelope["signatures"]
        found = [base64.b64decode(part, validate=True) for part in (envelope["payload"], one["sig"])]
        again = {
            "payload": base64.b64encode(found[0]).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{"keyid": one["keyid"], "sig": base64.b64encode(found[1]).decode()}],
        }
    except (KeyError, TypeError, ValueError):
        again = None
    if again != envelope or not isinstance(one["keyid"], str):
        raise Wrong(SCHEMA, where, "it is no envelope in its one form")
    return one["keyid"], found[1], found[0]


def key_ids(paths: list[str]) -> dict[str, Key]:
    """Return public keys by the SHA-256 of their DER SubjectPublicKeyInfo: Ed25519 or P-256."""
    keys = {}
    for path in paths:
        text = Path(path).read_bytes()[:16384]
        found = re.fullmatch(
            rb"\s*-----BEGIN PUBLIC KEY-----\s([A-Za-z0-9+/=\s]+)-----END PUBLIC KEY-----\s*", text
        )
        der = base64.b64decode(found.group(1)) if found else b""
        if not der.startswith((EDWARDS, P256)):
            raise Wrong(2, path, "it is no public key in PEM, Ed25519 or P-256")
        keys[hashlib.sha256(der).hexdigest()] = (path, der.startswith(EDWARDS))
    return keys


def one_encoding(signature: bytes) -> bool:
    """An ECDSA signature: minimal DER, and the smaller of the two values of s that fit (P-256)."""
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    numbers: list[int] = []
    rest = signature[2:]
    while rest[:1] == b"\x02" and len(rest) > 2 and len(numbers) < 2:
        numbers.append(int.from_bytes(rest[2 : 2 + rest[1]], "big", signed=True))
        rest = rest[2 + rest[1] :]
    if len(numbers) != 2 or min(numbers) < 1 or numbers[1] > order // 2:
        return False
    parts = [number.to_bytes(number.bit_length() // 8 + 1, "big") for number in numbers]
    body = b"".join(b"\x02" + bytes([len(part)]) + part for part in parts)
    return signature == b"\x30" + bytes([len(body)]) + body


def check_signature(text: bytes, where: str, keys: dict[str, Key]) -> tuple[bytes, bool]:
    """Return the payload, and whether a given key's signature over it was verified."""
    keyid, signature, payload = read_envelope(text, where)
    if keys and keyid not in keys:
        raise Wrong(SIGNATURE, where, f"it is signed by the key {keyid[:64]}, which was not given")
    openssl = shutil.which("openssl")
    if not keys or openssl is None:
        return payload, False
    path, edwards = keys[keyid]
    kind = PAYLOAD_TYPE.encode()
    with tempfile.TemporaryDirectory() as folder:
        said, sig = Path(folder, "pae"), Path(folder, "signature")
        said.write_bytes(b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload))
        sig.write_bytes(signature)
        command = [openssl, "dgst", "-sha256", "-verify", path, "-signature", str(sig), str(said)]
        if edwards:
            command = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", path, "-rawin", "-in", str(said)]
            command += ["-sigfile", str(sig)]
        done = subprocess.run(command, capture_output=True, check=False)
    if edwards and b"rawin" in done.stderr:
        return payload, False  # an openssl before 3.0 (or LibreSSL) that cannot do it
    if done.returncode != 0 or not (edwards or one_encoding(signature)):
        raise Wrong(SIGNATURE, where, "the signature is not one of the given key over this content")
    return payload, True


def check_statement(payload: bytes, manifest: Json, text: bytes) -> None:
    """The signed statement is about this manifest and its roots."""
    roots = manifest["roots"]
    subjects = [{"name": MANIFEST, "digest": {"sha256": hashlib.sha256(text).hexdigest()}}]
    subjects += [
        {"name": name, "digest": {"rfc6962-sha256": roots[name]["root"]}}
        for name in ("population", "results", "rules")
    ]
    expected = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://policyengine.invalid/evidence/v1",
        "predicate": {name: roots[name]["count"] for name in ("population", "results", "rules")},
    }
    if canonical(expected).encode("utf-8") != payload:
        raise Wrong(CONTENT, MANIFEST, "it is not the manifest that was signed")


def unpack(file: BinaryIO, begin: int, member: Json) -> Iterator[bytes]:
    """Yield what a gzip member holds, never more than it is listed with."""
    where = member["path"]
    file.seek(begin)
    if file.read(len(GZIP)) != GZIP:
        raise Wrong(CONTENT, where, "its gzip header is another")
    left, crc, size, inflate = member["size"] - len(GZIP), 0, 0, zlib.decompressobj(-15)
    while left and not inflate.eof:
        block = file.read(min(BLOCK, left))
        left -= len(block)
        while block and not inflate.eof:
            try:
                data = inflate.decompress(block, 1 << 20)
            except zlib.error:
                raise Wrong(CONTENT, where, "it is damaged") from None
            crc, size = zlib.crc32(data, crc), size + len(data)
            if size > member["unpacked"]:
                raise Wrong(CONTENT, where, "it expands to more than is listed")
            yield data
            block = inflate.unconsumed_tail
    trailer = inflate.unused_data + file.read(left)
    if not inflate.eof or size != member["unpacked"] or trailer != struct.pack("<II", crc, size & MAX_32):
        raise Wrong(CONTENT, where, "its end is not what its content and the manifest say")


def lines_of(blocks: Iterable[bytes], where: str) -> Iterator[bytes]:
    """Yield lines without their line feeds."""
    rest: list[bytes] = []
    held = 0
    for block in blocks:
        lines = block.split(b"\n")
        if len(lines) > 1:
            lines[0] = b"".join(rest) + lines[0]
            yield from lines[:-1]
            rest, held = [], 0
        rest.append(lines[-1])
        held += len(lines[-1])
        if held > MAX_LINE:
            raise Wrong(CONTENT, where, "it has a line that is too long")
    if held:
        yield b"".join(rest)


class Tree:
    """The root of RFC 6962 over leaves as they come."""

    def __init__(self) -> None:
        self.count = 0
        self.peaks: list[tuple[int, bytes]] = []  # height and hash

    def add(self, line: bytes) -> None:
        """Add a leaf."""
        node, height = hashlib.sha256(b"\0" + line).digest(), 0
        while self.peaks and self.peaks[-1][0] == height:
            node, height = hashlib.sha256(b"\1" + self.peaks.pop()[1] + node).digest(), height + 1
        self.peaks.append((height, node))
        self.count += 1

    def root(self) -> str:
        """Return the root in hexadecimal."""
        if not self.peaks:
            return hashlib.sha256(b"").hexdigest()
        node = self.peaks[-1][1]
        for _, left in reversed(self.peaks[:-1]):
            node = hashlib.sha256(b"\1" + left + node).digest()
        return node.hex()


def check_roots(file: BinaryIO, manifest: Json, begins: dict[str, int]) -> list[str]:
    """The roots over the lines are those of the manifest; return what could not be checked."""
    members = {member["path"]: member for member in manifest["members"]}
    inputs = {one["path"]: Tree() for one in manifest["inputs"]}
    vectors: Counter[bytes] = Counter()
    for name in ("results", "population"):
        if name == "population" and manifest["withheld"]["state"] == "full":
            return [
                "the population's root: this bundle holds values that may be withheld (policyengine checks it)"
            ]
        expected, tree = manifest["roots"][name], Tree()
        for path in expected["parts"]:
            one = inputs.get("/".join(path.split("/", 2)[:2])) if name == "population" else None
            for line in lines_of(unpack(file, begins[path], members[path]), path):
                tree.add(line)
                if name == "results":
                    vectors[line.rpartition(b',"verdicts":"')[2]] += 1
                if one is not None and len(inputs) > 1:
                    one.add(line)
        if (tree.root(), tree.count) != (expected["root"], expected["count"]):
            raise Wrong(CONTENT, name, "the root over its lines is another than the one that is listed")
        counts = {letter: sum(n * v.count(letter.encode()) for v, n in vectors.items()) for letter in "FNPU"}
        if name == "results" and counts != expected["verdicts"]:
            raise Wrong(CONTENT, name, "its rows have other verdicts than those that are counted")
    for one in manifest["inputs"] if len(inputs) > 1 else []:
        if (inputs[one["path"]].root(), inputs[one["path"]].count) != (one["root"], one["count"]):
            raise Wrong(
                CONTENT, one["path"], "the root over its lines is another than the one that is listed"
            )
    return []


def check_rules(file: BinaryIO, manifest: Json, begins: dict[str, int]) -> None:
    """The root over the lists of rules, one a type, is that of the manifest."""
    tree = Tree()
    for member in manifest["members"]:
        if member["path"] == RUN:
            file.seek(begins[RUN])
            lists = json.loads(file.read(member["size"]))["rules_of"]
            for name in sorted(lists):
                tree.add(canonical({"rules": lists[name], "type": name}).encode("utf-8"))
    if {"root": tree.root(), "count": tree.count} != manifest["roots"]["rules"]:
        raise Wrong(CONTENT, RUN, "the root over its lists of rules is another than the one that is listed")


def check_journal(file: BinaryIO, member: Json, begin: int) -> None:
    """Each entry's hash is over what it says and over the hash before it."""
    file.seek(begin)
    last = None
    for line in lines_of([file.read(member["size"])], JOURNAL):
        try:
            entry = json.loads(line)
            told = {name: value for name, value in entry.items() if name != "hash"}
            text = json.dumps(told, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
            right = (
                entry["hash"] == "sha256:" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
            )
            follows = last is None or (entry["seq"], entry["prev"]) == (last["seq"] + 1, last["hash"])
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Wrong(SCHEMA, JOURNAL, "it has a line that is no entry") from None
        if not right or not follows:
            raise Wrong(CHAIN, JOURNAL, f"entry {entry['seq']} breaks the chain")
        last = entry


def check_populations(
    file: BinaryIO, manifest: Json, begins: dict[str, int], keys: dict[str, Key]
) -> list[str]:
    """What was signed when collection ended is what is here; return what could not be checked."""
    members, missing = {member["path"]: member for member in manifest["members"]}, []
    inputs = {one["path"]: (one["root"], one["count"]) for one in manifest["inputs"]}
    for path in members:
        folder, _, name = path.rpartition("/")
        if name != "population.dsse.json":
            continue
        file.seek(begins[path])
        payload, verified = check_signature(file.read(min(members[path]["size"], 1 << 20)), path, keys)
        if not verified:
            missing.append("the signature of " + path)
        value = strict(payload, path)
        root, count = inputs.get(folder, (Tree().root(), 0))
        digests = [
            {"name": "population", "digest": {"rfc6962-sha256": root}},
            {"name": "manifest.json", "digest": {"sha256": members[folder + "/manifest.json"]["sha256"]}},
        ]
        told = (value["predicateType"], value["subject"], value["predicate"]["population"])
        if told != ("https://policyengine.invalid/population/v1", digests, count):
            raise Wrong(CONTENT, path, "what was signed when collection ended is not what is here")
    return missing


def opened(file: BinaryIO, keys: dict[str, Key]) -> tuple[Json, bytes, bytes, bool]:
    """Return manifest, its text, envelope, and whether the signature was verified."""
    envelope, offset = first(file, 0, ENVELOPE, 1 << 20)
    text, _ = first(file, offset, MANIFEST, 64 << 20)
    payload, verified = check_signature(envelope, ENVELOPE, keys)
    manifest = read_manifest(text)
    check_statement(payload, manifest, text)
    return manifest, text, envelope, verified


def check_chain(manifest: Json, previous: list[str], keys: dict[str, Key]) -> list[str]:
    """Earlier bundles are the ones that later ones name; return what could not be checked."""
    missing = []
    earlier = {}
    for path in previous:
        with Path(path).open("rb") as file:
            older, text, _, verified = opened(file, keys)
        if not verified:
            missing.append("the signature of " + Path(path).name)
        earlier[hashlib.sha256(text).hexdigest()] = older
    while True:
        before = 0 if manifest["previous"] is None else max(manifest["previous"]["sequence"], 1)
        if manifest["sequence"] != before + 1:
            said = f"bundle {manifest['bundle']} is number {manifest['sequence']}, and names another one before it"
            raise Wrong(CHAIN, MANIFEST, said)
        if not before or not earlier:
            break
        named = manifest["previous"]
        older = earlier.pop(named["manifest_sha256"]) if named["manifest_sha256"] in earlier else {}
        if (named["bundle"], named["sequence"]) != (older.get("bundle"), older.get("sequence")):
            raise Wrong(
                CHAIN, MANIFEST, f"the bundle before number {manifest['sequence']} is not among those given"
            )
        manifest = older
    if earlier:
        raise Wrong(CHAIN, MANIFEST, "a bundle was given that is not one of those before this one")
    return missing


def main(arguments: list[str]) -> int:
    """Verify; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bundle")
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--previous", action="append", default=[])
    parser.add_argument("--expect-head")
    given = parser.parse_args(arguments)
    try:
        missing, head = verify(given)
    except Wrong as wrong:
        print("WRONG", str(wrong).encode("unicode_escape").decode())
        return wrong.code
    except OSError as problem:
        print("error:", problem)
        return 2
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as problem:
        print("WRONG", MANIFEST + ": it has not the form of a manifest:", type(problem).__name__)
        return SCHEMA
    for text in missing:
        print("NOT CHECKED:", text)
    print("head: sha256:" + head)
    print("nothing is wrong" + (", but not everything was checked" if missing else ": verified"))
    return 3 if missing else 0


def verify(given: argparse.Namespace) -> tuple[list[str], str]:
    """Return what could not be checked, and the head. Raises Wrong."""
    keys = key_ids(given.key)
    with Path(given.bundle).open("rb") as file:
        manifest, text, envelope, verified = opened(file, keys)
        listed = [(ENVELOPE, len(envelope)), (MANIFEST, len(text))]
        listed += [(member["path"], member["size"]) for member in manifest["members"]]
        begins, digests = compare_zip(file, listed)
        for member in manifest["members"]:
            if digests[member["path"]] != member["sha256"]:
                raise Wrong(
                    CONTENT, member["path"], "its bytes are not those that the manifest has the SHA-256 of"
                )
        missing = [] if verified else ["the signature (give --key, and have openssl 3.0 or newer installed)"]
        missing += check_roots(file, manifest, begins)
        check_rules(file, manifest, begins)
        for member in manifest["members"]:
            if member["path"] == JOURNAL:
                check_journal(file, member, begins[JOURNAL])
        missing += check_populations(file, manifest, begins, keys)
    missing += check_chain(manifest, given.previous, keys)
    head = hashlib.sha256(text).hexdigest()
    if given.expect_head and given.expect_head[-64:] != head:
        raise Wrong(CHAIN, MANIFEST, f"the newest bundle is {given.expect_head}, and this is sha256:{head}")
    return missing, head


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
