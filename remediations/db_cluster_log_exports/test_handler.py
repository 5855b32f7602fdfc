"""Log exports of clusters. Facts: which logs an engine has:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html (Multi-AZ clusters of MySQL have no audit
log)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, Json, propose, refused, target

HANDLER = "db_cluster_log_exports"
ABOUT = target(HANDLER, "orders")
LOGS = {
    "aurora-mysql": (["audit", "error", "general", "instance", "slowquery"], "audit"),
    "aurora-postgresql": (["instance", "postgresql", "iam-db-auth-error"], "postgresql"),
    "postgres": (["postgresql", "upgrade"], "postgresql"),
    "mysql": (["error", "general", "slowquery"], "error"),
}


def answers(engine: str, exports: list[str], exportable: Any = None) -> dict[str, Answer]:
    found = {"Engine": engine, "EngineVersion": "1", "EnabledCloudwatchLogsExports": exports}
    can = LOGS[engine][0] if exportable is None else exportable
    return {
        "rds:DescribeDBClusters": {"DBClusters": [found]},
        "rds:DescribeDBEngineVersions": {"DBEngineVersions": [{"ExportableLogTypes": can}]},
    }


@given(engine=st.sampled_from(sorted(LOGS)), data=st.data())
def test_what_is_exported_stays_so(engine: str, data: st.DataObject) -> None:
    logs, main = LOGS[engine]
    exports = data.draw(st.lists(st.sampled_from(logs), unique=True))
    found = propose(HANDLER, ABOUT, answers(engine, exports))
    assert set(found.after["exports"]) == {*exports, main}
    assert bool(found.steps) is (main not in exports)
    for step in found.steps:
        assert step.call.arguments["CloudwatchLogsExportConfiguration"] == {"EnableLogTypes": [main]}
        assert step.undo[0].arguments["CloudwatchLogsExportConfiguration"] == {"DisableLogTypes": [main]}


def test_a_version_that_cannot_is_refused() -> None:
    assert refused(HANDLER, ABOUT, answers("aurora-mysql", [], ["error"])).code == "unsupported"


@pytest.mark.parametrize("operation", sorted(answers("mysql", [])))
def test_incident_c7n_4949_what_cannot_be_read_is_left_alone(operation: str) -> None:
    asked = {**answers("mysql", []), operation: Failing("InternalFailure")}
    assert refused(HANDLER, ABOUT, asked).code == "not_known"


def versions(asked: Json) -> Json:
    """moto has no versions of engines: this operation is a stub."""
    return {
        "DBEngineVersions": [
            {**{n: asked[n] for n in ("Engine", "EngineVersion")}, "ExportableLogTypes": ["postgresql"]}
        ]
    }


def test_repairs(bench: Bench) -> None:
    """moto looks for the logs of a cluster under another name than AWS's: reading and changing one is a stub."""
    arn = f"arn:aws:rds:us-east-1:{bench.account}:cluster:orders"
    logs: list[str] = ["instance"]

    def read(_asked: Json) -> Json:
        found = {"DBClusterIdentifier": "orders", "DBClusterArn": arn, "Engine": "aurora-postgresql"}
        return {
            "DBClusters": [{**found, "EngineVersion": "16.4", "EnabledCloudwatchLogsExports": list(logs)}]
        }

    def modify(asked: Json) -> Json:
        change = asked["CloudwatchLogsExportConfiguration"]
        logs[:] = [log for log in logs if log not in change.get("DisableLogTypes", [])]
        logs.extend(change.get("EnableLogTypes", []))
        return {}

    bench.stub("rds:DescribeDBClusters", read)
    bench.stub("rds:ModifyDBCluster", modify)
    bench.stub("rds:DescribeDBEngineVersions", versions)
    bench.laws(rule="rds-cluster-log-exports", type="AWS::RDS::DBCluster", id="orders")
