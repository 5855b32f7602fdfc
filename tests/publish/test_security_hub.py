"""A run into Security Hub: what is sent, what is archived and what is left alone. Against moto with what it lacks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policyengine.model.errors import InputError
from policyengine.model.finding import Witness
from policyengine.publish.ports import CallFailed, Refusal

from .asff_law import illegal
from .cloud import OTHER, OWN, ROLE, RULE, Counting, enable, finding, live_hub, looking, publish, stored

HERE = (OWN, "eu-west-1")


@pytest.fixture
def hub(aws: str) -> str:
    enable(HERE)
    return aws


def test_failures_and_unknowns_are_imported_and_nothing_else(hub: str) -> None:
    run = [
        finding("bad"),
        finding("dark", "UNKNOWN"),
        finding("good", "PASS"),
        finding("other", "NOT_APPLICABLE"),
    ]
    outcome, used = publish(run, "01")
    assert outcome.sent == {"create": 2} and outcome.problems == []
    found = stored()
    assert {name: f["Compliance"]["Status"] for name, f in found.items()} == {
        "bad": "FAILED",
        "dark": "WARNING",
    }
    assert found["bad"]["Resources"] == [
        {"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::bad", "Partition": "aws", "Region": "eu-west-1"}
    ]
    assert [len(batch) for _, _, batch in used.batches] == [2]
    assert [illegal(each) for _, _, batch in used.batches for each in batch] == [[], []]


def test_the_same_run_again_changes_nothing(hub: str) -> None:
    run = [finding("bad"), finding("dark", "UNKNOWN"), finding("good", "PASS")]
    publish(run, "01")
    before = stored()
    outcome, used = publish(run, "01")
    assert used.batches == [] and not outcome.sent and outcome.unchanged == 2
    assert stored() == before


def test_a_later_run_that_says_the_same_changes_nothing_until_findings_grow_old(hub: str) -> None:
    """Security Hub deletes what nobody updated for 90 days; after 30 it is sent again."""
    publish([finding("bad")], "01")
    _, used = publish([finding("bad")], "30")
    assert used.batches == []
    outcome, _ = publish([finding("bad")], "31")
    assert outcome.sent == {"refresh": 1}
    [one] = stored().values()
    assert (one["CreatedAt"], one["UpdatedAt"]) == ("2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z")


def test_what_changed_is_updated_in_place_and_keeps_when_it_was_made(hub: str) -> None:
    publish([finding("bad")], "01")
    outcome, _ = publish([finding("bad", message="objects are not encrypted")], "02")
    assert outcome.sent == {"update": 1}
    [one] = stored().values()
    assert one["Description"] == "objects are not encrypted"
    assert (one["CreatedAt"], one["FirstObservedAt"]) == ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z")
    assert one["UpdatedAt"] == one["LastObservedAt"] == "2026-01-02T00:00:00Z"


def test_what_the_customer_and_security_hub_add_is_no_change(hub: str) -> None:
    publish([finding("bad")], "01")
    [one] = stored().values()
    assert one["Severity"]["Normalized"] == 70 and "aws/securityhub/FindingId" in one["ProductFields"]
    _, used = publish([finding("bad")], "02")
    assert used.batches == []


def test_what_the_customer_changed_is_not_sent_back() -> None:
    """Severity, types, workflow and notes at the top are theirs."""
    hub = Memory()
    publish([finding("bad")], "01", hub=hub)  # type: ignore[arg-type]  # a hub, though not one that counts
    [one] = hub.held[HERE].values()
    one |= {
        "Severity": {"Label": "LOW"}, "Types": ["Effects"], "Workflow": {"Status": "SUPPRESSED"},
        "Note": {"Text": "x", "UpdatedBy": "me", "UpdatedAt": "2026-01-01T00:00:00Z"}, "UserDefinedFields": {"a": "b"},
    }  # fmt: skip
    publish([finding("bad")], "02", hub=hub)  # type: ignore[arg-type]  # as above
    assert hub.sizes == [1]
    publish([], "03", hub=hub)  # type: ignore[arg-type]  # as above
    [archived] = hub.held[HERE].values()
    assert archived["RecordState"] == "ARCHIVED"
    assert not {"Severity", "Types", "Workflow", "Note", "UserDefinedFields"} & set(archived)


def test_what_others_put_under_our_name_is_left_alone() -> None:
    """Findings of another product, account or region, or with times nobody can read, are not ours to archive."""
    hub = Memory()
    publish([finding("bad")], "01", hub=hub)  # type: ignore[arg-type]  # a hub, though not one that counts
    [ours] = hub.held[HERE].values()
    others = [
        {"Id": "mine/1"}, {"GeneratorId": "other/rule"}, {"AwsAccountId": OTHER}, {"UpdatedAt": "yesterday"},
        {"ProductArn": ours["ProductArn"].replace("eu-west-1", "eu-west-2")},
        {"ProductFields": {**ours["ProductFields"], "policyengine/region": "global"}}, {"ProductFields": None},
    ]  # fmt: skip
    hub.held[HERE] = {f"{n}": {**ours, **each} for n, each in enumerate(others)}
    outcome, _ = publish([], "02", hub=hub)  # type: ignore[arg-type]  # as above
    assert hub.sizes == [1] and not outcome.sent and not outcome.kept


@pytest.mark.parametrize(("verdict", "status"), [("PASS", "PASSED"), ("NOT_APPLICABLE", "NOT_AVAILABLE")])
def test_what_was_repaired_is_said_and_archived_once(hub: str, verdict: str, status: str) -> None:
    publish([finding("bad"), finding("worse")], "01")
    outcome, _ = publish([finding("bad", verdict), finding("worse")], "02")
    assert outcome.sent == {"resolve": 1} and outcome.unchanged == 1
    one = stored()["bad"]
    assert (one["Compliance"]["Status"], one["RecordState"]) == (status, "ARCHIVED")
    _, used = publish([finding("bad", verdict), finding("worse")], "03")
    assert used.batches == []


def test_what_fails_again_is_the_same_finding(hub: str) -> None:
    publish([finding("bad")], "01")
    publish([finding("bad", "PASS")], "02")
    outcome, _ = publish([finding("bad")], "03")
    assert outcome.sent == {"update": 1}
    [one] = stored().values()
    assert (one["RecordState"], one["Compliance"]["Status"]) == ("ACTIVE", "FAILED")
    assert one["CreatedAt"] == "2026-01-01T00:00:00Z"


def test_what_is_gone_is_archived_with_its_last_verdict(hub: str) -> None:
    publish([finding("bad"), finding("stays")], "01")
    outcome, used = publish([finding("stays")], "02")
    assert outcome.sent == {"archive": 1}
    one = stored()["bad"]
    assert (one["RecordState"], one["Compliance"]["Status"]) == ("ARCHIVED", "FAILED")
    assert one["ProductFields"]["policyengine/run"] == "run-02"
    assert "read all of its type" in one["ProductFields"]["policyengine/archived"]
    assert [illegal(each) for _, _, batch in used.batches for each in batch] == [[]]
    outcome, used = publish([finding("stays")], "03")
    assert used.batches == [] and not outcome.kept


def test_a_place_where_nothing_is_left_is_archived_too(hub: str) -> None:
    publish([finding("bad")], "01")
    assert publish([], "02")[0].sent == {"archive": 1}
    assert stored()["bad"]["RecordState"] == "ARCHIVED"


def test_what_comes_back_is_active_again(hub: str) -> None:
    publish([finding("bad")], "01")
    publish([], "02")
    publish([finding("bad")], "03")
    [one] = stored().values()
    assert one["RecordState"] == "ACTIVE" and "policyengine/archived" not in one["ProductFields"]


PARTIAL: dict[str, dict[str, Any]] = {
    "the place was not read": {"places": {}},
    "another region was read": {"places": {(OWN, "us-east-1"): ["*"]}},
    "another type was read": {"places": {HERE: ["AWS::EC2::Instance"]}},
    "the rule was not asked": {"rules": ["another-rule"]},
    "the rule cannot be decided there": {"undecidable": [RULE]},
    "a call failed in the place": {"errors": [{"account": OWN, "region": "eu-west-1"}]},
    "a call failed in the account": {"errors": [{"account": OWN, "region": None}]},
    "nobody knows where it failed": {"errors": [{"account": None, "region": None}]},
    "the listing of the type failed elsewhere": {
        "errors": [{"account": OWN, "region": "us-east-1", "types": ["AWS::S3::Bucket"]}]
    },
}


@pytest.mark.parametrize("how", PARTIAL)
def test_a_partial_run_never_archives_what_it_did_not_look_at(hub: str, how: str) -> None:
    publish([finding("bad"), finding("worse")], "01")
    enable((OWN, "us-east-1"))
    before = stored()["bad"]
    outcome, used = publish([finding("worse")], "02", looking(**PARTIAL[how]))
    assert used.batches == [] and not outcome.sent
    assert stored()["bad"] == before
    assert sum(outcome.kept.values()) == 1


def test_the_check_of_partial_runs_can_fail(hub: str) -> None:
    publish([finding("bad")], "01")
    assert publish([], "02", looking(errors=[{"account": OTHER, "region": "eu-west-1"}]))[0].sent == {
        "archive": 1
    }


def test_an_earlier_run_never_touches_what_a_later_one_said(hub: str) -> None:
    publish([finding("bad"), finding("new")], "05")
    before = stored()
    outcome, used = publish([finding("bad", message="before")], "04")
    assert used.batches == []
    assert outcome.kept == {"what Security Hub has is of a later run, or of this one": 2}
    assert stored() == before


def test_findings_go_to_their_account_and_region(hub: str) -> None:
    places = [(OWN, "us-east-1"), (OTHER, "eu-west-1"), (OTHER, "eu-central-1")]
    enable(*places)
    run = [
        finding(f"b{n}", account=account, region=region)
        for n, (account, region) in enumerate([HERE, *places])
    ]
    outcome, used = publish(run, "01", looking({}), live_hub(ROLE))
    assert outcome.sent == {"create": 4} and outcome.problems == []
    for number, (account, region) in enumerate([HERE, *places]):
        assert set(stored(account, region)) == {f"b{number}"}
    assert {(a, r) for a, r, _ in used.batches} == {HERE, *places}


def test_what_is_in_no_region_goes_to_the_home_region_and_is_told_apart(hub: str) -> None:
    enable((OWN, "us-east-1"))
    places = {(OWN, "global"): ["*"], (OWN, "us-east-1"): ["*"]}
    role = finding("role", region="global", type_="AWS::IAM::Role")
    bucket = finding("bucket", region="us-east-1")
    outcome, _ = publish([role, bucket], "01", looking(places))
    assert outcome.sent == {"create": 2}
    assert set(stored(region="us-east-1")) == {"role", "bucket"}
    # each of the two places only judges its own
    assert publish([role, bucket], "02", looking(places))[1].batches == []
    assert publish([bucket], "03", looking(places))[0].sent == {"archive": 1}
    assert stored(region="us-east-1")["bucket"]["RecordState"] == "ACTIVE"


def test_an_account_without_a_role_is_an_error_and_the_others_are_published(hub: str) -> None:
    run = [finding("a"), finding("b", account=OTHER), finding("c", "PASS", account=OTHER)]
    outcome, _ = publish(run, "01", hub=live_hub())
    assert outcome.sent == {"create": 1}
    [problem] = outcome.problems
    assert (problem.account, outcome.unpublished) == (OTHER, 1)
    assert "--role-name" in problem.text and "1 findings are not published" in problem.text


def test_where_security_hub_is_not_enabled_is_an_error_only_with_findings(aws: str) -> None:
    enable(HERE)
    outcome, _ = publish(
        [finding("a", region="us-west-2")], "01", looking({HERE: ["*"], (OWN, "eu-north-1"): ["*"]})
    )
    [problem] = outcome.problems
    assert problem.region == "us-west-2" and "has to be enabled" in problem.text
    assert sum(outcome.kept.values()) == 1


def test_a_refused_finding_is_named_and_the_others_are_there(hub: str) -> None:
    from policyengine.reports.base import RuleInfo

    bad = RuleInfo("other", "REFUSE this", "encryption", "security", "low", "why", "fix")
    refused = finding("x", rule="other")
    outcome, _ = publish([finding("a"), refused], "01", hub=_with({"other": bad}))
    assert outcome.sent == {"create": 1} and outcome.unpublished == 1
    [problem] = outcome.problems
    assert problem.finding == f"policyengine/{refused['id']} policyengine/other arn:aws:s3:::x"
    assert "InvalidInput: refused, because it says so" in problem.text
    assert set(stored()) == {"a"}


def _with(rules: dict[str, Any]) -> Counting:
    """A hub that makes titles of some rules what the server refuses: publish() gives no rules."""

    class Titled(Counting):
        def import_findings(self, account: str, region: str, findings: Any) -> list[Refusal]:
            for each in findings:
                rule = rules.get(each["GeneratorId"].removeprefix("policyengine/"))
                each["Title"] = rule.title if rule else each["Title"]
            return super().import_findings(account, region, findings)

    return Titled(live_hub().hub)


def test_a_dry_run_changes_nothing_and_says_the_same(hub: str) -> None:
    publish([finding("bad"), finding("gone"), finding("fixed")], "01")
    before = stored()
    told: list[str] = []
    run = [finding("bad", message="other"), finding("new"), finding("fixed", "PASS")]
    outcome, used = publish(run, "02", dry_run=True, told=lambda change: told.append(change.kind))
    assert used.batches == [] and stored() == before
    assert outcome.sent == {"update": 1, "create": 1, "resolve": 1, "archive": 1} and sorted(told) == sorted(
        outcome.sent
    )
    assert publish(run, "02")[0].sent == outcome.sent


def test_a_dry_run_only_asks_what_reads(hub: str) -> None:
    from policyengine.cli.publishing import Accounts, LiveHub, Way

    accounts = Accounts(Way(None, None, None))
    publish([finding("bad")], "01", hub=LiveHub(accounts), dry_run=True)  # type: ignore[arg-type]  # it counts nothing
    assert accounts.log.operations() == {"securityhub:GetFindings"}
    publish([finding("bad")], "01", hub=LiveHub(accounts))  # type: ignore[arg-type]  # as above
    assert accounts.log.operations() == {"securityhub:GetFindings", "securityhub:BatchImportFindings"}


def test_more_findings_than_a_page_are_all_known(hub: str) -> None:
    run = [finding(f"b{n:04}") for n in range(230)]
    outcome, used = publish(run, "01")
    assert outcome.sent == {"create": 230} and [len(b) for _, _, b in used.batches] == [100, 100, 30]
    outcome, used = publish(run[:-1], "02")
    assert outcome.sent == {"archive": 1} and outcome.unchanged == 229
    assert [len(b) for _, _, b in used.batches] == [1]


def test_clients_of_places_that_are_done_are_let_go(hub: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from policyengine.cli import publishing

    monkeypatch.setattr(publishing, "_CLIENTS", 1)
    regions = ["eu-west-1", "us-east-1", "eu-central-1"]
    enable(*((OWN, region) for region in regions[1:]))
    run = [finding(f"b-{region}", region=region) for region in regions]
    places = {(OWN, region): ["*"] for region in regions}
    assert publish(run, "01", looking(places))[0].sent == {"create": 3}
    assert publish(run, "02", looking(places))[0].unchanged == 3


@pytest.mark.parametrize(
    "answer",
    [
        {"FailedCount": 0, "SuccessCount": 1, "FailedFindings": []},
        {"FailedCount": 1, "SuccessCount": 1, "FailedFindings": []},
        {},
    ],
)
def test_an_answer_that_does_not_add_up_is_an_error(
    hub: str, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    from policyengine.aws.account import Account

    monkeypatch.setattr(Account, "call", lambda *_: answer)
    outcome, _ = publish([finding("a"), finding("b")], "01")
    [problem] = outcome.problems
    assert "MalformedAnswer" in problem.text and outcome.unpublished == 2 and not outcome.sent


def test_findings_of_code_are_not_published(hub: str) -> None:
    of_code = {**finding("bad"), "location": {"file": "a.yaml", "line": 1, "column": 1}}
    outcome, used = publish([of_code], "01")
    assert used.batches == [] and outcome.not_sent == {"of code, not of an account": 1}


def test_findings_of_a_place_that_do_not_come_together_are_refused(hub: str) -> None:
    from policyengine.publish.security_hub import Publisher
    from policyengine.reports.asff import Stamp

    publisher = Publisher(live_hub(), Stamp("2026-01-01T00:00:00Z", "r"), {}, looking({}))
    run = [finding("a"), finding("b", region="us-east-1"), finding("c")]
    with pytest.raises(InputError, match="out of order"):
        publisher.publish(run)


class Memory:
    """A hub in memory that knows the rule of times, for properties: what it has, by place and Id."""

    def __init__(self, fails: frozenset[int] = frozenset()) -> None:
        self.held: dict[tuple[str, str], dict[str, dict[str, Any]]] = {}
        self.sizes: list[int] = []
        self._fails = fails

    def findings(self, account: str, region: str, filters: Any) -> Any:
        del filters
        return iter([json.loads(json.dumps(f)) for f in self.held.get((account, region), {}).values()])

    def import_findings(self, account: str, region: str, findings: Any) -> list[Refusal]:
        self.sizes.append(len(findings))
        assert 1 <= len(findings) <= 100
        assert len(json.dumps({"Findings": findings})) <= 6_000_000
        if len(self.sizes) in self._fails:
            raise CallFailed("securityhub:BatchImportFindings", "InternalException", "")
        held = self.held.setdefault((account, region), {})
        for each in findings:
            assert illegal(each) == []
            known = held.get(each["Id"])
            if known is None or each["UpdatedAt"] > known["UpdatedAt"]:
                held[each["Id"]] = json.loads(json.dumps(each))
        return []


VERDICT = st.sampled_from(["FAIL", "UNKNOWN", "PASS", "NOT_APPLICABLE", None])
RUNS = st.lists(st.dictionaries(st.sampled_from("abcdef"), VERDICT, min_size=1), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RUNS)
def test_after_any_history_what_is_active_is_what_the_last_run_found(
    runs: list[dict[str, str | None]],
) -> None:
    hub = Memory()
    for day, run in enumerate(runs, 1):
        found = [finding(name, verdict) for name, verdict in run.items() if verdict is not None]
        for again in (False, True):
            before = len(hub.sizes)
            outcome, _ = publish(found, f"{day:02}", hub=hub)  # type: ignore[arg-type]  # a hub, though not one that counts
            assert outcome.problems == []
            assert not again or len(hub.sizes) == before
        active = {
            f["ProductFields"]["policyengine/resource-id"]: f["Compliance"]["Status"]
            for f in hub.held.get(HERE, {}).values()
            if f["RecordState"] == "ACTIVE"
        }
        words = {"FAIL": "FAILED", "UNKNOWN": "WARNING"}
        assert active == {name: words[verdict] for name, verdict in run.items() if verdict in words}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RUNS)
def test_runs_that_looked_nowhere_archive_nothing_they_do_not_have(runs: list[dict[str, str | None]]) -> None:
    hub = Memory()
    for day, run in enumerate(runs, 1):
        before = {i: f["RecordState"] for i, f in hub.held.get(HERE, {}).items()}
        found = [finding(name, verdict) for name, verdict in run.items() if verdict is not None]
        publish(found, f"{day:02}", looking({}), hub=hub)  # type: ignore[arg-type]  # as above
        judged = {f"policyengine/{f['id']}" for f in found}
        after = {i: f["RecordState"] for i, f in hub.held.get(HERE, {}).items()}
        assert {i: s for i, s in after.items() if i not in judged} == {
            i: s for i, s in before.items() if i not in judged
        }


def test_batches_are_as_large_as_they_may_be() -> None:
    hub = Memory()
    outcome, _ = publish([finding(f"b{n:04}") for n in range(250)], "01", hub=hub)  # type: ignore[arg-type]  # as above
    assert hub.sizes == [100, 100, 50] and outcome.sent == {"create": 250}
    large = Memory()
    text = "\U0001f512" * 2000
    waiver = dict.fromkeys(
        ("id", "kind", "owner", "approver", "reason", "ticket", "granted", "expires"), text
    )
    more = {"message": text, "waiver": waiver, "witness": Witness(text, text, text, {}), "remediation": text}
    run = [finding(f"c{n:04}" + text, **more) for n in range(300)]
    assert publish(run, "01", hub=large)[0].sent == {"create": 300}  # type: ignore[arg-type]  # as above
    assert sum(large.sizes) == 300 and max(large.sizes) < 100, "6 MB are full before 100 findings are"


def test_a_batch_that_fails_is_an_error_and_the_next_is_tried() -> None:
    hub = Memory(fails=frozenset({1}))
    outcome, _ = publish([finding(f"b{n:04}") for n in range(150)], "01", hub=hub)  # type: ignore[arg-type]  # as above
    assert hub.sizes == [100, 50]
    assert outcome.sent == {"create": 50} and outcome.unpublished == 100
    [problem] = outcome.problems
    assert "InternalException" in problem.text and "100 findings are not published" in problem.text
    again, _ = publish([finding(f"b{n:04}") for n in range(150)], "01", hub=hub)  # type: ignore[arg-type]  # as above
    assert again.sent == {"create": 100} and again.unchanged == 50


def test_a_place_that_fails_again_and_again_is_given_up() -> None:
    hub = Memory(fails=frozenset(range(1, 100)))
    outcome, _ = publish([finding(f"b{n:04}") for n in range(900)], "01", hub=hub)  # type: ignore[arg-type]  # as above
    assert hub.sizes == [100, 100, 100]
    assert outcome.unpublished == 900 and len(outcome.problems) == 3
