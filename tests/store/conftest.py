"""Stores of both kinds: files of their own, and tables of their own on one server."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from policyengine.aws.account import Account
from policyengine.aws.calls import CallLog
from policyengine.aws.rate import Buckets
from policyengine.aws.sessions import Sessions
from policyengine.store.actions import ActionStore
from policyengine.store.dynamo_table import TABLE, TTL_ATTRIBUTE
from policyengine.store.open_actions import open_store
from tests.live.server import environment

REGION = "eu-west-1"


class Tables:
    """A server, and an account whose calls go there."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        sessions = Sessions()
        self.log = CallLog()
        self.account = Account(
            sessions, sessions.base, "123456789012", "aws", log=self.log, buckets=Buckets(100_000)
        )

    def client(self) -> Any:
        return self.account.client("dynamodb", REGION)

    def new(self) -> str:
        """The address of a new table, made of the definition that is deployed."""
        name = f"t-{uuid.uuid4().hex[:12]}"
        self.client().create_table(TableName=name, **TABLE)
        self.client().update_time_to_live(
            TableName=name, TimeToLiveSpecification={"AttributeName": TTL_ATTRIBUTE, "Enabled": True}
        )
        return f"dynamodb:{name}@{REGION}"

    def faults(self, **faults: int) -> None:
        data = json.dumps(faults).encode()
        urllib.request.urlopen(f"{self.endpoint}/faults", data=data, timeout=5).close()


@pytest.fixture(scope="session")
def tables() -> Iterator[Tables]:
    pytest.importorskip("moto")
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = int(found.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store.server", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    endpoint = f"http://127.0.0.1:{port}"
    patch = pytest.MonkeyPatch()
    for name, value in environment(endpoint).items():
        patch.setenv(name, value)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"{endpoint}/faults", data=b"{}", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield Tables(endpoint)
    finally:
        patch.undo()
        process.terminate()
        process.wait(10)


@pytest.fixture(params=["sqlite", "dynamodb"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """What ``open_store`` takes for a new store of either kind."""
    if request.param == "sqlite":
        return str(tmp_path / "state" / "actions.db")
    found: str = request.getfixturevalue("tables").new()
    return found


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Callable[[str], ActionStore]:
    """``open_store``, with one account for all tables: a client takes long to make."""

    def run(where: str) -> ActionStore:
        account = request.getfixturevalue("tables").account if where.startswith("dynamodb:") else None
        return open_store(where, account=account)

    return run


@pytest.fixture
def store(where: str, opened: Callable[[str], ActionStore]) -> ActionStore:
    """A new store of either kind."""
    return opened(where)
