"""A moto server in its own process, and accounts whose calls go there or to canned answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from policyengine.aws.account import Account
from policyengine.aws.calls import CallLog
from policyengine.aws.failures import CallFailure
from policyengine.aws.rate import Buckets
from policyengine.aws.sessions import Sessions
from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context, Shared
from policyengine.sources.live.table import collector_of
from policyengine.sources.live.work import do
from policyengine.sources.snapshot.lines import parse_line

Json = dict[str, Any]
MOTO_ACCOUNT = "123456789012"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def moto_server() -> Iterator[str]:
    """The endpoint of a moto server of this test process; tests that change much use regions of their own."""
    pytest.importorskip("moto")
    port = _free_port()
    process = subprocess.Popen(  # our own interpreter and module
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "false"},
    )
    endpoint = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{endpoint}/moto-api/data.json", timeout=5).close()  # our own server
                break
            except OSError:
                time.sleep(0.1)
        yield endpoint
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture
def aws(moto_server: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """``aws("ec2", "eu-west-1")`` is a client of the server."""
    import botocore.session

    for name, value in {
        "AWS_ENDPOINT_URL": moto_server,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    session = botocore.session.Session()
    return lambda service, region="us-east-1": session.create_client(service, region_name=region)


@pytest.fixture
def account(aws: Callable[..., Any]) -> Account:
    """The server's own account."""
    sessions = Sessions()
    return Account(sessions, sessions.base, MOTO_ACCOUNT, "aws", log=CallLog(), buckets=Buckets(10_000))


class CannedAccount(Account):
    """Answers by ``service:Operation``: an object, a function of the arguments, or a CallFailure to raise.

    Every answer and every argument is held against botocore's model: a test cannot invent a field.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        sessions = Sessions()
        super().__init__(sessions, sessions.base, MOTO_ACCOUNT, "aws", log=CallLog(), buckets=Buckets(10_000))
        self.answers = answers

    def call(self, service: str, operation: str, arguments: Mapping[str, Any], region: str) -> Json:
        """Return the canned answer."""
        from botocore.validate import ParamValidator

        model = self.client(service, region).meta.service_model.operation_model(operation)
        if model.input_shape is not None:
            found = ParamValidator().validate(dict(arguments), model.input_shape)
            assert not found.has_errors(), found.generate_report()
        name = f"{service}:{operation}"
        self.log.add((self.id, region, name), 0, 0.0)
        assert name in self.answers, f"no answer for {name}"
        answer = self.answers[name]
        if callable(answer):
            answer = answer(arguments)
        if isinstance(answer, CallFailure):
            raise answer
        _check_answer(answer, model.output_shape, name)
        return dict(answer)

    def pages(
        self, service: str, operation: str, arguments: Mapping[str, Any], region: str
    ) -> Iterator[Json]:
        """Yield the canned answer as the one page."""
        yield self.call(service, operation, arguments, region)


def _check_answer(answer: Any, shape: Any, name: str) -> None:
    """Like ParamValidator, for answers: unknown members and wrong kinds, but nothing is required."""
    if shape is None:
        assert not answer, f"{name} answers nothing"
        return
    if shape.type_name == "structure" and not getattr(shape, "is_document_type", False):
        assert isinstance(answer, dict), f"{name}: {shape.name} is an object"
        unknown = answer.keys() - shape.members.keys()
        assert not unknown, f"{name}: {shape.name} has no {sorted(unknown)}"
        for key, value in answer.items():
            _check_answer(value, shape.members[key], f"{name}.{key}")
    elif shape.type_name == "list":
        assert isinstance(answer, list), f"{name} is a list"
        for each in answer:
            _check_answer(each, shape.member, name)
    elif shape.type_name == "map":
        assert isinstance(answer, dict), f"{name} is a map"
        for each in answer.values():
            _check_answer(each, shape.value, name)
    elif shape.type_name == "boolean":
        assert isinstance(answer, bool), f"{name} is true or false"
    elif shape.type_name in ("integer", "long"):
        assert isinstance(answer, int) and not isinstance(answer, bool), f"{name} is a whole number"
    elif shape.type_name == "string":
        assert isinstance(answer, str), f"{name} is a text"


def failure(operation: str, code: str, reason: str = "access_denied") -> CallFailure:
    """A failed call, as :class:`Account` raises it."""
    return CallFailure(operation, reason, code, "", MOTO_ACCOUNT, "us-east-1")


@pytest.fixture
def canned() -> Callable[[Mapping[str, Any]], CannedAccount]:
    """``canned({"ec2:DescribeVolumes": {...}})`` is an account with these answers and no others."""
    return CannedAccount


@pytest.fixture
def collect() -> Callable[..., list[Resource]]:
    """``collect(account, type, region=…, needs=…)``: the resources, read back from their snapshot lines.

    ``collect.last`` is the outcome. ``needs`` are top-level names, everything without.
    """

    def run(
        account: Account, type: str, *, region: str = "us-east-1", place: str | None = None,
        needs: Mapping[str, frozenset[str]] | None = None,
    ) -> list[Resource]:  # fmt: skip
        collector = collector_of(type)
        assert collector is not None, f"nothing collects {type}"
        wanted = needs if needs is not None else {t: frozenset(("*",)) for t in collector.types}
        lines: list[bytes] = []
        context = Context(
            account, region, place or region, wanted, Shared(frozenset()), now="2026-11-21T09:00:00Z"
        )
        run.last = do(collector, context, lines.append)  # type: ignore[attr-defined]  # told to the test beside the list
        return [parse_line(line) for line in lines]

    return run
