"""What a policy statement may be made to say: odd, hostile and hard to decide, for every element."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

_MANY = range(60)
_PATTERNS = [
    "*", "", "?", "**", "*" * 400, "*a" * 200, "*a*b?" * 100, "arn:aws:iam::*:role/*", "arn:*:*:*:*:*", "arn", "arn:aws:s3:::b*/*",
    "${aws:PrincipalTag/Team}", "arn:aws:s3:::${aws:username}/*", "${aws:x", "${}", "${aws:PrincipalTag/x,'d'}", "${$}${*}",
    "s3:*", "S3:get*", "iam:PassRole", "bedrock:Invoke*", "nope:Nothing", "s3", ":", "*:*", "sts:AssumeRole*", "\u202e", "\x00", "é",
]  # fmt: skip
_LISTS: list[Any] = [
    [], ["*"], ["s3:GetObject", "*"], ["a", ["b"]], [1, {}], [f"*{i}*x" for i in _MANY],
    [f"arn:aws:s3:::b{i}/*x*" for i in _MANY], [f"s3:*{'abcdefg'[i % 7]}*{i}" for i in _MANY],
]  # fmt: skip
_PRINCIPALS: list[Any] = [
    "*", {"AWS": "*"}, {"AWS": ["*", "111122223333"]}, {"AWS": "arn:aws:iam::111122223333:root"}, {"AWS": "AROAEXAMPLE"},
    {"AWS": {"AWS": "*"}}, {"Service": "*"}, {"Service": ["lambda.amazonaws.com", 1]}, {"CanonicalUser": "x"}, {}, {"": ""},
    {"Federated": "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"}, {"Federated": "*"},
    {"Federated": "cognito-identity.amazonaws.com", "AWS": "arn:aws:sts::111122223333:assumed-role/r/s"}, [], ["*"], "x", 7,
]  # fmt: skip
_OPERATORS = [
    "StringEquals", "StringNotEquals", "StringLike", "StringNotLikeIfExists", "ForAllValues:StringLike", "ForAnyValue:StringNotLike",
    "ArnLike", "ArnNotEqualsIfExists", "IpAddress", "NotIpAddress", "Bool", "BoolIfExists", "Null", "NumericLessThan", "DateGreaterThan",
    "BinaryEquals", "ForAllValues:ArnEquals", "stringequals", "ForSome:Bool", "Nothing", "",
]  # fmt: skip
_KEYS = [
    "aws:RequestedRegion", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths", "aws:SourceIp", "aws:SourceArn",
    "aws:SourceAccount", "aws:PrincipalTag/Team", "aws:ResourceTag/Team", "aws:RequestTag/${aws:x}", "aws:TagKeys", "aws:SecureTransport",
    "aws:MultiFactorAuthPresent", "aws:MultiFactorAuthAge", "aws:CurrentTime", "sts:ExternalId", "kms:ViaService", "iam:PassedToService",
    "token.actions.githubusercontent.com:sub", "token.actions.githubusercontent.com:aud", "bedrock:GuardrailIdentifier", "s3:prefix",
    "aws:PrincipalIsAWSService", "aws:ViaAWSService", "aws:SourceVpce", "AWS:sourceip", "nope", "",
]  # fmt: skip
_VALUES: list[Any] = [
    "true", "false", True, "TRUE", "", "*", "0.0.0.0/0", "10.0.0.0/33", "::/0", "eu-west-1", ["eu-*", "us-east-1"], "o-abc", "1", -1, 1e300,
    "2026-01-01T00:00:00Z", "0000-00-00", "repo:o/r:*", "repo:*", "${aws:PrincipalTag/Team}", [], {}, [[]], [None], "111122223333",
    "arn:aws:iam::*:role/NetworkAdmin", ["*a*b" * 20, "*b*a" * 20], [f"*v{i}*" for i in _MANY], [f"10.{i}.0.0/16" for i in _MANY],
]  # fmt: skip

_CONDITION = st.dictionaries(
    st.sampled_from(_OPERATORS),
    st.dictionaries(st.sampled_from(_KEYS), st.sampled_from(_VALUES), min_size=1, max_size=4),
    max_size=4,
)
_PART = st.sampled_from([*_PATTERNS, *_LISTS]) | st.lists(st.sampled_from(_PATTERNS), max_size=4)
ELEMENT = st.one_of(
    st.tuples(st.sampled_from(["Action", "NotAction", "Resource", "NotResource"]), _PART),
    st.tuples(st.sampled_from(["Principal", "NotPrincipal"]), st.sampled_from(_PRINCIPALS)),
    st.tuples(st.just("Condition"), _CONDITION),
    st.tuples(st.just("Condition"), _CONDITION),
    st.tuples(st.just("Effect"), st.sampled_from(["Allow", "Deny", "allow", "", 1, []])),
    st.tuples(st.just("Sid"), st.sampled_from(["", "a b", 1, "JustifiedBy-x", "x" * 300])),
)
"""(name of an element, what it says); a name that is there already is replaced."""

OPPOSITE = {"Action": "NotAction", "Resource": "NotResource", "Principal": "NotPrincipal"}


def statements(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every statement below a value: what has an effect, or stands where statements stand."""
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        value = value.values()
    elif not isinstance(value, list):
        return
    for inner in list(value):
        yield from statements(inner)


def change(statement: dict[str, Any], element: tuple[str, Any]) -> None:
    """Let a statement say something else, where elements exclude one another instead of the other."""
    name, said = element
    for one, other in OPPOSITE.items():
        if name in (one, other):
            statement.pop(one if name == other else other, None)
    statement[name] = said
