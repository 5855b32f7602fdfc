"""One account as collectors see it: operations by name, pages, failures in closed words."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from policyengine.aws.calls import CallLog
from policyengine.aws.failures import (
    REGIONAL,
    CallFailure,
    is_call_failure,
    read_exception,
    was_refused,
)
from policyengine.aws.rate import Buckets
from policyengine.aws.regions import HOME
from policyengine.aws.sessions import Sessions

if TYPE_CHECKING:
    from botocore.session import Session

Json = dict[str, Any]
TOKENS = ("NextToken", "nextToken", "ContinuationToken", "continuationToken", "NextMarker", "Marker")
"""Members of requests and answers with which a listing goes on."""
_TRIES: Final = 2
"""Calls, each with its repetitions, after which an endpoint that does not answer is asked no more."""


class Account:
    """Calls operations of AWS in one account; safe to use from many threads.

    ``broken`` is the failure after which no call can succeed (expired credentials): every later call raises
    it at once, without asking AWS. So do later calls to a region that refuses these credentials, and to an
    endpoint that could not be reached a few times.
    """

    def __init__(
        self,
        sessions: Sessions,
        session: Session,
        account: str,
        partition: str,
        *,
        log: CallLog,
        buckets: Buckets,
    ) -> None:
        self.id = account
        self.partition = partition
        self.log = log
        self.broken: CallFailure | None = None
        self._sessions = sessions
        self._session = session
        self._buckets = buckets
        self._clients: dict[tuple[str, str, bool], Any] = {}
        self._paginators: dict[tuple[str, str, str], Any] = {}
        self._offered: dict[tuple[str, str], bool] = {}
        self._refused: dict[str, CallFailure] = {}
        self._unreachable: dict[tuple[str, str], list[CallFailure]] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str, *, once: bool = False) -> Any:
        """Return the client of a service in a region, made once; ``once``: one that repeats no call. Raises CallFailure."""
        key = (service, region, once)
        found = self._clients.get(key)
        if found is None:
            with self._lock:
                found = self._clients.get(key)
                if found is None:
                    made = self._sessions.client(self._session, service, region, once=once)
                    found = self._clients[key] = made
        return found

    def forget_failures(self) -> None:
        """Ask again where nobody answered or a region refused: a process that lives long outlives an outage."""
        self._unreachable.clear()
        self._refused.clear()

    def release(self, region: str) -> None:
        """Let go of the clients of a region nobody will ask about any more."""
        with self._lock:
            gone = [key for key in self._clients if key[1] == region]
            for key in gone:
                del self._clients[key]
            for known in list(self._paginators):
                if known[1] == region:
                    self._paginators.pop(known, None)
        self._sessions.released(len(gone))

    def call(self, service: str, operation: str, arguments: Mapping[str, Any], region: str) -> Json:
        """Return the answer of one operation (``DescribeVolumes``). Raises CallFailure."""
        from botocore import xform_name

        method = getattr(self.client(service, region), xform_name(operation))
        answer: Json = self._ask(method, arguments, (self.id, region, f"{service}:{operation}"), service)
        return answer

    def call_once(self, service: str, operation: str, arguments: Mapping[str, Any], region: str) -> Json:
        """Return the answer of an operation that changes something; it is asked for at most once. Raises CallFailure."""
        from botocore import xform_name

        method = getattr(self.client(service, region, once=True), xform_name(operation))
        answer: Json = self._ask(method, arguments, (self.id, region, f"{service}:{operation}"), service)
        return answer

    def pages(
        self, service: str, operation: str, arguments: Mapping[str, Any], region: str
    ) -> Iterator[Json]:
        """Yield the pages of an operation, or its one answer where it has none. Raises CallFailure."""
        from botocore import xform_name

        client = self.client(service, region)
        method = xform_name(operation)
        if not client.can_paginate(method):
            yield from self._by_token(service, operation, arguments, region)
            return
        paginator = self._paginators.get((service, region, method))
        if paginator is None:  # botocore makes a class of its own for each
            paginator = self._paginators[service, region, method] = client.get_paginator(method)
        pages = iter(paginator.paginate(**arguments))
        key = (self.id, region, f"{service}:{operation}")
        while True:
            page = self._ask(lambda: next(pages, None), {}, key, service)
            if page is None:
                return
            yield page

    def _by_token(
        self, service: str, operation: str, arguments: Mapping[str, Any], region: str
    ) -> Iterator[Json]:
        """Pages of an operation for which botocore has no paginator, though it has a token to go on with."""
        model = self.client(service, region).meta.service_model.operation_model(operation)
        takes = model.input_shape.members if model.input_shape is not None else {}
        given = dict(arguments)
        while True:
            answer = self.call(service, operation, given, region)
            yield answer
            name = next((name for name in TOKENS if name in takes and answer.get(name)), None)
            if name is None:
                return
            if answer[name] == given.get(name):
                text = f"`{name}` leads to the same page again"
                raise CallFailure(
                    f"{service}:{operation}", "read_error", "MalformedAnswer", text, self.id, region
                )
            given[name] = answer[name]

    def _ask(self, method: Any, arguments: Mapping[str, Any], key: tuple[str, str, str], service: str) -> Any:
        region = key[1]
        known = self._hopeless(service, region)
        if known is not None:
            text = f"not tried since {known.operation} failed so: {known.text}"
            raise CallFailure(key[2], known.reason, known.error, text, self.id, region, certain=True)
        waited = self._buckets.take(self.id, region, service)
        try:
            answer = method(**arguments)
        except Exception as problem:  # noqa: BLE001  # _failure raises what is not AWS's again
            raise self._failure(problem, key, waited) from None
        if answer is None:  # there was no further page to ask for
            self._buckets.give_back(self.id, region, service)
        else:
            self._unreachable.pop((service, region), None)
            self.log.answered(key, answer, waited)
        return answer

    def _failure(self, problem: Exception, key: tuple[str, str, str], waited: float) -> CallFailure:
        """Errors of AWS and of the way there; anything else is a mistake of ours and is raised as it is."""
        account, region, operation = key
        if not is_call_failure(problem):
            raise problem
        reading = read_exception(problem)
        response = getattr(problem, "response", None) or {}
        failure = CallFailure(
            operation, reading.reason, reading.error, reading.text, account, region,
            request_id=str((response.get("ResponseMetadata") or {}).get("RequestId") or ""),
            certain=was_refused(problem),
        )  # fmt: skip
        self.log.answered(key, response, waited, reading.error)
        self._remember(failure, operation.partition(":")[0], region)
        return failure

    def _hopeless(self, service: str, region: str) -> CallFailure | None:
        """Return why a call need not be tried."""
        unreachable = self._unreachable.get((service, region), ())
        if len(unreachable) >= _TRIES:
            return unreachable[0]
        return self.broken or self._refused.get(region)

    def _remember(self, failure: CallFailure, service: str, region: str) -> None:
        if failure.error in REGIONAL and region != HOME.get(self.partition):
            self._refused[region] = failure
        elif failure.credentials:
            self.broken = failure
        elif failure.unreachable:
            self._unreachable.setdefault((service, region), []).append(failure)

    def forgive(self) -> None:
        """Try again what was given up: in a process that goes on for hours, what was out of reach may be back."""
        self.broken = None
        self._refused.clear()
        self._unreachable.clear()

    def output_shape(self, service: str, operation: str, region: str) -> Any:
        """Return botocore's shape of an operation's answer."""
        return self.client(service, region).meta.service_model.operation_model(operation).output_shape

    def offers(self, service: str, region: str) -> bool:
        """Say whether AWS offers a service in a region.

        False only where two sources agree: botocore's endpoint data name other regions for it and not this one,
        and its endpoint here has no address. The data lag behind AWS, and a name server may fail: either alone
        says nothing.
        """
        known = self._offered.get((service, region))
        if known is None:
            known = self._offered[service, region] = self._is_offered(service, region)
        return known

    def _is_offered(self, service: str, region: str) -> bool:
        listed = self._session.get_available_regions(service, self.partition)
        if not listed or region in listed:
            return True
        host = urlsplit(self.client(service, region).meta.endpoint_url).hostname
        try:
            return host is None or bool(socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM))
        except socket.gaierror as problem:
            return problem.errno != socket.EAI_NONAME
