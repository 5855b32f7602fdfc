"""The bench tells a good handler from bad ones: each law fails for a handler that breaks it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from policyengine.testing.remediations import Bench
from policyengine.testing.wire import AwsError

ROOT = Path(__file__).resolve().parents[2]
DECLARATION = """\
id: tagger
title: Switch versioning on and tag the bucket
version: 1
fixes: [s3-versioning]
types: [AWS::S3::Bucket]
reads: ["s3:GetBucketVersioning", "s3:GetBucketTagging"]
writes: ["s3:PutBucketVersioning", "s3:PutBucketTagging", "s3:DeleteBucketTagging"]
mode: automatic
approvals: 0
destructive: false
reversible: full
window: false
verify_seconds: 1
dangers: None; it is for the bench's own tests.
references: ["https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html"]
"""
HANDLER = """\
from policyengine.remediate.api import Call, Proposal, Step


def image(target, read):
    bucket = {"Bucket": target.id}
    tags = read.call("s3", "GetBucketTagging", bucket, none=["NoSuchTagSet"])
    versioning = read.call("s3", "GetBucketVersioning", bucket)
    return {"on": versioning.get("Status") == "Enabled", "tags": (tags or {}).get("TagSet", [])}


def plan(target, image):
    bucket = {"Bucket": target.id}
    tags = [*image["tags"], {"Key": "repaired", "Value": "yes"}]
    return Proposal(
        "on",
        (
            Step("tag", Call("s3", "PutBucketTagging", {**bucket, "Tagging": {"TagSet": tags}}),
                 undo=(Call("s3", "DeleteBucketTagging", bucket),)),
            Step("on", Call("s3", "PutBucketVersioning", {**bucket, "VersioningConfiguration": {"Status": "Enabled"}}),
                 undo=(Call("s3", "PutBucketVersioning", {**bucket, "VersioningConfiguration": {"Status": "Suspended"}}),)),
        ),
        after={"on": True, "tags": tags},
    )
"""
PLACE = ("s3-versioning", "AWS::S3::Bucket", "a-bucket", "us-east-1")


def bench(tmp_path: Path, *, handler: str = HANDLER, declaration: str = DECLARATION) -> Bench:
    folder = tmp_path / "tagger"
    folder.mkdir()
    (folder / "handler.py").write_text(handler)
    (folder / "remediation.yaml").write_text(declaration)
    made = Bench(folder, tmp_path, set())
    made.client("s3").create_bucket(Bucket="a-bucket")
    return made


def test_a_good_handler_holds_all_laws(server: str, tmp_path: Path) -> None:
    made = bench(tmp_path)
    done = made.laws(*PLACE)
    assert done.state == "verified"
    assert made.used == made.declared
    assert "TagSet" not in str(made.client("s3").get_bucket_versioning(Bucket="a-bucket"))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"Value": "yes"}', '"Value": str(__import__("time").time())}', "two different changes"),
        ('after={"on": True', 'after={"on": False', "the change has not held|is not the plan's `after`"),
        ('{**bucket, "VersioningConfiguration": {"Status": "Enabled"}}', '{**bucket, "VersioningConfiguration": {"Status": "Suspended"}}', "the change has not held"),
        ('undo=(Call("s3", "DeleteBucketTagging", bucket),)', 'undo=(Call("s3", "PutBucketTagging", {**bucket, "Tagging": {"TagSet": tags}}),)', "not all could be taken back|as it was"),
        ('undo=(Call("s3", "DeleteBucketTagging", bucket),)', "undo=()", "fully reversible, but a step has no undo"),
        ('read.call("s3", "GetBucketVersioning", bucket)', 'read.call("s3", "GetBucketAcl", bucket)', "not among its `reads`"),
        ('read.call("s3", "GetBucketVersioning", bucket)', 'read.call("s3", "PutBucketVersioning", bucket)', "not among its `reads`"),
        ('Call("s3", "DeleteBucketTagging", bucket)', 'Call("s3", "DeleteBucket", bucket)', "not among its `writes`"),
        ('"tags": (tags or {})', '"seen": read.call("s3", "GetBucketTagging", bucket), "tags": (tags or {})', "NoSuchTagSet"),
    ],
)  # fmt: skip
def test_a_handler_that_breaks_a_law_is_found(
    server: str, tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in HANDLER
    made = bench(tmp_path, handler=HANDLER.replace(old, new))
    with pytest.raises(AssertionError, match=said):
        made.laws(*PLACE)


def test_a_resource_that_does_not_fail_is_no_trial(server: str, tmp_path: Path) -> None:
    made = bench(tmp_path)
    made.client("s3").put_bucket_versioning(Bucket="a-bucket", VersioningConfiguration={"Status": "Enabled"})
    with pytest.raises(AssertionError, match="it must fail before it can be repaired; PASS"):
        made.laws(*PLACE)
    assert "nothing has to be done" in made.refuses("not_failing", *PLACE)


@pytest.mark.slow
def test_what_only_proposes_is_tried_and_never_applied(server: str, tmp_path: Path) -> None:
    made = bench(tmp_path, declaration=DECLARATION.replace("mode: automatic", "mode: plan"))
    made.laws(*PLACE)


def test_an_operation_that_aws_does_not_have_is_told(server: str, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="GetBucketVersionings"):
        bench(
            tmp_path,
            declaration=DECLARATION.replace('Versioning", "s3:GetBucketT', 'Versionings", "s3:GetBucketT'),
        )


def test_a_refusal_that_is_a_crash_is_no_refusal(server: str, tmp_path: Path) -> None:
    made = bench(tmp_path, handler=HANDLER.replace('versioning.get("Status")', 'versioning["status"]'))
    with pytest.raises(AssertionError, match="the handler crashed: KeyError: 'status'"):
        made.refuses("not_known", *PLACE)


def test_stubs_are_held_against_the_model(server: str, tmp_path: Path) -> None:
    made = bench(tmp_path)
    with pytest.raises(AssertionError, match="AWS has no s3:Nothing"):
        made.stub("s3:Nothing", {})
    made.stub("s3:GetBucketVersioning", {"Status": "Enabled"})
    assert made.client("s3").get_bucket_versioning(Bucket="a-bucket")["Status"] == "Enabled"
    made.stub("s3:GetBucketVersioning", {"State": "Enabled"})
    with pytest.raises(AssertionError, match="has no \\['State'\\]"):
        made.client("s3").get_bucket_versioning(Bucket="a-bucket")

    def denied(arguments: dict[str, str]) -> dict[str, str]:
        raise AwsError("AccessDenied", f"not {arguments['Bucket']}", 403)

    made.stub("s3:GetBucketVersioning", denied)
    assert "UNKNOWN" in str(made.observe(*PLACE).finding)
    assert "s3:GetBucketVersioning" in made.refuses("not_known", *PLACE)


@pytest.mark.slow
def test_what_is_declared_and_never_called_fails_the_module(tmp_path: Path) -> None:
    """The check of remediations/conftest.py, in a pytest of its own."""
    (tmp_path / "conftest.py").write_text((ROOT / "remediations" / "conftest.py").read_text())
    folder = tmp_path / "tagger"
    folder.mkdir()
    (folder / "handler.py").write_text(HANDLER)
    (folder / "test_handler.py").write_text(
        "def test_it(bench):\n"
        "    bench.client('s3').create_bucket(Bucket='a-bucket')\n"
        f"    bench.laws(*{PLACE!r})\n"
    )
    for more, said in (
        ("", "1 passed"),
        ('  - "s3:GetBucketAcl"\n', "declared and never called in a test: ['s3:GetBucketAcl']"),
    ):
        text = DECLARATION
        if more:
            text = text.replace('"s3:GetBucketTagging"]', '"s3:GetBucketTagging", "s3:GetBucketAcl"]')
        (folder / "remediation.yaml").write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "--import-mode=importlib", str(folder)],
            capture_output=True, text=True, check=False, cwd=ROOT,
        )  # fmt: skip
        assert said in done.stdout, done.stdout
