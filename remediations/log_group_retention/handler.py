"""Give a log group that keeps its events for ever a retention: what is older is deleted, so it is archived first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.log_groups import log_group, retention_wanted

_DAY: Final = 24 * 60 * 60 * 1000
"""In milliseconds, as the API counts."""
_OLDEST_EVENT: Final = 14 * _DAY
"""How much older than its log group an event can be: older ones are not taken
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html)."""
_AT_MOST: Final = re.compile(r"at most (\d{1,6})")


def image(target: Target, read: Reader) -> Json:
    """Return the retention, who set it, since when there can be events, and up to when all of them were exported."""
    found = log_group(read, target.id)
    oldest = found["creationTime"] - _OLDEST_EVENT
    tasks = read.all("logs", "DescribeExportTasks", {"statusCode": "COMPLETED"}, result="exportTasks")
    spans = ((task["from"], task["to"]) for task in tasks if task["logGroupName"] == target.id)
    return {
        "days": found.get("retentionInDays"),
        "policy": found.get("retentionPolicyName"),
        "oldest": oldest,
        "archived_to": _covered(oldest, spans),
    }


def _covered(start: int, spans: Iterable[tuple[int, int]]) -> int:
    """Return how far spans reach from a start without a gap."""
    for begins, ends in sorted(spans):
        if begins > start:
            break
        start = max(start, ends)
    return start


def plan(target: Target, image: Json) -> Proposal:
    """Set a retention where there is none; one that is there is never shortened.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
    """
    days, floor = target.parameters["days"], target.parameters["floor"]
    if image["days"] is not None:
        raise Refused(
            "unsupported",
            f"events are kept for {image['days']} days by somebody's decision, and a retention is not shortened here",
        )
    retention_wanted(days, image["policy"])
    if days < floor:
        raise Refused("unsupported", f"{days} days are below the floor of {floor} days: raise `days`")
    _passes(target, days)
    group = {"logGroupName": target.id}
    step = Step(
        "retain",
        Call("logs", "PutRetentionPolicy", {**group, "retentionInDays": days}),
        undo=(Call("logs", "DeleteRetentionPolicy", group),),
        why=f"events older than {days} days are deleted for ever, now and from then on",
    )
    return Proposal(
        f"keep log events for {days} days, no longer for ever",
        (step,),
        after={**image, "days": days},
        concerns=_concerns(target, image, days),
    )


def _passes(target: Target, days: int) -> None:
    """Refuse what the rule would not accept: the events would be gone, and the finding still there."""
    for evidence in target.finding.evidence:
        found = _AT_MOST.search(evidence.expected or "")
        if found and days > int(found[1]):
            raise Refused("unsupported", f"the rule asks for at most {found[1]} days; `days` is {days}")


def _concerns(target: Target, image: Json, days: int) -> tuple[str, ...]:
    """Refuse to delete what was not exported, or ask, as the parameter says."""
    cutoff = int(datetime.fromisoformat(target.now).timestamp() * 1000) - days * _DAY
    if image["oldest"] >= cutoff:
        return ()
    if image["archived_to"] >= cutoff:
        return (f"history older than {days} days is deleted; it was exported to S3",)
    words = f"history older than {days} days is deleted, and no completed export covers it"
    if target.parameters["unarchived"] == "refuse":
        raise Refused(
            "unsafe",
            f"{words}: export it first (`aws logs create-export-task --from 0`), or set the parameter `unarchived` to "
            "`approve`",
        )
    return (words,)
