"""The last verdict of each rule on each resource, as a platform keeps it: UNKNOWN stays UNKNOWN here, whatever AWS Config
can say. Items of the table that also holds actions (``store/dynamo_actions.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple, Protocol

Json = dict[str, Any]
KEPT_SECONDS: Final = 400 * 24 * 3600
"""A year and a month: longer than the period of a yearly audit."""


class Verdict(NamedTuple):
    """One rule's verdict on one resource. ``at`` is when the resource was as judged (ISO 8601 in UTC)."""

    account: str
    region: str
    type: str
    id: str
    rule: str
    verdict: str
    reason: str
    message: str
    at: str


class Calls(Protocol):
    """What this needs of ``aws.account.Account``."""

    def call(self, service: str, operation: str, arguments: Json, region: str) -> Json:
        """Return the answer. Raises CallFailure."""
        ...


class Verdicts:
    """Writes verdicts into a table."""

    def __init__(self, calls: Calls, table: str, region: str) -> None:
        self._calls = calls
        self._table = table
        self._region = region

    def put(self, verdicts: Iterable[Verdict], now: float) -> None:
        """Keep verdicts; an older one never replaces a newer (events come in any order). Raises CallFailure."""
        for verdict in verdicts:
            self._put(verdict, now)

    def _put(self, verdict: Verdict, now: float) -> None:
        item = {name: {"S": value} for name, value in verdict._asdict().items() if value}
        key = "/".join((verdict.account, verdict.region, verdict.type, verdict.id))
        arguments: Json = {
            "TableName": self._table,
            "Item": {
                **item,
                "pk": {"S": f"verdict#{key}"},
                "sk": {"S": verdict.rule},
                "ttl": {"N": str(int(now) + KEPT_SECONDS)},
            },
            "ConditionExpression": "attribute_not_exists(pk) OR #at <= :at",
            "ExpressionAttributeNames": {"#at": "at"},
            "ExpressionAttributeValues": {":at": {"S": verdict.at}},
        }
        try:
            self._calls.call("dynamodb", "PutItem", arguments, self._region)
        except Exception as failure:
            if getattr(failure, "error", "") != "ConditionalCheckFailedException":
                raise
