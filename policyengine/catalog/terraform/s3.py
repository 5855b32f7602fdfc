"""Amazon S3: the bucket, and the settings provider version 4 split off it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.catalog.terraform.language import Emit, Merge, TypeMap

TYPES: Final[Mapping[str, TypeMap | Merge | tuple[Merge, ...]]] = {
    "aws_s3_bucket": TypeMap(
        "AWS::S3::Bucket",
        """
            bucket=BucketName acl:acl=AccessControl
            acceleration_status=AccelerateConfiguration.AccelerationStatus
            bucket_prefix=BucketNamePrefix object_lock_enabled
            server_side_encryption_configuration.rule*=BucketEncryption.ServerSideEncryptionConfiguration
            { apply_server_side_encryption_by_default=ServerSideEncryptionByDefault {
            sse_algorithm=SSEAlgorithm kms_master_key_id=KMSMasterKeyID } bucket_key_enabled
            } versioning=VersioningConfiguration { enabled:suspended=Status
            mfa_delete:enabled=MfaDelete } logging=LoggingConfiguration {
            target_bucket=DestinationBucketName target_prefix=LogFilePrefix }
            lifecycle_rule*=LifecycleConfiguration.Rules { id prefix enabled:enabled=Status
            tags:keyvalue=TagFilters
            abort_incomplete_multipart_upload_days=AbortIncompleteMultipartUpload.DaysAfterInitiation
            expiration.date=ExpirationDate expiration.days=ExpirationInDays
            expiration.expired_object_delete_marker=ExpiredObjectDeleteMarker
            noncurrent_version_expiration.days=NoncurrentVersionExpiration.NoncurrentDays
            noncurrent_version_transition*=NoncurrentVersionTransitions { storage_class
            days=TransitionInDays } transition*=Transitions { storage_class
            date=TransitionDate days=TransitionInDays } } object_lock_configuration {
            object_lock_enabled rule { default_retention { mode days years } } }
            replication_configuration { role rules* { id priority prefix status
            delete_marker_replication_status=DeleteMarkerReplication.Status destination {
            bucket account_id=Account storage_class
            replica_kms_key_id=EncryptionConfiguration.ReplicaKmsKeyID metrics { status } }
            filter { prefix } } } cors_rule*=CorsConfiguration.CorsRules { allowed_headers*
            allowed_methods* allowed_origins* expose_headers*=ExposedHeaders
            max_age_seconds=MaxAge } website=WebsiteConfiguration { index_document
            error_document }
        """,
        emit=(Emit("AWS::S3::BucketPolicy", "policy", "policy:json=PolicyDocument", "Bucket"),),
        absent="""
            AbacStatus BucketNamespace MetadataTableConfiguration
            LifecycleConfiguration.Rules.NoncurrentVersionExpirationInDays
            LifecycleConfiguration.Rules.NoncurrentVersionTransition
            LifecycleConfiguration.Rules.Transition
        """,
    ),
    "aws_s3_bucket_policy": TypeMap(
        "AWS::S3::BucketPolicy",
        "bucket policy:json=PolicyDocument",
    ),
    "aws_s3_bucket_versioning": Merge(
        "AWS::S3::Bucket",
        "bucket",
        "versioning_configuration=VersioningConfiguration { status mfa_delete }",
    ),
    "aws_s3_bucket_server_side_encryption_configuration": Merge(
        "AWS::S3::Bucket",
        "bucket",
        """
            rule*=BucketEncryption.ServerSideEncryptionConfiguration {
            apply_server_side_encryption_by_default=ServerSideEncryptionByDefault {
            sse_algorithm=SSEAlgorithm kms_master_key_id=KMSMasterKeyID } bucket_key_enabled
            blocked_encryption_types*=BlockedEncryptionTypes.EncryptionType }
        """,
    ),
    "aws_s3_bucket_public_access_block": Merge(
        "AWS::S3::Bucket",
        "bucket",
        """
            block_public_acls=PublicAccessBlockConfiguration.BlockPublicAcls
            block_public_policy=PublicAccessBlockConfiguration.BlockPublicPolicy
            ignore_public_acls=PublicAccessBlockConfiguration.IgnorePublicAcls
            restrict_public_buckets=PublicAccessBlockConfiguration.RestrictPublicBuckets
        """,
    ),
    "aws_s3_bucket_logging": Merge(
        "AWS::S3::Bucket",
        "bucket",
        """
            target_bucket=LoggingConfiguration.DestinationBucketName
            target_prefix=LoggingConfiguration.LogFilePrefix
            target_object_key_format=LoggingConfiguration.TargetObjectKeyFormat {
            partitioned_prefix { partition_date_source } simple_prefix {} }
        """,
    ),
    "aws_s3_bucket_acl": Merge(
        "AWS::S3::Bucket",
        "bucket",
        "acl:acl=AccessControl",
    ),
    "aws_s3_bucket_lifecycle_configuration": Merge(
        "AWS::S3::Bucket",
        "bucket",
        """
            rule*=LifecycleConfiguration.Rules {
            abort_incomplete_multipart_upload.days_after_initiation=AbortIncompleteMultipartUpload.DaysAfterInitiation
            expiration.date=ExpirationDate expiration.days=ExpirationInDays
            expiration.expired_object_delete_marker=ExpiredObjectDeleteMarker id
            filter.prefix=Prefix filter.and.prefix=Prefix prefix
            filter.object_size_greater_than=ObjectSizeGreaterThan
            filter.and.object_size_greater_than=ObjectSizeGreaterThan
            filter.object_size_less_than=ObjectSizeLessThan
            filter.and.object_size_less_than=ObjectSizeLessThan filter.tag*=TagFilters { key
            value } filter.and.tags:keyvalue=TagFilters noncurrent_version_expiration {
            newer_noncurrent_versions noncurrent_days }
            noncurrent_version_transition*=NoncurrentVersionTransitions {
            newer_noncurrent_versions storage_class noncurrent_days=TransitionInDays }
            status transition*=Transitions { storage_class date=TransitionDate
            days=TransitionInDays } }
            transition_default_minimum_object_size=LifecycleConfiguration.TransitionDefaultMinimumObjectSize
        """,
    ),
    "aws_s3_bucket_ownership_controls": Merge(
        "AWS::S3::Bucket",
        "bucket",
        "rule*=OwnershipControls.Rules { object_ownership }",
    ),
    "aws_s3_bucket_object_lock_configuration": Merge(
        "AWS::S3::Bucket",
        "bucket",
        """
            object_lock_enabled=ObjectLockConfiguration.ObjectLockEnabled
            rule=ObjectLockConfiguration.Rule { default_retention { mode days years } }
        """,
        constants={"ObjectLockEnabled": True},
    ),
    "aws_s3_bucket_replication_configuration": Merge(
        "AWS::S3::Bucket",
        "bucket",
        """
            role=ReplicationConfiguration.Role rule*=ReplicationConfiguration.Rules { id
            delete_marker_replication { status } destination { account bucket storage_class
            access_control_translation { owner } encryption_configuration {
            replica_kms_key_id=ReplicaKmsKeyID } metrics { status event_threshold { minutes
            } } replication_time { status time { minutes } } } filter { prefix tag=TagFilter
            { key value } and { prefix tags:keyvalue=TagFilters } } prefix priority
            source_selection_criteria { replica_modifications { status }
            sse_kms_encrypted_objects { status } } status }
        """,
    ),
    "aws_s3_bucket_website_configuration": Merge(
        "AWS::S3::Bucket",
        "bucket",
        """
            index_document.suffix=WebsiteConfiguration.IndexDocument
            error_document.key=WebsiteConfiguration.ErrorDocument
            redirect_all_requests_to=WebsiteConfiguration.RedirectAllRequestsTo { host_name
            protocol }
        """,
    ),
    "aws_s3_bucket_cors_configuration": Merge(
        "AWS::S3::Bucket",
        "bucket",
        """
            cors_rule*=CorsConfiguration.CorsRules { id allowed_headers* allowed_methods*
            allowed_origins* expose_headers*=ExposedHeaders max_age_seconds=MaxAge }
        """,
    ),
    "aws_s3_bucket_notification": Merge(
        "AWS::S3::Bucket",
        "bucket",
        """
            eventbridge=NotificationConfiguration.EventBridgeConfiguration.EventBridgeEnabled
            lambda_function*=NotificationConfiguration.LambdaConfigurations {
            lambda_function_arn=Function }
            queue*=NotificationConfiguration.QueueConfigurations { queue_arn=Queue }
            topic*=NotificationConfiguration.TopicConfigurations { topic_arn=Topic }
        """,
    ),
    "aws_s3_bucket_accelerate_configuration": Merge(
        "AWS::S3::Bucket",
        "bucket",
        "status=AccelerateConfiguration.AccelerationStatus",
    ),
    "aws_s3_access_point": TypeMap(
        "AWS::S3::AccessPoint",
        """
            bucket name bucket_account_id policy:json public_access_block_configuration {
            block_public_acls block_public_policy ignore_public_acls restrict_public_buckets
            } vpc_configuration { vpc_id }
        """,
    ),
    "aws_s3_account_public_access_block": TypeMap(
        "AWS::::Account",
        """
            account_id block_public_acls=PublicAccessBlockConfiguration.BlockPublicAcls
            block_public_policy=PublicAccessBlockConfiguration.BlockPublicPolicy
            ignore_public_acls=PublicAccessBlockConfiguration.IgnorePublicAcls
            restrict_public_buckets=PublicAccessBlockConfiguration.RestrictPublicBuckets
        """,
        partial=True,
    ),
}
