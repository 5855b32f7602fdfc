"""A bundle of evidence anchored in S3: the file and the head of its chain as locked versions, and a receipt beside it.

The receipt, ``anchors/BUNDLE.s3.json``, is what a verifier is given besides the bundle: where the head lies that its owner
could not change. It proves nothing by itself: who doubts it reads the version it names.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.model.errors import InputError
from policyengine.publish import head as heads
from policyengine.publish.object_lock import (
    PART,
    Digest,
    Lock,
    Locked,
    check_bucket,
    digest_of,
    region_of,
    write_once,
)
from policyengine.publish.ports import Store

Json = dict[str, Any]
SCHEMA: Final = "policyengine/anchor/v1"


class Anchored(NamedTuple):
    """What was written. ``head`` is None where the file is no bundle, or the bucket's head is the same or later; ``note``
    says what is worth saying of the chain, "" where nothing is."""

    file: Locked
    head: Locked | None
    receipt: Path | None
    note: str


def anchor(
    store: Store, path: Path, bucket: str, region: str, prefix: str, lock: Lock, *, part: int = PART
) -> Anchored:
    """Write a file under Object Lock, the head of its chain where it is a bundle, and the receipt.

    ``prefix`` is empty or ends with a slash; ``region`` is where the bucket is asked for. Raises InputError, CallFailed;
    nothing is written where the chain forks.
    """
    check_bucket(store, bucket)
    new, note, current = heads.head_of(path), "", None
    if new is not None:
        current = heads.current_head(store, prefix + heads.NAME)
        note = heads.check_chain(current, new)
    file = write_once(store, path, prefix + path.name, lock, part=part)
    head = None if new is None else heads.write_head(store, prefix + heads.NAME, current, new, lock)
    place = {"bucket": bucket, "region": region_of(store, region)}
    receipt = _write_receipt(path, _receipt(path, digest_of(path), place, new, file, head))
    return Anchored(file, head, receipt, note)


def preview(store: Store, path: Path, bucket: str, prefix: str) -> str:
    """Return what :func:`anchor` would do, having read only. Raises InputError, CallFailed."""
    check_bucket(store, bucket)
    digest, new = digest_of(path), heads.head_of(path)
    told = f"would write s3://{bucket}/{prefix}{path.name}, {digest.size:,} bytes, sha256 {digest.sha256}"
    if new is None:
        return f"{told}; it is no bundle of evidence, and has no head"
    note = heads.check_chain(heads.current_head(store, prefix + heads.NAME), new)
    return f"{told}, and the head of the chain, bundle {new.sequence}{f' ({note})' if note else ''}"


def _receipt(
    path: Path, digest: Digest, place: Json, new: heads.Head | None, file: Locked, head: Locked | None
) -> Json:
    return {
        "schema": SCHEMA,
        "kind": "s3-object-lock",
        "file": {"name": path.name, "sha256": digest.sha256, "size": digest.size},
        "head": None if new is None else json.loads(new.to_bytes()),
        **place,
        "object": _version(file),
        "head_object": None if head is None else _version(head),
    }


def _version(locked: Locked) -> Json:
    return {
        "key": locked.key, "version_id": locked.version, "mode": locked.mode, "retain_until": locked.until,
        "checksum_sha256": locked.checksum, "written_at": locked.modified,
    }  # fmt: skip


def _write_receipt(path: Path, receipt: Json) -> Path:
    """Write the receipt whole or not at all; one that is there stays as it is where it names a head that this one has no
    version of."""
    folder = path.parent / "anchors"
    target = folder / f"{path.name}.s3.json"
    if receipt["head_object"] is None and (kept := _head_object(target, receipt)) is not None:
        receipt = {**receipt, "head_object": kept}
    try:
        folder.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=folder, prefix=".")
        with os.fdopen(handle, "w", encoding="ascii") as out:
            out.write(json.dumps(receipt, indent=1, sort_keys=True) + "\n")
        made = Path(name)
        made.chmod(0o644)
        made.replace(target)
    except OSError as error:
        raise InputError(
            f"everything is locked in s3://{receipt['bucket']}, but the receipt `{target}` cannot be written: "
            f"{(error.strerror or 'error').lower()}; publish again"
        ) from error
    return target


def _head_object(target: Path, receipt: Json) -> Json | None:
    """Return the version of the head that an earlier receipt of the same bundle in the same bucket names."""
    try:
        old = json.loads(target.read_bytes())
        same = all(old[key] == receipt[key] for key in ("schema", "bucket", "head", "file", "object"))
        found = old["head_object"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return found if same and isinstance(found, dict) else None
