"""Documents made to take forever end, with an answer or with Unknown."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.reason import No, Unknown, Yes, grants, newly_allows


def allow(resource: Any = "*", action: Any = "*", **condition: Any) -> dict[str, Any]:
    found: dict[str, Any] = {"Effect": "Allow", "Action": action, "Resource": resource}
    return {**found, "Condition": condition} if condition else found


def deny(resource: Any = "*", action: Any = "*", **condition: Any) -> dict[str, Any]:
    return {**allow(resource, action, **condition), "Effect": "Deny"}


def policy(*statements: dict[str, Any]) -> Policy:
    return read_policy({"Version": "2012-10-17", "Statement": list(statements)}, "identity")


TAG = "aws:PrincipalTag/x"


def cases(part: int) -> dict[str, tuple[list[dict[str, Any]], tuple[type, ...]]]:
    """Name → statements and the answers there may be; ``part`` makes what there is much of so much less."""
    many = range(10_000 // part)
    return {
        "a thousand statements": (
            [
                (allow if i % 2 else deny)(f"arn:aws:s3:::b{i}*/*x{i}*", f"s3:*{'abcdefg'[i % 7]}*")
                for i in range(1000 // part)
            ],
            (Yes, Unknown),
        ),
        "denials with a condition each": (
            [
                allow(),
                *(
                    deny(f"arn:aws:s3:::b*{i}*", StringLike={f"aws:PrincipalTag/t{i % 20}": f"*{i}*"})
                    for i in range(300 // part)
                ),
            ],
            (Yes,),
        ),
        "a pattern of a thousand stars": ([allow("arn:aws:s3:::" + "*a" * (1000 // part), "s3:*")], (Yes, Unknown)),
        "a denied pattern of stars and marks": ([allow(), deny("arn:aws:s3:::" + "*a*b?" * (500 // part))], (Yes,)),
        "values that overlap": (
            [
                allow(StringEquals={TAG: [f"v{i}" for i in many]}),
                deny(StringLike={TAG: [f"*v{i}*" for i in many]}),
            ],
            (No, Unknown),
        ),
        "resources, allowed and denied": (
            [allow([f"arn:aws:s3:::b{i}/*" for i in many]), deny([f"arn:aws:s3:::b{i}/*" for i in many])],
            (No, Unknown),
        ),
        "blocks of addresses": (
            [
                allow(IpAddress={"aws:SourceIp": [f"10.{i // 256}.{i % 256}.0/24" for i in range(2000 // part)]}),
                deny(IpAddress={"aws:SourceIp": "10.0.0.0/8"}),
            ],
            (No,),
        ),
        "thirty keys": (
            [
                allow(StringLike={f"aws:PrincipalTag/t{i}": "a*" for i in range(30)}),
                *(
                    deny(StringLike={f"aws:PrincipalTag/t{i}": "a*", f"aws:PrincipalTag/t{(i * 7 + 3) % 30}": "*b"})
                    for i in range(30)
                ),
            ],
            (Yes,),
        ),
        "sets of values": (
            [
                allow(
                    **{
                        "ForAllValues:StringLike": {"aws:TagKeys": [f"{c}*" for c in "abcdefghij"]},
                        "ForAnyValue:StringLike": {"aws:TagKeys": [f"*{c}" for c in "abcdefghij"]},
                    }
                )
            ],
            (Yes,),
        ),
    }  # fmt: skip


@pytest.mark.parametrize("part", [8, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", cases(1000))
def test_it_ends(name: str, part: int) -> None:
    statements, expected = cases(part)[name]
    document = policy(*statements)
    answer = grants([document])
    assert isinstance(answer, expected), answer
    if isinstance(answer, Unknown):
        assert "too_large" in answer.why
    again = newly_allows([policy(allow(action="s3:Get*"))], [document])
    assert isinstance(again, Yes | No | Unknown)
