"""Which IAM action an operation needs: AWS publishes no table, and the names differ in places.

Mostly it is the service's signing name and the operation's own name. The exceptions below are from the
service authorization reference (https://docs.aws.amazon.com/service-authorization/latest/reference/), which a
test holds every operation of our collectors against.
"""

from __future__ import annotations

from typing import Final

PREFIXES: Final = {
    "accessanalyzer": "access-analyzer",
    "amp": "aps",
    "apigatewayv2": "apigateway",
    "bedrock-agent": "bedrock",
    "bedrock-agentcore-control": "bedrock-agentcore",
    "cloudcontrol": "cloudformation",
    "docdb": "rds",
    "efs": "elasticfilesystem",
    "elb": "elasticloadbalancing",
    "elbv2": "elasticloadbalancing",
    "emr": "elasticmapreduce",
    "keyspaces": "cassandra",
    "lex-models": "lex",
    "lexv2-models": "lex",
    "mwaa": "airflow",
    "neptune": "rds",
    "opensearch": "es",
    "opensearchserverless": "aoss",
    "resourcegroupstaggingapi": "tag",
    "s3control": "s3",
    "service-quotas": "servicequotas",
    "sesv2": "ses",
    "sso-admin": "sso",
    "stepfunctions": "states",
    "timestream-write": "timestream",
}
"""Client name -> prefix of its IAM actions, where the two differ."""

IRREGULAR: Final[dict[str, tuple[str, ...]]] = {
    "s3:GetBucketAccelerateConfiguration": ("s3:GetAccelerateConfiguration",),
    "s3:GetBucketAnalyticsConfiguration": ("s3:GetAnalyticsConfiguration",),
    "s3:GetBucketEncryption": ("s3:GetEncryptionConfiguration",),
    "s3:GetBucketIntelligentTieringConfiguration": ("s3:GetIntelligentTieringConfiguration",),
    "s3:GetBucketInventoryConfiguration": ("s3:GetInventoryConfiguration",),
    "s3:GetBucketLifecycleConfiguration": ("s3:GetLifecycleConfiguration",),
    "s3:GetBucketMetricsConfiguration": ("s3:GetMetricsConfiguration",),
    "s3:GetBucketNotificationConfiguration": ("s3:GetBucketNotification",),
    "s3:GetBucketReplication": ("s3:GetReplicationConfiguration",),
    "s3:GetObjectLockConfiguration": ("s3:GetBucketObjectLockConfiguration",),
    "s3:GetPublicAccessBlock": ("s3:GetBucketPublicAccessBlock",),
    "s3:HeadBucket": ("s3:ListBucket",),
    "s3:ListBuckets": ("s3:ListAllMyBuckets",),
    "s3:ListBucketAnalyticsConfigurations": ("s3:GetAnalyticsConfiguration",),
    "s3:ListBucketIntelligentTieringConfigurations": ("s3:GetIntelligentTieringConfiguration",),
    "s3:ListBucketInventoryConfigurations": ("s3:GetInventoryConfiguration",),
    "s3:ListBucketMetricsConfigurations": ("s3:GetMetricsConfiguration",),
    "s3:ListDirectoryBuckets": ("s3express:ListAllMyDirectoryBuckets",),
    "s3:DeleteBucketEncryption": ("s3:PutEncryptionConfiguration",),
    "s3:DeletePublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "s3:PutBucketEncryption": ("s3:PutEncryptionConfiguration",),
    "s3:PutPublicAccessBlock": ("s3:PutBucketPublicAccessBlock",),
    "s3control:DeletePublicAccessBlock": ("s3:PutAccountPublicAccessBlock",),
    "s3control:GetPublicAccessBlock": ("s3:GetAccountPublicAccessBlock",),
    "s3control:PutPublicAccessBlock": ("s3:PutAccountPublicAccessBlock",),
    "sts:GetCallerIdentity": (),
    "wafv2:GetWebACLForResource": (
        "wafv2:GetWebACLForResource",
        "wafv2:GetWebACL",
        "cognito-idp:GetWebACLForResource",
    ),
    "connect:ListInstances": ("connect:ListInstances", "ds:DescribeDirectories"),
    "connect:ListInstanceStorageConfigs": (
        "connect:ListInstanceStorageConfigs",
        "connect:DescribeInstance",
        "ds:DescribeDirectories",
    ),
    "keyspaces:GetKeyspace": ("cassandra:Select",),
    "keyspaces:GetTable": ("cassandra:Select",),
    "keyspaces:ListKeyspaces": ("cassandra:Select",),
    "keyspaces:ListTables": ("cassandra:Select",),
    "keyspaces:ListTagsForResource": ("cassandra:Select",),
}
"""``client:Operation`` -> its actions. ``sts:GetCallerIdentity`` needs none
(https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html); the web ACL of a user pool is asked of
both services (https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-waf.html); Connect looks into the
directory of an instance (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonconnect.html);
Keyspaces reads its system tables (https://docs.aws.amazon.com/keyspaces/latest/devguide/security_iam_service-with-iam.html)."""

GATEWAY_PATHS: Final = (
    "/account", "/apis", "/apis/*", "/domainnames", "/domainnames/*", "/restapis", "/restapis/*", "/tags/*",
    "/vpclinks", "/vpclinks/*",
)  # fmt: skip
"""What ``apigateway:GET`` is granted on: API keys are not among it
(https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-iam-policy-examples.html)."""


def actions_for(operation: str) -> tuple[str, ...]:
    """Return the IAM actions of ``client:Operation``; () where none is needed."""
    found = IRREGULAR.get(operation)
    if found is not None:
        return found
    client, _, name = operation.partition(":")
    if client in ("apigateway", "apigatewayv2"):
        return ("apigateway:GET",)
    return (f"{PREFIXES.get(client, client)}:{name}",)
