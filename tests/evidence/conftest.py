"""A small bundle that tests take apart."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from policyengine.evidence import bundle_writer
from tests.evidence.tampering import Bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    patch = pytest.MonkeyPatch()
    # two members whose text is long and says nothing here; the slow test has them whole
    patch.setattr(bundle_writer, "own_texts", lambda: (b"read me\n", b"print()\n"))
    yield Bundle(tmp_path_factory.mktemp("tamper"))
    patch.undo()
