"""Evidence under S3 Object Lock, against moto over HTTP: it enforces retention, checksums and conditional writes."""

from __future__ import annotations

import json
import os
import zipfile
from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from policyengine.cli.publishing import LiveBucket
from policyengine.model.errors import InputError
from policyengine.publish import head as heads
from policyengine.publish.anchor import anchor, preview
from policyengine.publish.object_lock import Lock, check_bucket, write_once
from policyengine.publish.ports import CallFailed

from .cloud import OWN, client, own_accounts

BUCKET = "evidence-of-ours"
REGION = "us-east-1"
UNTIL = datetime(2099, 12, 31, 12, 0, 0, tzinfo=UTC)
LOCK = Lock("GOVERNANCE", UNTIL)
WRITES = {"PutObject", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"}


class Recording:
    """The live bucket, with what was asked of it; ``instead`` answers in its place where it gives something."""

    def __init__(self, instead: Any = lambda operation, arguments: None) -> None:
        self.live = LiveBucket(own_accounts().open(OWN), BUCKET, REGION)
        self.asked: list[str] = []
        self._instead = instead

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(operation)
        answer = self._instead(operation, arguments)
        return self.live.call(operation, arguments) if answer is None else answer


@pytest.fixture
def s3(aws: str) -> Any:
    made = client("s3", REGION)
    made.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    return made


def a_file(folder: Path, text: bytes = b"evidence", name: str = "bundle.zip") -> Path:
    path = folder / name
    path.write_bytes(text)
    return path


def bundle(
    folder: Path, sequence: int, previous: heads.Head | None = None, name: str | None = None, more: str = ""
) -> Path:
    """A zip with the manifest of a bundle of evidence, as far as publishing reads it."""
    old = None if previous is None else {"bundle": previous.bundle, "sequence": previous.sequence, "manifest_sha256": previous.manifest_sha256}  # fmt: skip
    manifest = {"bundle": f"{sequence:032x}{more}", "sequence": sequence, "previous": old}
    path = folder / (name or f"bundle-{sequence}.zip")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("MANIFEST.json", json.dumps(manifest))
    return path


def write(path: Path, prefix: str = "soc2/", store: Any = None, lock: Lock = LOCK, **more: Any) -> Any:
    return anchor(store or Recording(), path, BUCKET, REGION, prefix, lock, **more)


def test_a_file_is_written_locked_read_back_and_has_a_receipt(s3: Any, tmp_path: Path) -> None:
    path = a_file(tmp_path)
    done = write(path)
    found = s3.head_object(Bucket=BUCKET, Key="soc2/bundle.zip", ChecksumMode="ENABLED")
    digest = sha256(b"evidence")
    assert found["ObjectLockMode"] == "GOVERNANCE" and found["ObjectLockRetainUntilDate"] == UNTIL
    assert found["ChecksumSHA256"] == b64encode(digest.digest()).decode()
    assert done.file.made and done.file.version == found["VersionId"] and done.head is None
    receipt = json.loads((tmp_path / "anchors/bundle.zip.s3.json").read_text())
    assert receipt["file"] == {"name": "bundle.zip", "sha256": digest.hexdigest(), "size": 8}
    assert receipt["bucket"] == BUCKET and receipt["head"] is None
    assert receipt["object"]["version_id"] == found["VersionId"]
    assert receipt["object"]["retain_until"] == "2099-12-31T12:00:00Z"
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=BUCKET, Key="soc2/bundle.zip", VersionId=found["VersionId"])


def test_compliance_mode_is_what_was_asked_for(s3: Any, tmp_path: Path) -> None:
    done = write(a_file(tmp_path), lock=Lock("COMPLIANCE", UNTIL))
    assert done.file.mode == "COMPLIANCE"
    with pytest.raises(botocore.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(
            Bucket=BUCKET, Key="soc2/bundle.zip", VersionId=done.file.version, BypassGovernanceRetention=True
        )


def test_the_same_file_again_is_as_good_and_another_is_refused(s3: Any, tmp_path: Path) -> None:
    path = a_file(tmp_path)
    first = write(path)
    store = Recording()
    again = write(path, store=store)
    assert not again.file.made and again.file.version == first.file.version
    assert not WRITES & set(store.asked)
    receipt = (tmp_path / "anchors/bundle.zip.s3.json").read_text()
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match="holds something else; it is never written over"):
        write(path)
    assert len(s3.list_object_versions(Bucket=BUCKET)["Versions"]) == 1
    assert (tmp_path / "anchors/bundle.zip.s3.json").read_text() == receipt


def test_nothing_is_written_over_that_came_between_looking_and_writing(s3: Any, tmp_path: Path) -> None:
    def between(operation: str, arguments: Any) -> None:
        if operation == "PutObject":
            s3.put_object(Bucket=BUCKET, Key=arguments["Key"], Body=b"the other one")

    with pytest.raises(InputError, match="never written over"):
        write(a_file(tmp_path), store=Recording(between))
    assert s3.get_object(Bucket=BUCKET, Key="soc2/bundle.zip")["Body"].read() == b"the other one"


def test_an_answer_that_was_lost_is_found_out(s3: Any, tmp_path: Path) -> None:
    """The request arrived, the answer did not, and the repetition met what the first had written."""
    live = Recording().live

    def lost(operation: str, arguments: Any) -> None:
        if operation == "PutObject":
            live.call(operation, arguments)
            arguments["Body"].seek(0)

    done = write(a_file(tmp_path), store=Recording(lost))
    assert not done.file.made
    assert len(s3.list_object_versions(Bucket=BUCKET)["Versions"]) == 1


def test_the_same_file_that_nothing_locks_is_refused(s3: Any, tmp_path: Path) -> None:
    path = a_file(tmp_path)
    s3.put_object(Bucket=BUCKET, Key="soc2/bundle.zip", Body=b"evidence", ChecksumAlgorithm="SHA256")
    with pytest.raises(InputError, match="is not locked"):
        write(path)


def test_a_name_for_another_content_is_no_proof(s3: Any, tmp_path: Path) -> None:
    """Whoever wrote it chose the metadata; the checksum is S3's."""
    path = a_file(tmp_path)
    s3.put_object(
        Bucket=BUCKET, Key="soc2/bundle.zip", Body=b"forgery!", Metadata={"sha256": sha256(b"evidence").hexdigest()},
        ChecksumAlgorithm="SHA256", ObjectLockMode="GOVERNANCE", ObjectLockRetainUntilDate=UNTIL,
    )  # fmt: skip
    with pytest.raises(InputError, match="holds something else"):
        write(path)


def test_a_large_file_is_written_in_parts(s3: Any, tmp_path: Path) -> None:
    size = 5 << 20
    text = os.urandom(2 * size + 17)
    path = a_file(tmp_path, text)
    store = Recording()
    done = write(path, store=store, part=size)
    assert store.asked.count("UploadPart") == 3
    assert done.file.mode == "GOVERNANCE"
    assert s3.get_object(Bucket=BUCKET, Key="soc2/bundle.zip")["Body"].read() == text
    again = write(path, part=size)
    assert not again.file.made
    path.write_bytes(os.urandom(2 * size + 17))
    with pytest.raises(InputError, match="never written over"):
        write(path, part=size)


def test_a_checksum_of_parts_is_read_with_and_without_their_number(s3: Any, tmp_path: Path) -> None:
    """HeadObject of S3 says `…-3` where moto leaves the number out."""
    size = 5 << 20
    path = a_file(tmp_path, os.urandom(2 * size + 17))
    live = Recording().live

    def numbered(operation: str, arguments: Any) -> Any:
        if operation != "HeadObject" or not s3.list_object_versions(Bucket=BUCKET).get("Versions"):
            return None
        found = live.call(operation, arguments)
        return {**found, "ChecksumSHA256": f"{found['ChecksumSHA256']}-3"}

    done = write(path, store=Recording(numbered), part=size)
    assert done.file.made and done.file.checksum.endswith("-3")
    assert not write(path, store=Recording(numbered), part=size).file.made


def test_an_upload_in_parts_that_fails_leaves_nothing(s3: Any, tmp_path: Path) -> None:
    size = 5 << 20
    path = a_file(tmp_path, os.urandom(size * 2))

    def failing(operation: str, arguments: Any) -> None:
        if operation == "UploadPart" and arguments["PartNumber"] == 2:
            raise CallFailed("s3:UploadPart", "InternalError", "")

    with pytest.raises(CallFailed, match="InternalError"):
        write(path, store=Recording(failing), part=size)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    assert "Versions" not in s3.list_object_versions(Bucket=BUCKET)


def test_a_file_that_changes_while_it_is_sent_is_not_written(s3: Any, tmp_path: Path) -> None:
    size = 5 << 20
    path = a_file(tmp_path, os.urandom(size * 2))

    def changing(operation: str, arguments: Any) -> None:
        if operation == "CreateMultipartUpload":
            with path.open("r+b") as file:
                file.write(b"changed")

    with pytest.raises(InputError, match="changed while it was read"):
        write(path, store=Recording(changing), part=size)
    assert "Versions" not in s3.list_object_versions(Bucket=BUCKET)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ObjectLockMode": None}, {"ObjectLockRetainUntilDate": UNTIL - timedelta(days=1)}, {"ChecksumSHA256": "other"},
        {"ContentLength": 3},
    ],
)  # fmt: skip
def test_what_was_not_stored_as_it_was_sent_is_said(s3: Any, tmp_path: Path, wrong: dict[str, Any]) -> None:
    live = Recording().live

    def lying(operation: str, arguments: Any) -> Any:
        return {**live.call(operation, arguments), **wrong} if "VersionId" in arguments else None

    with pytest.raises(InputError, match=f"is not what was written: {next(iter(wrong))}"):
        write(a_file(tmp_path), store=Recording(lying))
    assert not (tmp_path / "anchors").exists()


def test_a_bucket_without_object_lock_is_refused(aws: str, tmp_path: Path) -> None:
    made = client("s3", REGION)
    made.create_bucket(Bucket=BUCKET)
    store = Recording()
    with pytest.raises(InputError, match="has no Object Lock"):
        write(a_file(tmp_path), store=store)
    assert not WRITES & set(store.asked)


def test_a_bucket_whose_versions_are_suspended_is_refused(s3: Any) -> None:
    def suspended(operation: str, arguments: Any) -> Any:
        return {"Status": "Suspended"} if operation == "GetBucketVersioning" else None

    with pytest.raises(InputError, match="keeps no versions"):
        check_bucket(Recording(suspended), BUCKET)


def test_a_call_that_is_denied_is_no_missing_lock(s3: Any) -> None:
    def denied(operation: str, arguments: Any) -> Any:
        raise CallFailed(f"s3:{operation}", "AccessDenied", "no")

    with pytest.raises(CallFailed, match="AccessDenied"):
        check_bucket(Recording(denied), BUCKET)
    with pytest.raises(CallFailed, match="AccessDenied"):
        write_once(Recording(denied), Path(__file__), "key", LOCK)


def test_the_head_of_the_chain_moves_on_as_locked_versions(s3: Any, tmp_path: Path) -> None:
    first = bundle(tmp_path, 1)
    done = write(first)
    head = heads.head_of(first)
    assert head is not None and done.head is not None and done.note == ""
    assert json.loads(s3.get_object(Bucket=BUCKET, Key="soc2/head.json")["Body"].read()) == {
        "bundle": head.bundle, "sequence": 1, "manifest_sha256": head.manifest_sha256,
    }  # fmt: skip
    second = bundle(tmp_path, 2, head)
    after = write(second)
    assert after.head is not None and after.head.version != done.head.version
    versions = list(s3.list_object_versions(Bucket=BUCKET, Prefix="soc2/head.json")["Versions"])
    assert len(versions) == 2
    for version in versions:
        locked = s3.head_object(Bucket=BUCKET, Key="soc2/head.json", VersionId=version["VersionId"])
        assert locked["ObjectLockMode"] == "GOVERNANCE" and locked["ObjectLockRetainUntilDate"] == UNTIL
    receipt = json.loads((tmp_path / "anchors/bundle-2.zip.s3.json").read_text())
    assert receipt["head"]["sequence"] == 2 and receipt["head_object"]["version_id"] == after.head.version


def test_publishing_a_bundle_again_writes_nothing_and_keeps_its_receipt(s3: Any, tmp_path: Path) -> None:
    path = bundle(tmp_path, 1)
    write(path)
    receipt = (tmp_path / "anchors/bundle-1.zip.s3.json").read_text()
    store = Recording()
    again = write(path, store=store)
    assert not WRITES & set(store.asked) and again.head is None
    assert (tmp_path / "anchors/bundle-1.zip.s3.json").read_text() == receipt


def test_a_fork_of_the_chain_is_refused_before_anything_is_written(s3: Any, tmp_path: Path) -> None:
    write(bundle(tmp_path, 1))
    head = heads.head_of(tmp_path / "bundle-1.zip")
    store = Recording()
    with pytest.raises(InputError, match="the chain forks: another bundle has the number 1"):
        write(bundle(tmp_path, 1, name="forged.zip", more="x"), store=store)
    assert head is not None
    stranger = heads.Head("f" * 32, 1, "0" * 64)
    with pytest.raises(InputError, match="bundle 2 does not follow bundle 1"):
        write(bundle(tmp_path, 2, stranger), store=store)
    assert not WRITES & set(store.asked)


def test_an_older_bundle_does_not_take_the_head_back(s3: Any, tmp_path: Path) -> None:
    write(bundle(tmp_path, 5))
    done = write(bundle(tmp_path, 3))
    assert done.file.made and done.head is None
    assert done.note == "the head stays at bundle 5, which is later"
    assert json.loads(s3.get_object(Bucket=BUCKET, Key="soc2/head.json")["Body"].read())["sequence"] == 5


def test_a_gap_is_said(s3: Any, tmp_path: Path) -> None:
    assert write(bundle(tmp_path, 4)).note == "bundles before 4 were not published here"
    assert write(bundle(tmp_path, 8)).note == "bundles 5 to 7 were not published here"


def test_a_head_that_a_delete_marker_hides_is_still_the_head(s3: Any, tmp_path: Path) -> None:
    """Whoever may delete can hide the newest version, and cannot remove it."""
    write(bundle(tmp_path, 5))
    s3.delete_object(Bucket=BUCKET, Key="soc2/head.json")
    with pytest.raises(InputError, match="the chain forks"):
        write(bundle(tmp_path, 5, name="forged.zip", more="x"))
    assert write(bundle(tmp_path, 3)).head is None
    assert write(tmp_path / "bundle-5.zip").head is not None
    assert json.loads(s3.get_object(Bucket=BUCKET, Key="soc2/head.json")["Body"].read())["sequence"] == 5


def test_two_publishers_cannot_both_move_the_head(s3: Any, tmp_path: Path) -> None:
    write(bundle(tmp_path, 1))

    def between(operation: str, arguments: Any) -> None:
        if operation == "PutObject" and arguments["Key"].endswith("head.json"):
            s3.put_object(
                Bucket=BUCKET, Key=arguments["Key"], Body=b'{"bundle":"b","sequence":9,"manifest_sha256":"x"}'
            )

    head = heads.head_of(tmp_path / "bundle-1.zip")
    with pytest.raises(InputError, match="written by somebody else meanwhile"):
        write(bundle(tmp_path, 2, head), store=Recording(between))


@pytest.mark.parametrize(
    "text", [b"", b"no json", b"[]", b'{"bundle":1,"sequence":1,"manifest_sha256":"x"}', b"{" * 9000]
)
def test_what_is_no_head_is_never_overwritten(s3: Any, tmp_path: Path, text: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key="soc2/head.json", Body=text)
    with pytest.raises(InputError, match="is no head of a chain"):
        write(bundle(tmp_path, 1))


@pytest.mark.parametrize("text", ["{}", "[]", "null", '{"bundle":"x","sequence":true,"previous":null}', "no json", '{"bundle":"x","sequence":1,"previous":7}'])  # fmt: skip
def test_what_is_no_bundle_has_no_head(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("MANIFEST.json", text)
    assert heads.head_of(path) is None
    path.write_bytes(b"PK\x03\x04 broken")
    assert heads.head_of(path) is None


def test_looking_writes_nothing(s3: Any, tmp_path: Path) -> None:
    store = Recording()
    told = preview(store, bundle(tmp_path, 1), BUCKET, "soc2/")
    assert "would write s3://evidence-of-ours/soc2/bundle-1.zip" in told and "bundle 1" in told
    assert not WRITES & set(store.asked) and not (tmp_path / "anchors").exists()
    assert "Versions" not in s3.list_object_versions(Bucket=BUCKET)


def test_the_owner_of_the_bucket_is_asked_for_at_every_call(
    s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bucket of that name may be somebody else's
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html)."""
    store = Recording()
    store.live = LiveBucket(own_accounts().open(OWN), BUCKET, REGION, OWN)
    asked: list[Mapping[str, Any]] = []
    account = own_accounts().open(OWN)
    plain = type(account).call
    monkeypatch.setattr(
        type(account), "call", lambda self, *given: (asked.append(given[2]), plain(self, *given))[1]
    )
    write(bundle(tmp_path, 1), store=store)
    write_once(store, a_file(tmp_path, os.urandom(11 << 20)), "large", LOCK, part=5 << 20)
    assert {each["ExpectedBucketOwner"] for each in asked} == {OWN} and len(asked) == len(store.asked)
    assert {"UploadPart", "CompleteMultipartUpload", "GetObjectLockConfiguration"} <= set(store.asked)


def test_the_receipt_names_the_region_of_the_bucket(s3: Any, tmp_path: Path) -> None:
    def elsewhere(operation: str, arguments: Any) -> Any:
        return {"BucketRegion": "eu-central-2"} if operation == "HeadBucket" else None

    write(a_file(tmp_path), store=Recording(elsewhere))
    assert json.loads((tmp_path / "anchors/bundle.zip.s3.json").read_text())["region"] == "eu-central-2"


def test_a_key_encrypts(s3: Any, tmp_path: Path) -> None:
    key = client("kms", REGION).create_key()["KeyMetadata"]["Arn"]
    write(a_file(tmp_path), lock=Lock("GOVERNANCE", UNTIL, key))
    found = s3.head_object(Bucket=BUCKET, Key="soc2/bundle.zip")
    assert (found["ServerSideEncryption"], found["SSEKMSKeyId"]) == ("aws:kms", key)
