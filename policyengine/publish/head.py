"""The head of the chain of bundles, kept where its owner cannot take it back.

``head.json`` holds the newest bundle's ``{"bundle", "sequence", "manifest_sha256"}``. Every version of it is locked, so
that a chain whose end was cut off is found by whoever reads the object instead of the folder of bundles.
"""

from __future__ import annotations

import json
import zipfile
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.model.errors import InputError
from policyengine.publish.object_lock import Lock, Locked, checked, read_back
from policyengine.publish.ports import CallFailed, Store

Json = dict[str, Any]
MANIFEST: Final = "MANIFEST.json"
NAME: Final = "head.json"
_MOST_MANIFEST: Final = 64 << 20
_MOST_HEAD: Final = 4096


class Head(NamedTuple):
    """What stands for a bundle and all before it; ``previous`` is the digest of the manifest before, where it has one."""

    bundle: str
    sequence: int
    manifest_sha256: str
    previous: str | None = None

    def to_bytes(self) -> bytes:
        """Return the object's text: canonical JSON, and a line end."""
        value = {"bundle": self.bundle, "sequence": self.sequence, "manifest_sha256": self.manifest_sha256}
        return json.dumps(value, separators=(",", ":"), sort_keys=True).encode() + b"\n"


class Current(NamedTuple):
    """The head a bucket has, and the ETag of its version, None where a delete marker hides it."""

    head: Head
    etag: str | None


def head_of(bundle: Path) -> Head | None:
    """Return the head that a bundle makes; None where the file is no bundle of evidence."""
    try:
        with zipfile.ZipFile(bundle) as archive:
            if archive.getinfo(MANIFEST).file_size > _MOST_MANIFEST:
                return None
            text = archive.read(MANIFEST)
        value = json.loads(text)
        previous = value.get("previous")
        return _head(value, sha256(text).hexdigest(), previous["manifest_sha256"] if previous else None)
    except (
        OSError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
        zipfile.BadZipFile,
        NotImplementedError,
    ):
        return None


def _head(value: Json, digest: str, previous: str | None) -> Head:
    bundle, sequence = value["bundle"], value["sequence"]
    if not isinstance(bundle, str) or type(sequence) is not int or not isinstance(previous, str | None):
        raise ValueError("no head")
    return Head(bundle, sequence, digest, previous)


def current_head(store: Store, key: str) -> Current | None:
    """Return the head a bucket has, also one that a delete marker hides. Raises CallFailed; InputError for a head that
    cannot be read."""
    try:
        answer = store.call("GetObject", {"Key": key})
        etag: str | None = answer["ETag"]
    except CallFailed as failure:
        if failure.code not in ("NoSuchKey", "404"):
            raise
        version = _newest_version(store, key)
        if version is None:
            return None
        answer, etag = store.call("GetObject", {"Key": key, "VersionId": version}), None
    text = answer["Body"].read(_MOST_HEAD + 1)
    try:
        value = json.loads(text)
        return Current(_head(value, str(value["manifest_sha256"]), None), etag)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"`{key}` is no head of a chain of bundles; choose another prefix", code="head"
        ) from error


def _newest_version(store: Store, key: str) -> str | None:
    found = store.call("ListObjectVersions", {"Prefix": key, "MaxKeys": 1000}).get("Versions") or ()
    return next((str(each["VersionId"]) for each in found if each.get("Key") == key), None)


def check_chain(current: Current | None, new: Head) -> str:
    """Return what is worth saying of a bundle that comes after the head a bucket has, "" where it is the next.

    Raises InputError for a fork: two bundles with one number, or one that does not follow the head it should.
    """
    if current is None:
        return "" if new.sequence <= 1 else f"bundles before {new.sequence} were not published here"
    old = current.head
    if old.sequence == new.sequence and old.manifest_sha256 != new.manifest_sha256:
        raise InputError(
            f"the chain forks: another bundle has the number {new.sequence}; it was published before",
            code="fork",
        )
    if old.sequence == new.sequence - 1 and new.previous != old.manifest_sha256:
        raise InputError(
            f"the chain forks: bundle {new.sequence} does not follow bundle {old.sequence} that was published before",
            code="fork",
        )
    if old.sequence > new.sequence:
        return f"the head stays at bundle {old.sequence}, which is later"
    if old.sequence < new.sequence - 1:
        return f"bundles {old.sequence + 1} to {new.sequence - 1} were not published here"
    return ""


def write_head(store: Store, key: str, current: Current | None, new: Head, lock: Lock) -> Locked | None:
    """Write a version of the head and lock it; None where the bucket has this head or a later one.

    Raises InputError when somebody else wrote it meanwhile; CallFailed.
    """
    if current is not None:
        later, same = current.head.sequence > new.sequence, current.head.sequence == new.sequence
        if later or (same and current.etag is not None):
            return None
    body = new.to_bytes()
    checksum = b64encode(sha256(body).digest()).decode()
    condition = {"IfNoneMatch": "*"} if current is None or current.etag is None else {"IfMatch": current.etag}
    arguments = {"Key": key, "ContentType": "application/json", **checked(body, checksum)}
    try:
        answer = store.call("PutObject", {**arguments, **condition, **lock.arguments()})
    except CallFailed as failure:
        if failure.code != "PreconditionFailed":
            raise
        raise InputError(
            f"`{key}` was written by somebody else meanwhile; publish again", code="head"
        ) from failure
    return read_back(store, key, str(answer["VersionId"]), lock, checksum, len(body))
