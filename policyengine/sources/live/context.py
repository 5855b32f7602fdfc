"""What a collector is given: calls in one account and region, and what the rules in use need."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, Final, TypeVar

from policyengine.aws.failures import CallFailure
from policyengine.sources.live.wanted import Needs, wanted

if TYPE_CHECKING:
    from policyengine.aws.account import Account

Json = dict[str, Any]
T = TypeVar("T")
R = TypeVar("R")

WINDOW = 64
"""Calls of one task that may be under way or waiting to be read."""


class Shared:
    """What the tasks of one account and region have in common: listings that several types begin with.

    A listing is made once, by whoever asks first; the others wait for it. A listing that failed has failed
    for all of them.
    """

    def __init__(self, kept: frozenset[tuple[str, ...]]) -> None:
        self._kept = kept
        self._lock = threading.Lock()
        self._answers: dict[tuple[str, ...], tuple[threading.Lock, list[Any]]] = {}

    def listing(self, key: tuple[str, ...], make: Callable[[], Iterable[Any]]) -> Iterable[Any]:
        """Return the items of a listing; made anew where nobody else will ask for it. Raises CallFailure."""
        if key not in self._kept:
            return make()
        return self._answer(key, lambda: list(make()))

    def once(self, key: tuple[str, ...], make: Callable[[], T]) -> T:
        """Return what was made for a key, made by whoever asks first. Raises CallFailure, to each alike."""
        return self._answer(("once", *key), make)

    def _answer(self, key: tuple[str, ...], make: Callable[[], T]) -> T:
        with self._lock:
            lock, answer = self._answers.setdefault(key, (threading.Lock(), []))
        with lock:
            if not answer:
                try:
                    answer.append(make())
                except CallFailure as failure:
                    answer.append(failure)
        if isinstance(answer[0], CallFailure):
            raise answer[0]
        made: T = answer[0]
        return made


class Only:
    """The one resource of a type that is asked about: no further calls are made for the others that are listed.

    ``wanted`` is its id, its ARN, or what AWS Config calls it; ``found`` its id where that is known already, so that
    AWS may be asked for it alone. ``narrow`` False reads the others too. ``seen`` counts the account's own resources
    in the listing, whichever they are; ``matched`` are ids that AWS also calls by the wanted one.
    """

    CALLED: Final = ("DbiResourceId", "DbClusterResourceId", "RoleId", "UserId", "GroupId", "PolicyId")
    """Members of listings with ids that never change, which AWS Config takes
    (https://docs.aws.amazon.com/config/latest/developerguide/resource-config-reference.html)."""

    def __init__(
        self, type: str, place: str, wanted: str, *, found: str | None = None, narrow: bool = True
    ) -> None:
        self.type = type
        self.place = place
        self.wanted = wanted
        self.found = found
        self.narrow = narrow
        self.seen = 0
        self.matched: set[str] = set()

    def may_be(self, item: Mapping[str, Any], id: str | None, arn: str | None) -> bool:
        """Whether a listed item may be the one; ``id`` and ``arn`` where the item says them already."""
        self.seen += 1
        called = any(item.get(name) == self.wanted for name in self.CALLED)
        if called and id is not None:
            self.matched.add(id)
        if id is None or called or not self.narrow:
            return True
        return id in (self.wanted, self.found) or (
            self.wanted.startswith("arn:") and arn in (None, self.wanted)
        )

    def is_it(self, id: str, arn: str | None) -> bool:
        """Whether a resource is the one."""
        return id in (self.wanted, self.found) or arn == self.wanted or id in self.matched


class Context:
    """One task: ``place`` is the region its resources have (``global`` too), ``region`` where calls go.

    ``failures`` gathers the calls that gave no answer, ``incomplete`` the types of which resources may be
    missing, ``not_known`` (type, name) of what some resource lacks because a call failed or was not made.
    """

    def __init__(
        self,
        account: Account,
        region: str,
        place: str,
        needs: Needs,
        shared: Shared,
        calls: Executor | None = None,
        now: str | None = None,
        regions: tuple[str, ...] = (),
        only: Only | None = None,
    ) -> None:
        self.account = account
        self.region = region
        self.place = place
        self.needs = needs
        self.shared = shared
        self.now = now
        self.regions = regions
        self.only = only
        self.failures: list[CallFailure] = []
        self.incomplete: dict[str, CallFailure] = {}
        self.not_known: set[tuple[str, str]] = set()
        self._calls = calls

    @property
    def names(self) -> dict[str, str]:
        """What templates may name besides the item."""
        return {"account": self.account.id, "region": self.region, "partition": self.account.partition}

    def wants(self, type: str, names: Iterable[str], *, named: bool = False) -> bool:
        """Whether a rule reads one of these top-level properties of a type; ``named``: it must say which."""
        return wanted(self.needs, type, names, named=named)

    def call(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        region: str | None = None,
    ) -> Json:
        """Return an operation's answer. Raises CallFailure."""
        return self.account.call(service, operation, arguments or {}, region or self.region)

    def pages(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] | None = None,
        *,
        region: str | None = None,
    ) -> Iterator[Json]:
        """Yield an operation's pages. Raises CallFailure."""
        return self.account.pages(service, operation, arguments or {}, region or self.region)

    def fail(self, failure: CallFailure) -> None:
        """Remember a call that gave no answer."""
        self.failures.append(failure)
        self.account.log.fail(failure)

    def not_whole(self, type: str, failure: CallFailure) -> None:
        """Say that resources of a type may be missing here."""
        self.incomplete.setdefault(type, failure)
        self.fail(failure)

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield the results in order, several calls under way at a time, WINDOW results held at most.

        A single item waits for no thread to be started.
        """
        if self._calls is None:
            yield from map(function, items)
            return
        rest = iter(items)
        first = list(islice(rest, 2))
        if len(first) < 2:
            yield from map(function, first)
            return
        waiting: deque[Future[R]] = deque()
        try:
            for item in chain(first, rest):
                waiting.append(self._calls.submit(function, item))
                if len(waiting) >= WINDOW:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
