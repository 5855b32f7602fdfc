"""Predicates about the KMS keys a resource names: whose they are and whether they can be used.

All of them take the alias of a relation to ``AWS::KMS::Key``; the path of the relation says where the
resource names its keys, so that one rule can be about many types that name them differently.

Facts: the alias prefix ``alias/aws/`` is reserved for AWS managed keys
(https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html), which cannot be used from
another account (https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html); the key states
in which a key cannot encrypt and decrypt are those of
https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policyengine.model.finding import Evidence
from policyengine.model.leaves import leaves
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.predicates.api import Answer, Arg, Predicate, Subject

_AWS_ALIAS: Final = "alias/aws/"
_AWS_OWNED: Final = frozenset({"AWS_OWNED_KMS_KEY", "AWS_OWNED_KEY"})
"""What services answer in place of a key that is not in the account (Redshift Serverless, CodePipeline)."""
_UNUSABLE: Final = frozenset(
    {"Disabled", "PendingDeletion", "PendingReplicaDeletion", "PendingImport", "Unavailable"}
)
_OWN: Final = "a customer managed KMS key"
_USABLE: Final = "a KMS key that exists, is enabled and is not to be deleted"


@dataclass(frozen=True, slots=True)
class Named:
    """A value that names a key, where it stands, and the key when the source has it.

    ``key`` is ABSENT when the account's keys are known and it is none of them.
    """

    path: Path
    value: Any
    key: Resource | Unresolved | Any


def names_key(subject: Subject, *, keys: str) -> Answer:
    """TRUE when the resource names a KMS key, whichever."""
    found = list(_values(subject, keys))
    present = [(p, v) for p, v in found if not isinstance(v, Unresolved) or v.present]
    if present:
        return Answer(TRUE, tuple(Evidence(p, v, "a KMS key", "requirement_met") for p, v in present))
    if found:
        path, value = found[0]
        return Answer(UNKNOWN, (Evidence(path, value, "a KMS key", value.reason),))
    return Answer(FALSE, (Evidence(_via(subject, keys), ABSENT, "a KMS key", "missing"),))


def customer_managed(subject: Subject, *, keys: str) -> Answer:
    """TRUE when the resource names a key and every key it names is customer managed.

    Without a key AWS uses one of its own: FALSE. A key that the source does not show is UNKNOWN,
    because it may be the AWS managed key of the service.
    """
    named = _named(subject, keys)
    if not named:
        expected = f"{_OWN}; without one AWS uses its own"
        return Answer(FALSE, (Evidence(_via(subject, keys), ABSENT, expected, "missing"),))
    return _all(_owner(one, subject.resource.account) for one in named)


def usable(subject: Subject, *, keys: str) -> Answer:
    """TRUE when every key the resource names exists, is enabled and is not about to be deleted."""
    named = _named(subject, keys)
    if not named:
        path = _via(subject, keys)
        return Answer(TRUE, (Evidence(path, ABSENT, "no key of its own", "requirement_met"),))
    return _all(_state(one) for one in named)


def _all(parts: Iterator[Evidence]) -> Answer:
    """Return the conjunction: failures decide, then doubts."""
    evidence = tuple(parts)
    bad = tuple(e for e in evidence if e.reason in _FAILS)
    if bad:
        return Answer(FALSE, bad)
    doubt = tuple(e for e in evidence if e.reason != "requirement_met")
    return Answer(UNKNOWN, doubt) if doubt else Answer(TRUE, evidence)


_FAILS: Final = frozenset({"missing", "value_mismatch"})


def _owner(named: Named, account: str | None) -> Evidence:
    value = named.value
    if isinstance(value, str):
        if _AWS_ALIAS in value or value in _AWS_OWNED:
            return Evidence(named.path, value, _OWN, "value_mismatch")
        if "alias/" in value or _of_another_account(value, account):
            return Evidence(named.path, value, _OWN, "requirement_met")
    elif not isinstance(value, Unresolved):
        return Evidence(named.path, value, _OWN, "wrong_type")
    if isinstance(named.key, Resource):
        return _manager(named, named.key)
    return _doubt(named, _OWN)


def _manager(named: Named, key: Resource) -> Evidence:
    manager = key.properties.get("KeyManager", ABSENT)
    if isinstance(manager, Unresolved):
        return Evidence(named.path, manager, _OWN, manager.reason)
    if manager == "AWS":
        return Evidence(named.path, named.value, f"{_OWN}; this one is AWS's", "value_mismatch")
    # Only a customer managed key can be declared in code, where nobody says who manages it.
    return Evidence(named.path, named.value, _OWN, "requirement_met")


def _of_another_account(value: str, account: str | None) -> bool:
    parts = value.split(":", 5)
    return len(parts) == 6 and parts[2] == "kms" and None is not account != parts[4] and bool(parts[4])


def _state(named: Named) -> Evidence:
    value = named.value
    if isinstance(value, str) and (_AWS_ALIAS in value or value in _AWS_OWNED):
        return Evidence(named.path, value, _USABLE, "requirement_met")
    if not isinstance(value, str | Unresolved):
        return Evidence(named.path, value, _USABLE, "wrong_type")
    if named.key is ABSENT:
        return Evidence(named.path, value, f"{_USABLE}; there is none of this name", "missing")
    if isinstance(named.key, Resource):
        return _state_of_key(named, named.key)
    return _doubt(named, _USABLE)


def _state_of_key(named: Named, key: Resource) -> Evidence:
    state = key.properties.get("KeyState", ABSENT)
    if state is ABSENT:
        enabled = key.properties.get("Enabled", True)
        off = enabled is False or (isinstance(enabled, str) and enabled.lower() == "false")
        state = enabled if isinstance(enabled, Unresolved) else "Disabled" if off else "Enabled"
    if isinstance(state, Unresolved):
        return Evidence(named.path, state, _USABLE, state.reason)
    if not isinstance(state, str):
        return Evidence(named.path, state, _USABLE, "wrong_type")
    if state in _UNUSABLE:
        return Evidence(named.path, named.value, f"{_USABLE}; this one is {state}", "value_mismatch")
    return Evidence(named.path, named.value, _USABLE, "requirement_met")


def _doubt(named: Named, expected: str) -> Evidence:
    for value in (named.value, named.key):
        if isinstance(value, Unresolved):
            return Evidence(named.path, value, expected, value.reason)
    unknown = Unresolved("not_collected", f"AWS::KMS::Key `{named.value}`")
    return Evidence(named.path, unknown, expected, unknown.reason)


def _via(subject: Subject, keys: str) -> Path:
    return tuple(subject.relations[keys]["via"].split("."))


def _values(subject: Subject, keys: str) -> Iterator[tuple[Path, Any]]:
    """Yield where the resource names keys, with the values."""
    return leaves(subject.resource.properties, _via(subject, keys))


def _named(subject: Subject, keys: str) -> list[Named]:
    """Return the keys the resource names, each with what the source knows of it."""
    values = list(_values(subject, keys))
    if not values:
        return []
    related = subject.related(keys)
    if isinstance(related, Unresolved):
        return [Named(path, value, related) for path, value in values]
    more = related.more if isinstance(related, OpenList) else None
    return [Named(p, v, _key_of(v, related, more, alone=len(values) == 1)) for p, v in values]


def _key_of(value: Any, found: Sequence[Resource], more: Unresolved | None, *, alone: bool) -> Any:
    """Return the key a value names: what a relation found for one value is that value's."""
    if alone and found:
        return found[0]
    if isinstance(value, Unresolved):
        named = (k for k in found if value.target is not None and k.id == value.target[0])
        return next(named, value)
    if not isinstance(value, str):
        return Unresolved("unsupported", "what names the key is no text")
    names = {value, value.rsplit("/", 1)[-1]}
    hit = next((k for k in found if not names.isdisjoint(_names(k))), None)
    if hit is not None:
        return hit
    return more if more is not None else ABSENT


def _names(key: Resource) -> set[str]:
    names = (key.id, key.arn, key.properties.get("KeyId"), key.properties.get("Arn"))
    return {name for name in names if isinstance(name, str)}


_ARGS: Final = {"keys": Arg("alias", help="the relation to the KMS keys")}
PREDICATES: tuple[Predicate, ...] = (
    Predicate("kms.names_key", names_key, "The resource names a KMS key.", _ARGS, reads=()),
    Predicate(
        "kms.customer_managed",
        customer_managed,
        "The resource names a KMS key, and every key it names is customer managed.",
        _ARGS,
        reads=(),
    ),
    Predicate(
        "kms.usable",
        usable,
        "Every KMS key the resource names exists, is enabled and is not about to be deleted.",
        _ARGS,
        reads=(),
    ),
)
