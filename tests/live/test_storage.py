"""DMS, Glacier, Storage Gateway, Neptune Analytics and S3 Tables with answers as AWS documents them."""

from __future__ import annotations

import json
from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import failure
from tests.live.judging import verdict

DMS = "arn:aws:dms:us-east-1:123456789012"


def test_replication_instances(canned: Any, collect: Any) -> None:
    item = {
        "ReplicationInstanceIdentifier": "i", "ReplicationInstanceArn": f"{DMS}:rep:i", "PubliclyAccessible": True,
        "MultiAZ": False, "AutoMinorVersionUpgrade": True, "KmsKeyId": "k",
        "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
        "ReplicationSubnetGroup": {"ReplicationSubnetGroupIdentifier": "s"},
        "ReplicationInstancePrivateIpAddresses": ["10.0.0.1"],
    }  # fmt: skip
    account = canned({
        "dms:DescribeReplicationInstances": {"ReplicationInstances": [item]},
        "dms:ListTagsForResource": {"TagList": [{"Key": "a", "Value": "b", "ResourceArn": f"{DMS}:rep:i"}]},
    })  # fmt: skip
    (found,) = collect(account, "AWS::DMS::ReplicationInstance")
    assert found.tags == {"a": "b"}
    assert found.properties["VpcSecurityGroupIds"] == ["sg-1"]
    assert found.properties["ReplicationSubnetGroupIdentifier"] == "s"
    assert found.properties["Id"] == f"{DMS}:rep:i"
    assert verdict("dms-instance-not-public", found) == "FAIL"
    assert verdict("dms-multi-az", found) == "FAIL"


def test_endpoints_and_tasks(canned: Any, collect: Any) -> None:
    endpoint = {
        "EndpointIdentifier": "e", "EndpointArn": f"{DMS}:endpoint:e", "EngineName": "mysql", "SslMode": "none",
        "EndpointType": "SOURCE", "MySQLSettings": {"AfterConnectScript": "x"},
    }  # fmt: skip
    settings = {"Logging": {"EnableLogging": True, "LogComponents": [
        {"Id": name, "Severity": "LOGGER_SEVERITY_DEFAULT"}
        for name in ("SOURCE_CAPTURE", "SOURCE_UNLOAD", "TARGET_APPLY", "TARGET_LOAD")
    ]}}  # fmt: skip
    task = {
        "ReplicationTaskIdentifier": "t", "ReplicationTaskArn": f"{DMS}:task:t",
        "ReplicationTaskSettings": json.dumps(settings),
    }  # fmt: skip
    account = canned({
        "dms:DescribeEndpoints": {"Endpoints": [endpoint]},
        "dms:DescribeReplicationTasks": {"ReplicationTasks": [task]},
        "dms:ListTagsForResource": {"TagList": []},
    })  # fmt: skip
    (found,) = collect(account, "AWS::DMS::Endpoint")
    assert found.properties["MySqlSettings"] == {"AfterConnectScript": "x"}
    assert verdict("dms-endpoint-tls", found) == "FAIL"
    (found,) = collect(account, "AWS::DMS::ReplicationTask")
    assert found.properties["Settings"] == settings
    assert verdict("dms-source-logging", found) == "PASS"
    assert verdict("dms-target-logging", found) == "PASS"


def test_glacier_vaults(canned: Any, collect: Any) -> None:
    vault = {"VaultName": "v", "VaultARN": "arn:aws:glacier:us-east-1:123456789012:vaults/v"}
    answers: dict[str, Any] = {
        "glacier:ListVaults": {"VaultList": [vault]},
        "glacier:GetVaultAccessPolicy": {"policy": {"Policy": '{"Statement":[]}'}},
    }
    (found,) = collect(canned(answers), "AWS::Glacier::Vault")
    assert found.properties["Policy"] == {"Statement": []}
    assert found.properties["VaultARN"] == found.arn
    answers["glacier:GetVaultAccessPolicy"] = failure("g", "ResourceNotFoundException")
    (found,) = collect(canned(answers), "AWS::Glacier::Vault")
    assert "Policy" not in found.properties
    answers["glacier:ListVaults"] = failure("g", "NoLongerSupportedException")
    assert collect(canned(answers), "AWS::Glacier::Vault") == []
    assert not collect.last.failures


def test_file_shares_of_both_kinds(canned: Any, collect: Any) -> None:
    arns = {
        kind: f"arn:aws:storagegateway:us-east-1:123456789012:share/share-{kind}{'0' * 20}"
        for kind in ("NFS", "SMB")
    }
    account = canned({
        "storagegateway:ListFileShares": {
            "FileShareInfoList": [{"FileShareARN": arn, "FileShareType": kind} for kind, arn in arns.items()]
        },
        "storagegateway:DescribeNFSFileShares": {
            "NFSFileShareInfoList": [{"EncryptionType": "SseKms", "KMSKey": "k", "LocationARN": "arn:aws:s3:::b"}]
        },
        "storagegateway:DescribeSMBFileShares": {"SMBFileShareInfoList": [{"KMSEncrypted": False}]},
    })  # fmt: skip
    nfs, smb = collect(account, "AWS::StorageGateway::FileShare")
    assert (nfs.properties["KMSEncrypted"], nfs.properties["KMSKey"]) == (True, "k")
    assert nfs.properties["LocationARN"] == "arn:aws:s3:::b"
    assert smb.properties["KMSEncrypted"] is False


def test_graphs(canned: Any, collect: Any) -> None:
    arn = "arn:aws:neptune-graph:us-east-1:123456789012:graph/g-0123456789"
    graph = {
        "id": "g-0123456789", "arn": arn, "name": "n", "deletionProtection": False, "replicaCount": 0,
        "kmsKeyIdentifier": "AWS_OWNED_KEY", "publicConnectivity": True,
    }  # fmt: skip
    account = canned({
        "neptune-graph:ListGraphs": {"graphs": [graph]},
        "neptune-graph:ListTagsForResource": {"tags": {"a": "b"}},
    })  # fmt: skip
    (found,) = collect(account, "AWS::NeptuneGraph::Graph")
    p = found.properties
    assert (p["GraphId"], p["GraphName"], p["DeletionProtection"]) == ("g-0123456789", "n", False)
    assert "KmsKeyIdentifier" not in p  # a key of AWS's own, which a template leaves out
    assert found.tags == {"a": "b"}


def test_policies_of_tables_are_listed_for_each_bucket(canned: Any, collect: Any) -> None:
    bucket = "arn:aws:s3tables:us-east-1:123456789012:bucket/b"
    table = {"TableARN": f"{bucket}/table/t", "ResourcePolicy": {"Statement": []}, "TableBucketARN": bucket}

    def listed(arguments: Any) -> Any:
        if arguments["TypeName"] == "AWS::S3Tables::TableBucket":
            return {"ResourceDescriptions": [{"Identifier": bucket}]}
        assert json.loads(arguments["ResourceModel"]) == {"TableBucketARN": bucket}
        return {"ResourceDescriptions": [{"Identifier": table["TableARN"]}]}

    account = canned({
        "cloudcontrol:ListResources": listed,
        "cloudcontrol:GetResource": {"ResourceDescription": {"Properties": json.dumps(table)}},
    })  # fmt: skip
    (found,) = collect(account, "AWS::S3Tables::TablePolicy")
    assert found.id == table["TableARN"]
    assert found.properties["ResourcePolicy"] == {"Statement": []}
    assert not isinstance(found.properties["TableBucketARN"], Unresolved)
