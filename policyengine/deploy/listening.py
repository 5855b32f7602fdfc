"""Config rules, and the EventBridge rules whose patterns filter before anything runs."""

from __future__ import annotations

import json
from typing import Any, Final

from policyengine.deploy.choice import PREFIX, Choice
from policyengine.deploy.functions import CONFIG_RULE
from policyengine.deploy.parts import arn_of, camel, ref, resource, sub
from policyengine.deploy.storage import TAGS
from policyengine.lambdas.evaluations import NOT_DETERMINED
from policyengine.lambdas.events import RECOVER
from policyengine.lambdas.trail import CALLS
from policyengine.lambdas.triggers import API_CALL, COMPLIANCE, FINDINGS, GENERATOR

Json = dict[str, Any]
HOME_ONLY: Final = frozenset({"iam.amazonaws.com", "organizations.amazonaws.com"})
"""Services whose events arrive in us-east-1 only
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html)."""
_RETRY: Final = {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 20}


def config_rules(choice: Choice) -> Json:
    """Return a Config rule for each rule, and the permission for AWS Config to call the function."""
    found: Json = {
        "ConfigMayCall": resource(
            "AWS::Lambda::Permission",
            {
                "Action": "lambda:InvokeFunction",
                "FunctionName": ref(CONFIG_RULE.id),
                "Principal": "config.amazonaws.com",
                "SourceAccount": ref("AWS::AccountId"),
            },
        )
    }
    for form in choice.pack.rules:
        found[f"Rule{camel(form['id'])}"] = config_rule(
            choice, form, arn_of(CONFIG_RULE.id), ["ConfigMayCall"]
        )
    return found


def config_rule(choice: Choice, form: Json, function: Any, depends: list[str]) -> Json:
    """Return one Config rule: on change where AWS Config records all it is about, else once a day."""
    types = choice.config_types(form)
    messages = ["ConfigurationItemChangeNotification", "OversizedConfigurationItemChangeNotification"]
    details: list[Json] = [{"EventSource": "aws.config", "MessageType": each} for each in messages]
    if not types:
        scheduled = {"MessageType": "ScheduledNotification", "MaximumExecutionFrequency": "TwentyFour_Hours"}
        details = [{"EventSource": "aws.config", **scheduled}]
    properties: Json = {
        "ConfigRuleName": f"{PREFIX}{form['id']}",
        "Description": form["title"][:256],
        "Source": {"Owner": "CUSTOM_LAMBDA", "SourceIdentifier": function, "SourceDetails": details},
        "EvaluationModes": [{"Mode": "DETECTIVE"}],
    }
    if types:
        properties["Scope"] = {"ComplianceResourceTypes": list(types)}
    return resource("AWS::Config::ConfigRule", properties, **({"DependsOn": depends} if depends else {}))


def event_rules(choice: Choice, *, security_hub: bool) -> Json:
    """Return the EventBridge rules into the queue: what cannot start a repair is left out by their patterns."""
    if not choice.remediations:
        return {}
    names = [f"{PREFIX}{rule}" for rule in choice.rules_with(each.id for each in choice.remediations)]
    found = {
        "ComplianceEvents": _rule(
            "compliance", "resources that a Config rule finds not compliant", _compliance(names)
        ),
        "RecoverySchedule": _schedule(),
    }
    for id, name, sources, condition in (
        ("CallEvents", "calls", _watched(choice, home=False), None),
        ("HomeCallEvents", "global-calls", _watched(choice, home=True), "IsHome"),
    ):
        if sources:
            rule = _rule(name, "calls that change what a remediation is about", _calls(sources))
            found[id] = {**rule, **({"Condition": condition} if condition else {})}
    if security_hub:
        found["FindingEvents"] = _rule("findings", "findings of ours in Security Hub", _findings(choice))
    return found


def _rule(name: str, why: str, pattern: Json) -> Json:
    return resource(
        "AWS::Events::Rule",
        {
            "Name": sub(f"${{Name}}-{name}"),
            "Description": f"policyengine: {why}",
            "EventPattern": pattern,
            "State": "ENABLED",
            "Targets": [_target()],
            "Tags": TAGS,
        },
    )


def _target() -> Json:
    return {
        "Id": "queue",
        "Arn": arn_of("Events"),
        "DeadLetterConfig": {"Arn": arn_of("DeadLetters")},
        "RetryPolicy": _RETRY,
    }


def _compliance(names: list[str]) -> Json:
    """INVARIANT: an answer that says "not determined" never comes through; one without an annotation does."""
    annotation: list[Json] = [{"exists": False}, {"anything-but": {"prefix": NOT_DETERMINED}}]
    return {
        "source": ["aws.config"],
        "detail-type": [COMPLIANCE],
        "detail": {
            "configRuleName": names,
            "messageType": ["ComplianceChangeNotification"],
            "newEvaluationResult": {"complianceType": ["NON_COMPLIANT"], "annotation": annotation},
        },
    }


def _watched(choice: Choice, *, home: bool) -> dict[str, list[str]]:
    """Return the calls that are about types of the chosen remediations, by event source."""
    types = choice.types()
    found: dict[str, list[str]] = {}
    for (source, name), about in sorted(CALLS.items()):
        if about.type in types and (source in HOME_ONLY) == home:
            found.setdefault(source, []).append(name)
    return found


def _calls(sources: dict[str, list[str]]) -> Json:
    names = sorted({name for each in sources.values() for name in each})
    return {
        "source": sorted(f"aws.{source.partition('.')[0]}" for source in sources),
        "detail-type": [API_CALL],
        "detail": {"eventSource": sorted(sources), "eventName": names, "errorCode": [{"exists": False}]},
    }


def _findings(choice: Choice) -> Json:
    generators = [f"{GENERATOR}{rule}" for rule in choice.rules_with(each.id for each in choice.remediations)]
    finding = {
        "GeneratorId": generators,
        "Compliance": {"Status": ["FAILED"]},
        "RecordState": ["ACTIVE"],
        "Workflow": {"Status": ["NEW", "NOTIFIED"]},
    }
    return {"source": ["aws.securityhub"], "detail-type": [FINDINGS], "detail": {"findings": finding}}


def _schedule() -> Json:
    """Every quarter of an hour somebody goes on with what a killed function left."""
    event = {"detail-type": RECOVER, "source": "policyengine", "detail": {}}
    return resource(
        "AWS::Events::Rule",
        {
            "Name": sub("${Name}-recover"),
            "Description": "policyengine: going on with what was left behind",
            "ScheduleExpression": "rate(15 minutes)",
            "State": "ENABLED",
            "Targets": [{**_target(), "Input": json.dumps(event, separators=(",", ":"))}],
            "Tags": TAGS,
        },
    )
