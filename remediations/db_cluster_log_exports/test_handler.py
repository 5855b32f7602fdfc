"""Log exports of clusters. Facts: which logs an engine has:
https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBCluster.html (Multi-AZ clusters of MySQL have no audit
log)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.remediate.canned import Answer, Failing, propose, refused, target

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
