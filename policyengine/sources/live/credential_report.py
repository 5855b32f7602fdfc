"""The credential report of an account: passwords, MFA and root's keys, one row a user.

AWS makes it at most every four hours, and hands out the one it has until then:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_getting-report.html
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from policyengine.aws.failures import CallFailure
from policyengine.sources.live.context import Context
from policyengine.sources.live.waiting import until

Json = dict[str, Any]
OPERATION: Final = "GetCredentialReport"
CALLS: Final = ("iam:GenerateCredentialReport",)
ROOT: Final = "<root_account>"
_NOT_YET: Final = ("ReportNotPresent", "ReportInProgress", "ReportExpired")
_NO_DATE: Final = frozenset({"", "N/A", "n/a", "no_information", "not_supported"})


class Report(NamedTuple):
    """Rows by user name; root's is ``<root_account>``."""

    made: datetime | None
    rows: dict[str, dict[str, str]]


def credential_report(context: Context) -> Report:
    """Return the account's report, asked for once. Raises CallFailure."""
    return context.shared.once(("iam", OPERATION), lambda: _read(context))


def _read(context: Context) -> Report:
    context.call("iam", "GenerateCredentialReport")
    answer = until(
        lambda found: True,
        lambda: context.call("iam", OPERATION),
        operation=f"iam:{OPERATION}",
        unready=_NOT_YET,
    )
    try:
        lines = bytes(answer["Content"]).decode("utf-8").splitlines()
        rows = {row["user"]: row for row in csv.DictReader(lines)}
    except (KeyError, ValueError, csv.Error) as problem:
        raise CallFailure(
            f"iam:{OPERATION}", "read_error", "MalformedAnswer", f"{problem.__class__.__name__}: {problem}",
            context.account.id, context.region,
        ) from None  # fmt: skip
    return Report(answer.get("GeneratedTime"), rows)


def flag(text: str | None) -> bool | None:
    """Return what a column of true and false says; None for ``not_supported`` and what is not there."""
    return {"true": True, "false": False}.get((text or "").casefold())


def date(text: str | None) -> str | None:
    """Return a column's date as RFC 3339 in UTC, as the report has it; None for ``N/A`` and its like."""
    if text is None or text in _NO_DATE:
        return None
    return text.replace("+00:00", "Z")


def latest(texts: Iterable[str | None]) -> str | None:
    """Return the last of several dates."""
    return max((found for text in texts if (found := date(text)) is not None), default=None)
