"""Since when something fails, by AWS Config's history."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.cli.main import main
from policyengine.model.resource import Resource
from policyengine.review.joining import LOGICAL_ID, STACK
from policyengine.review.since import Since, since_of
from policyengine.sources.snapshot.writer import write_snapshot

ACCOUNT, REGION, GROUP = "111122223333", "eu-west-1", "AWS::EC2::SecurityGroup"
RULE = "security-group-admin-ports-closed"


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        ("", Since(None)),
        ("P", Since(None, met="t0")),
        ("U", Since(None)),
        ("PU", Since(None, met="t0")),
        ("FU", Since(None)),
        ("F", Since("t0", begins=True)),
        ("FF", Since("t0", begins=True)),
        ("PF", Since("t1", certain=True, met="t0")),
        ("NF", Since("t1", certain=True, met="t0")),
        ("FPFF", Since("t2", certain=True, met="t1")),
        ("UF", Since("t1")),
        ("PUF", Since("t2", met="t0")),
        ("PFUFF", Since("t3", met="t0")),
        ("PFP", Since(None, met="t2")),
    ],
)
def test_the_last_unbroken_stretch(verdicts: str, expected: Since) -> None:
    names = {"P": "PASS", "F": "FAIL", "U": "UNKNOWN", "N": "NOT_APPLICABLE"}
    assert since_of([(f"t{n}", names[each]) for n, each in enumerate(verdicts)]) == expected


@given(st.lists(st.sampled_from(["PASS", "FAIL", "UNKNOWN", "NOT_APPLICABLE"]), max_size=8))
def test_what_is_said_holds_whatever_is_behind_the_unknown(verdicts: list[str]) -> None:
    found = since_of([(f"t{n}", each) for n, each in enumerate(verdicts)])
    assert (found.first is None) == (not verdicts or verdicts[-1] != "FAIL")
    if found.first is not None:
        first = int(found.first[1:])
        assert set(verdicts[first:]) == {"FAIL"}
        assert found.certain == (first > 0 and verdicts[first - 1] in ("PASS", "NOT_APPLICABLE"))
        assert found.begins == (first == 0)
    if found.met is not None:
        met = int(found.met[1:])
        assert verdicts[met] in ("PASS", "NOT_APPLICABLE")
        assert not {"PASS", "NOT_APPLICABLE"} & set(verdicts[met + 1 :])


# -- the command -------------------------------------------------------------------------------------

Json = dict[str, Any]
TEMPLATE = f"""
Resources:
  Web:
    Type: {GROUP}
    Properties:
      GroupDescription: web
      SecurityGroupIngress: [{{IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}}]
"""


def item(time: str, port: int | None, status: str = "OK", **more: Any) -> Json:
    """An item of a security group as AWS Config delivers it; without a port its permissions are not recorded."""
    permissions = {
        "ipPermissions": [
            {"ipProtocol": "tcp", "fromPort": port, "toPort": port, "userIdGroupPairs": [], "prefixListIds": [],
             "ipRanges": ["0.0.0.0/0"], "ipv4Ranges": [{"cidrIp": "0.0.0.0/0"}], "ipv6Ranges": []}
        ],
    }  # fmt: skip
    time = time if "." in time else time.replace("Z", ".000Z")
    configuration = {
        "ownerId": ACCOUNT, "groupName": "web", "groupId": "sg-1", "description": "web", "vpcId": "vpc-1", "tags": [],
        "ipPermissionsEgress": [], **(permissions if port is not None else {}),
    }  # fmt: skip
    return {
        "configurationItemVersion": "1.3", "configurationItemCaptureTime": time, "configurationStateId": 1549956556288,
        "awsAccountId": ACCOUNT, "configurationItemStatus": status, "resourceType": GROUP, "resourceId": "sg-1",
        "ARN": f"arn:aws:ec2:{REGION}:{ACCOUNT}:security-group/sg-1", "awsRegion": REGION, "availabilityZone": "Not Applicable",
        "tags": {}, "relationships": [], "relatedEvents": [], "supplementaryConfiguration": {},
        "configuration": None if "Delete" in status or "NotRecorded" in status else configuration, **more,
    }  # fmt: skip


def delivered(path: Path, *items: Json) -> Path:
    """A history file as AWS Config delivers it to S3."""
    path.write_text(json.dumps({"fileVersion": "1.0", "configurationItems": items}))
    return path


def drift(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    """Compare a closed group of a template with the one that is open since 2026-11-21."""
    ingress = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}]
    live = {"GroupId": "sg-1", "SecurityGroupIngress": ingress}
    return compared(folder, capsys, TEMPLATE, (GROUP, "sg-1", live), RULE, *arguments)


def compared(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    template: str,
    running: tuple[str, str, Json],
    rule: str,
    *arguments: str,
) -> tuple[int, list[str]]:
    """Return the exit code of a comparison by one rule, and the lines that are shown."""
    (folder / "template.yaml").write_text(template)
    type, id, properties = running
    live = Resource(
        type, id, ACCOUNT, REGION, properties, tags={STACK: "app", LOGICAL_ID: "Web"}, collected_at="2026-11-21T09:00:00Z"
    )  # fmt: skip
    covered = frozenset({(ACCOUNT, REGION, "*")})
    write_snapshot(folder / "s", [live], created="2026-11-21T09:00:00Z", coverage=covered)
    against = ["--against", str(folder / "s"), "--rule", rule]
    with pytest.raises(SystemExit) as ended:
        main(["drift", str(folder / "template.yaml"), *against, *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code, capsys.readouterr().out.splitlines()


CLOSED, OPEN = 443, 22
BY = "by AWS Config's history"
MET = "(it did not on 2026-11-01T08:00:00Z)"


@pytest.mark.parametrize(
    ("items", "said"),
    [
        (
            [item("2026-11-01T08:00:00.139Z", CLOSED), item("2026-11-02T08:00:00Z", OPEN), item("2026-11-09T08:00:00Z", OPEN)],
            f"fails since 2026-11-02T08:00:00Z, {BY} (it did not on 2026-11-01T08:00:00Z)",
        ),
        (
            [item("2026-11-02T08:00:00Z", OPEN), item("2026-11-01T08:00:00Z", OPEN)],
            f"fails at the latest since 2026-11-01T08:00:00Z, {BY}, which begins there",
        ),
        (
            [item("2026-11-01T08:00:00Z", CLOSED), item("2026-11-02T08:00:00Z", None), item("2026-11-03T08:00:00Z", OPEN)],
            f"fails at the latest since 2026-11-03T08:00:00Z, {BY}, which does not decide it before {MET}",
        ),
        (
            [item("2026-11-01T08:00:00Z", OPEN), item("2026-11-02T08:00:00Z", OPEN, "ResourceNotRecorded"), item("2026-11-03T08:00:00Z", OPEN)],
            f"fails at the latest since 2026-11-03T08:00:00Z, {BY}, which does not decide it before",
        ),
        (
            [item("2026-11-01T08:00:00Z", OPEN), item("2026-11-02T08:00:00Z", None, "ResourceDeleted"), item("2026-11-03T08:00:00Z", OPEN, "ResourceDiscovered")],
            f"fails since 2026-11-03T08:00:00Z, {BY} (it did not on 2026-11-02T08:00:00Z)",
        ),
        (  # what was recorded after the snapshot says nothing of it
            [item("2026-11-20T08:00:00Z", CLOSED), item("2026-11-21T09:05:00Z", OPEN), item("2026-11-22T08:00:00Z", CLOSED)],
            f"fails since some time after 2026-11-20T08:00:00Z, {BY}",
        ),
        ([item("2026-11-01T08:00:00Z", None)], f"{BY} nobody knows since when it fails"),
    ],
    ids=["since", "begins", "unknown between", "not recorded", "made again", "later", "never known"],
)  # fmt: skip
def test_since_when(tmp_path: Path, capsys: pytest.CaptureFixture[str], items: list[Json], said: str) -> None:
    code, shown = drift(tmp_path, capsys, "--history", str(delivered(tmp_path / "history.json", *items)))
    assert code == 1
    assert [line for line in shown if line.startswith("    = ")] == [f"    = {said}"]
    # the same from several files, in another order
    files = [str(delivered(tmp_path / f"history-{n}.json", each)) for n, each in enumerate(reversed(items))]
    (tmp_path / "history.json").unlink()
    assert drift(tmp_path, capsys, *(a for file in files for a in ("--history", file))) == (code, shown)


def test_history_of_other_resources_says_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = item("2026-11-02T08:00:00Z", OPEN, resourceId="sg-2")
    other["configuration"]["groupId"] = "sg-2"
    elsewhere = item("2026-11-02T08:00:00Z", OPEN, awsRegion="us-east-1")
    history = delivered(tmp_path / "history.json", other, elsewhere)
    code, shown = drift(tmp_path, capsys, "--history", str(history))
    assert (code, [line for line in shown if line.startswith("    = ")]) == (1, [])


def test_what_cannot_be_read_of_a_history_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An item that is lost may be the one that was closed."""
    items = [item("2026-11-01T08:00:00Z", OPEN), item("2026-11-02T08:00:00Z", CLOSED, "Odd")]
    code, shown = drift(tmp_path, capsys, "--history", str(delivered(tmp_path / "history.json", *items)))
    assert code == 4
    assert any("history.json" in line and "`Odd`" in line for line in shown if line.startswith("error: "))


def test_a_file_that_is_no_history(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "template.yaml").write_text(TEMPLATE)
    with pytest.raises(SystemExit) as ended:
        main(
            ["drift", str(tmp_path / "template.yaml"), "--against", str(write_snapshot(tmp_path / "s", [], created="2026-11-21T09:00:00Z")),
             "--history", str(tmp_path / "template.yaml")]
        )  # fmt: skip
    assert ended.value.code == 2
    assert "holds no configuration items of AWS Config" in capsys.readouterr().err


FUNCTION = "AWS::Lambda::Function"


def test_rules_about_time_are_asked_as_of_then(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """python3.8 was supported in 2022 (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html)."""
    template = f"""
Resources:
  Web:
    Type: {FUNCTION}
    Properties: {{Code: {{ZipFile: x}}, Role: 'arn:aws:iam::{ACCOUNT}:role/r', Handler: a.b, Runtime: python3.13}}
"""
    configuration = {"functionName": "web", "runtime": "python3.8", "packageType": "Zip", "handler": "a.b"}
    records = [
        item(
            time, None, resourceType=FUNCTION, resourceId="web", resourceName="web", configuration=configuration,
            ARN=f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:web",
        )
        for time in ("2022-03-01T00:00:00Z", "2026-10-01T00:00:00Z")
    ]  # fmt: skip
    live = (FUNCTION, "web", {"FunctionName": "web", "PackageType": "Zip", "Runtime": "python3.8"})
    history = delivered(tmp_path / "history.json", *records)
    code, shown = compared(
        tmp_path, capsys, template, live, "lambda-runtime-supported", "--history", str(history)
    )
    assert code == 1
    assert f"    = fails since 2026-10-01T00:00:00Z, {BY} (it did not on 2022-03-01T00:00:00Z)" in shown
