"""The policies that publishing needs: held against the calls in its code and AWS's table of actions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from policyengine.iam.catalogue import catalogue
from policyengine.publish import permissions

CODE = "".join(path.read_text() for path in Path(permissions.__file__).parent.glob("*.py"))
S3 = {
    "GetObjectLockConfiguration": {"s3:GetBucketObjectLockConfiguration"},
    "GetBucketVersioning": {"s3:GetBucketVersioning"},
    "HeadBucket": {"s3:ListBucket"},
    "ListObjectVersions": {"s3:ListBucketVersions"},
    "HeadObject": {"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention", "s3:ListBucket"},
    "GetObject": {"s3:GetObject", "s3:GetObjectVersion", "s3:ListBucket"},
    "PutObject": {"s3:PutObject", "s3:PutObjectRetention"},
    "CreateMultipartUpload": {"s3:PutObject", "s3:PutObjectRetention"},
    "UploadPart": {"s3:PutObject"},
    "CompleteMultipartUpload": {"s3:PutObject"},
    "AbortMultipartUpload": {"s3:AbortMultipartUpload"},
}
"""Operation -> what it takes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html.
Without ListBucket S3 answers 403 where nothing is; retention in the headers of a write takes PutObjectRetention, and
reading it GetObjectRetention (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html)."""


def actions(document: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    for statement in document["Statement"]:
        given = statement["Action"]
        found |= {given} if isinstance(given, str) else set(given)
        assert statement["Effect"] == "Allow" and statement["Resource"] != "*"
    return found


def test_s3_may_do_what_the_code_asks_and_nothing_else() -> None:
    asked = set(re.findall(r'\.call\(\s*"(\w+)"', CODE))
    assert asked == set(S3), "an operation without its permissions, or permissions nobody uses"
    wanted = set().union(*S3.values())
    assert actions(permissions.object_lock("b", "p/")) == wanted
    assert actions(permissions.object_lock("b", "", kms_key="arn:aws:kms:eu-west-1:1:key/k")) == wanted | {
        "kms:GenerateDataKey", "kms:Decrypt",
    }  # fmt: skip


def test_who_writes_evidence_cannot_take_it_back() -> None:
    forbidden = re.compile("Delete|Bypass|PutBucket|PutObjectLegalHold|PutLifecycle", re.IGNORECASE)
    assert not [each for each in actions(permissions.object_lock("b", "p/")) if forbidden.search(each)]


def test_security_hub_may_import_to_the_own_product_and_read() -> None:
    """list_awssecurityhub.html: BatchImportFindings is granted on products, GetFindings on the hub."""
    document = permissions.security_hub("aws-cn")
    assert actions(document) == {"securityhub:BatchImportFindings", "securityhub:GetFindings"}
    assert [s["Resource"] for s in document["Statement"]] == [
        "arn:aws-cn:securityhub:*:*:product/*/default", "arn:aws-cn:securityhub:*:*:hub/default",
    ]  # fmt: skip


def test_the_resources_are_those_the_actions_take() -> None:
    for name, kind in (("BatchImportFindings", "product/"), ("GetFindings", ":hub/default")):
        templates = catalogue().arn_templates(f"securityhub:{name}")
        assert templates is not None and any(kind in template for template in templates)


def test_every_action_is_one_of_awss() -> None:
    documents = (
        permissions.security_hub(),
        permissions.assume("r"),
        permissions.object_lock("b", "p/", kms_key="arn:aws:kms:eu-west-1:1:key/k"),
    )
    for each in set().union(*map(actions, documents)):
        assert catalogue().action(each) is not None, each
        assert catalogue().action(each + "X") is None
