"""What a person accepts is not repaired, nor where that cannot be told; debt of the baseline is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.config.settings import Settings
from policyengine.config.waivers import Baseline, BaselineEntry, Compensating, Waiver, Waiving
from policyengine.engine.pinning import Pins, digest_of_pin
from policyengine.model.finding import Finding
from policyengine.remediate.api import Refused
from policyengine.remediate.guards import failing
from policyengine.remediate.ports import Subject
from policyengine.rules.packs import load_packs
from policyengine.testing.moto_server import ACCOUNT
from policyengine.testing.wire import AwsError
from tests.remediate.conftest import moto, server  # noqa: F401 - fixtures
from tests.remediate.test_observe import REGION, Seen
from tests.waivers.making import CLOSED, waiver

RULE, TYPE = "s3-versioning", "AWS::S3::Bucket"
SAME, ABOVE = "s3-bucket-public-access-block", "s3-account-public-access-block"
YEAR = datetime.now(UTC).year


def accepting(**given: Any) -> Waiver:
    return waiver(**{"granted": f"{YEAR - 1}-01-01", "expires": f"{YEAR + 1}-12-31", **given})


def settings(*waivers: Waiver, baseline: Baseline | None = None, **more: Any) -> Settings:
    rules = {form["id"]: form for form in load_packs().rules if form["id"] in (SAME, ABOVE)}
    return Settings(waiving=Waiving(waivers, baseline, rules=rules), **more)


@pytest.fixture
def bucket(server: str) -> Iterator[str]:  # noqa: F811 - the fixture
    Seen().client("s3").create_bucket(
        Bucket="scratch", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    yield "scratch"


def look(given: Settings, seen: Seen | None = None) -> Finding:
    found = (seen or Seen(given)).look(RULE, TYPE, "scratch").finding
    assert found.verdict == "FAIL"
    return found


def refusal(given: Settings, seen: Seen | None = None) -> Refused:
    with pytest.raises(Refused) as told:
        look(given, seen)
    return told.value


def test_what_is_accepted_is_refused(bucket: str) -> None:
    given = settings(accepting(resources=(bucket,), accounts=(ACCOUNT,)))
    found = look(given)
    assert found.waiver is not None and found.waiver["approver"] == "Ben"
    subject = Subject(RULE, TYPE, bucket, ACCOUNT, REGION)
    with pytest.raises(Refused, match="the finding is waived") as told:
        failing(Seen(given).observer.observe(subject), subject)
    assert told.value.code == "waived"


def test_a_waiver_that_ended_or_is_of_another_refuses_nothing(bucket: str) -> None:
    for one in (
        accepting(expires=f"{YEAR - 1}-06-01"), accepting(resources=("other",)), accepting(accounts=("000000000000",)),
        accepting(tags={"Stage": "dev"}), accepting(refused="unsigned"),
    ):  # fmt: skip
        assert look(settings(one)).waiver is None


def pin_now() -> tuple[Finding, dict[str, str]]:
    """The failure as it is, and what it rests on."""
    seen = Seen(Settings()).look(RULE, TYPE, "scratch")
    return seen.finding, Pins({form["id"]: form for form in load_packs().rules}).of(
        seen.finding, seen.resource
    )


def test_a_pin_is_held_against_what_is_there_now(bucket: str) -> None:
    """Other values than were accepted: a person ends the waiver, or pins it again, before anything is changed."""
    plain, pin = pin_now()
    given = settings(accepting(resources=(bucket,), pins={plain.id: pin}))
    assert look(given).waiver is not None
    Seen().client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    told = refusal(given)
    assert told.code == "waived" and "/VersioningConfiguration changed since it was granted" in told.text
    assert "end it, or pin it again" in told.text


def test_the_pin_of_a_scan_is_that_of_a_look(bucket: str) -> None:
    """What a snapshot holds and what is read of one resource are the same values."""
    from policyengine.remediate.survey import Survey

    seen = Seen(Settings())
    survey = Survey(seen.doors, load_packs(), Settings(), seen.observer._redact, seen.now)
    pins = Pins({form["id"]: form for form in load_packs().rules})
    found = [
        pins.of(f, r) for r, each in survey.findings((RULE,), ACCOUNT, REGION) for f in each if r.id == bucket
    ]
    assert found == [pin_now()[1]]


def test_where_ous_are_not_known_a_waiver_of_one_may_accept_it(bucket: str) -> None:
    told = refusal(settings(accepting(ous=("ou-1",))))
    assert told.code == "not_known" and "waiver W-1 is for the OU ou-1" in told.text
    assert look(settings(accepting(ous=("ou-1",)), ous={ACCOUNT: ("ou-1", "r-1")})).waiver is not None
    assert look(settings(accepting(ous=("ou-1",)), ous={ACCOUNT: ("ou-2", "r-1")})).waiver is None
    assert look(settings(accepting(ous=("ou-1",), resources=("other",)))).waiver is None


@pytest.mark.parametrize("where", [None, "scratch", f"{ACCOUNT}/{REGION}/{TYPE}/scratch"])
def test_a_compensating_rule_is_looked_at(bucket: str, where: str | None) -> None:
    given = settings(accepting(compensating=Compensating(SAME, where)))
    s3 = Seen().client("s3")
    s3.delete_public_access_block(Bucket=bucket)
    lapsed = look(given)
    assert lapsed.waiver is None and f"compensating rule {SAME} is FAIL" in lapsed.message
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=CLOSED)
    assert look(given).waiver is not None


def test_a_compensating_rule_that_cannot_be_told_refuses(bucket: str) -> None:
    given = settings(accepting(compensating=Compensating(SAME)))
    seen = Seen(given)

    def denied(_arguments: Any) -> Any:
        raise AwsError("AccessDenied", "no", 403)

    seen.wire.stubs["s3:GetPublicAccessBlock"] = denied
    told = refusal(given, seen)
    assert told.code == "not_known" and f"a waiver accepts this while {SAME} passes" in told.text


def test_a_compensating_rule_about_the_account(bucket: str) -> None:
    given = settings(accepting(compensating=Compensating(ABOVE)))
    blocked = {"PublicAccessBlockConfiguration": CLOSED}
    for answer, held in (
        (blocked, True),
        (AwsError("NoSuchPublicAccessBlockConfiguration", "none", 404), False),
    ):
        seen = Seen(given)
        seen.wire.stubs["s3control:GetPublicAccessBlock"] = _answering(
            answer
        )  # moto wants a host for each account
        assert (look(given, seen).waiver is not None) is held


def _answering(answer: Any) -> Any:
    def answers(_arguments: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    return answers


def test_debt_of_the_baseline_may_be_paid(bucket: str) -> None:
    plain, pin = pin_now()
    entry = BaselineEntry(plain.id, RULE, plain.identity, digest_of_pin(pin))
    given = settings(baseline=Baseline("base.json", "2026-01-01T00:00:00Z", (entry,)))
    subject = Subject(RULE, TYPE, bucket, ACCOUNT, REGION)
    resource, found = failing(Seen(given).observer.observe(subject), subject)
    assert resource.id == bucket and found.verdict == "FAIL"
    in_it = found._replace(waiver={"kind": "baseline", "id": "base.json", "granted": "2026-01-01"})
    assert failing(Seen(given).observer.observe(subject)._replace(finding=in_it), subject)[1] is in_it


@pytest.mark.parametrize("comp", [None, Compensating(SAME), Compensating(ABOVE)], ids=str)
def test_a_schedule_knows_what_is_accepted_and_what_compensates_it(
    bucket: str, comp: Compensating | None
) -> None:
    """What compensates is read also where no rule of the schedule asks for it."""
    from policyengine.remediate.survey import Survey

    given = settings(accepting(resources=(bucket,), compensating=comp))
    for closed in (True, False):
        seen = Seen(given)
        answer = {"PublicAccessBlockConfiguration": dict.fromkeys(CLOSED, closed)}
        for service in ("s3", "s3control"):  # moto wants a host for each account
            seen.wire.stubs[f"{service}:GetPublicAccessBlock"] = _answering(answer)
        survey = Survey(seen.doors, load_packs(), given, seen.observer._redact, seen.now)
        found = {
            r.id: f for r, each in survey.findings((RULE,), ACCOUNT, REGION) for f in each if r.id == bucket
        }
        held = found[bucket].waiver is not None
        assert held is (closed or comp is None), found[bucket].message


def test_a_plan_from_a_run_leaves_out_what_a_person_accepts() -> None:
    from policyengine.cli.remediate.plan import _is_accepted

    assert _is_accepted({"waiver": {"id": "W-1", "kind": "waiver"}}) and _is_accepted(
        {"waiver": {"id": "W-1"}}
    )
    assert not _is_accepted({"waiver": {"id": "base.json", "kind": "baseline"}})
    assert not _is_accepted({"waiver": None}) and not _is_accepted({})
