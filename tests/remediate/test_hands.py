"""Calls as a remediation: only what it declares, changes once, and a failure says whether something may have happened."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from policyengine.aws.failures import CallFailure, is_throttle
from policyengine.aws.rate import Buckets
from policyengine.aws.sessions import Identity, Sessions
from policyengine.remediate.accounts import Doors, Role
from policyengine.remediate.api import Call, Refused
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.hands import LiveHands
from policyengine.remediate.ports import CallFailed
from policyengine.testing.moto_server import ACCOUNT, environment

REGION = "eu-west-1"
DECLARED = Declaration.from_json(
    {
        "id": "fixer", "title": "Fix things", "version": 1, "fixes": ["x"], "types": ["AWS::KMS::Key"],
        "reads": ["kms:DescribeKey", "kms:ListKeys", "s3:GetBucketPolicy", "sqs:ListQueues"],
        "writes": ["kms:EnableKeyRotation", "s3:PutBucketVersioning", "ec2:CreateTags", "kms:CreateKey"],
        "mode": "automatic", "approvals": 0, "destructive": False, "reversible": "full", "lost": "", "window": False,
        "verify_seconds": 1, "scope": {}, "also": {}, "dangers": "", "parameters": {}, "references": [],
    }
)  # fmt: skip


def hands(role: Role | None = None) -> LiveHands:
    sessions = Sessions()
    own = Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/me")
    doors = Doors(sessions, own, "us-east-1", lambda _handler, _account: role, buckets=Buckets(10_000))
    return LiveHands(doors, {"fixer": DECLARED})


def test_reads_are_plain_json_without_metadata(server: str) -> None:
    made = hands()
    key = made.make("fixer", Call("kms", "CreateKey", {}), ACCOUNT, REGION)
    assert key.request_id
    reader = made.reader("fixer", ACCOUNT, REGION)
    answer = reader.call("kms", "DescribeKey", {"KeyId": key.answer["KeyMetadata"]["KeyId"]})
    assert answer is not None and set(answer) == {"KeyMetadata"}
    assert isinstance(answer["KeyMetadata"]["CreationDate"], str)
    assert reader.all("kms", "ListKeys", result="Keys.KeyId") == [key.answer["KeyMetadata"]["KeyId"]]
    assert reader.all("sqs", "ListQueues", result="QueueUrls") == []
    assert reader.all("kms", "ListKeys", result="Keys", region="us-east-1") == []


def test_what_is_not_there_is_none_only_by_a_code_that_was_named(server: str) -> None:
    reader = hands().reader("fixer", ACCOUNT, REGION)
    asked = ("s3", "GetBucketPolicy", {"Bucket": "no-such-bucket"})
    assert reader.call(*asked, none=["NoSuchBucket"]) is None
    with pytest.raises(Refused) as told:
        reader.call(*asked, none=["NoSuchBucketPolicy"])
    assert told.value.code == "not_known"
    assert "s3:GetBucketPolicy: NoSuchBucket" in told.value.text


@pytest.mark.parametrize(
    "ask",
    [
        lambda made: made.reader("fixer", ACCOUNT, REGION).call("kms", "EnableKeyRotation", {"KeyId": "k"}),
        lambda made: made.reader("fixer", ACCOUNT, REGION).all("iam", "ListUsers", result="Users"),
        lambda made: made.make("fixer", Call("kms", "DescribeKey", {"KeyId": "k"}), ACCOUNT, REGION),
        lambda made: made.make("fixer", Call("kms", "ScheduleKeyDeletion", {"KeyId": "k"}), ACCOUNT, REGION),
        lambda made: made.make("other", Call("kms", "EnableKeyRotation", {"KeyId": "k"}), ACCOUNT, REGION),
    ],
)
def test_what_is_not_declared_is_never_called(answering: Any, ask: Callable[[LiveHands], Any]) -> None:
    with pytest.raises(AssertionError, match=r"`fixer`|`other`"):
        ask(hands())
    assert answering.asked == 0


class Answering:
    """An endpoint that answers every request with one status and body, and counts them."""

    def __init__(self) -> None:
        self.asked = 0
        self.status = 200
        self.body = b"{}"
        self.headers = {"Content-Type": "application/x-amz-json-1.1", "x-amzn-requestid": "req-1"}
        self.hangs_up = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.asked += 1
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                if outer.hangs_up:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                self.send_response(outer.status)
                for name, value in {**outer.headers, "Content-Length": str(len(outer.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(outer.body)

            do_PUT = do_GET = do_POST

            def log_message(self, *_arguments: Any) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Iterator[Answering]:
    made = Answering()
    for name, value in environment(made.endpoint).items():
        monkeypatch.setenv(name, value)
    yield made
    made.close()


ROTATE = Call("kms", "EnableKeyRotation", {"KeyId": "k"})


def failed(call: Call = ROTATE) -> CallFailed:
    with pytest.raises(CallFailed) as told:
        hands().make("fixer", call, ACCOUNT, REGION)
    return told.value


def json_error(code: str) -> bytes:
    return b'{"__type": "%s", "message": "said"}' % code.encode()


@pytest.mark.parametrize(
    ("status", "body", "error", "certain", "throttled"),
    [
        (400, json_error("NotFoundException"), "NotFoundException", True, False),
        (400, json_error("AccessDeniedException"), "AccessDeniedException", True, False),
        (400, json_error("ExpiredTokenException"), "ExpiredTokenException", True, False),
        (400, json_error("ThrottlingException"), "ThrottlingException", True, True),
        (400, json_error("LimitExceededException"), "LimitExceededException", True, False),
        (503, json_error("RequestLimitExceeded"), "RequestLimitExceeded", True, True),
        (500, json_error("KMSInternalException"), "KMSInternalException", False, False),
        (503, json_error("ServiceUnavailable"), "ServiceUnavailable", False, False),
        (403, b"<html>no</html>", "403", False, False),
        (502, b"<html>bad gateway</html>", "502", False, False),
        (200, b"<html>sign in</html>", "ResponseParserError", False, False),
    ],
)  # fmt: skip
def test_one_attempt_and_whether_it_may_have_happened(
    answering: Answering, status: int, body: bytes, error: str, certain: bool, throttled: bool
) -> None:
    """A 4xx with a code of the service says that nothing was done
    (https://docs.aws.amazon.com/kms/latest/APIReference/CommonErrors.html)."""
    answering.status, answering.body = status, body
    # KMS answers EnableKeyRotation with nothing; only an operation with an answer can be answered wrongly
    call = Call("kms", "CreateKey", {}) if status == 200 else ROTATE
    failure = failed(call)
    assert (failure.certain, failure.throttled) == (certain, throttled)
    assert answering.asked == 1, (
        "a call that was not answered may have been carried out: it is never repeated"
    )
    if error.isalpha():
        assert failure.error == error
    if status == 400:
        assert failure.request_id == "req-1"


def test_ec2_says_with_503_that_it_throttles(answering: Answering) -> None:
    """https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html: RequestLimitExceeded, HTTP 503."""
    answering.status = 503
    answering.headers["Content-Type"] = "text/xml"
    answering.body = (
        b"<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>m</Message></Error></Errors>"
        b"<RequestID>req-2</RequestID></Response>"
    )
    failure = failed(Call("ec2", "CreateTags", {"Resources": ["i-1"], "Tags": [{"Key": "a", "Value": "b"}]}))
    assert (failure.certain, failure.throttled, failure.request_id) == (True, True, "req-2")
    assert answering.asked == 1


def test_a_broken_connection_is_not_certain_and_not_repeated(answering: Answering) -> None:
    answering.hangs_up = True
    failure = failed()
    assert (failure.certain, failure.throttled, failure.request_id) == (False, False, "")
    assert answering.asked == 1


def test_nobody_there_is_not_certain(answering: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    assert failed().certain is False


def test_what_is_never_sent_is_certain(answering: Answering) -> None:
    failure = failed(Call("kms", "EnableKeyRotation", {}))
    assert (failure.certain, answering.asked) == (True, 0)
    assert "KeyId" in failure.text


def test_an_outage_is_outlived(answering: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    """After two calls that nobody answered none is tried for a while; then again."""
    from policyengine.remediate import accounts

    made = hands()
    answering.hangs_up = True
    for _ in range(2):
        with pytest.raises(CallFailed):
            made.make("fixer", ROTATE, ACCOUNT, REGION)
    answering.hangs_up = False
    with pytest.raises(CallFailed, match="not tried") as told:
        made.make("fixer", ROTATE, ACCOUNT, REGION)
    assert (told.value.certain, answering.asked) == (True, 2)
    monkeypatch.setattr(accounts, "FAILURES_SECONDS", -1.0)
    made.make("fixer", ROTATE, ACCOUNT, REGION)
    assert answering.asked == 3


def test_a_configured_retry_does_not_repeat_a_change(
    answering: Answering, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    answering.status, answering.body = 500, json_error("KMSInternalException")
    failed()
    assert answering.asked == 1


def test_the_principal_is_the_assumed_role(server: str) -> None:
    role = Role(f"arn:aws:iam::{ACCOUNT}:role/policyengine/fixer", "external-id")
    assert hands(role).principal("fixer", ACCOUNT).startswith(f"arn:aws:sts::{ACCOUNT}:assumed-role/fixer/")
    assert hands().principal("fixer", ACCOUNT) == f"arn:aws:iam::{ACCOUNT}:user/me"


def test_another_account_needs_a_role(server: str) -> None:
    with pytest.raises(Refused) as told:
        hands().make("fixer", ROTATE, "222222222222", REGION)
    assert told.value.code == "unknown_target"


def test_a_role_that_cannot_be_assumed_is_told(answering: Answering) -> None:
    answering.status, answering.body = 403, (
        b"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>"
    )  # fmt: skip
    with pytest.raises(Refused) as told:
        hands(Role(f"arn:aws:iam::{ACCOUNT}:role/fixer")).reader("fixer", ACCOUNT, REGION)
    assert told.value.code == "not_known"
    assert "role/fixer cannot be assumed: AccessDenied: not you" in told.value.text


def test_a_failure_survives_another_process() -> None:
    import pickle

    failure = CallFailure("s3:X", "throttled", "SlowDown", "t", "1", "r", "req", True)
    again = pickle.loads(pickle.dumps(failure))
    assert (again.request_id, again.certain, str(again)) == ("req", True, str(failure))


@pytest.mark.parametrize(
    ("code", "throttles"),
    [("Throttling", True), ("SlowDown", True), ("com.amazonaws#ThrottlingException:http://x", True),
     ("LimitExceededException", False), ("AccessDenied", False)],
)  # fmt: skip
def test_which_codes_say_later(code: str, throttles: bool) -> None:
    assert is_throttle(code) is throttles
