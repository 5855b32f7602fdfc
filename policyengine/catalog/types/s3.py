"""Amazon S3."""

from __future__ import annotations

from policyengine.catalog.spec import TypeSpec
from policyengine.catalog.types._build import cfn, depends, doc, extra, into, is_, of, off, to

_DEFAULT_ENCRYPTION = doc("AmazonS3/latest/userguide/default-encryption-faq")
_NEW_BUCKETS = doc("AmazonS3/latest/userguide/create-bucket-faq")
_BUCKET = cfn("resource-s3-bucket")
_MACIE = doc("macie/latest/APIReference/datasources-s3")
_MACIE_NOTE = "what Macie watches is set in Macie, not on the bucket"
_PUBLIC_ACCESS = doc("AmazonS3/latest/API/API_PublicAccessBlockConfiguration")
_FLAGS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
_OLD = "buckets made since 2023-04 block public access, older ones and ones made by some tools may not"
_SSE = "BucketEncryption.ServerSideEncryptionConfiguration"

TYPES = (
    TypeSpec(
        "AWS::S3::Bucket",
        names=("BucketName", "Arn"),
        defaults=(
            is_(
                _SSE,
                [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}],
                _DEFAULT_ENCRYPTION,
                "2023-01-05",
            ),
            is_(
                f"{_SSE}.ServerSideEncryptionByDefault",
                {"SSEAlgorithm": "AES256"},
                _DEFAULT_ENCRYPTION,
                "2023-01-05",
            ),
            depends(
                f"{_SSE}.BlockedEncryptionTypes.EncryptionType",
                doc("AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb"),
                "buckets made since 2026-04 block SSE-C, older ones where the account had no such objects",
                "2026-04",
                # GetBucketEncryption tells it where it is blocked (default-s3-c-encryption-setting-faq)
                deployed=["NONE"],
            ),
            is_(f"{_SSE}.BucketKeyEnabled", False, cfn("properties-s3-bucket-serversideencryptionrule")),
            depends(
                "PublicAccessBlockConfiguration",
                _NEW_BUCKETS,
                _OLD,
                "2023-04",
                deployed=dict.fromkeys(_FLAGS, False),
            ),
            # a configuration replaces the one a new bucket has: a setting it leaves out is not on
            *off(_PUBLIC_ACCESS, *(f"PublicAccessBlockConfiguration.{flag}" for flag in _FLAGS)),
            depends(
                "OwnershipControls.Rules",
                _NEW_BUCKETS,
                "buckets made since 2023-04 are BucketOwnerEnforced, older ones ObjectWriter",
                "2023-04",
                deployed=[{"ObjectOwnership": "ObjectWriter"}],
            ),
            is_("VersioningConfiguration.Status", "Unversioned", doc("AmazonS3/latest/userguide/Versioning")),
            depends(
                "VersioningConfiguration.MfaDelete",
                doc("AmazonS3/latest/userguide/MultiFactorAuthenticationDelete"),
                "only the root user can turn it on, by a call of its own",
                deployed="Disabled",
            ),
            is_("ObjectLockEnabled", False, _BUCKET),
            depends(
                "MacieMonitoring.AutomatedDiscoveryMonitoringStatus",
                _MACIE,
                _MACIE_NOTE,
                deployed="NOT_MONITORED",
            ),
            depends("MacieMonitoring.IsMonitoredByJob", _MACIE, _MACIE_NOTE, deployed="FALSE"),
            is_("AccessControl", "Private", doc("AmazonS3/latest/userguide/acl-overview")),
        ),
        satellites=(into("AWS::S3::BucketPolicy", "Bucket", "policies"),),
        relations=(
            to(
                "log_bucket",
                "AWS::S3::Bucket",
                "LoggingConfiguration.DestinationBucketName",
                one=True,
                scope="account",
            ),
            to(
                "kms_keys",
                "AWS::KMS::Key",
                f"{_SSE}.ServerSideEncryptionByDefault.KMSMasterKeyID",
            ),
            to(
                "replica_buckets",
                "AWS::S3::Bucket",
                "ReplicationConfiguration.Rules.Destination.Bucket",
                scope="organization",
            ),
            of("trails", "AWS::CloudTrail::Trail", "S3BucketName", scope="account"),
            of(
                "bedrock_logging_regions",
                "PolicyEngine::Account::Region",
                "BedrockModelInvocationLogging.S3BucketName",
                scope="account",
            ),
            of("access_points", "AWS::S3::AccessPoint", "Bucket"),
            of("data_lake_locations", "AWS::LakeFormation::Resource", "ResourceArn"),
        ),
        extra=(
            ("VersioningConfiguration.MfaDelete", "string"),
            ("PolicyStatus.IsPublic", "boolean"),
            ("AccessControlGrants", "list:object"),
            ("AccessControlGrants.Grantee.URI", "string"),
            ("AccessControlGrants.Permission", "string"),
            ("MacieMonitoring.AutomatedDiscoveryMonitoringStatus", "string"),
            ("MacieMonitoring.IsDefinedInJob", "string"),
            ("MacieMonitoring.IsMonitoredByJob", "string"),
            ("MacieMonitoring.SensitivityScore", "integer"),
            ("CreationDate", "string"),
        ),
    ),
    TypeSpec(
        "AWS::S3::AccessPoint",
        names=("Name",),
        defaults=tuple(
            is_(
                f"PublicAccessBlockConfiguration.{flag}",
                True,
                doc("AmazonS3/latest/userguide/access-points-bpa-settings"),
            )
            for flag in _FLAGS
        ),
        relations=(to("bucket", "AWS::S3::Bucket", "Bucket", one=True),),
        extra=extra(CreationDate="string"),
    ),
)
