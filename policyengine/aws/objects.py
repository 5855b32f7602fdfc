"""Objects of S3 as streams: what is below a prefix, and the bytes of one, read piece by piece."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

from policyengine.aws.failures import CallFailure, is_call_failure, read_exception
from policyengine.aws.sessions import Sessions


class Bucket:
    """A bucket, read with the credentials of ``sessions``. botocore finds the bucket's Region by itself."""

    def __init__(self, sessions: Sessions, name: str, region: str = "us-east-1") -> None:
        self.name = name
        self._client = sessions.client(sessions.base, "s3", region)

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys below a prefix, in the order of S3 (UTF-8 bytes), without those of empty objects. Raises CallFailure."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix)
        try:
            for page in pages:
                for item in page.get("Contents", ()):
                    if item.get("Size", 1):
                        yield item["Key"]
        except Exception as problem:
            if not is_call_failure(problem):
                raise
            raise CallFailure("s3:ListObjectsV2", *read_exception(problem)) from None

    def open(self, key: str) -> ObjectStream:
        """Return the bytes of an object. Raises CallFailure."""
        try:
            answer = self._client.get_object(Bucket=self.name, Key=key)
        except Exception as problem:
            if not is_call_failure(problem):
                raise
            raise CallFailure("s3:GetObject", *read_exception(problem)) from None
        return ObjectStream(answer["Body"])


class ObjectStream(io.RawIOBase):
    """The bytes of an object; a connection that breaks off raises OSError with what happened."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def readable(self) -> bool:
        """Return true."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most ``size`` bytes, none at the end."""
        try:
            data: bytes = self._body.read(None if size < 0 else size)
        except Exception as problem:
            if not is_call_failure(problem):
                raise
            error = read_exception(problem).error
            raise OSError(None, f"{error}: the object was not read to its end") from None
        return data

    def close(self) -> None:
        """Let go of the connection."""
        self._body.close()
        super().close()
