"""What a store has to do, in dictionaries: the laws hold each store against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from policyengine.store.actions import (
    ENDED,
    EXPIRED,
    REFUSED,
    Action,
    ConflictError,
    Count,
    Lease,
    NoSuchActionError,
    Note,
)

Json = dict[str, Any]


def action(id: str, key: str = "k", **more: Any) -> Action:
    """An action with everything that an action needs."""
    resource = more.pop("resource", "123456789012/eu-west-1/AWS::S3::Bucket/b")
    at = more.pop("updated_at", "2026-11-21T09:00:00+00:00")
    given = {
        "state": "planned", "account": "123456789012", "region": "eu-west-1", "type": "AWS::S3::Bucket",
        "rule": "s3-public", "handler": "h", "plan": {"steps": [{"n": 1.5, "text": "ü\u2028"}]},
        "plan_hash": "sha256:0", "requested_by": "ann", "requested_at": at, "expires_at": at,
    }  # fmt: skip
    return Action(id=id, key=key, resource=resource, updated_at=at, **{**given, **more})


def note(action: str = "a", kind: str = "note", **body: Any) -> Note:
    return Note("2026-11-21T09:00:00+00:00", action, kind, body)


class Model:
    """Says what a store must answer; lists of notes rather than a chain."""

    def __init__(self) -> None:
        self.actions: dict[str, Action] = {}
        self.keys: dict[str, tuple[str, float]] = {}
        self.notes: list[Note] = []
        self.leases: dict[str, tuple[str | None, int, float]] = {}
        self.counters: dict[str, tuple[int, float]] = {}
        self.flags: dict[str, Json] = {}

    def claim(self, action: Action, note: Note, *, until: float, now: float) -> Action:
        if action.key in self.keys:
            id, held = self.keys[action.key]
            holder = self.actions[id]
            freed = holder.state in (REFUSED, EXPIRED) or (holder.state in ENDED and held <= now)
            if not freed:
                return holder
        if action.id in self.actions:
            raise ConflictError
        self.actions[action.id] = replace(action, version=1)
        self.keys[action.key] = (action.id, until)
        self.notes.append(note)
        return self.actions[action.id]

    def get(self, action: str) -> Action:
        if action not in self.actions:
            raise NoSuchActionError
        return self.actions[action]

    def save(
        self, action: Action, notes: Iterable[Note], lease: Lease | None = None, *, until: float | None = None
    ) -> Action:
        if lease is not None and lease.resource != action.resource:
            raise ConflictError
        if self.get(action.id).version != action.version:
            raise ConflictError
        if lease is not None and not self._newest(lease):
            raise ConflictError
        self.actions[action.id] = replace(action, version=action.version + 1)
        if until is not None and self.keys[action.key][0] == action.id:
            self.keys[action.key] = (action.id, until)
        self.notes += notes
        return self.actions[action.id]

    def find(
        self, *, states: Iterable[str] = (), resource: str = "", rule: str = "", since: str = ""
    ) -> list[Action]:
        wanted = set(states)
        found = [
            a
            for a in self.actions.values()
            if (not wanted or a.state in wanted)
            and (not resource or a.resource == resource)
            and (not rule or a.rule == rule)
            and (not since or datetime.fromisoformat(a.updated_at) >= datetime.fromisoformat(since))
        ]
        return sorted(found, key=lambda a: (datetime.fromisoformat(a.updated_at), a.id), reverse=True)

    def _newest(self, lease: Lease) -> bool:
        owner, fence, _ = self.leases.get(lease.resource, (None, 0, 0.0))
        return (owner, fence) == (lease.owner, lease.fence)

    def lease(self, resource: str, owner: str, *, seconds: float, now: float) -> Lease | None:
        holder, fence, until = self.leases.get(resource, (None, 0, 0.0))
        if holder not in (None, owner) and until > now:
            return None
        self.leases[resource] = (owner, fence + 1, now + seconds)
        return Lease(resource, owner, fence + 1, now + seconds)

    def renew(self, lease: Lease, *, seconds: float, now: float) -> Lease:
        if not self._newest(lease) or self.leases[lease.resource][2] <= now:
            raise ConflictError
        self.leases[lease.resource] = (lease.owner, lease.fence, now + seconds)
        return lease._replace(until=now + seconds)

    def release(self, lease: Lease) -> None:
        if self._newest(lease):
            self.leases[lease.resource] = (None, lease.fence, 0.0)

    def count(self, counts: Iterable[Count], *, now: float, seconds: float) -> Count | None:
        after = {name: kept for name, kept in self.counters.items() if kept[1] > now}
        for count in counts:
            amount, until = after.get(count.name, (0, 0.0))
            amount += count.amount
            if amount > count.most:
                return count
            after[count.name] = (amount, max(until, now + seconds))
        self.counters = after
        return None

    def read_flag(self, name: str) -> Json | None:
        return self.flags.get(name)

    def write_flag(self, name: str, value: Json, *, was: Json | None) -> bool:
        if self.flags.get(name) != was:
            return False
        self.flags[name] = value
        return True
