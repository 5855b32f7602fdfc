"""References that name the same thing in other words are no change."""

from __future__ import annotations

from typing import Any

import pytest

from tests.review.access_side import allow, document, policy, review, role

AROUND = {
    "B": {"Type": "AWS::S3::Bucket"},
    "Q": {"Type": "AWS::SQS::Queue"},
    "K": {"Type": "AWS::KMS::Key", "Properties": {}},
    "T": {"Type": "AWS::SNS::Topic"},
    "L": {"Type": "AWS::Logs::LogGroup", "Properties": {}},
    "A": role(),
    "Named": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "named"}},
    "Prefixed": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Fn::Sub": "${Stage}-data"}}},
}
PARAMETERS = {"Stage": {"Type": "String"}, "Fixed": {"Type": "String", "Default": "named"}}
HERE = "${AWS::Region}:${AWS::AccountId}"


def sub(text: str) -> dict[str, Any]:
    return {"Fn::Sub": text}


SAME: list[tuple[Any, Any]] = [
    ({"Fn::GetAtt": ["B", "Arn"]}, sub("arn:aws:s3:::${B}")),
    ({"Fn::GetAtt": "B.Arn"}, sub("arn:${AWS::Partition}:s3:::${B}")),
    (sub("${B.Arn}/*"), {"Fn::Join": ["/", [{"Fn::GetAtt": ["B", "Arn"]}, "*"]]}),
    (sub("${B.Arn}/*"), {"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "B"}, "/*"]]}),
    ({"Fn::GetAtt": ["Q", "Arn"]}, sub(f"arn:aws:sqs:{HERE}:${{Q.QueueName}}")),
    ({"Fn::GetAtt": ["K", "Arn"]}, sub(f"arn:aws:kms:{HERE}:key/${{K}}")),
    ({"Fn::GetAtt": ["L", "Arn"]}, sub(f"arn:aws:logs:{HERE}:log-group:${{L}}:*")),
    ({"Ref": "T"}, sub(f"arn:aws:sns:{HERE}:${{T.TopicName}}")),
    ({"Fn::GetAtt": ["A", "Arn"]}, sub("arn:aws:iam::${AWS::AccountId}:role/${A}")),
    ({"Fn::GetAtt": ["Named", "Arn"]}, "arn:aws:s3:::named"),
    ("arn:aws:s3:::named", sub("arn:aws:s3:::${Fixed}")),
    (sub("${Prefixed.Arn}/*"), sub("arn:aws:s3:::${Stage}-data/*")),
    ([sub("${B.Arn}/*"), {"Fn::GetAtt": ["B", "Arn"]}], [{"Fn::GetAtt": ["B", "Arn"]}, sub("${B.Arn}/*")]),
]
IDS = [
    "its ARN put together", "the partition", "Sub and Join", "ARN and name", "the name of a queue", "the id of a key", "a log group",
    "the name of a topic", "the name of a role", "a name that is given", "a default", "a name made of a parameter", "order",
]  # fmt: skip


@pytest.mark.parametrize(("one", "other"), SAME, ids=IDS)
@pytest.mark.parametrize("account", [None, "111122223333"])
def test_the_same_thing_in_other_words(one: Any, other: Any, account: str | None) -> None:
    sides = ({**AROUND, "R": role(policy(allow("*", named)))} for named in (one, other))
    assert review(*sides, Parameters=PARAMETERS, account=account) == []


@pytest.mark.parametrize(("one", "other"), [(a, b) for a, b in SAME if "B" in str(a) and "B" in str(b)])
def test_the_same_policy_of_a_bucket_in_other_words(one: Any, other: Any) -> None:
    def side(named: Any) -> dict[str, Any]:
        statement = {**allow("s3:*", named), "Principal": {"AWS": "arn:aws:iam::444455556666:root"}}
        properties = {"Bucket": {"Ref": "B"}, "PolicyDocument": document(statement)}
        return {**AROUND, "P": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}

    assert review(side(one), side(other), Parameters=PARAMETERS) == []


def test_a_principal_in_other_words() -> None:
    def side(named: Any) -> dict[str, Any]:
        trusted = document({"Effect": "Allow", "Principal": {"AWS": named}, "Action": "sts:AssumeRole"})
        return {**AROUND, "R": role(trust=trusted)}

    arn, name = {"Fn::GetAtt": ["A", "Arn"]}, sub("arn:aws:iam::${AWS::AccountId}:role/${A}")
    assert review(side(arn), side(name), Parameters=PARAMETERS) == []
    account, root = {"Ref": "AWS::AccountId"}, sub("arn:aws:iam::${AWS::AccountId}:root")
    assert review(side(account), side(root), Parameters=PARAMETERS) == []
