"""What AWS owns in an account is judged by the same rules with results as without."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.kept.keeping import KeepingEvaluator
from policyengine.model.resource import NO_COVERAGE, Resource
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs

from .memory import ENGINE, InMemory, State

NOW = datetime(2026, 11, 21, tzinfo=UTC)
PACK = Pack("sha256:test", tuple(load_packs().rules))


@pytest.mark.parametrize("managers", [("AWS", "CUSTOMER"), ("CUSTOMER", "AWS"), ("AWS", "AWS")])
def test_rules_about_tags_are_not_about_keys_of_aws(managers: tuple[str, str]) -> None:
    file = InMemory()
    for manager in managers:
        key = Resource("AWS::KMS::Key", "k", "111122223333", "eu-west-1", {"KeyManager": manager}, tags={})
        state = State([key], NO_COVERAGE, NOW)
        for evaluator in (
            KeepingEvaluator(PACK, now=NOW, file=file, engine=ENGINE),
            KeepingEvaluator(PACK, now=NOW, file=file, engine=ENGINE),
        ):
            plain = Evaluator(PACK, now=NOW)
            assert state.findings(evaluator) == state.findings(plain)
            assert evaluator.take_tallies() == plain.take_tallies()
        assert evaluator.judged == 0
