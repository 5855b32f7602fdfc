"""A set of requests as one Deny statement.

The statement may at first deny too much or too little (``ArnLike`` reads stars otherwise than the set does,
a negated operator holds for an absent key); each doubtful choice is a variant, and the proof decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from policyengine.iam.catalogue import Catalogue
from policyengine.iam.glob import compile_glob, has_wildcard
from policyengine.iam.global_keys import global_key
from policyengine.iam.organization import ChainKind
from policyengine.iam.protecting import within_reach
from policyengine.iam.request_set import RequestSet, Values

MAX_VARIANTS: Final = 64

Conditions = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Inexpressible:
    """A part of the set that no condition of a policy says."""

    what: str


def variants(
    requests: RequestSet, actions: Sequence[str], kind: ChainKind
) -> Iterator[dict[str, Any]] | Inexpressible:
    """Return the statements that may say the set, the simplest first; ``actions`` are its patterns."""
    texts = (
        *requests.resources,
        *requests.principals,
        *(p for v in requests.context.values() for p in v.patterns),
    )
    if requests.excluded:
        return Inexpressible("resources that are left out of it")
    variable = next((text for text in texts if "${" in text), None)
    if variable is not None:
        return Inexpressible(f"`{variable}`: a policy would take it for a variable")
    choices: list[list[Conditions]] = []
    if requests.principals != ("*",):
        choices.append(_principals(requests.principals))
    if requests.exempt:
        choices.append([{"ArnNotLike": {"aws:PrincipalArn": _one_or_many(requests.exempt)}}])
    for key, values in requests.context.items():
        if not values.patterns and not values.negated and not values.absent:
            return Inexpressible(f"no value of `{key}` is in the set, so no request is")
        choices.append(_key(requests.spelled.get(key, key), values))
    if kind == "rcp":
        choices.append([{"Bool": {"aws:PrincipalIsAWSService": "false"}}])
    return _statements(requests, actions, kind, choices)


def _statements(
    requests: RequestSet, actions: Sequence[str], kind: ChainKind, choices: Sequence[Sequence[Conditions]]
) -> Iterator[dict[str, Any]]:
    for number, chosen in enumerate(product(*choices)):
        if number >= MAX_VARIANTS:
            return
        statement: dict[str, Any] = {"Effect": "Deny"}
        if kind == "rcp":
            statement["Principal"] = "*"
        statement["Action"] = _one_or_many(actions)
        statement["Resource"] = _one_or_many(requests.resources)
        conditions: Conditions = {}
        for condition in chosen:
            for operator, keys in condition.items():
                conditions.setdefault(operator, {}).update(keys)
        if conditions:
            statement["Condition"] = conditions
        yield statement


def _one_or_many(texts: Sequence[str]) -> str | list[str]:
    return texts[0] if len(texts) == 1 else list(texts)


def _principals(patterns: Sequence[str]) -> list[Conditions]:
    """A star of ArnLike stays within its part of the ARN; where that is too little, StringLike."""
    value = _one_or_many(patterns)
    loose: Conditions = {"StringLike": {"aws:PrincipalArn": value}}
    if all(len(p.split(":", 5)) == 6 for p in patterns):
        return [{"ArnLike": {"aws:PrincipalArn": value}}, loose]
    return [loose]


def _key(key: str, values: Values) -> list[Conditions]:
    """Return the conditions for a key, those without `Null` first: it is needed where the key may be absent."""
    present: Conditions = {"Null": {key: "false"}}
    absent: Conditions = {"Null": {key: "true"}}
    if not values.patterns:
        if values.negated:
            return [{}] if values.absent else [present]
        return [absent]
    if values.patterns == ("*",) and not values.negated:
        return [{}] if values.absent else [present]
    known = global_key(key)
    several = known is not None and known.multivalued
    operator = _operator(known.kind if known else "string", values)
    value = _one_or_many(values.patterns)
    quantifier = "ForAllValues:" if several else ""
    if several or values.negated:
        plain: Conditions = {f"{quantifier}{operator}": {key: value}}
        if values.absent:
            return [plain]
        return [{**plain, **present}] if several else [plain, {**plain, **present}]
    found: Conditions = {f"{operator}{'IfExists' if values.absent else ''}": {key: value}}
    return [{**found, **_left_out(key, values)}]


def _left_out(key: str, values: Values) -> Conditions:
    if not values.but:
        return {}
    like = "Like" if any(has_wildcard(p) for p in values.but) else "Equals"
    return {f"StringNot{like}": {key: _one_or_many(values.but)}}


def _operator(kind: str, values: Values) -> str:
    """Return the operator that compares as the set does, in its negated form where the set excludes."""
    if kind == "bool" and not values.negated:
        return "Bool"
    if kind == "ip" and all("/" in p or not has_wildcard(p) for p in values.patterns):
        return "NotIpAddress" if values.negated else "IpAddress"
    like = "Like" if any(has_wildcard(p) for p in values.patterns) else "Equals"
    return f"String{'Not' if values.negated else ''}{like}"


# -- actions ----------------------------------------------------------------------------------------------


def compressed(requests: RequestSet, known: Catalogue, kind: ChainKind) -> tuple[tuple[str, ...], int]:
    """Return patterns of the set's actions, as few as there can be, and the bits of those that no policy
    of the kind can deny.

    A pattern is only ever widened where it matches no known action outside the set.
    """
    wanted = known.matching_any(requests.actions)
    beyond = 0
    if kind == "rcp":
        within = within_reach(known)
        beyond = wanted & ~within
        if beyond:
            return tuple(_patterns(wanted & within, known)), beyond
    if requests.actions == ("*",) and kind == "scp":
        return ("*",), beyond
    return tuple(_fewer(requests.actions, wanted, known)), beyond


def spared(requests: RequestSet, known: Catalogue) -> tuple[str, ...]:
    """Return patterns of the actions that are not in a set, for a set of most actions."""
    return tuple(_patterns(known.all & ~known.matching_any(requests.actions), known))


def _fewer(patterns: Sequence[str], wanted: int, known: Catalogue) -> Iterator[str]:
    """Yield the patterns without those that others contain, names that share a beginning as one."""
    lowered = list(dict.fromkeys(p for p in patterns))
    tests = {p: compile_glob(p.lower()) for p in lowered}
    kept = [
        p
        for p in lowered
        if not any(q != p and tests[q](p.lower()) and not tests[p](q.lower()) for q in lowered)
    ]
    yield from (p for p in kept if has_wildcard(p))
    names = sorted(p for p in kept if not has_wildcard(p))
    yield from _joined(names, wanted, known)


def _patterns(wanted: int, known: Catalogue) -> Iterator[str]:
    names: list[str] = []
    rest = wanted
    while rest:
        low = rest & -rest
        names.append(known.names[low.bit_length() - 1])
        rest ^= low
    yield from _joined(sorted(names), wanted, known)


def _joined(names: Sequence[str], wanted: int, known: Catalogue) -> Iterator[str]:
    """Yield names, and in place of several neighbours with the same first words these and a star."""
    at = 0
    while at < len(names):
        best, end = names[at], at + 1
        for prefix in _beginnings(names[at]):
            if not known.matching(prefix + "*") & ~wanted:
                last = at
                while last < len(names) and names[last].startswith(prefix):
                    last += 1
                if last - at > 1:
                    best, end = prefix + "*", last
                break
        yield best
        at = end


def _beginnings(name: str) -> Iterator[str]:
    """Yield the service, then the name up to each of its words."""
    start = name.index(":") + 1
    yield name[:start]
    yield from (
        name[:at] for at in range(start + 1, len(name)) if name[at].isupper() and name[at - 1].islower()
    )


def complements(requests: RequestSet, kind: ChainKind) -> Mapping[str, RequestSet]:
    """Return sets that together are all requests outside the set but for its actions and resources.

    Of a key with several values: those of which none, not those of which some, are in the set.
    """
    found: dict[str, RequestSet] = {}
    if requests.principals != ("*",):
        found["aws:PrincipalArn"] = RequestSet(
            context={"aws:principalarn": Values(requests.principals, True, True)}
        )
    for key, values in requests.context.items():
        if values.patterns == ("*",) and not values.negated:
            if not values.absent and not _always(key, kind):
                found[key] = RequestSet(context={key: Values((), False, True)})
        elif values.patterns or not (values.negated and values.absent):
            opposite = Values(
                values.patterns, not values.negated, not values.absent and not _always(key, kind)
            )
            if opposite.patterns or opposite.negated or opposite.absent:
                found[key] = RequestSet(context={key: opposite})
            if values.but:
                found[f"{key} (left out)"] = RequestSet(context={key: Values(values.but)})
    return found


def _always(key: str, kind: ChainKind) -> bool:
    """Say whether every request carries a key; those of anonymous callers, whom SCPs never meet, too."""
    known = global_key(key)
    return known is not None and known.present in (("always", "signed") if kind == "scp" else ("always",))
