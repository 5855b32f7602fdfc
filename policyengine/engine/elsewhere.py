"""Compensating rules about something else than what fails: judged in a first, small pass over the sources of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from policyengine.config.waivers import Compensating
from policyengine.engine.only import Narrowed
from policyengine.engine.piece import prepare
from policyengine.engine.tables import Tables, grouped, groups_of
from policyengine.model.errors import PolicyEngineError
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from policyengine.model.resource import Resource

if TYPE_CHECKING:
    from policyengine.engine.evaluate import Evaluator

ACCOUNT: Final = "AWS::::Account"
REGION: Final = "PolicyEngine::Account::Region"
_SUBJECTS: Final = frozenset({ACCOUNT, REGION})
_RANK: Final = {FAIL: 0, UNKNOWN: 1, NOT_APPLICABLE: 2, PASS: 3}
Elsewhere = dict[tuple[str, str], str]
"""(rule, name of a resource, account or account and region) -> verdict; the worst where several have the name."""


def names_of_resource(resource: Resource) -> list[str]:
    """Return what a waiver may call a resource: its id, its ARN, ``ACCOUNT/REGION/TYPE/ID``, or ``FILE:ID`` and what a CDK
    user calls it."""
    account, region, type_, id_ = resource.identity
    names = [id_]
    if resource.arn is not None and resource.arn != id_:
        names.append(resource.arn)
    if resource.file is None:
        names.append(f"{account}/{region}/{type_}/{id_}")
    else:
        names.append(f"{resource.file}:{id_}")
        origin = resource.provenance
        if origin is not None and "construct_path" in origin:
            names.append(origin["construct_path"])
    return names


def _types(form: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(type_ for variant in form["variants"] for type_ in variant["types"])


def needs_elsewhere(comp: Compensating, form: Mapping[str, Any]) -> bool:
    """Whether a compensating rule is about another resource than the one that fails."""
    return comp.resource is not None or not _SUBJECTS.isdisjoint(_types(form))


def place_name(form: Mapping[str, Any], resource: Resource) -> str:
    """Return what the account, or the account and region, of a resource is called where a rule is about them."""
    if ACCOUNT in _types(form):
        return f"account {resource.account or 'unknown'}"
    return f"account {resource.account or 'unknown'} {resource.region or 'unknown'}"


def _own_place(resource: Resource) -> str:
    name = f"account {resource.account or 'unknown'}"
    return name if resource.type == ACCOUNT else f"{name} {resource.region or 'unknown'}"


def learn_elsewhere(evaluator: Evaluator, source: Any) -> None:
    """Let the evaluator know the verdicts that its waivers rest on, as far as a source has what they are about."""
    waiving = evaluator.settings.waiving
    comps = [w.compensating for w in waiving.waivers if w.compensating is not None]
    pairs = [(c, waiving.rules[c.rule]) for c in comps if c.rule in waiving.rules]
    asked = {c.rule: form for c, form in pairs if needs_elsewhere(c, form)}
    if not asked:
        return
    names = {c.resource for c in comps if c.resource is not None}
    side = evaluator.beside(asked.values())
    for resource, verdicts in _judged(side, source, frozenset().union(*map(_types, asked.values())), names):
        for rule, verdict in verdicts:
            own = [_own_place(resource)] if resource.type in _SUBJECTS else []
            for name in own + [each for each in names_of_resource(resource) if each in names]:
                key = (rule, name)
                known = evaluator.elsewhere.get(key, verdict)
                evaluator.elsewhere[key] = min(known, verdict, key=_RANK.__getitem__)


def _judged(
    side: Evaluator, source: Any, types: frozenset[str], names: Collection[str]
) -> Iterator[tuple[Resource, list[tuple[str, str]]]]:
    looked = source if "taggable" in types or not hasattr(source, "scan_types") else _OfTypes(source, types)
    for group in grouped(Tables(side, looked), looked):
        for resources in group.pieces():
            for resource in resources:
                if resource.type in _SUBJECTS or any(n in names for n in names_of_resource(resource)):
                    prepare(resource)
                    found = side.findings(resource, group.world)
                    yield resource, [(each.rule, each.verdict) for each in found]


class _OfTypes(Narrowed):
    """A source of which only resources of some types are judged."""

    def __init__(self, source: Any, types: frozenset[str]) -> None:
        super().__init__(source, types)
        self.errors: list[PolicyEngineError] = []

    def groups(self) -> Sequence[Sequence[Any]]:
        """Return the shards of the source."""
        return groups_of(self._source)

    def read_shard(self, shard: Any) -> Iterator[Resource]:
        """Yield what is judged of one piece."""
        return self.scan_types(self._types, shard)

    def resources(self) -> Iterator[Resource]:
        """Yield what is judged."""
        return self.scan_types(self._types)
