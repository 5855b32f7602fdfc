"""Amazon RDS and Aurora."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    SUBNET,
    TOPIC,
    cfn,
    depends,
    doc,
    extra,
    groups,
    is_,
    kms_key,
    of,
    off,
    subnets,
    to,
)
from policyengine.catalog.types.ec2_compute import BACKUP

_INSTANCE = doc("AmazonRDS/latest/APIReference/API_CreateDBInstance")
_CLUSTER = doc("AmazonRDS/latest/APIReference/API_CreateDBCluster")
_AURORA = doc("AmazonRDS/latest/AuroraUserGuide/Overview.Encryption")
_ENCRYPTION = doc("AmazonRDS/latest/UserGuide/Overview.Encryption")
_SNAPSHOT_SHARE = ("RestoreAccounts", "list:string")
_REPLICA = (
    "SourceDBInstanceIdentifier",
    "SourceDbiResourceId",
    "DBSnapshotIdentifier",
    "SourceDBInstanceAutomatedBackupsArn",
    "DBClusterSnapshotIdentifier",
)
_TLS_PARAMETERS = (
    depends(
        'Parameters."rds.force_ssl"',
        doc("AmazonRDS/latest/UserGuide/PostgreSQL.Concepts.General.SSL"),
        "1 from RDS for PostgreSQL 15 on, 0 before; other engines and Aurora differ",
    ),
    depends(
        "Parameters.require_secure_transport",
        doc("AmazonRDS/latest/UserGuide/mariadb-ssl-connections.require-ssl"),
        "OFF for MySQL, Aurora MySQL and MariaDB before 11.8, ON from MariaDB 11.8 on",
    ),
)
_MEMBER = ("DBClusterIdentifier",)

TYPES = (
    TypeSpec(
        "AWS::RDS::DBInstance",
        names=("DBInstanceIdentifier", "DbiResourceId", "DBInstanceArn"),
        defaults=(
            is_("BackupRetentionPeriod", 1, _INSTANCE, unless=(*_REPLICA, *_MEMBER)),
            is_(
                "StorageEncrypted",
                False,
                _INSTANCE,
                unless=(*_REPLICA, *_MEMBER, "SourceDBClusterIdentifier"),
            ),
            depends("PubliclyAccessible", _INSTANCE, "it depends on the engine and on the subnet group"),
            depends("EngineVersion", _INSTANCE, "AWS chooses the version when none is given"),
            depends("DBParameterGroupName", _INSTANCE, "the default group of the engine and its version"),
            is_("MultiAZ", False, _INSTANCE, unless=_MEMBER),
            is_("DeletionProtection", False, _INSTANCE, unless=_MEMBER),
            is_("AutoMinorVersionUpgrade", True, _INSTANCE),
            is_("CopyTagsToSnapshot", False, _INSTANCE, unless=_MEMBER),
            is_("EnableIAMDatabaseAuthentication", False, _INSTANCE, unless=_MEMBER),
            is_("MonitoringInterval", 0, _INSTANCE, unless=_MEMBER),
            is_("EnablePerformanceInsights", False, _INSTANCE, unless=_MEMBER),
            is_("ManageMasterUserPassword", False, _INSTANCE, unless=(*_REPLICA, *_MEMBER)),
            is_("DeleteAutomatedBackups", True, _INSTANCE),
            is_("EngineLifecycleSupport", "open-source-rds-extended-support", _INSTANCE, unless=_MEMBER),
        ),
        relations=(
            to("cluster", "AWS::RDS::DBCluster", "DBClusterIdentifier", one=True),
            to("parameter_group", "AWS::RDS::DBParameterGroup", "DBParameterGroupName", one=True),
            to("option_group", "AWS::RDS::OptionGroup", "OptionGroupName", one=True),
            to("subnet_group", "AWS::RDS::DBSubnetGroup", "DBSubnetGroupName", one=True),
            to(
                "source_snapshot",
                "AWS::RDS::DBSnapshot",
                "DBSnapshotIdentifier",
                one=True,
                scope="organization",
            ),
            to("source_instance", "AWS::RDS::DBInstance", "SourceDBInstanceIdentifier", one=True),
            of("snapshots", "AWS::RDS::DBSnapshot", "DBInstanceIdentifier"),
            of("event_subscriptions", "AWS::RDS::EventSubscription", "SourceIds"),
            groups("VPCSecurityGroups"),
            kms_key(),
            kms_key("PerformanceInsightsKMSKeyId", "performance_insights_key"),
            kms_key("AutomaticBackupReplicationKmsKeyId", "replication_key"),
        ),
        extra=(*BACKUP,),
        secrets=("MasterUserPassword", "TdeCredentialPassword"),
    ),
    TypeSpec(
        "AWS::RDS::DBCluster",
        names=("DBClusterIdentifier", "DBClusterResourceId", "DBClusterArn"),
        defaults=(
            is_(
                "BackupRetentionPeriod",
                1,
                _CLUSTER,
                unless=("SnapshotIdentifier", "SourceDBClusterIdentifier"),
            ),
            depends(
                "StorageEncrypted",
                _AURORA,
                "Aurora clusters made since 2026-02-18 are encrypted, older and Multi-AZ DB ones may not be",
                "2026-02-18",
            ),
            depends(
                "StorageEncryptionType",
                _AURORA,
                "Aurora clusters made since 2026-02-18 have `sse-rds` or `sse-kms`, older ones maybe `none`",
                "2026-02-18",
            ),
            is_("DeletionProtection", False, _CLUSTER),
            is_("CopyTagsToSnapshot", False, _CLUSTER),
            is_("EnableIAMDatabaseAuthentication", False, _CLUSTER),
            is_("BacktrackWindow", 0, _CLUSTER),
            is_("MonitoringInterval", 0, _CLUSTER),
            depends("PubliclyAccessible", _CLUSTER, "it depends on the subnet group"),
            depends("EngineVersion", _CLUSTER, "AWS chooses the version when none is given"),
            depends(
                "DBClusterParameterGroupName", _CLUSTER, "the default group of the engine and its version"
            ),
            is_("AutoMinorVersionUpgrade", True, cfn("resource-rds-dbcluster")),
            is_("EnableHttpEndpoint", False, cfn("resource-rds-dbcluster")),
            is_(
                "ManageMasterUserPassword",
                False,
                _CLUSTER,
                unless=("SnapshotIdentifier", "SourceDBClusterIdentifier"),
            ),
        ),
        relations=(
            of("instances", "AWS::RDS::DBInstance", "DBClusterIdentifier"),
            to(
                "parameter_group",
                "AWS::RDS::DBClusterParameterGroup",
                "DBClusterParameterGroupName",
                one=True,
            ),
            to("subnet_group", "AWS::RDS::DBSubnetGroup", "DBSubnetGroupName", one=True),
            to(
                "source_snapshot",
                "AWS::RDS::ClusterSnapshot",
                "SnapshotIdentifier",
                one=True,
                scope="organization",
            ),
            of("snapshots", "AWS::RDS::ClusterSnapshot", "DBClusterIdentifier"),
            of("event_subscriptions", "AWS::RDS::EventSubscription", "SourceIds"),
            groups("VpcSecurityGroupIds"),
            kms_key(),
            kms_key("PerformanceInsightsKmsKeyId", "performance_insights_key"),
            kms_key("ActivityStreamKmsKeyId", "activity_stream_key"),
        ),
        extra=(
            ("MultiAZ", "boolean"),
            ("ClusterCreateTime", "string"),
            ("ActivityStreamStatus", "string"),
            ("ActivityStreamKmsKeyId", "string"),
            *BACKUP,
        ),
        secrets=("MasterUserPassword",),
    ),
    TypeSpec(
        "AWS::RDS::GlobalCluster",
        names=("GlobalClusterIdentifier",),
        defaults=(
            is_("DeletionProtection", False, doc("AmazonRDS/latest/APIReference/API_CreateGlobalCluster")),
            depends(
                "StorageEncrypted",
                _AURORA,
                "it follows the source cluster, and since 2026-02-18 the default",
                "2026-02-18",
            ),
        ),
    ),
    TypeSpec(
        "AWS::RDS::DBSnapshot",
        names=("DBSnapshotIdentifier", "DBSnapshotArn"),
        defaults=(depends("Encrypted", _ENCRYPTION, "it follows the instance"),),
        relations=(to("instance", "AWS::RDS::DBInstance", "DBInstanceIdentifier", one=True), kms_key()),
        extra=(_SNAPSHOT_SHARE,),
    ),
    TypeSpec(
        "AWS::RDS::ClusterSnapshot",
        names=("DBClusterSnapshotIdentifier", "DBClusterSnapshotArn"),
        defaults=(depends("StorageEncrypted", _AURORA, "it follows the cluster"),),
        relations=(to("cluster", "AWS::RDS::DBCluster", "DBClusterIdentifier", one=True), kms_key()),
        extra=(_SNAPSHOT_SHARE,),
    ),
    TypeSpec("AWS::RDS::DBSubnetGroup", names=("DBSubnetGroupName",), relations=(subnets("SubnetIds"),)),
    TypeSpec(
        "AWS::RDS::DBParameterGroup",
        names=("DBParameterGroupName",),
        defaults=_TLS_PARAMETERS,
        relations=(of("instances", "AWS::RDS::DBInstance", "DBParameterGroupName"),),
        extra=(("Parameters", "map:string"),),
    ),
    TypeSpec(
        "AWS::RDS::DBClusterParameterGroup",
        names=("DBClusterParameterGroupName",),
        defaults=_TLS_PARAMETERS,
        relations=(of("clusters", "AWS::RDS::DBCluster", "DBClusterParameterGroupName"),),
        extra=(("Parameters", "map:string"),),
    ),
    TypeSpec("AWS::RDS::OptionGroup", names=("OptionGroupName",)),
    TypeSpec(
        "AWS::RDS::EventSubscription",
        names=("SubscriptionName",),
        defaults=(is_("Enabled", True, cfn("resource-rds-eventsubscription")),),
        relations=(to("topic", TOPIC, "SnsTopicArn", one=True),),
    ),
    TypeSpec(
        "AWS::RDS::DBProxy",
        names=("DBProxyName", "DBProxyArn"),
        defaults=off(doc("AmazonRDS/latest/APIReference/API_CreateDBProxy"), "RequireTLS", "DebugLogging"),
        relations=(groups("VpcSecurityGroupIds"), to("subnets", SUBNET, "VpcSubnetIds")),
        extra=extra(Status="string"),
    ),
)
