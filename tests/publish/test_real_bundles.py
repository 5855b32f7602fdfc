"""The head that publishing reads out of a bundle, and keeps, is the head that the verifier means."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.publishing import LiveBucket
from policyengine.evidence import manifest
from policyengine.evidence.chaining import head_of as expected_head
from policyengine.evidence.verify import verify_bundle
from policyengine.model.errors import InputError
from policyengine.publish import head as heads
from policyengine.publish.anchor import anchor
from policyengine.publish.object_lock import Lock
from tests.evidence.building import build, signer

from .cloud import OWN, client, own_accounts
from .test_object_lock import BUCKET, REGION, UNTIL


def published(path: Path) -> Any:
    store = LiveBucket(own_accounts().open(OWN), BUCKET, REGION)
    return anchor(store, path, BUCKET, REGION, "", Lock("GOVERNANCE", UNTIL))


def test_names_are_those_of_the_manifest() -> None:
    assert heads.MANIFEST == manifest.MANIFEST


def test_a_chain_is_anchored_and_its_end_is_missed(aws: str, tmp_path: Path) -> None:
    s3 = client("s3", REGION)
    s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
    key = signer(tmp_path)
    first, second = tmp_path / "1.zip", tmp_path / "2.zip"
    one = build(first, key)
    two = build(second, key, previous=one, run_id="run-2")
    for path, head in ((first, one), (second, two)):
        read = heads.head_of(path)
        assert read is not None
        assert (read.bundle, read.sequence, read.manifest_sha256) == tuple(head)
    assert published(first).note == "" and published(second).note == ""

    kept = tmp_path / "head.json"
    kept.write_bytes(s3.get_object(Bucket=BUCKET, Key="head.json")["Body"].read())
    assert expected_head(str(kept)) == two.manifest_sha256
    given = {"expect_head": expected_head(str(kept))}
    assert verify_bundle(second, [key.public], previous=[first], **given) == []
    [missed] = verify_bundle(first, [key.public], **given)
    assert "the newest bundle is sha256:" in str(missed)

    forged = tmp_path / "forged.zip"
    build(forged, key, previous=one, run_id="run-other")
    with pytest.raises(InputError, match="the chain forks: another bundle has the number 2"):
        published(forged)
