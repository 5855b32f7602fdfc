"""Amazon Cognito: user pools, their clients and risks, identity pools."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.listings import listing
from policyengine.sources.live.spec import CodeCollector, Collector, Parent, Step

Json = dict[str, Any]
_SERVICE: Final = "cognito-idp"
_GONE: Final = ("ResourceNotFoundException",)
_RISK: Final = "AWS::Cognito::UserPoolRiskConfigurationAttachment"
_PLANS: Final = ("AccountTakeoverRiskConfiguration", "CompromisedCredentialsRiskConfiguration",
                 "RiskExceptionConfiguration")  # fmt: skip


def _client(result: Json, _item: Json) -> Json:
    """The secret itself is not kept; that there is one says that it was asked for."""
    shown = {name: value for name, value in result.items() if name != "ClientSecret"}
    return {**shown, "GenerateSecret": bool(result.get("ClientSecret"))}


POOL = Collector(
    "AWS::Cognito::UserPool",
    _SERVICE,
    Step("ListUserPools", "UserPools", {"MaxResults": 60}),
    id="{Id}",
    arn="arn:{partition}:cognito-idp:{region}:{account}:userpool/{Id}",
    describe=Step("DescribeUserPool", "UserPool", {"UserPoolId": "{Id}"}, gone=_GONE),
    rename={"Id": "UserPoolId", "Name": "UserPoolName", "SchemaAttributes": "Schema"},
    tags="UserPoolTags",
    details=(
        Step(
            "GetWebACLForResource",
            "WebACL.ARN",
            {"ResourceArn": "arn:{partition}:cognito-idp:{region}:{account}:userpool/{Id}"},
            into="related.web_acl_associations",
            gives=("related.web_acl_associations",),
            none=("WAFNonexistentItemException",),
            service="wafv2",
            shape=lambda arn, item: [{"WebACLArn": arn, "ResourceArn": item.get("Arn")}],
        ),
        Step(
            "GetUserPoolMfaConfig",
            "",
            {"UserPoolId": "{Id}"},
            gives=("EnabledMfas",),
            gone=_GONE,
            only_named=True,
            shape=lambda result, _item: {"EnabledMfas": _factors(result)},
        ),
    ),
    also={"AWS::WAFv2::WebACLAssociation": "related.web_acl_associations"},
)


def _factors(result: Json) -> list[str]:
    """The registry's words: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html"""
    found = [("SMS_MFA", "SmsConfiguration" in (result.get("SmsMfaConfiguration") or {})),
             ("SOFTWARE_TOKEN_MFA", (result.get("SoftwareTokenMfaConfiguration") or {}).get("Enabled")),
             ("EMAIL_OTP", "EmailMfaConfiguration" in result)]  # fmt: skip
    return [name for name, on in found if on]


RISK = Collector(
    _RISK,
    _SERVICE,
    Step("DescribeRiskConfiguration", "RiskConfiguration", {"UserPoolId": ""}),
    id="{UserPoolId}|{ClientId}",
    tags="",
)


def _risks(context: Context) -> Iterator[Resource]:
    """Yield what is planned for a pool (for the client ``ALL``, as in code) and for each of its clients.

    Raises CallFailure when the pools cannot be listed.
    """
    pools = [pool["Id"] for pool in listing(POOL, context)]
    found = context.map(lambda pool: _of_pool(context, pool), pools)
    yield from Run(RISK, context).of(each for risks in found for each in risks)


def _of_pool(context: Context, pool: str) -> list[Json]:
    try:
        clients = [
            client["ClientId"]
            for page in context.pages(_SERVICE, "ListUserPoolClients", {"UserPoolId": pool, "MaxResults": 60})
            for client in page.get("UserPoolClients") or ()
        ]
        found = [_risk(context, pool, client) for client in (None, *clients)]
    except CallFailure as failure:
        if not failure.is_one_of(_GONE):
            context.not_whole(_RISK, failure)
        return []
    return [risk for risk in found if risk is not None]


def _risk(context: Context, pool: str, client: str | None) -> Json | None:
    arguments = {"UserPoolId": pool} | ({"ClientId": client} if client else {})
    try:
        answer = context.call(_SERVICE, "DescribeRiskConfiguration", arguments).get("RiskConfiguration") or {}
    except CallFailure as failure:
        if failure.error == "UserPoolAddOnNotEnabledException":
            return None
        raise
    if not any(answer.get(plan) for plan in _PLANS):
        return None
    if client is not None and answer.get("ClientId") != client:
        return None  # what holds for the pool, said again
    return {**answer, "UserPoolId": pool, "ClientId": client or "ALL"}


COLLECTORS = (
    POOL,
    Collector(
        "AWS::Cognito::UserPoolClient",
        _SERVICE,
        Step("ListUserPoolClients", "UserPoolClients", {"MaxResults": 60}, gone=_GONE),
        id="{ClientId}",
        parent=Parent(POOL.type, {"UserPoolId": "{Id}"}),
        describe=Step(
            "DescribeUserPoolClient",
            "UserPoolClient",
            {"UserPoolId": "{UserPoolId}", "ClientId": "{ClientId}"},
            gone=_GONE,
            shape=_client,
            rename={"ClientSecret": ""},
        ),
        gives=("GenerateSecret",),
        tags="",
    ),
    CodeCollector(
        (_RISK,),
        _SERVICE,
        _risks,
        ("cognito-idp:ListUserPools", "cognito-idp:ListUserPoolClients"),
        parts=(RISK,),
    ),
    Collector(
        "AWS::Cognito::IdentityPool",
        "cognito-identity",
        Step("ListIdentityPools", "IdentityPools", {"MaxResults": 60}),
        id="{IdentityPoolId}",
        arn="arn:{partition}:cognito-identity:{region}:{account}:identitypool/{IdentityPoolId}",
        describe=Step("DescribeIdentityPool", "", {"IdentityPoolId": "{IdentityPoolId}"}, gone=_GONE),
        rename={"IdentityPoolId": "Id", "IdentityPoolTags": ""},
        tags="IdentityPoolTags",
    ),
)
