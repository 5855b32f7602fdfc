"""Buckets, databases, queues, streams, keys and secrets."""

from __future__ import annotations

from typing import Any

from . import messaging
from .base import (
    ANALYTICS,
    LOG_ARCHIVE,
    PAYMENTS,
    SANDBOX,
    WEB,
    Account,
    Builder,
    arn_of,
    denied,
    key_arn,
    throttled,
    uuid_id,
)
from .compute import certificate
from .network import Network

LOG_GROUPS = (
    "/aws/codebuild/{}-build", "/aws/codebuild/{}-deploy", "/aws/rds/instance/{}-orders/postgresql",
    "/aws/rds/instance/{}-users/postgresql", "/ecs/{}-api", "/ecs/{}-worker", "/ecs/{}-web",
    "/aws/apigateway/{}-public", "/aws/vpc/{}-resolver", "/app/{}/audit", "/app/{}/access",
)  # fmt: skip


def build_everywhere(b: Builder, account: Account, region: str) -> None:
    """Add what every account has: keys and buckets."""
    for use in ("data", "logs", "backup"):
        _key(b, account, region, use)
    names = {
        LOG_ARCHIVE: ("trail", "config", "flow", "elb"),
        PAYMENTS: ("ledger", "statements", "uploads", "artifacts", "exports"),
        WEB: ("assets", "uploads", "artifacts", "static"),
        ANALYTICS: ("raw", "curated", "results", "artifacts", "scratch", "models"),
        SANDBOX: ("test", "play", "demo", "old", "tmp"),
    }
    for name in names.get(account, ("terraform-state",)):
        _bucket(b, account, region, name)


def build(b: Builder, n: Network) -> None:
    """Add what workloads keep data in."""
    for index in range(3):
        _database(b, n, index)
    _cluster(b, n)
    _database_surroundings(b, n)
    for index in range(4):
        _table(b, n, index)
    for name in ("orders", "mail", "retry", "dlq"):
        messaging.queue(b, n, name)
    for name in ("alarms", "orders", "events"):
        messaging.topic(b, n, name)
    for name in ("database", "api-token", "webhook", "mail", "vendor"):
        messaging.secret(b, n, name)
    _files_and_caches(b, n)
    _streams(b, n)
    _certificate(b, n)
    for name in LOG_GROUPS:
        _log_group(b, n, name)
    for index in range(8):
        name = f"/{n.account.name}/config/{index}"
        secure = b.good(n.account)
        properties = {"Name": name, "Type": "SecureString" if secure else "String", "Tier": "Standard"}
        b.add(n.account, n.region, "AWS::SSM::Parameter", name, properties)


def _log_group(b: Builder, n: Network, name: str) -> None:
    group = name.format(n.account.name)
    properties: dict[str, Any] = {
        "LogGroupName": group,
        "Arn": arn_of("logs", n.region, n.account, f"log-group:{group}:*"),
    }
    if b.good(n.account):
        properties["RetentionInDays"] = 365
    if b.good(n.account):
        properties["KmsKeyId"] = key_arn(n.account, n.region, "logs")
    b.add(n.account, n.region, "AWS::Logs::LogGroup", group, properties)


def _key(b: Builder, account: Account, region: str, use: str) -> None:
    id_ = uuid_id(account.id, region, use)
    properties: dict[str, Any] = {
        "KeyId": id_,
        "Arn": key_arn(account, region, use),
        "Enabled": True,
        "EnableKeyRotation": b.good(account),
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyUsage": "ENCRYPT_DECRYPT",
        "KeyState": "Enabled",
        "KeyManager": "CUSTOMER",
        "KeyPolicy": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{account.id}:root"},
                    "Action": "kms:*",
                    "Resource": "*",
                }
            ],
        },
    }
    unknown = None
    if account is SANDBOX and use == "backup":
        properties |= {
            "KeyState": "PendingDeletion",
            "Enabled": False,
            "DeletionDate": "2026-12-01T00:00:00Z",
        }
    if account is ANALYTICS and use == "logs":
        del properties["EnableKeyRotation"]
        unknown = [denied("/EnableKeyRotation", "kms:GetKeyRotationStatus")]
    b.add(account, region, "AWS::KMS::Key", id_, properties, arn=properties["Arn"], unknown=unknown)


def _bucket(b: Builder, account: Account, region: str, name: str) -> None:
    full = f"example-{account.name}-{name}-{region}"
    arn = f"arn:aws:s3:::{full}"
    careful = b.good(account)
    block = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), careful
    )
    properties: dict[str, Any] = {
        "BucketName": full,
        "BucketEncryption": _encryption(account, region, b.good(account)),
        "VersioningConfiguration": {"Status": "Enabled" if b.good(account) else "Suspended"},
        "PublicAccessBlockConfiguration": block,
        "OwnershipControls": {
            "Rules": [{"ObjectOwnership": "BucketOwnerEnforced" if careful else "ObjectWriter"}]
        },
        "PolicyStatus": {"IsPublic": False},
        "CreationDate": "2025-04-01T00:00:00Z",
    }
    if b.good(account):
        properties["LoggingConfiguration"] = {
            "DestinationBucketName": f"example-log-archive-trail-{region}",
            "LogFilePrefix": full,
        }
    if b.good(account):
        rule = {"Id": "old", "Status": "Enabled", "NoncurrentVersionExpirationInDays": 90}
        properties["LifecycleConfiguration"] = {"Rules": [rule]}
    if account is LOG_ARCHIVE:
        lock = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 365}}
        properties["ObjectLockEnabled"] = True
        properties["ObjectLockConfiguration"] = {"ObjectLockEnabled": "Enabled", "Rule": lock}
    policies = [{"Bucket": full, "PolicyDocument": _bucket_policy(arn, tls_only=b.good(account))}]
    unknown = []
    if account is ANALYTICS and name == "scratch":
        policies = []
        unknown.append(denied("/related/policies", "s3:GetBucketPolicy"))
    if account is WEB and name == "uploads":
        del properties["BucketEncryption"]
        unknown.append(throttled("/BucketEncryption", "s3:GetBucketEncryption"))
    if account is WEB and name == "static":
        policies = [{"Bucket": full, "PolicyDocument": _bucket_policy(arn, public=True)}]
        properties["PolicyStatus"] = {"IsPublic": True}
        properties["PublicAccessBlockConfiguration"] = dict.fromkeys(block, False)
    tags = b.tags(account, **({"DataClassification": "confidential"} if account is PAYMENTS else {}))
    related = {"policies": policies} if policies else None
    b.add(
        account,
        region,
        "AWS::S3::Bucket",
        full,
        properties,
        arn=arn,
        tags=tags,
        related=related,
        unknown=unknown,
    )


def _encryption(account: Account, region: str, kms: bool) -> dict[str, Any]:
    default: dict[str, Any] = {"SSEAlgorithm": "AES256"}
    if kms:
        default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn(account, region, "data")}
    return {
        "ServerSideEncryptionConfiguration": [
            {"BucketKeyEnabled": kms, "ServerSideEncryptionByDefault": default}
        ]
    }


def _bucket_policy(arn: str, *, tls_only: bool = True, public: bool = False) -> dict[str, Any]:
    statements: list[dict[str, Any]] = []
    if tls_only:
        insecure = {"Bool": {"aws:SecureTransport": "false"}}
        everything = {"Principal": "*", "Action": "s3:*", "Resource": [arn, f"{arn}/*"]}
        statements.append({"Sid": "TlsOnly", "Effect": "Deny", **everything, "Condition": insecure})
    if public:
        statements.append(
            {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"{arn}/*"}
        )
    if not statements:
        owner = {"AWS": "arn:aws:iam::100000000001:root"}
        statements.append(
            {"Effect": "Allow", "Principal": owner, "Action": "s3:GetObject", "Resource": f"{arn}/*"}
        )
    return {"Version": "2012-10-17", "Statement": statements}


def _database(b: Builder, n: Network, index: int) -> None:
    account, region = n.account, n.region
    name = f"{account.name}-{('orders', 'users', 'reports')[index]}"
    encrypted = b.good(account)
    properties: dict[str, Any] = {
        "DBInstanceIdentifier": name,
        "DBInstanceArn": arn_of("rds", region, account, f"db:{name}"),
        "Engine": "postgres",
        "EngineVersion": "16.8" if b.good(account) else "11.22",
        "DBInstanceClass": "db.m7g.large",
        "AllocatedStorage": "200",
        "StorageEncrypted": encrypted,
        "BackupRetentionPeriod": 14 if b.good(account) else 1,
        "MultiAZ": b.good(account),
        "DeletionProtection": b.good(account),
        "PubliclyAccessible": not b.good(account),
        "AutoMinorVersionUpgrade": True,
        "CopyTagsToSnapshot": b.good(account),
        "EnableIAMDatabaseAuthentication": b.good(account),
        "MonitoringInterval": 60 if b.good(account) else 0,
        "EnablePerformanceInsights": b.good(account),
        "EnableCloudwatchLogsExports": ["postgresql", "upgrade"] if b.good(account) else [],
        "DBSubnetGroupName": f"{account.name}-data",
        "VPCSecurityGroups": [n.groups["data"]],
        "DBParameterGroupName": f"{account.name}-postgres16",
    }
    if encrypted:
        properties["KmsKeyId"] = key_arn(account, region, "data")
    unknown = (
        [throttled("/BackupRetentionPeriod", "rds:DescribeDBInstances")]
        if account is SANDBOX and index == 2
        else None
    )
    if unknown:
        del properties["BackupRetentionPeriod"]
    tags = b.tags(account, Tier="data", RPO="1h", RTO="4h")
    b.add(
        account,
        region,
        "AWS::RDS::DBInstance",
        name,
        properties,
        arn=properties["DBInstanceArn"],
        tags=tags,
        unknown=unknown,
    )
    snapshot = f"{name}-2026-11-20"
    public = account is SANDBOX and index == 0
    properties = {
        "DBSnapshotIdentifier": snapshot,
        "DBInstanceIdentifier": name,
        "Encrypted": encrypted,
        "RestoreAccounts": ["all"] if public else [],
    }
    b.add(account, region, "AWS::RDS::DBSnapshot", snapshot, properties)


def _cluster(b: Builder, n: Network) -> None:
    account, region = n.account, n.region
    name = f"{account.name}-ledger"
    properties: dict[str, Any] = {
        "DBClusterIdentifier": name,
        "Engine": "aurora-postgresql",
        "EngineVersion": "16.6",
        "StorageEncrypted": b.good(account),
        "BackupRetentionPeriod": 30 if b.good(account) else 1,
        "DeletionProtection": b.good(account),
        "EnableIAMDatabaseAuthentication": b.good(account),
        "EnableCloudwatchLogsExports": ["postgresql"] if b.good(account) else [],
        "CopyTagsToSnapshot": True,
        "MultiAZ": b.good(account),
        "DBSubnetGroupName": f"{account.name}-data",
        "VpcSecurityGroupIds": [n.groups["data"]],
    }
    b.add(account, region, "AWS::RDS::DBCluster", name, properties, tags=b.tags(account, Tier="data"))


def _database_surroundings(b: Builder, n: Network) -> None:
    account, region = n.account, n.region
    name = f"{account.name}-data"
    properties: dict[str, Any] = {
        "DBSubnetGroupName": name,
        "DBSubnetGroupDescription": "data",
        "SubnetIds": n.subnets["data"],
    }
    b.add(account, region, "AWS::RDS::DBSubnetGroup", name, properties)
    name = f"{account.name}-postgres16"
    parameters = {"rds.force_ssl": "1" if b.good(account) else "0"}
    properties = {"DBParameterGroupName": name, "Family": "postgres16", "Parameters": parameters}
    b.add(account, region, "AWS::RDS::DBParameterGroup", name, properties)


def _table(b: Builder, n: Network, index: int) -> None:
    account, region = n.account, n.region
    name = f"{account.name}-{('orders', 'sessions', 'carts', 'events')[index]}"
    properties: dict[str, Any] = {
        "TableName": name,
        "Arn": arn_of("dynamodb", region, account, f"table/{name}"),
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": b.good(account)},
        "DeletionProtectionEnabled": b.good(account),
    }
    if b.good(account):
        properties["SSESpecification"] = {
            "SSEEnabled": True,
            "SSEType": "KMS",
            "KMSMasterKeyId": key_arn(account, region, "data"),
        }
    b.add(account, region, "AWS::DynamoDB::Table", name, properties, arn=properties["Arn"])


def _files_and_caches(b: Builder, n: Network) -> None:
    account, region = n.account, n.region
    id_ = f"fs-{uuid_id(account.id, region)[:8]}"
    properties: dict[str, Any] = {
        "FileSystemId": id_,
        "Encrypted": b.good(account),
        "BackupPolicy": {"Status": "ENABLED" if b.good(account) else "DISABLED"},
        "PerformanceMode": "generalPurpose",
    }
    b.add(account, region, "AWS::EFS::FileSystem", id_, properties)
    _mount_targets(b, n, id_)
    name = f"{account.name}-cache"
    properties = {
        "ReplicationGroupId": name,
        "Engine": "valkey",
        "AtRestEncryptionEnabled": b.good(account),
        "TransitEncryptionEnabled": b.good(account),
        "AutomaticFailoverEnabled": b.good(account),
        "MultiAZEnabled": b.good(account),
        "SnapshotRetentionLimit": 7 if b.good(account) else 0,
        "AutoMinorVersionUpgrade": True,
    }
    b.add(account, region, "AWS::ElastiCache::ReplicationGroup", name, properties)


def _mount_targets(b: Builder, n: Network, file_system: str) -> None:
    """One mount target in each zone; the sandbox has one only, in a public subnet."""
    for subnet in n.subnets["public"][:1] if n.account is SANDBOX else n.subnets["data"]:
        id_ = f"fsmt-{uuid_id(file_system, subnet)[:17].replace('-', '0')}"
        properties = {
            "Id": id_,
            "FileSystemId": file_system,
            "SubnetId": subnet,
            "SecurityGroups": [n.groups["data"]],
        }
        b.add(n.account, n.region, "AWS::EFS::MountTarget", id_, properties)


def _streams(b: Builder, n: Network) -> None:
    account, region = n.account, n.region
    if account not in (ANALYTICS, PAYMENTS, SANDBOX):
        return
    for name in ("clicks", "ledger"):
        properties: dict[str, Any] = {
            "Name": f"{account.name}-{name}",
            "RetentionPeriodHours": 168 if b.good(account) else 24,
        }
        if b.good(account):
            properties["StreamEncryption"] = {
                "EncryptionType": "KMS",
                "KeyId": key_arn(account, region, "data"),
            }
        b.add(account, region, "AWS::Kinesis::Stream", f"{account.name}-{name}", properties)
    name = f"{account.name}-warehouse"
    properties = {
        "ClusterIdentifier": name,
        "Encrypted": b.good(account),
        "PubliclyAccessible": not b.good(account),
        "AutomatedSnapshotRetentionPeriod": 14 if b.good(account) else 1,
        "AllowVersionUpgrade": True,
        "EnhancedVpcRouting": b.good(account),
        "LoggingEnabled": b.good(account),
        "VpcSecurityGroupIds": [n.groups["data"]],
    }
    b.add(account, region, "AWS::Redshift::Cluster", name, properties)


def _certificate(b: Builder, n: Network) -> None:
    arn = certificate(n)
    expires = "2027-08-01T00:00:00Z" if b.good(n.account) else "2026-12-01T00:00:00Z"
    properties = {
        "CertificateArn": arn,
        "DomainName": f"{n.account.name}.example.com",
        "ValidationMethod": "DNS",
        "NotBefore": "2025-07-01T00:00:00Z",
        "NotAfter": expires,
        "Status": "ISSUED",
        "Type": "AMAZON_ISSUED",
    }
    b.add(n.account, n.region, "AWS::CertificateManager::Certificate", arn, properties, arn=arn)
