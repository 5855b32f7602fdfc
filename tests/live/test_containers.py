"""ECS and EKS over HTTP; what moto lacks with answers as AWS documents them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policyengine.model.values import Unresolved
from policyengine.rules.iam.carriers import Carriers
from policyengine.rules.iam.principals import PrincipalRecord
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

CLUSTER, SERVICE, TASKS = "AWS::ECS::Cluster", "AWS::ECS::Service", "AWS::ECS::TaskDefinition"
TASK = "AWS::ECS::Task"
TASK_SET, EKS, NODES = "AWS::ECS::TaskSet", "AWS::EKS::Cluster", "AWS::EKS::Nodegroup"
ARN = "arn:aws:ecs:us-east-1:123456789012"


def _ecs(ecs: Any) -> None:
    ecs.create_cluster(
        clusterName="shop", tags=[{"key": "Owner", "value": "me"}],
        settings=[{"name": "containerInsights", "value": "enabled"}],
    )  # fmt: skip
    container = {
        "name": "web",
        "image": "nginx",
        "memory": 64,
        "privileged": True,
        "readonlyRootFilesystem": True,
    }
    for privileged in (True, False):
        ecs.register_task_definition(
            family="web", containerDefinitions=[{**container, "privileged": privileged}], networkMode="awsvpc",
            volumes=[{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": "ENABLED"}}],
        )  # fmt: skip
    ecs.create_service(
        cluster="shop", serviceName="web", taskDefinition="web:1", desiredCount=2, launchType="FARGATE",
        tags=[{"key": "Owner", "value": "you"}],
    )  # fmt: skip


def test_ecs_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-1"
    _ecs(aws("ecs", region))
    (cluster,) = collect(account, CLUSTER, region=region)
    arn = f"arn:aws:ecs:{region}:{MOTO_ACCOUNT}"
    assert (cluster.id, cluster.arn, cluster.tags) == ("shop", f"{arn}:cluster/shop", {"Owner": "me"})
    assert cluster.properties["ClusterSettings"] == [{"Name": "containerInsights", "Value": "enabled"}]
    assert "Configuration" not in cluster.properties
    assert verdict("ecs-container-insights", cluster) == "PASS"
    (tasks,) = collect(account, TASKS, region=region)
    p = tasks.properties
    assert (tasks.id, tasks.arn) == ("web", f"{arn}:task-definition/web:2")
    assert (p["Family"], p["NetworkMode"], p["TaskDefinitionArn"]) == ("web", "awsvpc", tasks.arn)
    assert p["ContainerDefinitions"][0]["ReadonlyRootFilesystem"] is True
    assert p["Volumes"][0]["EFSVolumeConfiguration"]["FilesystemId"] == "fs-1"
    for rule in ("ecs-containers-not-privileged", "ecs-containers-read-only", "ecs-efs-encrypted-in-transit"):
        assert verdict(rule, tasks) == "PASS", rule
    assert verdict("ecs-containers-log", tasks) == "FAIL"
    (service,) = collect(account, SERVICE, region=region, needs={SERVICE: frozenset({"*"})})
    p = service.properties
    assert (service.id, p["ServiceName"], p["DesiredCount"]) == (service.arn, "web", 2)
    assert p["Cluster"] == cluster.arn
    assert service.tags == {"Owner": "you"}
    assert verdict("ecs-service-two-tasks", service, [cluster]) == "PASS"
    assert collect.last.whole == (SERVICE,)


def test_services_and_task_sets_come_together(canned: Callable[..., Any], collect: Any) -> None:
    names = [f"{ARN}:service/c/s{n}" for n in range(12)]
    network = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "DISABLED"}}
    task_set = {"id": "t", "taskSetArn": f"{ARN}:task-set/c/s0/t", "serviceArn": names[0],
                "clusterArn": f"{ARN}:cluster/c", "networkConfiguration": network}  # fmt: skip
    asked: list[int] = []

    def services(arguments: Any) -> Any:
        asked.append(len(arguments["services"]))
        found = [
            {
                "serviceArn": a,
                "serviceName": a[-2:],
                "clusterArn": f"{ARN}:cluster/c",
                "roleArn": "r",
                "networkConfiguration": {
                    "awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}
                },
            }
            for a in arguments["services"]
        ]
        if names[0] in arguments["services"]:
            found[0]["taskSets"] = [task_set]
            found[0]["deployments"] = [
                {"status": "ACTIVE"},
                {"status": "PRIMARY", "volumeConfigurations": [{"name": "v"}]},
            ]
        return {"services": found}

    account = canned({
        "ecs:ListClusters": {"clusterArns": [f"{ARN}:cluster/c"]},
        "ecs:ListServices": {"serviceArns": names},
        "ecs:DescribeServices": services,
    })  # fmt: skip
    needs = {SERVICE: frozenset({"*"}), TASK_SET: frozenset({"*"})}
    found = collect(account, SERVICE, needs=needs)
    assert asked == [10, 2]
    assert [r.type for r in found].count(SERVICE) == 12
    first = found[0].properties
    assert verdict("ecs-service-no-public-ip", found[0]) == "FAIL"
    assert (first["Role"], first["VolumeConfigurations"]) == ("r", [{"Name": "v"}])
    (one,) = (r for r in found if r.type == TASK_SET)
    assert (one.properties["Service"], one.properties["Cluster"]) == (names[0], f"{ARN}:cluster/c")
    assert verdict("ecs-task-set-no-public-ip", one) == "PASS"
    assert set(collect.last.whole) == {SERVICE, TASK_SET}


def test_services_that_may_not_be_listed(canned: Callable[..., Any], collect: Any) -> None:
    answers = {
        "ecs:ListClusters": {"clusterArns": [f"{ARN}:cluster/c"]},
        "ecs:ListServices": failure("ecs:ListServices", "AccessDeniedException"),
    }
    needs = {SERVICE: frozenset({"*"}), TASK_SET: frozenset({"*"})}
    assert collect(canned(answers), SERVICE, needs=needs) == []
    assert collect.last.whole == ()
    gone = failure("ecs:ListServices", "ClusterNotFoundException", "read_error")
    assert collect(canned({**answers, "ecs:ListServices": gone}), SERVICE, needs=needs) == []
    assert set(collect.last.whole) == {SERVICE, TASK_SET}


def test_what_could_not_be_described_is_named(canned: Callable[..., Any], collect: Any) -> None:
    account = canned({
        "ecs:ListClusters": {"clusterArns": [f"{ARN}:cluster/c"]},
        "ecs:DescribeClusters": failure("ecs:DescribeClusters", "AccessDeniedException"),
        "ecs:ListTaskDefinitionFamilies": {"families": ["web"]},
        "ecs:DescribeTaskDefinition": failure("ecs:DescribeTaskDefinition", "AccessDeniedException"),
    })  # fmt: skip
    (cluster,) = collect(account, CLUSTER)
    assert (cluster.id, cluster.arn) == ("c", f"{ARN}:cluster/c")
    assert verdict("ecs-exec-logged", cluster) == "UNKNOWN"
    (tasks,) = collect(account, TASKS)
    assert (tasks.id, tasks.arn) == ("web", None)
    assert verdict("ecs-containers-not-privileged", tasks) == "UNKNOWN"


def test_exec_and_proxies(canned: Callable[..., Any], collect: Any) -> None:
    execute = {"kmsKeyId": "k", "logging": "OVERRIDE", "logConfiguration": {"cloudWatchLogGroupName": "g",
               "cloudWatchEncryptionEnabled": True}}  # fmt: skip
    proxy = {"type": "APPMESH", "containerName": "envoy", "properties": [{"name": "AppPorts", "value": "80"}]}
    account = canned({
        "ecs:ListClusters": {"clusterArns": [f"{ARN}:cluster/c"]},
        "ecs:DescribeClusters": {
            "clusters": [{"clusterArn": f"{ARN}:cluster/c", "clusterName": "c",
                          "configuration": {"executeCommandConfiguration": execute}}]
        },
        "ecs:ListTaskDefinitionFamilies": {"families": ["web"]},
        "ecs:DescribeTaskDefinition": {
            "taskDefinition": {"taskDefinitionArn": f"{ARN}:task-definition/web:1", "proxyConfiguration": proxy},
            "tags": [{"key": "a", "value": "b"}],
        },
    })  # fmt: skip
    (cluster,) = collect(account, CLUSTER)
    for rule in ("ecs-exec-logged", "ecs-exec-logs-encrypted"):
        assert verdict(rule, cluster) == "PASS", rule
    (tasks,) = collect(account, TASKS)
    assert tasks.tags == {"a": "b"}
    assert tasks.properties["ProxyConfiguration"]["ProxyConfigurationProperties"] == [
        {"Name": "AppPorts", "Value": "80"}
    ]


def test_eks_over_http(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-2"
    eks = aws("eks", region)
    role = f"arn:aws:iam::{MOTO_ACCOUNT}:role/eks"
    eks.create_cluster(
        name="live", roleArn=role, tags={"Owner": "me"}, version="1.33",
        resourcesVpcConfig={"subnetIds": ["subnet-1"], "endpointPublicAccess": False, "endpointPrivateAccess": True},
        logging={"clusterLogging": [{"types": ["api", "audit"], "enabled": True}, {"types": ["scheduler"], "enabled": False}]},
    )  # fmt: skip
    eks.create_nodegroup(
        clusterName="live", nodegroupName="nodes", nodeRole=role, subnets=["subnet-1", "subnet-2"],
        remoteAccess={"ec2SshKey": "key"},
    )  # fmt: skip
    (cluster,) = collect(account, EKS, region=region)
    p = cluster.properties
    assert (cluster.id, cluster.arn, cluster.tags) == ("live", p["Arn"], {"Owner": "me"})
    assert p["Logging"] == {"ClusterLogging": {"EnabledTypes": [{"Type": "api"}, {"Type": "audit"}]}}
    assert "EncryptionConfig" not in p or p["EncryptionConfig"] == []
    assert verdict("eks-audit-logs", cluster) == "PASS"
    assert verdict("eks-secrets-encrypted", cluster) == "FAIL"
    (nodes,) = collect(account, NODES, region=region)
    p = nodes.properties
    assert (nodes.id, p["NodegroupName"], p["ClusterName"]) == ("live/nodes", "nodes", "live")
    assert p["Subnets"] == ["subnet-1", "subnet-2"]
    assert verdict("eks-nodegroup-ssh-restricted", nodes) == "FAIL"


def test_eks_in_full(canned: Callable[..., Any], collect: Any) -> None:
    key = "arn:aws:kms:us-east-1:123456789012:key/k"
    cluster = {
        "name": "c", "arn": "arn:aws:eks:us-east-1:123456789012:cluster/c", "status": "ACTIVE",
        "platformVersion": "eks.1", "deletionProtection": True, "identity": {"oidc": {"issuer": "https://oidc"}},
        "certificateAuthority": {"data": "Zm9v"},
        "resourcesVpcConfig": {"endpointPublicAccess": True, "publicAccessCidrs": ["0.0.0.0/0"],
                               "clusterSecurityGroupId": "sg-1"},
        "encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": key}}],
    }  # fmt: skip
    profile = {"fargateProfileName": "p", "clusterName": "c", "podExecutionRoleArn": "r", "tags": {"a": "b"},
               "fargateProfileArn": "arn:aws:eks:us-east-1:123456789012:fargateprofile/c/p/1"}  # fmt: skip
    account = canned({
        "eks:ListClusters": {"clusters": ["c"]},
        "eks:DescribeCluster": {"cluster": cluster},
        "eks:ListFargateProfiles": {"fargateProfileNames": ["p"]},
        "eks:DescribeFargateProfile": {"fargateProfile": profile},
    })  # fmt: skip
    (found,) = collect(account, EKS)
    p = found.properties
    assert (p["ClusterSecurityGroupId"], p["OpenIdConnectIssuerUrl"]) == ("sg-1", "https://oidc")
    assert (p["EncryptionConfigKeyArn"], p["CertificateAuthorityData"]) == (key, "Zm9v")
    assert "Logging" not in p
    assert isinstance(p["BootstrapSelfManagedAddons"], Unresolved)
    for rule, expected in (
        ("eks-deletion-protection", "PASS"), ("eks-endpoint-private", "FAIL"),
        ("eks-public-endpoint-restricted", "FAIL"), ("eks-audit-logs", "FAIL"),
    ):  # fmt: skip
        assert verdict(rule, found) == expected, rule
    (found,) = collect(account, "AWS::EKS::FargateProfile")
    assert (found.id, found.tags, found.arn) == ("c|p", {"a": "b"}, profile["fargateProfileArn"])


def test_tasks_that_may_be_entered_run_with_a_role(canned: Callable[..., Any], collect: Any) -> None:
    """Whoever may call ecs:ExecuteCommand has the task's role, a service's or not."""
    role, other = "arn:aws:iam::123456789012:role/web", "arn:aws:iam::123456789012:role/admin"
    definition = f"{ARN}:task-definition/web:3"

    def task(name: str, **more: Any) -> dict[str, Any]:
        return {"taskArn": f"{ARN}:task/c/{name}", "clusterArn": f"{ARN}:cluster/c", "taskDefinitionArn": definition,
                **more}  # fmt: skip

    tasks = [
        task("closed", enableExecuteCommand=False),
        task("open", enableExecuteCommand=True, overrides={}),
        task("other", enableExecuteCommand=True, overrides={"taskRoleArn": other}),
    ]
    account = canned({
        "ecs:ListClusters": {"clusterArns": [f"{ARN}:cluster/c"]},
        "ecs:ListTasks": {"taskArns": [t["taskArn"] for t in tasks]},
        "ecs:DescribeTasks": {"tasks": tasks},
        "ecs:ListTaskDefinitionFamilies": {"families": ["web"]},
        "ecs:DescribeTaskDefinition": {"taskDefinition": {"taskDefinitionArn": definition, "taskRoleArn": role}},
    })  # fmt: skip
    closed, open_, special = found = collect(account, TASK)
    assert (closed.id, closed.properties["TaskDefinitionArn"]) == (f"{ARN}:task/c/closed", definition)
    assert "TaskRoleArn" not in open_.properties
    assert special.properties["TaskRoleArn"] == other
    gathered = Carriers()
    for resource in [*found, *collect(account, TASKS)]:
        gathered.add(resource)
    records = [PrincipalRecord(a, MOTO_ACCOUNT, "role", a, "", ()) for a in (role, other)]
    whole = {(MOTO_ACCOUNT, "us-east-1", type) for type in (SERVICE, TASK, TASKS)}
    carried = gathered.carried(records, frozenset(whole))
    assert [(c.arn, c.role) for c in carried.carriers] == [
        (f"{ARN}:task/c/other", other),
        (f"{ARN}:task/c/open", role),
    ]
    assert (MOTO_ACCOUNT, "ecs-tasks.amazonaws.com") not in carried.unlisted
    without = frozenset(whole - {(MOTO_ACCOUNT, "us-east-1", SERVICE)})
    assert (MOTO_ACCOUNT, "ecs-tasks.amazonaws.com") in gathered.carried(records, without).unlisted
