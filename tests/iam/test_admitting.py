"""Whether a key policy lets every request of a set through. The statements are those AWS shows:
https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#compatibility-with-aws-services and
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.iam.admitting import callers_named, left_out
from policyengine.iam.documents import read_policy
from policyengine.iam.reason import No, Yes
from policyengine.iam.request_set import read_request_set

KEY = "arn:aws:kms:eu-west-1:111122223333:key/abc"
ROOT = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:root"},
    "Action": "kms:*",
    "Resource": "*",
}
ALARMS = {
    "Effect": "Allow",
    "Principal": {"Service": "cloudwatch.amazonaws.com"},
    "Action": ["kms:GenerateDataKey*", "kms:Decrypt"],
    "Resource": "*",
}
OURS = {"Condition": {"StringEquals": {"aws:SourceAccount": "111122223333"}}}
USES = read_request_set({"action": ["kms:GenerateDataKey", "kms:Decrypt"], "resource": [KEY]})


def admits(who: str, *statements: dict[str, Any]) -> bool:
    policy = read_policy({"Version": "2012-10-17", "Statement": list(statements)}, "key")
    found = left_out([policy], USES, callers_named(who))
    assert isinstance(found, No | Yes)
    if isinstance(found, Yes):
        assert USES.holds(found.witness.request())
    return isinstance(found, No)


@pytest.mark.parametrize(
    ("who", "statements", "admitted"),
    [
        ("cloudwatch.amazonaws.com", [ROOT], False),
        ("cloudwatch.amazonaws.com", [ROOT, ALARMS], True),
        ("events.amazonaws.com", [ROOT, ALARMS], False),
        ("cloudwatch.amazonaws.com", [ROOT, {**ALARMS, **OURS}], False),
        ("cloudwatch.amazonaws.com", [ROOT, {**ALARMS, "Action": "kms:GenerateDataKey*"}], False),
        ("cloudwatch.amazonaws.com", [ALARMS, {**ALARMS, "Effect": "Deny", "Action": "kms:Decrypt"}], False),
        ("arn:aws:iam::111122223333:role/publisher", [ROOT], True),
        ("arn:aws:iam::111122223333:root", [ROOT], True),
        ("444455556666", [ROOT], False),
        ("444455556666", [ROOT, {**ROOT, "Principal": {"AWS": "444455556666"}}], True),
        ("arn:aws:iam::444455556666:root", [{**ROOT, "Principal": "*"}], True),
    ],
)
def test_who_is_let_in(who: str, statements: list[dict[str, Any]], admitted: bool) -> None:
    assert admits(who, *statements) is admitted
