"""What else IAM keeps in an account: instance profiles, identity providers, server certificates."""

from __future__ import annotations

from typing import Any

from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]


def _role_names(item: Json) -> Json:
    return {**item, "Roles": [role["RoleName"] for role in item.get("Roles") or ()]}


def _with_scheme(result: Json, _item: Json) -> Json:
    """AWS leaves the scheme out; only https is allowed:
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
    """
    url = result.get("Url")
    if url is None or "://" in url:
        return result
    return {**result, "Url": f"https://{url}"}


_CERTIFICATE = {"ServerCertificateName": "{ServerCertificateName}"}

COLLECTORS = (
    Collector(
        "AWS::IAM::InstanceProfile",
        "iam",
        Step("ListInstanceProfiles", "InstanceProfiles", {"MaxItems": 1000}),
        id="{InstanceProfileName}",
        arn="{Arn}",
        shape=_role_names,
        tags="",
    ),
    Collector(
        "AWS::IAM::OIDCProvider",
        "iam",
        Step("ListOpenIDConnectProviders", "OpenIDConnectProviderList"),
        id="{Arn}",
        arn="{Arn}",
        describe=Step(
            "GetOpenIDConnectProvider",
            "",
            {"OpenIDConnectProviderArn": "{Arn}"},
            gone=("NoSuchEntity",),
            shape=_with_scheme,
        ),
    ),
    Collector(
        "AWS::IAM::SAMLProvider",
        "iam",
        Step("ListSAMLProviders", "SAMLProviderList"),
        id="{Arn}",
        arn="{Arn}",
        describe=Step(
            "GetSAMLProvider",
            "",
            {"SAMLProviderArn": "{Arn}"},
            gone=("NoSuchEntity",),
            rename={"PrivateKeyList": ""},
        ),
        shape=lambda item: {**item, "Name": item["Arn"].rpartition("/")[2]},
        gives=("Name",),
    ),
    Collector(
        "AWS::IAM::ServerCertificate",
        "iam",
        Step("ListServerCertificates", "ServerCertificateMetadataList", {"MaxItems": 1000}),
        id="{ServerCertificateName}",
        arn="{Arn}",
        tags="",
        details=(
            Step(
                "ListServerCertificateTags",
                "Tags",
                _CERTIFICATE,
                gives=("tags",),
                gone=("NoSuchEntity",),
                paged=True,
            ),
        ),
    ),
)
