"""The time machine: from when to when something failed, by what AWS Config recorded."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.history.recorded import (
    ACCOUNT,
    CLOSED,
    CONFIG,
    GROUP,
    OPEN,
    REGION,
    RULE,
    delivered,
    ended,
    event,
    failures,
    item,
    of,
    replayed,
    time,
    trail,
)

Capsys = pytest.CaptureFixture[str]


def replay_of(folder: Path, capsys: Capsys, items: list[Any], *more: object) -> Any:
    return replayed(capsys, delivered(folder / "history.json", items), "--rule", RULE, *more)


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ([item(1, CLOSED), item(3, OPEN), item(5, CLOSED)], [(time(3), "changed", time(5), "changed")]),
        ([item(1, OPEN), item(3, CLOSED)], [(time(1), "first_record", time(3), "changed")]),
        ([item(1, CLOSED), item(3, OPEN)], [(time(3), "changed", "2026-11-04T00:00:01Z", "period_end")]),
        ([item(1, OPEN), item(2, OPEN, tags={"a": "b"}), item(3, CLOSED)], [(time(1), "first_record", time(3), "changed")]),
        ([item(1, OPEN), item(3, None, "ResourceDeleted"), item(5, CLOSED)], [(time(1), "first_record", time(3), "deleted")]),
        (
            [item(1, CLOSED), item(3, None, "ResourceDeleted"), item(5, OPEN, "ResourceDiscovered"), item(6, CLOSED)],
            [(time(5), "created", time(6), "changed")],
        ),
        (
            [item(3, OPEN, "ResourceDiscovered", resourceCreationTime=time(2.9)), item(4, CLOSED)],
            [(time(3), "created", time(4), "changed")],
        ),
        (  # a recorder that is started discovers what is old
            [item(3, OPEN, "ResourceDiscovered", resourceCreationTime="2020-01-01T00:00:00Z"), item(4, CLOSED)],
            [(time(3), "first_record", time(4), "changed")],
        ),
        (
            [item(1, OPEN), item(3, None, "ResourceNotRecorded"), item(5, OPEN), item(6, CLOSED)],
            [(time(1), "first_record", time(3), "gap"), (time(5), "after_gap", time(6), "changed")],
        ),
        (  # the newest item of a second counts
            [item(1, CLOSED), item(3, OPEN), item(3, CLOSED, configurationStateId="9" * 20), item(4, CLOSED)],
            [],
        ),
    ],
    ids=["closed again", "begins", "still", "other change", "deleted", "made again", "made", "discovered", "not recorded", "one second"],
)  # fmt: skip
def test_from_when_to_when(tmp_path: Path, capsys: Capsys, items: list[Any], expected: list[Any]) -> None:
    assert failures(replay_of(tmp_path, capsys, items)) == expected


def test_what_is_not_recorded_of_a_resource_is_unknown_and_not_a_pass(tmp_path: Path, capsys: Capsys) -> None:
    document = replay_of(tmp_path, capsys, [item(1, OPEN), item(2, None), item(4, CLOSED)])
    assert failures(document) == [(time(1), "first_record", time(2), "changed")]
    assert failures(document, verdict="UNKNOWN") == [(time(2), "changed", time(4), "changed")]


def test_a_change_says_which_value_and_who(tmp_path: Path, capsys: Capsys) -> None:
    acts = [
        event(2.5, "AuthorizeSecurityGroupIngress", {"groupId": "sg-1"}),
        event(
            2.6,
            "AuthorizeSecurityGroupIngress",
            {"groupId": "sg-1"},
            errorCode="Client.UnauthorizedOperation",
        ),
        event(2.7, "AuthorizeSecurityGroupIngress", {"groupId": "sg-1"}, recipientAccountId="999988887777"),
        event(2.8, "AuthorizeSecurityGroupIngress", {"groupId": "sg-2"}),
        event(2.9, "DescribeSecurityGroups", {"groupId": "sg-1"}, readOnly=True),
        event(0.5, "CreateTags", {"resourcesSet": {"items": [{"resourceId": "sg-1"}]}}),
        event(4, "RevokeSecurityGroupIngress", {"groupId": "sg-1"}),
        event(2.5, "AuthorizeSecurityGroupIngress", {"groupId": "sg-1"}),  # delivered by another trail, too
    ]
    log = trail(tmp_path / "trail.json", acts)
    document = replay_of(tmp_path, capsys, [item(1, CLOSED), item(3, OPEN), item(5, CLOSED)], "--trail", log)
    (failure,) = document["resources"][0]["intervals"]
    assert {"path": "/SecurityGroupIngress/0/FromPort", "was": CLOSED, "now": OPEN} in failure["begins"][
        "values"
    ]
    assert failure["begins"]["after"] == time(1)
    assert failure["begins"]["actor"] == {
        "at": time(2.5), "arn": f"arn:aws:iam::{ACCOUNT}:user/bob", "event": "ec2:AuthorizeSecurityGroupIngress",
        "from": "198.51.100.7", "certain": False, "other_events": 0,
    }  # fmt: skip
    assert failure["ends"]["actor"]["event"] == "ec2:RevokeSecurityGroupIngress"
    assert failure["seconds"] == 2 * 86_400


def test_an_event_that_aws_config_names_is_certain(tmp_path: Path, capsys: Capsys) -> None:
    """relatedEvents of an item: https://docs.aws.amazon.com/config/latest/APIReference/API_ConfigurationItem.html"""
    acts = [event(2, "ModifySecurityGroupRules", {}), event(2.5, "CreateTags", {"id": "sg-1"})]
    log = trail(tmp_path / "trail.json", acts)
    items = [item(1, CLOSED), item(3, OPEN, relatedEvents=["ModifySecurityGroupRules-2"])]
    (failure,) = replay_of(tmp_path, capsys, items, "--trail", log)["resources"][0]["intervals"]
    assert (failure["begins"]["actor"]["event"], failure["begins"]["actor"]["certain"]) == (
        "ec2:ModifySecurityGroupRules",
        True,
    )


STOP = ("StopConfigurationRecorder", {"configurationRecorderName": "default"}, CONFIG)
START = ("StartConfigurationRecorder", {"configurationRecorderName": "default"}, CONFIG)


def put(**recorder: Any) -> tuple[str, Any, str]:
    return "PutConfigurationRecorder", {"configurationRecorder": {"name": "default", **recorder}}, CONFIG


@pytest.mark.parametrize(
    ("acts", "gaps", "failed"),
    [
        ([(2, *STOP), (3, *START)], [(time(2), time(4), "the recorder was stopped")], [(time(1), time(2))]),
        ([(2, "DeleteConfigurationRecorder", {}, CONFIG)], [(time(2), time(4), "the recorder was deleted")], [(time(1), time(2))]),
        ([(2, *put(recordingGroup={"allSupported": False, "resourceTypes": ["AWS::S3::Bucket"]}))],
         [(time(2), time(4), "the recorder left out its type")], [(time(1), time(2))]),
        ([(2, *put(recordingGroup={"exclusionByResourceTypes": {"resourceTypes": [GROUP]},
                                   "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"}}))],
         [(time(2), time(4), "the recorder left out its type")], [(time(1), time(2))]),
        ([(2, *put(recordingGroup={"allSupported": False, "resourceTypes": [GROUP]}))], [], [(time(1), time(4))]),
        ([(2, *put(recordingGroup={"allSupported": True, "includeGlobalResourceTypes": False}))], [], [(time(1), time(4))]),
    ],
    ids=["stopped", "deleted", "only others", "excluded", "only this", "no global types"],
)  # fmt: skip
def test_a_recorder_that_does_not_record_leaves_a_gap(
    tmp_path: Path, capsys: Capsys, acts: list[Any], gaps: list[Any], failed: list[Any]
) -> None:
    """After a stop the newest item says nothing any more, until there is another."""
    log = trail(tmp_path / "trail.json", [event(*act) for act in acts])
    document = replay_of(tmp_path, capsys, [item(1, OPEN), item(4, CLOSED), item(5, CLOSED)], "--trail", log)
    resource = document["resources"][0]
    assert [(gap["begin"], gap["end"], gap["why"]) for gap in resource["gaps"]] == gaps
    assert [(begin, end) for begin, _, end, _ in failures(document)] == failed
    # of another account or region it is none of ours
    other = trail(tmp_path / "trail.json", [event(*act, awsRegion="us-east-1") for act in acts])
    again = replay_of(tmp_path, capsys, [item(1, OPEN), item(4, CLOSED), item(5, CLOSED)], "--trail", other)
    assert again["resources"][0]["gaps"] == []


def test_records_once_a_day_are_no_continuous_record(tmp_path: Path, capsys: Capsys) -> None:
    daily = replay_of(tmp_path, capsys, [item(1, CLOSED, recordingFrequency="DAILY"), item(3, CLOSED)])
    assert [each["frequency"] for each in daily["resources"][0]["recorded"]] == ["DAILY", "CONTINUOUS"]
    log = trail(tmp_path / "trail.json", [event(2, *put(recordingMode={"recordingFrequency": "DAILY"}))])
    turned = replay_of(tmp_path, capsys, [item(1, CLOSED), item(3, CLOSED)], "--trail", log)["resources"][0][
        "recorded"
    ]
    assert [(each["begin"], each["frequency"]) for each in turned] == [
        (time(1), "CONTINUOUS"), (time(2), "DAILY"), (time(3), "CONTINUOUS"),
    ]  # fmt: skip


def test_what_only_the_clock_changes_begins_at_its_second(tmp_path: Path, capsys: Capsys) -> None:
    """A certificate that must be valid for thirty days more fails from the thirtieth day before its end on."""
    rule = "acm-certificate-not-expiring"
    certificate = {
        "domainName": "example.com",
        "notAfter": "2026-12-10T06:07:08Z",
        "status": "ISSUED",
        "type": "AMAZON_ISSUED",
    }
    arn = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/c-1"
    renewed = {**certificate, "notAfter": "2028-01-01T00:00:00Z"}
    items = [
        of("AWS::ACM::Certificate", arn, day, about, ARN=arn)
        for day, about in ((1, certificate), (20, renewed))
    ]
    document = replayed(capsys, delivered(tmp_path / "h.json", items), "--rule", rule)
    assert failures(document, rule) == [("2026-11-10T06:07:09Z", "clock", time(20), "changed")]


REQUIRES_ROTATION = """
id: volume-key-rotates
title: Volumes have keys that rotate
family: encryption
pillar: security
severity: high
applies_to: AWS::EC2::Volume
why: A key that never changes encrypts more and more, and one copy of it opens everything.
fix: Turn rotation on, once a year.
with: {key: kms_key}
require: {field: with.key.EnableKeyRotation, equals: true}
message: "the key does not rotate"
references: [https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html]
"""


def key(day: float, *, rotates: bool, status: str = "OK") -> Any:
    about = {
        "keyId": "k-1",
        "arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k-1",
        "enabled": True,
        "keyManager": "CUSTOMER",
    }
    return of("AWS::KMS::Key", "k-1", day, None if "Deleted" in status else about, status,
              supplementaryConfiguration={"KeyRotationStatus": rotates})  # fmt: skip


def volume(day: float, id: str = "vol-1") -> Any:
    about = {
        "volumeId": id,
        "encrypted": True,
        "kmsKeyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/k-1",
        "state": "in-use",
    }
    return of("AWS::EC2::Volume", id, day, about)


def test_another_resource_changes_the_verdict(tmp_path: Path, capsys: Capsys) -> None:
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "volume-key-rotates.yaml").write_text(REQUIRES_ROTATION)
    items = [
        volume(2),
        key(1, rotates=True),
        key(4, rotates=False),
        key(6, rotates=True),
        volume(7),
        key(8, rotates=False),
    ]
    log = trail(
        tmp_path / "trail.json", [event(3.9, "DisableKeyRotation", {"keyId": "k-1"}, "kms.amazonaws.com")]
    )
    history = delivered(tmp_path / "h.json", items)
    document = replayed(
        capsys, history, "--rules", rules, "--rule", "volume-key-rotates", "--trail", log, "--to", time(9)
    )
    assert failures(document, "volume-key-rotates") == [
        (time(4), "related", time(6), "related"), (time(8), "related", time(9), "period_end"),
    ]  # fmt: skip
    begins = document["resources"][0]["intervals"][0]["begins"]
    assert begins["related"] == [f"{ACCOUNT}/{REGION}/AWS::KMS::Key/k-1"]
    assert begins["actor"]["event"] == "kms:DisableKeyRotation"
    # a key that nobody recorded yet, or that is gone, may be there all the same: nobody knows
    early = [volume(1), key(2, rotates=False), key(4, rotates=False, status="ResourceDeleted"), volume(5)]
    document = replayed(
        capsys, delivered(tmp_path / "h.json", early), "--rules", rules, "--rule", "volume-key-rotates"
    )
    assert failures(document, "volume-key-rotates") == [(time(2), "related", time(4), "related")]
    assert [each[:1] + each[2:3] for each in failures(document, "volume-key-rotates", "UNKNOWN")] == [
        (time(1), time(2)), (time(4), "2026-11-06T00:00:01Z"),
    ]  # fmt: skip


STATES = st.sampled_from([OPEN, CLOSED, None, "ResourceDeleted", "ResourceNotRecorded", "stop"])


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.dictionaries(st.integers(0, 20), STATES, min_size=1, max_size=12))
def test_every_second_is_what_was_recorded_last(
    tmp_path: Path, capsys: Capsys, states: dict[int, Any]
) -> None:
    """The model: at any time the newest item says it, and after a stop, a deletion or ResourceNotRecorded nothing does."""
    states = {-1: CLOSED, **states}
    items, acts = [], []
    for day, state in states.items():
        if state == "stop":
            acts.append(event(day + 1, *STOP))
        elif isinstance(state, str):
            items.append(item(day + 1, None, state))
        else:
            items.append(item(day + 1, state))
    document = replay_of(
        tmp_path, capsys, items, "--trail", trail(tmp_path / "trail.json", acts), "--to", time(23)
    )
    (resource,) = document["resources"]
    known = {OPEN: "FAIL", CLOSED: "PASS", None: "UNKNOWN", "ResourceDeleted": "gone"}
    now, there = "gone", False
    for day in range(23):
        state = states.get(day - 1, "same")
        if state in ("stop", "ResourceNotRecorded"):
            # what is deleted leaves no gap when the recorder stops
            now = "gap" if there or state == "ResourceNotRecorded" else now
            there = False
        elif state != "same":
            now, there = known[state], state != "ResourceDeleted"
        at = time(day + 0.5)
        found = [each["verdict"] for each in resource["intervals"] if each["begin"] <= at < each["end"]]
        gap = any(each["begin"] <= at < each["end"] for each in resource["gaps"])
        recorded = any(each["begin"] <= at < each["end"] for each in resource["recorded"])
        assert (found, gap, recorded) == {
            "FAIL": (["FAIL"], False, True), "UNKNOWN": (["UNKNOWN"], False, True), "PASS": ([], False, True),
            "gap": ([], True, False), "gone": ([], False, False),
        }[now], (day, now)  # fmt: skip


def test_the_same_bytes_whatever_the_order_of_the_items(
    tmp_path: Path, capsys: Capsys, monkeypatch: Any
) -> None:
    items = [item(day, OPEN if day % 3 else CLOSED, id=f"sg-{day % 4}") for day in range(1, 20)]
    found = []
    for number, ordered in enumerate((items, items[::-1], [*items, *items])):
        folder = tmp_path / str(number)
        (folder / "h").mkdir(parents=True)
        whole = json.dumps({"fileVersion": "1.0", "configurationItems": ordered}).encode()
        (folder / "h" / "a.json.gz").write_bytes(gzip.compress(whole, mtime=0))
        monkeypatch.chdir(folder)
        capsys.readouterr()
        assert ended("history", "replay", "h", "--rule", RULE, "--format", "json") == 0
        document = json.loads(capsys.readouterr().out)
        document["run"].pop("id")  # says which bytes were read
        found.append(document)
    assert found[0] == found[1] == found[2]


def test_what_cannot_be_read_is_said(tmp_path: Path, capsys: Capsys) -> None:
    untimed = item(2, OPEN)
    del untimed["configurationItemCaptureTime"]
    document = replayed(
        capsys,
        delivered(tmp_path / "h.json", [item(1, CLOSED), untimed, item(3, CLOSED, "Odd")]),
        "--rule",
        RULE,
        code=4,
    )
    assert not document["run"]["complete"]
    assert any("`Odd`" in error for error in document["run"]["errors"])
    assert any("do not say when they were captured" in error for error in document["run"]["errors"])
    template = tmp_path / "template.json"
    template.write_text(json.dumps({"Resources": {"A": {"Type": "AWS::SNS::Topic"}}}))
    assert ended("history", "replay", template) == 2
    assert "holds no configuration items of AWS Config" in capsys.readouterr().err


def test_the_terminal_shows_it(tmp_path: Path, capsys: Capsys) -> None:
    history = delivered(tmp_path / "h.json", [item(1, CLOSED), item(3, OPEN), item(5, CLOSED, "OK")])
    assert ended("history", "replay", history, "--rule", RULE) == 0
    said = capsys.readouterr().out
    assert f"{time(3)}  {time(5)}" in said.replace("   ", "  ")
    assert "/SecurityGroupIngress/0/FromPort was 443, is 22" in said
    assert "nothing proves that the recorder was on" in said


def test_only_these_predicates_look_at_the_clock() -> None:
    """A rule whose verdict time changes is looked at again between items; so it has to be known which do."""
    import policyengine.rules.predicates as predicates
    from policyengine.history.timeline.judging import CLOCKED

    root = Path(predicates.__path__[0])
    found = {
        f"policyengine.rules.predicates.{file.relative_to(root).with_suffix('').as_posix().replace('/', '.')}"
        for file in root.rglob("*.py")
        if "subject.now" in file.read_text(encoding="utf-8")
    }
    assert found == CLOCKED
