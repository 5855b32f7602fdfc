"""Faults of AWS, as its protocols say them, put in place of answers.

``install(faults)`` makes every botocore session of this process answer so;
``python -m tests.live.faults '[{"operation": …}]' scan --live …`` does that and runs policyengine.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

KINDS: Final = (
    "denied", "scp", "throttled", "region", "opt-in", "unavailable", "unreachable", "timeout", "malformed",
    "html", "empty", "expired",
)  # fmt: skip
_CODES: Final = {
    "denied": (403, "AccessDenied", "User is not authorized to perform this"),
    "scp": (403, "AccessDenied",
            "User: r is not authorized to perform: x:Y with an explicit deny in a service control policy"),
    "throttled": (400, "ThrottlingException", "Rate exceeded"),
    "region": (403, "UnrecognizedClientException", "The security token included in the request is invalid"),
    "opt-in": (403, "OptInRequired", "You are not subscribed to this service"),
    "unavailable": (400, "UnknownOperationException", "The service is not available here"),
    "expired": (403, "ExpiredToken", "The security token included in the request is expired"),
    "skewed": (403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large"),
}  # fmt: skip
_BODIES: Final = {"malformed": b'{"Keys": [{"x', "html": b"<html><body>Sign in</body></html>", "empty": b""}

Fault = Mapping[str, Any]
"""``operation`` (``ec2:DescribeVolumes``, the service as botocore's events call it; ``*`` for all), ``kind``, ``after`` calls that go well, ``times`` it happens, and
``contains``: only requests with this text in body, address or headers."""


class Faults:
    """The handler of botocore's event ``before-send``; ``seen`` are the operations asked for."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = [dict(fault) for fault in faults]
        self.seen: set[str] = set()
        self._counts: dict[int, int] = {}

    def __call__(self, request: Any, event_name: str = "", **_more: Any) -> Any:
        """Return the answer of a fault that is meant; None to ask the server."""
        _, service, operation = event_name.split(".")
        self.seen.add(f"{service}:{operation}")
        for number, fault in enumerate(self.faults):
            if fault["operation"] in ("*", f"{service}:{operation}") and _meant(fault, request):
                count = self._counts[number] = self._counts.get(number, 0) + 1
                after = fault.get("after", 0)
                if after < count <= after + fault.get("times", 10**9):
                    return _answer(fault["kind"], service, operation, request)
        return None


def _meant(fault: Fault, request: Any) -> bool:
    text = fault.get("contains")
    if text is None:
        return True
    body = request.body.decode() if isinstance(request.body, bytes) else str(request.body or "")
    return text in body or text in request.url or text in str(dict(request.headers))


def _answer(kind: str, service: str, operation: str, request: Any) -> Any:
    from botocore.awsrequest import AWSResponse
    from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

    if kind == "unreachable":
        raise ConnectTimeoutError(endpoint_url=request.url, error=None)
    if kind == "timeout":
        raise ReadTimeoutError(endpoint_url=request.url, error=None)
    if kind in _BODIES:
        return AWSResponse(request.url, 200, {}, _Raw(_BODIES[kind]))
    status, code, text = _CODES[kind]
    headers, body = _error(service, operation, code, text)
    return AWSResponse(request.url, status, headers, _Raw(body))


def _error(service: str, operation: str, code: str, text: str) -> tuple[dict[str, str], bytes]:
    """An error in the words of the service's protocol."""
    protocol = _protocol(service)
    if "json" in protocol:
        headers = {"x-amzn-errortype": code, "Content-Type": "application/x-amz-json-1.1"}
        return headers, json.dumps({"__type": code, "message": text}).encode()
    inner = f"<Code>{code}</Code><Message>{text}</Message>"
    if protocol == "ec2":
        return {}, f"<Response><Errors><Error>{inner}</Error></Errors></Response>".encode()
    if protocol == "rest-xml" and service == "s3":
        return {}, f"<Error>{inner}</Error>".encode()
    return {}, f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error></ErrorResponse>".encode()


_PROTOCOLS: Final[dict[str, str]] = {}


def _protocol(service: str) -> str:
    if not _PROTOCOLS:
        import botocore.session

        session = botocore.session.Session()
        for name in (
            "cloudtrail",
            "ec2",
            "iam",
            "kms",
            "organizations",
            "rds",
            "s3",
            "s3control",
            "sts",
            "cloudcontrol",
        ):
            model = session.get_service_model(name)
            _PROTOCOLS[str(model.service_id.hyphenize())] = str(model.resolved_protocol)
    return _PROTOCOLS[service]


class _Raw:
    """What urllib3 would have read."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_more: Any) -> Any:
        yield self._body


def install(faults: Faults, replace: Callable[[Any, str, Any], None] = setattr) -> None:
    """Make the sessions of policyengine answer so, and repeat failed calls without waiting.

    ``replace`` may be ``monkeypatch.setattr``.
    """
    import botocore.endpoint

    from policyengine.aws import sessions

    plain = sessions.Sessions._session

    def session(self: Any, profile: str | None = None) -> Any:
        made = plain(self, profile)
        made.register("before-send", faults)
        return made

    replace(sessions.Sessions, "_session", session)
    replace(sessions, "_ATTEMPTS", 2)

    class _Clock:
        sleep = staticmethod(lambda _seconds: None)

    replace(botocore.endpoint, "time", _Clock)


def main(faults: str, *arguments: str) -> int:
    """Run policyengine with faults."""
    install(Faults(json.loads(faults)))
    from policyengine.cli import main as command

    sys.argv = ["policyengine", *arguments]
    command.main()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
