"""Send a DB instance's main logs to CloudWatch Logs."""

from __future__ import annotations

from functools import partial

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Target
from policyengine.remediate.families.databases import (
    db_instance,
    export_logs,
    exportable,
    main_logs,
)


def image(target: Target, read: Reader) -> Json:
    """Return what is exported, and what the version of the engine can export."""
    found = db_instance(read, target.id)
    engine, version = found["Engine"], found["EngineVersion"]
    return {
        "exports": sorted(found.get("EnabledCloudwatchLogsExports") or []),
        "exportable": exportable(read, engine, version),
        "engine": engine,
        "version": version,
        "cluster": found.get("DBClusterIdentifier"),
    }


def plan(target: Target, image: Json) -> Proposal:
    """Enable what lacks; what is exported already stays so. It is done at once, without a restart.

    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    if image["cluster"]:
        raise Refused("unsupported", f"members export through their cluster, {image['cluster']}")
    return export_logs(image, main_logs(image["engine"]), partial(_modify, target))


def _modify(target: Target, what: str, logs: list[str]) -> Call:
    asked = {"DBInstanceIdentifier": target.id, "CloudwatchLogsExportConfiguration": {what: logs}}
    return Call("rds", "ModifyDBInstance", asked)
