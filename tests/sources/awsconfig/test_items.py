"""Items in AWS Config's spellings, and what is none."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.sources.config.item import ItemError, decode, is_config, items_of, read_item
from policyengine.sources.config.mapping import resources_of

from .helpers import item

BUCKET = item("AWS::S3::Bucket", {"name": "b"}, resourceId="b")
NOTICE = {"configurationItem": BUCKET, "messageType": "ConfigurationItemChangeNotification"}
SUMMARY = {
    "configurationItemSummary": {"resourceType": "AWS::S3::Bucket"},
    "messageType": "OversizedConfigurationItemChangeNotification",
}
SCHEDULED = {"awsAccountId": "1", "messageType": "ScheduledNotification", "recordVersion": "1.0"}


@pytest.mark.parametrize(
    "event",
    [
        BUCKET,
        NOTICE,
        {"invokingEvent": json.dumps(NOTICE), "ruleParameters": "{}", "eventLeftScope": False},
        {"version": "0", "detail-type": "Config Configuration Item Change", "detail": NOTICE},
        json.dumps(BUCKET),
        [json.dumps(BUCKET)],
    ],
)
def test_one_item_in_every_wrapping(event: Any) -> None:
    (found,) = resources_of(event)
    assert (found.type, found.id, found.account, found.region) == (
        "AWS::S3::Bucket",
        "b",
        "111122223333",
        "eu-west-1",
    )
    assert found.collected_at == "2026-11-21T08:59:59Z"
    if not isinstance(event, str | list):
        assert is_config(event)


@pytest.mark.parametrize(
    ("event", "message"),
    [
        (SUMMARY, "oversized item"),
        ({"invokingEvent": json.dumps(SUMMARY)}, "oversized item"),
        ({"invokingEvent": json.dumps(SCHEDULED)}, "`ScheduledNotification`, which holds no item"),
        ({"invokingEvent": "x"}, "is a string, expected a configuration item"),
        (7, "is a number, expected"),
        ({}, "has no `resourceType`"),
        ({**BUCKET, "resourceType": "x"}, "has `x` as `resourceType`"),
        ({**BUCKET, "resourceType": ["x"]}, "has a list as `resourceType`"),
        ({**BUCKET, "accountId": None}, "has no `accountId` or `awsAccountId`"),
        ({**BUCKET, "awsRegion": ""}, "has no `awsRegion`"),
        ({**BUCKET, "configuration": "x"}, "has a string as `configuration`"),
        ({**BUCKET, "configuration": '{"a":1,"a":2}'}, "has a string as `configuration`"),
        ({**BUCKET, "supplementaryConfiguration": [1]}, "has a list as `supplementaryConfiguration`"),
        ({**BUCKET, "configurationItemStatus": "Odd"}, "has the status `Odd`"),
        ({**BUCKET, "configuration": json.loads('{"a":' * 80 + "1" + "}" * 80)}, "nested deeper than 60 levels"),
        ({**BUCKET, "configuration": {"x": 1}, "supplementaryConfiguration": {"P": json.loads("[" * 70 + "]" * 70)}},
         "nested deeper than 60 levels"),
    ],
)  # fmt: skip
def test_what_is_no_item_says_why(event: Any, message: str) -> None:
    with pytest.raises(ItemError, match=message.replace("`", ".")):
        list(resources_of(event))


@pytest.mark.parametrize("status", ["ResourceDeleted", "ResourceDeletedNotRecorded", "ResourceNotRecorded"])
def test_what_is_gone_or_not_recorded_is_no_resource(status: str) -> None:
    gone = {
        **BUCKET,
        "configurationItemStatus": status,
        "configuration": None,
        "supplementaryConfiguration": {},
    }
    assert list(resources_of(gone)) == []


def test_texts_are_decoded_as_often_as_they_were_encoded() -> None:
    value: Any = {"a": [1, "x"]}
    for _ in range(4):
        assert decode(value) == {"a": [1, "x"]}
        value = json.dumps(value)
    assert decode("true") is True
    assert decode("null") is None
    for text in ("", "plain", "[1", '{"a":1,"a":2}', "[" * 300 + "]" * 300, "12"):
        assert decode(text) == text


def test_the_newest_item_is_known_by_time_then_by_state() -> None:
    first = read_item({**BUCKET, "configurationStateId": "99"})
    second = read_item({**BUCKET, "configurationStateId": "100"})
    later = read_item(
        {
            **BUCKET,
            "configurationItemCaptureTime": "2026-11-21T09:00:00.000+00:00",
            "configurationStateId": "1",
        }
    )
    assert first.order < second.order < later.order
    assert first.identity == later.identity


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["", "x", "{}", "[1]", "AWS::S3::Bucket", "OK", '"{}"']),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(
        st.sampled_from(["name", "value", "status", "rules", "items", "quantity", "key", "policyText", "grantList", "x"]),
        below, max_size=4),
    max_leaves=10,
)  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(["AWS::S3::Bucket", "AWS::EC2::Instance", "AWS::IAM::Policy", "AWS::RDS::DBInstance", "AWS::CloudFront::Distribution",
                     "AWS::ElasticLoadBalancing::LoadBalancer", "AWS::CodePipeline::Pipeline", "AWS::Made::Up"]),
    st.dictionaries(st.sampled_from([*sorted(BUCKET), "ARN", "awsAccountId"]), JSONISH, max_size=4),
    JSONISH,
)  # fmt: skip
def test_any_item_is_read_or_refused(type: str, fields: dict[str, Any], configuration: Any) -> None:
    try:
        for found in resources_of({**item(type, configuration), **fields}):
            assert found.id
            assert found.account
    except ItemError as problem:
        assert "\n" not in str(problem)


def test_turning_an_event_into_a_resource_loads_little() -> None:
    """The Lambda of a Config rule imports this at every cold start."""
    code = (
        "import json, sys, time; start = time.perf_counter();"
        "from policyengine.sources.config.mapping import resources_of;"
        f"(found,) = resources_of(json.loads({json.dumps(json.dumps(NOTICE))}));"
        "print(found.id); print('\\n'.join(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[3],
    )
    loaded = set(done.stdout.split())
    assert "b" in loaded
    assert not loaded & {
        "boto3",
        "botocore",
        "pydantic",
        "yaml",
        "rich",
        "click",
        "zstandard",
        "asyncio",
        "policyengine.engine",
    }


@pytest.mark.parametrize("value", [7, "x", {"a": 1}, [7], "[{}]"])
@pytest.mark.parametrize(
    "name", ["relationships", "tags", "relatedEvents", "resourceCreationTime", "availabilityZone"]
)
def test_what_no_rule_needs_may_be_anything(name: str, value: Any) -> None:
    assert [found.id for found in resources_of({**BUCKET, name: value})] == ["b"]


def test_items_of_a_list_come_one_by_one() -> None:
    assert len(list(items_of([BUCKET, NOTICE, {"invokingEvent": json.dumps(NOTICE)}]))) == 3
