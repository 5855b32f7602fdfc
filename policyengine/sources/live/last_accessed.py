"""When the services that a role or user may call were called last: a report AWS makes for each principal.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetServiceLastAccessedDetails.html
"""

from __future__ import annotations

from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Step
from policyengine.sources.live.waiting import until

Json = dict[str, Any]
_GET: Final = "GetServiceLastAccessedDetails"


def _ask(context: Context, item: Json) -> Json:
    job = context.call("iam", "GenerateServiceLastAccessedDetails", {"Arn": item["Arn"]})["JobId"]
    answer = until(
        lambda found: found.get("JobStatus") != "IN_PROGRESS",
        lambda: context.call("iam", _GET, {"JobId": job, "MaxItems": 1000}),
        operation=f"iam:{_GET}",
    )
    services = list(answer.get("ServicesLastAccessed") or ())
    page = answer
    while page.get("IsTruncated") and page.get("Marker"):
        page = context.call("iam", _GET, {"JobId": job, "MaxItems": 1000, "Marker": page["Marker"]})
        services += page.get("ServicesLastAccessed") or ()
    if answer.get("JobStatus") != "COMPLETED":
        text = (answer.get("Error") or {}).get("Message", "")
        code = (answer.get("Error") or {}).get("Code", "JobFailed")
        raise CallFailure(f"iam:{_GET}", "read_error", code, text, context.account.id, context.region)
    return {"JobCompletionDate": answer.get("JobCompletionDate"), "ServicesLastAccessed": services}


def last_accessed_step() -> Step:
    """Return the detail that gives the report; two calls a principal, so a rule must name it."""
    return Step(
        _GET,
        into="ServiceLastAccessedDetails",
        only_named=True,
        ask=_ask,
        calls=("iam:GenerateServiceLastAccessedDetails",),
        gone=("NoSuchEntity",),
    )
