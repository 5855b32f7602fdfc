"""Kendra, Q Business and Lex, with answers as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

I1, I2, X1, X2, APP = (
    f"{name}-0000-0000-0000-000000000000"
    for name in ("11111111", "22222222", "33333333", "44444444", "55555555")
)
BOT, ALIAS = "BOTBOTBOT1", "ALIASALIA1"
KEY = f"arn:aws:kms:us-east-1:{MOTO_ACCOUNT}:key/11111111-2222-3333-4444-555555555555"


def test_indexes_and_data_sources_of_kendra(canned: Any, collect: Any) -> None:
    indexes = {
        I1: {"UserContextPolicy": "USER_TOKEN", "ServerSideEncryptionConfiguration": {"KmsKeyId": KEY}},
        I2: {},
    }

    def source(arguments: Any) -> Any:
        acl = (
            {"AccessControlListConfiguration": {"KeyPath": "acl.json"}} if arguments["IndexId"] == I1 else {}
        )
        return {"Id": arguments["Id"], "IndexId": arguments["IndexId"], "Type": "S3",
                "Configuration": {"S3Configuration": {"BucketName": "b", **acl}}}  # fmt: skip

    account = canned({
        "kendra:ListIndices": {"IndexConfigurationSummaryItems": [{"Id": i, "Name": i} for i in indexes]},
        "kendra:DescribeIndex": lambda arguments: indexes[arguments["Id"]],
        "kendra:ListDataSources": lambda arguments: {"SummaryItems": [
            {"Id": "s-" + arguments["IndexId"], "Name": "n", "Type": "S3"}]},
        "kendra:DescribeDataSource": source,
        "kendra:ListTagsForResource": lambda arguments: {"Tags": [{"Key": "arn", "Value": arguments["ResourceARN"]}]},
    })  # fmt: skip
    one, two = collect(account, "AWS::Kendra::Index")
    assert one.properties["ServerSideEncryptionConfiguration"] == {"KmsKeyId": KEY}
    assert (one.id, one.properties["Id"]) == (I1, I1)
    assert [verdict("kendra-results-by-user", r) for r in (one, two)] == ["PASS", "FAIL"]
    good, open_ = collect(account, "AWS::Kendra::DataSource")
    assert good.tags == {"arn": f"arn:aws:kendra:us-east-1:{MOTO_ACCOUNT}:index/{I1}/data-source/s-{I1}"}
    assert (good.properties["IndexId"], good.properties["Type"]) == (I1, "S3")
    assert [verdict("retrieval-permissions-crawled", r) for r in (good, open_)] == ["PASS", "FAIL"]


def test_applications_indexes_and_data_sources_of_q_business(canned: Any, collect: Any) -> None:
    crawls = {X1: True, X2: False}
    account = canned({
        "qbusiness:ListApplications": {"applications": [{"applicationId": APP, "displayName": "n", "identityType": "ANONYMOUS"}]},
        "qbusiness:GetApplication": {"applicationId": APP, "identityType": "ANONYMOUS",
                                     "encryptionConfiguration": {"kmsKeyId": KEY}},
        "qbusiness:ListIndices": {"indices": [{"indexId": index, "displayName": "n"} for index in crawls]},
        "qbusiness:GetIndex": lambda arguments: {"indexId": arguments["indexId"], "type": "STARTER"},
        "qbusiness:ListDataSources": lambda arguments: {"dataSources": [
            {"dataSourceId": "s-" + arguments["indexId"][:30] + "0000", "type": "SHAREPOINT"}]},
        "qbusiness:GetDataSource": lambda arguments: {"configuration": {
            "type": "SHAREPOINT", "additionalProperties": {"crawlAcl": crawls[arguments["indexId"]]}}},
        "qbusiness:ListTagsForResource": lambda arguments: {"tags": [{"key": "arn", "value": arguments["resourceARN"]}]},
    })  # fmt: skip
    arn = f"arn:aws:qbusiness:us-east-1:{MOTO_ACCOUNT}:application/{APP}"
    (application,) = collect(account, "AWS::QBusiness::Application")
    assert (application.id, application.arn) == (APP, arn)
    assert application.properties["EncryptionConfiguration"] == {"KmsKeyId": KEY}
    assert verdict("qbusiness-users-identified", application) == "FAIL"
    index, _ = collect(account, "AWS::QBusiness::Index")
    assert (index.id, index.properties["ApplicationId"], index.properties["Type"]) == (X1, APP, "STARTER")
    good, open_ = collect(account, "AWS::QBusiness::DataSource")
    assert good.tags == {"arn": f"{arn}/index/{X1}/data-source/s-{X1[:30]}0000"}
    assert (good.properties["ApplicationId"], good.properties["IndexId"]) == (APP, X1)
    assert [verdict("retrieval-permissions-crawled", r) for r in (good, open_)] == ["PASS", "FAIL"]


def test_policies_of_bots_and_aliases(canned: Any, collect: Any) -> None:
    public = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lex:RecognizeText", "Resource": "*"}],
    }
    arn = f"arn:aws:lex:us-east-1:{MOTO_ACCOUNT}:bot-alias/{BOT}/{ALIAS}"

    def policy(arguments: Any) -> Any:
        if arguments["resourceArn"] == arn:
            return {"policy": json.dumps(public), "resourceArn": arn}
        return failure("lexv2-models:DescribeResourcePolicy", "ResourceNotFoundException", "read_error")

    account = canned({
        "lexv2-models:ListBots": {"botSummaries": [{"botId": BOT}]},
        "lexv2-models:ListBotAliases": {"botAliasSummaries": [{"botAliasId": ALIAS}]},
        "lexv2-models:DescribeResourcePolicy": policy,
    })  # fmt: skip
    (found,) = collect(account, "AWS::Lex::ResourcePolicy")
    assert found.properties == {"ResourceArn": arn, "Policy": public}
    assert verdict("resource-policy-not-public", found) == "FAIL"
    assert collect.last.whole == ("AWS::Lex::ResourcePolicy",)


@pytest.mark.parametrize(
    ("error", "said", "whole"),
    [
        ("EndpointConnectionError", "TypeNotFoundException", True),
        ("EndpointConnectionError", "AccessDeniedException", False),
        ("AccessDeniedException", "TypeNotFoundException", False),
    ],
)
def test_a_region_without_the_service(canned: Any, collect: Any, error: str, said: str, whole: bool) -> None:
    """Endpoint data name every region for Q Business: that its endpoint is not there counts if the registry agrees."""
    account = canned({
        "qbusiness:ListApplications": failure("qbusiness:ListApplications", error, "not_collected"),
        "cloudcontrol:ListResources": failure("cloudcontrol:ListResources", said),
    })  # fmt: skip
    for type in ("Application", "Index", "DataSource"):
        assert collect(account, f"AWS::QBusiness::{type}") == []
        assert bool(collect.last.whole) is whole
