"""Calls of AWS as a remediation: reads it declares, and writes it declares, each made once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from policyengine.aws.account import Account
from policyengine.aws.failures import CallFailure, is_throttle
from policyengine.remediate.accounts import Doors, Opened
from policyengine.remediate.api import Call, Json, Reader, Refused
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.ports import CallFailed, Made

_NONE: Final[Mapping[str, Any]] = {}


class LiveHands:
    """Implements :class:`policyengine.remediate.ports.Hands`. Safe to use from many threads."""

    def __init__(self, doors: Doors, declarations: Mapping[str, Declaration]) -> None:
        self._doors = doors
        self._declarations = declarations

    def reader(self, handler: str, account: str, region: str) -> Reader:
        """Return a reader that knows the operations a remediation declares, and no others."""
        return _Reader(self._opened(handler, account).account, region, self._declaration(handler))

    def make(self, handler: str, call: Call, account: str, region: str) -> Made:
        """Make one declared, mutating call, once. Raises CallFailed, Refused."""
        _declared(call.name, self._declaration(handler).writes, handler, "writes")
        opened = self._opened(handler, account).account
        try:
            answer = opened.call_once(call.service, call.operation, call.arguments, call.region or region)
        except CallFailure as failure:
            raise CallFailed(
                call.name, failure.error, failure.text, failure.request_id, certain=failure.certain,
                throttled=failure.certain and is_throttle(failure.error),
            ) from None  # fmt: skip
        about = answer.pop("ResponseMetadata", None) or {}
        return Made(_plain(answer), str(about.get("RequestId") or ""))

    def principal(self, handler: str, account: str) -> str:
        """Return the ARN the calls are made as. Raises Refused."""
        return self._opened(handler, account).principal

    def _opened(self, handler: str, account: str) -> Opened:
        return self._doors.open(self._declaration(handler).id, account)

    def _declaration(self, handler: str) -> Declaration:
        found = self._declarations.get(handler)
        if found is None:
            raise AssertionError(f"there is no remediation `{handler}`")
        return found


def _declared(name: str, operations: Sequence[str], handler: str, where: str) -> None:
    """INVARIANT: what a handler does not declare is never called; its role would not be allowed to anyway."""
    if name not in operations:
        raise AssertionError(f"the handler `{handler}` calls {name}, which is not among its `{where}`")


class _Reader:
    """Implements :class:`policyengine.remediate.api.Reader`."""

    def __init__(self, account: Account, region: str, declaration: Declaration) -> None:
        self._account = account
        self._region = region
        self._declaration = declaration

    def call(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] = _NONE,
        *,
        none: Sequence[str] = (),
        region: str = "",
    ) -> Json | None:
        """See :meth:`policyengine.remediate.api.Reader.call`."""
        self._check(service, operation)
        try:
            answer = self._account.call(service, operation, arguments, region or self._region)
        except CallFailure as failure:
            if failure.is_one_of(none):
                return None
            raise _not_known(failure) from None
        return _answer(answer)

    def all(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] = _NONE,
        *,
        result: str,
        region: str = "",
    ) -> list[Any]:
        """See :meth:`policyengine.remediate.api.Reader.all`."""
        self._check(service, operation)
        found: list[Any] = []
        try:
            for page in self._account.pages(service, operation, arguments, region or self._region):
                found += _items(_answer(page), result.split("."))
        except CallFailure as failure:
            raise _not_known(failure) from None
        return found

    def _check(self, service: str, operation: str) -> None:
        _declared(f"{service}:{operation}", self._declaration.reads, self._declaration.id, "reads")


def _not_known(failure: CallFailure) -> Refused:
    return Refused("not_known", f"{failure} ({failure.account} {failure.region})")


def _answer(answer: Mapping[str, Any]) -> Json:
    found: Json = _plain({name: value for name, value in answer.items() if name != "ResponseMetadata"})
    return found


def _items(value: Any, steps: Sequence[str]) -> list[Any]:
    """Return what stands at a dotted path, lists stepped through; [] where nothing does."""
    for index, step in enumerate(steps):
        if isinstance(value, list):
            return [item for each in value for item in _items(each, steps[index:])]
        value = value.get(step) if isinstance(value, Mapping) else None
        if value is None:
            return []
    return value if isinstance(value, list) else [value]


def _plain(value: Any) -> Any:
    """Return an answer as plain JSON: times in ISO 8601, the bodies that AWS streams as text."""
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "backslashreplace")
    if hasattr(value, "read"):
        return _plain(value.read())
    return value
