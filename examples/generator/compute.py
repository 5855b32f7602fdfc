"""Instances, volumes, load balancers, functions, containers and their images."""

from __future__ import annotations

from typing import Any

from .base import ANALYTICS, PAYMENTS, SANDBOX, WEB, Builder, arn_of, denied, hex_id, uuid_id
from .network import Network

RUNTIMES = ("python3.13", "nodejs22.x", "java21", "python3.12")
FUNCTIONS = (
    "orders", "invoices", "refunds", "thumbnails", "export", "import", "notify", "audit", "cleanup",
    "reports", "webhook", "search", "mailer", "signup",
)  # fmt: skip
OLD_RUNTIMES = ("python3.8", "nodejs16.x", "go1.x")


def build(b: Builder, n: Network) -> None:
    """Add what runs in one VPC."""
    for index in range(12):
        _instance(b, n, index)
    _images(b, n)
    _front(b, n)
    _fleet(b, n)
    for index in range(len(FUNCTIONS)):
        _function(b, n, index)
    _containers(b, n)


def _instance(b: Builder, n: Network, index: int) -> None:
    account, region = n.account, n.region
    id_ = hex_id("i", n.vpc, index)
    public = not b.good(account)
    tier = "public" if public else "app"
    properties: dict[str, Any] = {
        "InstanceId": id_,
        "InstanceType": "m7g.large" if b.good(account) else "m4.large",
        "ImageId": hex_id("ami", account.id, region),
        "SubnetId": n.subnets[tier][index % 2],
        "SecurityGroupIds": [n.groups["bastion" if public else "app"]],
        "MetadataOptions": {"HttpTokens": "required" if b.good(account) else "optional"},
        "EbsOptimized": True,
        "Monitoring": b.good(account),
        "IamInstanceProfile": f"{account.name}-instance-{index % 6}",
        "StateName": "stopped" if index == 11 else "running",
        "StateTransitionTime": "2026-01-15T00:00:00Z" if index == 11 else "2026-11-01T00:00:00Z",
        "LaunchTime": "2026-06-01T00:00:00Z",
        "SsmPingStatus": "Online" if b.good(account) else "ConnectionLost",
        "PatchState": {
            "FailedCount": 0,
            "MissingCount": 0 if b.good(account) else 4,
            "CriticalNonCompliantCount": 0,
        },
    }
    if public:
        properties["PublicIp"] = f"203.0.113.{10 + index}"
    unknown = [denied("/UserData", "ec2:DescribeInstanceAttribute")] if index == 3 else None
    tags = b.tags(account, Name=f"{account.name}-{index}", Tier=tier)
    b.add(account, region, "AWS::EC2::Instance", id_, properties, tags=tags, unknown=unknown)
    _interface(b, n, index, properties)
    _storage(b, n, index, id_)


def _interface(b: Builder, n: Network, index: int, instance: dict[str, Any]) -> None:
    id_ = hex_id("eni", n.vpc, index)
    properties: dict[str, Any] = {
        "Id": id_,
        "SubnetId": instance["SubnetId"],
        "GroupSet": instance["SecurityGroupIds"],
        "InterfaceType": "interface",
        "Attachment": {"InstanceId": instance["InstanceId"], "Status": "attached"},
        "Status": "in-use",
    }
    if "PublicIp" in instance:
        properties["Association"] = {"PublicIp": instance["PublicIp"]}
    b.add(n.account, n.region, "AWS::EC2::NetworkInterface", id_, properties)


def _storage(b: Builder, n: Network, index: int, instance: str) -> None:
    account, region = n.account, n.region
    volume = hex_id("vol", n.vpc, index)
    attached = index != 5 or b.good(account)
    careful = b.good(account)
    properties = {
        "VolumeId": volume,
        "AvailabilityZone": f"{region}{'ab'[index % 2]}",
        "Size": 100,
        "VolumeType": "gp3" if careful else "gp2",
        "Encrypted": careful,
        "State": "in-use" if attached else "available",
    }
    if careful:
        properties["KmsKeyId"] = arn_of("kms", region, account, f"key/{uuid_id(account.id, region, 'data')}")
    attachments = [{"VolumeId": volume, "InstanceId": instance, "Device": "/dev/xvda"}] if attached else []
    b.add(account, region, "AWS::EC2::Volume", volume, properties, related={"attachments": attachments})
    snapshot = hex_id("snap", n.vpc, index)
    shared = [] if b.good(account) or index != 2 else [{"Group": "all"}]
    properties = {
        "SnapshotId": snapshot,
        "VolumeId": volume,
        "OwnerId": account.id,
        "Encrypted": careful,
        "StartTime": "2026-11-20T02:00:00Z",
        "Public": bool(shared),
        "CreateVolumePermissions": shared,
    }
    b.add(account, region, "AWS::EC2::Snapshot", snapshot, properties, tags=b.tags(account))


def _images(b: Builder, n: Network) -> None:
    id_ = hex_id("ami", n.account.id, n.region)
    public = n.account is SANDBOX and n.region == "us-east-1"
    properties = {
        "ImageId": id_,
        "Name": f"{n.account.name}-base-2026-10",
        "OwnerId": n.account.id,
        "Public": public,
        "ImdsSupport": "v2.0" if b.good(n.account) else "",
        "CreationDate": "2026-10-02T00:00:00Z",
        "LaunchPermissions": [{"Group": "all"}] if public else [],
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": b.good(n.account)}}],
    }
    b.add(n.account, n.region, "AWS::EC2::Image", id_, properties, tags=b.tags(n.account))


def _front(b: Builder, n: Network) -> None:
    account, region = n.account, n.region
    for index in range(2):
        name = f"{account.name}-{'public' if index == 0 else 'internal'}"
        arn = arn_of(
            "elasticloadbalancing", region, account, f"loadbalancer/app/{name}/{hex_id('x', n.vpc, name)[3:]}"
        )
        attributes = {
            "access_logs.s3.enabled": str(b.good(account)).lower(),
            "access_logs.s3.bucket": "example-log-archive-elb",
            "deletion_protection.enabled": str(b.good(account)).lower(),
            "routing.http.drop_invalid_header_fields.enabled": str(b.good(account)).lower(),
        }
        properties = {
            "LoadBalancerArn": arn,
            "Name": name,
            "Type": "application",
            "Scheme": "internet-facing" if index == 0 else "internal",
            "Subnets": n.subnets["public" if index == 0 else "app"],
            "SecurityGroups": [n.groups["alb"]],
            "LoadBalancerAttributes": [{"Key": k, "Value": v} for k, v in attributes.items()],
        }
        related = {}
        if index == 0 and b.good(account):
            acl = arn_of(
                "wafv2", region, account, f"regional/webacl/{name}/{uuid_id(account.id, region, 'waf')}"
            )
            related["web_acl_associations"] = [{"ResourceArn": arn, "WebACLArn": acl}]
            _web_acl(b, n, name, acl)
        unknown = None
        if account is ANALYTICS and index == 1:
            del properties["LoadBalancerAttributes"]
            unknown = [
                denied("/LoadBalancerAttributes", "elasticloadbalancing:DescribeLoadBalancerAttributes")
            ]
        type_ = "AWS::ElasticLoadBalancingV2::LoadBalancer"
        b.add(account, region, type_, arn, properties, arn=arn, related=related, unknown=unknown)
        _listener(b, n, arn, name)


def _web_acl(b: Builder, n: Network, name: str, arn: str) -> None:
    visibility = {"CloudWatchMetricsEnabled": True, "MetricName": name, "SampledRequestsEnabled": True}
    managed = {"VendorName": "AWS", "Name": "AWSManagedRulesCommonRuleSet"}
    rule = {
        "Name": "common",
        "Priority": 0,
        "Statement": {"ManagedRuleGroupStatement": managed},
        "OverrideAction": {"None": {}},
    }
    properties = {
        "Name": name,
        "Arn": arn,
        "Scope": "REGIONAL",
        "DefaultAction": {"Allow": {}},
        "VisibilityConfig": visibility,
        "Rules": [{**rule, "VisibilityConfig": visibility}],
    }
    logging = [{"ResourceArn": arn, "LogDestinationConfigs": ["arn:aws:s3:::aws-waf-logs-example"]}]
    b.add(
        n.account,
        n.region,
        "AWS::WAFv2::WebACL",
        arn,
        properties,
        arn=arn,
        related={"logging": logging} if b.good(n.account) else {},
    )


def _listener(b: Builder, n: Network, balancer: str, name: str) -> None:
    account, region = n.account, n.region
    careful = b.good(account)
    target = arn_of(
        "elasticloadbalancing", region, account, f"targetgroup/{name}/{hex_id('x', n.vpc, name)[3:]}"
    )
    properties: dict[str, Any] = {
        "TargetGroupArn": target, "Name": name, "Port": 8080, "VpcId": n.vpc,
        "Protocol": "HTTPS" if b.good(account) else "HTTP", "TargetType": "instance",
    }  # fmt: skip
    b.add(account, region, "AWS::ElasticLoadBalancingV2::TargetGroup", target, properties, arn=target)
    arn = balancer.replace(":loadbalancer/", ":listener/") + "/443"
    properties = {
        "ListenerArn": arn,
        "LoadBalancerArn": balancer,
        "Port": 443 if careful else 80,
        "Protocol": "HTTPS" if careful else "HTTP",
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": target}],
    }
    if careful:
        policy = "ELBSecurityPolicy-TLS13-1-2-2021-06" if b.good(account) else "ELBSecurityPolicy-2016-08"
        properties["SslPolicy"] = policy
        properties["Certificates"] = [{"CertificateArn": certificate(n)}]
    b.add(account, region, "AWS::ElasticLoadBalancingV2::Listener", arn, properties, arn=arn)


def certificate(n: Network) -> str:
    """Return the ARN of the certificate of an account and region."""
    return arn_of("acm", n.region, n.account, f"certificate/{uuid_id(n.account.id, n.region, 'certificate')}")


def _fleet(b: Builder, n: Network) -> None:
    account, region = n.account, n.region
    template = hex_id("lt", n.vpc)
    careful = b.good(account)
    data = {
        "ImageId": hex_id("ami", account.id, region),
        "InstanceType": "m7g.large",
        "MetadataOptions": {"HttpTokens": "required" if careful else "optional"},
        "BlockDeviceMappings": [
            {"DeviceName": "/dev/xvda", "Ebs": {"Encrypted": careful, "VolumeType": "gp3"}}
        ],
    }
    properties = {
        "LaunchTemplateId": template,
        "LaunchTemplateName": f"{account.name}-app",
        "LaunchTemplateData": data,
    }
    b.add(account, region, "AWS::EC2::LaunchTemplate", template, properties)
    name = f"{account.name}-app"
    tags = b.tags(account)
    properties = {
        "AutoScalingGroupName": name,
        "MinSize": "2",
        "MaxSize": "6",
        "VPCZoneIdentifier": n.subnets["app"] if b.good(account) else n.subnets["app"][:1],
        "HealthCheckType": "ELB" if b.good(account) else "EC2",
        "LaunchTemplate": {"LaunchTemplateId": template, "Version": "7" if b.good(account) else "$Latest"},
        "Tags": [
            {"Key": k, "Value": v, "PropagateAtLaunch": b.good(account)} for k, v in sorted(tags.items())
        ],
    }
    b.add(account, region, "AWS::AutoScaling::AutoScalingGroup", name, properties, tags=tags)


def _function(b: Builder, n: Network, index: int) -> None:
    account, region = n.account, n.region
    name = f"{account.name}-{FUNCTIONS[index]}"
    arn = arn_of("lambda", region, account, f"function:{name}")
    runtimes = RUNTIMES if b.good(account) else OLD_RUNTIMES
    properties: dict[str, Any] = {
        "FunctionName": name,
        "Arn": arn,
        "Runtime": runtimes[index % len(runtimes)],
        "Handler": "app.handler",
        "Role": arn_of("iam", "global", account, f"role/{account.name}-function-{index % 6}"),
        "MemorySize": 256,
        "Timeout": 30,
        "Architectures": ["arm64"],
        "TracingConfig": {"Mode": "Active" if b.good(account) else "PassThrough"},
        "LastModified": "2026-09-01T00:00:00Z",
        "State": "Active",
    }
    if b.good(account):
        properties["DeadLetterConfig"] = {"TargetArn": arn_of("sqs", region, account, f"{account.name}-dlq")}
        properties["ReservedConcurrentExecutions"] = 20
    if b.good(account):
        properties["VpcConfig"] = {"SubnetIds": n.subnets["app"], "SecurityGroupIds": [n.groups["app"]]}
    if index == 2:
        properties["Environment"] = {"Variables": {"TABLE": f"{account.name}-orders"}}
        if b.good(account):
            properties["KmsKeyArn"] = arn_of(
                "kms", region, account, f"key/{uuid_id(account.id, region, 'data')}"
            )
    permission: dict[str, Any] = {"Action": "lambda:InvokeFunction", "FunctionName": name}
    if index == 3 and not b.good(account):
        permission["Principal"] = "*"
    else:
        permission |= {"Principal": "events.amazonaws.com", "SourceAccount": account.id}
    b.add(
        account,
        region,
        "AWS::Lambda::Function",
        name,
        properties,
        arn=arn,
        related={"permissions": [permission]},
    )
    group = f"/aws/lambda/{name}"
    log: dict[str, Any] = {
        "LogGroupName": group,
        "Arn": arn_of("logs", region, account, f"log-group:{group}:*"),
    }
    if b.good(account):
        log["RetentionInDays"] = 365
    if b.good(account):
        log["KmsKeyId"] = arn_of("kms", region, account, f"key/{uuid_id(account.id, region, 'logs')}")
    b.add(account, region, "AWS::Logs::LogGroup", group, log)


def _containers(b: Builder, n: Network) -> None:
    account, region = n.account, n.region
    for image in ("api", "worker", "web"):
        name = f"{account.name}/{image}"
        properties: dict[str, Any] = {
            "RepositoryName": name,
            "Arn": arn_of("ecr", region, account, f"repository/{name}"),
            "ImageTagMutability": "IMMUTABLE" if b.good(account) else "MUTABLE",
            "ImageScanningConfiguration": {"ScanOnPush": b.good(account)},
            "ScanFrequency": "CONTINUOUS_SCAN" if b.good(account) else "MANUAL",
            "ImageScanFindings": {"Critical": 0 if b.good(account) else 3, "High": 1},
        }
        if b.good(account):
            properties["EncryptionConfiguration"] = {
                "EncryptionType": "KMS",
                "KmsKey": uuid_id(account.id, region, "data"),
            }
            properties["LifecyclePolicy"] = {"LifecyclePolicyText": '{"rules":[]}'}
        b.add(account, region, "AWS::ECR::Repository", name, properties)
    if account not in (PAYMENTS, WEB):
        return
    name = f"{account.name}-services"
    settings = [{"Name": "containerInsights", "Value": "enabled" if b.good(account) else "disabled"}]
    b.add(account, region, "AWS::ECS::Cluster", name, {"ClusterName": name, "ClusterSettings": settings})
    for index in range(3):
        careful = b.good(account)
        container = {
            "Name": "app",
            "Image": f"{account.id}.dkr.ecr.{region}.amazonaws.com/{account.name}/api@sha256:{'0' * 64}",
            "ReadonlyRootFilesystem": careful,
            "Privileged": False,
            "User": "1000" if careful else "root",
        }
        if b.good(account):
            container["LogConfiguration"] = {"LogDriver": "awslogs"}
        arn = arn_of("ecs", region, account, f"task-definition/{account.name}-{index}:4")
        properties = {
            "Family": f"{account.name}-{index}",
            "NetworkMode": "awsvpc",
            "ContainerDefinitions": [container],
            "TaskDefinitionArn": arn,
        }
        b.add(account, region, "AWS::ECS::TaskDefinition", arn, properties, arn=arn)
        service = {
            "ServiceName": f"{account.name}-{index}",
            "Cluster": name,
            "TaskDefinition": arn,
            "LaunchType": "FARGATE",
        }
        public = "DISABLED" if b.good(account) else "ENABLED"
        service["NetworkConfiguration"] = {
            "AwsvpcConfiguration": {"Subnets": n.subnets["app"], "AssignPublicIp": public}
        }
        arn = arn_of("ecs", region, account, f"service/{name}/{account.name}-{index}")
        b.add(account, region, "AWS::ECS::Service", arn, {**service, "ServiceArn": arn}, arn=arn)
