"""Amazon S3."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec

TYPES = (TypeSpec("AWS::S3::Bucket", names=("BucketName",)),)
