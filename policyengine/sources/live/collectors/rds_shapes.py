"""Where the RDS API and the registry say the same in different structures (Neptune and DocumentDB share the API)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policyengine.model.values import Unresolved
from policyengine.sources.live.context import Context

Json = dict[str, Any]

OTHER_ENGINES = ("neptune", "docdb")


def engine_is(*engines: str) -> Callable[[Json, Mapping[str, str]], bool]:
    """Return a ``keep`` for one of these engines."""
    return lambda item, _names: item.get("Engine") in engines


def of_rds(item: Json, _names: Mapping[str, str]) -> bool:
    """The API lists what Neptune and DocumentDB have too."""
    return item.get("Engine") not in OTHER_ENGINES


def group_of(family: str | None) -> Callable[[Json, Mapping[str, str]], bool]:
    """Return a ``keep`` for parameter groups of a family of engines; None for RDS's own."""

    def keep(item: Json, _names: Mapping[str, str]) -> bool:
        found = str(item.get("DBParameterGroupFamily", ""))
        return found.startswith(family) if family else not found.startswith(OTHER_ENGINES)

    return keep


def first(item: Json, list_name: str, name: str) -> Any:
    """Return a field of the first element of a list."""
    found = item.get(list_name) or [{}]
    return found[0].get(name)


def each(item: Json, list_name: str, name: str) -> list[Any]:
    """Return a field of every element of a list."""
    return [element[name] for element in item.get(list_name) or [] if name in element]


def port(item: Json) -> Any:
    """The port the database listens on; an instance that is being created has no endpoint yet."""
    found = (item.get("Endpoint") or {}).get("Port") or item.get("DbInstancePort")
    return str(found) if found else Unresolved("not_collected", "the instance has no endpoint yet")


def domain(item: Json) -> Json:
    """The Active Directory domain, where there is one."""
    found = (item.get("DomainMemberships") or [{}])[0]
    return {
        "Domain": found.get("Domain"),
        "DomainFqdn": found.get("FQDN") or None,
        "DomainIAMRoleName": found.get("IAMRoleName") or None,
        "DomainOu": found.get("OU"),
        "DomainAuthSecretArn": found.get("AuthSecretArn"),
        "DomainDnsIps": found.get("DnsIps"),
    }


def instance(item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html"""
    copies = each(item, "DBInstanceAutomatedBackupsReplications", "DBInstanceAutomatedBackupsArn")
    return {
        **{k: v for k, v in item.items() if k not in ("DBSubnetGroup", "DBParameterGroups")},
        **domain(item),
        "AllocatedStorage": str(item["AllocatedStorage"]) if "AllocatedStorage" in item else None,
        "AutomaticBackupReplicationRegion": copies[0].split(":")[3] if copies else None,
        "DBParameterGroupName": first(item, "DBParameterGroups", "DBParameterGroupName"),
        "DBSecurityGroups": each(item, "DBSecurityGroups", "DBSecurityGroupName") or None,
        "DBSubnetGroupName": (item.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "EnableCloudwatchLogsExports": item.get("EnabledCloudwatchLogsExports"),
        "EnableIAMDatabaseAuthentication": item.get("IAMDatabaseAuthenticationEnabled"),
        "EnablePerformanceInsights": item.get("PerformanceInsightsEnabled"),
        "ManageMasterUserPassword": bool(item.get("MasterUserSecret")),
        "OptionGroupName": first(item, "OptionGroupMemberships", "OptionGroupName"),
        "Port": port(item),
        "SourceDBClusterIdentifier": item.get("ReadReplicaSourceDBClusterIdentifier"),
        "SourceDBInstanceIdentifier": item.get("ReadReplicaSourceDBInstanceIdentifier"),
        "VPCSecurityGroups": each(item, "VpcSecurityGroups", "VpcSecurityGroupId"),
        "VpcSecurityGroups": None,
    }


INSTANCE_GIVES = (
    "AutomaticBackupReplicationRegion", "DBParameterGroupName", "DBSubnetGroupName", "Domain", "DomainFqdn",
    "DomainIAMRoleName", "DomainOu", "DomainAuthSecretArn", "DomainDnsIps", "EnableCloudwatchLogsExports",
    "EnableIAMDatabaseAuthentication", "EnablePerformanceInsights", "ManageMasterUserPassword",
    "OptionGroupName", "Port", "SourceDBClusterIdentifier", "SourceDBInstanceIdentifier",
)  # fmt: skip


def any_cluster(item: Json) -> Json:
    """What clusters of RDS, Neptune and DocumentDB have in common."""
    return {
        **{k: v for k, v in item.items() if k not in ("DBSubnetGroup", "VpcSecurityGroups")},
        "DBClusterParameterGroupName": item.get("DBClusterParameterGroup"),
        "DBSubnetGroupName": item.get("DBSubnetGroup"),
        "EnableCloudwatchLogsExports": item.get("EnabledCloudwatchLogsExports"),
        "VpcSecurityGroupIds": each(item, "VpcSecurityGroups", "VpcSecurityGroupId"),
    }


CLUSTER_GIVES = (
    "DBClusterParameterGroupName", "DBSubnetGroupName", "EnableCloudwatchLogsExports", "VpcSecurityGroupIds",
    "ReadEndpoint",
)  # fmt: skip
_FORWARDING = ("enabled", "enabling", "requested")


def cluster(item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBCluster.html"""
    address, told = item.get("Endpoint"), domain(item)
    forwards = item.get("LocalWriteForwardingStatus")
    return {
        **any_cluster(item),
        "Domain": told["Domain"],
        "DomainIAMRoleName": told["DomainIAMRoleName"],
        "EnableGlobalWriteForwarding": item.get("GlobalWriteForwardingRequested"),
        "EnableHttpEndpoint": item.get("HttpEndpointEnabled"),
        "EnableIAMDatabaseAuthentication": item.get("IAMDatabaseAuthenticationEnabled"),
        "EnableLocalWriteForwarding": forwards in _FORWARDING if forwards else None,
        "Endpoint": {"Address": address, "Port": str(item["Port"]) if "Port" in item else None}
        if address
        else None,
        "ManageMasterUserPassword": bool(item.get("MasterUserSecret")),
        "ReadEndpoint": {"Address": item["ReaderEndpoint"]} if item.get("ReaderEndpoint") else None,
        "ScalingConfiguration": item.get("ScalingConfigurationInfo"),
    }


RDS_CLUSTER_GIVES = (
    *CLUSTER_GIVES, "Domain", "DomainIAMRoleName", "EnableGlobalWriteForwarding", "EnableHttpEndpoint",
    "EnableIAMDatabaseAuthentication", "EnableLocalWriteForwarding", "ManageMasterUserPassword",
    "ScalingConfiguration",
)  # fmt: skip


def member(item: Json) -> Json:
    """An instance of Neptune or DocumentDB.

    https://docs.aws.amazon.com/documentdb/latest/developerguide/API_DBInstance.html
    """
    return {
        **{k: v for k, v in item.items() if k not in ("DBSubnetGroup", "DBParameterGroups")},
        "DBParameterGroupName": first(item, "DBParameterGroups", "DBParameterGroupName"),
        "DBSubnetGroupName": (item.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "EnablePerformanceInsights": item.get("PerformanceInsightsEnabled"),
        "Endpoint": (item.get("Endpoint") or {}).get("Address"),
        "Id": item.get("DBInstanceIdentifier"),
        "Port": port(item),
    }


def restore_accounts(attributes: str) -> Callable[[Any, Json], list[str]]:
    """Return a shape: the accounts that may restore a snapshot, ``all`` for everybody.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DescribeDBSnapshotAttributes.html
    """

    def shape(result: Any, _item: Json) -> list[str]:
        found = [
            attribute.get("AttributeValues") or []
            for attribute in result.get(attributes) or []
            if attribute.get("AttributeName") == "restore"
        ]
        return found[0] if found else []

    return shape


def ask_unless_automated(operation: str, argument: str, result: str) -> Callable[[Context, Json], Json]:
    """Return a call for a snapshot's attributes: automated snapshots cannot be shared.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_ShareSnapshot.html
    """

    def ask(context: Context, item: Json) -> Json:
        if item.get("SnapshotType") == "automated":
            return {result: {}}
        return context.call("rds", operation, {argument: item[argument]})

    return ask


def replicated_backup(context: Context, item: Json) -> Json:
    """What the region that backups are replicated to says of them; nothing where they are not replicated."""
    copies = each(item, "DBInstanceAutomatedBackupsReplications", "DBInstanceAutomatedBackupsArn")
    if not copies:
        return {}
    answer = context.call(
        "rds",
        "DescribeDBInstanceAutomatedBackups",
        {"DBInstanceAutomatedBackupsArn": copies[0]},
        region=copies[0].split(":")[3],
    )
    return (answer.get("DBInstanceAutomatedBackups") or [{}])[0]  # type: ignore[no-any-return]  # botocore's answers have no types


def options(item: Json) -> Json:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Option.html"""
    found = []
    for option in item.get("Options") or []:
        chosen = {name: option[name] for name in ("OptionName", "OptionVersion", "Port") if name in option}
        settings = [
            {"Name": s.get("Name"), "Value": s.get("Value")} for s in option.get("OptionSettings") or []
        ]
        found.append({
            **chosen,
            "OptionSettings": settings,
            "DBSecurityGroupMemberships": each(option, "DBSecurityGroupMemberships", "DBSecurityGroupName"),
            "VpcSecurityGroupMemberships": each(option, "VpcSecurityGroupMemberships", "VpcSecurityGroupId"),
        })  # fmt: skip
    return {**item, "OptionConfigurations": found}


def writer_here(item: Json, names: Mapping[str, str]) -> bool:
    """A global cluster is listed in every region it is in; it belongs to that of its writer."""
    writers = [m["DBClusterArn"] for m in item.get("GlobalClusterMembers") or [] if m.get("IsWriter")]
    return not writers or any(arn.split(":")[3] == names["region"] for arn in writers)
