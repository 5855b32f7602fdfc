"""A running database has a password nobody is told: that is no doubt about code."""

from __future__ import annotations

from datetime import UTC, datetime

from policyengine.model.logic import TRUE, UNKNOWN
from policyengine.model.resource import Resource
from policyengine.model.values import NEVER_SHOWN, Unresolved
from policyengine.rules.predicates.api import Subject
from policyengine.rules.predicates.pipeline.code_secrets import by_reference
from policyengine.sources.snapshot.canonical import to_line
from policyengine.sources.snapshot.lines import parse_line


def answer(detail: str, file: str | None = None) -> object:
    properties = {"MasterUserPassword": Unresolved("not_collected", detail)}
    database = Resource("AWS::RDS::DBInstance", "db", "111122223333", "eu-west-1", properties, file=file)
    if file is None:
        database = parse_line(to_line(database))
    subject = Subject(database, datetime(2026, 11, 21, tzinfo=UTC), lambda _: [], lambda _: [])
    return by_reference(subject, properties=["MasterUserPassword"]).truth


def test_what_no_call_gives_is_not_in_code() -> None:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBInstance.html has no password"""
    assert answer(NEVER_SHOWN) is TRUE


def test_what_was_not_asked_for_is_not_known() -> None:
    assert answer("rds:DescribeX was not asked for") is UNKNOWN
    assert answer(NEVER_SHOWN, file="template.yaml") is UNKNOWN
