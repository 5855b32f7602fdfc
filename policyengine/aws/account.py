"""One account as collectors see it: operations by name, pages, failures in closed words."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from policyengine.aws.calls import CallLog
from policyengine.aws.failures import CallFailure, read_exception
from policyengine.aws.rate import Buckets
from policyengine.aws.sessions import Sessions

if TYPE_CHECKING:
    from botocore.session import Session

Json = dict[str, Any]
TOKENS = ("NextToken", "nextToken", "ContinuationToken", "continuationToken", "NextMarker", "Marker")
"""Members of requests and answers with which a listing goes on."""


class Account:
    """Calls operations of AWS in one account; safe to use from many threads.

    ``broken`` is the failure after which no call can succeed (expired credentials): every later call raises
    it at once, without asking AWS.
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
        self._clients: dict[tuple[str, str], Any] = {}
        self._offered: dict[tuple[str, str], bool] = {}
        self._lock = threading.Lock()

    def client(self, service: str, region: str) -> Any:
        """Return the client of a service in a region, made once. Raises CallFailure."""
        key = (service, region)
        found = self._clients.get(key)
        if found is None:
            with self._lock:
                found = self._clients.get(key)
                if found is None:
                    found = self._clients[key] = self._sessions.client(self._session, service, region)
        return found

    def release(self, region: str) -> None:
        """Let go of the clients of a region nobody will ask about any more."""
        with self._lock:
            for key in [key for key in self._clients if key[1] == region]:
                del self._clients[key]

    def call(self, service: str, operation: str, arguments: Mapping[str, Any], region: str) -> Json:
        """Return the answer of one operation (``DescribeVolumes``). Raises CallFailure."""
        from botocore import xform_name

        method = getattr(self.client(service, region), xform_name(operation))
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
        pages = iter(client.get_paginator(method).paginate(**arguments))
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
            if name is None or answer[name] == given.get(name):
                return
            given[name] = answer[name]

    def _ask(self, method: Any, arguments: Mapping[str, Any], key: tuple[str, str, str], service: str) -> Any:
        if self.broken is not None:
            raise self.broken
        region = key[1]
        waited = self._buckets.take(self.id, region, service)
        try:
            answer = method(**arguments)
        except Exception as problem:  # noqa: BLE001  # _failure raises what is not AWS's again
            raise self._failure(problem, key, waited) from None
        if answer is not None:
            retries = (answer.get("ResponseMetadata") or {}).get("RetryAttempts", 0)
            self.log.add(key, retries, waited)
        return answer

    def _failure(self, problem: Exception, key: tuple[str, str, str], waited: float) -> CallFailure:
        """Errors of AWS and of the way there; anything else is a mistake of ours and is raised as it is."""
        if type(problem).__module__.partition(".")[0] not in ("botocore", "urllib3"):
            raise problem
        account, region, operation = key
        response = getattr(problem, "response", None) or {}
        self.log.add(key, (response.get("ResponseMetadata") or {}).get("RetryAttempts", 0), waited)
        failure = CallFailure(operation, *read_exception(problem), account, region)
        if failure.credentials:
            self.broken = failure
        return failure

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
