"""The function behind the queue that EventBridge's events go to.

Each message is taken for itself: what cannot be done now goes back to the queue, what is not what its sender sends ends in the
dead-letter queue, and the others are done
(https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final

from policyengine.lambdas.log import Log
from policyengine.lambdas.notification import EventError, parse
from policyengine.lambdas.runtime import Runtime

Json = dict[str, Any]
_RUNTIME: Final = Runtime()
LATER: Final = frozenset({"too_young", "busy", "outside_window"})
"""Refusals after which the same event is worth another look."""
STOPPED: Final = frozenset({"limit", "breaker_open", "flapping", "failed", "rolled_back"})
"""Outcomes that somebody has to look at: an alarm counts them."""
DELAY: Final = 300
"""Seconds after which a delayed message comes again; SQS allows 900."""
AGAIN: Final = "policyengine-again"
"""Member of a delayed event that counts how often it was put back."""
MOST_AGAIN: Final = 288
"""A day: what cannot be done until then is found again by AWS Config, and must not go round for ever."""
LEAST_SECONDS: Final = 120.0
"""A change is not begun with less time than this: what is killed in the middle has to wait for its lease to run out."""
RECOVER: Final = "policyengine.recover"


def handler(event: Any, context: Any = None) -> Json:
    """Take a batch of messages; returns those to be delivered again."""
    return Batch(_RUNTIME, context).take(event)


class Batch:
    """One invocation."""

    def __init__(self, runtime: Runtime, context: Any = None) -> None:
        self.runtime = runtime
        self.log = Log("events", str(getattr(context, "aws_request_id", "")))
        runtime.begin(context)

    def take(self, event: Any) -> Json:
        """Work through the records; one that fails does not keep the others from being done."""
        records = event.get("Records") if isinstance(event, Mapping) else None
        if not isinstance(records, list):
            raise EventError("the event has no `Records`: the function expects a batch of SQS messages")
        began = time.perf_counter()
        failed = [each for each in records if not self._taken(each)]
        self.log.correlation = ""
        self.log.metrics(
            {
                "Events": len(records),
                "EventsFailed": len(failed),
                "BatchMilliseconds": (time.perf_counter() - began) * 1000,
            }
        )
        return {"batchItemFailures": [{"itemIdentifier": str(each.get("messageId"))} for each in failed]}

    def _taken(self, record: Any) -> bool:
        try:
            body = parse(record.get("body") if isinstance(record, Mapping) else None, "body")
            self._one(body)
        except EventError as problem:
            self.log.error("not an event of its sender", why=str(problem))
            return False
        except Exception as problem:  # noqa: BLE001  # whatever it is, the message must not be lost
            self.log.error(
                "the event could not be dealt with", error=type(problem).__name__, why=_safe(problem)
            )
            return False
        return True

    def _one(self, body: Mapping[str, Any]) -> None:
        if body.get("detail-type") == RECOVER:
            self._recover()
            return
        from policyengine.lambdas.repairing import reading

        read = reading(self.runtime).read(body)
        self.log.correlation = read.correlation
        if read.ignored:
            self.log.info("nothing to do", why=read.ignored)
            return
        again = False
        for trigger in read.triggers:
            if not self.runtime.clock.left(LEAST_SECONDS):
                again = True
                break
            again |= self._repair(trigger.subject, read.correlation, trigger.not_before)
        if again:
            self._send_later(body)

    def _repair(self, subject: Any, correlation: str, not_before: float) -> bool:
        """Plan, and apply what may run without a person; returns whether to look again later."""
        from policyengine.lambdas.repairing import repair

        who, run = f"event {correlation}", f"event-{correlation}"
        outcome = repair(self.runtime.kernel, subject, who, run, not_before)
        action, refusal = outcome.action, outcome.refusal
        self.log.info(
            "planned" if refusal is None else "refused",
            rule=subject.rule,
            resource=f"{subject.account}/{subject.region}/{subject.type}/{subject.id}",
            action=action.id if action else "",
            state=action.state if action else "",
            code=refusal.code if refusal else (action.code if action else ""),
            why=refusal.text if refusal else (action.reason if action else ""),
        )
        name = refusal.code if refusal else (action.state if action else "none")
        self.log.metrics({"Remediations": 1}, Outcome=name)
        if name in STOPPED:
            self.log.metrics({"RemediationsStopped": 1})
        return (refusal is not None and refusal.code in LATER) or (
            action is not None and action.state == "applied"
        )

    def _recover(self) -> None:
        for outcome in self.runtime.kernel.recover():
            action = outcome.action
            if action is not None:
                self.log.info("went on with", action=action.id, state=action.state, why=action.reason)
                self.log.metrics({"Recovered": 1}, Outcome=action.state)
                stuck = outcome.refusal is not None and outcome.refusal.code != "busy"
                if stuck or action.state in STOPPED:
                    self.log.metrics({"RemediationsStopped": 1})

    def _send_later(self, body: Mapping[str, Any]) -> None:
        """Put the event back for later, for a day at most; without a queue it goes back by failing."""
        import json

        times = body.get(AGAIN, 0)
        times = times if isinstance(times, int) and times >= 0 else MOST_AGAIN
        if times >= MOST_AGAIN:
            self.log.error("given up", why=f"it was looked at again for {MOST_AGAIN * DELAY // 3600} hours")
            self.log.metrics({"RemediationsStopped": 1})
            return
        queue = self.runtime.setting("QUEUE")
        if not queue:
            raise RuntimeError("it is to be looked at later, and POLICYENGINE_QUEUE names no queue")
        arguments = {
            "QueueUrl": queue,
            "MessageBody": json.dumps({**body, AGAIN: times + 1}),
            "DelaySeconds": DELAY,
        }
        self.runtime.own.call("sqs", "SendMessage", arguments, self.runtime.region)


def _safe(problem: Exception) -> str:
    """Words of failed calls are AWS's; those of other mistakes may quote an event."""
    from policyengine.aws.failures import CallFailure

    return str(problem) if isinstance(problem, CallFailure | RuntimeError) else ""
