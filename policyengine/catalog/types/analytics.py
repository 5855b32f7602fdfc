"""Redshift, OpenSearch, Athena, Glue, Lake Formation, EMR and DMS."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import (
    ROLE,
    cfn,
    depends,
    doc,
    every,
    groups,
    is_,
    kms_key,
    of,
    off,
    subnets,
    to,
)
from policyengine.catalog.types.ec2_compute import BACKUP

_REDSHIFT = doc("redshift/latest/APIReference/API_CreateCluster")
_SERVERLESS = cfn("resource-redshiftserverless-workgroup")
_OS_REST = doc("opensearch-service/latest/developerguide/encryption-at-rest")
_OS_NODES = doc("opensearch-service/latest/developerguide/ntn")
_OS_FGAC = doc("opensearch-service/latest/developerguide/fgac")
_OS_API = doc("opensearch-service/latest/APIReference/API_DomainEndpointOptions")
_OS_CLUSTER = doc("opensearch-service/latest/APIReference/API_ClusterConfig")
_DMS = doc("dms/latest/APIReference/API_CreateReplicationInstance")
_RESTORED = ("SnapshotIdentifier", "SnapshotClusterIdentifier")

_DOMAIN = (
    *off(_OS_REST, "EncryptionAtRestOptions.Enabled"),
    *off(_OS_NODES, "NodeToNodeEncryptionOptions.Enabled"),
    *off(_OS_FGAC, "AdvancedSecurityOptions.Enabled", "AdvancedSecurityOptions.InternalUserDatabaseEnabled"),
    *off(_OS_API, "DomainEndpointOptions.EnforceHTTPS", "DomainEndpointOptions.CustomEndpointEnabled"),
    depends("DomainEndpointOptions.TLSSecurityPolicy", _OS_API, "the page names no default"),
)

_LOGS = (
    ("LogPublishingOptions", "map:object"),
    *(
        (f"LogPublishingOptions.{log}.{name}", kind)
        for log in ("AUDIT_LOGS", "ES_APPLICATION_LOGS", "SEARCH_SLOW_LOGS", "INDEX_SLOW_LOGS")
        for name, kind in (("Enabled", "boolean"), ("CloudWatchLogsLogGroupArn", "string"))
    ),
)

TYPES = (
    TypeSpec(
        "AWS::Redshift::Cluster",
        names=("ClusterIdentifier", "ClusterNamespaceArn"),
        defaults=(
            is_("Encrypted", True, _REDSHIFT, "2025-01-10", unless=_RESTORED),
            is_("PubliclyAccessible", False, _REDSHIFT, "2025-01-10", unless=_RESTORED),
            is_("AutomatedSnapshotRetentionPeriod", 1, _REDSHIFT),
            is_("AllowVersionUpgrade", True, _REDSHIFT),
            is_("EnhancedVpcRouting", False, _REDSHIFT, unless=_RESTORED),
            is_("MultiAZ", False, cfn("resource-redshift-cluster"), unless=_RESTORED),
            is_("Port", 5439, _REDSHIFT),
            is_("ManageMasterPassword", False, cfn("resource-redshift-cluster"), unless=_RESTORED),
        ),
        relations=(
            to(
                "parameter_group",
                "AWS::Redshift::ClusterParameterGroup",
                "ClusterParameterGroupName",
                one=True,
            ),
            to("subnet_group", "AWS::Redshift::ClusterSubnetGroup", "ClusterSubnetGroupName", one=True),
            groups("VpcSecurityGroupIds"),
            kms_key(),
            of("snapshots", "AWS::Redshift::Snapshot", "ClusterIdentifier"),
        ),
        extra=(
            ("LoggingEnabled", "boolean"),
            ("ClusterSnapshotCopyStatus.DestinationRegion", "string"),
            ("ClusterSnapshotCopyStatus.RetentionPeriod", "integer"),
            *BACKUP,
        ),
        secrets=("MasterUserPassword",),
    ),
    TypeSpec(
        "AWS::Redshift::ClusterParameterGroup",
        names=("ParameterGroupName",),
        defaults=(
            depends(
                "ParameterValues.require_ssl",
                doc("redshift/latest/mgmt/connecting-ssl-support"),
                "false in the family redshift-1.0, true in the default group of clusters made since 2025-01-10",
            ),
        ),
        relations=(of("clusters", "AWS::Redshift::Cluster", "ClusterParameterGroupName"),),
        extra=(("ParameterValues", "map:string"),),
    ),
    TypeSpec(
        "AWS::Redshift::ClusterSubnetGroup",
        names=("ClusterSubnetGroupName",),
        relations=(subnets("SubnetIds"),),
    ),
    TypeSpec(
        "AWS::Redshift::Snapshot",
        names=("SnapshotIdentifier", "SnapshotArn"),
        defaults=(
            depends(
                "Encrypted", doc("redshift/latest/mgmt/working-with-db-encryption"), "it follows the cluster"
            ),
        ),
        relations=(to("cluster", "AWS::Redshift::Cluster", "ClusterIdentifier", one=True), kms_key()),
        extra=(("AccountsWithRestoreAccess", "list:object"),),
    ),
    TypeSpec("AWS::Redshift::SnapshotCopyGrant", names=("SnapshotCopyGrantName",), relations=(kms_key(),)),
    TypeSpec(
        "AWS::RedshiftServerless::Namespace",
        names=("NamespaceName",),
        relations=(of("workgroups", "AWS::RedshiftServerless::Workgroup", "NamespaceName"), kms_key()),
        secrets=("AdminUserPassword",),
    ),
    TypeSpec(
        "AWS::RedshiftServerless::Workgroup",
        names=("WorkgroupName",),
        defaults=(
            *off(_SERVERLESS, "PubliclyAccessible", "EnhancedVpcRouting"),
            depends("ParameterValues.require_ssl", _SERVERLESS, "the page names no default"),
            is_("Port", 5439, _SERVERLESS),
        ),
        relations=(
            to("namespace", "AWS::RedshiftServerless::Namespace", "NamespaceName", one=True),
            subnets("SubnetIds"),
            groups("SecurityGroupIds"),
        ),
        extra=(("ParameterValues", "map:string"),),
    ),
    TypeSpec(
        "AWS::OpenSearchService::Domain",
        names=("DomainName", "Arn", "DomainArn"),
        defaults=(
            *_DOMAIN,
            *off(_OS_CLUSTER, "ClusterConfig.DedicatedMasterEnabled", "ClusterConfig.ZoneAwarenessEnabled"),
            is_("ClusterConfig.MultiAZWithStandbyEnabled", False, _OS_CLUSTER),
            depends("ClusterConfig.InstanceCount", _OS_CLUSTER, "the page names no default"),
        ),
        relations=(
            kms_key("EncryptionAtRestOptions.KmsKeyId"),
            subnets("VPCOptions.SubnetIds"),
            groups("VPCOptions.SecurityGroupIds"),
        ),
        extra=(*_LOGS, ("SoftwareUpdateAvailable", "boolean")),
        secrets=("MasterUserPassword",),
    ),
    TypeSpec(
        "AWS::Elasticsearch::Domain",
        names=("DomainName", "Id", "Arn"),
        defaults=(
            *_DOMAIN,
            *off(
                doc("opensearch-service/latest/developerguide/managedomains-multiaz"),
                "ElasticsearchClusterConfig.DedicatedMasterEnabled",
                "ElasticsearchClusterConfig.ZoneAwarenessEnabled",
            ),
            depends("ElasticsearchClusterConfig.InstanceCount", _OS_CLUSTER, "the page names no default"),
        ),
        relations=(
            kms_key("EncryptionAtRestOptions.KmsKeyId"),
            subnets("VPCOptions.SubnetIds"),
            groups("VPCOptions.SecurityGroupIds"),
        ),
        extra=_LOGS,
        secrets=("MasterUserPassword",),
    ),
    TypeSpec(
        "AWS::Athena::WorkGroup",
        names=("Name",),
        defaults=(
            depends(
                "WorkGroupConfiguration.EnforceWorkGroupConfiguration",
                cfn("properties-athena-workgroup-workgroupconfiguration"),
                "the page names no default; the console and the API differ",
            ),
            depends(
                "WorkGroupConfiguration.PublishCloudWatchMetricsEnabled",
                cfn("properties-athena-workgroup-workgroupconfiguration"),
                "the page names no default; the console switches it on",
                deployed=False,
            ),
            is_("State", "ENABLED", cfn("resource-athena-workgroup")),
        ),
        relations=(kms_key("WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration.KmsKey"),),
    ),
    TypeSpec(
        "AWS::Glue::DataCatalogEncryptionSettings",
        names=("CatalogId",),
        relations=(
            kms_key("DataCatalogEncryptionSettings.EncryptionAtRest.SseAwsKmsKeyId"),
            kms_key("DataCatalogEncryptionSettings.ConnectionPasswordEncryption.KmsKeyId", "password_key"),
        ),
    ),
    TypeSpec(
        "AWS::Glue::Job",
        names=("Name",),
        relations=(
            to(
                "security_configuration",
                "AWS::Glue::SecurityConfiguration",
                "SecurityConfiguration",
                one=True,
            ),
            to("role", ROLE, "Role", one=True, scope="account"),
        ),
    ),
    TypeSpec("AWS::Glue::Connection", names=("Name",), secrets=("PASSWORD", "Password")),
    TypeSpec("AWS::Glue::SecurityConfiguration", names=("Name",)),
    TypeSpec(
        "AWS::Glue::Crawler",
        names=("Name",),
        relations=(
            to(
                "security_configuration",
                "AWS::Glue::SecurityConfiguration",
                "CrawlerSecurityConfiguration",
                one=True,
            ),
        ),
    ),
    TypeSpec(
        "AWS::Glue::MLTransform",
        names=("Name",),
        relations=(kms_key("TransformEncryption.MLUserDataEncryption.KmsKeyId"),),
    ),
    TypeSpec(
        "AWS::LakeFormation::DataLakeSettings",
        names=("Id",),
        defaults=(
            depends(
                "CreateDatabaseDefaultPermissions",
                doc("lake-formation/latest/dg/change-settings"),
                "the account starts with everything for IAMAllowedPrincipals; leaving it out changes nothing",
            ),
            depends(
                "CreateTableDefaultPermissions",
                doc("lake-formation/latest/dg/change-settings"),
                "the account starts with everything for IAMAllowedPrincipals; leaving it out changes nothing",
            ),
        ),
        relations=(every("permissions", "AWS::LakeFormation::PrincipalPermissions"),),
    ),
    TypeSpec("AWS::LakeFormation::PrincipalPermissions"),
    TypeSpec(
        "AWS::LakeFormation::Resource",
        names=("ResourceArn",),
        relations=(to("bucket", "AWS::S3::Bucket", "ResourceArn", one=True),),
    ),
    TypeSpec(
        "AWS::EMR::Cluster",
        names=("Id",),
        defaults=(
            is_("VisibleToAllUsers", True, doc("emr/latest/APIReference/API_RunJobFlow")),
            is_(
                "Instances.KeepJobFlowAliveWhenNoSteps",
                False,
                doc("emr/latest/APIReference/API_JobFlowInstancesConfig"),
            ),
            is_(
                "Instances.TerminationProtected",
                False,
                doc("emr/latest/ManagementGuide/UsingEMR_TerminationProtection"),
            ),
        ),
        relations=(
            to(
                "security_configuration", "AWS::EMR::SecurityConfiguration", "SecurityConfiguration", one=True
            ),
            groups("Instances.EmrManagedMasterSecurityGroup", "master_security_groups"),
            to("subnet", "AWS::EC2::Subnet", "Instances.Ec2SubnetId", one=True),
        ),
        secrets=("KdcAdminPassword", "ADDomainJoinPassword", "CrossRealmTrustPrincipalPassword"),
    ),
    TypeSpec("AWS::EMR::SecurityConfiguration", names=("Name",)),
    TypeSpec(
        "AWS::DMS::ReplicationInstance",
        names=("Id", "ReplicationInstanceIdentifier"),
        defaults=(
            is_("PubliclyAccessible", True, _DMS),
            is_("AutoMinorVersionUpgrade", True, _DMS),
            is_("MultiAZ", False, cfn("resource-dms-replicationinstance")),
        ),
        relations=(kms_key(), groups("VpcSecurityGroupIds")),
    ),
    TypeSpec(
        "AWS::DMS::Endpoint",
        names=("EndpointArn", "EndpointIdentifier"),
        defaults=(
            is_("SslMode", "none", doc("dms/latest/APIReference/API_CreateEndpoint")),
            is_(
                "RedisSettings.SslSecurityProtocol",
                "ssl-encryption",
                doc("dms/latest/APIReference/API_RedisSettings"),
            ),
        ),
        relations=(kms_key(), kms_key("S3Settings.ServerSideEncryptionKmsKeyId", "s3_key")),
        secrets=(
            "Password",
            "AsmPassword",
            "SecurityDbEncryption",
            "AuthPassword",
            "SaslPassword",
            "SslClientKeyPassword",
            "BearerTokenFile",
        ),
    ),
    TypeSpec(
        "AWS::DMS::ReplicationTask",
        names=("ReplicationTaskArn", "ReplicationTaskIdentifier"),
        extra=(("Settings", "json"),),
    ),
    TypeSpec(
        "AWS::EMRServerless::Application",
        names=("ApplicationId", "Arn"),
        relations=(
            subnets("NetworkConfiguration.SubnetIds"),
            groups("NetworkConfiguration.SecurityGroupIds"),
        ),
    ),
)
