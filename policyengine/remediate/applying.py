"""One action under its lease: from locked to its end, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from policyengine.model.finding import Finding
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS
from policyengine.model.resource import Resource
from policyengine.remediate.api import Handler, Json, Refused, Target
from policyengine.remediate.changing import BEGUN, DONE, Held, Stopped, carry_out, iso, take_back
from policyengine.remediate.crash import handled
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.guards import created
from policyengine.remediate.images import between, differing
from policyengine.remediate.plan import same_change
from policyengine.remediate.ports import Observation, Observer, Subject
from policyengine.store.actions import (
    APPLIED,
    FAILED,
    LOCKED,
    PRE_IMAGE_SAVED,
    ROLLED_BACK,
    VERIFIED,
    Action,
    Note,
    UnfitError,
)

_LOOKS: Final = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds between looks at a change, the last repeated: most settings show at once, some take minutes."""
_UNDO_SECONDS: Final = 120.0
_LEAST_SECONDS: Final = 30.0
"""How long is looked at least by whoever goes on later, when the time to verify in is over already."""
_NO_TIME: Final = object()
"""No time is left here to see whether what was there is there again."""


class Applying:
    """Moves one action. ``parameters`` are the handler's."""

    def __init__(
        self,
        held: Held,
        observer: Observer,
        declaration: Declaration,
        handler: Handler,
        parameters: Mapping[str, Any],
    ) -> None:
        self.held = held
        self.observer = observer
        self.declaration = declaration
        self.handler = handler
        self.parameters = parameters

    def run(self, again: Callable[[], Json], by: str = "") -> Action:
        """Apply a planned action: lock, plan ``again``, save the image, change, verify. Raises Refused (nothing was
        changed), ConflictError. ``again`` raises Refused for whatever speaks against a change at this moment."""
        self.held.move(LOCKED, reason=f"let go by {by}" if by else "", code="")
        try:
            document = self._planned(again)
        except Refused as refused:
            self._unlock(refused)
            raise
        try:
            self.held.move(PRE_IMAGE_SAVED, pre_image=document["before"])
        except UnfitError as unfit:
            unkept = Refused("unsupported", f"what is there cannot be kept: {unfit}; repair this one by hand")
            self._unlock(unkept)
            raise unkept from None
        return self._change()

    def _planned(self, again: Callable[[], Json]) -> Json:
        """Return the plan as it is now. Raises Refused where it is another change than the one approved."""
        document = again()
        if not same_change(document, self.held.action.plan):
            raise Refused("drifted", f"planned again, it is another change: {self._drift(document)}")
        return document

    def _unlock(self, refused: Refused) -> None:
        """Nothing was changed: the action is as approved as it was, and the kernel writes the refusal."""
        at = iso(self.held.waiter.now())
        state = "approved"
        body = {"unlocked": True, "code": refused.code}
        self.held.save(self.held.action.moved(state, at), Note(at, self.held.action.id, state, body))

    def _drift(self, document: Json) -> str:
        planned = self.held.action.plan
        told = ("hash", "message", "population")
        names = sorted(n for n in document if n not in told and document[n] != planned.get(n))
        return f"`{'`, `'.join(names)}` differ from the plan; plan it again"

    def _change(self) -> Action:
        try:
            carry_out(self.held)
        except Stopped as stopped:
            return self._stopped(stopped)
        return self._applied()

    def _applied(self) -> Action:
        self.held.move(APPLIED)
        return self.verify()

    def _stopped(self, stopped: Stopped) -> Action:
        """A call failed: where nobody knows its effect, what is there decides."""
        if not stopped.failure.certain and self._is(self.held.action.plan["after"]) and self._all_begun():
            return self._applied()
        if len(self.held.action.plan["steps"]) == 1:  # steps may have states between them that no plan tells
            with suppress(Refused):
                now = self._image()
                if not self._on_the_way(now):
                    return self._left_alone(f"{stopped}", now)
        return self._take_back(f"{stopped}")

    def _all_begun(self) -> bool:
        states = self.held.states()
        return all(states.get(step["name"]) in (BEGUN, DONE) for step in self.held.action.plan["steps"])

    def _take_back(self, why: str) -> Action:
        """Take back what was done of a change that stopped."""
        self.held.move(PRE_IMAGE_SAVED, undoing=True, code="call_failed", reason=why)
        return self._finish_undo(why, FAILED)

    def _on_the_way(self, now: Any) -> bool:
        action = self.held.action
        return between(now, action.pre_image, action.plan["after"])

    def _left_alone(self, why: str, now: Any) -> Action:
        """INVARIANT: what somebody else may have changed since is never overwritten by taking a change back."""
        other = differing(now, self.held.action.plan["after"])
        text = "what is there is neither as before nor as planned nor between them, so somebody else may have changed it"
        reason = f"{why}; {text}, and it was left as it is: {other} (steps: {self._steps()})"
        return self.held.move(FAILED, undoing=False, code="conflict", reason=reason)

    def _steps(self) -> str:
        return ", ".join(f"{name} {where}" for name, where in self.held.states().items())

    # verifying

    def verify(self) -> Action:
        """Read and judge again until the change shows; undo it where it does not hold."""
        action = self.held.action
        waiter = self.held.waiter
        end = self._deadline()
        seen, verdict = "nothing", ""
        for number in range(10_000):
            pause = _LOOKS[min(number, len(_LOOKS) - 1)]
            if pause and not waiter.wait(min(pause, max(0.1, end - waiter.now()))):
                return self._later(seen)
            self.held.hold()
            try:
                image, verdict = self._look()
            except Refused as refused:
                seen = f"{refused.code}: {refused.text}"
            else:
                seen = f"{verdict}, {'as' if image == action.plan['after'] else 'not as'} planned"
                if image == action.plan["after"] and verdict in (PASS, NOT_APPLICABLE):
                    return self.held.move(VERIFIED, post_image=image, reason=f"{action.rule} is {verdict}")
            if waiter.now() >= end:
                return self._unverified(seen, verdict)
        raise AssertionError("the end of verifying is a time")

    def _deadline(self) -> float:
        """The time to verify in begins with the last call, however often somebody has to go on."""
        now, seconds = self.held.waiter.now(), float(self.declaration.verify_seconds)
        called = max(
            (datetime.fromisoformat(each["at"]).timestamp() for each in self.held.action.done), default=now
        )
        return min(now + seconds, max(called + seconds, now + _LEAST_SECONDS))

    def _later(self, seen: str) -> Action:
        """No time is left here: somebody else goes on (`recover`)."""
        at = iso(self.held.waiter.now())
        action = self.held.action
        body = {"verifying": seen}
        return self.held.save(
            action.moved(APPLIED, at, attempts=action.attempts + 1), Note(at, action.id, "note", body)
        )

    def _unverified(self, seen: str, verdict: str) -> Action:
        action = self.held.action
        seconds = self.declaration.verify_seconds
        why = f"after {seconds} s the change has not held: {seen}"
        try:
            now = self._image()
        except Refused as refused:
            return self.held.move(FAILED, code="unverified", reason=f"{why}; {refused.text}")
        if now == action.pre_image:
            return self.held.move(FAILED, code="no_effect", reason=f"{why}; the resource is as it was before")
        if now != action.plan["after"]:
            reason = f"{why}; it is neither as it was nor as planned: {differing(now, action.plan['after'])}"
            return self.held.move(FAILED, code="conflict", reason=reason)
        if verdict != FAIL or self.declaration.reversible == "no":
            return self.held.move(FAILED, code="unverified", post_image=now, reason=why)
        self.held.move(APPLIED, undoing=True, post_image=now, code="not_held", reason=why)
        return self._finish_undo(why, ROLLED_BACK)

    # undoing

    def undo(self, who: str) -> Action:
        """Take a finished change back. Raises Refused."""
        action = self.held.action
        if action.undoing:
            return self._go_on_undoing()
        if action.state not in (VERIFIED, FAILED, APPLIED) or not action.done or action.pre_image is None:
            raise Refused(
                "unsupported", f"the action is {action.state}; there is no change of it to take back"
            )
        if self.declaration.reversible == "no":
            raise Refused("unsupported", f"`{action.handler}` cannot be taken back: {self.declaration.lost}")
        now = self._image()
        after = action.plan["after"]
        if now == action.pre_image:
            raise Refused("drifted", "the resource is as it was before the change already")
        if now != after:
            raise Refused(
                "drifted",
                f"the resource was changed since: {differing(now, after)}; taking the change back would overwrite "
                "that. Compare before, after and now by hand",
            )
        self.held.move(APPLIED, undoing=True, code="", reason=f"rolled back by {who}")
        return self._finish_undo(f"rolled back by {who}", ROLLED_BACK)

    def _go_on_undoing(self) -> Action:
        """Raises Refused where what is there cannot be read."""
        action = self.held.action
        now = self._image()
        if not self._on_the_way(now):
            return self._left_alone(action.reason, now)
        return self._finish_undo(action.reason, FAILED if action.code == "call_failed" else ROLLED_BACK)

    def _finish_undo(self, why: str, state: str) -> Action:
        problems = take_back(self.held)
        pre = self.held.action.pre_image
        restored = self._restored()
        if restored is _NO_TIME:
            return self._undone_later()
        if restored is True:
            told = f"{why}; the resource is as it was before"
            return self.held.move(state, undoing=False, reason=told)
        if restored is None:
            problems.append("what is there now could not be read")
        else:
            problems.append(f"it is not as it was before: {differing(restored, pre)}")
        reason = f"{why}; not all could be taken back: {'; '.join(problems)} (steps: {self._steps()})"
        return self.held.move(FAILED, undoing=False, code="stands_between", reason=reason)

    def _undone_later(self) -> Action:
        """No time is left here: it stays one that is being taken back, and somebody else looks (`recover`)."""
        at, action = iso(self.held.waiter.now()), self.held.action
        changed = action.moved(action.state, at, attempts=action.attempts + 1)
        return self.held.save(changed, Note(at, action.id, "note", {"taking_back": "not seen yet"}))

    def _restored(self) -> bool | Any:
        """True when the pre-image is there again, else what is there; None where it cannot be read; ``_NO_TIME``."""
        waiter = self.held.waiter
        end = waiter.now() + max(_UNDO_SECONDS, float(self.declaration.verify_seconds))
        now: Any = None
        for number in range(10_000):
            pause = _LOOKS[min(number, len(_LOOKS) - 1)]
            if pause and not waiter.wait(min(pause, max(0.1, end - waiter.now()))):
                return _NO_TIME
            self.held.hold()
            try:
                now = self._image()
            except Refused:
                now = None
            if now == self.held.action.pre_image:
                return True
            if waiter.now() >= end:
                return now
        raise AssertionError("the end of looking is a time")

    # after a kill

    def go_on(self, again: Callable[[], Json]) -> Action:
        """Go on from the last state that was written. Raises Refused where what is there cannot be read.

        INVARIANT: a change that nobody knows to have begun is begun only where ``again`` lets it, as by whoever applies.
        """
        action = self.held.action
        if action.undoing:
            return self._go_on_undoing()
        if action.state == LOCKED:
            at = iso(self.held.waiter.now())
            note = Note(
                at, action.id, "approved", {"unlocked": True, "why": "its process ended before any change"}
            )
            return self.held.save(action.moved("approved", at), note)
        if action.state == APPLIED:
            return self.verify()
        now = self._image()
        if now == action.plan["after"] and self._all_begun():
            return self._applied()
        if now == action.pre_image and not any(each["state"] == DONE for each in action.done):
            return self._begin_again(again)
        why = "its process ended between two calls"
        return self._take_back(why) if self._on_the_way(now) else self._left_alone(why, now)

    def _begin_again(self, again: Callable[[], Json]) -> Action:
        try:
            self._planned(again)
        except Refused as refused:
            if refused.code == "not_known":
                raise
            why = f"its process ended before a call had an effect, and now it is refused: {refused.text}"
            return self.held.move(FAILED, code="no_effect", reason=f"{why}; the resource is as it was before")
        return self._change()

    # reading

    def _image(self) -> Json:
        return self._see()[0]

    def _is(self, image: Any) -> bool:
        try:
            return bool(self._image() == image)
        except Refused:
            return False

    def _look(self) -> tuple[Json, str]:
        image, observation = self._see()
        finding = observation.finding
        return image, finding.verdict if finding is not None else NOT_APPLICABLE

    def _see(self) -> tuple[Json, Observation]:
        """Return the image and the observation it was made with. Raises Refused."""
        action = self.held.action
        place = action.plan["resource"]
        subject = Subject(action.rule, action.type, place["id"], action.account, action.region)
        observation = self.observer.observe(subject)
        if observation.resource is None:
            raise Refused("not_known", f"{action.type} `{place['id']}` is not there any more")
        if "created" in place and created(observation.resource) != place["created"]:
            raise Refused("drifted", f"{action.type} `{place['id']}` was deleted and made anew since")
        now = action.plan["made_at"]
        target = Target(
            observation.resource,
            observation.finding or _standin(action, observation.resource),
            observation.region,
            observation.partition,
            now,
            self.parameters,
        )
        reader = self.held.hands.reader(action.handler, action.account, observation.region)
        with handled(action.handler):
            return self.handler.image(target, reader), observation


def _standin(action: Action, resource: Resource) -> Finding:
    """Stand in for the finding of a rule that does not apply any more. An image must not depend on findings."""
    plan = action.plan
    return Finding(
        plan["finding"], plan["rule"], "", "", plan["severity"], NOT_APPLICABLE, "not_applicable", plan["message"],
        resource.type, resource.id, resource.arn, resource.account, resource.region,
        None, None, (), None, {}, action.handler, None, (action.account, action.region, resource.type, resource.id),
    )  # fmt: skip
