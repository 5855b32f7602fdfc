"""Athena, EMR and Lake Formation."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context
from policyengine.sources.live.declared import Run
from policyengine.sources.live.spec import CodeCollector, Collector, Step

Json = dict[str, Any]
_ALIVE: Final = ("STARTING", "BOOTSTRAPPING", "RUNNING", "WAITING")
_INSTANCES: Final = (
    "Ec2KeyName",
    "Ec2SubnetId",
    "EmrManagedMasterSecurityGroup",
    "EmrManagedSlaveSecurityGroup",
    "ServiceAccessSecurityGroup",
    "AdditionalMasterSecurityGroups",
    "AdditionalSlaveSecurityGroups",
)


def _cluster(result: Json, _item: Json) -> Json:
    """https://docs.aws.amazon.com/emr/latest/APIReference/API_Cluster.html"""
    attributes = result.get("Ec2InstanceAttributes") or {}
    instances = {name: attributes.get(name) for name in _INSTANCES}
    for name in ("TerminationProtected", "UnhealthyNodeReplacement"):
        instances[name] = result.get(name)
    ends = result.get("AutoTerminate")
    instances["KeepJobFlowAliveWhenNoSteps"] = None if ends is None else not ends
    if attributes.get("Ec2AvailabilityZone"):
        instances["Placement"] = {"AvailabilityZone": attributes["Ec2AvailabilityZone"]}
    return {**result, "Instances": instances, "JobFlowRole": attributes.get("IamInstanceProfile")}


def _settings(item: Json) -> Json:
    """Without a list, what is new is controlled by Lake Formation's own permissions alone.

    https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_DataLakeSettings.html
    """
    names = ("CreateDatabaseDefaultPermissions", "CreateTableDefaultPermissions")
    return {**item, **{name: item.get(name) or [] for name in names}}


GRANT: Final = Collector(
    "AWS::LakeFormation::PrincipalPermissions",
    "lakeformation",
    Step("ListPermissions", "PrincipalResourcePermissions"),
    id="{value}",
    rename={"Resource.Catalog": ""},
    tags="",
)


def _grants(context: Context) -> Iterator[Resource]:
    """Yield what is granted.

    Only administrators of the data lake are told of all grants, others of some without an error:
    https://docs.aws.amazon.com/lake-formation/latest/APIReference/API_ListPermissions.html
    """
    settings = context.call("lakeformation", "GetDataLakeSettings").get("DataLakeSettings") or {}
    named = [*(settings.get("DataLakeAdmins") or ()), *(settings.get("ReadOnlyAdmins") or ())]
    administrators = {_principal(one.get("DataLakePrincipalIdentifier") or "") for one in named}
    own = _principal(context.call("sts", "GetCallerIdentity")["Arn"])
    if own not in administrators and (administrators or _has_databases(context)):
        context.not_whole(GRANT.type, _not_administrator(context))
    found = (
        grant
        for page in context.pages("lakeformation", "ListPermissions")
        for grant in page.get("PrincipalResourcePermissions") or ()
    )
    yield from Run(GRANT, context).of({**grant, "value": _named(grant)} for grant in found)


def _has_databases(context: Context) -> bool:
    """Without databases and without administrators, who alone grant, nobody was granted anything."""
    return bool(context.call("glue", "GetDatabases", {"MaxResults": 1}).get("DatabaseList"))


def _not_administrator(context: Context) -> CallFailure:
    return CallFailure(
        "lakeformation:ListPermissions",
        "access_denied",
        "NotDataLakeAdministrator",
        "only administrators of the data lake are told of all grants",
        context.account.id,
        context.region,
    )


def _principal(arn: str) -> tuple[str, ...]:
    """Return account, kind and name of a principal; a session is of its role, whose path it does not show."""
    *_, account, resource = ("", *arn.split(":", 5)) if arn.count(":") >= 5 else ("", "", arn)
    kind, _, rest = resource.partition("/")
    if kind == "assumed-role":
        return (account, "role", rest.partition("/")[0])
    return (account, kind, rest.rpartition("/")[2])


def _named(grant: Json) -> str:
    """Return what tells one grant from another: to whom, on what."""
    to = (grant.get("Principal") or {}).get("DataLakePrincipalIdentifier", "")
    return f"{to} {json.dumps(grant.get('Resource') or {}, sort_keys=True, default=str)}"


COLLECTORS = (
    Collector(
        "AWS::Athena::WorkGroup",
        "athena",
        Step("ListWorkGroups", "WorkGroups"),
        id="{Name}",
        arn="arn:{partition}:athena:{region}:{account}:workgroup/{Name}",
        describe=Step(
            "GetWorkGroup",
            "WorkGroup",
            {"WorkGroup": "{Name}"},
            gone=("InvalidRequestException: is not found",),
            rename={"Configuration": "WorkGroupConfiguration"},
        ),
        tags="",
        details=(
            Step(
                "ListTagsForResource",
                "Tags",
                {"ResourceARN": "arn:{partition}:athena:{region}:{account}:workgroup/{Name}"},
                gives=("tags",),
                gone=("ResourceNotFoundException",),
                paged=True,
            ),
        ),
    ),
    Collector(
        "AWS::EMR::Cluster",
        "emr",
        Step("ListClusters", "Clusters", {"ClusterStates": list(_ALIVE)}),
        id="{Id}",
        arn="arn:{partition}:elasticmapreduce:{region}:{account}:cluster/{Id}",
        describe=Step(
            "DescribeCluster",
            "Cluster",
            {"ClusterId": "{Id}"},
            shape=_cluster,
            rename={
                "MasterPublicDnsName": "MasterPublicDNS",
                "PlacementGroups": "PlacementGroupConfigs",
                "Configurations.Properties": "ConfigurationProperties",
                "Configurations.Configurations.Properties": "ConfigurationProperties",
                "KerberosAttributes.KdcAdminPassword": "",
                "KerberosAttributes.CrossRealmTrustPrincipalPassword": "",
                "KerberosAttributes.ADDomainJoinPassword": "",
            },
        ),
        gives=("Instances", "JobFlowRole"),
        unknown=(
            "Instances.MasterInstanceGroup",
            "Instances.CoreInstanceGroup",
            "Instances.TaskInstanceGroups",
            "Instances.MasterInstanceFleet",
            "Instances.CoreInstanceFleet",
            "Instances.TaskInstanceFleets",
            "Instances.HadoopVersion",
        ),
    ),
    Collector(
        "AWS::EMR::SecurityConfiguration",
        "emr",
        Step("ListSecurityConfigurations", "SecurityConfigurations"),
        id="{Name}",
        describe=Step("DescribeSecurityConfiguration", "", {"Name": "{Name}"}),
        tags="",
    ),
    Collector(
        "AWS::LakeFormation::DataLakeSettings",
        "lakeformation",
        Step("GetDataLakeSettings", "DataLakeSettings", rename={"DataLakeAdmins": "Admins"}),
        id="{account}",
        shape=_settings,
        tags="",
    ),
    CodeCollector(
        (GRANT.type,),
        "lakeformation",
        _grants,
        (
            "lakeformation:GetDataLakeSettings",
            "sts:GetCallerIdentity",
            "glue:GetDatabases",
            "lakeformation:ListPermissions",
        ),
        parts=(GRANT,),
    ),
)
