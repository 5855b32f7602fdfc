"""A small AWS for the kernel: things with two settings, a rule that wants one of them on, faults at any point.

Nothing of the kernel is replaced: only the world behind its ports, and the clock.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policyengine.model.finding import Finding
from policyengine.model.resource import Resource
from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.planning import Remediation
from policyengine.remediate.ports import CallFailed, Made, Observation, Subject

TYPE = "AWS::S3::Bucket"
RULE = "thing-on"
ACCOUNT = "111122223333"
REGION = "eu-west-1"


class Killed(BaseException):
    """The process ends here, as by SIGKILL: nothing of ours may catch it."""


@dataclass
class World:
    """``things``: id -> settings. ``effects`` are the mutations that happened, in order."""

    things: dict[str, Json] = field(default_factory=dict)
    effects: list[tuple[str, str, Any]] = field(default_factory=list)
    verdicts: dict[str, str] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    tags: dict[str, Any] = field(default_factory=dict)
    waivers: dict[str, Json] = field(default_factory=dict)
    population: int = 1000
    time: float = 1_795_000_000.0
    on_call: Callable[[Call], None] | None = None
    after_call: Callable[[Call], None] | None = None
    on_wait: Callable[[float], bool] | None = None

    # ports.Waiter
    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> bool:
        self.time += seconds
        return self.on_wait(seconds) if self.on_wait else True

    # ports.Observer
    def observe(self, subject: Subject) -> Observation:
        if subject.id in self.unreadable:
            raise Refused("not_known", "s3:ListBuckets: InternalError")
        thing = self.things.get(subject.id)
        if thing is None:
            return Observation(None, None, self.population, REGION, "aws")
        resource = Resource(
            TYPE,
            subject.id,
            ACCOUNT,
            REGION,
            {},
            arn=f"arn:aws:s3:::{subject.id}",
            tags=self.tags.get(subject.id, {}),
        )
        verdict = self.verdicts.get(subject.id) or ("PASS" if thing["on"] else "FAIL")
        return Observation(resource, self._finding(resource, verdict), self.population, REGION, "aws")

    def _finding(self, resource: Resource, verdict: str) -> Finding:
        return Finding(
            f"f-{resource.id}", RULE, "Things are on", "governance", "high", verdict, "property_value", "it is off",
            TYPE, resource.id, resource.arn, ACCOUNT, REGION, None, None, (), None, {}, "thing_on",
            self.waivers.get(resource.id), (ACCOUNT, REGION, TYPE, resource.id),
        )  # fmt: skip

    # ports.Hands
    def reader(self, handler: str, account: str, region: str) -> Reader:
        return _Reader(self)

    def make(self, handler: str, call: Call, account: str, region: str) -> Made:
        if self.on_call:
            self.on_call(call)
        self.effect(call)
        if self.after_call:
            self.after_call(call)
        return Made({"Value": call.arguments["Value"]}, f"req-{len(self.effects)}")

    def effect(self, call: Call) -> None:
        """What the call changes, if it changes anything."""
        name = call.operation.removeprefix("Set").lower()
        thing = self.things[call.arguments["Id"]]
        if thing[name] != call.arguments["Value"]:
            thing[name] = call.arguments["Value"]
            self.effects.append((call.arguments["Id"], name, call.arguments["Value"]))

    def principal(self, handler: str, account: str) -> str:
        return f"arn:aws:iam::{account}:role/fixer"


@dataclass
class _Reader:
    world: World

    def call(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] = {},
        *,
        none: Sequence[str] = (),
        region: str = "",
    ) -> Json | None:
        if arguments["Id"] in self.world.unreadable:
            raise Refused("not_known", "s3:GetThing: AccessDenied")
        return copy.deepcopy(self.world.things[arguments["Id"]])

    def all(
        self,
        service: str,
        operation: str,
        arguments: Mapping[str, Any] = {},
        *,
        result: str,
        region: str = "",
    ) -> list[Any]:
        raise AssertionError("not used")


class OneStep:
    """Turns the thing on by one call."""

    def image(self, target: Target, read: Reader) -> Json:
        return read.call("s3", "GetThing", {"Id": target.id}) or {}

    def plan(self, target: Target, image: Json) -> Proposal:
        calls = [("on", True)]
        return _proposal(target, image, calls)


class TwoSteps(OneStep):
    """Renames first, then turns on."""

    def plan(self, target: Target, image: Json) -> Proposal:
        return _proposal(target, image, [("name", "repaired"), ("on", True)])


def _proposal(target: Target, image: Json, calls: Sequence[tuple[str, Any]]) -> Proposal:
    steps = tuple(
        Step(
            f"set {name}",
            Call("s3", f"Set{name.capitalize()}", {"Id": target.id, "Value": value}),
            undo=(Call("s3", f"Set{name.capitalize()}", {"Id": target.id, "Value": image[name]}),),
        )
        for name, value in calls
    )
    return Proposal("turn it on", steps, after={**image, **dict(calls)})


def declaration(**changes: Any) -> Declaration:
    """A declaration that may run automatically."""
    form: Json = {
        "id": "thing_on", "title": "Turn things on", "version": 1, "fixes": [RULE], "types": [TYPE],
        "reads": ["s3:GetThing"], "writes": ["s3:SetOn", "s3:SetName"], "mode": "automatic", "approvals": 0,
        "destructive": False, "reversible": "full", "lost": "", "window": False, "verify_seconds": 30, "scope": {},
        "also": {}, "dangers": "", "parameters": {}, "references": [],
    }  # fmt: skip
    return Declaration.from_json({**form, **changes})


def remediation(handler: Any = None, **changes: Any) -> dict[str, Remediation]:
    """The table the planner takes."""
    return {"thing_on": Remediation(declaration(**changes), handler or OneStep())}


def uncertain(call: Call) -> CallFailed:
    """Nobody answered."""
    return CallFailed(call.name, "ReadTimeoutError", "", "", certain=False, throttled=False)


def denied(call: Call) -> CallFailed:
    """AWS said no."""
    return CallFailed(call.name, "AccessDenied", "", "req-denied", certain=True, throttled=False)


def throttled(call: Call) -> CallFailed:
    """AWS said later."""
    return CallFailed(call.name, "Throttling", "", "req-throttled", certain=True, throttled=True)
