"""API Gateway over HTTP, and with answers as AWS documents them; AppSync."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from policyengine.model.values import Unresolved
from policyengine.sources.live.table import collector_of
from tests.live.judging import verdict

REST, STAGE, METHOD = "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage", "AWS::ApiGateway::Method"
ACL = "arn:aws:wafv2:us-east-1:123456789012:regional/webacl/a/1"
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"}
    ],
}


def test_rest_apis_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-1"
    api = aws("apigateway", region)
    made = api.create_rest_api(
        name="orders",
        endpointConfiguration={"types": ["PRIVATE"]},
        policy=json.dumps(PUBLIC),
        tags={"Owner": "me"},
    )["id"]
    (root,) = api.get_resources(restApiId=made)["items"]
    path = api.create_resource(restApiId=made, parentId=root["id"], pathPart="paid")["id"]
    for verb, kind in (("GET", "NONE"), ("POST", "AWS_IAM")):
        api.put_method(restApiId=made, resourceId=path, httpMethod=verb, authorizationType=kind)
        api.put_integration(
            restApiId=made, resourceId=path, httpMethod=verb, type="MOCK", integrationHttpMethod="POST"
        )
    deployed = api.create_deployment(restApiId=made)["id"]
    api.create_stage(restApiId=made, stageName="live", deploymentId=deployed, tracingEnabled=True)
    change = {"op": "replace", "path": "/*/*/logging/loglevel", "value": "INFO"}
    api.update_stage(restApiId=made, stageName="live", patchOperations=[change])
    (rest,) = collect(account, REST, region=region)
    p = rest.properties
    assert (p["RestApiId"], p["Name"], rest.tags) == (made, "orders", {"Owner": "me"})
    assert p["EndpointConfiguration"]["Types"] == ["PRIVATE"]
    assert p["Policy"] == PUBLIC
    assert verdict("private-api-policy-not-public", rest) == "FAIL"
    (stage,) = collect(account, STAGE, region=region)
    assert stage.id == f"{made}|live"
    assert stage.arn == f"arn:aws:apigateway:{region}::/restapis/{made}/stages/live"
    assert (stage.properties["RestApiId"], stage.properties["TracingEnabled"]) == (made, True)
    (setting,) = stage.properties["MethodSettings"]
    assert (setting["ResourcePath"], setting["HttpMethod"], setting["LoggingLevel"]) == ("/*", "*", "INFO")
    assert "AccessLogSetting" not in stage.properties
    assert stage.related == {"web_acl_associations": []}
    assert verdict("rest-stage-execution-logs", stage, [rest]) == "PASS"
    assert verdict("rest-stage-access-logs", stage, [rest]) == "FAIL"
    assert verdict("rest-stage-traced", stage, [rest]) == "PASS"
    found = {r.properties["HttpMethod"]: r for r in collect(account, METHOD, region=region)}
    assert found["GET"].id == f"{made}|{path}|GET"
    assert found["GET"].properties["AuthorizationType"] == "NONE"
    assert found["POST"].properties["AuthorizationType"] == "AWS_IAM"
    assert found["POST"].properties["Integration"]["Type"] == "MOCK"


def _stages(canned: Callable[..., Any], stage: dict[str, Any], **api: Any) -> Any:
    return canned({
        "apigateway:GetRestApis": {"items": [{"id": "a", "name": "n", **api}]},
        "apigateway:GetStages": {"item": [{"stageName": "live", **stage}]},
    })  # fmt: skip


def test_a_policy_with_backslashes(canned: Callable[..., Any], collect: Any) -> None:
    text = json.dumps(json.dumps(PUBLIC))[1:-1]
    (rest,) = collect(_stages(canned, {}, policy=text, apiKeySource="HEADER"), REST)
    assert rest.properties["Policy"] == PUBLIC
    assert rest.properties["ApiKeySourceType"] == "HEADER"
    (rest,) = collect(_stages(canned, {}, policy="{broken"), REST)
    assert isinstance(rest.properties["Policy"], Unresolved)
    (rest,) = collect(_stages(canned, {}), REST)
    assert "Policy" not in rest.properties


@pytest.mark.parametrize(
    ("key", "path", "method"),
    [("*/*", "/*", "*"), ("~1pets~1{id}/GET", "/~1pets~1{id}", "GET"), ("pets/ANY", "/~1pets", "ANY"), ("~1/GET", "/", "GET")],
)  # fmt: skip
def test_keys_of_method_settings(
    canned: Callable[..., Any], collect: Any, key: str, path: str, method: str
) -> None:
    setting = {"cachingEnabled": True, "throttlingRateLimit": -1.0, "throttlingBurstLimit": -1}
    (stage,) = collect(_stages(canned, {"methodSettings": {key: setting}}), STAGE)
    assert stage.properties["MethodSettings"] == [
        {"CachingEnabled": True, "HttpMethod": method, "ResourcePath": path}
    ]


def test_a_stage_with_everything(canned: Callable[..., Any], collect: Any) -> None:
    log = "arn:aws:logs:us-east-1:123456789012:log-group:api"
    settings = {"*/*": {"throttlingRateLimit": 100.0, "cacheDataEncrypted": False, "cachingEnabled": True}}
    stage = {"accessLogSettings": {"destinationArn": log, "format": "$context.requestId"}, "webAclArn": ACL,
             "cacheClusterEnabled": True, "methodSettings": settings}  # fmt: skip
    account = _stages(canned, stage, endpointConfiguration={"types": ["REGIONAL"]})
    (api,) = collect(account, REST)
    (found,) = collect(account, STAGE)
    assert found.properties["AccessLogSetting"]["DestinationArn"] == log
    assert found.related["web_acl_associations"] == [{"WebACLArn": ACL}]
    judged = {rule: verdict(rule, found, [api]) for rule in (
        "rest-stage-access-logs", "api-throttled", "api-gateway-stage-behind-waf", "apigateway-cache-encrypted",
    )}  # fmt: skip
    assert list(judged.values()) == ["PASS", "PASS", "PASS", "FAIL"]


def test_what_a_method_calls(canned: Callable[..., Any], collect: Any) -> None:
    called = {
        "type": "AWS",
        "httpMethod": "POST",
        "uri": "u",
        "integrationResponses": {"200": {"statusCode": "200"}},
    }
    method = {"httpMethod": "GET", "authorizationType": "AWS_IAM", "apiKeyRequired": True, "methodIntegration": called,
              "methodResponses": {"200": {"statusCode": "200"}}}  # fmt: skip
    account = canned({
        "apigateway:GetRestApis": {"items": [{"id": "a", "name": "n"}]},
        "apigateway:GetResources": {"items": [{"id": "r", "path": "/", "resourceMethods": {"GET": method}}]},
    })  # fmt: skip
    (found,) = collect(account, METHOD)
    assert found.properties["Integration"] == {
        "Type": "AWS", "IntegrationHttpMethod": "POST", "Uri": "u", "IntegrationResponses": [{"StatusCode": "200"}]
    }  # fmt: skip
    assert found.properties["MethodResponses"] == [{"StatusCode": "200"}]
    assert found.properties["ApiKeyRequired"] is True


def test_methods_that_are_not_shown(canned: Callable[..., Any], collect: Any) -> None:
    account = canned({
        "apigateway:GetRestApis": {"items": [{"id": "a", "name": "n"}]},
        "apigateway:GetResources": {"items": [{"id": "r", "path": "/", "resourceMethods": {"GET": {}}}, {"id": "s"}]},
    })  # fmt: skip
    (method,) = collect(account, METHOD)
    assert isinstance(method.properties["AuthorizationType"], Unresolved)


def test_domain_names_are_told_once(canned: Callable[..., Any], collect: Any) -> None:
    domain = {"domainName": "api.example.com", "securityPolicy": "TLS_1_0", "tags": {"a": "b"}}
    account = canned({"apigateway:GetDomainNames": {"items": [domain]}})
    (found,) = collect(account, "AWS::ApiGateway::DomainName")
    assert (found.id, found.tags) == ("api.example.com", {"a": "b"})
    assert verdict("apigateway-domain-tls", found) == "FAIL"
    assert collector_of("AWS::ApiGatewayV2::DomainName") is None


def test_http_apis(canned: Callable[..., Any], collect: Any) -> None:
    route = {
        "RouteId": "r",
        "RouteKey": "GET /",
        "AuthorizationType": "JWT",
        "RequestParameters": {"a": {"Required": True}},
    }
    stage = {"StageName": "$default", "DefaultRouteSettings": {"ThrottlingRateLimit": 10.0}, "Tags": {"a": "b"},
             "RouteSettings": {"GET /": {"ThrottlingBurstLimit": 1}}}  # fmt: skip
    account = canned({
        "apigatewayv2:GetApis": {"Items": [{"ApiId": "h", "Name": "n", "ProtocolType": "HTTP"}]},
        "apigatewayv2:GetStages": {"Items": [stage]},
        "apigatewayv2:GetRoutes": {"Items": [route]},
    })  # fmt: skip
    (api,) = collect(account, "AWS::ApiGatewayV2::Api")
    assert (api.id, api.properties["ProtocolType"], api.tags) == ("h", "HTTP", {})
    assert "CorsConfiguration" not in api.properties
    (found,) = collect(account, "AWS::ApiGatewayV2::Stage")
    assert (found.id, found.properties["ApiId"], found.tags) == ("h|$default", "h", {"a": "b"})
    assert found.properties["DefaultRouteSettings"] == {"ThrottlingRateLimit": 10.0}
    (found,) = collect(account, "AWS::ApiGatewayV2::Route")
    assert (found.properties["ApiId"], found.properties["AuthorizationType"]) == ("h", "JWT")
    assert isinstance(found.properties["RequestParameters"], Unresolved)


def test_graphs(canned: Callable[..., Any], collect: Any) -> None:
    from tests.live.conftest import failure

    arn = "arn:aws:appsync:us-east-1:123456789012:apis"
    one = {"apiId": "a", "arn": f"{arn}/a", "name": "n", "visibility": "GLOBAL", "owner": "123456789012",
           "logConfig": {"fieldLogLevel": "ALL", "cloudWatchLogsRoleArn": "r"}, "wafWebAclArn": ACL,
           "uris": {"GRAPHQL": "https://a"}}  # fmt: skip
    two = {"apiId": "b", "arn": f"{arn}/b", "name": "m", "visibility": "GLOBAL", "tags": {"x": "y"}}
    cache = {"apiCache": {"atRestEncryptionEnabled": True, "transitEncryptionEnabled": False, "ttl": 3}}
    account = canned({
        "appsync:ListGraphqlApis": {"graphqlApis": [one, two, {**two, "apiId": "c", "owner": "111122223333"}]},
        "appsync:GetApiCache": lambda a: (
            cache if a["apiId"] == "a" else failure("appsync:GetApiCache", "NotFoundException", "read_error")
        ),
    })  # fmt: skip
    needs = {"AWS::AppSync::GraphQLApi": frozenset({"tags"})}
    first, second = collect(account, "AWS::AppSync::GraphQLApi", needs=needs)
    assert first.properties["GraphQLUrl"] == "https://a"
    assert first.properties["LogConfig"]["FieldLogLevel"] == "ALL"
    assert second.tags == {"x": "y"}
    assert "LogConfig" not in second.properties
    assert [verdict("appsync-behind-waf", each) for each in (first, second)] == ["PASS", "FAIL"]
    (found,) = collect(account, "AWS::AppSync::ApiCache")
    p = found.properties
    assert (p["ApiId"], p["AtRestEncryptionEnabled"], p["TransitEncryptionEnabled"]) == ("a", True, False)
