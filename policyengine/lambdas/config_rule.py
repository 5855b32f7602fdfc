"""The function behind AWS Config custom rules; one serves any number of them.

UNKNOWN goes out as NON_COMPLIANT, because AWS Config takes no "not determined" from a custom rule, with an annotation that
says so; nothing that starts a repair looks at such an answer, and our own store keeps UNKNOWN.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from policyengine.lambdas.evaluations import Evaluation, evaluation_of, put, reported
from policyengine.lambdas.judge import worst_first
from policyengine.lambdas.log import Log
from policyengine.lambdas.notification import CHANGE, OVERSIZED, Notification, read_notification
from policyengine.lambdas.runtime import Runtime
from policyengine.model.finding import Finding
from policyengine.model.reasons import UNKNOWN
from policyengine.model.resource import Resource
from policyengine.sources.config.item import read_item
from policyengine.sources.config.mapping import exists, to_resource
from policyengine.store.verdicts import Verdict

Json = dict[str, Any]
_RUNTIME: Final = Runtime()


def handler(event: Any, context: Any = None) -> Json:
    """Answer AWS Config. Raises EventError, BundleError, CallFailure, NotTakenError: AWS Config then asks again."""
    return Answering(_RUNTIME, context).answer(event)


class Answering:
    """One invocation."""

    def __init__(self, runtime: Runtime, context: Any = None) -> None:
        self.runtime = runtime
        self.log = Log("config-rule", str(getattr(context, "aws_request_id", "")))
        runtime.begin(context)

    def answer(self, event: Any) -> Json:
        """Evaluate and hand over; returns counts by compliance."""
        began = time.perf_counter()
        asked = read_notification(event)
        self.log.correlation = f"{asked.config_rule}/{asked.item.get('resourceId') or asked.created}"
        unknown = [rule for rule in asked.rules if self.runtime.bundle.rule(rule) is None]
        if unknown:
            self.log.error(
                "rules that were not deployed", rules=",".join(unknown), config_rule=asked.config_rule
            )
        rules = tuple(rule for rule in asked.rules if rule not in unknown)
        if asked.kind in (CHANGE, OVERSIZED):
            evaluations: Iterable[Evaluation] = [self._of_item(asked, rules)]
        else:
            evaluations = self._scheduled(asked, rules)
        return self._put(asked, list(evaluations), began)

    def _put(self, asked: Notification, evaluations: list[Evaluation], began: float) -> Json:
        account = self.runtime.own
        wait = self.runtime.clock.wait
        put(account, evaluations, asked.token, self.runtime.region, wait)
        counts: Json = {}
        for each in evaluations:
            counts[each.compliance] = counts.get(each.compliance, 0) + 1
        self.log.info("evaluated", config_rule=asked.config_rule, **counts)
        self.log.metrics(
            {"Evaluations": len(evaluations), "EvaluationMilliseconds": (time.perf_counter() - began) * 1000}
        )
        return counts

    def _of_item(self, asked: Notification, rules: tuple[str, ...]) -> Evaluation:
        raw = asked.item
        gone = asked.left_scope or str(raw.get("configurationItemStatus")).startswith("ResourceDeleted")
        if not gone and asked.kind == OVERSIZED:
            raw = self._whole(raw)
        item = read_item({"configuration": {}, **raw} if gone else raw)
        at = item.captured or asked.created
        if gone or not exists(item):
            return Evaluation(item.type, item.id, "NOT_APPLICABLE", "", at)
        resource = to_resource(item)
        findings = self._judged(resource, rules)
        self._keep(findings, at)
        return evaluation_of(item.type, item.id, findings, at)

    def _whole(self, summary: Mapping[str, Any]) -> Json:
        """Fetch the item that was too large for a notification.

        https://docs.aws.amazon.com/config/latest/APIReference/API_GetResourceConfigHistory.html
        """
        arguments = {
            "resourceType": summary["resourceType"],
            "resourceId": summary["resourceId"],
            "laterTime": summary["configurationItemCaptureTime"],
            "limit": 1,
        }
        answer = self.runtime.own.call("config", "GetResourceConfigHistory", arguments, self.runtime.region)
        items = answer.get("configurationItems") or ()
        if not items:
            raise LookupError(f"AWS Config has no item of {summary['resourceType']} for its own notification")
        item: Json = dict(items[0])
        captured = item.get("configurationItemCaptureTime")
        if isinstance(captured, datetime):
            item["configurationItemCaptureTime"] = captured.isoformat()
        return item

    def _judged(self, resource: Resource, rules: Iterable[str]) -> list[Finding]:
        """Judge an item; what it does not hold is read from the account where the function may."""
        findings = self.runtime.judge.findings(resource, rules)
        if self.runtime.setting("READ") != "live":
            return findings
        again = [f for f in findings if f.verdict == UNKNOWN and f.reason == "not_collected"]
        if not again:
            return findings
        from policyengine.lambdas.live import judged_live

        read = judged_live(self.runtime, resource, again)
        return sorted([f for f in findings if f not in again] + read, key=worst_first)

    def _scheduled(self, asked: Notification, rules: tuple[str, ...]) -> list[Evaluation]:
        """Evaluate everything the rules are about, and clear what has vanished since the last time."""
        from policyengine.lambdas.live import Judged

        judged = Judged(self.runtime, rules)
        worst: dict[tuple[str, str], list[Finding]] = {}
        for type, id, findings in judged:
            self._keep(findings, asked.created)
            worst.setdefault((type, id), []).extend(findings)
        at = asked.created
        evaluations = [
            evaluation_of(*key, sorted(found, key=worst_first), at) for key, found in worst.items()
        ]
        before = reported(self.runtime.own, asked.config_rule, self.runtime.region)
        for type, call in judged.incomplete.items():
            self.log.error("could not be listed", type=type, call=call, config_rule=asked.config_rule)
        gone = {key for key in before if key not in worst and key[0] not in judged.incomplete}
        return evaluations + [Evaluation(*key, "NOT_APPLICABLE", "", at) for key in sorted(gone)]

    def _keep(self, findings: Iterable[Finding], at: str) -> None:
        store = self.runtime.verdicts
        if store is None:
            return
        kept = [
            Verdict(
                f.account or "",
                f.region or "",
                f.resource_type,
                f.resource_id,
                f.rule,
                f.verdict,
                f.reason,
                f.message,
                at,
            )
            for f in findings
        ]
        store.put(kept, self.runtime.clock.now())
