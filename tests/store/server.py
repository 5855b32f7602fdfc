"""moto's DynamoDB over HTTP in a process of its own, with what moto lacks and the store relies on.

``python -m tests.store.server PORT``. moto answers in many threads without a lock and puts a whole table back when a
transaction is cancelled, so that another's write may vanish: here one request is answered at a time. It does not know
``ClientRequestToken``: here a request with a token that was carried out is answered as done, without doing it again
(https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html).

``POST /faults {"lost": n, "conflict": n, "throttled": n}``: so many of the next writes are carried out but answered with an
internal error, are rejected as in conflict with another transaction (in the words of the operation), or are throttled.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

Start = Callable[..., Any]
_ERRORS = {
    "lost": (500, "InternalServerError", "Internal server error"),
    "throttled": (400, "ThrottlingException", "Rate exceeded"),
    "ongoing": (
        400,
        "TransactionConflictException",
        "Operation was rejected because there is an ongoing transaction for the item.",
    ),
    "conflict": (
        400,
        "TransactionCanceledException",
        "Transaction cancelled, please refer cancellation reasons for specific reasons [None, TransactionConflict]",
    ),
}


class OneAtATime:
    """A WSGI application before moto's."""

    def __init__(self, app: Callable[..., Iterable[bytes]]) -> None:
        self.app = app
        self.lock = threading.Lock()
        self.done: set[str] = set()
        self.faults: dict[str, int] = {}

    def __call__(self, environ: dict[str, Any], start: Start) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = BytesIO(body)
        if environ["PATH_INFO"] == "/faults":
            self.faults = json.loads(body)
            return self._answer(start, 200, {})
        operation = environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[2]
        if operation not in ("TransactWriteItems", "UpdateItem"):
            with self.lock:
                return list(self.app(environ, start))
        with self.lock:
            return self._write(environ, start, json.loads(body))

    def _write(self, environ: dict[str, Any], start: Start, request: dict[str, Any]) -> Iterable[bytes]:
        token = request.get("ClientRequestToken")
        if token in self.done:
            return self._answer(start, 200, {})
        fault = next((name for name, left in self.faults.items() if left > 0), "")
        if fault:
            self.faults[fault] -= 1
        if fault in ("conflict", "throttled"):
            return self._error(start, "ongoing" if fault == "conflict" and token is None else fault)
        status: list[str] = []

        def kept(line: str, *more: Any) -> None:
            status.append(line)
            if fault != "lost":
                start(line, *more)

        answer = list(self.app(environ, kept))
        if token is not None and status[0].startswith("200"):
            self.done.add(token)
        return self._error(start, fault) if fault == "lost" else answer

    def _error(self, start: Start, fault: str) -> Iterable[bytes]:
        status, code, text = _ERRORS[fault]
        return self._answer(start, status, {"__type": code, "message": text})

    def _answer(self, start: Start, status: int, body: Any) -> Iterable[bytes]:
        start(f"{status} .", [("Content-Type", "application/x-amz-json-1.0")])
        return [json.dumps(body).encode()]


def main(port: int) -> None:
    """Serve until the process is ended."""
    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import run_simple

    app = OneAtATime(DomainDispatcherApplication(create_backend_app))
    run_simple("127.0.0.1", port, app, threaded=True, request_handler=MotoRequestHandler)


if __name__ == "__main__":
    main(int(sys.argv[1]))
