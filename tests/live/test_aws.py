"""Failures in closed words; turns of a token bucket."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.aws.failures import read_exception, reason_of
from policyengine.aws.rate import Buckets, TokenBucket

exceptions = pytest.importorskip("botocore.exceptions")


def client_error(code: str, status: int = 400, message: str = "no") -> Exception:
    answer = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    error: Exception = exceptions.ClientError(answer, "DescribeVolumes")
    return error


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("UnauthorizedOperation", 403, "access_denied"),
        ("AccessDeniedException", 400, "access_denied"),
        ("com.amazonaws.x#AccessDeniedException", 400, "access_denied"),
        ("SomethingNew", 403, "access_denied"),
        ("ExpiredToken", 400, "access_denied"),
        ("RequestLimitExceeded", 503, "throttled"),
        ("SlowDown", 503, "throttled"),
        ("SomethingNew", 429, "throttled"),
        ("OptInRequired", 401, "not_collected"),
        ("InternalError", 500, "read_error"),
    ],
)
def test_error_codes(code: str, status: int, reason: str) -> None:
    """https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html"""
    assert read_exception(client_error(code, status)).reason == reason
    assert reason_of(code, status) == reason


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (exceptions.EndpointConnectionError(endpoint_url="https://x"), "not_collected"),
        (exceptions.ReadTimeoutError(endpoint_url="https://x"), "read_error"),
        (exceptions.NoCredentialsError(), "access_denied"),
    ],
)
def test_failures_on_the_way(problem: Exception, reason: str) -> None:
    assert read_exception(problem).reason == reason


def test_what_an_endpoint_answers_is_not_repeated() -> None:
    page = client_error("500", 500, "<!doctype html><html><body>secret</body></html>")
    assert "secret" not in read_exception(page).text
    parsers: Any = pytest.importorskip("botocore.parsers")
    assert "secret" not in read_exception(parsers.ResponseParserError("Unable to parse b'secret'")).text
    assert "\n" not in read_exception(client_error("X", 400, "two\nlines")).text


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def test_a_bucket_lets_a_burst_through_and_then_its_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 5, clock=clock, sleep=clock.sleep)
    waits = [bucket.take() for _ in range(10)]
    assert waits[:5] == [0.0] * 5
    assert all(wait == pytest.approx(0.1) for wait in waits[5:])
    clock.now += 60
    assert [bucket.take() for _ in range(5)] == [0.0] * 5  # never more than the burst is saved up
    assert bucket.take() > 0


def test_buckets_are_apart_by_account_region_and_service() -> None:
    buckets = Buckets(1)
    assert buckets.take("1", "eu-west-1", "ec2") == 0
    assert buckets.take("1", "eu-west-1", "s3") == 0
    assert buckets.take("2", "eu-west-1", "ec2") == 0


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="more than zero"):
        TokenBucket(0)


def test_a_service_is_not_offered_where_data_and_name_server_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    from policyengine.aws.account import Account
    from policyengine.aws.calls import CallLog
    from policyengine.aws.sessions import Sessions

    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    asked: list[str] = []

    def unknown(host: str, *_: Any, **__: Any) -> Any:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    def fresh() -> Account:
        sessions = Sessions()
        return Account(sessions, sessions.base, "111122223333", "aws", log=CallLog(), buckets=Buckets(100))

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    account = fresh()
    assert not account.offers("kendra", "eu-north-1")
    assert not account.offers("kendra", "eu-north-1")
    assert asked == ["kendra.eu-north-1.amazonaws.com"]
    assert account.offers("kendra", "eu-west-1")  # botocore lists it
    assert account.offers("iam", "eu-north-1")  # a global service: the data name no region

    def later(_host: str, *_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", later)
    assert fresh().offers("kendra", "eu-north-1")  # a name server that fails says nothing
