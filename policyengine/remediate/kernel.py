"""The state machine of a remediation (docs/decisions/0014): who moves an action from one state to the next, and when.

Every public method is one request of a person or an event; what is refused is said with a code of ``api.REFUSALS``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from policyengine.model.canonical_json import digest
from policyengine.remediate import breaker, guards, limits
from policyengine.remediate.api import Refused
from policyengine.remediate.applying import Applying
from policyengine.remediate.changing import LEASE_SECONDS, Held, iso
from policyengine.remediate.people import named, person, same_person
from policyengine.remediate.plan import plan_hash, with_concern
from policyengine.remediate.planning import Planner, parameters_of, request_key, resource_key, subject_of
from policyengine.remediate.ports import Subject, Waiter
from policyengine.store.actions import (
    APPROVED,
    ENDED,
    EXPIRED,
    FAILED,
    PLANNED,
    REFUSED,
    ROLLED_BACK,
    UNDER_WAY,
    VERIFIED,
    Action,
    ActionStore,
    ConflictError,
    Lease,
    Note,
    StoreError,
    UnfitError,
)

Json = dict[str, Any]
AUTOMATIC: Final = "settings: automatic"
"""Who approves what the settings let run without a person."""


class Outcome(NamedTuple):
    """What became of one request: the action, and the refusal where there was one."""

    action: Action | None
    refusal: Refused | None = None

    @property
    def stops_waves(self) -> bool:
        """Whether a change went wrong; one that was refused has changed nothing, and says nothing of the others."""
        if self.refusal is not None:
            return self.refusal.code == "breaker_open"
        return self.action is None or self.action.state != "verified"


class Kernel:
    """Plans, approves, applies, rolls back and recovers. ``owner`` names this process in leases."""

    def __init__(
        self,
        *,
        store: ActionStore,
        planner: Planner,
        waiter: Waiter,
        owner: str,
    ) -> None:
        self.store = store
        self.planner = planner
        self.waiter = waiter
        self.settings = planner.settings
        self.owner = owner

    # planning

    def plan(self, subject: Subject, *, requested_by: str, run: str, not_before: float = 0.0) -> Outcome:
        """Plan the repair of one resource, changing nothing. The same request gets the same action.

        ``not_before`` (seconds since the epoch) is when a resource that was just made may be looked at.
        """
        try:
            if self.waiter.now() < not_before:
                raise Refused(
                    "too_young", "it was created a moment ago; changes wait until whoever makes it is done"
                )
            document = self._document(subject)
            now = self.waiter.now()
            limits.not_flapping(self.store, resource_key(document), subject.rule, self.settings, now)
            return Outcome(self._claim(document, requested_by, run))
        except UnfitError as unfit:
            refused = Refused("unsupported", f"{unfit}; repair this one by hand")
        except Refused as why:
            refused = why
        self._note_refusal(subject, refused, requested_by)
        return Outcome(None, refused)

    def _document(self, subject: Subject) -> Json:
        """Return the plan as it is now; what failed or was taken back the last time asks for a person. Raises Refused."""
        document = self.planner.document(subject, self._now())
        ended = (VERIFIED, FAILED, ROLLED_BACK)
        last = next(self.store.find(states=ended, resource=resource_key(document), rule=subject.rule), None)
        return document if last is None or last.state == VERIFIED else with_concern(document, last)

    def _claim(self, document: Json, requested_by: str, run: str) -> Action:
        now = self._now()
        plan = {
            **document,
            "made_at": iso(now.timestamp()),
            "expires_at": iso((now + timedelta(hours=self.settings.plan_hours)).timestamp()),
            "requested_by": requested_by,
        }
        key = request_key(plan)
        place = plan["resource"]
        automatic = plan["approvals"] == 0 and not plan["plan_only"]
        action = Action(
            id=f"act-{digest({'key': key, 'at': plan['made_at'], 'by': self.owner})[7:27]}",
            key=key,
            state=APPROVED if automatic else PLANNED,
            resource=resource_key(plan),
            account=place["account"],
            region=place["region"],
            type=place["type"],
            rule=plan["rule"],
            handler=plan["handler"],
            plan=plan,
            plan_hash=plan["hash"],
            requested_by=requested_by,
            requested_at=plan["made_at"],
            expires_at=plan["expires_at"],
            updated_at=plan["made_at"],
            run=run,
            approvals=(_approval(AUTOMATIC, plan, plan["made_at"], plan["expires_at"]),) if automatic else (),
        )
        note = Note(
            plan["made_at"], action.id, action.state, {"plan": plan["hash"], "by": requested_by, "run": run}
        )
        seconds = now.timestamp()
        return self.store.claim(action, note, until=seconds + self.settings.repeat_seconds, now=seconds)

    def _note_refusal(self, subject: Subject, refused: Refused, requested_by: str) -> None:
        body = {**subject._asdict(), "code": refused.code, "why": refused.text, "by": requested_by}
        self.store.note(Note(iso(self.waiter.now()), "", REFUSED, body))

    # approving

    def approve(self, action_id: str, who: str, hash: str) -> Action:
        """Add a person's approval of exactly this plan. Raises Refused, NoSuchActionError, ConflictError."""
        action = self._fresh(action_id)
        if action.state not in (PLANNED, APPROVED):
            raise Refused("not_approved", f"the action is {action.state}: it cannot be approved any more")
        _unaltered(action, hash)
        if action.plan["plan_only"]:
            raise Refused("plan_only", f"`{action.handler}` only proposes here; nothing can be approved")
        name = named(who)
        if same_person(name, action.requested_by):
            raise Refused("not_approved", f"`{name}` asked for it; somebody else has to approve it")
        at = self._now()
        until = iso((at + timedelta(hours=self.settings.approving.hours)).timestamp())
        others = tuple(a for a in action.approvals if not same_person(a["who"], name))
        changed = replace(
            action, approvals=(*others, _approval(name, action.plan, iso(at.timestamp()), until))
        )
        state = APPROVED if self._approved(changed) else PLANNED
        stamp = iso(at.timestamp())
        note = Note(
            stamp, action.id, state if state != action.state else "note", {"approved_by": name, "plan": hash}
        )
        return self.store.save(changed.moved(state, stamp), [note])

    def _approved(self, action: Action) -> bool:
        needed: int = action.plan["approvals"]
        return self._valid(action) >= needed

    def _valid(self, action: Action) -> int:
        """How many people's approvals hold now."""
        now = iso(self.waiter.now())
        given = (a for a in action.approvals if a["plan_hash"] == action.plan_hash and a["expires_at"] > now)
        return len({person(a["who"]) for a in given if not same_person(a["who"], action.requested_by)})

    # applying

    def apply(
        self, actions: Sequence[str], hashes: Mapping[str, str] | None = None, *, by: str = ""
    ) -> list[Outcome]:
        """Carry out approved actions, in waves: a wave begins when no change of the one before failed.

        ``hashes``: action -> hash of the plan as its approver saw it; ``by``: who lets them go, for the journal. Limits
        are taken for all of them before the first change; past one, all are refused and none is made.
        """
        ready, outcomes = [], []
        for each in actions:
            try:
                ready.append(self._applicable(self._fresh(each), (hashes or {}).get(each)))
            except Refused as refused:
                outcomes.append(Outcome(self._refuse(each, refused), refused))
        try:
            if ready:
                limits.reserve(self.store, ready, self.settings, self.waiter.now())
        except Refused as refused:
            return outcomes + [Outcome(self._refuse(action.id, refused), refused) for action in ready]
        return outcomes + self._in_waves(ready, by)

    def _in_waves(self, ready: Sequence[Action], by: str) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for wave in limits.waves(ready, self.settings.waves):
            done = [self._apply_one(action, by) for action in wave]
            outcomes += done
            failed = [o for o in done if o.stops_waves]
            left = ready[len(outcomes) :]
            if failed and left:
                text = f"a change of the wave before did not hold ({failed[0].action.id if failed[0].action else ''})"
                outcomes += [Outcome(action, Refused("breaker_open", text)) for action in left]
                break
        return outcomes

    def _applicable(self, action: Action, hash: str | None) -> Action:
        """Return the action if it may be applied now. Raises Refused."""
        if action.state not in (PLANNED, APPROVED):
            raise Refused(
                "busy", f"the action is {action.state}{f': {action.reason}' if action.reason else ''}"
            )
        _unaltered(action, action.plan_hash if hash is None else hash)
        if action.plan["plan_only"]:
            raise Refused("plan_only", f"`{action.handler}` only proposes here: {action.plan['summary']}")
        self._in_time(action)
        now = self.waiter.now()
        breaker.not_stopped(self.store, self.settings, action, now)
        limits.not_flapping(self.store, action.resource, action.rule, self.settings, now)
        return action

    def _in_time(self, action: Action) -> None:
        """Refuse what is not approved now, or may not be changed at this time."""
        if not self._approved(action):
            need = action.plan["approvals"]
            raise Refused(
                "not_approved",
                f"{need} {'person has' if need == 1 else 'people have'} to approve it, other than who asked for it, and "
                f"{self._valid(action)} did, or their approval has run out",
            )
        if action.expires_at <= iso(self.waiter.now()):
            raise Refused("not_approved", f"the plan held until {action.expires_at}: plan it again")
        declaration = self.planner.remediation(subject_of(action))[0]
        guards.window_open(declaration, self.settings, self._now())

    def _again(self, action: Action) -> Json:
        """Plan again at the moment of the change, which may be long after its run began. Raises Refused for whatever speaks
        against it by now: the switch, the breaker, a window that has closed, an approval that has run out."""
        breaker.check(self.store, self.settings, action, self.waiter.now())
        self._in_time(action)
        return self._document(subject_of(action))

    def _apply_one(self, action: Action, by: str) -> Outcome:
        try:
            breaker.check(self.store, self.settings, action, self.waiter.now())
            with self._leased(action) as lease:
                held = self._held(action.id, lease)
                if held.action.version != action.version:
                    raise Refused("busy", "somebody else has taken the action on")
                ended = self._applying(held).run(lambda: self._again(action), by)
        except Refused as refused:
            return Outcome(self._refuse(action.id, refused), refused)
        except ConflictError as conflict:
            return Outcome(self.store.get(action.id), Refused("busy", str(conflict)))
        if ended.ended:
            breaker.ended(self.store, self.settings, ended, self.waiter.now())
        return Outcome(ended)

    @contextmanager
    def _leased(self, action: Action) -> Iterator[Lease]:
        """Hold the lease of an action's resource. Raises Refused (``busy``) where somebody else does.

        INVARIANT: it is not given back by whoever is interrupted, for a call may be on its way: it runs out by itself.
        """
        now = self.waiter.now()
        lease = self.store.lease(action.resource, self.owner, seconds=LEASE_SECONDS, now=now)
        if lease is None:
            raise Refused("busy", f"another change of {action.resource} is under way")
        try:
            yield lease
        except (Refused, ConflictError, UnfitError):
            self._release(lease)
            raise
        self._release(lease)

    def _held(self, action_id: str, lease: Lease) -> Held:
        action = self.store.get(action_id)
        return Held(self.store, self.planner.hands, self.waiter, action, lease, self.settings.repeat_seconds)

    def _release(self, lease: Lease) -> None:
        """What cannot be given back runs out by itself, and is no reason not to say what was done."""
        with suppress(StoreError):
            self.store.release(lease)

    def _applying(self, held: Held) -> Applying:
        _unaltered(held.action, held.action.plan_hash)
        found = self.planner.remediations.get(held.action.handler)
        if found is None:
            raise Refused("unsupported", f"there is no remediation `{held.action.handler}` any more")
        return Applying(
            held,
            self.planner.observer,
            found.declaration,
            found.handler,
            parameters_of(found.declaration, self.settings),
        )

    # undoing and recovering

    def rollback(self, action_id: str, who: str) -> Outcome:
        """Take a change back, if what is there is still what it left. Raises NoSuchActionError."""
        try:
            with self._leased(self.store.get(action_id)) as lease:
                return Outcome(self._applying(self._held(action_id, lease)).undo(who))
        except Refused as refused:
            return Outcome(self.store.get(action_id), refused)
        except ConflictError as conflict:
            return Outcome(self.store.get(action_id), Refused("busy", str(conflict)))

    def recover(self) -> list[Outcome]:
        """Go on with what a killed process left, and end what has expired. One that cannot be kept does not keep the others
        from going on."""
        waiting = list(self.store.find(states=(PLANNED, APPROVED)))
        now = iso(self.waiter.now())
        expired = [Outcome(self._expire(action)) for action in waiting if action.expires_at <= now]
        return expired + [self._recover(action) for action in list(self.store.find(states=UNDER_WAY))]

    def _recover(self, action: Action) -> Outcome:
        try:
            with self._leased(action) as lease:
                held = self._held(action.id, lease)
                if held.action.state not in UNDER_WAY:
                    return Outcome(held.action)
                ended = self._applying(held).go_on(lambda: self._again(held.action))
        except Refused as refused:
            return Outcome(self.store.get(action.id), refused)
        except ConflictError as conflict:
            return Outcome(self.store.get(action.id), Refused("busy", str(conflict)))
        except UnfitError as unfit:
            return Outcome(self.store.get(action.id), Refused("unsupported", str(unfit)))
        if ended.ended:
            breaker.ended(self.store, self.settings, ended, self.waiter.now())
        return Outcome(ended)

    # what they share

    def _fresh(self, action_id: str) -> Action:
        """Return the action; one whose plan has run out expires now."""
        action = self.store.get(action_id)
        if action.state in (PLANNED, APPROVED) and action.expires_at <= iso(self.waiter.now()):
            return self._expire(action)
        return action

    def _expire(self, action: Action) -> Action:
        at = iso(self.waiter.now())
        reason = f"the plan held until {action.expires_at}: plan it again"
        try:
            return self.store.save(
                action.moved(EXPIRED, at, reason=reason), [Note(at, action.id, EXPIRED, {})]
            )
        except ConflictError:
            return self.store.get(action.id)

    def _refuse(self, action_id: str, refused: Refused) -> Action:
        """Write a refusal: for good it ends the action, otherwise it stays as it is."""
        action = self.store.get(action_id)
        at = iso(self.waiter.now())
        body = {"code": refused.code, "why": refused.text}
        if action.state in ENDED:
            return action
        if refused.code not in guards.FOR_GOOD or action.state not in (PLANNED, APPROVED):
            self.store.note(Note(at, action.id, "note", body))
            return action
        ended = action.moved(REFUSED, at, code=refused.code, reason=refused.text)
        try:
            return self.store.save(ended, [Note(at, action.id, REFUSED, body)])
        except ConflictError:  # somebody else has moved it meanwhile, and says what became of it
            return self.store.get(action_id)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self.waiter.now(), UTC)


def _approval(who: str, plan: Mapping[str, Any], at: str, until: str) -> Json:
    return {"who": who, "at": at, "plan_hash": plan["hash"], "expires_at": until}


def _unaltered(action: Action, hash: str) -> None:
    """INVARIANT: what is applied is what was approved, and what was approved is what was planned."""
    if hash != action.plan_hash or plan_hash(action.plan) != action.plan_hash:
        raise Refused(
            "altered",
            f"the plan's hash is not {action.plan_hash}: it was changed after it was made; plan it again",
        )
