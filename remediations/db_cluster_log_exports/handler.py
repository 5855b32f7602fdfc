"""Send a database cluster's main logs to CloudWatch Logs."""

from __future__ import annotations

from functools import partial

from policyengine.remediate.api import Call, Json, Proposal, Reader, Target
from policyengine.remediate.families.databases import (
    db_cluster,
    export_logs,
    exportable,
    main_logs,
)


def image(target: Target, read: Reader) -> Json:
    """Return what is exported, and what the version of the engine can export."""
    found = db_cluster(read, target.id)
    engine, version = found["Engine"], found["EngineVersion"]
    return {
        "exports": sorted(found.get("EnabledCloudwatchLogsExports") or []),
        "exportable": exportable(read, engine, version),
        "engine": engine,
        "version": version,
    }


def plan(target: Target, image: Json) -> Proposal:
    """Enable what lacks; what is exported already stays so. It is done at once, without a restart.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html
    """
    engine = image["engine"]
    wanted = ("error",) if engine == "mysql" else main_logs(engine)  # Multi-AZ clusters have no audit plugin
    return export_logs(image, wanted, partial(_modify, target))


def _modify(target: Target, what: str, logs: list[str]) -> Call:
    asked = {"DBClusterIdentifier": target.id, "CloudwatchLogsExportConfiguration": {what: logs}}
    return Call("rds", "ModifyDBCluster", asked)
