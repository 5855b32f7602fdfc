"""Events of EventBridge as questions: which resource should be looked at, by which rule.

An event is a reason to look and nothing more. What it says of the resource is not used; whom it names must be one of the
accounts this may act on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from policyengine.aws.region_names import REGION_NAME
from policyengine.catalog import registry
from policyengine.lambdas.bundle import Bundle
from policyengine.lambdas.evaluations import NOT_DETERMINED
from policyengine.lambdas.notification import PREFIX, EventError
from policyengine.lambdas.trail import ACCOUNT, CALLS, REGION, names_in
from policyengine.model.account_id import ACCOUNT_ID
from policyengine.remediate.ports import Subject

Json = dict[str, Any]
COMPLIANCE: Final = "Config Rules Compliance Change"
API_CALL: Final = "AWS API Call via CloudTrail"
FINDINGS: Final = "Security Hub Findings - Imported"
GENERATOR: Final = "policyengine/"
_REGION: Final = re.compile(REGION_NAME)
_TYPE: Final = re.compile(r"[A-Za-z0-9]+::[A-Za-z0-9]*::[A-Za-z0-9]+")


class Trigger(NamedTuple):
    """One question. ``not_before`` (seconds since the epoch) is when what was just made may be judged."""

    subject: Subject
    not_before: float = 0.0


class Read(NamedTuple):
    """What an event asks. ``correlation`` is the event's id; ``ignored`` says why it asks nothing."""

    correlation: str
    triggers: tuple[Trigger, ...]
    ignored: str = ""


class Reading:
    """Reads events. ``ours``: whether a principal's ARN is one of remediation's own, whose calls start nothing. ``here``:
    whether resources of a region (``global`` too) are acted on here, and not by the stack of another region, which has
    leases and limits of its own."""

    def __init__(
        self,
        bundle: Bundle,
        remediated: Mapping[str, tuple[str, ...]],
        accounts: Iterable[str],
        settling: int,
        ours: Callable[[str], bool] = lambda arn: False,
        here: Callable[[str], bool] = lambda region: True,
    ) -> None:
        self._bundle = bundle
        self._remediated = remediated
        self._accounts = frozenset(accounts)
        self._settling = settling
        self._ours = ours
        self._here = here

    def read(self, event: Any) -> Read:
        """Return what an event asks. Raises EventError for what no sender sends, or is about an account of others."""
        if not isinstance(event, Mapping):
            raise EventError("the event is no object")
        detail = event.get("detail")
        if not isinstance(detail, Mapping):
            raise EventError("the event has no `detail`")
        kind = event.get("detail-type")
        correlation = _matching(event, "id", re.compile(r"[A-Za-z0-9-]{1,64}"))
        readers = {COMPLIANCE: self._compliance, API_CALL: self._call, FINDINGS: self._findings}
        if kind not in readers:
            raise EventError(
                f"`detail-type` is `{str(kind)[:60]}`, expected one of {', '.join(sorted(readers))}"
            )
        found = readers[kind](event, detail)
        if isinstance(found, str):
            return Read(correlation, (), found)
        triggers = tuple(found)
        for trigger in triggers:
            if trigger.subject.account not in self._accounts:
                raise EventError(
                    f"it is about account {trigger.subject.account}, which is none this may act on"
                )
        own = tuple(trigger for trigger in triggers if self._here(trigger.subject.region))
        if triggers and not own:
            return Read(correlation, (), f"resources of {triggers[0].subject.region} are not acted on here")
        return Read(correlation, own, "" if own else "no rule with a remediation is about it")

    def _compliance(self, event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Trigger] | str:
        """https://docs.aws.amazon.com/config/latest/developerguide/monitor-config-with-cloudwatchevents.html"""
        result = detail.get("newEvaluationResult")
        if not isinstance(result, Mapping) or result.get("complianceType") != "NON_COMPLIANT":
            return "the resource is not NON_COMPLIANT"
        if str(result.get("annotation") or "").startswith(NOT_DETERMINED):
            return "it is not determined whether the resource complies"
        name = str(detail.get("configRuleName") or "")
        if not name.startswith(PREFIX):
            return "the Config rule is none of ours"
        account = _matching(detail, "awsAccountId", ACCOUNT_ID)
        if event.get("account") not in (None, account):
            raise EventError(f"the event is of account {str(event['account'])[:20]}, its detail of {account}")
        region = _matching(detail, "awsRegion", _REGION)
        type = _matching(detail, "resourceType", _TYPE)
        return self._subjects(
            [name.removeprefix(PREFIX)], type, [_name(detail.get("resourceId"))], account, region
        )

    def _call(self, event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Trigger] | str:
        if detail.get("errorCode"):
            return "the call failed"
        if detail.get("readOnly") is True:
            return "the call only reads"
        actor = detail.get("userIdentity")
        arn = str(actor.get("arn") or "") if isinstance(actor, Mapping) else ""
        if self._ours(arn):
            return "remediation itself made the call"
        about = CALLS.get((str(detail.get("eventSource")), str(detail.get("eventName"))))
        if about is None:
            return "the call is none that is watched"
        account = _matching(detail, "recipientAccountId", ACCOUNT_ID)
        region = _matching(detail, "awsRegion", _REGION)
        names = names_in(detail, about.path) if about.path else [account]
        if not names:
            return f"the record does not name the resource at `{about.path}`"
        rules = [rule for rule, types in self._remediated.items() if about.type in types]
        later = _seconds(detail.get("eventTime")) + self._settling if about.new else 0.0
        return self._subjects(rules, about.type, names, account, region, later)

    def _findings(self, event: Mapping[str, Any], detail: Mapping[str, Any]) -> Iterator[Trigger] | str:
        """https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-cwe-event-formats.html"""
        found = detail.get("findings")
        if not isinstance(found, list):
            raise EventError("`findings` is no list")
        return [
            trigger for each in found if isinstance(each, Mapping) for trigger in self._finding(each)
        ].__iter__()

    def _finding(self, finding: Mapping[str, Any]) -> Iterator[Trigger]:
        compliance = finding.get("Compliance")
        workflow = finding.get("Workflow")
        if not isinstance(compliance, Mapping) or compliance.get("Status") != "FAILED":
            return
        if finding.get("RecordState") != "ACTIVE":
            return
        if isinstance(workflow, Mapping) and workflow.get("Status") in ("SUPPRESSED", "RESOLVED"):
            return
        account = _matching(finding, "AwsAccountId", ACCOUNT_ID)
        rules = list(self._named_by(str(finding.get("GeneratorId") or ""), compliance))
        for resource in finding.get("Resources") or ():
            if not isinstance(resource, Mapping):
                continue
            region = _matching(resource if resource.get("Region") else finding, "Region", _REGION)
            for rule in rules:
                for type in self._remediated[rule]:
                    yield from self._subjects([rule], type, [_name(resource.get("Id"))], account, region)

    def _named_by(self, generator: str, compliance: Mapping[str, Any]) -> Iterator[str]:
        """Ours by the generator; AWS's own by the control that one of our rules decides."""
        if generator.startswith(GENERATOR):
            rule = generator.removeprefix(GENERATOR)
            yield from (rule,) if rule in self._remediated else ()
            return
        control = compliance.get("SecurityControlId")
        for form in self._bundle.pack.rules:
            if form["id"] in self._remediated and control in form["frameworks"].get("aws-fsbp", ()):
                yield form["id"]

    def _subjects(
        self,
        rules: Iterable[str],
        type: str,
        names: Iterable[str],
        account: str,
        region: str,
        later: float = 0.0,
    ) -> Iterator[Trigger]:
        spec = registry.spec(type)
        own = "global" if type == ACCOUNT or (spec is not None and spec.is_global) else region
        for rule in rules:
            if type not in self._remediated.get(rule, ()):
                continue
            for name in names:
                id = account if type in (ACCOUNT, REGION) else name
                yield Trigger(Subject(rule, type, id, account, own), later)


def _matching(given: Mapping[str, Any], name: str, pattern: re.Pattern[str]) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise EventError(f"`{name}` is missing or not what AWS writes there")
    return value


def _name(value: Any) -> str:
    """A name is only ever compared and looked up; what no AWS name is like is refused all the same."""
    if not isinstance(value, str) or not 0 < len(value) <= 2048 or not value.isprintable():
        raise EventError("the resource's id is missing or not printable")
    return value


def _seconds(value: Any) -> float:
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        raise EventError("`eventTime` is no time") from None
