"""Whose tokens a trust policy admits: questions over all tokens of an issuer, decided by its claims together.

A question is about claims whose value is nobody's that the policy spells out (``{who}`` of
:mod:`token_issuers`). Everything else of a token is free. A token is only said to be admitted where its
claims fit together, as far as places of their forms have the same name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

from policyengine.iam.catalogue import catalogue
from policyengine.iam.conditions import read_operator
from policyengine.iam.documents import Condition, Policy, Statement
from policyengine.iam.domains import Callers
from policyengine.iam.glob import compile_glob, has_wildcard
from policyengine.iam.reason import Answer, No, Unknown, Witness, Yes, granted, grants
from policyengine.iam.request import WEB_IDENTITY
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.token_forms import glob_of, spelled_out, variables
from policyengine.iam.token_issuers import ISSUERS, SIGN_IN, Issuer, Tokens
from policyengine.iam.token_shortcut import all_fail, fails_by_audience, fails_by_name, positive
from policyengine.iam.token_witness import fitting
from policyengine.iam.ways import action_bits

ACTIONS: Final = {
    "oidc": "sts:AssumeRoleWithWebIdentity",
    "saml": "sts:AssumeRoleWithSAML",
    "service": "sts:AssumeRole",
}
AUDIENCE: Final = "sts.amazonaws.com"
"""What a token is made for where nothing says otherwise."""
_NOBODY: Final = frozenset(
    {"aws:principalorgid", "aws:principalorgpaths", "aws:sourceaccount", "aws:sourceorgid"}
)
"""Keys that requests with a web identity do not carry: the caller is no principal of an account."""


@dataclass(frozen=True, slots=True)
class Provider:
    """A principal of a policy that issues tokens. ``prefix`` is what its condition keys begin with."""

    principal: str
    issuer: Issuer
    prefix: str
    shown: str
    """The prefix as the policy spells it."""

    def key(self, claim: str) -> str:
        """Return the condition key of a claim."""
        return claim if ":" in claim else f"{self.prefix}:{claim}"


def providers(policies: Sequence[Policy], account: str) -> tuple[Provider, ...]:
    """Return the issuers that a trust policy lets in, made up where it lets in any that its keys are about."""
    found: dict[str, Provider] = {}
    anybody = False
    for statement in _allowing(policies):
        names = statement.principals or {}
        federated = names.get("Federated", ())
        anybody |= statement.not_principal or "*" in names or "*" in (*federated, *names.get("AWS", ()))
        for name in (*federated, *names.get("Service", ())):
            if name != "*" and not statement.not_principal:
                provider = provider_of(name)
                if provider is not None:
                    found[name] = provider
    if anybody:
        for name in (*sorted(WEB_IDENTITY), *(_arn(path, account) for path in _paths(policies))):
            provider = provider_of(name)
            if provider is not None:
                found.setdefault(name, provider)
    return tuple(found.values())


def unnamed(policies: Sequence[Policy], issuers: Collection[str] = ()) -> tuple[str, ...]:
    """Return why a trust policy may let in issuers besides :func:`providers`: whom a statement names is not
    known. ``issuers``: the ids that are meant; without, all.
    A statement that needs a claim of one issuer lets no other in, and that one is found.
    """
    meant = {i.kind for i in ISSUERS if not issuers or i.id in issuers}
    why: dict[str, None] = {}
    for s in _allowing(policies):
        if s.opaque is None or any(positive(c) and _is_claim(c.key.lower()) for c in s.conditions):
            continue
        wanted = catalogue().matching_any(tuple(ACTIONS[kind] for kind in _open_to(s) & meant))
        if action_bits(s, catalogue()) & wanted:
            why[s.opaque.reason] = None
    return tuple(why)


def _open_to(statement: Statement) -> Set[str]:
    """Return the kinds of issuers that a statement may let in without their name."""
    names = statement.principals or {}
    if statement.not_principal or "*" in names:
        return ACTIONS.keys()
    found = {"service"} if "*" in names.get("Service", ()) else set()
    return found | {"oidc", "saml"} if "*" in (*names.get("Federated", ()), *names.get("AWS", ())) else found


def _allowing(policies: Iterable[Policy]) -> Iterator[Statement]:
    return (s for p in policies for s in p.statements if s.allow)


def _is_claim(key: str) -> bool:
    """Whether a key is a claim of a token: it begins with the address of who issues it."""
    return "." in key.rpartition(":")[0] and not key.startswith(("aws:", "sts:", "saml:"))


def _arn(path: str, account: str) -> str:
    return path if path in WEB_IDENTITY else f"arn:aws:iam::{account}:oidc-provider/{path}"


def _paths(policies: Sequence[Policy]) -> list[str]:
    """Return the providers that condition keys are about."""
    found: dict[str, None] = {}
    for policy in policies:
        for statement in policy.statements:
            for condition in statement.conditions:
                if _is_claim(condition.key.lower()):
                    found[condition.key.lower().rpartition(":")[0]] = None
    return list(found)


@lru_cache(maxsize=4096)
def provider_of(principal: str) -> Provider | None:
    """Return the issuer a principal stands for; None for a service that issues nothing of the kind."""
    if principal.startswith("arn:"):
        kind, _, path = principal.split(":", 5)[-1].partition("/")
        if kind == "saml-provider":
            return Provider(principal, _by_id("saml"), "saml", "saml")
        if kind != "oidc-provider":
            return None
        return Provider(principal, _issuer(path.lower()), path.lower(), path)
    if principal in WEB_IDENTITY:
        return Provider(principal, _issuer(principal), principal, principal)
    issuer = _issuer(principal)
    return Provider(principal, issuer, principal, principal) if issuer.kind == "service" else None


def _issuer(path: str) -> Issuer:
    return next(i for i in ISSUERS if any(compile_glob(host)(path) for host in i.hosts))


def _by_id(name: str) -> Issuer:
    return next(i for i in ISSUERS if i.id == name)


def claims_of(policies: Sequence[Policy], principal: str) -> dict[str, Values]:
    """Return the values of the claims that conditions are about in requests of a principal: any of its own
    tokens, none of others'."""
    provider = provider_of(principal)
    prefix = f"{provider.prefix}:" if provider is not None else "\0"
    keys = {c.key.lower() for p in policies for s in p.statements for c in s.conditions}
    return {k: Values(("?*",) if k.startswith(prefix) else (), False, True) for k in keys if _is_claim(k)}


def _whence(key: str) -> str:
    return f"it is not known who sets `{key}`"


# -- what is asked --------------------------------------------------------------------------------------


def admitted(
    policies: Sequence[Policy],
    provider: Provider,
    question: str,
    role: str,
    *,
    trusted: Collection[str] = (),
    audiences: Sequence[str] = (),
    context: Mapping[str, Values] | None = None,
) -> Answer:
    """Say whether a token of the question's kind may assume the role, with such a token.

    ``trusted``: who counts as named instead of those whom the policy spells out; ``audiences``: those that
    stand for AWS, instead of those it names; ``context``: circumstances besides the token.
    """
    asked = _Asked(_spelled_alike(policies, provider), provider, role, tuple(trusted), context or {})
    if question == "audience":
        return asked.audience(audiences)
    if question == "nothing":
        return asked.nothing()
    why: dict[str, None] = {}
    for tokens in provider.issuer.asks.get(question, ()):
        answer = asked.tokens(tokens)
        if isinstance(answer, Yes):
            return answer
        why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
    return Unknown(tuple(why)) if why else No()


def _spelled_alike(policies: Sequence[Policy], provider: Provider) -> list[Policy]:
    """Return the policies with claims compared as no token can tell apart: a name in other letters is the same
    owner's, and none has a star in it."""
    found = []
    for policy in policies:
        statements = []
        for statement in policy.statements:
            conditions = tuple(_exactly(c, provider) for c in statement.conditions)
            same = all(a is b for a, b in zip(conditions, statement.conditions, strict=True))
            statements.append(statement if same else replace(statement, conditions=conditions, compiled=[]))
        found.append(replace(policy, statements=tuple(statements)))
    return found


def _exactly(condition: Condition, provider: Provider) -> Condition:
    operator = read_operator(condition.operator)
    if operator is None or not condition.key.lower().startswith(f"{provider.prefix}:"):
        return condition
    whole = operator.base.startswith("String") and "Equals" in operator.base
    if whole and any(map(has_wildcard, condition.values)):
        values = tuple("\0" if has_wildcard(v) else v for v in condition.values)
        condition = replace(condition, values=values)
    if "IgnoreCase" not in operator.base:
        return condition
    return replace(condition, operator=re.sub("ignorecase", "", condition.operator, flags=re.IGNORECASE))


@dataclass(frozen=True, slots=True)
class _Asked:
    """Questions about tokens of one provider."""

    policies: list[Policy]
    provider: Provider
    role: str
    trusted: tuple[str, ...]
    context: Mapping[str, Values]

    def _shut(self, fails: Callable[[Condition], bool]) -> bool:
        return all_fail(self.policies, self.provider.principal, fails)

    def audience(self, audiences: Sequence[str]) -> Answer:
        if self.provider.issuer.kind == "saml":
            wanted = tuple(audiences) or SIGN_IN
            if self._shut(lambda c: fails_by_audience(c, "saml:aud", wanted)):
                return No()
            return self._grants({"saml:aud": Values(wanted, True)})
        others = self._others(self._keys())
        key = self.provider.key("oaud" if self.provider.issuer.id == "google" else "aud")
        if self.provider.issuer.kind == "service":
            return No()
        if self._shut(lambda c: fails_by_audience(c, key, audiences)):
            return No()
        named = tuple(v for v in self._values().get(key, ()) if v.strip("*?"))
        return self._grants({**others, key: Values(tuple(audiences) or named, True)})

    def nothing(self) -> Answer:
        """Ask about a token that carries none of the claims the conditions are about but its audience."""
        prefix = f"{self.provider.prefix}:"
        keys = [k for k in self._keys() if k.startswith(prefix)]
        kept = (self.provider.key("aud"), self.provider.key("oaud"))
        if self._shut(lambda c: positive(c) and c.key.lower() in keys and c.key.lower() not in kept):
            return No()
        context = {k: Values((), False, True) for k in keys if k not in kept}
        return self._grants({**self._others(self._keys()), **context}) if context else No()

    def tokens(self, tokens: Tokens) -> Answer:
        """Ask about tokens that look so: first what is sure of them, then what may be."""
        keys = self._keys()
        forms = {
            key: (*several, *tokens.doubted.get(claim, ()))
            for claim, several in tokens.claims.items()
            for key in self._named_by(claim, keys)
        }
        never = {self.provider.key(claim) for claim in tokens.without}

        def fails(condition: Condition) -> bool:
            lacking = condition.key.lower() in never and positive(condition)
            return lacking or (not self.trusted and fails_by_name(condition, forms, spelled_out))

        if self._shut(fails):
            return No()
        filling = dict.fromkeys(variables(self.policies, f"{self.provider.prefix}:"))
        strange = [*(k for k in keys if not self._known(k, tokens)), *filling]
        sure = self._context(tokens, {}, keys)
        sure.update({k: Values((), False, True) for k in strange})
        answer = self._consistent(self._grants(sure), tokens)
        if isinstance(answer, Unknown) and strange:
            return Unknown((*(_whence(k) for k in strange), *answer.why))
        if not isinstance(answer, No) or not (strange or tokens.doubted):
            return answer
        perhaps = self._context(tokens, tokens.doubted, keys)
        if isinstance(self._grants(perhaps), No):
            return No()
        reasons = [_whence(k) for k in strange] or [tokens.why]
        return Unknown(tuple(reasons))

    def _keys(self) -> list[str]:
        return list(
            dict.fromkeys(c.key.lower() for p in self.policies for s in p.statements for c in s.conditions)
        )

    def _known(self, key: str, tokens: Tokens) -> bool:
        """Whether it is known who sets a key; those that are about no token are circumstances."""
        prefix = f"{self.provider.prefix}:"
        if not key.startswith(prefix):
            return True
        issuer, claim = self.provider.issuer, key.removeprefix(prefix)
        asked = {c for ways in issuer.asks.values() for way in ways for c in way.claims}
        return claim in issuer.claims or claim in tokens.without or claim in asked

    def _context(
        self, tokens: Tokens, doubted: Mapping[str, tuple[str, ...]], keys: Collection[str]
    ) -> dict[str, Values]:
        """Return the values of claims: of the subject always, of the others where a condition asks for them."""
        found: dict[str, Values] = {}
        for claim, forms in tokens.claims.items():
            forms = (*forms, *doubted.get(claim, ()))
            for key in self._named_by(claim, keys):
                heads = tuple(d.split("{")[0] for d in doubted.get(claim, ()))
                sure = [f for f in forms if not heads or not f.startswith(heads)]
                but = (*self._spelled(key, sure), *tokens.never.get(claim, ()))
                found[key] = Values(tuple(map(glob_of, forms)), False, self._optional(claim), but)
        found.update({k: v for k, v in self._others(keys).items() if k not in found})
        for claim in tokens.without:
            found[self.provider.key(claim)] = Values((), False, True)
        if self.provider.issuer.kind == "oidc":
            found.setdefault(self.provider.key("aud"), Values((AUDIENCE,)))
        return found

    def _others(self, keys: Iterable[str]) -> dict[str, Values]:
        """Return the values of claims that nothing is asked about: any, and none of another provider's."""
        prefix = f"{self.provider.prefix}:"
        found = {
            k: Values(("?*",), False, self._optional(k[len(prefix) :])) for k in keys if k.startswith(prefix)
        }
        found.update({k: Values((), False, True) for k in keys if k not in found and _is_claim(k)})
        return found

    def _named_by(self, claim: str, keys: Collection[str]) -> list[str]:
        if claim.endswith("*"):
            return [k for k in keys if k.startswith(claim[:-1])]
        key = self.provider.key(claim)
        return [key] if key in keys or claim in ("sub", "aud") else []

    def _optional(self, claim: str) -> bool:
        """Whether a token may lack a claim: the standard's and a repository's are always there."""
        return claim not in (
            "sub",
            "aud",
            "amr",
            "repository",
            "repository_id",
            "job_workflow_ref",
            "ref",
            "app_id",
        )

    def _spelled(self, key: str, forms: Sequence[str]) -> Iterator[str]:
        """Yield patterns of the values whose ``{who}`` somebody named has."""
        if self.trusted:
            yield from (
                glob_of(f.replace("{who}", name)) for f in forms if "{who}" in f for name in self.trusted
            )
            return
        for policy in self.policies:
            for statement in policy.statements:
                for condition in statement.conditions:
                    if condition.key.lower() == key:
                        for value in condition.values:
                            yield from (p for f in forms if (p := spelled_out(f, value)) is not None)

    def _grants(self, context: Mapping[str, Values]) -> Answer:
        kind = self.provider.issuer.kind
        outside = {} if kind == "service" else {k: Values((), False, True) for k in _NOBODY}
        asked = {**outside, **self.context, **context}
        spelled = {k: k.replace(self.provider.prefix, self.provider.shown, 1) for k in asked}
        requests = RequestSet((ACTIONS[kind],), (self.role,), context=asked, spelled=spelled)
        callers = Callers((), (self.provider.principal,))
        return grants(self.policies, requests, callers)

    def _consistent(self, answer: Answer, tokens: Tokens) -> Answer:
        """Return the answer with a token that can be: places of the same name have the same text."""
        if not isinstance(answer, Yes):
            return answer
        keys = self._keys()
        context = self._context(tokens, {}, keys)
        forms = {k: f for c, f in tokens.claims.items() for k in self._named_by(c, keys)}

        def valid(token: Witness) -> bool:
            request = token.request()
            held = all(v.hold(request.values(k)) for k, v in context.items())
            return held and granted(self.policies, request) is True

        token = fitting(answer.witness, forms, self._values(), valid)
        return Unknown(("only by claims that no single token has together",)) if token is None else Yes(token)

    def _values(self) -> dict[str, tuple[str, ...]]:
        """Return key → the values that conditions name."""
        found: dict[str, tuple[str, ...]] = {}
        for policy in self.policies:
            for condition in (c for s in policy.statements for c in s.conditions):
                key = condition.key.lower()
                found[key] = (*found.get(key, ()), *condition.values)
        return found
