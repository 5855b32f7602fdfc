"""Rule test cases: from the data beside a rule to resources, a verdict and a comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from policyengine.catalog.derive import derive
from policyengine.documents import Document, DocumentError, load
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.model.errors import RuleError
from policyengine.model.finding import Finding
from policyengine.model.location import Location
from policyengine.model.reasons import REASONS
from policyengine.model.resource import NO_COVERAGE, Coverage, Resource
from policyengine.model.resource import Path as Steps
from policyengine.model.values import Unresolved
from policyengine.rules import schema as s
from policyengine.rules.loader import shape_errors
from policyengine.rules.pack import Pack
from policyengine.rules.parameters import check_value
from policyengine.sources.snapshot.problems import LineError
from policyengine.sources.snapshot.unknown import Unknowns, read_entries
from policyengine.sources.tags import read_tags


@dataclass(frozen=True)
class RuleTests:
    """The test file of one rule."""

    path: Path
    cases: tuple[s.Case, ...]
    equivalent: Mapping[str, str]
    document: Document


@dataclass(frozen=True)
class CaseResult:
    """What a case gave; ``problem`` is None when it is as expected."""

    case: s.Case
    finding: Finding | None
    problem: str | None


def tests_of(rule_path: Path) -> Path:
    """Return where the tests of a rule file stand."""
    return rule_path.with_name(rule_path.stem + ".test.yaml")


def load_tests(path: Path) -> RuleTests:
    """Read a test file.

    Raises RuleError with the first mistake and its place; a case without an expectation is one.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise RuleError(f"`{path}` is missing: every rule has its test file") from error
    return parse_tests(path, data)


def parse_tests(path: Path, data: bytes) -> RuleTests:
    """Return the test file of a text, as :func:`load_tests`; ``path`` is what errors call it."""
    try:
        document = load(data, name=str(path), syntax="yaml", style="strict")
    except DocumentError as error:
        raise RuleError(error.message, error.location) from error
    if not isinstance(document.value, list) or not document.value:
        raise RuleError("expected a list of cases", document.locate(()))
    cases: list[s.Case] = []
    equivalent: dict[str, str] = {}
    for index, item in enumerate(document.value):
        last = isinstance(item, dict) and "equivalent_mutants" in item
        try:
            if last:
                parsed = s.EquivalentMutants.model_validate(item)
                equivalent.update({m.mutant: m.reason for m in parsed.equivalent_mutants})
            else:
                cases.append(s.Case.model_validate(item))
        except ValidationError as error:
            model = s.EquivalentMutants if last else s.Case
            problem = shape_errors(error, _Item(document, index), model)[0]
            raise problem from error
    return RuleTests(path, tuple(cases), equivalent, document)


class _Item:
    """A document seen from one of its list items."""

    def __init__(self, document: Document, index: int) -> None:
        self.value = document.value[index]
        self._document = document
        self._index = index

    def locate(self, path: Steps, *, key: bool = False) -> Location | None:
        """See Document.locate."""
        return self._document.locate((self._index, *path), key=key)


class CaseError(ValueError):
    """A case that says something no resource can be."""


def _clock(text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise CaseError(f"`as_of: {text}` is no RFC 3339 time") from None
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def run_case(form: Mapping[str, Any], case: s.Case) -> CaseResult:
    """Evaluate one case with a compiled rule."""
    try:
        resources, subject = resources_of(form, case)
        now = _clock(case.context.as_of)
    except (CaseError, LineError) as error:
        return CaseResult(case, None, str(error))
    declared = form["parameters"]
    for name, value in case.parameters.items():
        problem = check_value(declared[name], value) if name in declared else "is no parameter of the rule"
        if problem:
            return CaseResult(case, None, f"parameter `{name}`: {problem}")
    adjusted = {
        **form,
        "parameters": {
            n: {**p, "default": case.parameters.get(n, p["default"])} for n, p in declared.items()
        },
    }
    world = World(_coverage(case, resources))
    for resource in resources:
        derive(resource)
        world.add(resource)
    findings = Evaluator(Pack("sha256:test", (adjusted,)), now=now).findings(subject, world)
    if not findings:
        return CaseResult(case, None, f"the rule does not apply to {subject.type}")
    finding = findings[0]
    return CaseResult(case, finding, _difference(case, finding))


def _difference(case: s.Case, finding: Finding) -> str | None:
    if finding.reason == "internal_error":
        return f"the rule crashed: {finding.message}"
    if finding.verdict != case.expect:
        return f"expected {case.expect}, got {finding.verdict} ({finding.reason}): {finding.message}"
    if case.reason is not None and finding.reason != case.reason:
        return f"expected the reason `{case.reason}`, got `{finding.reason}`"
    if case.reason is not None and case.reason not in REASONS:
        return f"`{case.reason}` is no reason code"
    if case.branch is not None and dict(finding.branch or {}) != case.branch:
        return f"expected the branch {case.branch}, got {finding.branch}"
    return None


def _coverage(case: s.Case, resources: Sequence[Resource]) -> Coverage:
    wanted = case.context.coverage or ("all" if case.resources is not None else "none")
    if wanted == "none":
        return NO_COVERAGE
    places = {(r.account, r.region) for r in resources} | {(case.context.account, case.context.region)}
    places |= {(account, "global") for account, _ in places}
    return frozenset((account or "", region or "", "*") for account, region in places)


def resources_of(form: Mapping[str, Any], case: s.Case) -> tuple[list[Resource], Resource]:
    """Return the resources of a case and the one the expectation is about."""
    default_type = case.type or next((t for t in form["applies_to"] if t != "taggable"), None)
    if default_type is None:
        raise CaseError("a rule about every taggable type needs `type` in its cases")
    if case.resource is not None:
        only = s.CaseResource(
            type=default_type,
            properties=case.resource,
            tags=case.tags,
            unknown=case.unknown,
            related=case.related,
        )
        resource = _resource(only, 0, case, frozenset({"subject"}))
        return [resource], resource
    given = case.resources or []
    if not given:
        raise CaseError("`resources` is empty")
    ids = frozenset(r.id or f"resource-{i}" for i, r in enumerate(given))
    resources = [_resource(r, i, case, ids) for i, r in enumerate(given)]
    subject = next((i for i, r in enumerate(given) if r.subject), 0)
    return resources, resources[subject]


def _resource(given: s.CaseResource, index: int, case: s.Case, ids: frozenset[str]) -> Resource:
    properties = _object("the properties", _values(given.properties, ids))
    tags = read_tags(given.type, properties)
    if given.tags is not None:
        tags = _given_tags(_object("`tags`", _values(given.tags, ids)))
    parts = Unknowns(given.type, properties, tags, _object("`related`", _values(given.related, ids)))
    for steps, value, side in read_entries(given.unknown):
        parts.apply(steps, value, side)
    return Resource(
        type=given.type,
        id=given.id or (f"resource-{index}" if case.resources is not None else "subject"),
        account=given.account or case.context.account,
        region=given.region or case.context.region,
        properties=parts.properties,
        tags=parts.tags,
        related=parts.related,
    )


def _object(what: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CaseError(f"{what} are a reference; expected an object")
    return value


def _given_tags(tags: dict[str, Any]) -> dict[str, Any]:
    """A tag that a case writes exists, also where its value is a reference, as in a template."""
    return {key: v.certain() if isinstance(v, Unresolved) else v for key, v in tags.items()}


def _values(value: Any, ids: frozenset[str]) -> Any:
    """Turn ``{Ref: X}`` and ``{Fn::GetAtt: [X, A]}`` into what a template source makes of them; drop nulls."""
    if isinstance(value, dict):
        if value.keys() == {"Ref"}:
            return _reference(str(value["Ref"]), "Ref", ids)
        if value.keys() == {"Fn::GetAtt"}:
            parts = value["Fn::GetAtt"]
            if not isinstance(parts, list) or len(parts) != 2 or not all(isinstance(p, str) for p in parts):
                raise CaseError("`Fn::GetAtt` takes a list of two texts: an id and an attribute")
            return _reference(parts[0], parts[1], ids)
        return {k: _values(v, ids) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_values(v, ids) for v in value if v is not None]
    return value


def _reference(name: str, attribute: str, ids: frozenset[str]) -> Unresolved:
    known = name in ids or attribute != "Ref"
    target = (name, attribute) if known else None
    return Unresolved("unresolved_reference", f"Ref: {name}", present=known, target=target)
