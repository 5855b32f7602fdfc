"""Systems Manager."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

PARAMETER, DOCUMENT, WINDOW = (f"AWS::SSM::{name}" for name in ("Parameter", "Document", "MaintenanceWindow"))


def test_parameters_have_the_tags_of_one_listing(canned: Callable[..., Any], collect: Any) -> None:
    arn = f"arn:aws:ssm:us-east-1:{MOTO_ACCOUNT}:parameter/"
    account = canned(
        {
            "ssm:DescribeParameters": {
                "Parameters": [
                    {"Name": "a", "ARN": arn + "a", "Type": "SecureString", "KeyId": "alias/aws/ssm",
                     "Policies": [{"PolicyText": "{}", "PolicyType": "Expiration"}]},
                    {"Name": "b", "ARN": arn + "b", "Type": "String"},
                ]
            },
            "resourcegroupstaggingapi:GetResources": {
                "ResourceTagMappingList": [{"ResourceARN": arn + "a", "Tags": [{"Key": "Owner", "Value": "web"}]}]
            },
        }
    )  # fmt: skip
    first, second = collect(account, PARAMETER)
    assert (first.id, first.arn, first.tags) == ("a", arn + "a", {"Owner": "web"})
    assert (first.properties["Type"], first.properties["KeyId"]) == ("SecureString", "alias/aws/ssm")
    assert first.properties["Value"].reason == "not_collected"
    assert first.properties["Policies"].reason == "not_collected"
    assert second.tags == {}
    assert (verdict("ssm-parameter-encrypted", first), verdict("ssm-parameter-encrypted", second)) == (
        "PASS",
        "FAIL",
    )
    denied = failure("resourcegroupstaggingapi:GetResources", "AccessDeniedException")
    account.answers = {**account.answers, "resourcegroupstaggingapi:GetResources": denied}
    assert [p.tags.reason for p in collect(account, PARAMETER)] == ["access_denied"] * 2


def test_documents_are_shared_or_not(canned: Callable[..., Any], collect: Any) -> None:
    shares = {"open": {"AccountIds": ["all"]}, "own": {"AccountIds": []}}
    account = canned(
        {
            "ssm:ListDocuments": {
                "DocumentIdentifiers": [{"Name": name, "DocumentType": "Command"} for name in shares]
            },
            "ssm:DescribeDocumentPermission": lambda a: shares[a["Name"]],
        }
    )
    found = {d.id: d for d in collect(account, DOCUMENT)}
    assert verdict("ssm-document-not-public", found["open"]) == "FAIL"
    assert verdict("ssm-document-not-public", found["own"]) == "PASS"
    assert found["own"].properties["Content"].reason == "not_collected"
    denied = failure("ssm:DescribeDocumentPermission", "AccessDeniedException")
    account.answers = {**account.answers, "ssm:DescribeDocumentPermission": denied}
    assert verdict("ssm-document-not-public", collect(account, DOCUMENT)[0]) == "UNKNOWN"


def test_a_maintenance_window(canned: Callable[..., Any], collect: Any) -> None:
    window, task = "mw-0123456789abcdef0", "12345678-1234-1234-1234-123456789012"
    account = canned(
        {
            "ssm:DescribeMaintenanceWindows": {"WindowIdentities": [{"WindowId": window, "Enabled": True}]},
            "ssm:DescribeMaintenanceWindowTasks": {
                "Tasks": [{"WindowId": window, "WindowTaskId": task, "TaskArn": "AWS-RunPatchBaseline",
                           "Type": "RUN_COMMAND", "LoggingInfo": {"S3BucketName": "b", "S3Region": "eu-west-1"}}]
            },
            "ssm:GetMaintenanceWindowTask": {
                "TaskInvocationParameters": {"RunCommand": {"Parameters": {"Operation": ["Install"]}},
                                             "Lambda": {"Payload": b"secret"}}
            },
            "ssm:DescribeMaintenanceWindowTargets": {"Targets": [{"WindowId": window, "ResourceType": "INSTANCE"}]},
            "ssm:ListTagsForResource": {"TagList": [{"Key": "a", "Value": "b"}]},
        }
    )  # fmt: skip
    (found,) = collect(account, WINDOW)
    assert found.tags == {"a": "b"}
    assert found.properties["Enabled"] is True
    (held,) = found.related["tasks"]
    assert held["TaskType"] == "RUN_COMMAND"
    assert held["LoggingInfo"] == {"S3Bucket": "b", "Region": "eu-west-1"}
    assert held["TaskInvocationParameters"] == {
        "MaintenanceWindowRunCommandParameters": {"Parameters": {"Operation": ["Install"]}},
        "MaintenanceWindowLambdaParameters": {},
    }
    assert found.related["targets"] == [{"WindowId": window, "ResourceType": "INSTANCE"}]
    assert "AWS::SSM::MaintenanceWindowTask" in collect.last.whole


def test_associations_and_baselines(canned: Callable[..., Any], collect: Any) -> None:
    id_, baseline = "12345678-1234-1234-1234-123456789012", "pb-0123456789abcdef0"
    rules = {"PatchRules": [{"ApproveAfterDays": 3, "PatchFilterGroup": {"PatchFilters": []}}]}
    account = canned(
        {
            "ssm:ListAssociations": {"Associations": [{"AssociationId": id_, "Name": "AWS-UpdateSSMAgent"}]},
            "ssm:DescribeAssociation": {
                "AssociationDescription": {
                    "AssociationId": id_,
                    "Parameters": {"Operation": ["Scan"]},
                    "Overview": {"Status": "Failed", "DetailedStatus": "Failed"},
                }
            },
            "ssm:DescribePatchBaselines": {
                "BaselineIdentities": [
                    {"BaselineId": baseline, "BaselineName": "own", "OperatingSystem": "UBUNTU"}
                ]
            },
            "ssm:GetPatchBaseline": {"BaselineId": baseline, "Name": "own", "ApprovalRules": rules},
            "ssm:ListTagsForResource": {"TagList": []},
        }
    )
    (association,) = collect(account, "AWS::SSM::Association")
    assert association.properties["Parameters"] == {"Operation": ["Scan"]}
    assert association.properties["Overview"] == {"Status": "Failed"}
    assert verdict("ssm-association-not-failed", association) == "FAIL"
    (found,) = collect(account, "AWS::SSM::PatchBaseline")
    assert (found.id, found.properties["Id"], found.properties["Name"]) == (baseline, baseline, "own")
    assert found.properties["ApprovalRules"] == rules


def test_over_http(account: Any, aws: Any, collect: Any) -> None:
    content = '{"schemaVersion": "2.2", "description": "d", "mainSteps": []}'
    ssm = aws("ssm", "eu-west-2")
    ssm.create_document(Name="http-document", Content=content, DocumentType="Command")
    ssm.modify_document_permission(
        Name="http-document", PermissionType="Share", AccountIdsToAdd=["111122223333"]
    )
    found = next(d for d in collect(account, DOCUMENT, region="eu-west-2") if d.id == "http-document")
    assert found.properties["AccountIds"] == ["111122223333"]
    ssm.put_parameter(Name="/shop/key", Value="x", Type="SecureString", Tags=[{"Key": "Owner", "Value": "a"}])
    (parameter,) = collect(account, PARAMETER, region="eu-west-2")
    assert parameter.arn == f"arn:aws:ssm:eu-west-2:{MOTO_ACCOUNT}:parameter/shop/key"
    assert (parameter.properties["Type"], parameter.tags) == ("SecureString", {"Owner": "a"})
