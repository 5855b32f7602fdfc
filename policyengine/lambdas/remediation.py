"""The target that SSM documents and people call: plans, and applies what may run without a person.

The request names a resource, never what to do with it: the kernel reads and judges it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from policyengine.aws.region_names import REGION_NAME
from policyengine.lambdas.log import Log
from policyengine.lambdas.notification import PREFIX, EventError
from policyengine.lambdas.runtime import Runtime
from policyengine.model.account_id import ACCOUNT_ID
from policyengine.remediate.ports import Subject

Json = dict[str, Any]
_RUNTIME: Final = Runtime()
_FIELDS: Final = {
    "rule": re.compile(r"[a-z][a-z0-9-]{0,127}"),
    "resource_type": re.compile(r"[A-Za-z0-9]+::[A-Za-z0-9]*::[A-Za-z0-9]+"),
    "resource_id": re.compile(r"[ -~]{1,2048}"),
    "account": ACCOUNT_ID,
    "region": re.compile(rf"global|{REGION_NAME}"),
    "requested_by": re.compile(r"[ -~]{1,200}"),
}


def handler(event: Any, context: Any = None) -> Json:
    """Return ``{action, state, code, reason, plan_hash}`` of one request. Raises EventError, StoreError."""
    return Repairing(_RUNTIME, context).answer(event)


class Repairing:
    """One invocation."""

    def __init__(self, runtime: Runtime, context: Any = None) -> None:
        self.runtime = runtime
        self.log = Log("remediation", str(getattr(context, "aws_request_id", "")))
        runtime.begin(context)

    def answer(self, event: Any) -> Json:
        """Deal with one request."""
        given = self._checked(event)
        subject = Subject(
            given["rule"], given["resource_type"], given["resource_id"], given["account"], given["region"]
        )
        self.log.correlation = self.log.request
        if subject.account not in self.runtime.accounts:
            raise EventError(f"account {subject.account} is none this may act on")
        if not self.runtime.acts_on(subject.region):
            raise EventError(
                f"resources of {subject.region} are changed by the stack of their own region, not in {self.runtime.region}"
            )
        from policyengine.lambdas.repairing import repair

        kernel = self.runtime.kernel
        outcome = repair(kernel, subject, given["requested_by"], f"call-{self.log.request}")
        action, refusal = outcome.action, outcome.refusal
        answer = {
            "action": action.id if action else None,
            "state": action.state if action else "refused",
            "code": refusal.code if refusal else (action.code if action else ""),
            "reason": refusal.text if refusal else (action.reason if action else ""),
            "plan_hash": action.plan_hash if action else None,
        }
        self.log.info("answered", rule=subject.rule, **{k: v for k, v in answer.items() if v})
        return answer

    def _checked(self, event: Any) -> dict[str, str]:
        if not isinstance(event, Mapping):
            raise EventError("the request is no object")
        given = {name: event.get(name) for name in _FIELDS}
        config_rule = event.get("config_rule")
        if given["rule"] is None and isinstance(config_rule, str) and config_rule.startswith(PREFIX):
            given["rule"] = config_rule.removeprefix(PREFIX)
        more = sorted(set(event) - {*_FIELDS, "config_rule"})
        if more:
            raise EventError(f"`{str(more[0])[:40]}` is no field of a request; they are {', '.join(_FIELDS)}")
        for name, pattern in _FIELDS.items():
            value = given[name]
            if not isinstance(value, str) or not pattern.fullmatch(value):
                raise EventError(f"`{name}` is missing or not of its form")
        return {name: str(value) for name, value in given.items()}
