"""Keys, secrets and certificates: KMS, Secrets Manager, ACM and ACM Private CA."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_KEY: Final = {"KeyId": "{KeyId}"}
_SECRET: Final = {"SecretId": "{ARN}"}
_CERTIFICATE: Final = {"CertificateArn": "{CertificateArn}"}
_NO_KEY: Final = ("NotFoundException",)
_GONE: Final = ("ResourceNotFoundException",)
_ALGORITHMS: Final = (
    "RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1",
)  # fmt: skip
"""Without them ACM lists RSA of 1024 and 2048 bits only:
https://docs.aws.amazon.com/acm/latest/APIReference/API_Filters.html"""


def _grants(found: list[Json], _item: Json) -> list[Json]:
    """A service may stand in a field of its own:
    https://docs.aws.amazon.com/kms/latest/APIReference/API_GrantListEntry.html
    """
    return [
        {
            **grant,
            **{
                f"{who}Principal": grant.get(f"{who}Principal") or grant.get(f"{who}ServicePrincipal")
                for who in ("Grantee", "Retiring")
            },
        }
        for grant in found
    ]


def _schedule(_context: Context, item: Json) -> Json:
    """The listing says how a secret is rotated; that needs no call."""
    if not item.get("RotationEnabled"):
        return {"SecretList": []}
    names = ("RotationLambdaARN", "RotationRules", "ExternalSecretRotationRoleArn")
    return {"SecretList": [{"SecretId": item["ARN"], **{name: item.get(name) for name in names}}]}


def _secret_policy(result: Json, item: Json) -> list[Json]:
    """Whether public policies were refused when it was put, nobody shows."""
    if not result.get("ResourcePolicy"):
        return []
    hidden = Unresolved("not_collected", "secretsmanager:GetResourcePolicy does not give it")
    return [
        {"SecretId": item["ARN"], "ResourcePolicy": result["ResourcePolicy"], "BlockPublicPolicy": hidden}
    ]


def _described_certificate(result: Json, _item: Json) -> Json:
    """The algorithm is spelt otherwise here (``RSA-2048``) than where one is asked for; the listing's is right."""
    options = result.get("Options") or {}
    validation = next((o.get("ValidationMethod") for o in result.get("DomainValidationOptions") or ()), None)
    names = ("CertificateAuthorityArn", "SubjectAlternativeNames", "InUseBy")
    return {
        **{name: result.get(name) for name in names},
        "CertificateTransparencyLoggingPreference": options.get("CertificateTransparencyLoggingPreference"),
        "CertificateExport": options.get("Export"),
        "ValidationMethod": validation,
    }


_REQUESTED: Final = ("KeyAlgorithm", "SigningAlgorithm", "Subject", "CsrExtensions")


def _authority(item: Json) -> Json:
    own = item.get("CertificateAuthorityConfiguration") or {}
    given = {name: own.get(name) for name in _REQUESTED}
    return {**item, **given}


KMS = (
    Collector(
        "AWS::KMS::Key",
        "kms",
        Step("ListKeys", "Keys"),
        id="{KeyId}",
        arn="{KeyArn}",
        describe=Step("DescribeKey", "KeyMetadata", _KEY, gone=_NO_KEY),
        tags="",
        unknown=("PendingWindowInDays",),
        details=(
            Step("GetKeyPolicy", "Policy", {**_KEY, "PolicyName": "default"}, into="KeyPolicy", gone=_NO_KEY),
            Step(
                "GetKeyRotationStatus",
                "",
                _KEY,
                gives=("EnableKeyRotation", "RotationPeriodInDays"),
                rename={"KeyRotationEnabled": "EnableKeyRotation", "KeyId": ""},
                none=("UnsupportedOperationException",),
                gone=_NO_KEY,
            ),
            Step(
                "ListGrants",
                "Grants",
                _KEY,
                into="Grants",
                gone=_NO_KEY,
                paged=True,
                only_named=True,
                shape=_grants,
            ),
            Step(
                "ListKeyRotations",
                "Rotations",
                _KEY,
                gives=("LastRotationDate",),
                shape=lambda rotations, _item: {
                    "LastRotationDate": max((r["RotationDate"] for r in rotations), default=None)
                },
                none=("UnsupportedOperationException",),
                gone=_NO_KEY,
                paged=True,
                only_named=True,
            ),
            Step("ListResourceTags", "Tags", _KEY, gives=("tags",), gone=_NO_KEY, paged=True),
        ),
    ),
    Collector(
        "AWS::KMS::Alias",
        "kms",
        Step("ListAliases", "Aliases"),
        id="{AliasName}",
        arn="{AliasArn}",
        tags="",
    ),
)

COLLECTORS = (
    *KMS,
    Collector(
        "AWS::SecretsManager::Secret",
        "secretsmanager",
        Step("ListSecrets", "SecretList", rename={"ARN": "Id"}),
        id="{Name}",
        arn="{ARN}",
        details=(
            Step(
                "ListSecrets",
                "SecretList",
                into="related.rotation_schedules",
                gives=("related.rotation_schedules",),
                ask=_schedule,
            ),
            Step(
                "GetResourcePolicy",
                "",
                _SECRET,
                into="related.policies",
                gives=("related.policies",),
                gone=_GONE,
                shape=_secret_policy,
            ),
        ),
        also={
            "AWS::SecretsManager::RotationSchedule": "related.rotation_schedules",
            "AWS::SecretsManager::ResourcePolicy": "related.policies",
        },
    ),
    Collector(
        "AWS::CertificateManager::Certificate",
        "acm",
        Step("ListCertificates", "CertificateSummaryList", {"Includes": {"keyTypes": list(_ALGORITHMS)}}),
        id="{CertificateArn}",
        arn="{CertificateArn}",
        tags="",
        shape=lambda item: {**item, "Id": item["CertificateArn"]},
        gives=("Id",),
        details=(
            Step(
                "DescribeCertificate",
                "Certificate",
                _CERTIFICATE,
                gives=(
                    "CertificateAuthorityArn",
                    "SubjectAlternativeNames",
                    "InUseBy",
                    "CertificateTransparencyLoggingPreference",
                    "CertificateExport",
                    "ValidationMethod",
                ),
                gone=_GONE,
                shape=_described_certificate,
            ),
            Step("ListTagsForCertificate", "Tags", _CERTIFICATE, gives=("tags",), gone=_GONE),
        ),
    ),
    Collector(
        "AWS::ACMPCA::CertificateAuthority",
        "acm-pca",
        Step("ListCertificateAuthorities", "CertificateAuthorities"),
        id="{Arn}",
        arn="{Arn}",
        tags="",
        shape=_authority,
        gives=_REQUESTED,
        keep=lambda item, _names: item.get("Status") != "DELETED",
        details=(
            Step(
                "ListTags",
                "Tags",
                {"CertificateAuthorityArn": "{Arn}"},
                gives=("tags",),
                gone=_GONE,
                paged=True,
            ),
        ),
    ),
)
