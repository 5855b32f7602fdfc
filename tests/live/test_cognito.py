"""Cognito, shares of Resource Access Manager, IAM Roles Anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

POOL, CLIENT, RISK, IDENTITY = (
    f"AWS::Cognito::{name}"
    for name in ("UserPool", "UserPoolClient", "UserPoolRiskConfigurationAttachment", "IdentityPool")
)
SHARE = "AWS::RAM::ResourceShare"
ACL = f"arn:aws:wafv2:us-east-1:{MOTO_ACCOUNT}:regional/webacl/w/12345678"
PLAN = {"Actions": {"EventAction": "BLOCK"}}
POOLS: dict[str, Any] = {
    "cognito-idp:ListUserPools": {"UserPools": [{"Id": "us-east-1_a", "Name": "shop"}]},
    "cognito-idp:DescribeUserPool": {
        "UserPool": {
            "Id": "us-east-1_a",
            "Name": "shop",
            "Arn": f"arn:aws:cognito-idp:us-east-1:{MOTO_ACCOUNT}:userpool/us-east-1_a",
            "MfaConfiguration": "ON",
            "Policies": {"PasswordPolicy": {"MinimumLength": 14}},
            "UserPoolTags": {"Owner": "web"},
            "SchemaAttributes": [{"Name": "email", "Required": True}],
        }
    },
    "wafv2:GetWebACLForResource": {"WebACL": {"ARN": ACL}},
    "cognito-idp:ListUserPoolClients": {"UserPoolClients": [{"ClientId": "c1", "UserPoolId": "us-east-1_a"}]},
    "cognito-idp:DescribeUserPoolClient": {
        "UserPoolClient": {"ClientId": "c1", "UserPoolId": "us-east-1_a", "ClientSecret": "do not keep",
                           "PreventUserExistenceErrors": "ENABLED"}
    },
    "cognito-idp:DescribeRiskConfiguration": {
        "RiskConfiguration": {"UserPoolId": "us-east-1_a", "CompromisedCredentialsRiskConfiguration": PLAN}
    },
}  # fmt: skip


def test_a_user_pool(canned: Callable[..., Any], collect: Any) -> None:
    (pool,) = collect(canned(POOLS), POOL)
    assert (pool.id, pool.tags) == ("us-east-1_a", {"Owner": "web"})
    assert pool.properties["UserPoolName"] == "shop"
    assert pool.properties["Policies"] == {"PasswordPolicy": {"MinimumLength": 14}}
    assert pool.properties["Schema"] == [{"Name": "email", "Required": True}]
    assert pool.related["web_acl_associations"] == [{"WebACLArn": ACL, "ResourceArn": pool.arn}]
    assert "DeletionProtection" not in pool.properties
    assert (verdict("user-pool-mfa", pool), verdict("user-pool-behind-waf", pool)) == ("PASS", "PASS")
    (bare,) = collect(canned({**POOLS, "wafv2:GetWebACLForResource": {}}), POOL)
    assert verdict("user-pool-behind-waf", bare) == "FAIL"


def test_the_secret_of_a_client_is_not_kept(canned: Callable[..., Any], collect: Any) -> None:
    (client,) = collect(canned(POOLS), CLIENT)
    assert client.id == "c1"
    assert client.properties["GenerateSecret"] is True
    assert "do not keep" not in str(client.properties)
    assert verdict("user-pool-client-hides-users", client) == "PASS"


def test_risks_of_a_pool_are_not_its_clients(canned: Callable[..., Any], collect: Any) -> None:
    (risk,) = collect(canned(POOLS), RISK)
    assert (risk.properties["UserPoolId"], risk.properties["ClientId"]) == ("us-east-1_a", "ALL")
    assert risk.properties["CompromisedCredentialsRiskConfiguration"] == PLAN
    none = {"cognito-idp:DescribeRiskConfiguration": {"RiskConfiguration": {"UserPoolId": "us-east-1_a"}}}
    assert collect(canned({**POOLS, **none}), RISK) == []
    assert collect.last.whole == (RISK,)
    denied = failure("cognito-idp:DescribeRiskConfiguration", "AccessDeniedException")
    assert collect(canned({**POOLS, "cognito-idp:DescribeRiskConfiguration": denied}), RISK) == []
    assert collect.last.whole == ()


def test_an_identity_pool(canned: Callable[..., Any], collect: Any) -> None:
    id_ = "us-east-1:12345678-1234-1234-1234-123456789012"
    account = canned(
        {
            "cognito-identity:ListIdentityPools": {
                "IdentityPools": [{"IdentityPoolId": id_, "IdentityPoolName": "shop"}]
            },
            "cognito-identity:DescribeIdentityPool": {
                "IdentityPoolId": id_,
                "IdentityPoolName": "shop",
                "AllowUnauthenticatedIdentities": True,
                "IdentityPoolTags": {"a": "b"},
            },
        }
    )
    (pool,) = collect(account, IDENTITY)
    assert (pool.id, pool.properties["Id"], pool.tags) == (id_, id_, {"a": "b"})
    assert "AllowClassicFlow" not in pool.properties
    assert verdict("identity-pool-no-guests", pool) == "FAIL"


def _share(number: int, **more: Any) -> dict[str, Any]:
    return {
        "resourceShareArn": f"arn:aws:ram:us-east-1:{MOTO_ACCOUNT}:resource-share/{number}",
        "status": "ACTIVE",
        **more,
    }


def test_a_share_and_with_whom(canned: Callable[..., Any], collect: Any) -> None:
    first, second, third = (
        _share(1, name="own", allowExternalPrincipals=True, tags=[{"key": "a", "value": "b"}]),
        _share(2, allowExternalPrincipals=False),
        _share(3, status="DELETED"),
    )

    def associations(arguments: Any) -> Any:
        arn = first["resourceShareArn"]
        if arguments["associationType"] == "RESOURCE":
            return {
                "resourceShareAssociations": [
                    {"resourceShareArn": arn, "associatedEntity": "arn:aws:ec2:x:1:subnet/s"}
                ]
            }
        return {
            "resourceShareAssociations": [
                {"resourceShareArn": arn, "associatedEntity": "111122223333", "status": "ASSOCIATED"},
                {"resourceShareArn": arn, "associatedEntity": "999988887777", "status": "DISASSOCIATED"},
            ]
        }

    answers = {
        "ram:GetResourceShares": {"resourceShares": [first, second, third]},
        "ram:GetResourceShareAssociations": associations,
    }
    own, closed = collect(canned(answers), SHARE)
    assert (own.id, own.tags) == (first["resourceShareArn"], {"a": "b"})
    assert own.properties["Principals"] == ["111122223333"]
    assert own.properties["ResourceArns"] == ["arn:aws:ec2:x:1:subnet/s"]
    assert "Principals" not in closed.properties
    assert verdict("ram-share-inside-organization", closed) == "PASS"
    denied = failure("ram:GetResourceShareAssociations", "AccessDeniedException")
    own, _ = collect(canned({**answers, "ram:GetResourceShareAssociations": denied}), SHARE)
    assert own.properties["Principals"].reason == "access_denied"
    assert verdict("ram-share-inside-organization", own) == "UNKNOWN"


def test_roles_anywhere(canned: Callable[..., Any], collect: Any) -> None:
    arn = f"arn:aws:rolesanywhere:us-east-1:{MOTO_ACCOUNT}:profile/12345678-1234-1234-1234-123456789012"
    anchor = arn.replace("profile", "trust-anchor")
    account = canned(
        {
            "rolesanywhere:ListProfiles": {
                "profiles": [{"profileId": "p", "profileArn": arn, "name": "n", "enabled": True,
                              "durationSeconds": 43200, "roleArns": ["arn:aws:iam::1:role/r"]}]
            },
            "rolesanywhere:ListTrustAnchors": {
                "trustAnchors": [{"trustAnchorId": "t", "trustAnchorArn": anchor, "enabled": True,
                                  "source": {"sourceType": "AWS_ACM_PCA", "sourceData": {"acmPcaArn": "arn:pca"}},
                                  "notificationSettings": [{"enabled": False, "event": "CA_CERTIFICATE_EXPIRY"}]}]
            },
            "rolesanywhere:ListTagsForResource": {"tags": [{"key": "a", "value": "b"}]},
        }
    )  # fmt: skip
    (profile,) = collect(account, "AWS::RolesAnywhere::Profile")
    assert (profile.id, profile.arn, profile.tags) == ("p", arn, {"a": "b"})
    assert profile.properties["DurationSeconds"] == 43200
    assert verdict("rolesanywhere-profile-short-sessions", profile) == "FAIL"
    (found,) = collect(account, "AWS::RolesAnywhere::TrustAnchor")
    assert found.properties["Source"] == {"SourceType": "AWS_ACM_PCA", "SourceData": {"AcmPcaArn": "arn:pca"}}
    assert verdict("rolesanywhere-trust-anchor-warns", found) == "FAIL"


def test_over_http(account: Any, aws: Any, collect: Any) -> None:
    cognito = aws("cognito-idp", "eu-west-3")
    pool = cognito.create_user_pool(PoolName="http-pool", UserPoolTags={"Owner": "a"})["UserPool"]["Id"]
    cognito.create_user_pool_client(UserPoolId=pool, ClientName="c", GenerateSecret=True)
    (found,) = collect(account, POOL, region="eu-west-3", needs={POOL: frozenset({"Policies", "tags"})})
    assert (found.id, found.tags) == (pool, {"Owner": "a"})
    (client,) = collect(account, CLIENT, region="eu-west-3")
    assert (client.properties["UserPoolId"], client.properties["GenerateSecret"]) == (pool, True)
    assert not collect.last.failures
