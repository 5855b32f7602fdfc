"""``trust.admits_token``: whose tokens a role's trust policy admits."""

from __future__ import annotations

from collections.abc import Sequence

from policyengine.iam.reason import Answer as Reasoned
from policyengine.iam.reason import No, Unknown, Yes
from policyengine.iam.sentences import may_call
from policyengine.iam.token_issuers import QUESTIONS
from policyengine.iam.tokens import Provider, admitted, providers, unnamed
from policyengine.model.finding import Evidence
from policyengine.model.logic import TRUE
from policyengine.model.resource import Path
from policyengine.rules.iam.held import Held, remembered
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.asking import allowed, place_of, undecided, unwanted, witness
from policyengine.rules.predicates.iam.circumstances import nowhere
from policyengine.rules.predicates.trust.held import any_role, of_role, trust_of


def admits_token(
    subject: Subject,
    *,
    of: str,
    issuers: Sequence[str],
    trusted: Sequence[str],
    audiences: Sequence[str],
    policy: Path | None,
) -> Answer:
    """TRUE when a token of the kind may assume the role, with its claims."""
    found = trust_of(subject, policy)
    expected = f"a token of {QUESTIONS[of]}" if of not in ("audience", "nothing") else QUESTIONS[of]
    why: dict[str, None] = {}
    for provider in _asked(found, issuers):
        answer = _admitted(found, provider, of, tuple(trusted), tuple(audiences))
        if isinstance(answer, Yes):
            place = place_of(found, of_role(found, answer.witness))
            said = _said(found, provider, answer)
            evidence = Evidence(place, said, unwanted(expected), "request_allowed")
            return Answer(TRUE, (evidence,), witness(of_role(found, answer.witness)))
        why.update(dict.fromkeys(answer.why if isinstance(answer, Unknown) else ()))
    why.update(dict.fromkeys(unnamed(found.policies, issuers)))
    return undecided(found, tuple(why), unwanted(expected)) if why else allowed(found, No(), expected)


def _asked(found: Held, issuers: Sequence[str]) -> list[Provider]:
    named = remembered(
        ("providers", found.account), found.policies, lambda: providers(found.policies, found.account)
    )
    return [provider for provider in named if not issuers or provider.issuer.id in issuers]


def _admitted(
    found: Held, provider: Provider, of: str, trusted: tuple[str, ...], audiences: tuple[str, ...]
) -> Reasoned:
    """Return the answer about roles with this trust policy, which says nothing of the role itself."""
    role = any_role(found)
    return remembered(
        ("token", provider.principal, of, trusted, audiences, role),
        found.policies,
        lambda: admitted(
            found.policies,
            provider,
            of,
            role,
            trusted=trusted,
            audiences=audiences,
            context=nowhere(found.policies) if of == "stranger" else {},
        ),
    )


def _said(found: Held, provider: Provider, answer: Yes) -> str:
    """Return the token as a message names it: by its claims, without what they begin with."""
    prefix = f"{provider.shown}:"
    pairs = [
        f"{k.removeprefix(prefix)} = {v if isinstance(v, str) else ', '.join(v)}"
        for k, v in answer.witness.context.items()
    ]
    if not pairs:
        return (
            f"any token of {provider.issuer.name}"
            if provider.issuer.kind != "service"
            else may_call(of_role(found, answer.witness))
        )
    return f"{provider.issuer.name} with {'; '.join(pairs)}"
