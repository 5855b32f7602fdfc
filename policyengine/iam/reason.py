"""Questions over all requests: ``Yes`` with a request that shows it, ``No``, or ``Unknown`` with why.

``No`` is only said when no request whatever answers the question: what cannot be decided counts as
possible. ``Yes`` is only said of a request that :func:`policyengine.iam.authorize.authorize` (or, for a
question about documents alone, their statements) decides so. docs/iam.md says how it is done.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from policyengine.iam.atoms import Setting
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.catalogue import Catalogue, catalogue
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.domains import (
    Callers,
    account_callers,
    any_caller,
    any_entity,
    entity_callers,
    one_caller,
)
from policyengine.iam.layers import Layer, read_layer
from policyengine.iam.opaque import Opaque, all_of, negate
from policyengine.iam.request import Request
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Part, Question, Search, Verify, Way, Witness
from policyengine.iam.shortcut import denies_all
from policyengine.iam.ways import parts, strange_actions, ways

WHY: Final = {
    "too_large": "there were too many combinations to look at all of them",
    "policy_variable": "it depends on policy variables in a way that was not resolved",
    "no_such_request": "only with a context key that AWS does not document for the action",
}
"""Code of an Unknown → what it means; other texts are what could not be known of a statement."""


@dataclass(frozen=True, slots=True)
class Yes:
    """There is such a request."""

    witness: Witness


@dataclass(frozen=True, slots=True)
class No:
    """There is none."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """It could not be decided; ``why`` says what stood in the way."""

    why: tuple[str, ...]


Answer = Yes | No | Unknown

ALL: Final = RequestSet()


def can(
    requests: RequestSet,
    policies: Policies,
    callers: Callers | None = None,
    setting: Setting | None = None,
) -> Answer:
    """Say whether a request of the set is allowed by all layers together, as ``authorize`` decides it.

    ``callers``: who may ask; by default every user and role of ``setting.account``.
    """
    setting = setting or Setting()
    callers = callers or entity_callers(setting.account, setting.partition)
    question = _question(requests, callers, setting, lambda r: _authorized(r, policies), _all_of(policies))
    return first(question, ways(policies, question.catalogue, requests, setting, callers))


def _authorized(request: Request, policies: Policies) -> bool | Opaque:
    decision = authorize(request, policies)
    if decision.unknown:
        return decision.unknown[0]
    return decision.outcome == "Allowed"


def denied(requests: RequestSet, policies: Policies, callers: Callers | None = None) -> Answer:
    """Say whether every request of the set is denied: No means that, Yes names one that is not."""
    return can(requests, policies, callers)


def grants(policies: Sequence[Policy], requests: RequestSet = ALL, callers: Callers | None = None) -> Answer:
    """Say whether documents by themselves (one layer: what they allow less what they deny) grant a request."""
    question = _documents(policies, requests, callers)
    question.verify = lambda r: granted(policies, r)
    found = parts(policies, question.catalogue)
    return first(question, [Way([found[True]], found[False])])


def newly_allows(
    old: Sequence[Policy],
    new: Sequence[Policy],
    requests: RequestSet = ALL,
    callers: Callers | None = None,
) -> Answer:
    """Say whether the new documents grant a request that the old ones do not."""
    return next(new_access(old, new, requests, callers))


def new_access(
    old: Sequence[Policy],
    new: Sequence[Policy],
    requests: RequestSet = ALL,
    callers: Callers | None = None,
) -> Iterator[Answer]:
    """Yield a Yes for each group of actions with newly granted requests; else a single No or Unknown."""
    yield from newly_passes([old], [new], requests, callers)


def newly_passes(
    old: Sequence[Sequence[Policy]],
    new: Sequence[Sequence[Policy]],
    requests: RequestSet = ALL,
    callers: Callers | None = None,
    effort: int = 100,
) -> Iterator[Answer]:
    """Yield a Yes for each group of actions with requests that every layer of ``new`` grants and not every one
    of ``old`` does; else a single No or Unknown. Without a layer everything is granted.

    The identity policies and the permission boundary of a principal are two layers, each level of SCPs is one.
    ``effort``: how much is looked at before the answer is Unknown, in percent of what is usual.
    """
    question = _documents([p for layer in (*new, *old) for p in layer], requests, callers)
    question.effort = effort
    question.verify = lambda r: all_of((_granted_by_all(new, r), negate(_granted_by_all(old, r))))
    after = [parts(layer, question.catalogue) for layer in new]
    levels = [layer[True] for layer in after]
    without = [deny for layer in after for deny in layer[False]]
    found: list[Way] = []
    for layer in old:
        before = parts(layer, question.catalogue)
        found.append(Way(levels, [*without, *before[True]]))
        found.extend(Way([*levels, [deny]], without) for deny in before[False])
    yield from every(question, found)


def _granted_by_all(layers: Sequence[Sequence[Policy]], request: Request) -> bool | Opaque:
    return all_of(granted(layer, request) for layer in layers)


def denies(policies: Sequence[Policy], requests: RequestSet = ALL, callers: Callers | None = None) -> Answer:
    """Say whether a request of the set meets no Deny of these documents, whatever else allows.

    No: every request is denied explicitly, so nothing that other policies allow can make up for it.
    """
    question = _documents(policies, requests, callers)
    question.verify = lambda r: _undenied(policies, r)
    found = parts(policies, question.catalogue)[False]
    return No() if _plainly_denied(question, found) else first(question, [Way([], found)])


def covered(
    requests: RequestSet,
    chain: Sequence[Sequence[Policy]],
    account: str,
    setting: Setting | None = None,
) -> Answer:
    """Say whether a member account's chain of SCPs lets a request of the set pass, whatever else allows.

    No: every request is denied, for every user and role of the account and its root user (service-linked
    roles are beyond SCPs). No level: SCPs are not enabled or do not reach the account, and all pass.
    """
    return next(gaps(requests, chain, account, setting))


def gaps(
    requests: RequestSet,
    chain: Sequence[Sequence[Policy]],
    account: str,
    setting: Setting | None = None,
) -> Iterator[Answer]:
    """Yield a Yes for each group of actions that has a request the chain lets pass; else No or Unknown."""
    setting = setting or Setting(account=account)
    policies = Policies(identity=(EVERYTHING,), resource=EVERYONE, scps=chain)
    documents = [p for level in chain for p in level]
    callers = account_callers(account, setting.partition)
    question = _question(requests, callers, setting, lambda r: _authorized(r, policies), documents)
    levels = [parts(level, question.catalogue) for level in chain]
    without = [part for level in levels for part in level[False]]
    if _plainly_denied(question, without):
        yield No()
        return
    yield from every(question, [Way([level[True] for level in levels], without)])


def _plainly_denied(question: Question, denies: Sequence[Part]) -> bool:
    actions = question.actions()
    return any(denies_all(part, question.requests, actions, question.setting) for part in denies)


def first(question: Question, found: Sequence[Way]) -> Answer:
    """Return the answer to a question: the first witness is enough."""
    return next(every(question, found))


def every(question: Question, found: Sequence[Way]) -> Iterator[Answer]:
    """Yield a Yes for each group of actions that has a witness; Unknown or No where none has.

    Unknown comes last as well where some groups were not looked at.
    """
    search = Search(question)
    none = True
    for witness in search.witnesses(found):
        none = False
        yield Yes(witness)
    if none or "too_large" in search.why:
        yield Unknown(tuple(search.why)) if search.why else No()


def _question(
    requests: RequestSet,
    callers: Callers,
    setting: Setting,
    verify: Verify,
    documents: Iterable[Policy],
) -> Question:
    return Question(requests, callers, extended(documents, requests), verify, setting)


def _documents(policies: Sequence[Policy], requests: RequestSet, callers: Callers | None) -> Question:
    """Return the question about documents alone: who may ask follows from whether they name principals."""
    if callers is None:
        named = any(s.principals is not None for p in policies for s in p.statements)
        callers = any_caller(names=named_callers(policies)) if named else any_entity()
    return _question(requests, callers, Setting(), lambda r: False, policies)


def named_callers(policies: Iterable[Policy]) -> tuple[str, ...]:
    """Return the services, identity providers and sessions that documents name."""
    found: dict[str, None] = {}
    for policy in policies:
        for statement in policy.statements:
            for kind, names in (statement.principals or {}).items():
                for name in names:
                    if name != "*" and (kind in ("Service", "Federated") or ":sts:" in name):
                        found[name] = None
    return tuple(found)


def extended(documents: Iterable[Policy], requests: RequestSet) -> Catalogue:
    """Return the catalogue with the actions that only the documents or the question know."""
    known = catalogue()
    strange = [a for p in documents for s in p.statements for a in strange_actions(s)]
    strange += known.unmatched(requests.actions)
    return _covering(frozenset(strange)) if strange else known


@lru_cache(maxsize=128)
def _covering(strange: frozenset[str]) -> Catalogue:
    return catalogue().covering(sorted(strange))


def _all_of(policies: Policies) -> list[Policy]:
    single = (policies.resource, policies.boundary, policies.endpoint)
    levels = (policies.identity, policies.session or (), *policies.scps, *policies.rcps)
    return [*(p for p in single if p is not None), *(p for level in levels for p in level)]


def granted(policies: Sequence[Policy], request: Request) -> bool | Opaque:
    """Say whether the documents' own statements allow a request and none denies it."""
    layer = read_layer(Layer("identity"), policies, request, [])
    if layer.denied(True) or not layer.allowed(True):
        return False
    if layer.denied(False) or not layer.allowed(False):
        return layer.unknown[0]
    return True


def _undenied(policies: Sequence[Policy], request: Request) -> bool | Opaque:
    """Say whether no statement of the documents denies a request."""
    layer = read_layer(Layer("identity"), policies, request, [])
    if layer.denied(True):
        return False
    return layer.unknown[0] if layer.denied(False) else True


EVERYTHING: Final = read_policy(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}, "identity"
)
EVERYONE: Final = read_policy(
    {
        "Version": "2012-10-17",
        "Statement": {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"},
    },
    "resource",
)
__all__ = [
    "ALL", "WHY", "Answer", "No", "Unknown", "Witness", "Yes", "can", "covered", "denied", "denies", "every", "first",
    "gaps", "granted", "grants", "new_access", "newly_allows", "newly_passes", "one_caller",
]  # fmt: skip
