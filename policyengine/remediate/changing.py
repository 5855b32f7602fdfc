"""Making the calls of a plan, one by one, and taking them back. Nothing is called that was not journaled first.

INVARIANT: a call is made only while its resource's lease is held for longer than a call can take, and after a record
that it begins was written under that lease.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from policyengine.model.canonical_json import digest
from policyengine.remediate.api import Call, Refused
from policyengine.remediate.plan import kept_of, paths_named, ready
from policyengine.remediate.ports import CallFailed, Hands, Made, Waiter
from policyengine.store.actions import Action, ActionStore, ConflictError, Lease, Note

Json = dict[str, Any]
LEASE_SECONDS: Final = 180.0
CALL_SECONDS: Final = 60.0
"""Longer than a client waits for an answer (5 s to connect, 30 s to read), with room for a slow machine."""
_THROTTLED_TRIES: Final = 5
BEGUN: Final = "begun"
DONE: Final = "done"
FAILED_STEP: Final = "failed"
UNDONE: Final = "undone"


def iso(at: float) -> str:
    """Return seconds since the epoch as ISO 8601 in UTC."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds")


class Stopped(Exception):
    """A step failed. ``certain``: the call had no effect; else nobody knows."""

    def __init__(self, step: str, failure: CallFailed) -> None:
        super().__init__(f"step `{step}`: {failure}")
        self.step = step
        self.failure = failure


class Held:
    """An action under a lease: every write keeps version and fence right."""

    def __init__(
        self,
        store: ActionStore,
        hands: Hands,
        waiter: Waiter,
        action: Action,
        lease: Lease,
        repeat_seconds: float,
    ) -> None:
        self.store = store
        self.hands = hands
        self.waiter = waiter
        self.action = action
        self.lease = lease
        self._repeat_seconds = repeat_seconds

    def save(self, action: Action, *notes: Note) -> Action:
        """Write the action and its notes under the lease. Raises ConflictError."""
        until = self.waiter.now() + self._repeat_seconds if action.ended else None
        self.action = self.store.save(replace(action, fence=self.lease.fence), notes, self.lease, until=until)
        return self.action

    def move(self, state: str, **changes: Any) -> Action:
        """Write a transition with its line of the journal. Raises ConflictError."""
        at = iso(self.waiter.now())
        body = {name: changes[name] for name in ("code", "reason") if changes.get(name)}
        for image in ("pre_image", "post_image"):
            if changes.get(image) is not None:
                body[image] = digest(changes[image])
        return self.save(self.action.moved(state, at, **changes), Note(at, self.action.id, state, body))

    def hold(self) -> None:
        """Make sure that the lease outlasts a call. Raises ConflictError where it was lost."""
        now = self.waiter.now()
        if self.lease.until - now < LEASE_SECONDS - CALL_SECONDS:
            self.lease = self.store.renew(self.lease, seconds=LEASE_SECONDS, now=now)

    def still(self) -> None:
        """Raise ConflictError where this process was paused since it made sure of the lease, so that a call could be made
        while somebody else holds it."""
        if self.waiter.now() > self.lease.until - CALL_SECONDS:
            raise ConflictError(f"the lease of `{self.lease.resource}` may run out before a call is answered")

    def mark(self, step: str, state: str, *, kind: str, body: Json, **more: Any) -> None:
        """Record where a step stands."""
        at = iso(self.waiter.now())
        record = {"step": step, "state": state, "at": at, **more}
        others = [each for each in self.action.done if each["step"] != step]
        known = next((each for each in self.action.done if each["step"] == step), {})
        done = (*others, {**known, **record})
        order = {each["name"]: number for number, each in enumerate(self.action.plan["steps"])}
        changed = replace(
            self.action, done=tuple(sorted(done, key=lambda each: order[each["step"]])), updated_at=at
        )
        self.save(changed, Note(at, self.action.id, kind, {"step": step, **body}))

    @property
    def answers(self) -> Mapping[str, Json]:
        """What is kept of the answers, by step."""
        return {each["step"]: each["answer"] for each in self.action.done if each.get("answer") is not None}

    def states(self) -> dict[str, str]:
        """Return where each step that was begun stands."""
        return {each["step"]: each["state"] for each in self.action.done}


def carry_out(held: Held) -> None:
    """Make the calls of all steps that are not done. Raises Stopped, ConflictError."""
    for step in held.action.plan["steps"]:
        if held.states().get(step["name"]) == DONE:
            continue
        call = ready(step["call"], held.answers)
        made = _make(held, step["name"], call, forward=True)
        try:
            answer = kept_of(made.answer, paths_named(held.action.plan, step["name"]))
        except (KeyError, IndexError, TypeError, ValueError):
            text = "the answer lacks what later calls need"
            failure = CallFailed(
                call.name, "MalformedAnswer", text, made.request_id, certain=False, throttled=False
            )
            raise Stopped(step["name"], failure) from None
        body = {"request_id": made.request_id, "call": call.name}
        held.mark(step["name"], DONE, kind="answer", body=body, answer=answer, request_id=made.request_id)


def take_back(held: Held) -> list[str]:
    """Make the undo calls of what was begun, the last step first; returns what could not be taken back, in words.

    A step of which nobody knows whether it had an effect is taken back too: whether all is as it was is not concluded
    from the calls but read afterwards.
    """
    problems = []
    states = held.states()
    for step in reversed(held.action.plan["steps"]):
        name = step["name"]
        if states.get(name) in (None, UNDONE):
            continue
        if states[name] == FAILED_STEP:  # AWS said that it did not do it
            continue
        problem = _undo(held, step)
        if problem:
            problems.append(problem)
    return problems


def _undo(held: Held, step: Json) -> str:
    name = step["name"]
    if not step["undo"]:
        return f"step `{name}` cannot be taken back"
    for each in step["undo"]:
        try:
            call = ready(each, held.answers)
        except KeyError:
            return f"step `{name}` cannot be taken back: its answer, which names what it made, never arrived"
        try:
            made = _make(held, name, call, forward=False)
        except Stopped as stopped:
            return f"taking back step `{name}`: {stopped.failure}"
        body = {"request_id": made.request_id, "call": call.name, "undo": True}
        held.mark(name, held.states()[name], kind="answer", body=body)
    held.mark(name, UNDONE, kind="note", body={"undone": True})
    return ""


def _make(held: Held, step: str, call: Call, *, forward: bool) -> Made:
    """Make one call; a throttled one, which had no effect, is made again a few times."""
    action = held.action
    state = BEGUN if forward else held.states()[step]
    for attempt in range(1, _THROTTLED_TRIES + 1):
        held.hold()
        body: Json = {
            "call": call.name,
            "arguments": digest(call.arguments),
            "as": held.hands.principal(action.handler, action.account),
            "region": call.region or action.plan["region"],
        }
        held.mark(step, state, kind="call", body=body)
        held.still()
        try:
            return held.hands.make(action.handler, call, action.account, call.region or action.plan["region"])
        except Refused as refused:
            failure = CallFailed(call.name, refused.code, refused.text, "", certain=True, throttled=False)
        except CallFailed as failed:
            failure = failed
        told = {
            "call": call.name,
            "error": failure.error,
            "request_id": failure.request_id,
            "certain": failure.certain,
        }
        again = failure.throttled and attempt < _THROTTLED_TRIES and held.waiter.wait(2.0**attempt)
        ended = FAILED_STEP if failure.certain and forward else state
        held.mark(step, state if again else ended, kind="answer", body=told)
        if not again:
            break
    raise Stopped(step, failure)


__all__ = ["ConflictError", "Held", "Stopped", "carry_out", "iso", "take_back"]
