"""Log exports. Facts: which logs an engine has:
https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_LogAccess.Procedural.UploadtoCloudWatch.html; the change "is always
applied to the DB instance immediately": https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBInstance.html;
what a version can export: https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBEngineVersion.html."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.families.databases import MAIN_LOGS
from policyengine.testing.remediations import Bench
from tests.remediate.canned import Answer, Failing, Json, propose, refused, target

HANDLER = "rds_log_exports"
ABOUT = target(HANDLER, "orders")
LOGS = {
    "postgres": ["postgresql", "upgrade", "iam-db-auth-error"],
    "mysql": ["audit", "error", "general", "slowquery"],
    "mariadb": ["audit", "error", "general", "slowquery"],
    "oracle-ee": ["alert", "audit", "listener", "trace", "oemagent"],
    "oracle-se2-cdb": ["alert", "audit", "listener", "trace"],
    "sqlserver-se": ["agent", "error"],
    "db2-ae": ["diag.log", "notify.log"],
}


def answers(engine: str, exports: list[str], exportable: Any = None, **more: Any) -> dict[str, Answer]:
    found = {"Engine": engine, "EngineVersion": "1", "EnabledCloudwatchLogsExports": exports, **more}
    can = LOGS.get(engine, []) if exportable is None else exportable
    return {
        "rds:DescribeDBInstances": {"DBInstances": [found]},
        "rds:DescribeDBEngineVersions": {"DBEngineVersions": [{"ExportableLogTypes": can}]},
    }


@given(engine=st.sampled_from(sorted(LOGS)), data=st.data())
def test_what_is_exported_stays_so(engine: str, data: st.DataObject) -> None:
    exports = data.draw(st.lists(st.sampled_from(LOGS[engine]), unique=True))
    found = propose(HANDLER, ABOUT, answers(engine, exports))
    main = next(logs for name, logs in MAIN_LOGS.items() if engine.startswith(name))
    assert set(found.after["exports"]) == {*exports, *main}
    missing = sorted({*main} - {*exports})
    for step in found.steps:
        assert step.call.arguments["CloudwatchLogsExportConfiguration"] == {"EnableLogTypes": missing}
        assert step.undo[0].arguments["CloudwatchLogsExportConfiguration"] == {"DisableLogTypes": missing}
    assert bool(found.steps) is bool(missing)
    assert ("audit" in found.advice) is ("audit" in missing)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (answers("mysql", [], ["error", "general"]), "cannot export audit"),
        (answers("mysql", [], []), "it can: none"),
        (answers("custom-oracle-ee", []), "custom-oracle-ee"),
        (answers("aurora-postgresql", [], ["postgresql"], DBClusterIdentifier="c"), "cluster, c"),
    ],
)
def test_what_cannot_be_exported_is_refused(asked: dict[str, Answer], words: str) -> None:
    said = refused(HANDLER, ABOUT, asked)
    assert said.code == "unsupported"
    assert words in said.text


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
    made: Any = {
        "DBInstanceIdentifier": "orders",
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.micro",
        "AllocatedStorage": 20,
        "MasterUsername": "owner",
        "MasterUserPassword": "not-a-secret-1",
    }
    bench.client("rds").create_db_instance(**made)
    bench.stub("rds:DescribeDBEngineVersions", versions)
    bench.laws(rule="rds-log-exports", type="AWS::RDS::DBInstance", id="orders")
