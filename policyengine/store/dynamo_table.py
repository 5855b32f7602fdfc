"""The DynamoDB table of remediations: what is where in it, and how one calls it.

On-demand, keys ``pk`` and ``sk`` (texts), no secondary index: an index answers with what was a moment ago, and what is asked
here (is anything under way, how often was this repaired today) has to see the write just made. Every read is strongly
consistent. ``doc`` is a record as JSON text in ASCII; what conditions and filters compare is repeated beside it.

==========================  ================================  ==========================================================
``pk``                      ``sk``                            attributes
==========================  ================================  ==========================================================
``resource#RESOURCE``       ``action#ID``                     ``doc``, ``version`` N, ``state``, ``rule``, ``key``, ``updated``
``resource#RESOURCE``       ``lease``                         ``owner`` (none: given back), ``fence`` N, ``until`` N
``action#ID``               ``action``                        ``resource``: where the action is
``open``                    ``ID``                            ``resource``, of each action that has not ended
``moved``                   ``UPDATED#ID#VERSION``            ``resource``, ``state``, ``version`` N, of each write
``key#KEY``                 ``key``                           ``action``, ``resource``, ``until`` N
``count#NAME``              ``count``                         ``amount`` N, ``until`` N, ``ttl`` N
``flag#NAME``               ``flag``                          ``doc``
``journal``                 ``head``                          ``seq`` N, ``hash``, ``format`` N
``journal#PART``            ``SEQ``                           the members of an Entry, ``body`` as JSON text
==========================  ================================  ==========================================================

``UPDATED`` is the time in UTC with microseconds, ``VERSION`` has 9 digits, ``SEQ`` 12, ``PART`` is ``SEQ`` in millions. A
name of more than 900 bytes stands in a key as ``sha256:`` and its hash. ``verdict#…`` are ``store/verdicts.py``'s.

Nothing depends on an item being gone: ``ttl`` is only on what is read as gone by itself a day before.
"""

from __future__ import annotations

import hashlib
import math
import os
import random
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from policyengine.aws.account import Account
from policyengine.aws.failures import CallFailure
from policyengine.store.actions import StoreError, UnfitError

Json = dict[str, Any]
Item = dict[str, dict[str, str]]
"""Attributes as DynamoDB's interface has them: ``{"pk": {"S": "…"}, "until": {"N": "1"}}``."""

TTL_ATTRIBUTE: Final = "ttl"
TABLE: Final[Mapping[str, Any]] = {
    "KeySchema": [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ],
    "AttributeDefinitions": [
        {"AttributeName": "pk", "AttributeType": "S"},
        {"AttributeName": "sk", "AttributeType": "S"},
    ],
    "BillingMode": "PAY_PER_REQUEST",
}
"""What CreateTable and ``AWS::DynamoDB::Table`` take alike, but for the name; time to live is on :data:`TTL_ATTRIBUTE`."""
ACTIONS: Final = (
    "dynamodb:BatchGetItem", "dynamodb:ConditionCheckItem", "dynamodb:DeleteItem", "dynamodb:GetItem",
    "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
)  # fmt: skip
"""IAM actions on the table that a store needs; those of its transactions are the ones of their parts
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html)."""

MOST_BYTES: Final = 400_000
"""Of 409,600 that an item may have with the names of its attributes
(https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html)."""
MOST_ITEMS: Final = 100
NEW: Final = "attribute_not_exists(#pk)"
"""The condition that an item is not there."""
_MOST_IN_ALL: Final = 4_000_000
_LONGEST: Final = 900
_PATIENCE: Final = 30.0
_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 1.0
_AGAIN: Final = frozenset(
    {
        "TransactionConflictException", "TransactionInProgressException", "ProvisionedThroughputExceededException",
        "ThrottlingException", "RequestLimitExceeded", "InternalServerError",
    }
)  # fmt: skip

_PASSING: Final = (
    "ConditionalCheckFailed", "TransactionConflict", "ProvisionedThroughputExceeded", "ThrottlingError", "RequestLimitExceeded",
)  # fmt: skip
"""Reasons of a cancelled transaction that may be others at the next attempt
(https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html); AWS names one for each part in its
message, ``[None, ConditionalCheckFailed]``."""


class Cancelled(Exception):
    """A transaction of which nothing was written: a condition did not hold, or another was quicker."""


def text(value: str) -> dict[str, str]:
    """Return a text as an attribute."""
    return {"S": value}


def number(value: float) -> dict[str, str]:
    """Return a number as an attribute; DynamoDB keeps 38 digits, which is more than a float has."""
    if not math.isfinite(value):
        raise UnfitError(f"{value} is no number that can be kept, and nothing was written")
    return {"N": repr(value)}


def in_key(name: str) -> str:
    """Return a name as it stands in a key, which has room for 1024 bytes (2048 in a partition's)."""
    try:
        encoded = name.encode()
    except UnicodeEncodeError:
        raise UnfitError("a name with a lone surrogate cannot be kept, and nothing was written") from None
    return name if len(encoded) <= _LONGEST else f"sha256:{hashlib.sha256(encoded).hexdigest()}"


def key(pk: str, sk: str) -> Item:
    """Return the key of an item."""
    return {"pk": text(pk), "sk": text(sk)}


def number_in(item: Item, name: str) -> float:
    """Return a number of an item; whole ones as int."""
    written = item[name]["N"]
    return int(written) if written.lstrip("-").isdigit() else float(written)


def check_size(item: Item, what: str, most: int = MOST_BYTES) -> None:
    """Raise UnfitError for an item with too many bytes."""
    size = sum(
        len(name) + sum(len(value.encode("utf-8", "surrogatepass")) for value in attribute.values())
        for name, attribute in item.items()
    )
    if size > most:
        raise UnfitError(
            f"{what} has {size:,} bytes, of which DynamoDB keeps at most {most:,} here; nothing was written"
        )


def attempts() -> Iterator[None]:
    """Yield at once, and again after random pauses that grow, as long as somebody may wait."""
    end = time.monotonic() + _PATIENCE
    pause = _PAUSE
    while True:
        yield
        wait = random.uniform(0, pause)  # noqa: S311  # jitter
        if time.monotonic() + wait > end:
            return
        time.sleep(wait)
        pause = min(pause * 2, _LONGEST_PAUSE)


class Table:
    """Calls of one table. Every method raises StoreError; what is not said to be written may have been."""

    def __init__(self, account: Account, name: str, region: str) -> None:
        self.name = name
        self.region = region
        self._account = account

    def __str__(self) -> str:
        return f"the table `{self.name}` in {self.region}"

    def busy(self, why: object) -> StoreError:
        """Return the error after the last attempt."""
        return StoreError(f"{self} was too busy for {_PATIENCE:g} seconds, and nothing was written: {why}")

    # -- reading ------------------------------------------------------------------------------------------

    def get(self, pk: str, sk: str) -> Item | None:
        """Return an item."""
        found: Item | None = self._call("GetItem", {"Key": key(pk, sk), "ConsistentRead": True}).get("Item")
        return found

    def get_all(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Item]:
        """Return the items that there are of these, by key."""
        waiting = [key(*each) for each in dict.fromkeys(keys)]
        found: dict[tuple[str, str], Item] = {}
        tries = attempts()
        while waiting:
            now, later = waiting[:MOST_ITEMS], waiting[MOST_ITEMS:]
            asked = {self.name: {"Keys": now, "ConsistentRead": True}}
            answer = self._call("BatchGetItem", {"RequestItems": asked}, table=False)
            for item in answer.get("Responses", {}).get(self.name, ()):
                found[item["pk"]["S"], item["sk"]["S"]] = item
            left = answer.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", [])
            if len(left) == len(now) and next(tries, tries) is tries:
                raise self.busy("it answers none of the keys it is asked for")
            waiting = left + later
        return found

    def query(self, condition: str, values: Mapping[str, Any], **more: Any) -> Iterator[Item]:
        """Yield the items of a partition, page by page."""
        arguments = {"KeyConditionExpression": condition, "ConsistentRead": True, **more}
        arguments = self._named(arguments, values)
        while True:
            page = self._call("Query", arguments)
            yield from page.get("Items", ())
            if not page.get("LastEvaluatedKey"):
                return
            arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    # -- writing ------------------------------------------------------------------------------------------

    def update(self, item: Item, values: Mapping[str, Any], update: str, condition: str) -> Item | None:
        """Change one item and return it; None where the condition does not hold."""
        given = {"Key": item, "UpdateExpression": update, "ConditionExpression": condition}
        arguments = self._named({**given, "ReturnValues": "ALL_NEW"}, values)
        try:
            changed: Item = self._call("UpdateItem", arguments)["Attributes"]
        except Cancelled:
            return None
        return changed

    def put(self, item: Item, condition: str = "", values: Mapping[str, Any] | None = None) -> Json:
        """Return a transaction's part that writes an item."""
        return {"Put": self._part({"Item": item}, condition, values)}

    def change(self, item: Item, update: str, condition: str, values: Mapping[str, Any]) -> Json:
        """Return a transaction's part that changes an item."""
        return {"Update": self._part({"Key": item, "UpdateExpression": update}, condition, values)}

    def check(self, item: Item, condition: str, values: Mapping[str, Any]) -> Json:
        """Return a transaction's part that only asks."""
        return {"ConditionCheck": self._part({"Key": item}, condition, values)}

    def delete(self, item: Item) -> Json:
        """Return a transaction's part that takes an item away, if it is there."""
        return {"Delete": self._part({"Key": item}, "", None)}

    def transact(self, parts: list[Json]) -> None:
        """Write all parts or none. Raises Cancelled where nothing was written and it may be tried anew.

        The token makes a request that is repeated because its answer was lost one request, for 10 minutes
        (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).
        """
        if len(parts) > MOST_ITEMS:
            raise UnfitError(
                f"{len(parts)} items would have to be written at once, at most {MOST_ITEMS} can be; nothing was"
            )
        if len(repr(parts)) > _MOST_IN_ALL:
            raise UnfitError(f"more than {_MOST_IN_ALL:,} bytes cannot be written at once; nothing was")
        given = {"TransactItems": parts, "ClientRequestToken": os.urandom(16).hex()}
        self._call("TransactWriteItems", given, table=False)

    # -- calls --------------------------------------------------------------------------------------------

    def _part(self, given: Json, condition: str, values: Mapping[str, Any] | None) -> Json:
        if condition:
            given["ConditionExpression"] = condition
        return self._named({"TableName": self.name, **given}, values or {})

    def _named(self, arguments: Json, values: Mapping[str, Any]) -> Json:
        """Many attributes are called as words that DynamoDB reserves: all are named by ``#``."""
        said = " ".join(value for name, value in arguments.items() if name.endswith("Expression"))
        names = {f"#{name}": name for name in re.findall(r"#(\w+)", said)}
        given = {f":{name}": value for name, value in values.items()}
        return {
            **arguments,
            **({"ExpressionAttributeNames": names} if names else {}),
            **({"ExpressionAttributeValues": given} if given else {}),
        }

    def _call(self, operation: str, arguments: Json, *, table: bool = True) -> Json:
        """Conflicts with transactions under way and throttling are waited out, with the same request."""
        given = {"TableName": self.name, **arguments} if table else arguments
        problem = None
        for _ in attempts():
            try:
                return self._account.call("dynamodb", operation, given, self.region)
            except CallFailure as failure:
                problem = failure
                if failure.error not in _AGAIN:
                    raise self._meaning(failure) from None
        raise self.busy(problem)

    def _meaning(self, failure: CallFailure) -> Exception:
        if failure.error == "ConditionalCheckFailedException":
            return Cancelled(failure.text)
        if failure.error == "TransactionCanceledException" and _may_pass(failure.text):
            return Cancelled(failure.text)
        if failure.error == "ResourceNotFoundException":
            return StoreError(f"{self} does not exist: deploy it, or name another")
        return StoreError(f"{self} cannot be read or written: {failure}")


def _may_pass(reasons: str) -> bool:
    """Also where the list of reasons was cut off: what was not seen is asked for again."""
    return "]" not in reasons or any(reason in reasons for reason in _PASSING)
