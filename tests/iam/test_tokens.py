"""Laws of questions about tokens: held against tokens that are made up and decided one by one."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam import tokens
from policyengine.iam.deputies import DEPUTIES
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.glob import has_wildcard
from policyengine.iam.reason import No, Unknown, Yes, granted
from policyengine.iam.request import Request
from policyengine.iam.token_forms import spelled_out
from policyengine.iam.token_issuers import ISSUERS, QUESTIONS
from policyengine.iam.tokens import ACTIONS, admitted, provider_of, providers

HOST = "token.actions.githubusercontent.com"
HUB = f"arn:aws:iam::111122223333:oidc-provider/{HOST}"
ROLE = "arn:aws:iam::111122223333:role/ci"

_OWNERS = ("acme", "acme-evil", "evil")
_REPOSITORIES = ("app", "infra")
_CONTEXTS = (
    "ref:refs/heads/main", "ref:refs/heads/evil", "ref:refs/tags/v1", "environment:prod", "pull_request",
)  # fmt: skip
_OPERATORS = st.sampled_from(
    [
        "StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringLikeIfExists",
        "ForAllValues:StringLike", "ForAnyValue:StringEquals", "stringlike",
    ]
)  # fmt: skip
_SUBJECTS = st.sampled_from(
    [
        "repo:acme/app:ref:refs/heads/main", "repo:acme/app:*", "repo:acme/*", "repo:acme*/app:*", "repo:*", "*",
        "repo:*/app:ref:refs/heads/*", "*:environment:prod", "repo:acme/app:pull_request", "repo:ac?e/*",
        "repo:acme/app:ref:refs/heads/?ain", "repo:acme-evil/app:*",
    ]
)  # fmt: skip
_NAMES = st.sampled_from(["acme/app", "acme/*", "*/app", "evil/infra"])
_CONDITION = st.one_of(
    st.tuples(_OPERATORS, st.just("sub"), st.lists(_SUBJECTS, min_size=1, max_size=2)),
    st.tuples(_OPERATORS, st.just("repository"), st.lists(_NAMES, min_size=1, max_size=2)),
    st.tuples(st.just("StringEquals"), st.just("aud"), st.just(["sts.amazonaws.com"])),
)
_STATEMENT = st.tuples(st.sampled_from(["Allow", "Allow", "Deny"]), st.lists(_CONDITION, max_size=2))


def _policy(statements: list[Any]) -> Policy:
    made = []
    for effect, conditions in statements:
        statement: dict[str, Any] = {
            "Effect": effect,
            "Principal": {"Federated": HUB},
            "Action": "sts:AssumeRoleWithWebIdentity",
        }
        for operator, claim, values in conditions:
            block = statement.setdefault("Condition", {}).setdefault(operator, {})
            block[f"{HOST}:{claim}"] = values
        made.append(statement)
    return read_policy({"Version": "2012-10-17", "Statement": made}, "trust")


def _tokens() -> list[Request]:
    found = []
    for owner, name, rest in itertools.product(_OWNERS, _REPOSITORIES, _CONTEXTS):
        claims = {
            "sub": f"repo:{owner}/{name}:{rest}",
            "aud": "sts.amazonaws.com",
            "repository": f"{owner}/{name}",
        }
        context = {f"{HOST}:{claim}": value for claim, value in claims.items()}
        found.append(Request(HUB, ACTIONS["oidc"], ROLE, context))
    return found


_TOKENS = _tokens()


def _claim(request: Request, claim: str) -> str:
    values = request.values(f"{HOST}:{claim}")
    assert isinstance(values, tuple)
    return values[0]


@settings(max_examples=300, deadline=None)
@given(st.lists(_STATEMENT, min_size=1, max_size=3))
def test_no_stranger_gets_in_where_the_answer_is_no(statements: list[Any]) -> None:
    policy = _policy(statements)
    (provider,) = providers([policy], "111122223333") or [provider_of(HUB)]
    assert provider is not None
    answer = admitted([policy], provider, "stranger", ROLE, trusted=["acme"])
    outside = [t for t in _TOKENS if not _claim(t, "repository").startswith("acme/")]
    through = [t for t in outside if granted([policy], t) is True]
    assert not (isinstance(answer, No) and through), through[:1]
    if isinstance(answer, Yes):
        assert granted([policy], answer.witness.request()) is True
        assert not str(answer.witness.context[f"{HOST}:sub"]).startswith("repo:acme/")


@settings(max_examples=200, deadline=None)
@given(st.lists(_STATEMENT, min_size=1, max_size=2))
def test_a_token_of_a_branch_is_one_that_the_policy_grants(statements: list[Any]) -> None:
    policy = _policy(statements)
    provider = provider_of(HUB)
    assert provider is not None
    answer = admitted([policy], provider, "branch", ROLE)
    named = {v for s in policy.statements for c in s.conditions for v in c.values}
    evil = [t for t in _TOKENS if _claim(t, "sub").endswith("heads/evil") and _claim(t, "sub") not in named]
    assert not (isinstance(answer, No) and any(granted([policy], t) is True for t in evil))
    if isinstance(answer, Yes):
        assert granted([policy], answer.witness.request()) is True


@settings(max_examples=200, deadline=None)
@given(
    st.lists(_STATEMENT, min_size=1, max_size=2),
    st.sampled_from(["stranger", "project", "branch", "audience", "nothing"]),
)
def test_what_needs_no_search_is_what_the_search_finds(statements: list[Any], question: str) -> None:
    policy = _policy(statements)
    provider = provider_of(HUB)
    assert provider is not None
    quick = admitted([policy], provider, question, ROLE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "all_fail", lambda *_: False)
        slow = admitted([policy], provider, question, ROLE)
    assert type(quick) is type(slow) or (isinstance(quick, No) and isinstance(slow, Unknown))


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        ("repo:{who}/{name}:{rest}", "repo:acme/app:ref:x", "repo:acme/*"),
        ("repo:{who}/{name}:{rest}", "repo:acme*/app:*", "repo:acme/*"),
        ("repo:{who}/{name}:{rest}", "repo:*/app:*", None),
        ("repo:{who}/{name}:{rest}", "repo:acme", None),
        ("repo:{who}/{name}:{rest}", "repo:${aws:PrincipalTag/o}/x:y", None),
        ("repo:{owner}/{who}:{rest}", "repo:acme/app:*", "repo:acme/app:*"),
        ("repo:{owner}/{who}:{rest}", "repo:acme/*", None),
        (
            "repo:{owner}/{repository}:ref:refs/heads/{like}",
            "repo:a/b:ref:refs/heads/rel/*",
            "repo:a/b:ref:refs/heads/rel/*",
        ),
        ("repo:{owner}/{repository}:ref:refs/heads/{like}", "repo:a/b:ref:refs/heads/*", None),
        ("repo:{owner}/{repository}:pull_request", "repo:a/b:pull_request", "repo:a/b:pull_request"),
        ("repo:{owner}/{repository}:pull_request", "repo:a/b:*", None),
        ("{who}", "x", "x"),
        ("{who}", "", None),
        ("unauthenticated", "unauthenticated", None),
    ],
)
def test_what_a_value_spells_out(form: str, value: str, expected: str | None) -> None:
    assert spelled_out(form, value) == expected


@pytest.mark.parametrize(
    ("principal", "issuer"),
    [
        (HUB, "github"),
        (f"{HUB}/acme", "github"),
        ("arn:aws:iam::111122223333:oidc-provider/gitlab.com", "gitlab"),
        ("arn:aws:iam::111122223333:oidc-provider/gitlab.example.com", "private"),
        ("arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/ABC", "eks"),
        ("arn:aws:iam::111122223333:oidc-provider/oidc.circleci.com/org/1", "circleci"),
        ("arn:aws:iam::111122223333:saml-provider/x", "saml"),
        ("cognito-identity.amazonaws.com", "cognito"),
        ("rolesanywhere.amazonaws.com", "rolesanywhere"),
        ("ec2.amazonaws.com", None),
        ("arn:aws:iam::111122223333:role/x", None),
        ("*", None),
    ],
)
def test_who_issues_tokens(principal: str, issuer: str | None) -> None:
    found = provider_of(principal)
    assert (None if found is None else found.issuer.id) == issuer


def test_an_enterprise_of_its_own_issuer_has_no_strangers() -> None:
    policy = read_policy(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Federated": f"{HUB}/acme"},
                    "Action": "sts:AssumeRoleWithWebIdentity",
                }
            ],
        },
        "trust",
    )
    (provider,) = providers([policy], "111122223333")
    assert isinstance(admitted([policy], provider, "stranger", ROLE), No)
    assert isinstance(admitted([policy], provider, "project", ROLE), Yes)


def test_the_table_of_issuers_is_sound() -> None:
    for issuer in ISSUERS:
        assert issuer.page.startswith("https://"), issuer.id
        assert set(issuer.asks) <= set(QUESTIONS), issuer.id
        for ways in issuer.asks.values():
            for way in ways:
                assert way.claims
                assert bool(way.why) == bool(way.doubted)
                assert not any(has_wildcard(form) for forms in way.claims.values() for form in forms)


def test_every_deputy_has_its_page() -> None:
    assert DEPUTIES
    for service, page in DEPUTIES.items():
        assert service.endswith(".amazonaws.com")
        assert page.startswith("https://docs.aws.amazon.com/")
