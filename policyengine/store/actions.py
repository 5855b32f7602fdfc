"""Records of remediation, and what a store of them must do. Two stores behind it: SQLite and DynamoDB.

The states, and who moves an action between them, are the kernel's (``remediate/kernel.py``); a store knows that
what is written is written whole, once, and in order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, Protocol

Json = dict[str, Any]

PLANNED: Final = "planned"
APPROVED: Final = "approved"
LOCKED: Final = "locked"
PRE_IMAGE_SAVED: Final = "pre_image_saved"
APPLIED: Final = "applied"
VERIFIED: Final = "verified"
ROLLED_BACK: Final = "rolled_back"
FAILED: Final = "failed"
EXPIRED: Final = "expired"
REFUSED: Final = "refused"
STATES: Final = (
    PLANNED, APPROVED, LOCKED, PRE_IMAGE_SAVED, APPLIED, VERIFIED, ROLLED_BACK, FAILED, EXPIRED, REFUSED
)  # fmt: skip
ENDED: Final = frozenset({VERIFIED, ROLLED_BACK, FAILED, EXPIRED, REFUSED})
"""States an action stays in by itself. A verified or failed one may still be rolled back by a person."""
UNDER_WAY: Final = frozenset({LOCKED, PRE_IMAGE_SAVED, APPLIED})
"""States of which a killed process may leave an action: somebody has to go on with it."""


class NoSuchActionError(LookupError):
    """No action has this id."""


class ConflictError(Exception):
    """The action was changed by somebody else since it was read, or the lease is not held any more."""


class StoreError(Exception):
    """The store could not be read or written; nothing is known of what was to be written."""


class UnfitError(StoreError):
    """What was to be written is too large or no JSON, so that no store can keep it: nothing was written."""


@dataclass(frozen=True)
class Action:
    """One remediation of one resource, from plan to end. All times are ISO 8601 in UTC.

    ``key`` is the idempotency key; ``resource`` is ``account/region/type/id``; ``plan`` is the whole plan
    document (``remediate/plan.py``) and ``plan_hash`` its hash; ``run`` names the batch it was asked for in.
    ``approvals``: ``{who, at, plan_hash, expires_at}``. ``pre_image`` and ``post_image`` are what the handler's
    ``image`` gave before and after. ``done``: a record of each step that was begun, ``{step, state: begun|done|
    failed|undone, answer, request_id, at}``, ``answer`` only what other calls name. ``fence`` is the token of the
    lease under which it was last moved. ``undoing``: what was done is being taken back. ``reason`` says in words why
    it is where it is; ``code`` is the refusal's or failure's. ``version`` counts writes.
    """

    id: str
    key: str
    state: str
    resource: str
    account: str
    region: str
    type: str
    rule: str
    handler: str
    plan: Json
    plan_hash: str
    requested_by: str
    requested_at: str
    expires_at: str
    updated_at: str
    run: str = ""
    approvals: tuple[Json, ...] = ()
    pre_image: Json | None = None
    post_image: Json | None = None
    done: tuple[Json, ...] = ()
    fence: int | None = None
    undoing: bool = False
    attempts: int = 0
    code: str = ""
    reason: str = ""
    version: int = 0

    def to_json(self) -> Json:
        """Return the record."""
        form = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {**form, "approvals": list(self.approvals), "done": list(self.done)}

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Action:
        """Return the action of a record."""
        return cls(**{**form, "approvals": tuple(form["approvals"]), "done": tuple(form["done"])})

    def moved(self, state: str, at: str, **changes: Any) -> Action:
        """Return the action in another state."""
        assert state in STATES, state
        return replace(self, state=state, updated_at=at, **changes)

    @property
    def ended(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state in ENDED


class Entry(NamedTuple):
    """One line of the journal: ``hash`` is SHA-256 over ``prev`` and everything else, canonically encoded.

    ``kind`` is a state, ``call``, ``answer`` or ``note``; ``body`` holds digests of arguments rather than them.
    """

    seq: int
    at: str
    action: str
    kind: str
    body: Json
    prev: str
    hash: str


@dataclass(frozen=True)
class Note:
    """What is to be written into the journal; the store gives it number and hash."""

    at: str
    action: str
    kind: str
    body: Json = field(default_factory=dict)


class Lease(NamedTuple):
    """The right to change one resource until ``until`` (seconds since the epoch). ``fence`` grows with each lease of the
    resource: a write under an older one is refused."""

    resource: str
    owner: str
    fence: int
    until: float


class Count(NamedTuple):
    """A counter that may not pass ``most`` within its window; ``name`` includes the window (``hour/2026-11-21T09``)."""

    name: str
    amount: int
    most: int


class ActionStore(Protocol):
    """Where actions, their journal, leases and counters are kept. Every method may raise StoreError.

    What one method writes is written whole or not at all, also when the process is killed in the middle.
    """

    def claim(self, action: Action, note: Note, *, until: float, now: float) -> Action:
        """Store a new action unless its key is taken; return the one that holds the key then.

        The key is taken until ``until`` (seconds since the epoch), or for as long as its action has not ended; one
        that ended REFUSED or EXPIRED frees it at once. The note is written with a new action only. Raises
        ConflictError when another action has the id.
        """
        ...

    def get(self, action: str) -> Action:
        """Return an action. Raises NoSuchActionError."""
        ...

    def save(
        self, action: Action, notes: Iterable[Note], lease: Lease | None = None, *, until: float | None = None
    ) -> Action:
        """Write an action over the version it was read as, and its notes; returns it with its new version.

        With ``until`` its key, where it is still its, is taken until then. Raises ConflictError when the stored
        version is another, or ``lease`` is not the newest of the action's resource or was given back; NoSuchActionError.
        """
        ...

    def find(
        self, *, states: Iterable[str] = (), resource: str = "", rule: str = "", since: str = ""
    ) -> Iterator[Action]:
        """Yield actions, the last changed first; ``since`` compares with ``updated_at``, as times and not as texts.
        Empty arguments are no condition. What changes meanwhile may be left out."""
        ...

    def lease(self, resource: str, owner: str, *, seconds: float, now: float) -> Lease | None:
        """Take the lease of a resource; None while another owner's has not run out. It runs out at ``now + seconds``;
        whoever has it already gets a new one."""
        ...

    def renew(self, lease: Lease, *, seconds: float, now: float) -> Lease:
        """Prolong a lease, same fence. Raises ConflictError when it is not the newest, or has run out."""
        ...

    def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens when it is not the newest."""
        ...

    def count(self, counts: Iterable[Count], *, now: float, seconds: float) -> Count | None:
        """Add to all counters, which are forgotten ``seconds`` after they were last added to, or to none: returns the
        first that would pass its limit, None where all were added."""
        ...

    def note(self, note: Note) -> Entry:
        """Append to the journal."""
        ...

    def journal(self, after: int = 0) -> Iterator[Entry]:
        """Yield the journal's entries in order, those with a greater number than ``after``."""
        ...

    def head(self) -> tuple[int, str]:
        """Return number and hash of the journal's last entry as they are kept beside it (``chain.START`` without one)."""
        ...

    def read_flag(self, name: str) -> Json | None:
        """Return what is kept under a name (the breaker, the kill switch), None without."""
        ...

    def write_flag(self, name: str, value: Json, *, was: Json | None) -> bool:
        """Replace what is kept under a name where it still is ``was``; False where it is not."""
        ...
