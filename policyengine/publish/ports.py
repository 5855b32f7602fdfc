"""What publishing needs of AWS; ``policyengine.cli.publishing`` gives it from live accounts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

Json = dict[str, Any]


class CallFailed(Exception):
    """A call that gave no answer; ``code`` is AWS's error code, or a word of ours where nothing was sent."""

    def __init__(self, operation: str, code: str, text: str) -> None:
        super().__init__(f"{operation}: {code}{f': {text}' if text else ''}")
        self.operation = operation
        self.code = code
        self.text = text

    @property
    def not_enabled(self) -> bool:
        """Whether Security Hub says that the account does not use it in the region: "is not subscribed to"."""
        return self.code == "InvalidAccessException" and "not subscribed" in self.text


class Refusal(NamedTuple):
    """A finding that Security Hub did not take: its Id, AWS's code and words."""

    id: str
    code: str
    text: str


class Hub(Protocol):
    """Security Hub, with the credentials of the account a finding belongs to: BatchImportFindings takes findings from
    no other (https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html).
    Safe to use from several threads; every method raises CallFailed."""

    def findings(self, account: str, region: str, filters: Mapping[str, Any]) -> Iterator[Json]:
        """Yield findings in ASFF, active and archived (GetFindings)."""
        ...

    def import_findings(self, account: str, region: str, findings: Sequence[Json]) -> list[Refusal]:
        """Import at most 100 findings and return those that were refused (BatchImportFindings)."""
        ...


class Store(Protocol):
    """One S3 bucket. Every method raises CallFailed, with S3's code (``PreconditionFailed``, ``404``)."""

    def call(self, operation: str, arguments: Mapping[str, Any]) -> Json:
        """Return the answer of an operation of S3 on the bucket (``PutObject``), without ``Bucket`` among the arguments."""
        ...
