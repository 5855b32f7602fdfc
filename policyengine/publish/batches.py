"""Findings in batches that BatchImportFindings takes.

At most 100 findings, 6 MB a call and 240 KB a finding
(https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html). Kilobytes are taken
as thousands, and sizes are of the text that is sent: the smaller reading of both.
"""

from __future__ import annotations

import json
from typing import Any, Final

Json = dict[str, Any]
MOST: Final = 100
MOST_BYTES: Final = 6_000_000
FINDING_BYTES: Final = 240_000
_AROUND: Final = 100  # {"Findings": []} and room


def size_of(finding: Json) -> int:
    """Return how many bytes botocore sends for a finding."""
    return len(json.dumps(finding)) + 2


class Batch:
    """Findings that are sent together; :meth:`has_room` before :meth:`add`."""

    def __init__(self) -> None:
        self.findings: list[Json] = []
        self._bytes = _AROUND

    def has_room(self, size: int) -> bool:
        """Whether one more finding of this size may be sent with the others."""
        return len(self.findings) < MOST and self._bytes + size <= MOST_BYTES

    def add(self, finding: Json, size: int) -> None:
        """Take one more."""
        self.findings.append(finding)
        self._bytes += size
