"""Stopping by itself and by hand: a circuit breaker over lately ended changes, and a kill switch."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from policyengine.config.remediation import Remediating
from policyengine.remediate.api import Refused
from policyengine.store.actions import FAILED, ROLLED_BACK, VERIFIED, Action, ActionStore, StoreError

Json = dict[str, Any]
BREAKER: Final = "breaker"
SWITCH: Final = "switch"


def check(store: ActionStore, settings: Remediating, action: Action, now: float) -> None:
    """Refuse while remediation is switched off or the breaker is open; after its pause one change may go first."""
    state = not_stopped(store, settings, action, now)
    if state is None or state["state"] == "closed" or state.get("canary") == action.id:
        return
    trying = {**state, "state": "half", "canary": action.id, "since": now}
    if not store.write_flag(BREAKER, trying, was=state):
        raise Refused("breaker_open", "the breaker is open, and another change tries whether it may close")


def not_stopped(store: ActionStore, settings: Remediating, action: Action, now: float) -> Json | None:
    """Return the breaker's state where a change may be thought of. Raises Refused: switched off, or open and not yet
    to be tried. Nothing is written, so it may be asked before limits are taken."""
    if not settings.enabled:
        raise Refused("breaker_open", "remediation is switched off (`remediation.enabled: false`)")
    switch = store.read_flag(SWITCH)
    if switch is not None and switch.get("off"):
        raise Refused(
            "breaker_open",
            f"remediation was switched off by {switch.get('who')} at {switch.get('at')}: {switch.get('why')}",
        )
    state = store.read_flag(BREAKER)
    if state is None or state["state"] == "closed" or state.get("canary") == action.id:
        return state
    if now - state["since"] < settings.breaker.pause:
        raise Refused("breaker_open", f"the breaker is open: {state['why']}")
    return state


def ended(store: ActionStore, settings: Remediating, action: Action, now: float) -> None:
    """Take notice of a change that ended: open the breaker where too many failed, close it after a canary."""
    for _try in range(5):
        state = store.read_flag(BREAKER)
        after = _after(store, settings, action, state, now)
        if after is None or store.write_flag(BREAKER, after, was=state):
            return


def _after(
    store: ActionStore, settings: Remediating, action: Action, state: Json | None, now: float
) -> Json | None:
    canary = state is not None and state["state"] == "half" and state.get("canary") == action.id
    if canary:
        if action.state == VERIFIED:
            return {"state": "closed", "since": now, "why": f"{action.id} was verified"}
        return {
            "state": "open",
            "since": now,
            "why": f"{action.id}, which went first, failed: {action.reason}",
        }
    if action.state == VERIFIED or (state is not None and state["state"] != "closed"):
        return None
    why = _too_many(store, settings, state, now)
    return {"state": "open", "since": now, "why": why} if why else None


def _too_many(store: ActionStore, settings: Remediating, state: Json | None, now: float) -> str:
    """Failures before the breaker was last closed are forgiven; a time to come, of a clock that is ahead, forgives none."""
    breaker = settings.breaker
    closed = state["since"] if state is not None and state["since"] <= now else 0.0
    start = max(now - breaker.seconds, closed)
    since = datetime.fromtimestamp(start, UTC).isoformat()
    states = [
        a.state
        for a in store.find(states=(VERIFIED, FAILED, ROLLED_BACK), since=since)
        if a.pre_image is not None
    ]
    failed = sum(1 for each in states if each != VERIFIED)
    if failed >= breaker.failures:
        return f"{failed} changes failed within {breaker.seconds // 60} minutes"
    if len(states) >= breaker.least and failed / len(states) >= breaker.share:
        return f"{failed} of {len(states)} changes failed within {breaker.seconds // 60} minutes"
    return ""


def switch(store: ActionStore, *, off: bool, who: str, why: str, at: str) -> None:
    """Switch remediation off or on for everybody who uses the store. Raises StoreError where it could not be."""
    for _try in range(50):
        was = store.read_flag(SWITCH)
        if store.write_flag(SWITCH, {"off": off, "who": who, "why": why, "at": at}, was=was):
            return
    raise StoreError(f"others change the switch all the time: it was not switched {'off' if off else 'on'}")
