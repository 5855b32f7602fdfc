"""``sharing.device_acts_for_others``: may the device that carries an IoT policy act for another one?

A policy is held to its device by policy variables, which stand for what the certificate is attached to:
https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-variables.html.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from policyengine.iam.documents import Policy, Statement
from policyengine.iam.domains import any_entity
from policyengine.iam.reason import grants
from policyengine.iam.request_set import read_request_set
from policyengine.rules.iam.held import held, remembered
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import allowed

_EXPECTED: Final = "access to what is another device's"
_VARIABLE: Final = re.compile(r"\$\{iot:[A-Za-z0-9.\[\]]+\}")
_OTHERS: Final = read_request_set(
    {
        "action": [
            "iot:Connect", "iot:Publish", "iot:RetainPublish", "iot:Subscribe", "iot:Receive",
            "iot:GetThingShadow", "iot:UpdateThingShadow", "iot:DeleteThingShadow",
        ],
        "resource": [
            "arn:aws:iot:*:*:client/of-another-device", "arn:aws:iot:*:*:topic/of-another-device/data",
            "arn:aws:iot:*:*:topicfilter/of-another-device/data", "arn:aws:iot:*:*:thing/of-another-device",
        ],
    }
)  # fmt: skip


def device_acts_for_others(subject: Subject) -> Answer:
    """TRUE when the policy lets its device connect, publish, subscribe or keep a shadow as another one."""
    found = held(subject)
    own = [_own(policy) for policy in found.policies]
    answer = remembered(("device",), found.policies, lambda: grants(own, _OTHERS, any_entity()))
    return allowed(found, answer, _EXPECTED)


def _own(policy: Policy) -> Policy:
    """Return a policy as it is for one device."""
    return replace(policy, statements=tuple(_told(statement) for statement in policy.statements))


def _told(statement: Statement) -> Statement:
    conditions = tuple(
        replace(condition, values=tuple(_VARIABLE.sub("this-device", v) for v in condition.values))
        for condition in statement.conditions
    )
    resources = statement.resources
    if resources is not None:
        resources = tuple(_VARIABLE.sub("this-device", resource) for resource in resources)
    return replace(statement, resources=resources, conditions=conditions, compiled=[])
