"""Lambda: functions over HTTP, the rest with answers as AWS documents them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import failure
from tests.live.judging import verdict

FUNCTION, LAYER = "AWS::Lambda::Function", "AWS::Lambda::LayerVersion"
ARN = "arn:aws:lambda:us-east-1:123456789012:function:orders"
ROLE = "arn:aws:iam::123456789012:role/lambda"
PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": ARN}],
}
DAY = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
NONE = "ResourceNotFoundException"
LISTED: dict[str, Any] = {
    "FunctionName": "orders", "FunctionArn": ARN, "Runtime": "python3.13", "Role": ROLE, "Timeout": 30,
    "KMSKeyArn": "arn:aws:kms:us-east-1:123456789012:key/k", "TracingConfig": {"Mode": "Active"},
    "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""}, "PackageType": "Zip",
    "Layers": [{"Arn": "arn:aws:lambda:us-east-1:123456789012:layer:a:1", "CodeSize": 1}],
    "Environment": {"Variables": {"TABLE": "orders"}}, "LastModified": "2026-03-04T05:06:07.000+0000",
}  # fmt: skip


def _answers(**more: Any) -> dict[str, Any]:
    return {
        "lambda:ListFunctions": {"Functions": [LISTED]},
        "lambda:ListTags": {"Tags": {"Owner": "web"}},
        "lambda:ListAliases": {"Aliases": []},
        "lambda:GetPolicy": failure("lambda:GetPolicy", NONE, "read_error"),
        "lambda:GetFunctionConcurrency": {},
        "lambda:GetFunctionCodeSigningConfig": {"FunctionName": "orders"},
        **{f"lambda:{name}": answer for name, answer in more.items()},
    }


def test_a_function(canned: Callable[..., Any], collect: Any) -> None:
    account = canned(_answers(GetFunctionConcurrency={"ReservedConcurrentExecutions": 5}))
    (function,) = collect(account, FUNCTION)
    p = function.properties
    assert (function.id, function.arn, p["Arn"], function.tags) == ("orders", ARN, ARN, {"Owner": "web"})
    assert p["KmsKeyArn"].startswith("arn:aws:kms")
    assert p["Layers"] == ["arn:aws:lambda:us-east-1:123456789012:layer:a:1"]
    assert p["Environment"] == {"Variables": {"TABLE": "orders"}}
    assert p["ReservedConcurrentExecutions"] == 5
    for name in ("VpcConfig", "DeadLetterConfig", "CodeSigningConfigArn", "ImageConfig"):
        assert name not in p, name
    for name in ("State", "Code", "RecursiveLoop"):
        assert p[name].reason == "not_collected", name
    assert function.related == {"policies": []}
    assert set(collect.last.whole) == {FUNCTION, "AWS::Lambda::Permission", "AWS::Lambda::ResourcePolicy"}
    assert not collect.last.failures
    for rule in ("lambda-traced", "lambda-policy-not-public"):
        assert verdict(rule, function) == "PASS", rule


def test_only_what_rules_read_is_asked(canned: Callable[..., Any], collect: Any) -> None:
    account = canned({"lambda:ListFunctions": {"Functions": [LISTED]}})
    (function,) = collect(account, FUNCTION, needs={FUNCTION: frozenset({"Runtime", "TracingConfig"})})
    assert account.log.operations() == {"lambda:ListFunctions"}
    assert function.related["policies"].reason == "not_collected"


def test_the_policy_of_an_alias_counts(canned: Callable[..., Any], collect: Any) -> None:
    def policy(arguments: Any) -> Any:
        if arguments.get("Qualifier") == "live":
            return {"Policy": json.dumps(PUBLIC)}
        return failure("lambda:GetPolicy", NONE, "read_error")

    aliases = {"Aliases": [{"AliasArn": f"{ARN}:live", "Name": "live"}]}
    (function,) = collect(canned(_answers(ListAliases=aliases, GetPolicy=policy)), FUNCTION)
    assert function.related["policies"] == [{"ResourceArn": f"{ARN}:live", "PolicyDocument": PUBLIC}]
    assert verdict("lambda-policy-not-public", function) == "FAIL"


def test_a_policy_that_may_not_be_read(canned: Callable[..., Any], collect: Any) -> None:
    denied = failure("lambda:GetPolicy", "AccessDeniedException")
    (function,) = collect(canned(_answers(GetPolicy=denied)), FUNCTION)
    assert verdict("lambda-policy-not-public", function) == "UNKNOWN"
    assert "AWS::Lambda::ResourcePolicy" not in collect.last.whole


def test_variables_lambda_could_not_decrypt(canned: Callable[..., Any], collect: Any) -> None:
    error = {"Error": {"ErrorCode": "AccessDeniedException", "Message": "no"}}
    (function,) = collect(
        canned(_answers(ListFunctions={"Functions": [{**LISTED, "Environment": error}]})), FUNCTION
    )
    assert function.properties["Environment"]["Variables"].reason == "access_denied"
    assert verdict("lambda-environment-without-secrets", function) == "UNKNOWN"


def test_code_of_images_is_not_signed(canned: Callable[..., Any], collect: Any) -> None:
    image = {**LISTED, "PackageType": "Image", "ImageConfigResponse": {"ImageConfig": {"Command": ["a"]}}}
    answers = _answers(ListFunctions={"Functions": [image]})
    del answers["lambda:GetFunctionCodeSigningConfig"]
    (function,) = collect(canned(answers), FUNCTION)
    assert function.properties["ImageConfig"] == {"Command": ["a"]}
    assert "CodeSigningConfigArn" not in function.properties


def test_addresses_and_invoke_settings(canned: Callable[..., Any], collect: Any) -> None:
    url = {"FunctionUrl": "https://x.lambda-url.us-east-1.on.aws/", "FunctionArn": f"{ARN}:live", "AuthType": "NONE",
           "CreationTime": "", "LastModifiedTime": ""}  # fmt: skip
    invoked = {"FunctionArn": f"{ARN}:$LATEST", "MaximumRetryAttempts": 0,
               "DestinationConfig": {"OnSuccess": {}, "OnFailure": {}}}  # fmt: skip
    account = canned(_answers(
        ListFunctionUrlConfigs={"FunctionUrlConfigs": [url]},
        ListFunctionEventInvokeConfigs={"FunctionEventInvokeConfigs": [invoked]},
    ))  # fmt: skip
    (found,) = collect(account, "AWS::Lambda::Url")
    assert found.properties["TargetFunctionArn"] == ARN
    assert found.properties["Qualifier"] == "live"
    assert "Cors" not in found.properties
    assert verdict("lambda-url-authenticated", found) == "FAIL"
    (settings,) = collect(account, "AWS::Lambda::EventInvokeConfig")
    p = settings.properties
    assert (p["FunctionName"], p["Qualifier"], p["MaximumRetryAttempts"]) == ("orders", "$LATEST", 0)
    assert "DestinationConfig" not in p


def test_event_sources(canned: Callable[..., Any], collect: Any) -> None:
    stream = {
        "UUID": "u", "EventSourceMappingArn": "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:u",
        "FunctionArn": f"{ARN}:live", "State": "Enabled", "StartingPosition": "AT_TIMESTAMP",
        "StartingPositionTimestamp": DAY, "DestinationConfig": {"OnFailure": {}},
        "EventSourceArn": "arn:aws:kinesis:us-east-1:123456789012:stream/s",
    }  # fmt: skip
    own = {"UUID": "k", "EventSourceMappingArn": "arn:aws:lambda:us-east-1:123456789012:event-source-mapping:k",
           "FunctionArn": ARN, "State": "Updating",
           "SelfManagedEventSource": {"Endpoints": {"KAFKA_BOOTSTRAP_SERVERS": ["a:9092"]}}}  # fmt: skip
    account = canned(_answers(ListEventSourceMappings={"EventSourceMappings": [stream, own]}))
    first, second = collect(account, "AWS::Lambda::EventSourceMapping")
    p, q = first.properties, second.properties
    assert (p["FunctionName"], p["Enabled"], p["StartingPositionTimestamp"]) == (
        "orders",
        True,
        DAY.timestamp(),
    )
    assert "DestinationConfig" not in p
    assert verdict("lambda-stream-failures-kept", first) == "FAIL"
    assert isinstance(q["Enabled"], Unresolved)
    assert q["SelfManagedEventSource"] == {"Endpoints": {"KafkaBootstrapServers": ["a:9092"]}}


def test_layers_are_shared_version_by_version(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:lambda:us-east-1:123456789012:layer:tools"

    def policy(arguments: Any) -> Any:
        statements = {
            1: {"Principal": "*"},
            2: {"Principal": {"AWS": "arn:aws:iam::210987654321:root"}},
            3: {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        }.get(arguments["VersionNumber"])
        if statements is None:
            return failure("lambda:GetLayerVersionPolicy", NONE, "read_error")
        statement = {"Effect": "Allow", "Action": "lambda:GetLayerVersion", **statements}
        return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": [statement]})}

    account = canned({
        "lambda:ListLayers": {"Layers": [{"LayerName": "tools", "LayerArn": arn}]},
        "lambda:ListLayerVersions": {
            "LayerVersions": [{"LayerVersionArn": f"{arn}:{n}", "Version": n} for n in (1, 2, 3, 4)]
        },
        "lambda:GetLayerVersionPolicy": policy,
    })  # fmt: skip
    public, account_only, organization, own = collect(account, LAYER)
    assert public.properties["LayerName"] == "tools"
    assert public.related["permissions"][0]["Principal"] == "*"
    assert account_only.related["permissions"][0]["Principal"] == "210987654321"
    assert organization.related["permissions"][0]["OrganizationId"] == "o-1"
    assert not own.related.get("permissions")
    found = [verdict("lambda-layer-not-public", each) for each in (public, account_only, organization, own)]
    assert found == ["FAIL", "PASS", "PASS", "PASS"]
    assert set(collect.last.whole) == {LAYER, "AWS::Lambda::LayerVersionPermission"}


def test_functions_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-3"
    role = aws("iam").create_role(RoleName="functions", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as packed:
        packed.writestr("a.py", "def b(event, context): pass")
    client = aws("lambda", region)
    client.create_function(
        FunctionName="http", Runtime="python3.13", Role=role, Handler="a.b", Code={"ZipFile": code.getvalue()},
        Tags={"Owner": "me"}, TracingConfig={"Mode": "Active"},
    )  # fmt: skip
    client.add_permission(
        FunctionName="http", StatementId="all", Action="lambda:InvokeFunction", Principal="*"
    )
    needs = {FUNCTION: frozenset({"tags", "related.policies", "TracingConfig"})}
    (function,) = collect(account, FUNCTION, region=region, needs=needs)
    assert function.tags == {"Owner": "me"}
    assert verdict("lambda-policy-not-public", function) == "FAIL"
    assert verdict("lambda-traced", function) == "PASS"
    assert not collect.last.failures
