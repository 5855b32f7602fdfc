"""The list of calls that a collection leaves: what an auditor asks of each, in order, and nothing of what was asked for."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from policyengine.aws.calls import Call, CallLog
from policyengine.sources.live.call_spool import CallSpool

FIELDS = {"account", "region", "operation", "sequence", "at", "request_id", "retries", "items", "error"}
KEY = ("111122223333", "eu-west-1", "ec2:DescribeVolumes")


def call(number: int, **other: Any) -> Call:
    at = f"2026-11-21T09:00:00.{number:03d}Z"
    return Call(*KEY, at, f"id-{number}", 3, 0, "")._replace(**other)


def test_calls_are_told_in_the_order_of_place_operation_and_time(tmp_path: Path) -> None:
    spool = CallSpool(tmp_path / "calls.ndjson", resume=False)
    given = [
        call(2),
        call(1, region="us-east-1"),
        call(1),
        call(3, account="000000000001", items=None, error="AccessDenied"),
    ]
    threads = [threading.Thread(target=spool.add, args=(each,)) for each in given]
    for each in threads:
        each.start()
        each.join()
    spool.close()
    spool.add(call(9))
    told = [json.loads(line) for line in spool.lines()]
    assert [(c["account"], c["region"], c["sequence"], c["request_id"]) for c in told] == [
        ("000000000001", "eu-west-1", 1, "id-3"), ("111122223333", "eu-west-1", 1, "id-1"),
        ("111122223333", "eu-west-1", 2, "id-2"), ("111122223333", "us-east-1", 1, "id-1"),
    ]  # fmt: skip
    assert told[0]["error"] == "AccessDenied"
    assert "items" not in told[0]
    assert told[1] == {
        "account": KEY[0], "region": KEY[1], "operation": KEY[2], "sequence": 1, "at": "2026-11-21T09:00:00.001Z",
        "request_id": "id-1", "retries": 0, "items": 3,
    }  # fmt: skip


def test_a_collection_that_is_resumed_goes_on_with_its_calls(tmp_path: Path) -> None:
    path = tmp_path / "calls.ndjson"
    first = CallSpool(path, resume=False)
    first.add(call(1))
    first.close()
    path.write_bytes(path.read_bytes() + b'["1111')  # it was killed in the middle of a line
    again = CallSpool(path, resume=True)
    again.add(call(2))
    assert [json.loads(line)["request_id"] for line in again.lines()] == ["id-1", "id-2"]
    assert list(CallSpool(path, resume=False).lines()) == []


def test_what_is_kept_of_an_answer() -> None:
    """ResponseMetadata: https://boto3.amazonaws.com/v1/documentation/api/latest/guide/error-handling.html"""
    kept: list[Call] = []
    log = CallLog(kept.append)
    secret = {"Secret": "hunter2", "Volumes": [{"Name": "hunter2"}] * 4, "More": [1]}
    log.answered(KEY, {**secret, "ResponseMetadata": {"RequestId": "r-1", "RetryAttempts": 2}}, 0.0)
    log.answered(
        KEY, {"Error": {"Message": "hunter2"}, "ResponseMetadata": {"RequestId": "r-2"}}, 0.0, "AccessDenied"
    )
    log.answered(KEY, {}, 0.0, "ConnectTimeoutError")
    assert [(c.request_id, c.items, c.retries, c.error) for c in kept] == [
        ("r-1", 5, 2, ""), ("r-2", None, 0, "AccessDenied"), ("", None, 0, "ConnectTimeoutError"),
    ]  # fmt: skip
    assert "hunter2" not in str(kept)
    assert (log.total, log.throttles) == (3, 2)


@pytest.mark.slow
def test_a_scan_of_an_organisation_lists_its_calls_in_the_bundle(tmp_path: Path) -> None:
    """A process against a server: what the manifest counts is what the bundle lists, page by page."""
    import zipfile

    pytest.importorskip("moto")
    from tests.live import commands, populate, server
    from tests.live.conftest import _free_port

    regions = "us-east-1,eu-west-1"
    live = [
        "--org",
        "--regions",
        regions,
        "--rate",
        "10000",
        *commands.rules(("ebs-volume-encrypted", "iam-role-not-administrator")),
    ]
    with server.running(_free_port()) as endpoint:
        populate.organization(endpoint, 2, regions.split(","))
        faults = [{"operation": "ec2:DescribeVolumes", "kind": "denied"}]
        ended = commands.run(
            endpoint, tmp_path, "scan", *live, "-q", "-o", str(tmp_path / "run"), faults=faults
        )
        assert ended.code == 4, ended.err
        key = str(tmp_path / "key")
        assert commands.run(endpoint, tmp_path, "evidence", "keygen", key).code == 0
        without = [word for name in ("html", "xlsx", "oscal", "oscal-poam") for word in ("--without", name)]
        bundle_file = str(tmp_path / "b.zip")
        export = ["evidence", "export", str(tmp_path / "run"), "--sign-key", key, *without, "-o", bundle_file]
        ended = commands.run(endpoint, tmp_path, *export)
        assert ended.code == 0, ended.err
        verified = commands.run(endpoint, tmp_path, "evidence", "verify", bundle_file, "--key", f"{key}.pub")
        assert verified.code == 0, verified.err
    assert ended.code in (0, 1, 4), ended.err
    with zipfile.ZipFile(tmp_path / "b.zip") as bundle:
        lines = [json.loads(line) for line in bundle.read("run/collection.ndjson").splitlines()]
    counted = {line["operation"]: line["calls"] for line in lines if "calls" in line}
    calls = [line for line in lines if "sequence" in line]
    assert lines[0]["calls_listed"] is True
    listed: dict[str, int] = {}
    for each in calls:
        assert each.keys() <= FIELDS | {"input"}
        listed[each["operation"]] = listed.get(each["operation"], 0) + 1
    assert listed == counted
    order = [(c["account"], c["region"], c["operation"], c["sequence"]) for c in calls]
    assert order == sorted(order)
    denied = [c for c in calls if c["operation"] == "ec2:DescribeVolumes"]
    assert denied
    assert {c.get("error") for c in denied} <= {
        "UnauthorizedOperation",
        "AccessDenied",
        "AccessDeniedException",
    }
    answered = [c for c in calls if not c.get("error")]
    assert all(c["request_id"] for c in answered)
    assert any(c.get("items") for c in answered)
