"""moto with a Security Hub that refuses what AWS refuses, empty for each test that asks for ``aws``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from policyengine.testing import moto_server

from . import cloud, server


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The endpoint of the server of this test process."""
    with server.running() as endpoint:
        yield endpoint


@pytest.fixture
def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The endpoint, empty, that every AWS client of this test asks."""
    for name, value in moto_server.environment(moto).items():
        monkeypatch.setenv(name, value)
    moto_server.reset(moto)
    cloud.forget()
    return moto
