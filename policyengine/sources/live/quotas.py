"""How much of its quotas an account uses in a region: a report AWS makes on demand.

https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetQuotaUtilizationReport.html
"""

from __future__ import annotations

from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Step
from policyengine.sources.live.waiting import until

Json = dict[str, Any]
_SERVICE: Final = "service-quotas"
_GET: Final = "GetQuotaUtilizationReport"
_START: Final = "StartQuotaUtilizationReport"


def _ask(context: Context, _item: Json) -> Json:
    report = {"ReportId": context.call(_SERVICE, _START)["ReportId"]}
    answer = until(
        lambda found: found.get("Status") not in ("PENDING", "IN_PROGRESS"),
        lambda: context.call(_SERVICE, _GET, report),
        operation=f"{_SERVICE}:{_GET}",
    )
    if answer.get("Status") != "COMPLETED":
        code, text = answer.get("ErrorCode", "ReportFailed"), answer.get("ErrorMessage", "")
        raise CallFailure(f"{_SERVICE}:{_GET}", "read_error", code, text, context.account.id, context.region)
    quotas = list(answer.get("Quotas") or ())
    page = answer
    while page.get("NextToken"):
        page = context.call(_SERVICE, _GET, {**report, "NextToken": page["NextToken"]})
        quotas += page.get("Quotas") or ()
    return {"Quotas": [_quota(quota) for quota in quotas]}


def _quota(given: Json) -> Json:
    """A quota whose use AWS does not measure has no percentage."""
    return {
        **{name: given.get(name) for name in ("ServiceCode", "QuotaCode", "QuotaName")},
        "Value": given.get("AppliedValue", given.get("DefaultValue")),
        "UtilizationPercent": given.get("Utilization"),
    }


def quotas_step() -> Step:
    """Return the detail that gives the report: two calls and more a region, so a rule must name it."""
    return Step(
        _GET,
        "Quotas",
        into="ServiceQuotas",
        service=_SERVICE,
        ask=_ask,
        calls=(f"{_SERVICE}:{_START}",),
        only_named=True,
    )
