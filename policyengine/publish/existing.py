"""What Security Hub has of ours in one place, so that a finding is updated and never made twice."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from policyengine.publish.ports import Hub
from policyengine.reports.asff import PREFIX, product_arn
from policyengine.reports.asff_types import place_of

Json = dict[str, Any]
_REGION: Final = f"{PREFIX}region"
RUN: Final = f"{PREFIX}run"
ARCHIVED_BECAUSE: Final = f"{PREFIX}archived"
_IMPORTED: Final = (
    "SchemaVersion", "Id", "ProductArn", "ProductName", "CompanyName", "GeneratorId", "AwsAccountId", "CreatedAt",
    "FirstObservedAt", "Title", "Description", "Remediation", "Compliance", "FindingProviderFields",
)  # fmt: skip
"""What of a finding is sent again when it is archived; all else is Security Hub's or the customer's."""


class HubPlace(NamedTuple):
    """Resources of an account in a region (``global`` among them), and where their findings are."""

    account: str
    region: str
    partition: str
    hub_region: str

    @classmethod
    def of(cls, account: str, region: str, partition: str) -> HubPlace:
        """Return the place; ``partition`` decides where what is in no region goes."""
        found = place_of(region, f"arn:{partition}:x")
        return cls(account, region, found.partition, found.region)

    @property
    def product_arn(self) -> str:
        """The product that our findings of the account are of."""
        return product_arn(self.partition, self.hub_region, self.account)

    def filters(self) -> Json:
        """Return what GetFindings asks for; the Security Hub of an administrator or of a home region has others' too."""
        return {
            "ProductArn": [{"Value": self.product_arn, "Comparison": "EQUALS"}],
            "AwsAccountId": [{"Value": self.account, "Comparison": "EQUALS"}],
            "GeneratorId": [{"Value": PREFIX, "Comparison": "PREFIX"}],
            "ProductFields": [{"Key": _REGION, "Value": self.region, "Comparison": "EQUALS"}],
        }

    def owns(self, finding: Mapping[str, Any]) -> bool:
        """Whether a finding is one of ours about this place, whatever the filters let through."""
        return (
            finding.get("ProductArn") == self.product_arn
            and finding.get("AwsAccountId") == self.account
            and str(finding.get("GeneratorId", "")).startswith(PREFIX)
            and str(finding.get("Id", "")).startswith(PREFIX)
            and (finding.get("ProductFields") or {}).get(_REGION) == self.region
            and _is_time(finding.get("CreatedAt"))
            and _is_time(finding.get("UpdatedAt"))
        )


class Known(NamedTuple):
    """A finding Security Hub has: what it says as a digest, when it was made and last updated, where its text is."""

    content: bytes
    created: str
    first: str | None
    updated: str
    archived: bool
    offset: int


class Existing:
    """The findings of ours in one place, by Id. Their texts wait on disk. Raises ports.CallFailed while it reads."""

    def __init__(self, hub: Hub, place: HubPlace) -> None:
        self.known: dict[str, Known] = {}
        self._texts = tempfile.SpooledTemporaryFile(max_size=1 << 20)  # noqa: SIM115 - closed by close()
        try:
            for finding in hub.findings(place.account, place.hub_region, place.filters()):
                if place.owns(finding):
                    self._take(finding)
        except BaseException:
            self.close()
            raise

    def _take(self, finding: Json) -> None:
        offset = self._texts.tell()
        self._texts.write(json.dumps(importable(finding)).encode() + b"\n")
        self.known[finding["Id"]] = Known(
            content_of(finding),
            finding["CreatedAt"],
            finding.get("FirstObservedAt"),
            finding["UpdatedAt"],
            finding.get("RecordState") == "ARCHIVED",
            offset,
        )

    def finding(self, known: Known) -> Json:
        """Return the finding as it can be imported again."""
        self._texts.seek(known.offset)
        found: Json = json.loads(self._texts.readline())
        return found

    def ids(self) -> Iterator[str]:
        """Yield the Ids in a fixed order."""
        return iter(sorted(self.known))

    def close(self) -> None:
        """Forget everything."""
        self._texts.close()


def importable(finding: Mapping[str, Any]) -> Json:
    """Return what an import may bring of a finding that Security Hub gave."""
    made = {key: finding[key] for key in _IMPORTED if finding.get(key)}
    made["Resources"] = [_resource(each) for each in finding.get("Resources", ())]
    made["ProductFields"] = _fields(finding)
    return made


def content_of(finding: Mapping[str, Any]) -> bytes:
    """Return a digest of what we say in a finding: not the times, not the run, not what others add to it.

    ``Severity`` and ``Types`` at the top are the customer's to change; ours are ``FindingProviderFields``.
    """
    provided = finding.get("FindingProviderFields") or {}
    fields = _fields(finding)
    fields.pop(RUN, None)
    said = {
        **{key: finding.get(key) for key in ("GeneratorId", "Title", "Description", "Remediation")},
        "Compliance": {
            key: (finding.get("Compliance") or {}).get(key) or None
            for key in ("Status", "StatusReasons", "RelatedRequirements")
        },
        "Resources": [_resource(each) for each in finding.get("Resources", ())],
        "RecordState": finding.get("RecordState") or "ACTIVE",
        "Severity": (provided.get("Severity") or {}).get("Label"),
        "Types": provided.get("Types"),
        "ProductFields": fields,
    }
    return blake2b(json.dumps(said, sort_keys=True).encode(), digest_size=20).digest()


def _is_time(text: Any) -> bool:
    try:
        return bool(datetime.fromisoformat(str(text)))
    except ValueError:
        return False


def _resource(resource: Mapping[str, Any]) -> Json:
    return {key: resource[key] for key in ("Type", "Id", "Partition", "Region") if resource.get(key)}


def _fields(finding: Mapping[str, Any]) -> dict[str, str]:
    return {k: v for k, v in (finding.get("ProductFields") or {}).items() if k.startswith(PREFIX)}
