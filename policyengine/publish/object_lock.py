"""A file written once into S3 under Object Lock, and read back.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html: a version that is locked in COMPLIANCE mode cannot
be deleted by anybody until its time has come; in GOVERNANCE mode only with a permission of its own. S3 checks the
SHA-256 of what arrives (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html), and
``If-None-Match`` keeps it from being written over
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html).
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from policyengine.model.errors import InputError
from policyengine.publish.ports import CallFailed, Store

Json = dict[str, Any]
PART: Final = 64 << 20
"""Bytes of a part; a file up to this size is sent in one request."""
_MOST_PARTS: Final = 9_000  # S3 takes 10,000
_CHUNK: Final = 1 << 20
_MISSING: Final = ("404", "NoSuchKey", "NotFound")


class Lock(NamedTuple):
    """How versions are locked: GOVERNANCE or COMPLIANCE, until when (UTC, whole seconds), and the KMS key that encrypts
    them, None for the bucket's own."""

    mode: str
    until: datetime
    kms_key: str | None = None

    def arguments(self) -> Json:
        """Return what a write says of it."""
        made: Json = {"ObjectLockMode": self.mode, "ObjectLockRetainUntilDate": self.until}
        if self.kms_key is not None:
            made |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self.kms_key}
        return made


class Digest(NamedTuple):
    """A file by its content; ``sha256`` is hexadecimal."""

    sha256: str
    size: int


class Locked(NamedTuple):
    """A version as S3 says it is. ``until`` and ``modified`` are RFC 3339; ``checksum`` is S3's, of the whole or of parts
    (``…-3``); ``made``: this run wrote it."""

    key: str
    version: str
    mode: str
    until: str
    checksum: str
    modified: str
    made: bool


def check_bucket(store: Store, bucket: str) -> None:
    """Raise InputError unless the bucket keeps versions and can lock them, CallFailed where that cannot be asked."""
    try:
        found = store.call("GetObjectLockConfiguration", {})
    except CallFailed as failure:
        if failure.code != "ObjectLockConfigurationNotFoundError":
            raise
        found = {}
    if (found.get("ObjectLockConfiguration") or {}).get("ObjectLockEnabled") != "Enabled":
        raise InputError(
            f"bucket `{bucket}` has no Object Lock: what is written there can be deleted; enable it "
            "(s3:PutObjectLockConfiguration), or name a bucket that has it",
            code="no_object_lock",
        )
    if store.call("GetBucketVersioning", {}).get("Status") != "Enabled":
        raise InputError(f"bucket `{bucket}` keeps no versions; Object Lock needs them", code="no_versioning")


def region_of(store: Store, otherwise: str) -> str:
    """Return the region a bucket is in, as S3 says it; ``otherwise`` where it does not. Raises CallFailed."""
    return str(store.call("HeadBucket", {}).get("BucketRegion") or otherwise)


def digest_of(path: Path) -> Digest:
    """Return the digest of a file. Raises InputError."""
    digest, size = sha256(), 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {(error.strerror or 'error').lower()}") from error
    return Digest(digest.hexdigest(), size)


def write_once(store: Store, path: Path, key: str, lock: Lock, *, part: int = PART) -> Locked:
    """Write a file at a key where nothing is, and return what S3 then has.

    The same file that is there already is as good. Raises InputError where another one is there, where S3 has something
    else than was sent, or where the file changed meanwhile; CallFailed.
    """
    digest = digest_of(path)
    present = _head(store, key)
    if present is not None:
        return _same(present, key, path, digest, part)
    try:
        with path.open("rb") as file:
            if digest.size <= part:
                expected, version = _at_once(store, file, key, digest, lock)
            else:
                expected, version = _in_parts(store, file, key, digest, lock, part)
    except OSError as error:
        raise InputError(f"`{path}` cannot be read: {(error.strerror or 'error').lower()}") from error
    except CallFailed as failure:
        # an answer that was lost on the way: what was sent may have arrived, and the repetition was refused
        if failure.code != "PreconditionFailed" or (present := _head(store, key)) is None:
            raise
        return _same(present, key, path, digest, part)
    return read_back(store, key, version, lock, expected, digest.size)


def read_back(store: Store, key: str, version: str, lock: Lock, checksum: str, size: int) -> Locked:
    """Return a version as S3 says it is. Raises InputError unless it is locked as asked and holds what was sent."""
    found = store.call("HeadObject", {"Key": key, "VersionId": version, "ChecksumMode": "ENABLED"})
    seen = {**found, "ChecksumSHA256": _value(found.get("ChecksumSHA256"))}
    asked = {
        "ContentLength": size, "ChecksumSHA256": _value(checksum), "ObjectLockMode": lock.mode,
        "ObjectLockRetainUntilDate": lock.until,
    }  # fmt: skip
    wrong = [
        f"{name} is {seen.get(name)}, not {value}" for name, value in asked.items() if seen.get(name) != value
    ]
    if wrong:
        raise InputError(
            f"`{key}` (version {version}) is not what was written: {'; '.join(wrong)}", code="read_back"
        )
    return _locked(found, key, made=True)


def _at_once(store: Store, file: IO[bytes], key: str, digest: Digest, lock: Lock) -> tuple[str, str]:
    checksum = b64encode(bytes.fromhex(digest.sha256)).decode()
    answer = store.call(
        "PutObject",
        {
            "Key": key,
            "IfNoneMatch": "*",
            **checked(file, checksum),
            **_about(key, digest),
            **lock.arguments(),
        },
    )
    return checksum, _version(answer, key)


def _in_parts(
    store: Store, file: IO[bytes], key: str, digest: Digest, lock: Lock, part: int
) -> tuple[str, str]:
    part = _part_size(digest.size, part)
    begun = store.call(
        "CreateMultipartUpload",
        {
            "Key": key,
            "ChecksumAlgorithm": "SHA256",
            "ChecksumType": "COMPOSITE",
            **_about(key, digest),
            **lock.arguments(),
        },
    )
    upload = {"Key": key, "UploadId": begun["UploadId"]}
    whole, together, parts = sha256(), sha256(), []
    try:
        for number, body in enumerate(_parts(file, part), 1):
            whole.update(body)
            one = sha256(body).digest()
            together.update(one)
            checksum = b64encode(one).decode()
            answer = store.call("UploadPart", {**upload, "PartNumber": number, **checked(body, checksum)})
            parts.append({"PartNumber": number, "ETag": answer["ETag"], "ChecksumSHA256": checksum})
        if whole.hexdigest() != digest.sha256:
            raise InputError("the file changed while it was read; nothing was written")
        answer = store.call(
            "CompleteMultipartUpload", {**upload, "MultipartUpload": {"Parts": parts}, "IfNoneMatch": "*"}
        )
    except BaseException:
        _abort(store, upload)
        raise
    return f"{b64encode(together.digest()).decode()}-{len(parts)}", _version(answer, key)


def checked(body: IO[bytes] | bytes, checksum: str) -> Json:
    """Return a body with the SHA-256 that S3 checks it against, in base64."""
    return {"Body": body, "ChecksumSHA256": checksum, "ChecksumAlgorithm": "SHA256"}


def _abort(store: Store, upload: Json) -> None:
    try:
        store.call("AbortMultipartUpload", upload)
    except CallFailed:
        return  # why the upload failed matters more; lifecycle rules end what is left


def _parts(file: IO[bytes], size: int) -> Iterator[bytes]:
    while body := file.read(size):
        yield body


def _about(key: str, digest: Digest) -> Json:
    kind = "application/zip" if key.endswith(".zip") else "application/octet-stream"
    return {"ContentType": kind, "Metadata": {"sha256": digest.sha256}}


def _version(answer: Json, key: str) -> str:
    version = answer.get("VersionId")
    if not version or version == "null":
        raise InputError(
            f"S3 gave `{key}` no version id: the bucket does not keep versions", code="no_versioning"
        )
    return str(version)


def _head(store: Store, key: str) -> Json | None:
    try:
        return store.call("HeadObject", {"Key": key, "ChecksumMode": "ENABLED"})
    except CallFailed as failure:
        if failure.code in _MISSING:
            return None
        raise


def _same(found: Json, key: str, path: Path, digest: Digest, part: int) -> Locked:
    """Refuse what is another file by S3's own checksum, or the same that nothing protects."""
    checksums = {b64encode(bytes.fromhex(digest.sha256)).decode()}
    if digest.size > part:
        checksums.add(_composite(path, part))
    if found.get("ContentLength") != digest.size or _value(found.get("ChecksumSHA256")) not in checksums:
        raise InputError(
            f"`{key}` is there already and holds something else; it is never written over", code="taken"
        )
    if not found.get("ObjectLockMode"):
        raise InputError(
            f"`{key}` is there already and is not locked; lock it or choose another prefix", code="unlocked"
        )
    return _locked(found, key, made=False)


def _value(checksum: Any) -> str:
    """Return a checksum without the number of parts, which S3 does not say everywhere."""
    return str(checksum or "").partition("-")[0]


def _composite(path: Path, part: int) -> str:
    """Return the checksum of a file sent in parts as we send them: that of the digests of the parts
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html)."""
    together = sha256()
    with path.open("rb") as file:
        for body in _parts(file, _part_size(path.stat().st_size, part)):
            together.update(sha256(body).digest())
    return b64encode(together.digest()).decode()


def _part_size(size: int, part: int) -> int:
    return max(part, -(-size // _MOST_PARTS))


def _locked(found: Json, key: str, *, made: bool) -> Locked:
    return Locked(
        key,
        str(found.get("VersionId") or ""),
        str(found["ObjectLockMode"]),
        time_text(found["ObjectLockRetainUntilDate"]),
        str(found.get("ChecksumSHA256") or ""),
        time_text(found["LastModified"]),
        made,
    )


def time_text(time: datetime) -> str:
    """Return a time in RFC 3339, in UTC and whole seconds."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
