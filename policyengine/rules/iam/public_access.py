"""S3 Block Public Access of a bucket, as far as targets show it."""

from __future__ import annotations

from typing import Any, Final

from policyengine.iam.public_access import PublicAccessBlock
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved

ACCOUNT: Final = "AWS::::Account"
_KEY: Final = "PublicAccessBlockConfiguration"
_FLAGS: Final = {
    "BlockPublicAcls": "block_public_acls",
    "IgnorePublicAcls": "ignore_public_acls",
    "BlockPublicPolicy": "block_public_policy",
    "RestrictPublicBuckets": "restrict_public_buckets",
}

Bounds = tuple[PublicAccessBlock, PublicAccessBlock]
"""The settings that surely hold, and the most that may hold: equal where all is known."""

NOTHING_KNOWN: Final[Bounds] = (PublicAccessBlock(), PublicAccessBlock(True, True, True, True))


def settings(resource: Resource) -> Bounds:
    """Return the settings of a bucket or an account by themselves.

    A bucket or account that exists and shows none has none. In code an absent block depends on when the
    bucket is made: https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
    """
    found = resource.properties.get(_KEY)
    if found is None:
        return NOTHING_KNOWN if resource.file is not None else (PublicAccessBlock(), PublicAccessBlock())
    if not isinstance(found, dict):
        return NOTHING_KNOWN
    answers = {name: _flag(found.get(key, False)) for key, name in _FLAGS.items()}
    return (
        PublicAccessBlock(**{name: answer is True for name, answer in answers.items()}),
        PublicAccessBlock(**{name: answer is not False for name, answer in answers.items()}),
    )


def _flag(value: Any) -> bool | None:
    if isinstance(value, Unresolved):
        return None
    return {"true": True, "false": False}.get(str(value).lower())


def together(bucket: Bounds, account: Bounds) -> Bounds:
    """Return what holds for a bucket: the stricter of its own and its account's settings, each by itself."""
    return _either(bucket[0], account[0]), _either(bucket[1], account[1])


def _either(first: PublicAccessBlock, second: PublicAccessBlock) -> PublicAccessBlock:
    names = _FLAGS.values()
    return PublicAccessBlock(**{name: getattr(first, name) or getattr(second, name) for name in names})
