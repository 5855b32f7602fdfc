"""When a waiver holds: its days, its scopes, the values it is pinned to, what compensates it. The verdict stays FAIL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policyengine.config.settings import Settings
from policyengine.config.waivers import Compensating, Waiver
from tests.waivers.making import (
    ACCOUNT,
    CLOSED,
    REGION,
    account,
    bucket,
    failing,
    judged,
    pins_of,
    scan_of,
    waiver,
    waiving,
    write,
)

OTHER = "222233334444"
ENABLED = {"VersioningConfiguration": {"Status": "Enabled"}}
SUSPENDED = {"VersioningConfiguration": {"Status": "Suspended"}}


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Two buckets in two accounts that fail versioning, one of them tagged."""
    return write(
        tmp_path, [bucket("logs", tags={"Stage": "dev"}), bucket("site", OTHER), bucket("kept", **ENABLED)]
    )


@pytest.mark.parametrize(
    ("day", "held", "note"),
    [
        ("2025-12-31", False, "waiver W-1 holds from 2026-01-01 on"),
        ("2026-01-01", True, ""),
        ("2026-12-30", True, ""),
        ("2026-12-31", False, "waiver W-1 expired on 2026-12-31"),
        ("2030-01-01", False, "waiver W-1 expired on 2026-12-31"),
    ],
)
def test_the_days_of_a_waiver(two: Path, day: str, held: bool, note: str) -> None:
    plain = failing(judged(two, Settings(), day=day))
    found = failing(judged(two, waiving(waiver()), day=day))
    assert set(found) == set(plain) == {"logs", "site"}
    for name, each in found.items():
        assert (each.waiver is not None) is held
        assert each.message == plain[name].message + (f" ({note})" if note else "")
        assert each._replace(waiver=None, message=plain[name].message) == plain[name]


def test_a_finding_says_what_the_waiver_says(two: Path) -> None:
    found = failing(judged(two, waiving(waiver())))["logs"]
    assert found.waiver == {
        "id": "W-1", "owner": "Ana", "approver": "Ben", "reason": "scratch", "ticket": "SEC-1",
        "granted": "2026-01-01", "expires": "2026-12-31", "kind": "waiver",
    }  # fmt: skip
    assert found.to_json()["waiver"] == found.waiver and found.to_json()["verdict"] == "FAIL"


@pytest.mark.parametrize(
    ("scope", "about"),
    [
        ({}, {"logs", "site"}),
        ({"resources": ("logs",)}, {"logs"}),
        ({"resources": ("arn:aws:s3:::site",)}, {"site"}),
        ({"resources": (f"{ACCOUNT}/{REGION}/AWS::S3::Bucket/logs",)}, {"logs"}),
        ({"resources": ("log",)}, set()),
        ({"resources": ("logs", "site")}, {"logs", "site"}),
        ({"resources": ("logs", "site"), "accounts": (OTHER,)}, {"site"}),
        ({"accounts": (ACCOUNT,)}, {"logs"}),
        ({"accounts": (ACCOUNT, OTHER)}, {"logs", "site"}),
        ({"tags": {"Stage": "dev"}}, {"logs"}),
        ({"tags": {"Stage": "prod"}}, set()),
        ({"tags": {"Stage": "dev"}, "accounts": (OTHER,)}, set()),
        ({"ous": ("ou-1",)}, {"site"}),
        ({"ous": ("r-1",)}, {"site"}),
        ({"ous": ("ou-2", "ou-1")}, {"site"}),
        ({"ous": ("ou-1",), "resources": ("logs",)}, set()),
        ({"ous": ("ou-1",), "resources": ("site",)}, {"site"}),
        ({"rules": ("tags-mandatory",)}, set()),
        ({"rules": ("tags-mandatory", "s3-versioning")}, {"logs", "site"}),
    ],
    ids=lambda value: str(sorted(value) if isinstance(value, set) else value),
)
def test_scopes_have_to_hold_together(two: Path, scope: dict[str, Any], about: set[str]) -> None:
    from dataclasses import replace

    settings = replace(waiving(waiver(**scope)), ous={OTHER: ("ou-1", "r-1")})
    found = failing(judged(two, settings))
    assert {name for name, each in found.items() if each.waiver is not None} == about
    assert set(found) == {"logs", "site"}


def test_ous_are_learnt_from_the_organisation_of_a_snapshot(tmp_path: Path) -> None:
    ou = {"type": "AWS::Organizations::OrganizationalUnit", "id": "ou-1", "properties": {"ParentId": "r-1"}}
    member = {
        "type": "AWS::Organizations::Account", "id": OTHER, "properties": {"AccountId": OTHER, "ParentIds": ["ou-1"]}
    }  # fmt: skip
    place = {"account": ACCOUNT, "region": "global"}
    target = write(tmp_path, [{**place, **ou}, {**place, **member}, bucket("logs"), bucket("site", OTHER)])
    found = failing(judged(target, waiving(waiver(ous=("ou-1",)))))
    assert [name for name, each in found.items() if each.waiver is not None] == ["site"]


def test_a_tag_that_could_not_be_read_narrows_to_nothing(tmp_path: Path) -> None:
    line = bucket("logs", tags={"Stage": "dev"})
    line["unknown"] = [{"path": "/tags", "reason": "access_denied", "detail": "s3:GetBucketTagging"}]
    del line["tags"]
    found = failing(judged(write(tmp_path, [line]), waiving(waiver(tags={"Stage": "dev"}))))
    assert found["logs"].waiver is None


def test_what_does_not_fail_carries_no_waiver(tmp_path: Path) -> None:
    unknown = bucket("dark")
    unknown["unknown"] = [{"path": "/VersioningConfiguration", "reason": "access_denied", "detail": "denied"}]
    target = write(tmp_path, [unknown, bucket("kept", **ENABLED), bucket("logs")])
    found = {each.resource_id: each for each in judged(target, waiving(waiver()), "s3-versioning")}
    assert [(found[n].verdict, found[n].waiver is None) for n in ("dark", "kept", "logs")] == [
        ("UNKNOWN", True), ("PASS", True), ("FAIL", False),
    ]  # fmt: skip


def pinned(target: Path, **given: Any) -> Waiver:
    """A waiver pinned to what the buckets of a target have."""
    return waiver(pins=pins_of(target), **given)


def test_a_pin_lapses_when_the_values_change(tmp_path: Path) -> None:
    before = write(tmp_path, [bucket("logs"), bucket("site")])
    accepted = waiving(pinned(before, resources=("logs", "site")))
    assert all(each.waiver is not None for each in failing(judged(before, accepted)).values())
    after = write(tmp_path, [bucket("logs", **SUSPENDED), bucket("site")], "after.ndjson")
    found = failing(judged(after, accepted))
    assert found["site"].waiver is not None and found["logs"].waiver is None
    told = "(waiver W-1 lapsed: /VersioningConfiguration changed since it was granted)"
    assert found["logs"].message.endswith(told)


def test_what_no_rule_read_may_change(tmp_path: Path) -> None:
    accepted = waiving(pinned(write(tmp_path, [bucket("logs")]), resources=("logs",)))
    after = write(tmp_path, [bucket("logs", tags={"New": "tag"}, LoggingConfiguration={})], "after.ndjson")
    assert failing(judged(after, accepted))["logs"].waiver is not None


def test_a_pin_names_its_findings(tmp_path: Path) -> None:
    target = write(tmp_path, [bucket("logs"), bucket("site")])
    one = pinned(write(tmp_path, [bucket("logs")], "one"), resources=("logs", "site"))
    found = failing(judged(target, waiving(one)))
    assert found["logs"].waiver is not None
    assert found["site"].message.endswith("(waiver W-1 does not say which values it accepts here)")


SAME = Compensating("s3-bucket-public-access-block")
ABOVE = Compensating("s3-account-public-access-block")
NAMED = Compensating("s3-bucket-public-access-block", "arn:aws:s3:::guard")


@pytest.mark.parametrize(
    ("comp", "lines", "note"),
    [
        (SAME, [bucket("logs", PublicAccessBlockConfiguration=CLOSED)], ""),
        (SAME, [bucket("logs")], "compensating rule s3-bucket-public-access-block is FAIL"),
        (ABOVE, [bucket("logs"), account(True)], ""),
        (ABOVE, [bucket("logs"), account(False)], f"s3-account-public-access-block is FAIL on account {ACCOUNT}"),
        (ABOVE, [bucket("logs"), account(None)], f"s3-account-public-access-block is UNKNOWN on account {ACCOUNT}"),
        (ABOVE, [bucket("logs"), account(True, OTHER)], f"says nothing on account {ACCOUNT}"),
        (ABOVE, [bucket("logs")], f"s3-account-public-access-block says nothing on account {ACCOUNT}"),
        (NAMED, [bucket("logs"), bucket("guard", PublicAccessBlockConfiguration=CLOSED)], ""),
        (NAMED, [bucket("logs"), bucket("guard")], "s3-bucket-public-access-block is FAIL on arn:aws:s3:::guard"),
        (NAMED, [bucket("logs")], "says nothing on arn:aws:s3:::guard"),
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("rules", [(), ("s3-versioning",)], ids=["all rules", "one rule"])
def test_a_compensating_rule_has_to_pass(
    tmp_path: Path, comp: Compensating, lines: list[Any], note: str, rules: tuple[str, ...]
) -> None:
    """Also in a run that does not ask the compensating rule anything else."""
    settings = waiving(waiver(compensating=comp, resources=("logs",)))
    found = failing(judged(write(tmp_path, lines), settings, *rules))["logs"]
    assert (found.waiver is not None) is not note
    assert note in found.message and ("lapsed" in found.message) is bool(note)


def test_a_compensating_rule_that_cannot_be_told_lapses_the_waiver(tmp_path: Path) -> None:
    line = bucket("logs")
    line["unknown"] = [{"path": "/PublicAccessBlockConfiguration", "reason": "throttled", "detail": "slow"}]
    found = failing(judged(write(tmp_path, [line]), waiving(waiver(compensating=SAME))))["logs"]
    assert found.waiver is None
    assert found.message.endswith(
        "(waiver W-1 lapsed: compensating rule s3-bucket-public-access-block is UNKNOWN)"
    )


def test_a_waived_failure_of_the_compensating_rule_compensates_nothing(tmp_path: Path) -> None:
    other = waiver(id="W-2", rules=("s3-bucket-public-access-block",))
    found = judged(write(tmp_path, [bucket("logs")]), waiving(waiver(compensating=SAME), other))
    assert failing(found, "s3-bucket-public-access-block")["logs"].waiver is not None
    assert failing(found)["logs"].waiver is None


def test_a_disabled_rule_compensates_nothing(tmp_path: Path) -> None:
    from dataclasses import replace

    settings = waiving(waiver(compensating=SAME))
    settings = replace(settings, disabled={SAME.rule: "we say so"})
    line = bucket("logs", PublicAccessBlockConfiguration=CLOSED)
    found = failing(judged(write(tmp_path, [line]), settings))["logs"]
    assert found.waiver is None and f"compensating rule {SAME.rule} says nothing" in found.message


def test_the_first_waiver_that_holds_is_told(two: Path) -> None:
    ended = waiver(id="W-0", expires="2026-02-01")
    found = failing(judged(two, waiving(ended, waiver(), waiver(id="W-2"))))["logs"]
    assert found.waiver is not None and found.waiver["id"] == "W-1"
    assert "W-0" not in found.message


def test_all_that_ended_are_told_up_to_three(two: Path) -> None:
    ended = [waiver(id=f"W-{number}", expires="2026-02-01") for number in range(5)]
    message = failing(judged(two, waiving(*ended)))["logs"].message
    assert [f"W-{number} expired" in message for number in range(5)] == [True, True, True, False, False]


def test_refused_waivers_hold_on_no_day(two: Path) -> None:
    found = failing(judged(two, waiving(waiver(refused="Ben has not signed it"))))["logs"]
    assert found.waiver is None and found.message.endswith(
        "(waiver W-1 does not hold: Ben has not signed it)"
    )


def test_the_counts_of_a_scan(two: Path) -> None:
    scan = scan_of(
        two, waiving(waiver(accounts=(ACCOUNT,)), waiver(id="W-2", accounts=(OTHER,), expires="2026-02-01"))
    )
    assert len(list(scan.findings())) > 0
    accepted = scan.counts.accepted
    assert accepted.rules == {"s3-versioning": 1} and accepted.debt == 0
    assert accepted.waivers == {("W-1", "active"): 1, ("W-2", "expired"): 1}
    assert accepted.why == {"W-2": "waiver W-2 expired on 2026-02-01"}


def group(*ingress: tuple[int, str]) -> list[dict[str, Any]]:
    """A security group that lets these ports in from there."""
    rules = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": cidr} for port, cidr in ingress
    ]
    place = {"type": "AWS::EC2::SecurityGroup", "id": "sg-1", "account": ACCOUNT, "region": REGION}
    return [
        {
            **place,
            "properties": {"GroupId": "sg-1", "SecurityGroupIngress": rules},
            "tags": {"Name": str(len(rules))},
        }
    ]


OPEN = "0.0.0.0/0"
MANY = tuple((22, f"{number}.0.0.0/8") for number in range(1, 70))


@pytest.mark.parametrize(
    ("before", "after", "held"),
    [
        (((22, OPEN), (443, OPEN)), ((443, OPEN), (22, OPEN)), True),
        (((22, OPEN),), ((3389, OPEN),), False),
        (((22, OPEN), (443, OPEN)), ((22, OPEN), (3389, OPEN)), False),
        (((22, OPEN), (443, OPEN)), ((22, OPEN),), False),
        (((22, OPEN), *MANY), ((22, OPEN), *MANY, (22, "99.0.0.0/8")), False),
        (((22, OPEN), *MANY), ((22, OPEN), *reversed(MANY)), True),
    ],
    ids=[
        "another order",
        "another port",
        "one more port",
        "one port less",
        "one of seventy",
        "seventy in another order",
    ],
)
def test_a_pin_is_over_all_that_the_rule_reads(
    tmp_path: Path, before: tuple[Any, ...], after: tuple[Any, ...], held: bool
) -> None:
    """Evidence says `0.0.0.0/0 at SecurityGroupIngress.0.CidrIp` of either port, and no more than fifty of them."""
    rule = "security-group-admin-ports-closed"
    target = write(tmp_path, group(*before))
    one = waiver(rules=(rule,), resources=("sg-1",), pins=pins_of(target, rule))
    assert failing(judged(target, waiving(one), rule), rule)["sg-1"].waiver is not None
    found = failing(judged(write(tmp_path, group(*after), "after"), waiving(one), rule), rule)["sg-1"]
    assert (found.waiver is not None) is held, found.message
    assert ("/SecurityGroupIngress changed" in found.message) is not held


def test_what_lies_elsewhere_counts_as_the_evidence_shows_it(tmp_path: Path) -> None:
    """Of tags, those that are told; others come and go."""
    rule = "tags-mandatory"
    one = waiver(rules=(rule,), resources=("logs",), pins=pins_of(write(tmp_path, [bucket("logs")]), rule))
    same = write(tmp_path, [bucket("logs", tags={"Color": "red"})], "same")
    assert failing(judged(same, waiving(one), rule), rule)["logs"].waiver is not None
    other = write(tmp_path, [bucket("logs", tags={"Owner": "Ana"})], "other")
    assert failing(judged(other, waiving(one), rule), rule)["logs"].waiver is None


def test_a_pinned_secret_counts_by_its_keyed_digest(tmp_path: Path) -> None:
    from policyengine.engine.pinning import Pins
    from policyengine.model.finding import Evidence, build_finding
    from policyengine.model.resource import Resource
    from policyengine.model.values import Unresolved
    from tests.waivers.making import pack

    def pin(mac: str) -> dict[str, str]:
        value = Unresolved("redacted", f"hmac-sha256:00000000:{mac * 32}", present=True)
        resource = Resource("AWS::S3::Bucket", "logs", ACCOUNT, REGION, {"VersioningConfiguration": value})
        found = build_finding(
            rule="s3-versioning", title="t", family="resilience", severity="low", verdict="FAIL", reason="value_mismatch",
            message="m", resource=resource, evidence=[Evidence(("VersioningConfiguration",), value, "x", "value_mismatch")],
        )  # fmt: skip
        return Pins({form["id"]: form for form in pack("s3-versioning").rules}).of(found, resource)

    assert pin("a") == pin("a") != pin("b")


def test_where_evidence_stands_nowhere_the_resource_is_pinned_and_not_its_use(tmp_path: Path) -> None:
    """A role that may do everything: one more statement lapses its waiver, one more use does not."""
    rule = "iam-role-not-administrator"
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}

    def role(*statements: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
        document = {"Version": "2012-10-17", "Statement": list(statements)}
        properties = {"RoleName": "r", "Policies": [{"PolicyName": "p", "PolicyDocument": document}], **more}
        trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        properties["AssumeRolePolicyDocument"] = {"Version": "2012-10-17", "Statement": [trust]}
        return [
            {
                "type": "AWS::IAM::Role",
                "id": "r",
                "account": ACCOUNT,
                "region": "global",
                "properties": properties,
            }
        ]

    pins = pins_of(write(tmp_path, role(everything)), rule)
    one = waiver(rules=(rule,), resources=("r",), pins=pins)
    for name, lines, held in (
        ("used", role(everything, RoleLastUsed={"LastUsedDate": "2026-05-31T00:00:00Z"}), True),
        ("more", role(everything, {**everything, "Action": "s3:*"}), False),
    ):
        found = failing(judged(write(tmp_path, lines, name), waiving(one), rule), rule)["r"]
        assert (found.waiver is not None) is held, found.message
        assert held or "the resource changed since it was granted" in found.message
