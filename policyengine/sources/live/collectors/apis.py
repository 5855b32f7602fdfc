"""API Gateway, of REST, HTTP and WebSocket APIs, and AppSync."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from policyengine.model.values import Unresolved
from policyengine.sources.live.spec import Collector, Parent, Step
from policyengine.sources.shaping import document

Json = dict[str, Any]
_REST: Final = "AWS::ApiGateway::RestApi"
_HTTP: Final = "AWS::ApiGatewayV2::Api"
_GRAPH: Final = "AWS::AppSync::GraphQLApi"
_MANY: Final = {"limit": 500}
_GONE: Final = ("NotFoundException",)
_OF_REST: Final = Parent(_REST, {"restApiId": "{id}"})
_OF_HTTP: Final = Parent(_HTTP, {"ApiId": "{ApiId}"})
_ACLS: Final = "related.web_acl_associations"
_HELD: Final = {"AWS::WAFv2::WebACLAssociation": _ACLS}


def _rest_api(item: Json) -> Json:
    return {**item, "RestApiId": item["id"], "policy": _policy(item.get("policy"))}


def _policy(text: str | None) -> Any:
    """Its quotation marks may come with backslashes before them, as within a JSON text."""
    if not text:
        return None
    for written in (text, text.replace('\\"', '"')):
        found = document(written)
        if isinstance(found, dict):
            return found
    return Unresolved("read_error", "apigateway:GetRestApis: the policy is no JSON")


def _stage(item: Json) -> Json:
    return {
        **item,
        "RestApiId": item["parent"]["id"],
        "methodSettings": [_method_setting(*each) for each in (item.get("methodSettings") or {}).items()]
        or None,
        _ACLS: _association(item.get("webAclArn")),
    }


def _method_setting(key: str, setting: Json) -> Json:
    """``*/*`` is all methods; a limit below 0 is none.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html:
    of the slashes of a path all but the first are ``~1``.
    """
    path, _, method = key.rpartition("/")
    path = path.replace("~1", "/").lstrip("/")
    limits = {name: setting.get(name) for name in ("throttlingRateLimit", "throttlingBurstLimit")}
    return {
        **setting,
        **{name: value if value is not None and value >= 0 else None for name, value in limits.items()},
        "HttpMethod": method,
        "ResourcePath": "/*" if path == "*" else f"/~1{path.replace('/', '~1')}" if path else "/",
    }


def _association(acl: str | None) -> list[Json]:
    """A web ACL of AWS WAF Classic has no association of its own."""
    return [{"WebACLArn": acl}] if acl and ":wafv2:" in acl else []


def _methods(item: Json) -> Iterator[Json]:
    for verb, method in (item.get("resourceMethods") or {}).items():
        yield {
            "authorizationType": Unresolved(
                "not_collected", "apigateway:GetResources does not show the method"
            ),
            **{name: value for name, value in method.items() if name != "httpMethod"},
            "HttpMethod": verb,
            "ResourceId": item["id"],
            "RestApiId": item["parent"]["id"],
        }


def _method(item: Json) -> Json:
    responses, integration = item.get("methodResponses"), item.get("methodIntegration")
    return {
        **item,
        "methodResponses": list(responses.values()) if responses else None,
        "Integration": _integration(integration) if integration else None,
    }


def _integration(given: Json) -> Json:
    responses = given.get("integrationResponses")
    return {
        **given,
        "IntegrationHttpMethod": given.get("httpMethod"),
        "integrationResponses": list(responses.values()) if responses else None,
    }


def _graph(item: Json) -> Json:
    addresses, hosts = item.get("uris") or {}, item.get("dns") or {}
    return {
        **item,
        "GraphQLUrl": addresses.get("GRAPHQL"),
        "RealtimeUrl": addresses.get("REALTIME"),
        "GraphQLDns": hosts.get("GRAPHQL"),
        "RealtimeDns": hosts.get("REALTIME"),
        _ACLS: _association(item.get("wafWebAclArn")),
    }


COLLECTORS = (
    Collector(
        _REST,
        "apigateway",
        Step("GetRestApis", "items", _MANY, rename={"apiKeySource": "ApiKeySourceType"}),
        id="{id}",
        arn="arn:{partition}:apigateway:{region}::/restapis/{id}",
        tags="tags",
        shape=_rest_api,
        gives=("RestApiId",),
    ),
    Collector(
        "AWS::ApiGateway::Stage",
        "apigateway",
        Step(
            "GetStages",
            "item",
            gone=_GONE,
            rename={"accessLogSettings": "AccessLogSetting", "canarySettings": "CanarySetting"},
        ),
        id="{parent.id}|{stageName}",
        arn="arn:{partition}:apigateway:{region}::/restapis/{parent.id}/stages/{stageName}",
        tags="tags",
        parent=_OF_REST,
        shape=_stage,
        gives=("RestApiId", _ACLS),
        also=_HELD,
    ),
    Collector(
        "AWS::ApiGateway::Method",
        "apigateway",
        Step("GetResources", "items", {**_MANY, "embed": ["methods"]}, gone=_GONE),
        id="{RestApiId}|{ResourceId}|{HttpMethod}",
        tags="",
        parent=_OF_REST,
        expand=_methods,
        shape=_method,
        gives=(
            "ApiKeyRequired", "AuthorizationScopes", "AuthorizationType", "AuthorizerId", "HttpMethod", "Integration",
            "MethodResponses", "OperationName", "RequestModels", "RequestParameters", "RequestValidatorId",
            "ResourceId", "RestApiId",
        ),
    ),
    Collector(
        "AWS::ApiGateway::DomainName",
        "apigateway",
        Step("GetDomainNames", "items", _MANY),
        id="{domainName}",
        arn="arn:{partition}:apigateway:{region}::/domainnames/{domainName}",
        tags="tags",
    ),
    Collector(
        _HTTP,
        "apigatewayv2",
        Step("GetApis", "Items"),
        id="{ApiId}",
        arn="arn:{partition}:apigateway:{region}::/apis/{ApiId}",
    ),
    Collector(
        "AWS::ApiGatewayV2::Stage",
        "apigatewayv2",
        Step("GetStages", "Items", gone=_GONE),
        id="{parent.ApiId}|{StageName}",
        arn="arn:{partition}:apigateway:{region}::/apis/{parent.ApiId}/stages/{StageName}",
        parent=_OF_HTTP,
        shape=lambda item: {**item, "ApiId": item["parent"]["ApiId"]},
        gives=("ApiId",),
    ),
    Collector(
        "AWS::ApiGatewayV2::Route",
        "apigatewayv2",
        Step("GetRoutes", "Items", gone=_GONE, rename={"RequestParameters": ""}),
        id="{parent.ApiId}|{RouteId}",
        tags="",
        parent=_OF_HTTP,
        shape=lambda item: {**item, "ApiId": item["parent"]["ApiId"]},
        gives=("ApiId",),
    ),
    Collector(
        _GRAPH,
        "appsync",
        Step("ListGraphqlApis", "graphqlApis"),
        id="{apiId}",
        arn="{arn}",
        tags="tags",
        keep=lambda item, names: item.get("owner") in (None, names["account"]),
        shape=_graph,
        gives=("GraphQLUrl", "RealtimeUrl", "GraphQLDns", "RealtimeDns", _ACLS),
        details=(
            Step(
                "GetGraphqlApiEnvironmentVariables",
                "environmentVariables",
                {"apiId": "{apiId}"},
                into="EnvironmentVariables",
                gone=_GONE,
                only_named=True,
            ),
        ),
        also=_HELD,
    ),
    Collector(
        "AWS::AppSync::ApiCache",
        "appsync",
        Step("GetApiCache", "apiCache", gone=_GONE),
        id="{parent.apiId}",
        tags="",
        parent=Parent(_GRAPH, {"apiId": "{apiId}"}),
        shape=lambda item: {**item, "ApiId": item["parent"]["apiId"]},
        gives=("ApiId",),
    ),
)  # fmt: skip
