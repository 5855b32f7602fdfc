"""Handlers with answers of AWS written by hand: every answer, and every argument, must be one botocore's model knows.

A unit test of a handler says what AWS answers; this holds that it could. Nothing is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from botocore.validate import ParamValidator

from policyengine.aws.models import service_model
from policyengine.model.finding import Evidence, build_finding
from policyengine.model.resource import Resource
from policyengine.remediate.api import Call, FromAnswer, Handler, Proposal, Refused, Target
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.declarations import read_declaration
from policyengine.remediate.registry import DECLARATION, Remediations
from policyengine.rules.data import data_root

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


class Failing(str):
    """An error code that AWS answers with."""


Answer = Json | Failing | Callable[[Json], Any]
"""What an operation answers, or a function of its arguments that says so."""


class Canned:
    """A Reader over written answers: ``service:Operation`` -> what it answers. ``made`` are the calls it was asked, ``regions``
    where each was sent."""

    def __init__(self, handler: str, answers: Mapping[str, Answer]) -> None:
        self.declaration = one(handler).declaration(handler)
        self.answers = dict(answers)
        self.made: list[tuple[str, Json]] = []
        self.regions: list[str] = []

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
        name = f"{service}:{operation}"
        assert name in self.declaration.reads, f"{name} is not declared"
        given = dict(arguments or {})
        valid_input(service, operation, given)
        self.made.append((name, given))
        self.regions.append(region)
        answer = self.answers[name]
        found = answer(given) if callable(answer) and not isinstance(answer, str) else answer
        if isinstance(found, Failing):
            if str(found) in none:
                return None
            raise Refused("not_known", f"{name}: {found}")
        shape = service_model(service).operation_model(operation).output_shape
        _validate(shape, found, name, whole=False)
        return dict(found)

    def all(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        result: str,
        region: str = "",
    ) -> list[Any]:
        """Answer with the items of the one page there is."""
        found: Any = self.call(service, operation, arguments, region=region)
        for part in result.split("."):
            found = (found or {}).get(part)
        return list(found or [])


def valid_input(service: str, operation: str, arguments: Json) -> None:
    """Hold that AWS takes such arguments."""
    model = service_model(service).operation_model(operation)
    _validate(model.input_shape, arguments, f"{service}:{operation}", whole=True)


def _validate(shape: Any, value: Any, name: str, *, whole: bool) -> None:
    """``whole``: what the model requires must be there; written answers leave out what no handler looks at."""
    if shape is None:
        assert not value, f"{name} has no such"
        return
    report = ParamValidator().validate(value, shape)
    if not whole:
        report._errors = [each for each in report._errors if each[0] != "missing required field"]
    assert not report.has_errors(), f"{name}: {report.generate_report()}"


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
            valid_input(call.service, call.operation, _filled(call))
        assert step.undo or declared.reversible != "full"
    return proposal


def _filled(call: Call) -> Json:
    def fill(value: Any) -> Any:
        if isinstance(value, FromAnswer):
            return "from-an-answer"
        if isinstance(value, Mapping):
            return {name: fill(each) for name, each in value.items()}
        return [fill(each) for each in value] if isinstance(value, list | tuple) else value

    return {name: fill(value) for name, value in call.arguments.items()}


def refused(handler: str, about: Target, answers: Mapping[str, Answer]) -> Refused:
    """Return the refusal that planning over written answers ends with."""
    try:
        proposal = propose(handler, about, answers)
    except Refused as said:
        return said
    raise AssertionError(f"was not refused: {proposal}")
