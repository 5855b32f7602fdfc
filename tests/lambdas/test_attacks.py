"""Events that would lead to a change nobody wants, or to an answer that is not true."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from policyengine.lambdas.config_rule import Answering
from policyengine.lambdas.events import AGAIN, MOST_AGAIN, Batch
from policyengine.lambdas.notification import EventError
from policyengine.lambdas.remediation import Repairing
from policyengine.lambdas.repairing import is_ours
from policyengine.lambdas.runtime import Clock, Runtime
from policyengine.lambdas.triggers import Reading
from policyengine.model.finding import Finding
from policyengine.model.resource import Resource
from policyengine.remediate.api import Refused
from policyengine.remediate.kernel import Outcome
from tests.lambdas.conftest import chosen

OWN, OTHER = "111122223333", "999988887777"
HERE, ELSEWHERE = "eu-west-1", "us-east-1"
GROUPS, ROLES = "AWS::EC2::SecurityGroup", "AWS::IAM::Role"
RULE = "security-group-admin-ports-closed"


def reading(region: str = HERE) -> Reading:
    bundle: Any = SimpleNamespace(pack=chosen(RULE).pack)
    home = region == "us-east-1"
    return Reading(
        bundle,
        {RULE: (GROUPS,), "roles": (ROLES,)},
        (OWN,),
        300,
        here=lambda r: r == region or (r == "global" and home),
    )


def finding(region: str = HERE, resource: str | None = None, **changes: Any) -> dict[str, Any]:
    about = {
        "Id": f"arn:aws:ec2:{region}:{OWN}:security-group/sg-1",
        **({"Region": resource} if resource else {}),
    }
    given = {
        "AwsAccountId": OWN, "GeneratorId": f"policyengine/{RULE}", "RecordState": "ACTIVE", "Region": region,
        "Compliance": {"Status": "FAILED"}, "Workflow": {"Status": "NEW"}, "Resources": [about], **changes,
    }  # fmt: skip
    return {
        "id": "e",
        "detail-type": "Security Hub Findings - Imported",
        "account": OWN,
        "detail": {"findings": [given]},
    }


# regions and accounts


@pytest.mark.parametrize(
    ("region", "resource"), [(ELSEWHERE, None), (HERE, ELSEWHERE), (ELSEWHERE, ELSEWHERE)]
)
def test_a_finding_of_another_region_starts_nothing_here(region: str, resource: str | None) -> None:
    """Security Hub brings findings of all regions to one (cross-Region aggregation); the stack of each has leases, limits
    and a journal of its own, and two must not change one resource."""
    read = reading().read(finding(region, resource))
    assert read.triggers == () and "not acted on here" in read.ignored
    assert reading(ELSEWHERE).read(finding(ELSEWHERE)).triggers


@pytest.mark.parametrize(("region", "acts"), [(HERE, False), ("us-east-1", True)])
def test_global_resources_are_changed_in_one_region_only(region: str, acts: bool) -> None:
    """AWS Config may record IAM in every region: every stack hears of it, and one acts."""
    result = {"complianceType": "NON_COMPLIANT", "annotation": "a"}
    detail = {
        "resourceId": "AROA", "resourceType": ROLES, "awsRegion": region, "awsAccountId": OWN,
        "configRuleName": "policyengine-roles", "newEvaluationResult": result,
    }  # fmt: skip
    event = {"id": "e", "detail-type": "Config Rules Compliance Change", "account": OWN, "detail": detail}
    assert bool(reading(region).read(event).triggers) is acts


@pytest.mark.parametrize(
    "changes",
    [
        {"AwsAccountId": OTHER},
        {"Region": "eu-west-1; rm"},
        {"Resources": [{"Id": "sg-1\x1b[2J"}]},
        {"Resources": [{"Id": ""}]},
        {"AwsAccountId": "１１１１２２２２３３３３"},
    ],
)
def test_a_forged_finding_is_no_event(changes: dict[str, Any]) -> None:
    with pytest.raises(EventError):
        reading().read(finding(**changes))


@pytest.mark.parametrize(
    ("arn", "own"),
    [
        (f"arn:aws:sts::{OWN}:assumed-role/policyengine-kms-rotation/session", True),
        (f"arn:aws:sts::{OWN}:assumed-role/policyengine-of-somebody/session", False),
        (f"arn:aws:sts::{OWN}:assumed-role/policyengine-kms-rotation-not/session", False),
        (f"arn:aws:sts::{OTHER}:assumed-role/policyengine-kms-rotation/session", False),
        (f"arn:aws:sts::{OWN}:assumed-role/dev/assumed-role:policyengine-kms-rotation", False),
        (f"arn:aws:iam::{OWN}:user/x:assumed-role/policyengine-kms-rotation", False),
        ("", False),
    ],
)
def test_only_the_very_roles_of_remediations_are_ours(arn: str, own: bool) -> None:
    """A role with a name that begins alike would keep its calls from being looked at."""
    assert is_ours("policyengine-", frozenset({"kms_rotation"}), frozenset({OWN}), arn) is own
    assert not is_ours("", frozenset({"kms_rotation"}), frozenset({OWN}), arn)


def runtime(**given: Any) -> Any:
    made = Runtime({"AWS_REGION": HERE, "POLICYENGINE_ACCOUNTS": OWN, "POLICYENGINE_QUEUE": "https://queue"})
    made.__dict__.update(identity=SimpleNamespace(account=OWN, partition="aws"), **given)
    return made


@pytest.mark.parametrize("region", [ELSEWHERE, "global"])
def test_the_remediation_function_refuses_other_regions(region: str) -> None:
    request = {"rule": RULE, "resource_type": GROUPS, "resource_id": "sg-1", "account": OWN, "region": region, "requested_by": "x"}  # fmt: skip
    with pytest.raises(EventError, match="of their own region"):
        Repairing(runtime(kernel=None)).answer(request)


# what cannot be read now


class Blind:
    """An observer that cannot list anything."""

    def observe(self, subject: Any) -> Any:
        raise Refused("not_known", "ec2:DescribeSecurityGroups: RequestLimitExceeded")


def undecided(rule: str) -> Finding:
    return Finding(
        f"f-{rule}", rule, "t", "governance", "high", "UNKNOWN", "not_collected", "it was not collected", GROUPS, "sg-1",
        None, OWN, HERE, None, None, (), None, {}, None, None, (OWN, HERE, GROUPS, "sg-1"),
    )  # fmt: skip


def test_incident_c7n_2824_what_cannot_be_read_stays_unknown_in_aws_config() -> None:
    """It would become NOT_APPLICABLE, and AWS Config would forget that the resource fails."""
    made = runtime(
        judge=SimpleNamespace(findings=lambda *_: [undecided("one"), undecided("two")]), observer=Blind()
    )
    made._environ = {**made._environ, "POLICYENGINE_READ": "live"}
    found = Answering(made)._judged(Resource(GROUPS, "sg-1", OWN, HERE, {}), ("one", "two"))
    assert [(f.rule, f.verdict) for f in found] == [("one", "UNKNOWN"), ("two", "UNKNOWN")]


def test_a_region_that_could_not_be_listed_clears_no_answer_about_the_account() -> None:
    """AWS Config knows ``PolicyEngine::Account::Region`` as the account."""
    from policyengine.lambdas.live import Judged

    failure = SimpleNamespace(detail="ec2:GetEbsEncryptionByDefault: AccessDenied")
    judged = Judged.__new__(Judged)
    judged._survey = SimpleNamespace(incomplete={"PolicyEngine::Account::Region": failure})  # type: ignore[assignment]  # what is asked of it
    assert "AWS::::Account" in judged.incomplete


# again and again


class Sent:
    """Messages that were put back."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []

    def call(self, service: str, operation: str, arguments: dict[str, Any], region: str) -> dict[str, Any]:
        assert (service, operation) == ("sqs", "SendMessage")
        self.bodies.append(json.loads(arguments["MessageBody"]))
        return {}

    def forgive(self) -> None:
        """Nothing was given up."""


class Refusing:
    """A kernel that may not change anything now."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.applied: list[str] = []
        self.asked = self.recovered = 0

    def plan(self, *_: Any, **__: Any) -> Outcome:
        self.asked += 1
        return self.outcome

    def recover(self) -> list[Outcome]:
        self.recovered += 1
        return [self.outcome]

    def apply(self, ids: list[str]) -> list[Outcome]:
        self.applied += ids
        return [self.outcome]


def message(**more: Any) -> dict[str, Any]:
    return {"Records": [{"messageId": "m", "body": json.dumps({**finding(), **more})}]}


def batch(outcome: Outcome, monkeypatch: pytest.MonkeyPatch) -> tuple[Batch, Sent, Refusing]:
    sent, kernel = Sent(), Refusing(outcome)
    made = runtime(own=sent, kernel=kernel)
    monkeypatch.setattr("policyengine.lambdas.repairing.reading", lambda _: reading())
    return Batch(made), sent, kernel


def test_an_event_does_not_go_round_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A freeze of two weeks, or a remediation that needs a window where none is declared."""
    found, sent, _ = batch(Outcome(None, Refused("outside_window", "frozen")), monkeypatch)
    assert found.take(message()) == {"batchItemFailures": []}
    assert [body[AGAIN] for body in sent.bodies] == [1]
    found.take(message(**{AGAIN: MOST_AGAIN - 1}))
    assert sent.bodies[-1][AGAIN] == MOST_AGAIN
    for wrong in (MOST_AGAIN, MOST_AGAIN + 5, -1, "many", None):
        found.take(message(**{AGAIN: wrong}))
    assert len(sent.bodies) == 2


def test_what_was_repaired_and_fails_again_is_not_told_as_repaired(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same request within an hour is the same action, which was verified; the resource fails all the same."""
    action: Any = SimpleNamespace(id="act-1", state="verified", ended=True, code="", reason="r is PASS")
    found, sent, kernel = batch(Outcome(action), monkeypatch)
    found.take(message())
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["Outcome"] for line in told if "Remediations" in line] == ["busy"]
    assert kernel.applied == [] and len(sent.bodies) == 1, "it is looked at again"


def test_a_clock_says_when_no_time_is_left() -> None:
    assert Clock(lambda: 20_500).wait(1.0) is False
    assert Clock(lambda: 60_000).wait(0.0) is True


class Short:
    """A context with little time."""

    aws_request_id = "r"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 90_000


def test_a_change_is_not_begun_when_its_time_would_run_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last messages of a batch, after the others took long to verify: they come again, and nothing is killed halfway."""
    found, sent, kernel = batch(Outcome(None, Refused("busy", "not asked")), monkeypatch)
    found.runtime.begin(Short())
    assert found.take(message()) == {"batchItemFailures": []}
    assert kernel.asked == 0 and len(sent.bodies) == 1


@pytest.mark.parametrize(("code", "alarms"), [("not_known", 1), ("altered", 1), ("busy", 0)])
def test_what_cannot_be_gone_on_with_is_told(
    code: str, alarms: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    action: Any = SimpleNamespace(id="act-1", state="pre_image_saved", reason="")
    found, _, kernel = batch(Outcome(action, Refused(code, "x")), monkeypatch)
    event = {"detail-type": "policyengine.recover", "detail": {}}
    found.take({"Records": [{"messageId": "m", "body": json.dumps(event)}]})
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum(line.get("RemediationsStopped", 0) for line in told) == alarms
    assert kernel.recovered == 1


def test_the_remediation_function_does_not_answer_repaired_either() -> None:
    action: Any = SimpleNamespace(
        id="act-1", state="verified", ended=True, code="", reason="r is PASS", plan_hash="sha256:1"
    )
    kernel = Refusing(Outcome(action))
    request = {"rule": RULE, "resource_type": GROUPS, "resource_id": "sg-1", "account": OWN, "region": HERE, "requested_by": "x"}  # fmt: skip
    answer = Repairing(runtime(kernel=kernel)).answer(request)
    assert answer["code"] == "busy" and "fails again or still" in answer["reason"]
    assert kernel.applied == []
