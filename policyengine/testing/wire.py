"""Between botocore and the moto server: what was asked is recorded, calls fail on purpose, and stubs answer what moto
lacks. Stubs are held against botocore's models, so that no test rests on a field AWS does not have."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from policyengine.aws.sessions import Sessions

Json = dict[str, Any]
FAULTS: Final = ("refused", "unavailable", "lost")
"""``refused``: AWS says no. ``unavailable``: an internal error, and nothing was done. ``lost``: it was done, and the
answer never came."""
_REFUSAL: Final = {"Code": "AccessDenied", "Message": "injected: not authorized"}
_INTERNAL: Final = {"Code": "InternalError", "Message": "injected: an internal error"}


class AwsError(Exception):
    """What a stub raises to answer with an error of AWS."""

    def __init__(self, code: str, message: str = "", status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status


class Recorded(NamedTuple):
    """One request: ``ec2:DescribeVolumes`` with its arguments as given to botocore."""

    name: str
    arguments: Json


class Wire:
    """What all sessions of a bench share: ``stubs`` by operation, those that were asked, botocore's loader."""

    def __init__(self) -> None:
        self.stubs: dict[str, Callable[[Json], Json]] = {}
        self.stubbed: set[str] = set()
        self.loader: Any = None


class BenchSessions(Sessions):
    """Sessions whose requests are recorded in ``calls`` and may fail on purpose."""

    def __init__(self, wire: Wire, is_change: Callable[[str], bool]) -> None:
        self.calls: list[Recorded] = []
        self.fault: tuple[int, str] | None = None
        self._wire = wire
        self._is_change = is_change
        self._changes = 0
        super().__init__(agent="policyengine/bench")

    def arm(self, which: int, kind: str) -> None:
        """Make the ``which``-th changing call from now (from 0) fail."""
        assert kind in FAULTS
        self.fault, self._changes = (which, kind), 0

    def disarm(self) -> bool:
        """Let calls go well again; says whether the fault happened."""
        happened = self.fault is not None and self._changes > self.fault[0]
        self.fault = None
        return happened

    def _session(self, profile: str | None = None) -> Any:
        self._loader = self._loader or self._wire.loader
        made = super()._session(profile)
        self._wire.loader = self._loader  # reading the models takes most of a short test's time
        listen(made, self._wire)
        made.register("before-parameter-build", self._record)
        made.get_component("event_emitter").register_first("before-call", self._may_fail)
        made.register("after-call", self._may_lose)
        return made

    def _record(self, params: Json, model: Any, context: Json, **_more: Any) -> None:
        name = _name(model)
        self.calls.append(Recorded(name, dict(params)))

    def _may_fail(self, model: Any, context: Json, **_more: Any) -> Any:
        if not self._is_change(_name(model)):
            return None
        number, self._changes = self._changes, self._changes + 1
        if self.fault is None or number != self.fault[0]:
            return None
        kind = self.fault[1]
        if kind == "lost":
            context["bench_lost"] = True
            return None
        error, status = (_REFUSAL, 403) if kind == "refused" else (_INTERNAL, 500)
        return _answer({"Error": dict(error)}, status)

    def _may_lose(self, context: Json, **_more: Any) -> None:
        if context.pop("bench_lost", False):
            from urllib3.connectionpool import HTTPSConnectionPool
            from urllib3.exceptions import ReadTimeoutError

            raise ReadTimeoutError(HTTPSConnectionPool("injected"), "injected", "the answer never came")


def listen(session: Any, wire: Wire) -> None:
    """Make the stubs of a wire answer a session's calls."""

    def note(params: Json, context: Json, **_more: Any) -> None:
        context["bench_arguments"] = dict(params)

    def stub(model: Any, context: Json, **_more: Any) -> Any:
        name = _name(model)
        answer = wire.stubs.get(name)
        if answer is None:
            return None
        wire.stubbed.add(name)
        try:
            told = answer(context.get("bench_arguments", {}))
        except AwsError as error:
            return _answer({"Error": {"Code": error.code, "Message": error.message}}, error.status)
        check_answer(told, model.output_shape, name)
        return _answer(dict(told), 200)

    session.register("before-parameter-build", note)
    session.register("before-call", stub)


def _answer(told: Json, status: int) -> tuple[Any, Json]:
    about = {"HTTPStatusCode": status, "RequestId": "bench-request", "RetryAttempts": 0}
    return _Http(status), {**told, "ResponseMetadata": about}


class _Http(NamedTuple):
    """What is asked of a response that never came over the network."""

    status_code: int
    content: bytes = b"{}"
    headers: Mapping[str, str] = MappingProxyType({})


def _name(model: Any) -> str:
    """Return ``service:Operation`` by the client's name of the service."""
    return f"{model.service_model.service_name}:{model.name}"


def check_answer(answer: Any, shape: Any, name: str) -> None:
    """Hold a stub's answer against botocore's model: unknown members and wrong kinds; nothing is required."""
    if shape is None:
        assert not answer, f"{name} answers nothing"
        return
    kind = shape.type_name
    if kind == "structure" and not getattr(shape, "is_document_type", False):
        assert isinstance(answer, Mapping), f"{name}: {shape.name} is an object"
        unknown = answer.keys() - shape.members.keys()
        assert not unknown, f"{name}: {shape.name} has no {sorted(unknown)}"
        for key, value in answer.items():
            check_answer(value, shape.members[key], f"{name}.{key}")
    elif kind == "list":
        assert isinstance(answer, list), f"{name} is a list"
        for each in answer:
            check_answer(each, shape.member, name)
    elif kind == "map":
        assert isinstance(answer, Mapping), f"{name} is a map"
        for each in answer.values():
            check_answer(each, shape.value, name)
    elif kind in _KINDS:
        assert isinstance(answer, _KINDS[kind]), f"{name}: {answer!r} is no {kind}"
        assert kind == "boolean" or not isinstance(answer, bool), f"{name}: {answer!r} is no {kind}"


_KINDS: Final[dict[str, Any]] = {
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": (int, float),
    "double": (int, float),
    "string": str,
}
