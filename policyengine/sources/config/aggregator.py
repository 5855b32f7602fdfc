"""What a configuration aggregator holds: resources found by a query, their items fetched a hundred at a time.

The items of BatchGetAggregateResourceConfig have neither tags nor relationships, so the query asks for those
(https://docs.aws.amazon.com/config/latest/APIReference/API_BatchGetAggregateResourceConfig.html).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.sources.config.item import decode
from policyengine.sources.config.table import all_declared

if TYPE_CHECKING:
    from policyengine.aws.account import Account

Json = dict[str, Any]
BATCH: Final = 100
"""Identifiers in one call (botocore's model: ResourceIdentifiersList)."""
MAX_EXPRESSION: Final = 4096
_TRIES: Final = 3
_SELECT: Final = (
    "SELECT resourceId, resourceType, resourceName, accountId, awsRegion, tags, relationships "
    "WHERE resourceType IN ({})"
)
_BESIDE: Final = ("tags", "relationships")


def recorded_names(types: Iterable[str], known: frozenset[str]) -> tuple[str, ...]:
    """Return AWS Config's names of canonical types, sorted; only those it records (``known``)."""
    names = {name.partition("/")[0]: declared for name, declared in all_declared().items()}
    canonical: dict[str, set[str]] = {}
    for name, declared in all_declared().items():
        canonical.setdefault(declared.type, set()).add(name.partition("/")[0])
    found: set[str] = set()
    for type in types:
        found |= canonical.get(type, {type} if type not in names else set())
    return tuple(sorted(found & known))


def expressions(names: Iterable[str]) -> Iterator[str]:
    """Yield queries for types, as few as the longest expression allows."""
    room = MAX_EXPRESSION - len(_SELECT)
    held: list[str] = []
    for name in names:
        if sum(len(one) + 4 for one in held) + len(name) + 4 > room:
            yield _SELECT.format(", ".join(held))
            held = []
        held.append(f"'{name}'")
    if held:
        yield _SELECT.format(", ".join(held))


class Aggregator:
    """One aggregator; ``failures`` are calls that gave no answer, ``missed`` resources that were never given."""

    def __init__(self, account: Account, region: str, name: str) -> None:
        self.failures: list[CallFailure] = []
        self.missed = 0
        self._account = account
        self._region = region
        self._name = {"ConfigurationAggregatorName": name}

    def known(self) -> frozenset[str]:
        """Return the types that AWS Config knows, by botocore's model."""
        model = self._account.client("config", self._region).meta.service_model
        return frozenset(model.shape_for("ResourceType").enum)

    def items(self, names: Iterable[str]) -> Iterator[Json]:
        """Yield the items of types. Raises CallFailure when the first query gives no answer."""
        for number, expression in enumerate(expressions(names)):
            try:
                found = self._select(expression)
                while chunk := list(islice(found, BATCH)):
                    yield from self._fetch(chunk)
            except CallFailure as failure:
                if number == 0 and not self.failures:
                    raise
                self.failures.append(failure)

    def _select(self, expression: str) -> Iterator[Json]:
        arguments = {**self._name, "Expression": expression}
        for page in self._account.pages("config", "SelectAggregateResourceConfig", arguments, self._region):
            for text in page.get("Results", ()):
                found = decode(text)
                if isinstance(found, dict) and isinstance(found.get("resourceId"), str):
                    yield found

    def _fetch(self, found: list[Json]) -> Iterator[Json]:
        """Ask again for what was left unprocessed, three times at most."""
        beside = {_key(one): {name: one.get(name) for name in _BESIDE} for one in found}
        waiting = [_identifier(one) for one in found]
        for _ in range(_TRIES):
            if not waiting:
                return
            arguments = {**self._name, "ResourceIdentifiers": waiting}
            try:
                answer = self._account.call(
                    "config", "BatchGetAggregateResourceConfig", arguments, self._region
                )
            except CallFailure as failure:
                self.failures.append(failure)
                break
            for item in answer.get("BaseConfigurationItems", ()):
                yield {**item, **beside.get(_key(item), {})}
            waiting = answer.get("UnprocessedResourceIdentifiers") or []
        self.missed += len(waiting)


def _identifier(found: Json) -> Json:
    return {
        "SourceAccountId": found["accountId"],
        "SourceRegion": found["awsRegion"],
        "ResourceId": found["resourceId"],
        "ResourceType": found["resourceType"],
    }


def _key(found: Json) -> tuple[Any, ...]:
    return tuple(found.get(name) for name in ("accountId", "awsRegion", "resourceType", "resourceId"))


def write(items: Iterable[Json], put: Callable[[bytes], Any]) -> int:
    """Write items as a file of AWS Config has them; return how many."""
    number = 0
    put(b'{"configurationItems":[')
    for item in items:
        text = json.dumps(item, default=_moment, separators=(",", ":"))
        put((b",\n" if number else b"\n") + text.encode())
        number += 1
    put(b"\n]}\n")
    return number


def _moment(value: Any) -> str:
    """boto3 gives times as datetimes."""
    return str(value.isoformat())
