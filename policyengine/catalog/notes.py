"""Where each property that the registry does not have comes from. Read by the documentation only."""

from __future__ import annotations

from typing import Final

_BACKUP = "AWS Backup `DescribeProtectedResource` for the resource"
_LAST_ACCESSED = (
    "IAM `GenerateServiceLastAccessedDetails`, then `GetServiceLastAccessedDetails` of the completed job; "
    "absent when none ran"
)
_TEXTS = "the registry's property, typed as a map of text"
_PARSED = "the registry's property; JSON text is parsed"
_OBJECTS = "the registry's property, typed as a map of objects"
_LB = "derived from `LoadBalancerAttributes`"

EXTRA_NOTES: Final[dict[str, dict[str, str]]] = {
    "*": {"BackupProtection": _BACKUP},
    "AWS::::Account": {
        "AccountId": "STS `GetCallerIdentity`",
        "AccountName": "Account Management `GetAccountInformation`",
        "PublicAccessBlockConfiguration": "S3 Control `GetPublicAccessBlock` of the account",
        "PasswordPolicy": "IAM `GetAccountPasswordPolicy`; the object is absent when the account has none",
        "AccountSummary": "IAM `GetAccountSummary`: 1 is yes, 0 is no",
        "CredentialReport": "IAM `GetCredentialReport`: when it was generated; absent when nobody has read it",
        "RootPasswordLastUsed": "IAM credential report, `password_last_used` of the root user; absent when never",
        "RootAccessKeyLastUsed": "IAM credential report, the later of the root user's `access_key_1_last_used_date` "
        "and `access_key_2_last_used_date`; absent when never",
        "RootHardwareMfa": "IAM `ListVirtualMFADevices`: the root user's MFA device is not virtual",
        "AlternateContacts": "Account Management `GetAlternateContact`; a kind is absent when there is none",
        "ContactInformation": "Account Management `GetContactInformation`",
        "OrganizationId": "Organizations `DescribeOrganization`; absent when the account is in none",
        "IsManagementAccount": "Organizations `DescribeOrganization`",
        "IsLogArchiveAccount": "configuration of the source: the account that holds the organisation's logs",
        "ShieldSubscription": "Shield `DescribeSubscription`; absent without Shield Advanced",
        "SupportPlan": "Support `DescribeSeverityLevels` (`basic` when it is refused)",
    },
    "PolicyEngine::Code::Suppression": {
        "Kind": "the code: `waiver` refers to one, `ignore` to none, `unreadable` is no list of ids",
        "Form": "the code: `comment` or `metadata`",
        "Text": "the code: the directive as it is written, shortened",
        "Waiver": "the code: the id it refers to",
        "Targets": "the code: what it stands at; empty where that is nothing",
        "State": "the engine: `active`, `missing`, `expired`, `not_yet`, `refused`, `elsewhere`, `other_rules`, `nowhere`, "
        "`no_waiver` or `unreadable`",
        "Why": "the engine: the same as a sentence",
    },
    "PolicyEngine::Account::Region": {
        "RegionName": "the region itself",
        "EbsEncryptionByDefault": "EC2 `GetEbsEncryptionByDefault`",
        "EbsDefaultKmsKeyId": "EC2 `GetEbsDefaultKmsKeyId`",
        "SnapshotBlockPublicAccess": "EC2 `GetSnapshotBlockPublicAccessState`: `block-all-sharing`, "
        "`block-new-sharing` or `unblocked`",
        "ImageBlockPublicAccess": "EC2 `GetImageBlockPublicAccessState`: `block-new-sharing` or `unblocked`",
        "InstanceMetadataDefaults": "EC2 `GetInstanceMetadataDefaults`; a field is absent when not set",
        "SerialConsoleAccessEnabled": "EC2 `GetSerialConsoleAccessStatus`",
        "SecurityHubEnabled": "Security Hub `DescribeHub` succeeds",
        "InspectorStatus": "Inspector `BatchGetAccountStatus`: `ENABLED`, `DISABLED`, …",
        "MacieStatus": "Macie `GetMacieSession` status: `ENABLED`, `PAUSED`; absent when not on",
        "MacieAutomatedDiscoveryStatus": "Macie `GetAutomatedDiscoveryConfiguration`",
        "SsmSessionPreferences": "inputs of the document `SSM-SessionManagerRunShell`",
        "SsmDocumentPublicSharingDisabled": "Systems Manager service setting `/ssm/documents/console/public-sharing-permission` "
        "is `Disable`",
        "DefaultHostManagementRole": "Systems Manager service setting "
        "`/ssm/managed-instance/default-ec2-instance-management-role`",
        "BackupRegionSettings": "AWS Backup `DescribeRegionSettings`, service name -> opted in",
        "ServiceQuotas": "Service Quotas `GetQuotaUtilizationReport`; `Value` is the applied one",
        "BedrockModelInvocationLogging": "Bedrock `GetModelInvocationLoggingConfiguration`; absent when off; "
        "`LargeDataDeliveryS3BucketName` is `cloudWatchConfig.largeDataDeliveryS3Config.bucketName`",
        "EmrBlockPublicAccess": "EMR `GetBlockPublicAccessConfiguration`",
        "ApiGatewayCloudwatchRoleArn": "API Gateway `GetAccount`; absent when none is set",
        "GlueResourcePolicy": "Glue `GetResourcePolicy`; absent when there is none",
        "LambdaConcurrencyLimit": "Lambda `GetAccountSettings`, `ConcurrentExecutions`",
    },
    "AWS::S3::Bucket": {
        "VersioningConfiguration": "S3 `GetBucketVersioning`: `Enabled` or `Disabled`",
        "PolicyStatus": "S3 `GetBucketPolicyStatus`",
        "AccessControlGrants": "S3 `GetBucketAcl`, `Grants`",
        "MacieMonitoring": "Macie `DescribeBuckets`: automated discovery status, `jobDetails`, sensitivity score",
        "CreationDate": "S3 `ListBuckets`",
    },
    "AWS::SES::EmailIdentity": {"Policies": "SES `GetEmailIdentity`, `Policies` as a list"},
    "AWS::Glacier::Vault": {
        "VaultName": "S3 Glacier `DescribeVault`",
        "VaultARN": "S3 Glacier `DescribeVault`",
        "Policy": "S3 Glacier `GetVaultAccessPolicy`; absent when there is none",
    },
    "AWS::S3::AccessPoint": {"CreationDate": "S3 Control `GetAccessPoint`"},
    "AWS::EC2::VPC": {"IsDefault": "EC2 `DescribeVpcs`"},
    "AWS::EC2::Subnet": {"DefaultForAz": "EC2 `DescribeSubnets`"},
    "AWS::EC2::RouteTable": {"Main": "EC2 `DescribeRouteTables`: the VPC's main table"},
    "AWS::EC2::NatGateway": {"State": "EC2 `DescribeNatGateways`"},
    "AWS::EC2::NetworkAcl": {"IsDefault": "EC2 `DescribeNetworkAcls`"},
    "AWS::EC2::NetworkInterface": {
        "Association": "EC2 `DescribeNetworkInterfaces`",
        "Attachment": "EC2 `DescribeNetworkInterfaces`",
        "Status": "EC2 `DescribeNetworkInterfaces`: `available` or `in-use`",
    },
    "AWS::EC2::EIP": {
        "AssociationId": "EC2 `DescribeAddresses`; absent when the address is not in use",
        "NetworkInterfaceId": "EC2 `DescribeAddresses`",
    },
    "AWS::EC2::FlowLog": {
        "FlowLogStatus": "EC2 `DescribeFlowLogs`",
        "DeliverLogsStatus": "EC2 `DescribeFlowLogs`: `SUCCESS` or `FAILED`",
    },
    "AWS::EC2::VPCEndpoint": {"State": "EC2 `DescribeVpcEndpoints`"},
    "AWS::EC2::TransitGateway": {"State": "EC2 `DescribeTransitGateways`"},
    "AWS::EC2::VPCPeeringConnection": {
        "AccepterVpcInfo": "EC2 `DescribeVpcPeeringConnections`",
        "RequesterVpcInfo": "EC2 `DescribeVpcPeeringConnections`",
    },
    "AWS::EC2::VPNConnection": {
        "VgwTelemetry": "EC2 `DescribeVpnConnections`: `Status` of each tunnel",
        "State": "EC2 `DescribeVpnConnections`",
    },
    "AWS::EC2::Instance": {
        "LaunchTime": "EC2 `DescribeInstances`",
        "StateName": "EC2 `DescribeInstances`, `State.Name`",
        "StateTransitionTime": "EC2 `DescribeInstances`, the time in `StateTransitionReason`",
        "Platform": "EC2 `DescribeInstances`, `PlatformDetails`",
        "SsmPingStatus": "Systems Manager `DescribeInstanceInformation`; absent when not managed",
        "PatchState": "Systems Manager `DescribeInstancePatchStates`; absent when never scanned",
    },
    "AWS::EC2::Volume": {
        "State": "EC2 `DescribeVolumes`: `available` or `in-use`",
        "CreateTime": "EC2 `DescribeVolumes`",
    },
    "AWS::EC2::Snapshot": {
        "Public": "EC2 `DescribeSnapshotAttribute`: `createVolumePermission` holds the group `all`",
        "CreateVolumePermissions": "EC2 `DescribeSnapshotAttribute`: `{Group}` or `{UserId}`",
        "": "EC2 `DescribeSnapshots`",
    },
    "AWS::EC2::Image": {
        "LaunchPermissions": "EC2 `DescribeImageAttribute`: `{Group}` or `{UserId}`",
        "LastLaunchedTime": "EC2 `DescribeImageAttribute`",
        "": "EC2 `DescribeImages`",
    },
    "AWS::ElasticLoadBalancingV2::LoadBalancer": {
        "Attributes": _LB,
        "VpcId": "ELB `DescribeLoadBalancers`",
        "CreatedTime": "ELB `DescribeLoadBalancers`",
    },
    "AWS::ElasticLoadBalancingV2::Listener": {"Attributes": "derived from `ListenerAttributes`"},
    "AWS::ElasticLoadBalancingV2::TargetGroup": {"Attributes": "derived from `TargetGroupAttributes`"},
    "AWS::ElasticLoadBalancing::LoadBalancer": {
        "Attributes": "ELB `DescribeLoadBalancerAttributes`, `AdditionalAttributes`"
    },
    "AWS::RDS::DBCluster": {
        "MultiAZ": "RDS `DescribeDBClusters`",
        "ClusterCreateTime": "RDS `DescribeDBClusters`",
        "ActivityStreamStatus": "RDS `DescribeDBClusters`: `started`, `stopped`, …",
        "ActivityStreamKmsKeyId": "RDS `DescribeDBClusters`; absent when there is no activity stream",
    },
    "AWS::RDS::DBSnapshot": {
        "RestoreAccounts": "RDS `DescribeDBSnapshotAttributes`, `restore`: account ids, or `all` when public"
    },
    "AWS::RDS::ClusterSnapshot": {
        "RestoreAccounts": "RDS `DescribeDBClusterSnapshotAttributes`, `restore`: account ids, or `all` when public"
    },
    "AWS::RDS::DBParameterGroup": {"Parameters": _TEXTS},
    "AWS::RDS::DBClusterParameterGroup": {"Parameters": _TEXTS},
    "AWS::RDS::DBProxy": {"Status": "RDS `DescribeDBProxies`"},
    "AWS::DynamoDB::Table": {
        "AutoScaling": "Application Auto Scaling `DescribeScalableTargets` has the table's dimension",
        "CreationDateTime": "DynamoDB `DescribeTable`",
    },
    "AWS::Neptune::DBCluster": {"MultiAZ": "Neptune `DescribeDBClusters`"},
    "AWS::DocDB::DBCluster": {"MultiAZ": "DocumentDB `DescribeDBClusters`"},
    "AWS::DocDB::DBClusterParameterGroup": {"Parameters": _TEXTS},
    "AWS::SQS::Queue": {
        "RedrivePolicy": _PARSED,
        "CreatedTimestamp": "SQS `GetQueueAttributes`",
    },
    "AWS::SNS::Topic": {
        "DeliveryStatusLogging": "the registry's property",
        "SubscriptionsConfirmed": "SNS `GetTopicAttributes`",
    },
    "AWS::SNS::Subscription": {
        "PendingConfirmation": "SNS `GetSubscriptionAttributes`",
        "RedrivePolicy": _PARSED,
    },
    "AWS::Redshift::Cluster": {
        "LoggingEnabled": "Redshift `DescribeLoggingStatus`",
        "ClusterSnapshotCopyStatus": "Redshift `DescribeClusters`",
    },
    "AWS::Redshift::ClusterParameterGroup": {"ParameterValues": "derived from `Parameters`"},
    "AWS::Redshift::Snapshot": {"AccountsWithRestoreAccess": "Redshift `DescribeClusterSnapshots`"},
    "AWS::RedshiftServerless::Workgroup": {"ParameterValues": "derived from `ConfigParameters`"},
    "AWS::OpenSearchService::Domain": {
        "LogPublishingOptions": _OBJECTS,
        "SoftwareUpdateAvailable": "OpenSearch `DescribeDomain`, `ServiceSoftwareOptions.UpdateAvailable`",
    },
    "AWS::Elasticsearch::Domain": {
        "LogPublishingOptions": _OBJECTS,
    },
    "AWS::DMS::ReplicationTask": {"Settings": "derived: `ReplicationTaskSettings`, parsed"},
    "AWS::ElastiCache::CacheCluster": {
        "AtRestEncryptionEnabled": "ElastiCache `DescribeCacheClusters`",
        "ReplicationGroupId": "ElastiCache `DescribeCacheClusters`; present on members of a replication group",
    },
    "AWS::ACMPCA::CertificateAuthority": {"": "AWS Private CA `DescribeCertificateAuthority`"},
    "AWS::ServiceCatalog::Portfolio": {"SharedAccountIds": "Service Catalog `ListPortfolioAccess`"},
    "AWS::CloudFormation::Stack": {"": "CloudFormation `DescribeStacks`"},
    "AWS::Backup::RecoveryPoint": {"": "AWS Backup `ListRecoveryPointsByBackupVault`"},
    "AWS::Neptune::DBClusterSnapshot": {
        "RestoreAccounts": "Neptune `DescribeDBClusterSnapshotAttributes`, `restore`: ids, or `all` when public",
        "": "Neptune `DescribeDBClusterSnapshots`",
    },
    "AWS::DocDB::DBClusterSnapshot": {
        "RestoreAccounts": "DocumentDB `DescribeDBClusterSnapshotAttributes`, `restore`: ids, or `all` when public",
        "": "DocumentDB `DescribeDBClusterSnapshots`",
    },
    "AWS::Neptune::DBClusterParameterGroup": {"Parameters": _TEXTS},
    "AWS::StorageGateway::FileShare": {
        "": "Storage Gateway `DescribeNFSFileShares` and `DescribeSMBFileShares`"
    },
    "AWS::KMS::Key": {
        "KeyState": "KMS `DescribeKey`: `Enabled`, `Disabled`, `PendingDeletion`, `PendingImport`, …",
        "KeyManager": "KMS `DescribeKey`: `AWS` or `CUSTOMER`",
        "CreationDate": "KMS `DescribeKey`",
        "DeletionDate": "KMS `DescribeKey`; present while deletion is pending",
        "LastRotationDate": "KMS `ListKeyRotations`",
        "Grants": "KMS `ListGrants` of the key",
    },
    "AWS::SecretsManager::Secret": {"": "Secrets Manager `DescribeSecret`"},
    "AWS::CertificateManager::Certificate": {"": "ACM `DescribeCertificate`"},
    "AWS::GuardDuty::Detector": {"FeatureStatus": "derived from `Features`: name -> `ENABLED` or `DISABLED`"},
    "AWS::AccessAnalyzer::Analyzer": {"Status": "Access Analyzer `GetAnalyzer`"},
    "AWS::Logs::LogGroup": {"": "CloudWatch Logs `DescribeLogGroups`"},
    "AWS::CloudWatch::Alarm": {"StateValue": "CloudWatch `DescribeAlarms`"},
    "AWS::CloudWatch::CompositeAlarm": {"StateValue": "CloudWatch `DescribeAlarms`"},
    "AWS::CloudTrail::Trail": {
        "HomeRegion": "CloudTrail `DescribeTrails`",
        "": "CloudTrail `GetTrailStatus`",
    },
    "AWS::Config::ConfigurationRecorder": {"Status": "Config `DescribeConfigurationRecorderStatus`"},
    "AWS::Config::DeliveryChannel": {
        "Status": "Config `DescribeDeliveryChannelStatus`, `configHistoryDeliveryInfo.lastStatus`"
    },
    "AWS::ECR::Repository": {
        "ScanFrequency": "ECR `BatchGetRepositoryScanningConfiguration`: `SCAN_ON_PUSH`, `CONTINUOUS_SCAN` or `MANUAL`",
        "ImageScanFindings": "ECR `DescribeImageScanFindings`: counts over the newest image",
        "NewestImage": "ECR `DescribeImages`: `imagePushedAt` and `imageScanStatus.status` of the image pushed last; "
        "absent when the repository is empty, its `ScanStatus` when the image was never scanned",
    },
    "AWS::CodeBuild::Project": {
        "Triggers": "`BranchFilter`: CodeBuild `BatchGetProjects`, `webhook.branchFilter`",
        "Created": "CodeBuild `BatchGetProjects`, `created`",
        "LastBuildTime": "CodeBuild `ListBuildsForProject` and `BatchGetBuilds`: `startTime` of the newest build; "
        "absent when there was none",
    },
    "AWS::CodePipeline::Pipeline": {
        "Actions": "derived from `Stages`: the actions of all stages in order, with the stage's name, index and "
        "`OnFailure.Result`, and `ActionTypeId` laid out"
    },
    "AWS::CodeCommit::ApprovalRuleTemplate": {
        "": "CodeCommit `GetApprovalRuleTemplate`",
        "RepositoryNames": "CodeCommit `ListRepositoriesForApprovalRuleTemplate`",
    },
    "AWS::CodeArtifact::Package": {
        "": "CodeArtifact `ListPackages`",
        "OriginType": "CodeArtifact `ListPackageVersions`: `origin.originType` of the version published last, "
        "`INTERNAL`, `EXTERNAL` or `UNKNOWN`",
    },
    "AWS::ECS::Cluster": {"Settings": "derived from `ClusterSettings`"},
    "AWS::ECS::Task": {
        "": "ECS `DescribeTasks`",
        "TaskRoleArn": "ECS `DescribeTasks`: `overrides.taskRoleArn`; absent where the task has its definition's",
    },
    "AWS::EKS::Cluster": {"": "EKS `DescribeCluster`"},
    "AWS::Lambda::Function": {"": "Lambda `GetFunctionConfiguration`"},
    "AWS::ApiGateway::Stage": {"WebAclArn": "API Gateway `GetStage`"},
    "AWS::CloudFront::Distribution": {
        "StandardLoggingV2Enabled": "CloudWatch Logs `DescribeDeliverySources` has the distribution",
        "Status": "CloudFront `GetDistribution`",
    },
    "AWS::Route53::HostedZone": {
        "PrivateZone": "Route 53 `GetHostedZone`",
        "DnssecStatus": "Route 53 `GetDNSSEC`, `ServeSignature`",
    },
    "AWS::WAFv2::WebACL": {"AssociatedResourceArns": "WAF `ListResourcesForWebACL`"},
    "AWS::Backup::BackupVault": {"": "AWS Backup `DescribeBackupVault`"},
    "AWS::Backup::RestoreTestingPlan": {
        "LastExecutionTime": "AWS Backup `GetRestoreTestingPlan`",
        "LastSuccessfulRestoreTime": "AWS Backup `ListRestoreJobs` of the plan: the newest with status `COMPLETED`",
    },
    "AWS::SSM::Document": {
        "": "Systems Manager `DescribeDocumentPermission`; the account id `all` means public"
    },
    "AWS::ElastiCache::ReplicationGroup": {
        "AuthTokenEnabled": "ElastiCache `DescribeReplicationGroups`, which does not show the token itself"
    },
    "AWS::SSM::Parameter": {"KeyId": "Systems Manager `DescribeParameters`; only a SecureString has one"},
    "AWS::NetworkFirewall::Firewall": {"EncryptionConfiguration": "Network Firewall `DescribeFirewall`"},
    "AWS::NetworkFirewall::FirewallPolicy": {
        "EncryptionConfiguration": "Network Firewall `DescribeFirewallPolicy`"
    },
    "AWS::SSM::MaintenanceWindow": {
        "Enabled": "Systems Manager `GetMaintenanceWindow`; a template cannot set it"
    },
    "AWS::SSM::Association": {"": "Systems Manager `DescribeAssociation`"},
    "AWS::ElasticBeanstalk::Environment": {
        "Options": 'derived from `OptionSettings`; keys are `namespace:option`, e.g. `Options."aws:autoscaling:asg:MinSize"`'
    },
    "AWS::WorkSpaces::Workspace": {"": "WorkSpaces `DescribeWorkspacesConnectionStatus`"},
    "AWS::IAM::Role": {
        "RoleLastUsed": "IAM `GetAccountAuthorizationDetails`: an empty object when the role was not used in the last "
        "400 days; absent when it was not read (`ListRoles` leaves it out)",
        "ServiceLastAccessedDetails": _LAST_ACCESSED,
        "": "IAM `GetAccountAuthorizationDetails`",
    },
    "AWS::IAM::ManagedPolicy": {"": "IAM `GetAccountAuthorizationDetails`"},
    "AWS::IAM::User": {
        "CreateDate": "IAM `GetAccountAuthorizationDetails`",
        "MFADevices": "IAM `ListMFADevices`; the serial number of a virtual device is an ARN `…:mfa/…`",
        "PasswordLastUsed": "IAM credential report; absent when the password was never used (`no_information`)",
        "ServiceLastAccessedDetails": _LAST_ACCESSED,
        "ServiceSpecificCredentials": "IAM `ListServiceSpecificCredentials` of the user, Bedrock API keys among them; "
        "`CredentialAgeDays` is what code gives in place of dates",
        "": "IAM credential report",
    },
    "AWS::IAM::AccessKey": {
        "CreateDate": "IAM `ListAccessKeys`",
        "LastUsedDate": "IAM `GetAccessKeyLastUsed`; absent when never used",
        "LastUsedServiceName": "IAM `GetAccessKeyLastUsed`, `ServiceName`; absent when never used (`N/A`)",
    },
    "AWS::IAM::SAMLProvider": {"": "IAM `GetSAMLProvider`; a template has none"},
    "AWS::IAM::ServerCertificate": {"": "IAM `ListServerCertificates`"},
    "AWS::OpenSearchServerless::SecurityPolicy": {"Policy": _PARSED},
    "AWS::Bedrock::CustomModel": {
        "VpcConfig": "Bedrock `GetModelCustomizationJob` of the job that made the model",
        "": "Bedrock `GetCustomModel`",
    },
    "AWS::Bedrock::ImportedModel": {"": "Bedrock `GetImportedModel`"},
    "AWS::Bedrock::ProvisionedModelThroughput": {"": "Bedrock `GetProvisionedModelThroughput`"},
    "AWS::Bedrock::CustomModelDeployment": {"": "Bedrock `GetCustomModelDeployment`"},
    "AWS::Bedrock::MarketplaceModelEndpoint": {"": "Bedrock `GetMarketplaceModelEndpoint`"},
    "AWS::Organizations::Organization": {
        "PolicyTypes": "Organizations `ListRoots`; absent: a type is enabled if a policy of it has a target",
        "EnabledFeatures": "IAM `ListOrganizationsFeatures`, asked in the management account: "
        "`RootCredentialsManagement`, `RootSessions`",
        "DelegatedAdministrators": "Organizations `ListDelegatedAdministrators`, with "
        "`ListDelegatedServicesForAccount` of each",
    },
}
"""Type (``*``: any) -> first step of an extra path ("": all others) -> where it comes from."""


def extra_note(type: str, path: str) -> str | None:
    """Return where an extra property comes from; None when nobody wrote it down."""
    first = path.split(".", 1)[0]
    own = EXTRA_NOTES.get(type, {})
    for table, key in ((own, first), (EXTRA_NOTES["*"], first), (own, "")):
        if key in table:
            return table[key]
    return None
