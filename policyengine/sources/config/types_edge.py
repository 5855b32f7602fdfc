"""API Gateway, CloudFront and ACM, as AWS Config records them."""

from __future__ import annotations

import re
from typing import Any, Final

from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType, under

Json = dict[str, Any]
_API: Final = re.compile(r"/(?:restapis|apis)/([^/]+)")


def _api_of(item: Item) -> str | None:
    found = _API.search(item.arn or "") or _API.search(item.id)
    return found[1] if found else None


def _stage(item: Item) -> Json:
    given = item.configuration
    settings = given.get("methodSettings")
    return {
        **given,
        "RestApiId": _api_of(item),
        "methodSettings": [_method(path, below) for path, below in settings.items()] if isinstance(settings, dict)
        else settings,
    }  # fmt: skip


def _method(path: str, settings: Any) -> Json:
    """``*/*``, or the path with ``~1`` for its slashes and the method.

    https://docs.aws.amazon.com/apigateway/latest/api/API_MethodSetting.html
    """
    resource, _, method = path.rpartition("/")
    resource = resource.replace("~1", "/").replace("~0", "~")
    found = settings if isinstance(settings, dict) else {}
    return {
        **found,
        "HttpMethod": method,
        "ResourcePath": "/*" if resource == "*" else f"/{resource.lstrip('/')}",
    }


def _rest_api(item: Item) -> Json:
    return {**item.configuration, "RestApiId": item.configuration.get("id") or _api_of(item)}


def _http_stage(item: Item) -> Json:
    return {**item.configuration, "ApiId": _api_of(item)}


def _certificate(item: Item) -> Json:
    given = item.configuration
    algorithm = given.get("keyAlgorithm")
    return {
        **{name: value for name, value in given.items() if name not in ("options", "keyAlgorithm")},
        "Id": given.get("certificateArn") or item.arn,
        "KeyAlgorithm": algorithm.replace("-", "_") if isinstance(algorithm, str) else None,
        "CertificateTransparencyLoggingPreference": under(
            given, "options", "certificateTransparencyLoggingPreference"
        ),
    }


_NEWER: Final = (
    "Origins.OriginAccessControlId",
    "Origins.VpcOriginConfig",
    *(
        f"{behavior}.{name}"
        for behavior in ("DefaultCacheBehavior", "CacheBehaviors")
        for name in ("CachePolicyId", "OriginRequestPolicyId", "ResponseHeadersPolicyId", "TrustedKeyGroups")
    ),
)
"""What CloudFront has had since AWS Config's schema of a distribution was last extended
(https://github.com/awslabs/aws-config-resource-schema, AWS::CloudFront::Distribution)."""
TYPES = (
    ConfigType(
        "AWS::ApiGateway::Stage",
        id="{RestApiId}|{StageName}",
        rename={"accessLogSettings": "AccessLogSetting", "canarySettings": "CanarySetting"},
        shape=_stage,
        recorded=(
            "AccessLogSetting",
            "ClientCertificateId",
            "WebAclArn",
            "CacheClusterSize",
            "CanarySetting",
        ),
    ),
    ConfigType("AWS::ApiGateway::RestApi", shape=_rest_api),
    ConfigType(
        "AWS::ApiGatewayV2::Stage",
        id="{ApiId}|{StageName}",
        shape=_http_stage,
        recorded=("AccessLogSettings", "ClientCertificateId", "RouteSettings"),
    ),
    ConfigType("AWS::ApiGatewayV2::Api", recorded=("CorsConfiguration",)),
    ConfigType(
        "AWS::CloudFront::Distribution",
        id="Id",
        rename={
            "distributionConfig.origins.customHeaders": "OriginCustomHeaders",
            "distributionConfig.isIPV6Enabled": "IPV6Enabled",
        },
        unknown=tuple(f"DistributionConfig.{path}" for path in _NEWER),
    ),
    ConfigType(
        "AWS::CertificateManager::Certificate",
        config="AWS::ACM::Certificate",
        shape=_certificate,
        recorded=("NotAfter", "NotBefore", "CertificateAuthorityArn"),
    ),
)
