"""Laws that hold for every policy and request, tried on random ones."""

from __future__ import annotations

import copy
import json
from typing import Any
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from policyengine.iam.documents import read_policy
from policyengine.iam.glob import compile_glob, compile_pieces
from policyengine.iam.opaque import Opaque
from policyengine.iam.request import Request
from policyengine.iam.scenarios import Decider
from policyengine.iam.statements import compiled
from tests.iam.scenario import CALLERS

ACTIONS = ["s3:GetObject", "s3:PutObject", "sqs:SendMessage", "kms:Decrypt"]
RESOURCES = [
    "arn:aws:s3:::b/k",
    "arn:aws:sqs:eu-west-1:123456789012:q",
    "arn:aws:kms:eu-west-1:123456789012:key/1",
]
CALLER_NAMES = ["alice", "session", "fed", "root", "stranger", "service", "anyone", "slr"]
ORDER = ["ExplicitlyDenied", "ImplicitlyDenied", "Allowed"]

actions = st.sampled_from([*ACTIONS, "*", "s3:*", "s3:Get*", "*:*", "kms:D?crypt"])
resources = st.sampled_from(
    [*RESOURCES, "*", "arn:aws:s3:::*", "arn:aws:sqs:*:*:q", "arn:aws:s3:::b/${aws:PrincipalTag/t}"]
)
principals = st.sampled_from(
    ["*", {"AWS": "*"}, {"AWS": "123456789012"}]
    + [{"AWS": CALLERS[n]} for n in ("alice", "app", "session", "fed", "stranger")]
    + [{"Service": CALLERS["service"]}]
)
UNDECIDED = {"StringMatches": {"aws:k": "a"}}
conditions = st.sampled_from(
    [
        {}, {}, {}, UNDECIDED, {"StringEquals": {"aws:k": "a"}}, {"StringNotLike": {"aws:k": ["b*", "c"]}},
        {"Null": {"aws:k": "true"}}, {"BoolIfExists": {"aws:b": "true"}}, {"ForAnyValue:StringLike": {"aws:m": ["a*"]}},
        {"ForAllValues:StringNotEquals": {"aws:m": ["a"]}}, {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"StringEquals": {"aws:m": ["a"]}},
    ]
)  # fmt: skip
contexts = st.fixed_dictionaries(
    {},
    optional={
        "aws:k": st.sampled_from(["a", "b", "bc"]),
        "aws:b": st.sampled_from(["true", "false"]),
        "aws:m": st.lists(st.sampled_from(["a", "ab", "c"]), max_size=2),
        "aws:SourceIp": st.sampled_from(["10.1.1.1", "11.1.1.1"]),
        "aws:PrincipalTag/t": st.sampled_from(["k", "j"]),
    },
)


@st.composite
def statements(draw: st.DrawFn, principal: bool = False, effect: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": effect or draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
    found[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(
        st.lists(actions, min_size=1, max_size=2)
    )
    found[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(
        st.lists(resources, min_size=1, max_size=2)
    )
    if principal:
        found[draw(st.sampled_from(["Principal", "Principal", "NotPrincipal"]))] = draw(principals)
    found["Condition"] = draw(conditions)
    return found


def documents(principal: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    listed = st.lists(statements(principal), min_size=1, max_size=3)
    return st.builds(lambda s: {"Version": "2012-10-17", "Statement": s}, listed)


scenarios = st.fixed_dictionaries(
    {
        "id": st.just(1),
        "request": st.fixed_dictionaries(
            {
                "principal": st.sampled_from(CALLER_NAMES).map(CALLERS.__getitem__),
                "action": st.sampled_from(ACTIONS),
                "resource": st.sampled_from(RESOURCES),
                "resource_account": st.just("123456789012"),
                "context": contexts,
            }
        ),
        "identity_policies": st.lists(documents(), max_size=2),
    },
    optional={
        "permissions_boundary": documents(),
        "session_policies": st.lists(documents(), min_size=1, max_size=2),
        "scps": st.lists(st.lists(documents(), min_size=1, max_size=2), max_size=2),
        "resource_policy": documents(principal=True),
        "endpoint_policy": documents(principal=True),
    },
)


def decide(scenario: dict[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = json.loads(Decider().answer(json.dumps(scenario)))
    return result


def places(scenario: dict[str, Any]) -> list[tuple[dict[str, Any], bool]]:
    """Return every document of a scenario, and whether its statements have principals."""
    found = [(d, False) for d in scenario["identity_policies"]]
    found += [(d, False) for level in scenario.get("scps", []) for d in level]
    found += [(d, False) for d in scenario.get("session_policies", [])]
    found += [
        (scenario[k], k != "permissions_boundary")
        for k in ("permissions_boundary", "resource_policy", "endpoint_policy")
        if k in scenario
    ]
    return found


def with_one_more(scenario: dict[str, Any], effect: str, data: st.DataObject) -> dict[str, Any] | None:
    more = copy.deepcopy(scenario)
    if not places(more):
        return None
    document, principal = data.draw(st.sampled_from(places(more)))
    at = data.draw(st.integers(0, len(document["Statement"])))
    document["Statement"].insert(at, data.draw(statements(principal, effect)))
    return more


@given(scenarios, st.data())
def test_one_more_deny_never_allows_more(scenario: dict[str, Any], data: st.DataObject) -> None:
    more = with_one_more(scenario, "Deny", data)
    if more is not None:
        assert ORDER.index(decide(more)["decision"]) <= ORDER.index(decide(scenario)["decision"])


@given(scenarios, st.data())
def test_one_more_allow_never_denies_more(scenario: dict[str, Any], data: st.DataObject) -> None:
    more = with_one_more(scenario, "Allow", data)
    if more is not None:
        assert ORDER.index(decide(more)["decision"]) >= ORDER.index(decide(scenario)["decision"])


def spelled(value: Any, data: st.DataObject, depth: int = 0) -> Any:
    """Write a document another way: one for a list of one, a list for one, other case, other order."""
    if isinstance(value, dict):
        items = data.draw(st.permutations(list(value.items()))) if value else []
        upper = depth in (0, 1) and data.draw(st.booleans())
        return {(k.upper() if upper else k): _value(k, v, data, depth) for k, v in items}
    return value


def _value(key: str, value: Any, data: st.DataObject, depth: int) -> Any:
    if key == "Statement":
        found = [spelled(s, data, 1) for s in value]
        return found[0] if len(found) == 1 and data.draw(st.booleans()) else found
    if key in ("Action", "NotAction"):
        found = [a.lower() if data.draw(st.booleans()) else a.upper() for a in value]
        return found[0] if len(found) == 1 and data.draw(st.booleans()) else found
    if key in ("Resource", "NotResource"):
        return value[0] if len(value) == 1 and data.draw(st.booleans()) else value[::-1]
    if key == "Condition":
        return {
            op.upper() if data.draw(st.booleans()) else op: {
                k.upper(): [v] if isinstance(v, str) else v for k, v in keys.items()
            }
            for op, keys in value.items()
        }
    if key in ("Principal", "NotPrincipal") and isinstance(value, dict):
        return {k.lower(): [v] for k, v in value.items()}
    return value


@given(
    documents(principal=True),
    st.sampled_from(CALLER_NAMES),
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    contexts,
    st.data(),
)
def test_every_spelling_means_the_same(
    document: dict[str, Any],
    caller: str,
    action: str,
    resource: str,
    context: dict[str, Any],
    data: st.DataObject,
) -> None:
    request = Request(CALLERS[caller], action, resource, context, "123456789012")
    other: Any = spelled(document, data)
    form = data.draw(st.sampled_from(["object", "text", "url"]))
    if form != "object":
        other = json.dumps(other)
        other = quote(other) if form == "url" else other
    one, two = read_policy(document, "resource"), read_policy(other, "resource")
    verdicts = [[compiled(s).verdict(request) for s in p.statements] for p in (one, two)]
    shown = [[v if isinstance(v, str | None) else "may apply" for v in verdict] for verdict in verdicts]
    assert shown[0] == shown[1]


@given(
    statements(principal=True),
    st.sampled_from(CALLER_NAMES),
    st.sampled_from(ACTIONS),
    st.sampled_from(RESOURCES),
    contexts,
)
def test_not_elements_are_complements(
    statement: dict[str, Any], caller: str, action: str, resource: str, context: dict[str, Any]
) -> None:
    """Where the rest of a statement applies, exactly one of an element and its Not applies, or both may."""
    request = Request(CALLERS[caller], action, resource, context, "123456789012")
    for element in ("Action", "Resource", "Principal"):
        base = {"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}
        base.pop(element)
        value = statement.get(element, statement.get(f"Not{element}"))
        verdicts = [
            compiled(read_policy({"Statement": {**base, name: value}}, "resource").statements[0]).verdict(
                request
            )
            for name in (element, f"Not{element}")
        ]
        if any(isinstance(v, Opaque) for v in verdicts):
            assert all(isinstance(v, Opaque) for v in verdicts), (element, verdicts)
        else:
            assert [v is None for v in verdicts].count(True) == 1, (element, verdicts)


NEGATED = [
    ("StringEquals", "StringNotEquals"), ("StringLike", "StringNotLike"), ("ArnLike", "ArnNotLike"),
    ("StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase"), ("NumericEquals", "NumericNotEquals"),
    ("DateEquals", "DateNotEquals"), ("IpAddress", "NotIpAddress"), ("ArnEquals", "ArnNotEquals"),
]  # fmt: skip
scalars = st.one_of(
    st.sampled_from(["a", "A", "a*", "?", "*", "", "10", "10.0", "2026-01-01", "10.0.0.0/8", "10.1.1.1", "2001:db8::1",
                     "arn:aws:iam::123456789012:role/a", "arn:aws:iam::*:role/*", "arn:aws:s3:::b", "true"]),
    st.text(max_size=6),
)  # fmt: skip


@given(st.sampled_from(NEGATED), st.lists(scalars, min_size=1, max_size=3), st.none() | scalars)
def test_negated_operators_are_complements(
    names: tuple[str, str], values: list[str], found: str | None
) -> None:
    context = {} if found is None else {"aws:k": found}
    request = Request(CALLERS["alice"], "s3:GetObject", "arn:aws:s3:::b/k", context)
    verdicts = [
        compiled(
            read_policy(
                {
                    "Statement": {
                        "Effect": "Allow",
                        "Action": "*",
                        "Resource": "*",
                        "Condition": {n: {"aws:k": values}},
                    }
                },
                "identity",
            ).statements[0]
        ).verdict(request)
        for n in names
    ]
    may = [not isinstance(v, str | None) for v in verdicts]
    assert may[0] == may[1]
    if not may[0]:
        assert [v is None for v in verdicts].count(True) == 1


def reference(pattern: str, text: str) -> bool:
    """Match by the definition: every prefix of the pattern against every prefix of the text."""
    row = [True] + [False] * len(text)
    for character in pattern:
        new = [row[0] and character == "*"]
        for at, found in enumerate(text):
            if character == "*":
                new.append(new[at] or row[at + 1])
            else:
                new.append(row[at] and character in ("?", found))
        row = new
    return row[-1]


@given(st.text(alphabet="ab:/*?", max_size=14), st.text(alphabet="ab:/", max_size=14))
def test_the_matcher_agrees_with_the_definition(pattern: str, text: str) -> None:
    assert compile_glob(pattern)(text) == reference(pattern, text)
    assert compile_pieces([(pattern, False)])(text) == reference(pattern, text)
    cut = len(pattern) // 2
    assert compile_pieces([(pattern[:cut], False), (pattern[cut:], False)])(text) == reference(pattern, text)


@given(
    st.lists(st.sampled_from(["a?", "?", "b", "*", "?a", "ab"]), min_size=6, max_size=16).map("".join),
    st.text(alphabet="ab", max_size=30),
)
def test_patterns_of_many_question_marks_agree_too(pattern: str, text: str) -> None:
    assert compile_glob(pattern)(text) == reference(pattern, text)


@given(st.text(alphabet="ab*?${}", max_size=8), st.text(alphabet="ab*?${}", max_size=8))
def test_literal_pieces_have_no_wildcards(pattern: str, text: str) -> None:
    assert compile_pieces([(pattern, True)])(text) == (pattern == text)


def resolved(scenario: dict[str, Any], data: st.DataObject) -> dict[str, Any]:
    """Return the scenario with each condition that cannot be decided made true or false."""
    copied = copy.deepcopy(scenario)
    for document, _ in places(copied):
        for statement in document["Statement"]:
            if statement["Condition"] == UNDECIDED:
                statement["Condition"] = {
                    "Null": {"aws:nobody-sets-it": data.draw(st.sampled_from(["true", "false"]))}
                }
    return copied


@given(scenarios, st.data())
def test_what_is_not_flagged_unknown_does_not_depend_on_the_unknown(
    scenario: dict[str, Any], data: st.DataObject
) -> None:
    result = decide(scenario)
    known = decide(resolved(scenario, data))
    assert ORDER.index(result["decision"]) <= ORDER.index(known["decision"])
    if "unknown" not in result:
        assert result["decision"] == known["decision"]
