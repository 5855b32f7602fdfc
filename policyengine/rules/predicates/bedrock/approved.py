"""Which regions or models an account may use: a list, or what the classification of its data allows.

The classification is the value of a tag on the account, else on the nearest OU above it that has the tag. A tag
on the resource itself can only narrow what the account allows: whoever makes the resource sets it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from policyengine.iam.opaque import Opaque
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.rules.iam.declared import nodes_above
from policyengine.rules.iam.organizations import Members, members_of
from policyengine.rules.predicates.api import Subject

_ACCOUNT: Final = "AWS::Organizations::Account"
_OU: Final = "AWS::Organizations::OrganizationalUnit"
_OTHERS: Final = "*"
"""The class of accounts that have none, or one that is not listed; it goes before the plain list."""
_MOST: Final = 4
_TAGS: Final[OrderedDict[int, tuple[Members, dict[str, Mapping[str, Any] | Unresolved]]]] = OrderedDict()
"""By identity of the organisation. INVARIANT: an entry holds the organisation that is its key."""


@dataclass(frozen=True, slots=True)
class Approved:
    """What is approved; several where the classification is not known, each as it may be.

    ``narrow``: what a tag of the resource approves besides, None where it says nothing; several where the tag
    is not known. ``doubt`` says why there are several, or none.
    """

    choices: tuple[tuple[str, ...], ...]
    narrow: tuple[tuple[str, ...] | None, ...]
    doubt: Unresolved | None
    because: str

    def holds(self, test: Callable[[Sequence[str]], bool | None]) -> bool | None:
        """Return what a test answers for every list that may be the approved one; None where it differs."""
        answers = {_both(test, choice, own) for choice in self.choices for own in self.narrow}
        return answers.pop() if len(answers) == 1 else None

    def expected(self, what: str) -> str:
        """Return what a message says was expected."""
        own = (one for one in self.narrow if one is not None and len(self.narrow) == 1)
        found = sorted({one for choice in (*self.choices, *own) for one in choice})
        return f"{what} {', '.join(found) if found else '(none)'}{self.because}"

    def unknown(self) -> Unresolved:
        """Return why the answer differs between what may be approved."""
        return self.doubt or Unresolved("not_collected", "what is approved for the account")


def _both(
    test: Callable[[Sequence[str]], bool | None], choice: Sequence[str], own: Sequence[str] | None
) -> bool | None:
    """Conjunction of the account's list and the resource's own."""
    parts = [test(choice)] if own is None else [test(choice), test(own)]
    return False if False in parts else None if None in parts else True


def approved(subject: Subject, default: Sequence[str], by_classification: Any, tag: str) -> Approved:
    """Return what is approved for a resource: ``default`` for accounts of no class, or one without a list."""
    mapping = _mapping(by_classification)
    if not mapping or not tag:
        return Approved((tuple(default),), (None,), None, "")
    others = tuple(mapping.get(_OTHERS, default))
    own, doubt = _own(subject.resource, tag, mapping)
    found = _classification(subject, tag)
    if isinstance(found, Unresolved):
        choices = {tuple(values): None for values in (*mapping.values(), others)}
        return Approved(tuple(choices), own, found, f", by the tag `{tag}` of the account")
    listed = None if found is None else mapping.get(found.lower())
    because = f"; the account has no tag `{tag}`" if found is None else f" for {tag} `{found}`"
    return Approved((others if listed is None else tuple(listed),), own, doubt, because)


def _mapping(form: Any) -> dict[str, list[str]]:
    if not isinstance(form, dict):
        return {}
    return {
        f"{key}".lower(): [v for v in values if isinstance(v, str)]
        for key, values in form.items()
        if isinstance(values, list)
    }


def _own(
    resource: Resource, tag: str, mapping: Mapping[str, Sequence[str]]
) -> tuple[tuple[tuple[str, ...] | None, ...], Unresolved | None]:
    """Return what a tag of the resource approves, as :class:`Approved` has it, and why that is not known."""
    value: Any = resource.tags
    if isinstance(value, dict):
        value = value.get(tag, getattr(value, "more", None))
    if isinstance(value, Unresolved):
        return (None, *dict.fromkeys(tuple(one) for one in mapping.values())), value
    found = mapping.get(value.lower()) if isinstance(value, str) else None
    return (None if found is None else tuple(found),), None


def _classification(subject: Subject, tag: str) -> str | Unresolved | None:
    """Return the tag's value on the account or the nearest OU above it; None where none of them has it."""
    resource = subject.resource
    members = members_of(subject)
    if isinstance(members, Unresolved):
        return members
    if members is None:
        return None
    tags = _tags_of(members)
    account = _account_id(resource)
    if account is None:
        return Unresolved("not_collected", "the account of code that is bound to none")
    path = nodes_above(members, account)
    if isinstance(path, Opaque):
        return Unresolved("not_collected", path.reason)
    for node in reversed(path):
        held = tags.get(node)
        if isinstance(held, Unresolved):
            return held
        value = None if held is None else held.get(tag, getattr(held, "more", None))
        if isinstance(value, Unresolved):
            return value
        if isinstance(value, str):
            return value
    return None


def _account_id(resource: Resource) -> str | None:
    if resource.type == _ACCOUNT:
        found = resource.properties.get("AccountId", resource.id)
        return found if isinstance(found, str) else resource.id
    return resource.account


def _tags_of(members: Members) -> dict[str, Mapping[str, Any] | Unresolved]:
    known = _TAGS.get(id(members))
    if known is None:
        found: dict[str, Mapping[str, Any] | Unresolved] = {}
        for resource in members.resources:
            if resource.type in (_ACCOUNT, _OU) and resource.tags is not None:
                number = resource.properties.get("AccountId")
                names = {resource.id, *([number] if isinstance(number, str) else [])}
                found.update(dict.fromkeys(names, resource.tags))
        known = _TAGS[id(members)] = (members, found)
        if len(_TAGS) > _MOST:
            _TAGS.popitem(last=False)
    return known[1]
