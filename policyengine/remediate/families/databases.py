"""What handlers for RDS share: reading one instance or cluster, and what is waiting to be changed on it.

Neptune and DocumentDB answer at the endpoints of RDS, under its API version: botocore's client of RDS is theirs too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from policyengine.remediate.api import Call, Proposal, Reader, Refused, Step

Json = dict[str, Any]

MAIN_LOGS: Final = {
    "postgres": ("postgresql",),
    "aurora-postgresql": ("postgresql",),
    "mysql": ("audit", "error"),
    "mariadb": ("audit", "error"),
    "aurora-mysql": ("audit",),
    "oracle": ("alert", "audit"),
    "sqlserver": ("error",),
    "db2": ("diag.log",),
}
"""Engine, or how engines begin -> the logs that tell who did what:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html"""


def db_instance(read: Reader, id: str) -> Json:
    """Return a DB instance as DescribeDBInstances answers. Raises Refused."""
    found = read.call("rds", "DescribeDBInstances", {"DBInstanceIdentifier": id}) or {}
    instance: Json = found["DBInstances"][0]
    return instance


def db_cluster(read: Reader, id: str) -> Json:
    """Return a cluster, of Neptune and DocumentDB too, as DescribeDBClusters answers. Raises Refused."""
    found = read.call("rds", "DescribeDBClusters", {"DBClusterIdentifier": id}) or {}
    cluster: Json = found["DBClusters"][0]
    return cluster


def pending(database: Json, but: Collection[str] = ()) -> list[str]:
    """Return the names of the settings that wait for the next maintenance window; values may be passwords."""
    waiting = database.get("PendingModifiedValues") or {}
    return sorted(name for name, value in waiting.items() if value not in (None, {}, []) and name not in but)


def nothing_pending(names: Collection[str]) -> None:
    """Refuse where ApplyImmediately would change more than was asked for.

    "the modifications in this request and any pending modifications are asynchronously applied as soon as possible":
    https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html
    """
    if names:
        raise Refused(
            "unsafe",
            f"{', '.join(names)} wait for the maintenance window and would be changed at once as well: apply or "
            "withdraw them first",
        )


def main_logs(engine: str) -> tuple[str, ...]:
    """Return the logs an engine should export. Raises Refused for an engine that is not known."""
    for name, logs in MAIN_LOGS.items():
        if engine == name or (engine.startswith(f"{name}-") and name in ("oracle", "sqlserver", "db2")):
            return logs
    raise Refused("unsupported", f"which logs `{engine}` exports is not known here")


def exportable(read: Reader, engine: str, version: str) -> list[str]:
    """Return the logs that a version of an engine can export. Raises Refused."""
    asked = {"Engine": engine, "EngineVersion": version, "IncludeAll": True}
    found = (read.call("rds", "DescribeDBEngineVersions", asked) or {}).get("DBEngineVersions") or []
    return sorted({log for each in found for log in each.get("ExportableLogTypes") or []})


def export_logs(image: Json, wanted: Collection[str], change: Callable[[str, list[str]], Call]) -> Proposal:
    """Propose to enable what lacks; what is exported already stays so. ``change`` makes the call that enables
    (``EnableLogTypes``) or disables (``DisableLogTypes``) logs. Raises Refused where the version cannot export one."""
    missing = _logs_missing(image, wanted)
    if not missing:
        return Proposal("its main logs are exported already", after=image)
    step = Step("export", change("EnableLogTypes", missing), undo=(change("DisableLogTypes", missing),))
    return Proposal(
        f"send {', '.join(missing)} to CloudWatch Logs",
        (step,),
        after={**image, "exports": sorted([*image["exports"], *missing])},
        advice=f"Note: {AUDIT_NEEDS}." if "audit" in missing else "",
    )


def _logs_missing(image: Json, wanted: Collection[str]) -> list[str]:
    """Return the logs that are to be exported besides those that are. Raises Refused where the version cannot."""
    missing = sorted({*wanted} - {*image["exports"]})
    cannot = [log for log in missing if log not in image["exportable"]]
    if cannot:
        known = ", ".join(image["exportable"]) or "none"
        raise Refused(
            "unsupported",
            f"{image['engine']} {image['version']} cannot export {', '.join(cannot)} (it can: {known}); upgrade it first",
        )
    return missing


AUDIT_NEEDS: Final = (
    "the audit log stays empty until auditing is on: the MARIADB_AUDIT_PLUGIN option for MySQL and MariaDB, "
    "server_audit_logging for Aurora MySQL, AUDIT_TRAIL for Oracle"
)
"""https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.MySQL.Options.AuditPlugin.html"""
