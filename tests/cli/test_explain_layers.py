"""`policyengine explain FINDING` walks the request of a finding through every layer of its targets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from policyengine.cli.iam.layers import walk
from policyengine.cli.iam.world import World, read_world
from policyengine.iam.search import Witness
from policyengine.store.rundir import read_findings
from tests.cli.conftest import Run
from tests.cli.organization_files import LAB, MANAGEMENT, OU, ROOT, deny, organization, write

OPEN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
APP = f"arn:aws:iam::{LAB}:role/app"
ELSEWHERE = "does not deny it: it applies only where aws:RequestedRegion is `us-east-1`"
BUCKET = "arn:aws:s3:::data"


def role(**more: Any) -> dict[str, Any]:
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    properties = {
        "RoleName": "app",
        "Arn": APP,
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
        "Policies": [{"PolicyName": "own", "PolicyDocument": OPEN}],
        **more,
    }
    return {
        "type": "AWS::IAM::Role", "id": "app", "account": LAB, "region": "global", "properties": properties
    }  # fmt: skip


def bucket(policy: Any) -> dict[str, Any]:
    related = {"policies": [{"PolicyDocument": policy}]}
    return {
        "type": "AWS::S3::Bucket", "id": "data", "account": LAB, "region": "eu-west-1",
        "properties": {"BucketName": "data"}, "related": related,
    }  # fmt: skip


def world(folder: Path, *lines: dict[str, Any], scps: dict[str, Any] | None = None) -> World:
    return read_world([str(write(folder / "w.ndjson", [*organization(scps or {}), *lines]))])


def test_each_layer_says_what_its_statements_do(tmp_path: Path) -> None:
    regions = deny("s3:*", {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, Sid="Regions")
    tls = {**deny("s3:*", {"Bool": {"aws:SecureTransport": "false"}}), "Version": "2012-10-17"}
    tls["Statement"][0]["Principal"] = "*"
    found = world(tmp_path, role(), bucket(tls), scps={"p-regions": (regions, [OU])})
    request = Witness(
        APP,
        "s3:GetObject",
        f"{BUCKET}/x",
        {"aws:RequestedRegion": "eu-west-1", "aws:SecureTransport": "true"},
    )
    assert walk(request, found) == [
        f"SCPs at {ROOT}",
        "  FullAWSAccess: statement 1 allows it",
        f"SCPs at {OU}",
        "  FullAWSAccess: statement 1 allows it",
        f"  p-regions: statement 1 `Regions` {ELSEWHERE}",
        f"SCPs at {LAB}",
        "  FullAWSAccess: statement 1 allows it",
        "identity policies",
        "  own: statement 1 allows it",
        "permissions boundary: none",
        "policy of AWS::S3::Bucket data",
        "  data: statement 1 does not deny it: it applies only where aws:SecureTransport is `false`",
        "together: allowed",
    ]


def test_a_deny_that_stops_the_request_is_said(tmp_path: Path) -> None:
    found = world(tmp_path, role(), scps={"p-no-s3": (deny("s3:*", Sid="No"), [LAB])})
    lines = walk(Witness(APP, "s3:GetObject", f"{BUCKET}/x", {}), found)
    assert "  p-no-s3: statement 1 `No` DENIES it" in lines
    assert lines[-1] == "together: denied (scp: a statement denies the request)"


def test_a_boundary_that_lacks_the_action_is_said(tmp_path: Path) -> None:
    boundary = f"arn:aws:iam::{LAB}:policy/limit"
    only = {**OPEN, "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
    policy = {
        "type": "AWS::IAM::ManagedPolicy", "id": boundary, "account": LAB, "region": "global",
        "properties": {"ManagedPolicyName": "limit", "PolicyDocument": only},
    }  # fmt: skip
    found = world(tmp_path, role(PermissionsBoundary=boundary), policy)
    lines = walk(Witness(APP, "s3:GetObject", f"{BUCKET}/x", {}), found)
    assert "permissions boundary: nothing in them is about this request" in lines
    assert lines[-1] == "together: denied (boundary: no statement of the layer allows the request)"


def test_the_management_account_has_no_layer_of_scps(tmp_path: Path) -> None:
    found = world(tmp_path, scps={"p-no": (deny("*"), [ROOT])})
    lines = walk(Witness(f"arn:aws:iam::{MANAGEMENT}:role/x", "s3:ListAllMyBuckets", "*", {}), found)
    assert lines[0] == "SCPs: they do not restrict the management account"
    assert lines[-1] == "together: allowed, if the principal's own policies allow it"


def test_a_policy_that_could_not_be_read_leaves_it_open(tmp_path: Path) -> None:
    line = {**role(), "unknown": [{"path": "/Policies", "reason": "access_denied"}]}
    del line["properties"]["Policies"]
    lines = walk(Witness(APP, "s3:GetObject", f"{BUCKET}/x", {}), world(tmp_path, line))
    assert lines[-1].startswith("together: not decided (")


def test_explain_walks_what_the_run_looked_at(run: Run, tmp_path: Path) -> None:
    write(tmp_path / "w.ndjson", [*organization({}), role()])
    rule = "iam-role-trust-not-public"
    run("scan", "w.ndjson", "--rule", rule, "-q", "-o", "out", "--format", "json=findings.json")
    finding = next(f for f in read_findings(tmp_path / "out") if f["verdict"] == "FAIL")
    for kept in ("out", "findings.json"):
        page = run("explain", finding["id"], "--run", kept).out
        assert "Layer by layer" in page
        assert "app: statement 1 allows it" in page
    (tmp_path / "w.ndjson").rename(tmp_path / "moved.ndjson")
    assert "app: statement 1 allows it" in run("explain", finding["id"], "--run", "out").out, "a run keeps it"
    gone = run("explain", finding["id"], "--run", "findings.json")
    assert "not shown: `w.ndjson` is not here; name it with `--in`" in gone.out
    assert gone.code == 0
    described = tmp_path / "findings.json"
    described.write_text(described.read_text().replace('"w.ndjson"', '"live account 111122223333"'))
    live = run("explain", finding["id"], "--run", "findings.json").out
    assert "not shown: what is read live is not kept; `policyengine snapshot` keeps it" in live
    again = run("explain", finding["id"], "--run", "findings.json", "--in", "moved.ndjson").out
    assert "app: statement 1 allows it" in again
