"""Protect a database cluster, or an Aurora global cluster, against deletion."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Step, Target
from policyengine.remediate.families.databases import db_cluster

_GLOBAL = "AWS::RDS::GlobalCluster"


def image(target: Target, read: Reader) -> Json:
    """Return whether it is protected."""
    if target.resource.type != _GLOBAL:
        return {"protected": bool(db_cluster(read, target.id).get("DeletionProtection"))}
    asked = {"GlobalClusterIdentifier": target.id}
    found = (read.call("rds", "DescribeGlobalClusters", asked) or {})["GlobalClusters"][0]
    return {"protected": bool(found.get("DeletionProtection"))}


def plan(target: Target, image: Json) -> Proposal:
    """Set DeletionProtection, which is done at once.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html
    """
    if image["protected"]:
        return Proposal("the cluster is protected already", after=image)
    step = Step("protect", _modify(target, True), undo=(_modify(target, False),))
    return Proposal("protect the cluster against deletion", (step,), after={"protected": True})


def _modify(target: Target, on: bool) -> Call:
    if target.resource.type == _GLOBAL:
        asked = {"GlobalClusterIdentifier": target.id, "DeletionProtection": on}
        return Call("rds", "ModifyGlobalCluster", asked)
    return Call("rds", "ModifyDBCluster", {"DBClusterIdentifier": target.id, "DeletionProtection": on})
