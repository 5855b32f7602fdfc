"""Documents and names that somebody in the account may have made to mislead or to blind the scanner."""

from __future__ import annotations

from typing import Any

import pytest

from policyengine.aws.failures import CallFailure
from policyengine.model.resource import Resource
from policyengine.sources.live.context import Context, Shared
from policyengine.sources.live.table import collector_of
from policyengine.sources.live.work import do
from policyengine.sources.shaping import document
from policyengine.sources.snapshot.lines import parse_line
from tests.live.conftest import CannedAccount

ODD = {
    "a key twice": '{"Effect": "Deny", "Effect": "Allow"}',
    "a key twice below": '{"Statement": [{"a": 1, "b": {"c": 1, "c": 2}}]}',
    "no number": '{"a": NaN}',
    "an infinite number": '{"a": 1e999}',
    "half a pair": '{"a": "\\ud800"}',
    "half a pair in a key": '{"\\udfff": 1}',
    "too deep": '{"a":' * 5000 + "1" + "}" * 5000,
    "too many digits": '{"a": ' + "9" * 5000 + "}",
    "an end that is missing": '{"a": 1',
    "more behind it": '{"a": 1} {"b": 2}',
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_a_document_that_can_be_read_in_two_ways_stays_a_text(text: str) -> None:
    assert document(text) == text


def volumes(*ids: str) -> dict[str, Any]:
    return {"ec2:DescribeVolumes": {"Volumes": [{"VolumeId": id, "Encrypted": False} for id in ids]}}


def collected(account: CannedAccount, redact: Any = None) -> tuple[Any, list[Resource]]:
    collector = collector_of("AWS::EC2::Volume")
    assert collector is not None
    needs = {"AWS::EC2::Volume": frozenset({"Encrypted"})}
    lines: list[bytes] = []
    context = Context(
        account, "us-east-1", "us-east-1", needs, Shared(frozenset()), now="2026-11-21T09:00:00Z"
    )
    outcome = do(collector, context, lines.append, redact=redact)
    return outcome, [parse_line(line) for line in lines]


def test_a_resource_that_cannot_be_written_hides_no_other() -> None:
    outcome, found = collected(CannedAccount(volumes("vol-1", "vol-\ud800", "vol-3")))
    assert [volume.id for volume in found] == ["vol-1", "vol-3"]
    assert "AWS::EC2::Volume" not in outcome.whole
    assert isinstance(outcome.incomplete["AWS::EC2::Volume"], CallFailure)


def test_the_words_of_a_mistake_are_not_told() -> None:
    """An exception quotes what it stumbled over: that may be the secret that was to be taken out."""

    def stumbles(resource: Resource) -> Resource:
        raise ValueError(f"cannot read 'hunter2-but-longer' of {resource.id}")

    outcome, found = collected(CannedAccount(volumes("vol-1")), redact=stumbles)
    assert not found
    assert "hunter2" not in str(outcome.failures)
    assert "ValueError at test_hostile_answers.py:" in str(outcome.incomplete["AWS::EC2::Volume"])
