"""DynamoDB, EFS, FSx, DAX, DocumentDB and Neptune."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    SUBNET,
    cfn,
    depends,
    doc,
    groups,
    is_,
    kms_key,
    of,
    off,
    subnets,
    to,
)
from policyengine.catalog.types.ec2_compute import BACKUP

_TABLE = cfn("resource-dynamodb-table")
_SSE = cfn("properties-dynamodb-table-ssespecification")
_EFS = doc("efs/latest/ug/encryption-at-rest")
_NEPTUNE = doc("neptune/latest/apiref/API_CreateDBCluster")
_DOCDB = doc("documentdb/latest/developerguide/API_CreateDBCluster")
_FSX = doc("fsx/latest/APIReference/API_CreateFileSystem")

TYPES = (
    TypeSpec(
        "AWS::DynamoDB::Table",
        names=("TableName",),
        defaults=(
            is_("SSESpecification.SSEEnabled", False, _SSE),
            is_("DeletionProtectionEnabled", False, _TABLE),
            is_("BillingMode", "PROVISIONED", _TABLE),
            is_(
                "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
                False,
                doc("amazondynamodb/latest/developerguide/PointInTimeRecovery_Howitworks"),
            ),
        ),
        relations=(kms_key("SSESpecification.KMSMasterKeyId"),),
        extra=(
            ("AutoScaling.ReadCapacity", "boolean"),
            ("AutoScaling.WriteCapacity", "boolean"),
            ("CreationDateTime", "string"),
            *BACKUP,
        ),
    ),
    TypeSpec(
        "AWS::DynamoDB::GlobalTable",
        names=("TableName",),
        defaults=(
            is_(
                "SSESpecification.SSEEnabled", False, cfn("properties-dynamodb-globaltable-ssespecification")
            ),
            is_("BillingMode", "PROVISIONED", cfn("resource-dynamodb-globaltable")),
            *off(
                cfn("properties-dynamodb-globaltable-replicaspecification"),
                "Replicas.DeletionProtectionEnabled",
                "Replicas.PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
            ),
        ),
        relations=(to("kms_keys", "AWS::KMS::Key", "Replicas.SSESpecification.KMSMasterKeyId"),),
        extra=BACKUP,
    ),
    TypeSpec(
        "AWS::EFS::FileSystem",
        names=("FileSystemId", "Arn"),
        defaults=(
            # The console encrypts by default; templates, plans and other callers of the API must ask for it.
            is_("Encrypted", False, _EFS),
            is_("PerformanceMode", "generalPurpose", doc("efs/latest/ug/API_CreateFileSystem")),
            is_("ThroughputMode", "bursting", doc("efs/latest/ug/API_CreateFileSystem")),
            is_(
                "BackupPolicy.Status",
                "DISABLED",
                doc("efs/latest/ug/API_CreateFileSystem"),
                unless=("AvailabilityZoneName",),
            ),
        ),
        relations=(
            kms_key(),
            of("mount_targets", "AWS::EFS::MountTarget", "FileSystemId"),
            of("access_points", "AWS::EFS::AccessPoint", "FileSystemId"),
        ),
        extra=BACKUP,
    ),
    TypeSpec(
        "AWS::EFS::AccessPoint",
        names=("AccessPointId",),
        defaults=(is_("RootDirectory.Path", "/", doc("efs/latest/ug/API_CreateAccessPoint")),),
        relations=(to("file_system", "AWS::EFS::FileSystem", "FileSystemId", one=True),),
    ),
    TypeSpec(
        "AWS::EFS::MountTarget",
        names=("Id",),
        relations=(
            to("file_system", "AWS::EFS::FileSystem", "FileSystemId", one=True),
            to("subnet", SUBNET, "SubnetId", one=True),
            groups("SecurityGroups"),
        ),
    ),
    TypeSpec(
        "AWS::FSx::FileSystem",
        names=("Id", "ResourceARN"),
        defaults=(
            is_("StorageType", "SSD", _FSX),
            is_(
                "WindowsConfiguration.AutomaticBackupRetentionDays",
                30,
                doc("fsx/latest/APIReference/API_CreateFileSystemWindowsConfiguration"),
            ),
            is_(
                "WindowsConfiguration.DeploymentType",
                "SINGLE_AZ_1",
                doc("fsx/latest/APIReference/API_CreateFileSystemWindowsConfiguration"),
            ),
            is_(
                "WindowsConfiguration.CopyTagsToBackups",
                False,
                doc("fsx/latest/APIReference/API_CreateFileSystemWindowsConfiguration"),
            ),
            is_(
                "LustreConfiguration.AutomaticBackupRetentionDays",
                0,
                doc("fsx/latest/APIReference/API_CreateFileSystemLustreConfiguration"),
            ),
            is_(
                "LustreConfiguration.CopyTagsToBackups",
                False,
                doc("fsx/latest/APIReference/API_CreateFileSystemLustreConfiguration"),
            ),
            is_(
                "OntapConfiguration.AutomaticBackupRetentionDays",
                30,
                doc("fsx/latest/APIReference/API_CreateFileSystemOntapConfiguration"),
            ),
            is_(
                "OpenZFSConfiguration.AutomaticBackupRetentionDays",
                30,
                doc("fsx/latest/APIReference/API_CreateFileSystemOpenZFSConfiguration"),
            ),
            *off(
                doc("fsx/latest/APIReference/API_CreateFileSystemOpenZFSConfiguration"),
                "OpenZFSConfiguration.CopyTagsToBackups",
                "OpenZFSConfiguration.CopyTagsToVolumes",
            ),
        ),
        relations=(kms_key(), subnets("SubnetIds"), groups("SecurityGroupIds")),
        extra=BACKUP,
        secrets=("FsxAdminPassword", "Password"),
    ),
    TypeSpec(
        "AWS::DAX::Cluster",
        names=("ClusterName", "Id", "Arn"),
        defaults=(
            is_("SSESpecification.SSEEnabled", False, cfn("properties-dax-cluster-ssespecification")),
            is_(
                "ClusterEndpointEncryptionType",
                "NONE",
                doc("amazondynamodb/latest/APIReference/API_dax_CreateCluster"),
            ),
        ),
        relations=(groups("SecurityGroupIds"),),
    ),
    TypeSpec(
        "AWS::Neptune::DBCluster",
        names=("DBClusterIdentifier", "ClusterResourceId"),
        defaults=(
            is_("BackupRetentionPeriod", 1, _NEPTUNE),
            is_(
                "StorageEncrypted",
                False,
                cfn("resource-neptune-dbcluster"),
                unless=("SnapshotIdentifier", "SourceDBClusterIdentifier", "KmsKeyId"),
            ),
            is_("IamAuthEnabled", False, _NEPTUNE),
            is_("CopyTagsToSnapshot", False, cfn("resource-neptune-dbcluster")),
            depends(
                "DeletionProtection",
                _NEPTUNE,
                "the API reference says enabled, the console and the API differ",
            ),
        ),
        relations=(
            of("instances", "AWS::Neptune::DBInstance", "DBClusterIdentifier"),
            groups("VpcSecurityGroupIds"),
            kms_key(),
        ),
        extra=(("MultiAZ", "boolean"), *BACKUP),
    ),
    TypeSpec(
        "AWS::Neptune::DBInstance",
        names=("DBInstanceIdentifier",),
        defaults=(
            depends(
                "AutoMinorVersionUpgrade", cfn("resource-neptune-dbinstance"), "it depends on how it is made"
            ),
            is_("PubliclyAccessible", False, doc("neptune/latest/userguide/neptune-public-endpoints")),
        ),
        relations=(to("cluster", "AWS::Neptune::DBCluster", "DBClusterIdentifier", one=True),),
    ),
    TypeSpec(
        "AWS::DocDB::DBCluster",
        names=("DBClusterIdentifier", "Id", "ClusterResourceId"),
        defaults=(
            is_("BackupRetentionPeriod", 1, _DOCDB),
            is_(
                "StorageEncrypted",
                False,
                doc("documentdb/latest/developerguide/encryption-at-rest"),
                unless=("SnapshotIdentifier", "SourceDBClusterIdentifier", "KmsKeyId"),
            ),
            is_("DeletionProtection", False, doc("securityhub/latest/userguide/documentdb-controls")),
            is_("CopyTagsToSnapshot", False, doc("documentdb/latest/developerguide/API_DBCluster")),
            is_("StorageType", "standard", _DOCDB),
        ),
        relations=(
            of("instances", "AWS::DocDB::DBInstance", "DBClusterIdentifier"),
            to(
                "parameter_group",
                "AWS::DocDB::DBClusterParameterGroup",
                "DBClusterParameterGroupName",
                one=True,
            ),
            groups("VpcSecurityGroupIds"),
            kms_key(),
        ),
        extra=(("MultiAZ", "boolean"), *BACKUP),
        secrets=("MasterUserPassword",),
    ),
    TypeSpec(
        "AWS::DocDB::DBInstance",
        names=("DBInstanceIdentifier", "Id"),
        relations=(to("cluster", "AWS::DocDB::DBCluster", "DBClusterIdentifier", one=True),),
    ),
    TypeSpec(
        "AWS::DocDB::DBClusterParameterGroup",
        names=("Name",),
        defaults=(
            is_(
                "Parameters.tls",
                "enabled",
                doc("documentdb/latest/developerguide/cluster_parameter_groups-list_of_parameters"),
            ),
        ),
        relations=(of("clusters", "AWS::DocDB::DBCluster", "DBClusterParameterGroupName"),),
        extra=(("Parameters", "map:string"),),
    ),
)
