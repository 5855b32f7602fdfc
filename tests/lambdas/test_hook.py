"""CloudFormation Hooks: what AWS documents comes in, what AWS documents goes out.

https://docs.aws.amazon.com/cloudformation-cli/latest/hooks-userguide/lambda-hooks-create-lambda-function.html: the events
here are that page's examples, with other properties where a test is about them.
"""

from __future__ import annotations

import copy
import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.config.compiled import write_settings
from policyengine.config.settings import Settings
from policyengine.deploy.choice import Choice
from policyengine.deploy.package import FOR_HOOKS, LEFT_OUT, members, package
from policyengine.lambdas.hook import MOST_YAML, Answering
from policyengine.lambdas.hook_payload import AFTER_APPLY, fetch, parameters_of
from policyengine.lambdas.hook_request import HookError, read_request
from policyengine.lambdas.runtime import Runtime
from policyengine.model.values import Unresolved
from policyengine.remediate.registry import load_remediations
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from tests.deploy.test_reachable import reachable

from .conftest import Function

Json = dict[str, Any]
RULES = ("security-group-admin-ports-closed", "s3-tls-only", "s3-bucket-public-access-block", "tags-mandatory", "kms-key-rotation")  # fmt: skip
ACCOUNT = "123456789012"
STACK = f"arn:aws:cloudformation:us-west-2:{ACCOUNT}:stack/MyStack/1a2345b6-0000-00a0-a123-00abc0abc000"
TOKEN = "f8da6d11-b23f-48f4-814c-0fb6a667f50e"
ADDRESS = "https://s3.us-west-2.amazonaws.com/hooks/payload?X-Amz-Signature=secret"


def chosen(*rules: str) -> Choice:
    pack = load_packs()
    forms = tuple(form for form in pack.rules if form["id"] in (rules or RULES))
    return Choice(Pack(pack.digest, forms), load_remediations(), Settings(), hook=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("bundle")
    choice = chosen()
    (found / "rules.json").write_bytes(choice.pack.to_bytes())
    (found / "settings.json").write_text(json.dumps(write_settings(choice.settings)))
    return found


class Hook:
    """The function in this process; ``payload`` is what lies in S3."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[str] = []

    def __call__(self, event: Any, payload: Any = None, **environ: str) -> Json:
        def read(address: str) -> bytes:
            self.asked.append(address)
            return payload if isinstance(payload, bytes) else json.dumps(payload).encode()

        given = {
            "AWS_REGION": "eu-west-1",
            **{f"POLICYENGINE_{key}": value for key, value in environ.items()},
        }
        return Answering(Runtime(given, self.folder), fetch=read).answer(event)


@pytest.fixture
def hook(folder: Path) -> Hook:
    return Hook(folder)


def resource_event(type: str, properties: Json, action: str = "CREATE", *, stack: str = STACK) -> Json:
    return {
        "clientRequestToken": TOKEN, "awsAccountId": ACCOUNT, "stackId": stack, "hookTypeName": "my::lambda::resourcehookfunction",
        "hookTypeVersion": "00000008",
        "hookModel": {"LambdaFunction": f"arn:aws:lambda:us-west-2:{ACCOUNT}:function:MyFunction"},
        "actionInvocationPoint": f"{action}_PRE_PROVISION",
        "requestData": {
            "targetName": type, "targetType": type if stack else "RESOURCE", "targetLogicalId": "Thing",
            "targetModel": {"resourceProperties": properties, "previousResourceProperties": None},
        },
        "requestContext": {"invocation": 1, "callbackContext": None},
    }  # fmt: skip


def whole_event(kind: str, action: str = "UPDATE") -> Json:
    event = resource_event("x", {}, action)
    name = (
        "my-cloudformation-stack"
        if kind == "STACK"
        else f"arn:aws:cloudformation:us-west-2:{ACCOUNT}:changeSet/S/1"
    )
    event["requestData"] = {
        "targetName": kind,
        "targetType": kind,
        "targetLogicalId": name,
        "payload": ADDRESS,
    }
    return event


def group(port: Any = 22, source: Any = "0.0.0.0/0") -> Json:
    ingress = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "CidrIp": source, "Description": "in"}
    tags = [{"Key": key, "Value": "shop"} for key in ("Project", "Owner", "CostCenter", "Environment")]
    return {"GroupDescription": "web", "SecurityGroupIngress": [ingress], "Tags": tags}


GROUP = "AWS::EC2::SecurityGroup"


# -- a golden for each shape -------------------------------------------------------------------------


def test_the_documented_update_of_a_table(hook: Hook) -> None:
    properties = {
        "AttributeDefinitions": [{"AttributeType": "S", "AttributeName": "Album"}],
        "ProvisionedThroughput": {"WriteCapacityUnits": 5, "ReadCapacityUnits": 10},
        "KeySchema": [{"KeyType": "HASH", "AttributeName": "Album"}],
    }
    event = resource_event("AWS::DynamoDB::Table", properties, "UPDATE")
    del event["clientRequestToken"]  # AWS's example has none
    answer = hook(event, FAIL_ON="low")
    assert answer["hookStatus"] == "SUCCESS" and answer["clientRequestToken"] == ""
    assert answer["message"].startswith(
        "policyengine: 1 not determined (not a pass); nothing of it stops the operation\n"
    )
    assert [(each["annotationName"], each["status"]) for each in answer["annotations"]] == [
        ("tags-mandatory", "SKIPPED")
    ]


def test_a_resource_that_fails(hook: Hook) -> None:
    answer = hook(resource_event(GROUP, group()))
    fix = answer["annotations"][0].pop("remediationMessage")
    link = answer["annotations"][0].pop("remediationLink")
    assert fix.startswith("Remove the rule from SecurityGroupIngress") and link.startswith("https://")
    line = (
        "critical security-group-admin-ports-closed: Thing: "
        "a remote administration port is open to the internet (0.0.0.0/0)"
    )
    severity = next(
        f["severity"] for f in load_packs().rules if f["id"] == "security-group-admin-ports-closed"
    )
    line = line.replace("critical", severity, 1)
    assert answer == {
        "hookStatus": "FAILED",
        "errorCode": "NonCompliant",
        "message": f"policyengine: 1 failed\n{line}",
        "clientRequestToken": TOKEN,
        "annotations": [
            {
                "annotationName": "security-group-admin-ports-closed", "status": "FAILED", "statusMessage": line,
                "severityLevel": severity.upper(),
            }
        ],
    }  # fmt: skip


def test_a_resource_with_which_nothing_is_wrong(hook: Hook) -> None:
    answer = hook(resource_event(GROUP, group(443, "10.0.0.0/8")))
    assert answer == {
        "hookStatus": "SUCCESS",
        "message": "policyengine: nothing fails",
        "clientRequestToken": TOKEN,
    }


TEMPLATE = {"Resources": {"Web": {"Type": GROUP, "Properties": group()}}}


@pytest.mark.parametrize("text", [json.dumps(TEMPLATE), "Resources:\n  Web:\n    Type: AWS::EC2::SecurityGroup\n    Properties: "
                                  + json.dumps(group()) + "\n"])  # fmt: skip
def test_a_stack_that_fails(hook: Hook, text: str) -> None:
    answer = hook(whole_event("STACK"), {"template": text, "previousTemplate": "{}"})
    assert hook.asked == [ADDRESS]
    assert (answer["hookStatus"], answer["errorCode"], answer["clientRequestToken"]) == (
        "FAILED",
        "NonCompliant",
        TOKEN,
    )
    assert answer["message"].splitlines()[0] == "policyengine: 1 failed"
    assert "secret" not in json.dumps(answer)


def change(before: Any, after: Any, action: str = "UPDATE") -> Json:
    def text(value: Any) -> str | None:
        return None if value is None else json.dumps({"Properties": value})

    return {
        "logicalResourceId": "Web", "resourceType": GROUP, "action": action, "lineNumber": 2, "beforeContext": text(before),
        "afterContext": text(after),
    }  # fmt: skip


PARAMETERS = {
    "Parameters": {"Source": {"Type": "String", "Default": "10.0.0.0/8"}},
    "Resources": {"Web": {"Type": GROUP, "Properties": group(source={"Ref": "Source"})}},
}


@pytest.mark.parametrize(
    ("value", "status", "verdict"),
    [("0.0.0.0/0", "FAILED", "FAILED"), ("10.0.0.0/8", "SUCCESS", None), (AFTER_APPLY, "SUCCESS", "SKIPPED")],
)
def test_a_change_set_is_judged_by_the_values_it_has(
    hook: Hook, value: str, status: str, verdict: str | None
) -> None:
    """Booleans and numbers are text in it; what is known only afterwards is not guessed from a default."""
    payload = {
        "template": json.dumps(PARAMETERS),
        "changedResources": [change(group("22", "10.0.0.0/8"), group("22", value))],
    }
    answer = hook(whole_event("CHANGE_SET"), payload)
    assert answer["hookStatus"] == status
    assert [each["status"] for each in answer.get("annotations", [])] == ([verdict] if verdict else [])
    assert (answer["message"] == "policyengine: nothing fails") == (verdict is None)


# -- what is not known is not a pass -----------------------------------------------------------------


def test_a_default_is_not_the_value_of_a_stack(hook: Hook) -> None:
    """A stack may be given another value than the default, and the payload does not hold it."""
    payload = {"template": json.dumps(PARAMETERS), "previousTemplate": None}
    answer = hook(whole_event("STACK", "CREATE"), payload)
    assert answer["hookStatus"] == "SUCCESS"
    assert "1 not determined (not a pass)" in answer["message"] and "nothing fails" not in answer["message"]
    strict = hook(whole_event("STACK", "CREATE"), payload, UNKNOWN="fail")
    assert (strict["hookStatus"], strict["errorCode"]) == ("FAILED", "NonCompliant")


def test_a_bucket_alone_is_not_failed_for_the_policy_that_comes_after_it(hook: Hook) -> None:
    """In a stack the policy is a resource of its own, and the tags of the stack are its tags."""
    block = dict.fromkeys(
        ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
    )
    properties = {"BucketName": "shop", "PublicAccessBlockConfiguration": block}
    answer = hook(resource_event("AWS::S3::Bucket", properties))
    found = {each["annotationName"]: each["status"] for each in answer["annotations"]}
    assert found == {"s3-tls-only": "SKIPPED", "tags-mandatory": "SKIPPED"}
    alone = hook(resource_event("AWS::S3::Bucket", properties, stack=""))
    found = {each["annotationName"]: each["status"] for each in alone["annotations"]}
    assert found == {"s3-tls-only": "SKIPPED", "tags-mandatory": "FAILED"}, (
        "Cloud Control knows no stack, and no tags of one"
    )
    whole = hook(
        whole_event("STACK"),
        {"template": json.dumps({"Resources": {"B": {"Type": "AWS::S3::Bucket", "Properties": properties}}})},
    )
    assert "s3-tls-only" in {e["annotationName"] for e in whole["annotations"] if e["status"] == "FAILED"}


def test_severities_below_the_threshold_are_told(hook: Hook) -> None:
    answer = hook(
        resource_event("AWS::KMS::Key", {"EnableKeyRotation": False, "KeyPolicy": {}}, stack=""),
        FAIL_ON="critical",
    )
    assert answer["hookStatus"] == "SUCCESS" and "errorCode" not in answer
    assert (
        "nothing of it stops the operation" in answer["message"] and "kms-key-rotation" in answer["message"]
    )


@pytest.mark.parametrize("kind", ["resource", "STACK", "CHANGE_SET"])
def test_a_deletion_breaks_no_rule(hook: Hook, kind: str) -> None:
    event = resource_event(GROUP, {}, "DELETE") if kind == "resource" else whole_event(kind, "DELETE")
    if kind == "resource":
        event["requestData"]["targetModel"]["resourceProperties"] = None
    answer = hook(event)
    assert (answer["hookStatus"], answer["message"]) == (
        "SUCCESS",
        "policyengine: no rule asks anything of this",
    )
    assert hook.asked == []


def test_what_no_rule_asks_about_is_not_said_to_be_fine(hook: Hook) -> None:
    answer = hook(resource_event("Custom::Thing", {"ServiceToken": "x"}))
    assert (answer["hookStatus"], answer["message"]) == (
        "SUCCESS",
        "policyengine: no rule asks anything of this",
    )
    handle = {"Resources": {"H": {"Type": "AWS::CloudFormation::WaitConditionHandle"}}}
    whole = hook(whole_event("STACK"), {"template": json.dumps(handle)})
    assert (whole["hookStatus"], whole["message"]) == (
        "SUCCESS",
        "policyengine: no rule asks anything of this",
    )


# -- what is broken is a failure, and never a pass ---------------------------------------------------


@pytest.mark.parametrize(
    "event", [None, [], "x", {}, {"requestData": 1}, {"requestData": {"targetName": "AWS::S3::Bucket", "targetLogicalId": "B"}},
              {**resource_event(GROUP, {}), "awsAccountId": "1"}, resource_event("no type", {}),
              {**resource_event(GROUP, {}), "requestData": {"targetName": GROUP, "targetLogicalId": "B"}},
              {**whole_event("STACK"), "requestData": {"targetName": "STACK", "targetLogicalId": "s"}}],
)  # fmt: skip
def test_a_request_that_is_none_is_an_internal_failure(hook: Hook, event: Any) -> None:
    answer = hook(event)
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure")
    assert answer["message"].startswith("policyengine could not judge this: ")


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"{", "no JSON"), (b"[" * 100_000, "no JSON"), ([], "no JSON object"), ({"template": 1}, "no `template`"), ({"template": None}, "no `template`"), ({"template": " "}, "no `template`"), ({}, "no `template`"),
        ({"template": "Resources: ["}, "cannot be read"), ({"template": "just text"}, "cannot be read"),
        ({"template": "[" * 100_000}, "cannot be read"),
        ({"template": json.dumps({"Resources": {"A": {"Properties": {}}}})}, "no `Type`"),
        ({"template": "#" * (MOST_YAML + 1)}, "deploy it as JSON"),
    ],
)  # fmt: skip
def test_a_payload_that_cannot_be_judged_whole_is_an_internal_failure(
    hook: Hook, payload: Any, words: str
) -> None:
    answer = hook(whole_event("STACK"), payload)
    assert (answer["hookStatus"], answer["errorCode"]) == ("FAILED", "InternalFailure")
    assert words in answer["message"]


def test_a_mistake_of_ours_is_an_internal_failure_without_its_details(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Answering, "_of_resource", lambda self, request: 1 / 0)
    answer = hook(resource_event(GROUP, {"secret": "hunter2"}))
    assert answer["errorCode"] == "InternalFailure" and "ZeroDivisionError" in answer["message"]
    assert "hunter2" not in json.dumps(answer)


def test_a_setting_that_is_none_is_an_internal_failure(hook: Hook) -> None:
    assert "POLICYENGINE_FAIL_ON is `hihg`" in hook(resource_event(GROUP, group()), FAIL_ON="hihg")["message"]


@pytest.mark.parametrize(
    "address",
    ["http://s3.us-west-2.amazonaws.com/x", "https://evil.example/s3", "https://s3.amazonaws.com.evil.example/x",
     "file:///etc/passwd", "https://169.254.169.254/latest/meta-data", "https://lambda.us-west-2.amazonaws.com/x", "", "https://[::1"],
)  # fmt: skip
def test_a_payload_is_read_from_s3_only(address: str) -> None:
    with pytest.raises(HookError) as raised:
        fetch(address)
    assert "secret" not in str(raised.value)


# -- bounds ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stack", "longest"), [(STACK, 4096), ("", 1024)])
def test_messages_are_cut_where_aws_would_cut_them_and_begin_with_the_counts(
    hook: Hook, stack: str, longest: int
) -> None:
    event = resource_event(GROUP, group(), stack=stack)
    event["requestData"]["targetLogicalId"] = "x" * 2048
    message = hook(event)["message"]
    assert len(message) <= longest and message.startswith("policyengine: 1 failed\n")


names = st.sampled_from(["A", "B", "C"])
values = st.text(alphabet="xyz0.", max_size=5)


@given(st.dictionaries(names, values, min_size=1), st.data())
def test_what_a_reference_became_is_the_parameters_value(
    given_values: dict[str, str], data: st.DataObject
) -> None:
    """Whatever tree references stand in: resolving it and matching it against itself gives the values back."""

    def tree(depth: int) -> Any:
        kind = data.draw(st.sampled_from(["ref", "text", "list", "map"] if depth else ["ref", "text"]))
        if kind == "ref":
            return {"Ref": data.draw(st.sampled_from(sorted(given_values)))}
        if kind == "text":
            return data.draw(values)
        below = [tree(depth - 1) for _ in range(data.draw(st.integers(0, 3)))]
        return below if kind == "list" else {f"k{number}": each for number, each in enumerate(below)}

    def resolved(value: Any) -> Any:
        if isinstance(value, dict):
            return (
                given_values[value["Ref"]]
                if value.keys() == {"Ref"}
                else {k: resolved(v) for k, v in value.items()}
            )
        return [resolved(each) for each in value] if isinstance(value, list) else value

    raw = {"P": tree(3)}
    template = {
        "Parameters": {name: {"Type": "String"} for name in "ABC"},
        "Resources": {"Web": {"Type": GROUP, "Properties": raw}},
    }
    before = copy.deepcopy(template)
    found = parameters_of(template, [change(None, resolved(raw), "CREATE")])
    assert template == before
    used = json.dumps(raw)
    for name, value in found.items():
        if f'{{"Ref": "{name}"}}' in used:
            assert value == given_values[name]
        else:
            assert isinstance(value, Unresolved)


def test_a_parameter_with_two_values_and_one_that_is_not_to_be_told_have_none() -> None:
    template = {
        "Parameters": {"A": {"Type": "String"}, "S": {"Type": "String", "NoEcho": True}},
        "Resources": {"Web": {"Properties": {"x": {"Ref": "A"}, "y": [{"Ref": "A"}], "s": {"Ref": "S"}}}},
    }
    found = parameters_of(template, [change(None, {"x": "1", "y": ["2"], "s": "****"})])
    assert all(isinstance(value, Unresolved) for value in found.values()) and found.keys() == {"A", "S"}
    assert parameters_of(template, [{"afterContext": "{"}, {"afterContext": 1}, {}]).keys() == {"A", "S"}
    assert parameters_of([], []) == {}


def test_a_region_is_read_from_the_stack_and_else_is_the_functions() -> None:
    assert read_request(resource_event(GROUP, {}), "eu-west-1").region == "us-west-2"
    assert read_request(resource_event(GROUP, {}, stack=""), "eu-west-1").region == "eu-west-1"


# -- the zip -----------------------------------------------------------------------------------------


@pytest.mark.slow
def test_only_a_hooks_zip_reads_templates() -> None:
    with_hook = {name for name, _ in members(chosen())}
    without = {
        name for name, _ in members(Choice(chosen().pack, load_remediations(), Settings(), repair=False))
    }
    more = {
        name.removeprefix("policyengine/") for name in with_hook - without if not name.startswith("yaml/")
    }
    assert without < with_hook and FOR_HOOKS < LEFT_OUT and "yaml/LICENSE" in with_hook
    assert all(
        name.startswith(("lambdas/hook", "lambdas/__pycache__/hook", "sources/cloudformation/"))
        for name in more
    )
    assert {"lambdas/hook.py", "sources/cloudformation/source.py"} <= more


@pytest.mark.slow
def test_what_the_function_may_import_is_in_its_zip() -> None:
    held = {name for name, _ in members(chosen())}
    found = reachable(("policyengine.lambdas.hook",))
    assert {name: by for name, by in found.items() if name not in held} == {}
    assert "policyengine/sources/cloudformation/resolver.py" in found, "the walk stopped too early"


@pytest.mark.slow
def test_the_zip_itself_answers_in_a_process_of_its_own(tmp_path: Path) -> None:
    """As Lambda runs it: nothing beside the zip, and no libyaml. CloudFormation waits for 30 seconds."""
    every = Choice(load_packs(), load_remediations(), Settings(), hook=True)
    with zipfile.ZipFile(io.BytesIO(package(every))) as archive:
        archive.extractall(tmp_path / "zip")
    function = Function(tmp_path / "zip", "hook", {"POLICYENGINE_FAIL_ON": "high"})
    with function.process:
        began = time.perf_counter()
        answer = function(resource_event(GROUP, group()))
        first = time.perf_counter() - began
        assert answer["answer"]["hookStatus"] == "FAILED", answer
        began = time.perf_counter()
        function(resource_event(GROUP, group(443)))
        print(f"first {first:.2f} s, then {time.perf_counter() - began:.3f} s")
        assert first < 20
        event = whole_event("STACK")
        event["requestData"]["payload"] = "https://example.com/payload"
        refused = function(event)["answer"]
        assert refused["errorCode"] == "InternalFailure" and "no address of S3" in refused["message"]
        function.process.kill()
