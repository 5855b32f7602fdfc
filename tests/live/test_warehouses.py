"""Redshift over HTTP, and what moto lacks as AWS documents it."""

from __future__ import annotations

from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import failure
from tests.live.judging import verdict

CLUSTER: dict[str, Any] = {
    "ClusterIdentifier": "c", "Encrypted": True, "KmsKeyId": "k", "PubliclyAccessible": False, "MultiAZ": "Enabled",
    "NumberOfNodes": 2, "EnhancedVpcRouting": True, "AutomatedSnapshotRetentionPeriod": 7,
    "AllowVersionUpgrade": True, "Endpoint": {"Address": "a", "Port": 5440},
    "ClusterParameterGroups": [{"ParameterGroupName": "g", "ParameterApplyStatus": "in-sync"}],
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
    "IamRoles": [{"IamRoleArn": "arn:aws:iam::123456789012:role/r", "ApplyStatus": "in-sync"}],
    "ClusterSnapshotCopyStatus": {"DestinationRegion": "eu-west-2", "RetentionPeriod": 9},
    "Tags": [{"Key": "a", "Value": "b"}],
}  # fmt: skip
LOGS = {"LoggingEnabled": True, "BucketName": "logs", "LogDestinationType": "s3"}


def _cluster(canned: Any, collect: Any, logging: Any, **changed: Any) -> Any:
    account = canned({
        "redshift:DescribeClusters": {"Clusters": [{**CLUSTER, **changed}]},
        "redshift:DescribeLoggingStatus": logging,
    })  # fmt: skip
    (found,) = collect(account, "AWS::Redshift::Cluster")
    return found


def test_clusters_arrive_in_the_registrys_shape(canned: Any, collect: Any) -> None:
    good = _cluster(canned, collect, LOGS)
    p = good.properties
    assert good.arn == "arn:aws:redshift:us-east-1:123456789012:cluster:c"
    assert good.tags == {"a": "b"}
    assert (p["ClusterType"], p["Port"], p["MultiAZ"]) == ("multi-node", 5440, True)
    assert p["ClusterParameterGroupName"] == "g"
    assert p["VpcSecurityGroupIds"] == ["sg-1"]
    assert p["IamRoles"] == ["arn:aws:iam::123456789012:role/r"]
    assert (p["DestinationRegion"], p["SnapshotCopyRetentionPeriod"]) == ("eu-west-2", 9)
    assert p["LoggingProperties"] == {"BucketName": "logs", "LogDestinationType": "s3"}
    bad = _cluster(
        canned, collect, {"LoggingEnabled": False, "BucketName": "old"}, Encrypted=False, PubliclyAccessible=True,
        MultiAZ="Disabled", EnhancedVpcRouting=False, AutomatedSnapshotRetentionPeriod=0,
    )  # fmt: skip
    assert "LoggingProperties" not in bad.properties
    for rule in (
        "redshift-audit-logging", "redshift-encrypted", "redshift-not-public", "redshift-multi-az",
        "redshift-enhanced-vpc-routing", "redshift-snapshots",
    ):  # fmt: skip
        assert (verdict(rule, good), verdict(rule, bad)) == ("PASS", "FAIL"), rule
    denied = failure("redshift:DescribeLoggingStatus", "UnauthorizedOperation")
    unknown = _cluster(canned, collect, denied)
    assert isinstance(unknown.properties["LoggingProperties"], Unresolved)
    assert verdict("redshift-audit-logging", unknown) == "UNKNOWN"


def test_parameters_over_http(account: Any, aws: Any, collect: Any) -> None:
    redshift = aws("redshift", "eu-west-1")
    redshift.create_cluster_parameter_group(
        ParameterGroupName="own", ParameterGroupFamily="redshift-2.0", Description="d",
        Tags=[{"Key": "Owner", "Value": "me"}],
    )  # fmt: skip
    needs = {"AWS::Redshift::ClusterParameterGroup": frozenset({"tags"})}
    found = collect(account, "AWS::Redshift::ClusterParameterGroup", region="eu-west-1", needs=needs)
    group = next(g for g in found if g.id == "own")
    assert group.properties["ParameterGroupFamily"] == "redshift-2.0"
    assert group.tags == {"Owner": "me"}


def test_parameters_of_a_group(canned: Any, collect: Any) -> None:
    account = canned({
        "redshift:DescribeClusterParameterGroups": {
            "ParameterGroups": [{"ParameterGroupName": "g", "ParameterGroupFamily": "redshift-2.0", "Tags": []}]
        },
        "redshift:DescribeClusterParameters": {
            "Parameters": [{"ParameterName": "require_ssl", "ParameterValue": "true", "Source": "user"}]
        },
    })  # fmt: skip
    (group,) = collect(account, "AWS::Redshift::ClusterParameterGroup")
    assert group.properties["ParameterValues"] == {"require_ssl": "true"}
    assert group.properties["Parameters"] == [{"ParameterName": "require_ssl", "ParameterValue": "true"}]
    cluster = _cluster(canned, collect, LOGS)
    assert verdict("redshift-tls-required", cluster, [group]) == "PASS"
    assert verdict("redshift-user-activity-logged", group) == "FAIL"


def test_snapshots_say_who_may_restore_them(canned: Any, collect: Any) -> None:
    snapshot = {
        "SnapshotIdentifier": "s", "SnapshotArn": "arn:aws:redshift:us-east-1:123456789012:snapshot:c/s",
        "ClusterIdentifier": "c", "Encrypted": False, "AccountsWithRestoreAccess": [{"AccountId": "111122223333"}],
    }  # fmt: skip
    account = canned({"redshift:DescribeClusterSnapshots": {"Snapshots": [snapshot]}})
    (found,) = collect(account, "AWS::Redshift::Snapshot")
    assert found.properties["AccountsWithRestoreAccess"] == [{"AccountId": "111122223333"}]
    assert verdict("redshift-snapshot-encrypted", found) == "FAIL"


def test_serverless(canned: Any, collect: Any) -> None:
    arn = "arn:aws:redshift-serverless:us-east-1:123456789012"
    namespace = {
        "namespaceName": "n", "namespaceArn": f"{arn}:namespace/1", "kmsKeyId": "AWS_OWNED_KMS_KEY",
        "iamRoles": ["IamRole(applyStatus=in-sync, iamRoleArn=arn:aws:iam::123456789012:role/r)"],
        "logExports": ["userlog"],
    }  # fmt: skip
    workgroup = {
        "workgroupName": "w", "workgroupArn": f"{arn}:workgroup/1", "namespaceName": "n", "publiclyAccessible": True,
        "enhancedVpcRouting": False, "configParameters": [{"parameterKey": "require_ssl", "parameterValue": "true"}],
        "securityGroupIds": ["sg-1"],
    }  # fmt: skip
    account = canned({
        "redshift-serverless:ListNamespaces": {"namespaces": [namespace]},
        "redshift-serverless:ListWorkgroups": {"workgroups": [workgroup]},
        "redshift-serverless:ListTagsForResource": {"tags": [{"key": "a", "value": "b"}]},
    })  # fmt: skip
    (found,) = collect(account, "AWS::RedshiftServerless::Namespace")
    assert "KmsKeyId" not in found.properties  # a key of AWS's own, which a template leaves out
    assert found.properties["IamRoles"] == ["arn:aws:iam::123456789012:role/r"]
    assert found.properties["LogExports"] == ["userlog"]
    assert found.tags == {"a": "b"}
    (group,) = collect(account, "AWS::RedshiftServerless::Workgroup")
    assert group.properties["ParameterValues"] == {"require_ssl": "true"}
    assert group.properties["SecurityGroupIds"] == ["sg-1"]
    assert verdict("redshift-not-public", group) == "FAIL"
