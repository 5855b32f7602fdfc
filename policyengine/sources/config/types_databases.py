"""RDS, DocumentDB, Neptune, Redshift and DynamoDB, as AWS Config records them.

AWS Config records clusters and instances of DocumentDB and Neptune as resources of RDS; the engine tells them apart.
"""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.values import ABSENT, Unresolved
from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType, Part, each, first, flag, objects, said, under

Json = dict[str, Any]
_ENGINES: Final = {"docdb": "docdb", "neptune": "neptune"}


def _lower(item: Item) -> Json:
    """AWS Config writes ``dBName``, ``dbname`` and ``DBName``, by the age of the item and the type."""
    return {name.casefold(): value for name, value in item.configuration.items()}


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _instance(item: Item) -> Json:
    given = _lower(item)
    parameters = first(given.get("dbparametergroups"))
    endpoint = given.get("endpoint")
    made = {
        **{name: value for name, value in given.items() if name not in _INSTANCE},
        "AllocatedStorage": _text(given.get("allocatedstorage")),
        "VPCSecurityGroups": each(given.get("vpcsecuritygroups"), "vpcSecurityGroupId"),
        "DBSecurityGroups": _by(given.get("dbsecuritygroups"), "dBSecurityGroupName") or ABSENT,
        "DBParameterGroupName": _any_case(parameters, "dbparametergroupname"),
        "DBSubnetGroupName": _any_case(given.get("dbsubnetgroup"), "dbsubnetgroupname"),
        "OptionGroupName": under(first(given.get("optiongroupmemberships")), "optionGroupName"),
        "DBInstanceArn": given.get("dbinstancearn") or item.arn,
        "enabledcloudwatchlogsexports": given.get("enabledcloudwatchlogsexports") or None,
        "Port": _text(under(endpoint, "port"))
        or Unresolved("not_collected", "AWS Config recorded no endpoint"),
        "Endpoint": {**endpoint, "port": _text(endpoint.get("port"))} if isinstance(endpoint, dict) else None,
    }
    return said(made, given, _INSTANCE_FROM)


_INSTANCE_FROM: Final = {
    "AllocatedStorage": "allocatedStorage",
    "VPCSecurityGroups": "vpcSecurityGroups",
    "DBSecurityGroups": "dbSecurityGroups",
    "DBParameterGroupName": "dbParameterGroups",
    "OptionGroupName": "optionGroupMemberships",
}
_INSTANCE: Final = frozenset(
    {
        "allocatedstorage", "vpcsecuritygroups", "dbsecuritygroups", "dbparametergroups", "dbsubnetgroup",
        "optiongroupmemberships", "endpoint", "dbinstanceport", "listenerendpoint", "pendingmodifiedvalues",
    }
)  # fmt: skip


def _any_case(value: Any, name: str) -> Any:
    found = {key.casefold(): below for key, below in value.items()} if isinstance(value, dict) else {}
    return found.get(name)


def _by(value: Any, name: str) -> list[Any]:
    return [found for one in objects(value) if (found := _any_case(one, name.casefold())) is not None]


def _cluster(item: Item) -> Json:
    given = _lower(item)
    group = given.get("dbsubnetgroup")
    endpoint = given.get("endpoint")
    made = {
        **{name: value for name, value in given.items() if name not in _CLUSTER},
        "DBSubnetGroupName": group if isinstance(group, str) else _any_case(group, "dbsubnetgroupname"),
        "VpcSecurityGroupIds": each(given.get("vpcsecuritygroups"), "vpcSecurityGroupId"),
        "DBClusterParameterGroupName": given.get("dbclusterparametergroup"),
        "enabledcloudwatchlogsexports": given.get("enabledcloudwatchlogsexports") or None,
        "Endpoint": {"Address": endpoint, "Port": _text(given.get("port"))}
        if isinstance(endpoint, str)
        else None,
    }
    return said(made, given, _CLUSTER_FROM)


_CLUSTER_FROM: Final = {
    "DBSubnetGroupName": "dbSubnetGroup",
    "VpcSecurityGroupIds": "vpcSecurityGroups",
    "DBClusterParameterGroupName": "dbClusterParameterGroup",
    "Endpoint": "endpoint",
}
_CLUSTER: Final = frozenset(
    {"dbsubnetgroup", "vpcsecuritygroups", "dbclusterparametergroup", "endpoint", "readerendpoint",
     "scalingconfigurationinfo", "pendingmodifiedvalues", "associatedroles"}
)  # fmt: skip


def _warehouse(item: Item) -> Json:
    given = item.configuration
    endpoint, logging = given.get("endpoint"), item.supplement.get("LoggingStatus")
    made = {
        **{name: value for name, value in given.items() if name not in _WAREHOUSE},
        "VpcSecurityGroupIds": each(given.get("vpcSecurityGroups"), "vpcSecurityGroupId"),
        "ClusterSecurityGroups": each(given.get("clusterSecurityGroups"), "clusterSecurityGroupName"),
        "ClusterParameterGroupName": under(first(given.get("clusterParameterGroups")), "parameterGroupName"),
        "IamRoles": each(given.get("iamRoles"), "iamRoleArn"),
        "Endpoint": {**endpoint, "port": _text(endpoint.get("port"))} if isinstance(endpoint, dict) else None,
        "Port": under(endpoint, "port"),
        "DestinationRegion": under(given, "clusterSnapshotCopyStatus", "destinationRegion"),
        "MultiAZ": {"enabled": True, "disabled": False}.get(str(given.get("multiAZ")).casefold()),
        **({"LoggingEnabled": flag(under(logging, "loggingEnabled"))} if logging is not None else {}),
    }
    return said(made, given, _WAREHOUSE_FROM)


_WAREHOUSE: Final = frozenset(
    {
        "endpoint",
        "multiAZ",
        "vpcSecurityGroups",
        "iamRoles",
        "clusterParameterGroups",
        "clusterSecurityGroups",
    }
)
_WAREHOUSE_FROM: Final = {
    "VpcSecurityGroupIds": "vpcSecurityGroups",
    "ClusterSecurityGroups": "clusterSecurityGroups",
    "ClusterParameterGroupName": "clusterParameterGroups",
    "IamRoles": "iamRoles",
    "Endpoint": "endpoint",
    "Port": "endpoint",
}


def _logging(value: Any, _item: Item) -> Any:
    if flag(under(value, "loggingEnabled")) is not True:
        return None
    names = ("bucketName", "s3KeyPrefix", "logDestinationType", "logExports")
    return {name: value[name] for name in names if value.get(name) is not None}


def _table(item: Item) -> Json:
    given = item.configuration
    encryption = given.get("ssedescription", given.get("sSEDescription"))
    return {
        **{name: value for name, value in given.items() if name.casefold() not in _TABLE},
        "BillingMode": under(given, "billingModeSummary", "billingMode"),
        "SSESpecification": _encryption(encryption),
        "TableClass": under(given, "tableClassSummary", "tableClass"),
        "Arn": given.get("tableArn") or item.arn,
        "StreamArn": given.get("latestStreamArn"),
    }


_TABLE: Final = frozenset(
    {"ssedescription", "billingmodesummary", "tableclasssummary", "restoresummary", "replicas"}
)


def _encryption(value: Any) -> Any:
    """A table without a description has a key that AWS owns.

    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_SSEDescription.html
    """
    found = {name.casefold(): below for name, below in value.items()} if isinstance(value, dict) else {}
    if not found:
        return None
    return {
        "SSEEnabled": found.get("status") in ("ENABLED", "ENABLING", "UPDATING"),
        "SSEType": found.get("ssetype"),
        "KMSMasterKeyId": found.get("kmsmasterkeyarn"),
    }


def _recovery(value: Any, _item: Item) -> Any:
    status = under(value, "pointInTimeRecoveryDescription", "pointInTimeRecoveryStatus")
    if status is None:
        return Unresolved("not_collected", "AWS Config recorded no status of it")
    return status == "ENABLED"


def _restore(value: Any, _item: Item) -> Any:
    """The accounts that may restore a snapshot; ``all`` is everybody."""
    found = [a.get("attributeValues") for a in objects(value) if a.get("attributeName") == "restore"]
    return found[0] if found and isinstance(found[0], list) else []


_INSTANCE_RECORDED: Final = (
    "DBClusterIdentifier", "KmsKeyId", "MonitoringRoleArn", "SourceDBInstanceIdentifier", "Iops", "CharacterSetName",
    "Timezone", "EnableCloudwatchLogsExports", "PerformanceInsightsKMSKeyId", "PerformanceInsightsRetentionPeriod",
    "DBName", "ProcessorFeatures",
)  # fmt: skip
_INSTANCE_NAMES: Final = {
    "iAMDatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "performanceInsightsEnabled": "EnablePerformanceInsights",
    "readReplicaSourceDBInstanceIdentifier": "SourceDBInstanceIdentifier",
    "readReplicaSourceDBClusterIdentifier": "SourceDBClusterIdentifier",
}
_CLUSTER_NAMES: Final = {
    "iamdatabaseAuthenticationEnabled": "EnableIAMDatabaseAuthentication",
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "httpEndpointEnabled": "EnableHttpEndpoint",
    "dbClusterResourceId": "DBClusterResourceId",
}
_OTHER_CLUSTER: Final = {
    "enabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
    "iamdatabaseAuthenticationEnabled": "IamAuthEnabled",
    "dbClusterResourceId": "ClusterResourceId",
}
_CLUSTER_RECORDED: Final = (
    "KmsKeyId", "EnableCloudwatchLogsExports", "ReplicationSourceIdentifier",
    "ActivityStreamKmsKeyId", "DatabaseName",
)  # fmt: skip
_OTHER_INSTANCE: Final = ("DBClusterIdentifier",)
_OTHER_CLUSTER_RECORDED: Final = ("KmsKeyId", "EnableCloudwatchLogsExports")
TYPES = (
    ConfigType("AWS::RDS::DBInstance", id="DBInstanceIdentifier", rename=_INSTANCE_NAMES, shape=_instance,
               recorded=_INSTANCE_RECORDED, kinds=_ENGINES),
    ConfigType("AWS::DocDB::DBInstance", "AWS::RDS::DBInstance/docdb", "DBInstanceIdentifier", _INSTANCE_NAMES,
               _instance, recorded=_OTHER_INSTANCE),
    ConfigType("AWS::Neptune::DBInstance", "AWS::RDS::DBInstance/neptune", "DBInstanceIdentifier", _INSTANCE_NAMES,
               _instance, recorded=_OTHER_INSTANCE),
    ConfigType("AWS::RDS::DBCluster", id="DBClusterIdentifier", rename=_CLUSTER_NAMES, shape=_cluster,
               recorded=(*_CLUSTER_RECORDED, "BacktrackWindow"), kinds=_ENGINES),
    ConfigType("AWS::DocDB::DBCluster", "AWS::RDS::DBCluster/docdb", "DBClusterIdentifier",
               {**_OTHER_CLUSTER, "iamdatabaseAuthenticationEnabled": ""}, _cluster, recorded=_OTHER_CLUSTER_RECORDED),
    ConfigType("AWS::Neptune::DBCluster", "AWS::RDS::DBCluster/neptune", "DBClusterIdentifier", _OTHER_CLUSTER,
               _cluster, recorded=_OTHER_CLUSTER_RECORDED),
    ConfigType("AWS::RDS::DBSnapshot", id="DBSnapshotIdentifier", recorded=("KmsKeyId",),
               parts=(Part("DBSnapshotAttributes", "RestoreAccounts", shape=_restore),)),
    ConfigType("AWS::RDS::ClusterSnapshot", "AWS::RDS::DBClusterSnapshot", recorded=("KmsKeyId",),
               parts=(Part("DBClusterSnapshotAttributes", "RestoreAccounts", shape=_restore),)),
    ConfigType("AWS::Redshift::ClusterParameterGroup", id="ParameterGroupName",
               parts=(Part("Parameters", "Parameters"),)),
    ConfigType(
        "AWS::Redshift::Cluster",
        shape=_warehouse,
        parts=(Part("LoggingStatus", "LoggingProperties", shape=_logging),),
        recorded=("KmsKeyId", "ClusterSnapshotCopyStatus", "DestinationRegion", "ElasticIp"),
    ),
    ConfigType("AWS::Redshift::Snapshot", "AWS::Redshift::ClusterSnapshot", recorded=("KmsKeyId",)),
    ConfigType(
        "AWS::DynamoDB::Table",
        shape=_table,
        parts=(Part("ContinuousBackupsDescription", "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled",
                    shape=_recovery),),
        recorded=("SSESpecification", "StreamSpecification", "BillingMode", "GlobalSecondaryIndexes",
                  "LocalSecondaryIndexes"),
    ),
)  # fmt: skip
