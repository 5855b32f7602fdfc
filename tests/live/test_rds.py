"""RDS, Aurora, Neptune and DocumentDB over HTTP, and the answers moto does not give as AWS documents them."""

from __future__ import annotations

from typing import Any

from policyengine.model.values import Unresolved
from tests.live.conftest import MOTO_ACCOUNT, failure
from tests.live.judging import verdict

ARN = f"arn:aws:rds:us-east-1:{MOTO_ACCOUNT}"


def _one(found: list[Any], id: str) -> Any:
    return next(resource for resource in found if resource.id == id)


def test_instances_arrive_in_the_registrys_shape(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-1"
    rds = aws("rds", region)
    rds.create_db_instance(
        DBInstanceIdentifier="good", DBInstanceClass="db.m7g.large", Engine="postgres", AllocatedStorage=20,
        MasterUsername="owner", MasterUserPassword="not-a-secret", StorageEncrypted=True, MultiAZ=True,
        BackupRetentionPeriod=7, DeletionProtection=True, Port=5555, VpcSecurityGroupIds=["sg-1"],
        EnableCloudwatchLogsExports=["postgresql"], EnableIAMDatabaseAuthentication=True,
        PubliclyAccessible=False, Tags=[{"Key": "Owner", "Value": "me"}],
    )  # fmt: skip
    rds.create_db_instance(
        DBInstanceIdentifier="bad", DBInstanceClass="db.m7g.large", Engine="postgres", AllocatedStorage=20,
        MasterUsername="postgres", MasterUserPassword="not-a-secret", StorageEncrypted=False,
        BackupRetentionPeriod=0, PubliclyAccessible=True,
    )  # fmt: skip
    needs = {"AWS::RDS::DBInstance": frozenset({"tags", "StorageEncrypted"})}
    found = collect(account, "AWS::RDS::DBInstance", region=region, needs=needs)
    good, bad = _one(found, "good"), _one(found, "bad")
    assert good.arn == f"arn:aws:rds:{region}:{MOTO_ACCOUNT}:db:good"
    assert good.tags == {"Owner": "me"}
    p = good.properties
    assert (p["Port"], p["AllocatedStorage"], p["MultiAZ"]) == ("5555", "20", True)
    assert p["VPCSecurityGroups"] == ["sg-1"]
    assert p["EnableCloudwatchLogsExports"] == ["postgresql"]
    assert p["EnableIAMDatabaseAuthentication"] is True
    assert p["DBParameterGroupName"].startswith("default.postgres")
    assert "SourceDBInstanceIdentifier" not in p
    assert "AutomaticBackupReplicationRegion" not in p
    assert isinstance(p["DeleteAutomatedBackups"], Unresolved)  # no API tells
    assert "MasterUserPassword" not in p or isinstance(p["MasterUserPassword"], Unresolved)
    for rule in (
        "rds-storage-encrypted", "rds-backup-retention", "rds-deletion-protection", "rds-instance-not-public",
        "rds-multi-az", "rds-log-exports", "rds-iam-authentication", "rds-instance-port-not-default",
    ):  # fmt: skip
        assert (verdict(rule, good), verdict(rule, bad)) == ("PASS", "FAIL"), rule
    assert verdict("rds-backups-survive-deletion", good) == "NOT_APPLICABLE"


def test_each_engine_has_its_type(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-2"
    for engine in ("neptune", "aurora-postgresql"):
        rds = aws("rds", region)
        rds.create_db_cluster(
            DBClusterIdentifier=f"{engine}-c", Engine=engine, MasterUsername="owner",
            MasterUserPassword="not-a-secret", StorageEncrypted=True, Tags=[{"Key": "k", "Value": engine}],
        )  # fmt: skip
        rds.create_db_instance(
            DBInstanceIdentifier=f"{engine}-i", DBInstanceClass="db.r6g.large", Engine=engine,
            DBClusterIdentifier=f"{engine}-c",
        )  # fmt: skip
    for service, engine in (("RDS", "aurora-postgresql"), ("Neptune", "neptune")):
        for kind, id in (("DBCluster", f"{engine}-c"), ("DBInstance", f"{engine}-i")):
            type = f"AWS::{service}::{kind}"
            needs = {type: frozenset({"tags", "StorageEncrypted"})}
            (found,) = collect(account, type, region=region, needs=needs)
            assert found.id == id
            if kind == "DBCluster":
                assert found.tags == {"k": engine}
                assert found.properties["StorageEncrypted"] is True
            else:
                assert found.properties["DBClusterIdentifier"] == f"{engine}-c"


def test_who_may_restore_a_snapshot(account: Any, aws: Any, collect: Any) -> None:
    region = "eu-west-3"
    rds = aws("rds", region)
    rds.create_db_instance(
        DBInstanceIdentifier="d", DBInstanceClass="db.t4g.micro", Engine="mysql", AllocatedStorage=20,
        MasterUsername="owner", MasterUserPassword="not-a-secret",
    )  # fmt: skip
    for name, accounts in (("open", ["all"]), ("closed", ["111122223333"])):
        rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier="d")
        rds.modify_db_snapshot_attribute(
            DBSnapshotIdentifier=name, AttributeName="restore", ValuesToAdd=accounts
        )
    found = collect(account, "AWS::RDS::DBSnapshot", region=region)
    assert _one(found, "closed").properties["RestoreAccounts"] == ["111122223333"]
    assert verdict("database-snapshot-not-public", _one(found, "closed")) == "PASS"
    assert verdict("database-snapshot-not-public", _one(found, "open")) == "FAIL"


def test_automated_snapshots_are_not_asked_about(canned: Any, collect: Any) -> None:
    """https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html: they cannot be shared."""
    snapshot = {
        "DBClusterSnapshotIdentifier": "rds:c", "DBClusterSnapshotArn": f"{ARN}:cluster-snapshot:rds:c",
        "Engine": "docdb", "SnapshotType": "automated", "StorageEncrypted": True, "TagList": [],
    }  # fmt: skip
    account = canned({"rds:DescribeDBClusterSnapshots": {"DBClusterSnapshots": [snapshot]}})
    (found,) = collect(account, "AWS::DocDB::DBClusterSnapshot")
    assert found.properties["RestoreAccounts"] == []
    assert collect(account, "AWS::RDS::ClusterSnapshot") == []


def test_parameters_of_a_group_are_all_of_them(canned: Any, collect: Any) -> None:
    group = {
        "DBParameterGroupName": "g", "DBParameterGroupFamily": "postgres16", "DBParameterGroupArn": f"{ARN}:pg:g",
    }  # fmt: skip
    answers = [
        {"ParameterName": "rds.force_ssl", "ParameterValue": "1", "Source": "system"},
        {"ParameterName": "archive_mode"},
    ]
    account = canned({
        "rds:DescribeDBParameterGroups": {"DBParameterGroups": [group]},
        "rds:DescribeDBParameters": {"Parameters": answers},
        "rds:ListTagsForResource": {"TagList": [{"Key": "a", "Value": "b"}]},
    })  # fmt: skip
    (found,) = collect(account, "AWS::RDS::DBParameterGroup")
    assert found.properties["Parameters"] == {"rds.force_ssl": "1"}
    assert found.properties["Family"] == "postgres16"
    assert found.tags == {"a": "b"}


INSTANCE = {
    "DBInstanceIdentifier": "i", "DBInstanceArn": f"{ARN}:db:i", "Engine": "mysql", "DBInstanceStatus": "available",
    "DBInstanceAutomatedBackupsReplications": [
        {"DBInstanceAutomatedBackupsArn": f"arn:aws:rds:us-west-2:{MOTO_ACCOUNT}:auto-backup:ab-1"}
    ],
}  # fmt: skip


def test_replicated_backups_are_asked_about_where_they_are(canned: Any, collect: Any) -> None:
    account = canned({
        "rds:DescribeDBInstances": {"DBInstances": [INSTANCE]},
        "rds:DescribeDBInstanceAutomatedBackups": {
            "DBInstanceAutomatedBackups": [{"KmsKeyId": "arn:k", "BackupRetentionPeriod": 3, "Engine": "mysql"}]
        },
    })  # fmt: skip
    (found,) = collect(account, "AWS::RDS::DBInstance")
    assert found.properties["AutomaticBackupReplicationRegion"] == "us-west-2"
    assert found.properties["AutomaticBackupReplicationKmsKeyId"] == "arn:k"
    assert found.properties["AutomaticBackupReplicationRetentionPeriod"] == 3
    assert found.properties["Engine"] == "mysql"
    assert isinstance(found.properties["Port"], Unresolved)  # it has no endpoint yet


def test_what_aws_backup_knows_of_instances(canned: Any, collect: Any) -> None:
    """Only what AWS Backup lists as protected is asked about."""
    plain = {**INSTANCE, "DBInstanceAutomatedBackupsReplications": []}
    other = {**plain, "DBInstanceIdentifier": "other", "DBInstanceArn": f"{ARN}:db:other"}
    asked: list[str] = []

    def described(arguments: Any) -> Any:
        asked.append(arguments["ResourceArn"])
        return {"LatestRestoreExecutionTimeMinutes": 12, "ResourceArn": arguments["ResourceArn"]}

    answers: dict[str, Any] = {
        "rds:DescribeDBInstances": {"DBInstances": [plain, other]},
        "backup:ListProtectedResources": {"Results": [{"ResourceArn": f"{ARN}:db:i", "ResourceType": "RDS"}]},
        "backup:DescribeProtectedResource": described,
    }
    needs = {"AWS::RDS::DBInstance": frozenset({"BackupProtection"})}
    found, bare = collect(canned(answers), "AWS::RDS::DBInstance", needs=needs)
    assert found.properties["BackupProtection"] == {"LatestRestoreExecutionTimeMinutes": 12}
    assert "BackupProtection" not in bare.properties
    assert asked == [f"{ARN}:db:i"]
    assert not collect.last.failures
    answers["backup:ListProtectedResources"] = failure(
        "backup:ListProtectedResources", "AccessDeniedException"
    )
    found, _ = collect(canned(answers), "AWS::RDS::DBInstance", needs=needs)
    assert isinstance(found.properties["BackupProtection"], Unresolved)


def test_a_global_cluster_belongs_to_the_region_of_its_writer(canned: Any, collect: Any) -> None:
    members = [
        {"DBClusterArn": f"arn:aws:rds:{region}:{MOTO_ACCOUNT}:cluster:c", "IsWriter": region == "eu-west-1"}
        for region in ("eu-west-1", "us-east-1")
    ]
    item = {
        "GlobalClusterIdentifier": "g", "GlobalClusterArn": f"arn:aws:rds::{MOTO_ACCOUNT}:global-cluster:g",
        "Engine": "aurora-mysql", "StorageEncrypted": True, "GlobalClusterMembers": members, "TagList": [],
        "Endpoint": "g.global-x",
    }  # fmt: skip
    account = canned({"rds:DescribeGlobalClusters": {"GlobalClusters": [item]}})
    (found,) = collect(account, "AWS::RDS::GlobalCluster", region="eu-west-1")
    assert found.properties["GlobalEndpoint"] == {"Address": "g.global-x"}
    assert verdict("global-cluster-storage-encrypted", found) == "PASS"
    assert collect(account, "AWS::RDS::GlobalCluster", region="us-east-1") == []
    assert collect(account, "AWS::DocDB::GlobalCluster", region="eu-west-1") == []


def test_clusters_of_each_engine_in_the_registrys_shape(canned: Any, collect: Any) -> None:
    item = {
        "DBClusterIdentifier": "c", "DBClusterArn": f"{ARN}:cluster:c", "DbClusterResourceId": "cluster-X",
        "DBClusterParameterGroup": "p", "DBSubnetGroup": "s", "Endpoint": "e.x", "ReaderEndpoint": "r.x",
        "Port": 8182, "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-1", "Status": "active"}],
        "EnabledCloudwatchLogsExports": ["audit"], "IAMDatabaseAuthenticationEnabled": True, "MultiAZ": True,
        "StorageEncrypted": True, "TagList": [], "MasterUserSecret": {"SecretArn": "a", "KmsKeyId": "k"},
    }  # fmt: skip

    def found(type: str, engine: str) -> Any:
        account = canned({
            "rds:DescribeDBClusters": {"DBClusters": [{**item, "Engine": engine}]},
            })  # fmt: skip
        return collect(account, type)[0]

    for type, engine in (
        ("AWS::RDS::DBCluster", "aurora-mysql"), ("AWS::Neptune::DBCluster", "neptune"), ("AWS::DocDB::DBCluster", "docdb"),
    ):  # fmt: skip
        p = found(type, engine).properties
        assert p["VpcSecurityGroupIds"] == ["sg-1"]
        assert p["DBClusterParameterGroupName"] == "p"
        assert p["DBSubnetGroupName"] == "s"
        assert p["EnableCloudwatchLogsExports"] == ["audit"]
        assert p["MultiAZ"] is True
        assert isinstance(p["SnapshotIdentifier"], Unresolved)
    aurora = found("AWS::RDS::DBCluster", "aurora-mysql")
    assert aurora.properties["Endpoint"] == {"Address": "e.x", "Port": "8182"}
    assert aurora.properties["ManageMasterUserPassword"] is True
    assert verdict("rds-cluster-multi-az", aurora) == "PASS"
    neptune = found("AWS::Neptune::DBCluster", "neptune").properties
    assert (neptune["IamAuthEnabled"], neptune["DBPort"], neptune["Port"]) == (True, 8182, "8182")
    assert neptune["ClusterResourceId"] == "cluster-X"
    assert found("AWS::DocDB::DBCluster", "docdb").properties["MasterUserSecretKmsKeyId"] == "k"


def test_groups_subscriptions_and_proxies(account: Any, aws: Any, collect: Any, canned: Any) -> None:
    ec2 = aws("ec2", "eu-north-1")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{n}.0/24")["Subnet"]["SubnetId"] for n in (0, 1)]
    rds = aws("rds", "eu-north-1")
    rds.create_db_subnet_group(
        DBSubnetGroupName="sub", DBSubnetGroupDescription="d", SubnetIds=subnets, Tags=[{"Key": "a", "Value": "b"}]
    )  # fmt: skip
    (group,) = collect(account, "AWS::RDS::DBSubnetGroup", region="eu-north-1")
    assert sorted(group.properties["SubnetIds"]) == sorted(subnets)
    assert group.tags == {"a": "b"}
    rds.create_event_subscription(
        SubscriptionName="e", SnsTopicArn="arn:aws:sns:eu-north-1:1:t", SourceType="db-instance",
        EventCategories=["failure"], Enabled=True,
    )  # fmt: skip
    (event,) = collect(account, "AWS::RDS::EventSubscription", region="eu-north-1")
    assert event.properties["SubscriptionName"] == "e"
    assert event.properties["EventCategories"] == ["failure"]
    proxy = {
        "DBProxyName": "p",
        "DBProxyArn": f"{ARN}:db-proxy:p",
        "RequireTLS": False,
        "VpcSubnetIds": subnets,
    }
    (found,) = collect(
        canned({"rds:DescribeDBProxies": {"DBProxies": [proxy]}, "rds:ListTagsForResource": {"TagList": []}}),
        "AWS::RDS::DBProxy",
    )
    assert verdict("rds-proxy-tls-required", found) == "FAIL"


def test_what_is_told_as_another_type_is_planned_once() -> None:
    from policyengine.sources.live.plan import make_plan
    from policyengine.sources.live.table import TOLD_AS, collector_of

    plan = make_plan(dict.fromkeys(TOLD_AS, frozenset({"tags"})))
    assert plan.collectors == ()
    assert plan.impossible == ()
    assert all(collector_of(other) is not None for other in TOLD_AS.values())


def test_one_listing_serves_three_types(canned: Any) -> None:
    from policyengine.sources.live.context import Context, Shared
    from policyengine.sources.live.plan import make_plan
    from policyengine.sources.live.table import collector_of
    from policyengine.sources.live.work import do

    types = ("AWS::RDS::DBCluster", "AWS::Neptune::DBCluster", "AWS::DocDB::DBCluster")
    needs = dict.fromkeys(types, frozenset({"StorageEncrypted"}))
    item = {"DBClusterIdentifier": "c", "DBClusterArn": f"{ARN}:cluster:c", "Engine": "docdb"}
    asked: list[Any] = []

    def answer(arguments: Any) -> Any:
        asked.append(arguments)
        return {"DBClusters": [item]}

    account = canned({"rds:DescribeDBClusters": answer})
    shared = Shared(make_plan(needs).shared)
    for type in types:
        collector = collector_of(type)
        assert collector is not None
        context = Context(account, "us-east-1", "us-east-1", needs, shared)
        assert do(collector, context, lambda _line: None).resources == (type == "AWS::DocDB::DBCluster")
    assert asked == [{}]
