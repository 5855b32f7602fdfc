"""Every declaration run with every call answered, and with every call after the listing denied.

Nothing may break, and what was denied is not known: no property of a denied call is absent or has a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from policyengine.model.values import OpenDict, Unresolved
from policyengine.sources.live.given import given_by_step
from policyengine.sources.live.spec import Collector
from policyengine.sources.live.table import all_declared
from tests.live.conftest import CannedAccount, failure

botocore_session = pytest.importorskip("botocore.session")
from tests.live.test_declarations import CONTEXT, _model  # noqa: E402  # after importorskip
from tests.live.test_declared_answers import full  # noqa: E402  # after importorskip

PLAIN = [c for _, c in sorted(all_declared().items()) if isinstance(c, Collector)]
REASONS = frozenset({"access_denied", "not_collected"})


class Answers(Mapping[str, Any]):
    """A full answer to any operation; a denial for those that are not in ``only``."""

    def __init__(self, only: frozenset[str] | None = None) -> None:
        self.only = only
        self.denied: set[str] = set()

    def __getitem__(self, name: str) -> Any:
        if self.only is not None and name not in self.only:
            self.denied.add(name)
            return failure(name, "AccessDeniedException")
        service, _, operation = name.partition(":")
        shape = _model(service).operation_model(operation).output_shape
        return _without_tokens(full(shape)) if shape is not None else {}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _without_tokens(answer: Any) -> Any:
    return {k: v for k, v in answer.items() if "token" not in k.casefold() and "marker" not in k.casefold()}


def _listings(collector: Collector) -> frozenset[str]:
    """The calls that lead to the items: those of the parents too."""
    found = {f"{collector.list.service or collector.service}:{collector.list.operation}"}
    above = all_declared().get(collector.parent.type) if collector.parent is not None else None
    if isinstance(above, Collector):
        found |= _listings(above)
    return frozenset(found)


@pytest.fixture(scope="module")
def told() -> CannedAccount:
    """One account for all, whose clients are made once."""
    return CannedAccount(Answers())


def _mistakes(outcome: Any) -> list[str]:
    return [str(f) for f in outcome.failures if f.error in ("InternalError", "MalformedAnswer")]


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A canned report is never ready: waiting for it a minute says nothing more."""
    monkeypatch.setattr("policyengine.sources.live.waiting.sleep", lambda _seconds: None)


@pytest.mark.parametrize("collector", PLAIN, ids=[c.type for c in PLAIN])
def test_a_full_answer_to_every_call_is_read(collector: Collector, told: CannedAccount, collect: Any) -> None:
    told.answers = Answers()
    names = {name for step in collector.details for name in given_by_step(collector, step, CONTEXT)}
    collect(told, collector.type, needs={collector.type: frozenset({"*", *names})})
    assert not _mistakes(collect.last)


@pytest.mark.parametrize("collector", PLAIN, ids=[c.type for c in PLAIN])
def test_a_denied_call_leaves_what_it_gives_unknown(
    collector: Collector, told: CannedAccount, collect: Any
) -> None:
    told.answers = answers = Answers(_listings(collector))
    needs = {collector.type: frozenset(("*",))}
    found = collect(told, collector.type, needs=needs)
    assert not _mistakes(collect.last)
    asked = {f.operation for f in collect.last.failures}
    assert answers.denied <= asked, f"not told: {sorted(answers.denied - asked)}"
    for resource in found:
        if collector.describe is not None:
            assert isinstance(resource.properties, OpenDict)
        for step in collector.details:
            name = f"{step.service or collector.service}:{step.operation}"
            if name not in answers.denied or step.only_named or step.ask is not None:
                continue
            for given in step.gives or ((step.into.split(".")[0],) if step.into else ()):
                value = _value(resource, given)
                assert isinstance(value, Unresolved), f"{given} is {value!r} though {name} was denied"
                assert value.reason in REASONS


def _value(resource: Any, name: str) -> Any:
    if name == "tags":
        return resource.tags
    if name.startswith("related."):
        value = resource.related.get(name.removeprefix("related."))
        return getattr(value, "more", value)
    return resource.properties.get(name)
