"""An aggregator asked: canned answers, held against botocore's models; moto has no such call."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from policyengine.aws.failures import CallFailure
from policyengine.sources.config.aggregator import (
    MAX_EXPRESSION,
    Aggregator,
    expressions,
    recorded_names,
    write,
)
from policyengine.sources.config.mapping import resources_of

Json = dict[str, Any]
PLACE = {"accountId": "111122223333", "awsRegion": "eu-west-1"}


def found(id: str) -> Json:
    return {
        **PLACE,
        "resourceId": id,
        "resourceType": "AWS::EC2::Volume",
        "tags": [{"key": "Owner", "value": id, "tag": f"Owner={id}"}],
    }


def base(id: str, **configuration: Any) -> Json:
    return {
        **PLACE, "version": "1.3", "resourceId": id, "resourceType": "AWS::EC2::Volume", "configurationItemStatus": "OK",
        "configurationStateId": "1", "arn": f"arn:aws:ec2:eu-west-1:111122223333:volume/{id}",
        "configuration": json.dumps({"volumeId": id, "encrypted": True, **configuration}), "supplementaryConfiguration": {},
    }  # fmt: skip


def identifier(id: str) -> Json:
    return {
        "SourceAccountId": "111122223333",
        "SourceRegion": "eu-west-1",
        "ResourceId": id,
        "ResourceType": "AWS::EC2::Volume",
    }


def aggregator(canned: Callable[..., Any], select: Any, batch: Any) -> Aggregator:
    account = canned(
        {"config:SelectAggregateResourceConfig": select, "config:BatchGetAggregateResourceConfig": batch}
    )
    return Aggregator(account, "us-east-1", "all")


def results(*ids: str) -> Json:
    return {"Results": [json.dumps(found(id)) for id in ids]}


def test_items_come_with_the_tags_of_the_query(canned: Callable[..., Any]) -> None:
    ids = [f"vol-{n}" for n in range(250)]
    asked: list[int] = []

    def batch(arguments: Json) -> Json:
        wanted = arguments["ResourceIdentifiers"]
        asked.append(len(wanted))
        return {"BaseConfigurationItems": [base(one["ResourceId"]) for one in wanted]}

    given = aggregator(canned, results(*ids), batch)
    resources = [r for item in given.items(["AWS::EC2::Volume"]) for r in resources_of(item)]
    assert [(r.id, r.tags) for r in resources] == [(id, {"Owner": id}) for id in ids]
    assert asked == [100, 100, 50]
    assert (given.failures, given.missed) == ([], 0)


def test_what_is_left_unprocessed_is_asked_for_again_and_then_told(canned: Callable[..., Any]) -> None:
    calls: list[list[str]] = []

    def batch(arguments: Json) -> Json:
        wanted = [one["ResourceId"] for one in arguments["ResourceIdentifiers"]]
        calls.append(wanted)
        slow = [id for id in wanted if id == "vol-2" or (id == "vol-1" and len(calls) < 2)]
        return {
            "BaseConfigurationItems": [base(id) for id in wanted if id not in slow],
            "UnprocessedResourceIdentifiers": [identifier(id) for id in slow],
        }

    given = aggregator(canned, results("vol-0", "vol-1", "vol-2"), batch)
    assert [item["resourceId"] for item in given.items(["AWS::EC2::Volume"])] == ["vol-0", "vol-1"]
    assert calls == [["vol-0", "vol-1", "vol-2"], ["vol-1", "vol-2"], ["vol-2"]]
    assert given.missed == 1


def test_calls_that_fail(canned: Callable[..., Any]) -> None:
    denied = CallFailure("config:X", "access_denied", "AccessDeniedException", "")
    with pytest.raises(CallFailure):
        list(aggregator(canned, denied, {}).items(["AWS::EC2::Volume"]))
    given = aggregator(canned, results("vol-0"), denied)
    assert list(given.items(["AWS::EC2::Volume"])) == []
    assert (given.failures, given.missed) == ([denied], 1)


def test_queries_are_as_long_as_allowed_and_ask_for_every_type(canned: Callable[..., Any]) -> None:
    known = aggregator(canned, {}, {}).known()
    assert "AWS::IAM::Policy" in known
    queries = list(expressions(sorted(known)))
    assert all(len(query) <= MAX_EXPRESSION for query in queries)
    assert len(queries) > 1
    assert sum(query.count("'") for query in queries) == 2 * len(known)
    types = [
        "AWS::IAM::ManagedPolicy",
        "AWS::DocDB::DBCluster",
        "AWS::RDS::DBCluster",
        "AWS::EC2::Volume",
        "AWS::::Account",
        "tags",
    ]
    assert recorded_names(types, known) == ("AWS::EC2::Volume", "AWS::IAM::Policy", "AWS::RDS::DBCluster")


def test_what_is_written_is_a_file_of_config() -> None:
    lines: list[bytes] = []
    assert write([base("vol-1"), base("vol-2")], lines.append) == 2
    record = json.loads(b"".join(lines))
    assert [item["resourceId"] for item in record["configurationItems"]] == ["vol-1", "vol-2"]


# -- the command ---------------------------------------------------------------------------------------


class _Stand(BaseHTTPRequestHandler):
    """STS and Config in their wire formats, for the few calls that are made."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        if operation == "SelectAggregateResourceConfig":
            name = json.loads(body)["ConfigurationAggregatorName"]
            if name != "all":
                self._send(
                    400, {"__type": "NoSuchConfigurationAggregatorException", "message": "no such aggregator"}
                )
            elif "AWS::EC2::Volume" in json.loads(body)["Expression"]:
                self._send(200, results("vol-1", "vol-2"))
            else:
                self._send(200, {"Results": []})
        elif operation == "BatchGetAggregateResourceConfig":
            items = [base("vol-1"), {**base("vol-2", encrypted=False)}]
            self._send(200, {"BaseConfigurationItems": items})
        else:
            self._send(200, (
                '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
                "<Arn>arn:aws:iam::111122223333:user/me</Arn><UserId>A</UserId><Account>111122223333</Account>"
                "</GetCallerIdentityResult></GetCallerIdentityResponse>"
            ))  # fmt: skip

    def _send(self, status: int, answer: Any) -> None:
        data = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header(
            "Content-Type", "text/xml" if isinstance(answer, str) else "application/x-amz-json-1.1"
        )
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def stand() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Stand)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def scan(stand: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {
        **os.environ, "AWS_ENDPOINT_URL": stand, "AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }  # fmt: skip
    command = [sys.executable, "-m", "policyengine", "scan", "--rule", "ebs-volume-encrypted", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_scan_of_an_aggregator(stand: str) -> None:
    done = scan(stand, "--config-aggregator", "all", "--format", "json")
    report = json.loads(done.stdout)
    assert {f["resource"]["id"]: f["verdict"] for f in report["findings"]} == {
        "vol-1": "PASS",
        "vol-2": "FAIL",
    }
    assert report["run"]["scope"]["targets"] == ["aggregator all"]
    assert done.returncode == 1


def test_an_aggregator_that_is_not_there(stand: str) -> None:
    done = scan(stand, "--config-aggregator", "none")
    assert done.returncode == 2
    assert "the aggregator `none` in us-east-1 gave no answer" in done.stderr
    assert scan(stand, "--config-aggregator", "all", "x.json").returncode == 2
