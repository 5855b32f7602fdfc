"""Keys, secrets, certificates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from tests.live.conftest import failure
from tests.live.judging import verdict

KEY, SECRET, CERTIFICATE = (
    "AWS::KMS::Key",
    "AWS::SecretsManager::Secret",
    "AWS::CertificateManager::Certificate",
)
DAY = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*"}],
}
KEYS: dict[str, Any] = {
    "kms:ListKeys": {"Keys": [{"KeyId": ID, "KeyArn": f"arn:aws:kms:us-east-1:123456789012:key/{ID}"}]},
    "kms:DescribeKey": {
        "KeyMetadata": {"KeyId": ID, "Arn": f"arn:aws:kms:us-east-1:123456789012:key/{ID}", "Enabled": True,
                        "KeyState": "Enabled", "KeyManager": "CUSTOMER", "KeySpec": "SYMMETRIC_DEFAULT",
                        "Origin": "AWS_KMS", "MultiRegion": False, "CreationDate": DAY}
    },
    "kms:GetKeyPolicy": {"Policy": json.dumps(PUBLIC), "PolicyName": "default"},
    "kms:GetKeyRotationStatus": {"KeyRotationEnabled": True, "KeyId": ID, "RotationPeriodInDays": 90},
    "kms:ListGrants": {
        "Grants": [{"GranteeServicePrincipal": "rds.amazonaws.com", "Operations": ["Decrypt"], "GrantId": "g"}]
    },
    "kms:ListResourceTags": {"Tags": [{"TagKey": "Owner", "TagValue": "web"}]},
}  # fmt: skip


def test_a_key(canned: Callable[..., Any], collect: Any) -> None:
    (key,) = collect(canned(KEYS), KEY, needs={KEY: frozenset({"*", "Grants"})})
    assert (key.id, key.arn, key.tags) == (
        ID,
        f"arn:aws:kms:us-east-1:123456789012:key/{ID}",
        {"Owner": "web"},
    )
    properties = key.properties
    assert properties["KeyPolicy"] == PUBLIC
    assert (properties["EnableKeyRotation"], properties["RotationPeriodInDays"]) == (True, 90)
    assert (properties["KeyManager"], properties["KeyState"]) == ("CUSTOMER", "Enabled")
    assert properties["Grants"] == [{"GranteePrincipal": "rds.amazonaws.com", "Operations": ["Decrypt"]}]
    assert properties["CreationDate"] == "2026-03-04T05:06:07Z"
    assert "Description" not in properties
    assert properties["LastRotationDate"].reason == "not_collected"
    assert verdict("kms-key-policy-not-public", key) == "FAIL"
    assert verdict("kms-deletion-window", key) == "NOT_APPLICABLE"


def test_a_key_that_cannot_rotate(canned: Callable[..., Any], collect: Any) -> None:
    unsupported = failure("kms:GetKeyRotationStatus", "UnsupportedOperationException", "not_collected")
    (key,) = collect(canned({**KEYS, "kms:GetKeyRotationStatus": unsupported}), KEY)
    assert "EnableKeyRotation" not in key.properties
    assert not collect.last.failures


def test_a_key_whose_policy_lets_nobody_look(canned: Callable[..., Any], collect: Any) -> None:
    (key,) = collect(
        canned({**KEYS, "kms:GetKeyPolicy": failure("kms:GetKeyPolicy", "AccessDeniedException")}), KEY
    )
    assert key.properties["KeyPolicy"].reason == "access_denied"
    assert verdict("kms-key-policy-not-public", key) == "UNKNOWN"
    (key,) = collect(
        canned({**KEYS, "kms:DescribeKey": failure("kms:DescribeKey", "AccessDeniedException")}), KEY
    )
    assert key.properties["KeyPolicy"] == PUBLIC
    assert key.properties["KeyManager"].reason == "access_denied"


def test_a_replica_is_a_key(canned: Callable[..., Any], collect: Any) -> None:
    """As in AWS Config: whatever is encrypted with it names a key."""
    metadata = KEYS["kms:DescribeKey"]["KeyMetadata"] | {
        "MultiRegion": True, "MultiRegionConfiguration": {"MultiRegionKeyType": "REPLICA"}
    }  # fmt: skip
    (key,) = collect(canned({**KEYS, "kms:DescribeKey": {"KeyMetadata": metadata}}), KEY)
    assert (key.type, key.properties["MultiRegion"]) == (KEY, True)


def test_a_secret(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:shop-abcdef"
    listed = {"ARN": arn, "Name": "shop", "RotationEnabled": True, "LastRotatedDate": DAY,
              "RotationRules": {"AutomaticallyAfterDays": 30}, "Tags": [{"Key": "a", "Value": "b"}]}  # fmt: skip
    bare = {"ARN": arn + "2", "Name": "bare"}
    policies = {arn: {"ResourcePolicy": json.dumps(PUBLIC)}}
    account = canned(
        {
            "secretsmanager:ListSecrets": {"SecretList": [listed, bare]},
            "secretsmanager:GetResourcePolicy": lambda a: policies.get(a["SecretId"], {"Name": "bare"}),
        }
    )
    secret, other = collect(account, SECRET)
    assert (secret.id, secret.arn, secret.properties["Id"], secret.tags) == ("shop", arn, arn, {"a": "b"})
    assert secret.properties["LastRotatedDate"] == "2026-03-04T05:06:07Z"
    assert secret.related["rotation_schedules"] == [
        {"SecretId": arn, "RotationRules": {"AutomaticallyAfterDays": 30}}
    ]
    assert secret.related["policies"][0]["ResourcePolicy"] == PUBLIC
    assert "KmsKeyId" not in other.properties
    assert other.related == {"rotation_schedules": [], "policies": []}
    assert set(collect.last.whole) == {SECRET, "AWS::SecretsManager::RotationSchedule",
                                       "AWS::SecretsManager::ResourcePolicy"}  # fmt: skip


def test_a_certificate(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    asked: list[Any] = []

    def listed(arguments: Any) -> Any:
        asked.append(arguments["Includes"])
        return {
            "CertificateSummaryList": [
                {"CertificateArn": arn, "DomainName": "example.com", "KeyAlgorithm": "RSA_2048", "Type": "PRIVATE",
                 "Status": "ISSUED", "NotAfter": DAY}
            ]
        }  # fmt: skip

    account = canned(
        {
            "acm:ListCertificates": listed,
            "acm:DescribeCertificate": {
                "Certificate": {
                    "CertificateArn": arn,
                    "KeyAlgorithm": "RSA-2048",
                    "SubjectAlternativeNames": ["example.com"],
                    "InUseBy": [],
                    "Options": {"CertificateTransparencyLoggingPreference": "DISABLED"},
                }
            },
            "acm:ListTagsForCertificate": {"Tags": []},
        }
    )
    (certificate,) = collect(account, CERTIFICATE)
    assert len(asked[0]["keyTypes"]) == 7  # not only RSA of 2048 bits
    properties = certificate.properties
    assert properties["KeyAlgorithm"] == "RSA_2048"
    assert properties["CertificateTransparencyLoggingPreference"] == "DISABLED"
    assert properties["NotAfter"] == "2026-03-04T05:06:07Z"
    assert properties["Id"] == arn
    assert "CertificateAuthorityArn" not in properties


def test_a_private_authority(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:acm-pca:us-east-1:123456789012:certificate-authority/12345678-1234-1234-1234-123456789012"
    authority = {"Arn": arn, "Type": "ROOT", "Status": "ACTIVE", "NotAfter": DAY,
                 "CertificateAuthorityConfiguration": {"KeyAlgorithm": "RSA_2048", "Subject": {"CommonName": "ca"}}}  # fmt: skip
    gone = {**authority, "Arn": arn[:-1] + "9", "Status": "DELETED"}
    answers = {
        "acm-pca:ListCertificateAuthorities": {"CertificateAuthorities": [authority, gone]},
        "acm-pca:ListTags": {"Tags": []},
    }
    (found,) = collect(canned(answers), "AWS::ACMPCA::CertificateAuthority")
    assert (found.id, found.properties["KeyAlgorithm"]) == (arn, "RSA_2048")
    assert found.properties["Subject"] == {"CommonName": "ca"}


def test_over_http(account: Any, aws: Any, collect: Any) -> None:
    kms = aws("kms", "eu-west-3")
    key = kms.create_key(Tags=[{"TagKey": "Owner", "TagValue": "a"}])["KeyMetadata"]["KeyId"]
    kms.enable_key_rotation(KeyId=key)
    kms.create_alias(AliasName="alias/shop", TargetKeyId=key)
    keys = collect(account, KEY, region="eu-west-3")
    assert not collect.last.failures
    found = next(k for k in keys if k.id == key)
    assert found.properties["EnableKeyRotation"] is True
    assert found.tags == {"Owner": "a"}
    assert found.properties["KeyPolicy"]["Version"] == "2012-10-17"
    aliases = {a.id: a for a in collect(account, "AWS::KMS::Alias", region="eu-west-3")}
    assert aliases["alias/shop"].properties == {"AliasName": "alias/shop", "TargetKeyId": key}
    secrets = aws("secretsmanager", "eu-west-3")
    secrets.create_secret(Name="shop", SecretString="not collected")
    (secret,) = collect(account, SECRET, region="eu-west-3")
    assert secret.related["rotation_schedules"] == []
    assert secret.properties["SecretString"].reason == "not_collected"
    assert not collect.last.failures
