"""Set the default encryption of a bucket; what is encrypted with a KMS key stays so."""

from __future__ import annotations

from typing import Any

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

_DEFAULT = "ApplyServerSideEncryptionByDefault"


def image(target: Target, read: Reader) -> Json:
    """Return the rules of the default encryption.

    AWS has one for every bucket since January 2023; emulators and older snapshots may have none:
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
    """
    found = read.call(
        "s3",
        "GetBucketEncryption",
        {"Bucket": target.id, "ExpectedBucketOwner": target.account},
        none=("ServerSideEncryptionConfigurationNotFoundError",),
    )
    rules = None if found is None else found["ServerSideEncryptionConfiguration"]["Rules"]
    return {"rules": None if rules is None else [_canonical(rule) for rule in rules]}


def _canonical(rule: Json) -> Json:
    """A bucket key that is off is said or left out."""
    return {**rule, "BucketKeyEnabled": bool(rule.get("BucketKeyEnabled"))}


def plan(target: Target, image: Json) -> Proposal:
    """Change the algorithm of rules without a KMS key; bucket keys and blocked encryption types stay.

    The configuration is replaced whole: https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
    """
    wanted = _wanted(target)
    before = image["rules"]
    rules = [_changed(rule, wanted) for rule in before or [{"BucketKeyEnabled": False}]]
    if rules == before:
        return Proposal(f"new objects are encrypted with {wanted['SSEAlgorithm']} already", after=image)
    bucket = {"Bucket": target.id, "ExpectedBucketOwner": target.account}
    step = Step(
        "encrypt",
        _put(bucket, rules),
        undo=(Call("s3", "DeleteBucketEncryption", bucket) if before is None else _put(bucket, before),),
        why="objects that are there stay as they are; new ones are encrypted so where the uploader asks for nothing",
    )
    return Proposal(
        f"encrypt new objects with {wanted['SSEAlgorithm']}",
        (step,),
        after={"rules": rules},
        concerns=_concerns(wanted),
    )


def _put(bucket: Json, rules: list[Json]) -> Call:
    return Call(
        "s3", "PutBucketEncryption", {**bucket, "ServerSideEncryptionConfiguration": {"Rules": rules}}
    )


def _wanted(target: Target) -> Json:
    algorithm, key = target.parameters["algorithm"], target.parameters["key"]
    if algorithm == "AES256":
        return {"SSEAlgorithm": algorithm}
    if not key.startswith(f"arn:{target.partition}:kms:{target.region}:"):
        raise Refused(
            "unsupported",
            f"`{algorithm}` needs the parameter `key`: the ARN of a KMS key in {target.region}, the bucket's Region; "
            f"found `{key}`",
        )
    return {"SSEAlgorithm": algorithm, "KMSMasterKeyID": key}


def _changed(rule: Json, wanted: Json) -> Json:
    default: Any = rule.get(_DEFAULT) or {}
    if default.get("SSEAlgorithm", "AES256") != "AES256" and wanted["SSEAlgorithm"] == "AES256":
        raise Refused(
            "unsupported",
            f"new objects are encrypted with {default['SSEAlgorithm']}: a KMS key is not taken away",
        )
    if default.get("KMSMasterKeyID"):
        return {**rule, _DEFAULT: {**wanted, "KMSMasterKeyID": default["KMSMasterKeyID"]}}
    return {**rule, _DEFAULT: wanted}


def _concerns(wanted: Json) -> tuple[str, ...]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#require-sse-kms"""
    if wanted["SSEAlgorithm"] == "AES256":
        return ()
    writers = (
        "whoever writes new objects needs kms:GenerateDataKey on the key, and whoever reads them kms:Decrypt"
    )
    return (
        f"{writers}; services that deliver into the bucket may not be able to use it. Nobody checked that",
    )
