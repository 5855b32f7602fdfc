"""Policies of Cloud Custodian: their filters select what is wrong, so a resource that all of them select fails.

The meaning is that of c7n/filters/core.py: filters of a list are joined with `and`, `not` is the opposite of its list
joined with `and`, a missing value is ``None``: it equals nothing, and differs from everything.
https://cloudcustodian.io/docs/filters.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.documents import Document, load
from policyengine.migrate.custodian_types import TYPES
from policyengine.migrate.custodian_values import compared, tested
from policyengine.migrate.drafts import LONGEST_TITLE, Draft, Left, NotConverted, Unlike, rule_id, sentence
from policyengine.migrate.expressions import AllOf, AnyOf, Expression, Not, Opens
from policyengine.model.errors import InputError

REFERENCE: Final = "https://cloudcustodian.io/docs/aws/resources/index.html"
_ABOUT: Final = frozenset(
    {"name", "description", "comment", "comments", "title", "metadata", "tags", "resource"}
)
"""Keys of a policy that select nothing."""
_ACTS: Final = ("actions", "mode", "region", "max-resources", "max-resources-percent", "source")
_BLOCKS: Final = ("and", "or", "not")
_OPEN: Final = {"0.0.0.0/0", "::/0"}
_PERMISSION: Final = frozenset({"type", "Ports", "Cidr", "CidrV6", "match-operator"})
Step = tuple[int | str, ...]


class Filter(NamedTuple):
    """A filter where it stands. ``wrong``: what it selects is a step towards FAIL, not (under `not`) away from it."""

    data: Any
    at: Step
    type: str
    wrong: bool = True


def read_policies(data: bytes, name: str) -> tuple[list[Draft], list[Left]]:
    """Return what the policies of a file become. Raises InputError, DocumentError for what holds no policies."""
    document = load(data, name=name, style="cloudformation")
    listed = document.value.get("policies") if isinstance(document.value, dict) else None
    if not isinstance(listed, list):
        raise InputError("expected a list `policies`, as in a file of Cloud Custodian", document.locate(()))
    drafts: list[Draft] = []
    left: list[Left] = []
    for index, policy in enumerate(listed):
        called = (
            str(policy.get("name", f"policy {index + 1}"))
            if isinstance(policy, dict)
            else f"policy {index + 1}"
        )
        try:
            drafts.append(_Reader(document, name).policy(policy, ("policies", index)))
        except NotConverted as error:
            left.append(Left(called, name, error.line, error.construct, error.why))
    return drafts, left


class _Reader:
    def __init__(self, document: Document, name: str) -> None:
        self._document = document
        self._name = name
        self._notes: list[str] = []

    def policy(self, policy: Any, at: Step) -> Draft:
        """Return a policy as a rule. Raises NotConverted for the first construct that has no counterpart."""
        if not isinstance(policy, dict) or not isinstance(policy.get("name"), str):
            raise self._cannot("a policy without a name", "expected an object with `name` and `resource`", at)
        type_ = self._type(policy.get("resource"), (*at, "resource"))
        for key in policy:
            if key not in _ABOUT and key not in _ACTS and key != "filters":
                raise self._cannot(
                    f"`{key}`", "it selects resources or times, which a rule does not", (*at, key)
                )
        if policy.get("actions"):
            self._notes.append(
                "its actions are not converted: a rule only judges (see docs/remediation.md for repairs)"
            )
        filters = policy.get("filters")
        if not isinstance(filters, list) or not filters:
            raise self._cannot(
                "a policy without filters", "it selects every resource: that is an inventory", at
            )
        selected = self._all([Filter(f, (*at, "filters", i), type_) for i, f in enumerate(filters)])
        return self._draft(policy, type_, Not(selected), at)

    def _draft(self, policy: Mapping[str, Any], type_: str, require: Expression, at: Step) -> Draft:
        said = sentence(str(policy.get("description") or policy.get("comment") or ""), 2000)
        metadata = policy.get("metadata")
        severity = str(metadata.get("severity", "")).lower() if isinstance(metadata, dict) else ""
        name = policy["name"]
        return Draft(
            name=name, id=rule_id(name), file=self._name, line=self._line(at), tool="custodian", type=type_,
            require=require, title=sentence(said or f"Not selected by the policy {name}", LONGEST_TITLE), why=said,
            message=f"selected by the filters of the Custodian policy {sentence(name, 80)}",
            severity=severity if severity in ("low", "medium", "high", "critical") else "medium",
            reference=REFERENCE, notes=tuple(dict.fromkeys(self._notes)), effective=True,
        )  # fmt: skip

    def _type(self, resource: Any, at: Step) -> str:
        name = str(resource).removeprefix("aws.")
        if name not in TYPES:
            raise self._cannot(f"`resource: {resource}`", "no CloudFormation type is known for it", at)
        return TYPES[name]

    def _all(self, filters: Sequence[Filter]) -> Expression:
        parts = tuple(self._filter(each) for each in filters)
        return parts[0] if len(parts) == 1 else AllOf(parts)

    def _filter(self, given: Filter) -> Expression:
        data = given.data
        if isinstance(data, dict) and len(data) == 1 and "type" not in data:
            ((word, inner),) = data.items()
            if word in _BLOCKS:
                return self._block(word, inner, given)
            return self._value({"key": word, "value": inner}, given)
        if isinstance(data, dict) and data.get("type") == "value":
            return self._value(data, given)
        if (
            isinstance(data, dict)
            and data.get("type") == "ingress"
            and given.type == "AWS::EC2::SecurityGroup"
        ):
            return self._ingress(data, given)
        kind = data if isinstance(data, str) else data.get("type") if isinstance(data, dict) else data
        hint = f"`policyengine rules list --type {given.type}` shows the bundled rules about the same type"
        raise self._cannot(f"filter `{kind}`", f"it has no counterpart that means the same; {hint}", given.at)

    def _block(self, word: str, inner: Any, given: Filter) -> Expression:
        if not isinstance(inner, list) or not inner:
            raise self._cannot(f"`{word}`", "expected a list of filters", given.at)
        wrong = given.wrong != (word == "not")
        below = [Filter(each, (*given.at, word, i), given.type, wrong) for i, each in enumerate(inner)]
        if word == "or":
            return AnyOf(tuple(self._filter(each) for each in below))
        return Not(self._all(below)) if word == "not" else self._all(below)

    def _value(self, data: Mapping[str, Any], given: Filter) -> Expression:
        try:
            comparison = compared(data, given.type, wrong=given.wrong)
            self._notes += comparison.notes
            return tested(comparison)
        except Unlike as error:
            what = f"`{data.get('key')}`" if "key" in data else "filter `value`"
            raise self._cannot(what, str(error), given.at) from None

    def _ingress(self, data: Mapping[str, Any], given: Filter) -> Expression:
        """An `ingress` filter about the whole internet; c7n's own asks whether one permission has the address and a port."""
        unknown = sorted(set(data) - _PERMISSION)
        if unknown or data.get("match-operator", "and") != "and":
            raise self._cannot(
                "filter `ingress`", f"`{(unknown or ['match-operator'])[0]}` has no counterpart", given.at
            )
        if not given.wrong:
            raise self._cannot(
                "filter `ingress`", "under `not` it would say which groups must be open", given.at
            )
        asked = [data[key] for key in ("Cidr", "CidrV6") if key in data]
        values = {value for each in asked for value in _cidrs(each)}
        if not values or not values <= _OPEN:
            raise self._cannot(
                "filter `ingress`", "only the whole internet (0.0.0.0/0, ::/0) can be asked about", given.at
            )
        if {"Cidr", "CidrV6"} <= data.keys():
            raise self._cannot(
                "filter `ingress`", "it asks for permissions with IPv4 and IPv6 at once", given.at
            )
        ports = data.get("Ports", [])
        if not isinstance(ports, list) or not all(isinstance(p, int) for p in ports):
            raise self._cannot("filter `ingress`", "`Ports` is no list of numbers", given.at)
        self._notes.append(
            "`ingress` became net.open_to_internet, which is wider: IPv4 and IPv6 alike, and blocks that together are "
            "the internet"
        )
        return Opens(tuple(ports))

    def _cannot(self, construct: str, why: str, at: Step) -> NotConverted:
        return NotConverted(construct, why, self._line(at))

    def _line(self, at: Step) -> int | None:
        place = self._document.locate(at)
        return None if place is None else place.line


def _cidrs(given: Any) -> Iterator[str]:
    """Yield the addresses of `Cidr: {value: …}`; one that cannot be read is no address of the internet."""
    value = given.get("value") if isinstance(given, dict) and set(given) <= {"value", "op"} else None
    op = given.get("op", "eq") if isinstance(given, dict) else None
    if op in ("eq", "equal") and isinstance(value, str):
        yield value
    elif op == "in" and isinstance(value, list):
        yield from map(str, value)
    else:
        yield ""
