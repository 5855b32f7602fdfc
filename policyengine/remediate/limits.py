"""How much may be changed. Limits fail whole: past one of them none of a run's changes is made, never a portion
(c7n #4997)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from policyengine.config.remediation import Limits, Remediating
from policyengine.remediate.api import Refused
from policyengine.store.actions import VERIFIED, Action, ActionStore, Count, UnfitError

KEPT: Final = 3 * 3600.0
"""Seconds that counters are kept: longer than any window they stand for."""
_DAY: Final = timedelta(hours=24)


def reserve(store: ActionStore, actions: Sequence[Action], settings: Remediating, now: float) -> None:
    """Count the changes of a run before the first is made. Raises Refused (``limit``), and has counted nothing then.

    What is reserved is not given back, also where a later guard refuses: a limit is about what was let through.
    """
    limits = settings.limits
    accounts = {action.account for action in actions}
    if len(accounts) > limits.accounts:
        raise Refused(
            "limit",
            f"the run would change {len(accounts)} accounts; at most {limits.accounts} are allowed "
            "(`remediation.limits.accounts`), so nothing was changed",
        )
    if len(actions) > limits.run:
        raise Refused(
            "limit",
            f"{len(actions)} changes at once, in whatever runs they were planned, are more than the limit of a run "
            f"({limits.run}, `remediation.limits.run`); none of them was made",
        )
    try:
        full = store.count(_counts(actions, limits, now), now=now, seconds=KEPT)
    except UnfitError as unfit:
        raise Refused("limit", f"the limits of so many at once cannot be kept: {unfit}") from None
    if full is not None:
        raise Refused(
            "limit",
            f"at most {full.most} {_named(full.name)} {'is' if full.most == 1 else 'are'} allowed, those of before counted in; "
            f"none of the {len(actions)} asked for was made",
        )


def _counts(actions: Sequence[Action], limits: Limits, now: float) -> list[Count]:
    """Every change counts in its clock hour and the next, so that no 60 minutes ever hold more than the limit."""
    hours = [_hour(now), _hour(now + 3600)]
    counts = [Count(f"run/{run}", n, limits.run) for run, n in Counter(a.run for a in actions).items()]
    counts += [Count(f"hour/{hour}", len(actions), limits.hour) for hour in hours]
    alike: dict[tuple[str, str], list[Action]] = {}
    for action in actions:
        alike.setdefault((action.account, action.type), []).append(action)
    for (account, type), same in alike.items():
        population = min(action.plan["population"] for action in same)
        most = max(1, int(population * limits.share))
        counts += [Count(f"share/{account}/{type}/{hour}", len(same), most) for hour in hours]
    return counts


def _hour(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H")


def _named(counter: str) -> str:
    kind, _, rest = counter.partition("/")
    if kind == "share":
        account, _, more = rest.partition("/")
        return f"changes of {more.rpartition('/')[0]} of account {account} in an hour (`remediation.limits.share`)"
    return {
        "run": "changes of one run (`remediation.limits.run`)",
        "hour": "changes in an hour (`remediation.limits.hour`)",
    }[kind]


def not_flapping(store: ActionStore, resource: str, rule: str, settings: Remediating, now: float) -> None:
    """Refuse what was repaired lately and did not stay so: somebody or something puts it back (azul #4892)."""
    since = (datetime.fromtimestamp(now, UTC) - _DAY).isoformat()
    times = sum(1 for _ in store.find(states=(VERIFIED,), resource=resource, rule=rule, since=since))
    if times >= settings.flaps:
        raise Refused(
            "flapping",
            f"it was repaired {times} times within 24 hours and fails again: find out who puts it back "
            "(`policyengine drift --trail` names who), then repair it there",
        )


def waves(actions: Sequence[Action], shares: Sequence[float]) -> list[Sequence[Action]]:
    """Cut a run into waves of growing size: each share is of the whole run, at least one action more than before."""
    found, done = [], 0
    for share in (*shares, 1.0):
        end = len(actions) if share >= 1.0 else min(len(actions), max(done + 1, round(len(actions) * share)))
        if end > done:
            found.append(actions[done:end])
            done = end
    return found
