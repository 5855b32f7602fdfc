"""Handlers with answers of AWS written by hand: every answer, and every argument, must be one botocore's model knows.

A unit test of a handler says what AWS answers; this holds that it could. Nothing is called.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from policyengine.model.finding import Evidence, build_finding
from policyengine.model.resource import Resource
from policyengine.remediate.api import Handler, Proposal, Refused, Target
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.declarations import read_declaration
from policyengine.remediate.registry import DECLARATION, Remediations
from policyengine.rules.data import data_root
from policyengine.testing.canned import MEASURED, Answer, CannedReader, ErrorCode, check_arguments

Json = dict[str, Any]
ACCOUNT = "111122223333"
REGION = "eu-west-1"
NOW = "2026-11-21T12:00:00+00:00"


class _Any:
    """Every rule is one: whether a declaration's rules exist is for the registry's own tests."""

    def __contains__(self, rule: object) -> bool:
        return True


@cache
def one(handler: str) -> Remediations:
    """Return the remediation alone, so that a mistake in another one does not fail its tests."""
    folder = data_root().remediations
    path = folder / handler / DECLARATION
    rules: Any = _Any()
    declared, problems = read_declaration(path.read_bytes(), str(path), handler, rules)
    assert declared is not None, problems
    return Remediations(folder, {handler: declared})


Failing = ErrorCode
"""An error code that AWS answers with."""


class Canned(CannedReader):
    """A Reader over written answers, of what the handler declares that it reads; they leave out what no handler looks at.
    ``made`` are the calls it was asked, ``regions`` where each was sent."""

    def __init__(self, handler: str, answers: Mapping[str, Answer]) -> None:
        super().__init__(answers, MEASURED)
        self.declaration = one(handler).declaration(handler)

    @property
    def made(self) -> list[tuple[str, Json]]:
        """The calls, by name, with their arguments."""
        return [(call.name, dict(call.arguments)) for call in self.asked]

    @property
    def regions(self) -> list[str]:
        """Where each call was sent."""
        return [call.region for call in self.asked]

    def call(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        none: Sequence[str] = (),
        region: str = "",
    ) -> Json | None:
        """Answer as :class:`policyengine.remediate.api.Reader` does."""
        assert f"{service}:{operation}" in self.declaration.reads, f"{service}:{operation} is not declared"
        return super().call(service, operation, arguments, none=none, region=region)


def target(
    handler: str,
    id: str,
    properties: Json | None = None,
    *,
    parameters: Json | None = None,
    type: str = "",
    arn: str | None = None,
    rule: str = "",
    region: str = REGION,
    partition: str = "aws",
) -> Target:
    """Return what the kernel would hand to the handler about a resource that fails one of its rules."""
    declared = one(handler).declaration(handler)
    resource = Resource(type or declared.types[0], id, ACCOUNT, region, dict(properties or {}), arn=arn)
    finding = build_finding(
        rule=rule or declared.fixes[0], title="fails", family="encryption", severity="medium", verdict="FAIL",
        reason="value_mismatch", message="fails", resource=resource,
        evidence=[Evidence(("X",), False, "true", "value_mismatch")],
    )  # fmt: skip
    defaults = {name: form["default"] for name, form in declared.parameters.items()}
    return Target(resource, finding, region, partition, NOW, {**defaults, **(parameters or {})})


def loaded(handler: str) -> Handler:
    """Return the handler."""
    return one(handler).handler(handler)


def image(handler: str, about: Target, answers: Mapping[str, Answer]) -> Json:
    """Return the image of written answers."""
    return loaded(handler).image(about, Canned(handler, answers))


def propose(handler: str, about: Target, answers: Mapping[str, Answer]) -> Proposal:
    """Return the plan over written answers, its calls held against botocore and the declaration."""
    module = loaded(handler)
    found = module.image(about, Canned(handler, answers))
    return checked(one(handler).declaration(handler), module.plan(about, found))


def checked(declared: Declaration, proposal: Proposal) -> Proposal:
    """Hold that every call of a proposal is declared and one that AWS takes."""
    names = [step.name for step in proposal.steps]
    assert len(names) == len(set(names))
    for step in proposal.steps:
        for call in (step.call, *step.undo):
            assert call.name in declared.writes, call.name
            check_arguments(call.service, call.operation, call.arguments, MEASURED)
        assert step.undo or declared.reversible != "full"
    return proposal


def refused(handler: str, about: Target, answers: Mapping[str, Answer]) -> Refused:
    """Return the refusal that planning over written answers ends with."""
    try:
        proposal = propose(handler, about, answers)
    except Refused as said:
        return said
    raise AssertionError(f"was not refused: {proposal}")
