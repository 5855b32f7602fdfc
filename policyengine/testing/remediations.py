"""Tests of remediations on a moto server: what holds for every handler, tried on one resource (docs/remediation.md).

The kernel, the observer and the hands are the real ones, and so are the requests, over HTTP to a process of its own.
Only the clock is not: waiting takes no time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.aws.models import service_model
from policyengine.aws.rate import Buckets
from policyengine.aws.sessions import Identity
from policyengine.config.remediation import Approving, Limits, Remediating, Window
from policyengine.config.settings import Settings
from policyengine.model.canonical_json import digest
from policyengine.remediate.accounts import Doors
from policyengine.remediate.api import Target
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.declarations import READING, READING_TOO, read_declaration
from policyengine.remediate.hands import LiveHands
from policyengine.remediate.kernel import Kernel, Outcome
from policyengine.remediate.observe import LiveObserver
from policyengine.remediate.planning import Planner, Remediation, parameters_of
from policyengine.remediate.ports import Observation, Subject
from policyengine.remediate.registry import DECLARATION, Remediations
from policyengine.rules.packs import load_packs
from policyengine.rules.predicates.pipeline.plain_secrets import looked_at
from policyengine.sources.redaction import Redactor
from policyengine.store.actions import Action
from policyengine.store.sqlite_actions import SqliteActions
from policyengine.testing.moto_server import ACCOUNT
from policyengine.testing.wire import BenchSessions, Recorded, Wire

Json = dict[str, Any]
REGION: Final = "us-east-1"
PEOPLE: Final = (
    "ann@example.com",
    "ben@example.com",
    "cem@example.com",
    "dan@example.com",
    "eva@example.com",
)
_ALWAYS: Final = Window((0, 1, 2, 3, 4, 5, 6), "00:00", "23:59")
OPEN: Final = Remediating(
    settling=0,
    flaps=1000,
    windows=(_ALWAYS, replace(_ALWAYS, start="23:00", end="01:00")),
    limits=Limits(run=1000, share=1.0, hour=100_000, accounts=1000),
    approving=Approving(environments={}),
)
"""Settings under which nothing but the handler itself is in the way."""


def unknown_operations(declaration: Declaration) -> list[str]:
    """Return the operations of a declaration that botocore's models do not have."""
    wrong = []
    for operation in (*declaration.reads, *declaration.writes):
        service, _, name = operation.partition(":")
        if name not in service_model(service).operation_names:
            wrong.append(operation)
    return wrong


def is_change(name: str) -> bool:
    """Whether an operation (``ec2:DescribeVolumes``) may change something."""
    return not name.partition(":")[2].startswith(READING) and name not in READING_TOO


class Clock:
    """A clock that only waiting, and the machine's own, moves."""

    def __init__(self) -> None:
        self._waited = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self._waited

    def wait(self, seconds: float) -> bool:
        """Let time pass."""
        self._waited += seconds
        return True


class Setup(NamedTuple):
    """A kernel with an empty store, and what its requests go through: those that see and those of the handler."""

    kernel: Kernel
    seeing: BenchSessions
    acting: BenchSessions
    subject: Subject
    remediation: Remediation
    parameters: Json

    def image(self) -> Any:
        """Return the image as it is now."""
        observation = self.kernel.planner.observer.observe(self.subject)
        assert observation.resource is not None, f"`{self.subject.id}` is not there"
        assert observation.finding is not None
        now = datetime.fromtimestamp(self.kernel.waiter.now(), UTC).isoformat(timespec="seconds")
        target = Target(
            observation.resource,
            observation.finding,
            observation.region,
            observation.partition,
            now,
            self.parameters,
        )
        reader = self.kernel.planner.hands.reader(
            self.remediation.declaration.id, self.subject.account, observation.region
        )
        return self.remediation.handler.image(target, reader)

    def verdict(self) -> str:
        """Return the rule's verdict now, with the words of its finding where it is no PASS."""
        observation = self.kernel.planner.observer.observe(self.subject)
        assert observation.finding is not None, (
            f"`{self.subject.id}` is not there, or the rule does not judge it"
        )
        return observation.finding.verdict

    def changes(self) -> list[Recorded]:
        """Return the changing calls so far, of either side."""
        return [call for call in (*self.seeing.calls, *self.acting.calls) if is_change(call.name)]


class Bench:
    """Tries the handler in one folder. ``account`` is the account that clients and calls are of.

    ``used`` gathers the operations the handler's side called, over all tests of it.
    """

    account = ACCOUNT

    def __init__(self, folder: Path, scratch: Path, used: set[str]) -> None:
        self.folder = folder
        self.used = used
        self.wire = Wire()
        self._scratch = scratch
        self._stores = 0
        self._clients = BenchSessions(self.wire, lambda _name: False)
        self._pack = load_packs()
        self.declaration = self._declaration()
        self.handler = Remediations(folder.parent, {folder.name: self.declaration}).handler(folder.name)

    def _declaration(self) -> Declaration:
        """Return this folder's declaration alone: others may be half written."""
        path = self.folder / DECLARATION
        rules = {form["id"] for form in self._pack.rules}
        found, errors = read_declaration(path.read_bytes(), path.as_posix(), self.folder.name, rules)
        assert found is not None, "\n".join(map(str, errors))
        strange = unknown_operations(found)
        assert not strange, f"AWS has no {', '.join(strange)}"
        return found

    def client(self, service: str, region: str = REGION) -> Any:
        """Return a client of the server, to set things up and look at them."""
        return self._clients.client(self._clients.base, service, region)

    def stub(self, operation: str, answer: Callable[[Json], Json] | Json) -> None:
        """Answer an operation (``rds:StartExportTask``) that moto lacks or answers wrongly: say in the test which.

        ``answer`` is AWS's answer or a function of the arguments, which may raise
        :class:`policyengine.testing.wire.AwsError`. Both are held against botocore's model.
        """
        service, _, name = operation.partition(":")
        assert name in service_model(service).operation_names, f"AWS has no {operation}"
        self.wire.stubs[operation] = answer if callable(answer) else lambda _arguments: dict(answer)

    @property
    def declared(self) -> frozenset[str]:
        """What the handler may call, those that only a person takes back among it."""
        return frozenset((*self.declaration.reads, *self.declaration.writes))

    def setup(
        self,
        rule: str,
        type: str,
        id: str,
        region: str = REGION,
        *,
        parameters: Mapping[str, Any] | None = None,
        rule_parameters: Mapping[str, Any] | None = None,
        settings: Remediating | None = None,
        declaration: Declaration | None = None,
    ) -> Setup:
        """Return a kernel with a store of its own, and the real observer and hands.

        ``parameters`` are the handler's, ``rule_parameters`` the rule's, as policyengine.yaml would set them.
        """
        declared = declaration if declaration is not None else self.declaration
        waiter = Clock()
        seeing, acting = (BenchSessions(self.wire, is_change) for _ in range(2))
        found = Settings(organization={rule: dict(rule_parameters or {})})
        observer = LiveObserver(
            _doors(seeing),
            self._pack,
            settings=found,
            redact=Redactor(b"key of the bench.", looked_at),
            clock=waiter.now,
        )
        chosen = replace(
            settings if settings is not None else OPEN,
            automatic=frozenset({declared.id}),
            parameters={declared.id: dict(parameters or {})},
        )
        form = self._pack.rule(rule)
        assert form is not None, f"there is no rule `{rule}`"
        assert rule in declared.fixes, f"`{declared.id}` does not fix `{rule}`"
        remediation = Remediation(declared, self.handler)
        planner = Planner(
            observer=observer,
            hands=LiveHands(_doors(acting), {declared.id: declared}),
            remediations={declared.id: remediation},
            rules={rule: (declared.id, digest(form))},
            settings=chosen,
        )
        self._stores += 1
        store = SqliteActions(self._scratch / f"actions-{self._stores}.sqlite")
        kernel = Kernel(store=store, planner=planner, waiter=waiter, owner="bench")
        subject = Subject(rule, type, id, self.account, region)
        return Setup(kernel, seeing, acting, subject, remediation, parameters_of(declared, chosen))

    def observe(self, rule: str, type: str, id: str, region: str = REGION, **more: Any) -> Observation:
        """Return the resource as a scan would see it now, with the rule's finding."""
        made = self.setup(rule, type, id, region, **more)
        return made.kernel.planner.observer.observe(made.subject)

    def plan(self, rule: str, type: str, id: str, region: str = REGION, **more: Any) -> Outcome:
        """Plan, and see to it that nothing but reading was asked for."""
        return self.planned(self.setup(rule, type, id, region, **more))

    def refuses(self, code: str, rule: str, type: str, id: str, region: str = REGION, **more: Any) -> str:
        """See to it that planning is refused with a code of ``api.REFUSALS``; returns the words."""
        outcome = self.plan(rule, type, id, region, **more)
        assert outcome.refusal is not None, "it was planned, not refused"
        assert outcome.refusal.code == code, f"{outcome.refusal.code}: {outcome.refusal.text}"
        return outcome.refusal.text

    def planned(self, made: Setup) -> Outcome:
        """Plan with a setup. INVARIANT held: planning changes nothing and reads only what is declared."""
        before = len(made.changes())
        outcome = made.kernel.plan(made.subject, requested_by="somebody@example.com", run="run")
        assert len(made.changes()) == before, f"planning changes something: {made.changes()[before:]}"
        self.note(made)
        _not_crashed(outcome)
        return outcome

    def apply(self, made: Setup, action: Action) -> Outcome:
        """Have the action approved by as many people as it asks for, and apply it."""
        for who in PEOPLE[: action.plan["approvals"]]:
            made.kernel.approve(action.id, who, action.plan_hash)
        (outcome,) = made.kernel.apply([action.id], {action.id: action.plan_hash})
        self.note(made)
        _not_crashed(outcome)
        return outcome

    def note(self, made: Setup) -> None:
        """Hold the handler's calls against its declaration, and remember them."""
        called = {call.name for call in made.acting.calls} - (
            {"sts:GetCallerIdentity"} - self.declaration.operations
        )
        undeclared = called - self.declared
        assert not undeclared, f"called and not declared: {sorted(undeclared)}"
        self.used |= called
        seen = [call.name for call in made.seeing.calls if is_change(call.name)]
        assert not seen, f"observing changes something: {seen}"

    def laws(self, rule: str, type: str, id: str, region: str = REGION, **more: Any) -> Action:
        """Try all that holds for every handler; see :class:`policyengine.testing.laws.Laws`."""
        from policyengine.testing.laws import Laws

        return Laws(self, rule, type, id, region, **more).hold()


def _not_crashed(outcome: Outcome) -> None:
    """The kernel makes a refusal of a handler's mistake, so that no run is lost; in a test it is a mistake."""
    cause = outcome.refusal.__cause__ if outcome.refusal is not None else None
    if cause is not None:
        raise AssertionError(f"the handler crashed: {type(cause).__name__}: {cause}") from cause


def _doors(sessions: BenchSessions) -> Doors:
    own = Identity(ACCOUNT, f"arn:aws:sts::{ACCOUNT}:assumed-role/bench/session")
    return Doors(sessions, own, REGION, buckets=Buckets(100_000.0))
