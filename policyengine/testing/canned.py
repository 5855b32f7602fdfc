"""Targets and a reader with canned answers, for unit tests of remediation handlers.

Arguments and answers are held against botocore's model of the operation: a test can't pass with an answer AWS
would never give.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path as Path
from typing import Any, Final, NamedTuple

from policyengine.aws.models import service_model
from policyengine.model.finding import Evidence, Finding, build_finding
from policyengine.model.resource import Path as Steps
from policyengine.model.resource import Resource
from policyengine.remediate.api import Call, Proposal, Refused, Target
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.declarations import read_declaration
from policyengine.rules.packs import load_packs

Json = dict[str, Any]
ACCOUNT = "123456789012"
NOW = "2026-11-21T12:00:00+00:00"


class Form(NamedTuple):
    """What is held of values. ``whole``: an answer has all that AWS always answers, not only what a handler looks at;
    ``ranges``: texts, lists and numbers are as long or large as they have to be."""

    whole: bool
    ranges: bool


NAMED: Final = Form(whole=True, ranges=False)
MEASURED: Final = Form(whole=False, ranges=True)


class ErrorCode(str):
    """Stands for an answer with this error code."""


Answer = Json | ErrorCode | Callable[[Mapping[str, Any]], Any]


class CannedReader:
    """A reader that knows the given operations: ``{"iam:GetRole": answer}``, an answer being AWS's object, an
    :class:`ErrorCode` or a function of the arguments. ``asked`` collects the calls. ``form``: what is held of them."""

    def __init__(self, answers: Mapping[str, Answer], form: Form = NAMED) -> None:
        self.answers = dict(answers)
        self.asked: list[Call] = []
        self._form = form

    def call(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        none: Sequence[str] = (),
        region: str = "",
    ) -> Json | None:
        """Return the canned answer, None for an error code of ``none``. Raises Refused for any other."""
        given = dict(arguments or {})
        check_arguments(service, operation, given, self._form)
        self.asked.append(Call(service, operation, given, region))
        answer = self.answers[f"{service}:{operation}"]
        if callable(answer):
            answer = answer(given)
        if isinstance(answer, ErrorCode):
            if str(answer) in none:
                return None
            raise Refused("not_known", f"{service}:{operation}: {answer}")
        model = service_model(service).operation_model(operation)
        if model.output_shape is not None:
            check_value(answer, model.output_shape, f"{service}:{operation}", self._form)
        assert isinstance(answer, dict)
        return answer

    def all(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        result: str,
        region: str = "",
    ) -> list[Any]:
        """Return the items at ``result``."""
        found: Any = self.call(service, operation, arguments, region=region)
        for step in result.split("."):
            found = (found or {}).get(step)
        return list(found or ())


def check_arguments(service: str, operation: str, arguments: Mapping[str, Any], form: Form = NAMED) -> None:
    """Raise AssertionError where botocore's model has no such operation or argument, or asks for more."""
    shape = service_model(service).operation_model(operation).input_shape
    if shape is None:
        assert not arguments, f"{service}:{operation} takes no arguments"
        return
    check_value(dict(arguments), shape, f"{service}:{operation}", form._replace(whole=True))


def check_calls(proposal: Proposal) -> None:
    """Hold every call of a proposal, and each that takes one back, against botocore's models.

    A value that an earlier step's answer gives is passed over.
    """
    for step in proposal.steps:
        for call in (step.call, *step.undo):
            check_arguments(call.service, call.operation, call.arguments)


def check_value(value: Any, shape: Any, where: str, form: Form = NAMED) -> None:
    """Raise AssertionError where a JSON value is none of a shape of botocore's."""
    if type(value).__name__ == "FromAnswer":
        return
    kind = shape.type_name
    if kind == "structure":
        assert isinstance(value, dict), f"{where}: expected an object, found {value!r}"
        strange = set(value) - set(shape.members)
        assert not strange, f"{where} has no {sorted(strange)}"
        lacking = set(shape.required_members) - set(value)
        assert not (form.whole and lacking), f"{where} lacks {sorted(lacking)}"
        for name, each in value.items():
            check_value(each, shape.members[name], f"{where}.{name}", form)
    elif kind == "list":
        assert isinstance(value, list | tuple), f"{where}: expected a list, found {value!r}"
        _check_range(len(value), shape, where, form)
        for each in value:
            check_value(each, shape.member, f"{where}[]", form)
    elif kind == "map":
        assert isinstance(value, dict), f"{where}: expected an object, found {value!r}"
        for name, each in value.items():
            check_value(each, shape.value, f"{where}.{name}", form)
    else:
        _check_scalar(value, shape, kind, where, form)


def _check_scalar(value: Any, shape: Any, kind: str, where: str, form: Form) -> None:
    if kind == "string":
        # botocore parses policy documents of IAM and leaves other texts as they are
        assert isinstance(value, str | dict), f"{where}: expected a text, found {value!r}"
        enum = getattr(shape, "enum", None)
        assert not enum or value in enum, f"{where}: {value!r} is none of {enum}"
        if isinstance(value, str):
            _check_range(len(value), shape, where, form)
    elif kind == "boolean":
        assert isinstance(value, bool), f"{where}: expected true or false, found {value!r}"
    elif kind in ("integer", "long"):
        assert isinstance(value, int) and not isinstance(value, bool), f"{where}: {value!r} is no integer"
        _check_range(value, shape, where, form)
    elif kind == "timestamp":
        assert isinstance(value, str | datetime), f"{where}: expected a time, found {value!r}"


def _check_range(number: int, shape: Any, where: str, form: Form) -> None:
    """Only the least is checked: botocore's models have a most that AWS no longer holds to."""
    least = shape.metadata.get("min")
    assert not form.ranges or least is None or number >= least, f"{where}: {number} is less than {least}"


def target(
    type: str,
    id: str,
    rule: str,
    *,
    properties: Json | None = None,
    related: Json | None = None,
    tags: Any = None,
    arn: str | None = None,
    region: str = "global",
    at: str = "us-east-1",
    evidence: Sequence[Evidence] | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> Target:
    """Return a target with a FAIL of a rule; ``region`` is the resource's, ``at`` where calls go."""
    resource = Resource(
        type, id, ACCOUNT, region, dict(properties or {}), arn=arn, tags=tags, related=dict(related or {})
    )
    finding = failing(resource, rule, evidence)
    return Target(resource, finding, at, "aws", NOW, dict(parameters or {}))


def failing(resource: Resource, rule: str, evidence: Sequence[Evidence] | None = None) -> Finding:
    """Return a FAIL of a rule on a resource."""
    return build_finding(
        rule=rule,
        title="a rule",
        family="iam",
        severity="medium",
        verdict="FAIL",
        reason="value_mismatch",
        message="it fails",
        resource=resource,
        evidence=list(evidence) if evidence is not None else [seen(("Something",), "wrong")],
    )


def seen(path: Steps, observed: Any, expected: str = "something else") -> Evidence:
    """Return evidence of a FAIL."""
    return Evidence(path, observed, expected, "value_mismatch")


def handler_beside(test: str) -> Any:
    """Return the module ``handler.py`` in the folder of a test file, whatever else stands in other folders."""
    path = Path(test).with_name("handler.py")
    spec = importlib.util.spec_from_file_location(f"handler_of_{path.parent.name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def declaration_beside(test: str) -> Declaration:
    """Return the declaration in the folder of a test file."""
    path = Path(test).with_name("remediation.yaml")
    rules = {form["id"] for form in load_packs().rules}
    declaration, problems = read_declaration(path.read_bytes(), path.name, path.parent.name, rules)
    assert declaration is not None, [str(problem) for problem in problems]
    return declaration
