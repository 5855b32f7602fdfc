"""moto over HTTP with the Security Hub it lacks: a stand-in of ours for BatchImportFindings and GetFindings.

``python -m tests.publish.server PORT``. moto takes any finding from anybody, updates always and filters nothing. Here, from
https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html and the API reference:
only findings of the caller's account and of its default product in the region; each is held against botocore's model and
the documented lengths (``asff_law``), 100 findings, 240 KB each and 6 MB a call; an update that is not later is ignored;
what is the customer's stays; nothing works before Security Hub is enabled. A finding whose title says REFUSE is refused.

S3 in moto forgets the Object Lock of a multipart upload, which CreateMultipartUpload may ask for
(https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html); here it is kept.
"""

from __future__ import annotations

import json
import sys
from contextlib import AbstractContextManager
from typing import Any

from policyengine.testing import moto_server

from .asff_law import MOST_BYTES, NOT_IMPORTED, illegal

CUSTOMERS = ("Workflow", "Note", "UserDefinedFields", "VerificationState", "Severity", "Types")
TESTS = {
    "EQUALS": lambda value, wanted: value == wanted,
    "PREFIX": lambda value, wanted: str(value).startswith(wanted),
}


def running() -> AbstractContextManager[str]:
    """Yield the endpoint of a new server; it ends with the block."""
    return moto_server.running(module="tests.publish.server")


def _complete() -> None:
    from moto.securityhub import models
    from moto.utilities.paginator import paginate

    Backend = models.SecurityHubBackend

    @paginate(pagination_model=Backend.PAGINATION_MODEL)  # type: ignore[misc]  # untyped decorator of moto's
    def get_findings(
        self: Any, filters: Any = None, sort_criteria: Any = None, max_results: Any = None
    ) -> list[dict[str, Any]]:
        del sort_criteria, max_results
        _enabled(self)
        return [f.data for f in self.findings if _matches(f.data, filters or {})]

    def batch_import_findings(
        self: Any, findings: list[dict[str, Any]]
    ) -> tuple[int, int, list[dict[str, Any]]]:
        _enabled(self)
        if not 1 <= len(findings) <= 100 or len(json.dumps({"Findings": findings})) > 6_000_000:
            raise models.RESTError("InvalidInputException", "the batch has too many findings or bytes")
        failed = []
        for finding in findings:
            problem = _refusal(self, finding)
            if problem:
                failed.append(
                    {"Id": finding.get("Id", ""), "ErrorCode": problem[0], "ErrorMessage": problem[1][:400]}
                )
            else:
                _take(self, models.Finding, finding)
        return len(failed), len(findings) - len(failed), failed

    Backend.get_findings = get_findings
    Backend.batch_import_findings = batch_import_findings  # type: ignore[method-assign]  # what moto lacks


def _complete_s3() -> None:
    from moto.s3 import models, utils

    mode, until = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date"
    utils.user_settable_fields |= {mode, until}
    plain = models.S3Backend.complete_multipart_upload

    def complete(self: Any, bucket_name: str, multipart_id: str, body: Any) -> Any:
        asked = self.get_bucket(bucket_name).multiparts[multipart_id].metadata
        key = plain(self, bucket_name, multipart_id, body)
        if key is not None:
            key.lock_mode, key.lock_until = asked.get(mode), asked.get(until)
        return key

    models.S3Backend.complete_multipart_upload = complete  # type: ignore[method-assign]  # what moto lacks


def _enabled(backend: Any) -> None:
    from moto.securityhub import models

    if not backend.enabled:
        text = f"Account {backend.account_id} is not subscribed to AWS Security Hub"
        raise models.RESTError("InvalidAccessException", text)


def _matches(finding: dict[str, Any], filters: dict[str, Any]) -> bool:
    for name, wanted in filters.items():
        if name == "ProductFields":
            found = [finding.get(name, {}).get(each["Key"]) for each in wanted]
        elif name in ("ProductArn", "AwsAccountId", "GeneratorId", "Id"):
            found = [finding.get(name)] * len(wanted)
        else:
            raise AssertionError(f"nobody asked for a filter by {name}")
        if not any(
            TESTS[each["Comparison"]](value, each["Value"]) for value, each in zip(found, wanted, strict=True)
        ):
            return False
    return True


def _refusal(backend: Any, finding: dict[str, Any]) -> tuple[str, str] | None:
    if finding.get("AwsAccountId") != backend.account_id:
        return "InvalidAccess", "the account of the finding is not the caller's"
    product = f":securityhub:{backend.region_name}:{backend.account_id}:product/{backend.account_id}/default"
    if not str(finding.get("ProductArn")).endswith(product):
        return "InvalidAccess", "the product is not that of the account and region"
    if len(json.dumps(finding)) > MOST_BYTES:
        return "InvalidInput", "the finding is too large"
    problems = illegal(finding) + [f"{key} is not a provider's" for key in NOT_IMPORTED if key in finding]
    if "REFUSE" in finding["Title"]:
        problems.append("refused, because it says so")
    return ("InvalidInput", "; ".join(problems)) if problems else None


def _take(backend: Any, kind: Any, finding: dict[str, Any]) -> None:
    provided = finding["FindingProviderFields"]
    added = {f"aws/securityhub/{key}": "x" for key in ("FindingId", "ProductName", "CompanyName")}
    made = {
        "Workflow": {"Status": "NEW"}, "WorkflowState": "NEW", "Severity": {**provided["Severity"], "Normalized": 70},
        "Types": provided["Types"], "Region": backend.region_name, "ProcessedAt": "2026-01-01T00:00:00Z", **finding,
        "ProductFields": {**finding["ProductFields"], **added},
    }  # fmt: skip
    known = next((f for f in backend.findings if f.id == finding["Id"]), None)
    if known is None:
        backend.findings.append(kind(finding["Id"], made))
    elif finding["UpdatedAt"] > known.data["UpdatedAt"]:
        known.data = {**made, **{key: known.data[key] for key in CUSTOMERS if key in known.data}}


if __name__ == "__main__":
    _complete()
    _complete_s3()
    moto_server.main(int(sys.argv[1]))
