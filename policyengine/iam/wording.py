"""A statement in words: what it is about, under which conditions, what it leaves open, what is odd in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from policyengine.iam.action_table import LEVELS
from policyengine.iam.catalogue import Catalogue
from policyengine.iam.comparisons import OPERATORS
from policyengine.iam.conditions import Operator, read_operator
from policyengine.iam.documents import Condition, Policy, Statement
from policyengine.iam.global_keys import GLOBAL_KEYS, global_key
from policyengine.iam.reason import EVERYONE, EVERYTHING, Answer, extended, grants
from policyengine.iam.request_set import RequestSet
from policyengine.iam.ways import action_bits

_COMPARED: Final = {
    "StringEquals": "is", "StringEqualsIgnoreCase": "is, in any case,", "StringLike": "is like",
    "NumericEquals": "is", "NumericLessThan": "is less than", "NumericLessThanEquals": "is at most",
    "NumericGreaterThan": "is more than", "NumericGreaterThanEquals": "is at least",
    "DateEquals": "is", "DateLessThan": "is before", "DateLessThanEquals": "is not after",
    "DateGreaterThan": "is after", "DateGreaterThanEquals": "is not before",
    "Bool": "is", "BinaryEquals": "is", "IpAddress": "is within", "ArnEquals": "is like", "ArnLike": "is like",
    "StringNotEquals": "is not", "StringNotEqualsIgnoreCase": "is not, in any case,",
    "StringNotLike": "is not like", "NumericNotEquals": "is not", "DateNotEquals": "is not",
    "NotIpAddress": "is not within", "ArnNotEquals": "is not like", "ArnNotLike": "is not like",
}  # fmt: skip
_VARIABLE: Final = re.compile(r"\$\{([A-Za-z0-9_.-]+)\}")
"""Names without a colon, which no policy variable lacks:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""
MAX_KEYS_CHECKED: Final = 400
"""Actions of a statement that are asked whether they carry a key, before it is called unknown."""


@dataclass(frozen=True, slots=True)
class Actions:
    """The actions a statement is about: how many, of which services and access levels; ``unknown`` are
    the patterns that match no action AWS documents."""

    count: int
    services: tuple[tuple[str, int], ...]
    levels: tuple[tuple[str, int], ...]
    unknown: tuple[str, ...]


def catalogue_of(policy: Policy) -> Catalogue:
    """Return the catalogue with the actions that only the policy names."""
    return extended([policy], RequestSet())


def actions_of(statement: Statement, known: Catalogue) -> Actions:
    """Return what actions a statement is about."""
    bits = action_bits(statement, known)
    services = ((name, (known.service_mask(name) & bits).bit_count()) for name in _services(statement, known))
    levels = ((level, (known.access_level_mask(level) & bits).bit_count()) for level in LEVELS.values())
    unknown = tuple(p for p in statement.actions if p != "*" and _made_up(p, known))
    found = sorted((s for s in services if s[1]), key=lambda item: -item[1])
    return Actions(bits.bit_count(), tuple(found), tuple(pair for pair in levels if pair[1]), unknown)


def _services(statement: Statement, known: Catalogue) -> Iterator[str]:
    wide = statement.not_action or any(set("*?") & set(p.partition(":")[0]) for p in statement.actions)
    if wide:
        yield from known.services
    yield from {p.partition(":")[0].lower() for p in statement.actions} - set(known.services if wide else ())


def _made_up(pattern: str, known: Catalogue) -> bool:
    """Say whether all that a pattern matches is what was added for it."""
    bits = known.matching(pattern)
    added = sum(1 << index for name in known.unknown if (index := known.index(name)) is not None)
    return not bits & ~added


# -- conditions -------------------------------------------------------------------------------------------


def condition_words(condition: Condition) -> str:
    """Return a condition as a clause: when it holds."""
    operator = read_operator(condition.operator)
    if operator is None:
        return f"{condition.key} {condition.operator} {_listed(condition.values)} (no operator of AWS)"
    if operator.base == "Null":
        return _null_words(condition)
    negative = OPERATORS[operator.base][1]
    values = _listed(condition.values, "nor" if negative else "or")
    compared = f"{_COMPARED.get(operator.base, operator.base)} {values}"
    key = condition.key
    if operator.quantifier == "forallvalues":
        return f"every value of {key}, if it has any, {compared}"
    if operator.quantifier == "foranyvalue":
        text = f"some value of {key} {compared}"
        return f"{text}, or it is absent" if operator.if_exists else text
    if (operator.if_exists or negative) and not _always(key):
        return f"{key} {compared}, or is absent"
    return f"{key} {compared}"


def _always(key: str) -> bool:
    """Say whether every signed request carries a key."""
    found = global_key(key)
    return found is not None and found.present in ("always", "signed")


def _null_words(condition: Condition) -> str:
    wanted = {value.lower() for value in condition.values}
    if wanted == {"true"}:
        return f"{condition.key} is absent"
    return f"{condition.key} is present" if wanted == {"false"} else f"{condition.key} is present or absent"


def _listed(values: Sequence[str], word: str = "or") -> str:
    shown = [f"`{v}`" for v in values[:6]]
    if len(values) > len(shown):
        return f"{', '.join(shown)} {word} {len(values) - len(shown):,} others"
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {word} {shown[-1]}"


def left_open(statement: Statement) -> list[str]:
    """Return where a Deny does not apply to its own actions and resources: once for each condition."""
    return [_opposite(condition) for condition in statement.conditions]


def _opposite(condition: Condition) -> str:
    operator = read_operator(condition.operator)
    key = condition.key
    if operator is None:
        return f"nobody knows where: AWS has no operator {condition.operator}"
    if operator.base == "Null":
        words = _null_words(condition)
        return words.replace("is absent", "is present") if "absent" in words else f"{key} is absent"
    negative = OPERATORS[operator.base][1]
    base = _positive(operator.base) if negative else operator.base
    compared = f"{_COMPARED.get(base, base)} {_listed(condition.values)}"
    if operator.quantifier == "forallvalues":
        return f"some value of {key} {compared}" if negative else f"not every value of {key} {compared}"
    if operator.quantifier == "foranyvalue":
        text = f"every value of {key} {compared}" if negative else f"no value of {key} {compared}"
        return text if operator.if_exists else f"{text}, or it is absent"
    if negative:
        return f"{key} {compared}"
    return f"{key} is otherwise" if operator.if_exists or _always(key) else f"{key} is otherwise or absent"


def _positive(base: str) -> str:
    return base.replace("Not", "")


def what_is_left(policy: Policy, statement: Statement) -> Answer:
    """Return a request about the statement's actions that the document does not deny, if there is one.

    Everything else is taken to allow it. No: the document denies them whatever the request.
    """
    named = any(s.principals is not None for s in policy.statements)
    asked = ("*",) if statement.not_action else statement.actions
    requests = RequestSet(actions=asked, resources=_resources(statement))
    return grants([EVERYONE if named else EVERYTHING, policy], requests)


def _resources(statement: Statement) -> tuple[str, ...]:
    plain = statement.resources is not None and not statement.not_resource
    return statement.resources if plain and not any("${" in r for r in statement.resources or ()) else ("*",)  # type: ignore[return-value]  # plain says that there are some


# -- what is odd ------------------------------------------------------------------------------------------


def warnings(policy: Policy, statement: Statement, known: Catalogue) -> list[str]:
    """Return what a reader should look at: what is wider than it looks, unknown or likely misspelt."""
    found = list(_elements(policy, statement))
    bits = action_bits(statement, known)
    unknown = actions_of(statement, known).unknown
    found.extend(f"no action that AWS documents matches `{pattern}`; kept as it is" for pattern in unknown)
    for condition in statement.conditions:
        found.extend(_condition_warnings(statement, condition, bits, known))
    return list(dict.fromkeys(found))


def _elements(policy: Policy, statement: Statement) -> Iterator[str]:
    if statement.allow:
        if statement.not_action:
            yield "NotAction with Allow: allows every action but these, those of new services too"
        if statement.not_resource:
            yield "NotResource with Allow: allows every resource but these"
        if statement.not_principal:
            yield "NotPrincipal with Allow: allows everyone but these, anonymous callers too"
        if _is_everything(statement) and policy.kind in ("identity", "resource", "session"):
            yield "allows everything on everything"
    texts = [*(statement.resources or ()), *(v for c in statement.conditions for v in c.values)]
    if not statement.variables and any("${" in text for text in texts):
        yield "version 2008-10-17: `${…}` is plain text; policy variables need 2012-10-17"
    for name in dict.fromkeys(n for text in texts for n in _VARIABLE.findall(text)):
        if ":" not in name and statement.variables:
            yield f"`${{{name}}}` is no policy variable: is it a place to fill in?"
    if statement.opaque is not None:
        yield f"not all of it is known: {statement.opaque.reason}"


def _is_everything(statement: Statement) -> bool:
    """Say whether a statement is about every request."""
    actions = statement.actions in (("*",), ("*:*",)) and not statement.not_action
    return actions and statement.resources == ("*",) and not statement.conditions


def _condition_warnings(
    statement: Statement, condition: Condition, bits: int, known: Catalogue
) -> Iterator[str]:
    operator = read_operator(condition.operator)
    key = condition.key
    if operator is None:
        yield f"AWS has no operator `{condition.operator}`: what the statement does cannot be decided"
        return
    if statement.allow:
        yield from _open_when_absent(operator, key)
    elif (
        operator.base != "Null"
        and not OPERATORS[operator.base][1]
        and not (operator.if_exists or operator.quantifier or _always(key))
    ):
        yield f"does not deny requests without `{key}`"
    if known_key(key, bits, known) is False:
        import difflib  # nothing is misspelt in most runs

        close = difflib.get_close_matches(key.lower(), _spellings(), n=1, cutoff=0.85)
        hint = f"; did you mean `{close[0]}`?" if close else ""
        yield f"AWS documents no key `{key}` for any of these actions{hint}"


def _open_when_absent(operator: Operator, key: str) -> Iterator[str]:
    if operator.quantifier == "forallvalues":
        yield f"ForAllValues with Allow: holds where `{key}` is absent; add `Null` false"
    elif operator.if_exists:
        yield f"IfExists with Allow: holds where `{key}` is absent"
    elif operator.base != "Null" and OPERATORS[operator.base][1]:
        yield f"{operator.base} with Allow: holds where `{key}` is absent"


def known_key(key: str, bits: int, known: Catalogue) -> bool | None:
    """Say whether AWS lists a key for an action of these; None where that is not known."""
    if global_key(key) is not None:
        return True
    if bits & ~((1 << (len(known.names) - len(known.unknown))) - 1):
        return None
    prefix = key.lower().partition(":")[0]
    rest = bits & (known.service_mask(prefix) or bits)
    if not rest:
        rest = bits
    for _ in range(MAX_KEYS_CHECKED):
        if not rest:
            return False
        low = rest & -rest
        if known.may_carry(known.at(low.bit_length() - 1), key) is not False:
            return True
        rest ^= low
    return None


@lru_cache(maxsize=1)
def _spellings() -> list[str]:
    return [key for key in GLOBAL_KEYS if "$" not in key]
