"""What the kernel needs of the world: to see one resource and judge it, to read, and to make a call."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from policyengine.model.finding import Finding
from policyengine.model.resource import Resource
from policyengine.remediate.api import Call, Reader

Json = dict[str, Any]


class Subject(NamedTuple):
    """Which resource, by which rule. ``id`` is the physical id, ARN, or what AWS Config calls it (``DbiResourceId``);
    ``region`` is ``global`` for global types."""

    rule: str
    type: str
    id: str
    account: str
    region: str


class Observation(NamedTuple):
    """A resource as just read, and one rule's finding on it. ``resource`` None: a whole listing shows that it does
    not exist; then there is no finding. ``population`` is how many of its type there are in the account and region;
    ``region`` where calls about it go, ``partition`` the account's."""

    resource: Resource | None
    finding: Finding | None
    population: int
    region: str
    partition: str


class Observer(Protocol):
    """Reads live, with the collectors a scan uses, and judges with the engine a scan uses."""

    def observe(self, subject: Subject) -> Observation:
        """Return what is there now. Raises Refused: ``unknown_target`` for a rule, type, account or region that cannot
        be, ``not_known`` where the listing failed. A failed detail is in the finding, which then is UNKNOWN."""
        ...


class Made(NamedTuple):
    """A call that AWS answered, without ``ResponseMetadata``."""

    answer: Json
    request_id: str


class CallFailed(Exception):
    """A call that failed. ``certain``: AWS answered that it did not do it; otherwise (a time-out, a broken connection,
    an internal error) nobody knows, and what is there has to be read again. ``throttled``: it may be repeated."""

    def __init__(
        self, name: str, error: str, text: str, request_id: str, *, certain: bool, throttled: bool
    ) -> None:
        super().__init__(f"{name}: {error}{f': {text}' if text else ''}")
        self.name = name
        self.error = error
        self.text = text
        self.request_id = request_id
        self.certain = certain
        self.throttled = throttled


class Hands(Protocol):
    """Calls of AWS in the account of a resource, under the remediation's own role where there is one."""

    def reader(self, handler: str, account: str, region: str) -> Reader:
        """Return a reader that knows the operations a remediation declares, and no others."""
        ...

    def make(self, handler: str, call: Call, account: str, region: str) -> Made:
        """Make one declared, mutating call, once: nothing below repeats it. Raises CallFailed, Refused."""
        ...

    def principal(self, handler: str, account: str) -> str:
        """Return the ARN the calls are made as, for the journal."""
        ...


class Waiter(Protocol):
    """How time passes: tests and Lambdas wait in other ways."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def wait(self, seconds: float) -> bool:
        """Wait; False where there is no time left, so that somebody else has to go on later."""
        ...
