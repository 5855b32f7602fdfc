"""What holds for every remediation, tried on one resource that fails its rule.

1. Planning changes nothing, and planned again it is the same change.
2. Applied, the resource passes, is as the plan said, and only what the plan names was called.
3. Planned again there is nothing to do; applied again nothing is called.
4. Rolled back it is exactly as it was, and fails again.
5. Whichever call fails, in whichever way, it is as it was before or as planned, or the action says where it stands.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS
from policyengine.store.actions import Action
from policyengine.testing.wire import FAULTS

if TYPE_CHECKING:
    from policyengine.testing.remediations import Bench, Setup

_GOOD: Final = (PASS, NOT_APPLICABLE)


class Laws:
    """One trial. ``again`` makes another resource that fails alike and returns its id, for handlers whose changes cannot
    be taken back whole; ``faults`` False leaves law 5 out, with the reason in the test."""

    def __init__(
        self,
        bench: Bench,
        rule: str,
        type: str,
        id: str,
        region: str,
        *,
        again: Callable[[], str] | None = None,
        faults: bool = True,
        **more: Any,
    ) -> None:
        self.bench = bench
        self.place = (rule, type)
        self.id = id
        self.region = region
        self.again = again
        self.faults = faults
        self.more = more
        self.declaration = bench.declaration

    def hold(self) -> Action:
        """Try all laws; returns the action that was applied."""
        if self.declaration.mode == "plan":
            self._only_proposes()
            # what it proposes must hold too: from here on it is tried as if it could be approved
            self.declaration = replace(self.declaration, mode="approval", approvals=1)
        assert self._setup().verdict() == FAIL, self._why()
        applied = self._applied()
        if self.declaration.reversible != "no":
            self._rolled_back(*applied)
        if self.faults:
            self._each_fault(len(applied[1].plan["steps"]))
        return applied[1]

    def _setup(self) -> Setup:
        return self.bench.setup(*self.place, self.id, self.region, declaration=self.declaration, **self.more)

    def _why(self) -> str:
        found = self.bench.observe(*self.place, self.id, self.region, **self.more).finding
        return f"it must fail before it can be repaired; {found.verdict if found else 'nothing'}: {found}"

    def _planned(self, made: Setup) -> Action:
        outcome = self.bench.planned(made)
        assert outcome.refusal is None, f"refused: {outcome.refusal.code}: {outcome.refusal.text}"
        assert outcome.action is not None
        return outcome.action

    def _only_proposes(self) -> None:
        made = self.bench.setup(*self.place, self.id, self.region, **self.more)
        action = self._planned(made)
        assert action.plan["plan_only"]
        (outcome,) = made.kernel.apply([action.id], {action.id: action.plan_hash})
        assert outcome.refusal is not None and outcome.refusal.code == "plan_only"
        assert made.changes() == []

    def _applied(self) -> tuple[Setup, Action]:
        made = self._setup()
        action = self._planned(made)
        assert action.plan["before"] == made.image(), "the plan's `before` is not what is there"
        same = self._planned(self._setup())
        assert same.plan_hash == action.plan_hash, "planned twice, it is two different changes"
        outcome = self.bench.apply(made, action)
        done = outcome.action
        assert outcome.refusal is None, f"refused: {outcome.refusal.code}: {outcome.refusal.text}"
        assert done is not None and done.state == "verified", (
            f"{done.state if done else ''}: {done.reason if done else ''}"
        )
        assert made.verdict() in _GOOD
        assert made.image() == action.plan["after"], "what is there is not the plan's `after`"
        called = [call.name for call in made.changes()]
        meant = [f"{s['call']['service']}:{s['call']['operation']}" for s in action.plan["steps"]]
        assert called == meant, f"the plan says {meant}, called was {called}"
        self._again_is_nothing(made, action)
        return made, done

    def _again_is_nothing(self, made: Setup, action: Action) -> None:
        before = len(made.changes())
        (outcome,) = made.kernel.apply([action.id], {action.id: action.plan_hash})
        assert outcome.refusal is not None, "a finished action was applied again"
        fresh = self._setup()
        planned = self.bench.planned(fresh)
        assert planned.refusal is not None and planned.refusal.code in ("not_failing", "unsupported"), planned
        assert len(made.changes()) == before and fresh.changes() == []

    def _rolled_back(self, made: Setup, action: Action) -> None:
        outcome = made.kernel.rollback(action.id, "somebody@example.com")
        self.bench.note(made)
        done = outcome.action
        assert outcome.refusal is None, f"refused: {outcome.refusal.code}: {outcome.refusal.text}"
        assert done is not None
        if self.declaration.reversible == "full":
            assert done.state == "rolled_back", f"{done.state}: {done.reason}"
            assert made.image() == action.plan["before"], "rolled back, it is not as it was"
            assert made.verdict() == FAIL, "rolled back, it does not fail any more"
        else:
            told = done.state == "rolled_back" or (done.state == "failed" and done.reason)
            assert told, f"{done.state}: {done.reason}"

    def _each_fault(self, steps: int) -> None:
        """Let each call of the plan fail in each way. What was done and never answered comes last: it may leave things
        behind that nobody knows the names of."""
        for kind in FAULTS:
            for number in range(steps):
                if self.again is not None:
                    self.id = self.again()
                if not self._one_fault(number, kind):
                    return

    def _one_fault(self, number: int, kind: str) -> bool:
        """Say whether the resource is as it was, so that another fault can be tried on it."""
        made = self._setup()
        action = self._planned(made)
        before, after = action.plan["before"], action.plan["after"]
        made.acting.arm(number, kind)
        outcome = self.bench.apply(made, action)
        assert made.acting.disarm(), f"call {number} of the plan was not made"
        done = outcome.action
        assert done is not None
        where = f"call {number} {kind}: {done.state}: {done.reason}"
        now = made.image()
        if done.state == "verified":
            assert kind == "lost", where
            assert now == after and made.verdict() in _GOOD, where
            if self.declaration.reversible == "full" and self.again is None:
                self._rolled_back(made, done)
            return self.again is not None or self.declaration.reversible == "full"
        assert done.state == "failed" and done.reason, where
        if now != before:
            assert kind == "lost" or self.declaration.reversible != "full", where
            assert done.code == "stands_between" and "steps:" in done.reason, where
        return now == before or self.again is not None
