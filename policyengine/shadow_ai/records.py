"""Values of a log to records of Route 53 Resolver: who asked for which name, and what came back.

https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-query-logs-format.html has the fields. A record
comes by itself (S3, Firehose) or in an envelope of CloudWatch Logs
(https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/SubscriptionFilters.html).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

from policyengine.shadow_ai.names import MAX_NAME

Kind = Literal["query", "blocked", "failed", "other"]
ADDRESS_TYPES: Final = ("A", "AAAA", "HTTPS", "SVCB", "CNAME", "ANY")
"""What is asked for before a connection. TXT, MX, NS and the like are asked by mail servers and crawlers: a mail server
that checks SPF of openai.com uses no AI."""
_MOMENT: Final = re.compile(
    r"(20[0-9]{2}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01]))T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-6][0-9](?:[.:][0-9]{1,9})?Z"
)
_REMEMBERED: Final = 100_000
_MAX_ID: Final = 64


class Source(NamedTuple):
    """Where a query came from, "" for what the record does not say; ``instance`` is an EC2 instance, ``endpoint`` an
    inbound Resolver endpoint, behind which the source is not in AWS."""

    account: str
    region: str
    vpc: str
    address: str
    instance: str
    endpoint: str


class BadRecordError(ValueError):
    """A value that is no record of a query; the text says why."""


def envelopes(value: Any) -> Iterator[Any]:
    """Yield the records in a value: itself, or the messages of an envelope. Raises BadRecordError."""
    if not isinstance(value, dict):
        raise BadRecordError("is no object of JSON, expected a record of a query log")
    if "query_name" in value:
        yield value
        return
    events = value.get("logEvents", value.get("events"))
    if isinstance(events, list):
        if value.get("messageType") != "CONTROL_MESSAGE":
            for event in events:
                yield _message(event.get("message") if isinstance(event, dict) else None)
    elif "@message" in value:
        yield _message(value["@message"])
    elif "Records" in value or "eventSource" in value:
        raise BadRecordError("is of CloudTrail; give it with --trail")
    else:
        raise BadRecordError("has no `query_name`; expected a record of a Resolver query log")


def _message(text: Any) -> Any:
    if not isinstance(text, str):
        raise BadRecordError("is an event of CloudWatch Logs without a message")
    try:
        record = json.loads(text)
    except (ValueError, RecursionError):
        raise BadRecordError("is an event of CloudWatch Logs whose message is no JSON") from None
    if not isinstance(record, dict) or "query_name" not in record:
        raise BadRecordError("is an event of CloudWatch Logs whose message has no `query_name`")
    return record


class Moments:
    """Checks the times of records; the same second comes often, so what was seen is remembered, up to a bound."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def __call__(self, text: Any) -> str:
        """Return the moment to the second, as ``2021-02-04T17:51:55Z``. Raises BadRecordError."""
        found = self._known.get(text) if text.__class__ is str else None
        if found is not None:
            return found
        match = _MOMENT.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            raise BadRecordError("`query_timestamp` is no time such as 2021-02-04T17:51:55Z")
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        moment = f"{text[:19]}Z"
        self._known[text] = moment
        return moment


def seconds(moment: str) -> int:
    """Return the seconds since 1970 of a moment. Raises BadRecordError for the 30th of February."""
    try:
        whole = datetime.strptime(moment[:17] + "00Z", "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise BadRecordError("`query_timestamp` is no day of a calendar") from None
    return int(whole.timestamp()) + int(moment[17:19])


def name_of(record: Mapping[str, Any]) -> str:
    """Return the name that was asked for. Raises BadRecordError."""
    name = record["query_name"]
    if name.__class__ is not str or len(name) > MAX_NAME:
        raise BadRecordError("`query_name` is no text of a DNS name's length")
    return str(name)


def identifier(value: Any, what: str) -> str:
    """Return an id or address, "" for none. Raises BadRecordError for what cannot be one."""
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > _MAX_ID or not (value.isascii() and value.isprintable()):
        raise BadRecordError(f"`{what}` is no id or address of at most {_MAX_ID} characters")
    return value


def source_of(record: Mapping[str, Any]) -> Source:
    """Return where a query came from. Raises BadRecordError."""
    ids = record.get("srcids")
    if ids is None:
        ids = {}
    if not isinstance(ids, dict):
        raise BadRecordError("`srcids` is no object")
    return Source(
        identifier(record.get("account_id"), "account_id"),
        identifier(record.get("region"), "region"),
        identifier(record.get("vpc_id"), "vpc_id"),
        identifier(record.get("srcaddr"), "srcaddr"),
        identifier(ids.get("instance"), "srcids.instance"),
        identifier(ids.get("resolver_endpoint"), "srcids.resolver_endpoint"),
    )


def kind_of(record: Mapping[str, Any]) -> Kind:
    """Say what became of a query: only what was answered NOERROR and not blocked was looked up.

    DNS Firewall blocks with an answer too (OVERRIDE), so its action says more than the answer's code:
    https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resolver-dns-firewall-rule-actions.html
    """
    if record.get("query_type") not in ADDRESS_TYPES:
        return "other"
    if record.get("firewall_rule_action") == "BLOCK":
        return "blocked"
    return "query" if record.get("rcode") == "NOERROR" else "failed"


def answers_of(record: Mapping[str, Any], *types: str) -> list[str]:
    """Return the data of the answers of some types; what is no list of answers has none."""
    listed = record.get("answers")
    if not isinstance(listed, list):
        return []
    return [
        answer["Rdata"]
        for answer in listed
        if isinstance(answer, dict)
        and answer.get("Type") in types
        and isinstance(answer.get("Rdata"), str)
        and len(answer["Rdata"]) <= MAX_NAME
    ]
