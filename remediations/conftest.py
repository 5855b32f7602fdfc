"""The bench: a moto server over HTTP in a process of its own, empty for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, settings

from policyengine.testing import moto_server
from policyengine.testing.remediations import Bench

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
QUICK: Final = frozenset({"kms_rotation", "s3_tls_only"})
"""Handlers whose whole course on a server is part of `make test`; the others' is of `make test-slow`."""

_declared: dict[Path, frozenset[str]] = {}
_used: dict[Path, set[str]] = {}
_ran: dict[Path, set[str]] = {}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A course on a server takes seconds."""
    own = Path(__file__).parent
    for item in items:
        if not item.path.is_relative_to(own):
            continue
        if "bench" in getattr(item, "fixturenames", ()) and item.path.parent.name not in QUICK:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """The endpoint of the server of this test process."""
    with moto_server.running() as endpoint:
        yield endpoint


@pytest.fixture
def bench(
    moto: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest, tmp_path: Path
) -> Bench:
    """A bench for the handler beside the test."""
    for name, value in moto_server.environment(moto).items():
        monkeypatch.setenv(name, value)
    moto_server.reset(moto)
    folder = request.path.parent
    made = Bench(folder, tmp_path, _used.setdefault(folder, set()))
    _declared[folder] = made.declared
    return made


@pytest.fixture(autouse=True)
def _noted(request: pytest.FixtureRequest) -> None:
    _ran.setdefault(request.path.parent, set()).add(request.node.nodeid)


@pytest.fixture(scope="module", autouse=True)
def _all_declared_operations_are_used(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a handler declares and no test of it calls is a permission too much.

    Held where all tests of the folder ran in this process and none of them failed.
    """
    failed = request.session.testsfailed
    yield
    folder = request.path.parent
    here = {item.nodeid for item in request.session.items if item.path.parent == folder}
    if folder not in _declared or _ran.get(folder) != here or request.session.testsfailed > failed:
        return
    unused = _declared[folder] - _used[folder]
    assert not unused, f"declared and never called in a test: {sorted(unused)}"
