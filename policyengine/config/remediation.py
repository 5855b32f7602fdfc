"""What an organisation lets remediation do: the `remediation` section of ``policyengine.yaml``, with its defaults.

Every limit is on by default; nothing is changed without a person by default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class Repair(NamedTuple):
    """What the section may say of a remediation: its ``mode`` (``automatic`` is the only one that may run without a
    person), and ``check``: (parameter, value) -> what is wrong with it, or None."""

    mode: str
    check: Callable[[str, Any], str | None]


@dataclass(frozen=True)
class Window:
    """When changes may be made: ``days`` (0 Monday to 6 Sunday), local ``start`` to ``end`` (``HH:MM``; past midnight
    where the end is earlier) in the IANA time zone ``zone``."""

    days: tuple[int, ...]
    start: str
    end: str
    zone: str = "UTC"


@dataclass(frozen=True)
class Freeze:
    """When no change may be made: ISO 8601 times, from the first up to the second."""

    start: str
    end: str
    why: str = ""


@dataclass(frozen=True)
class Limits:
    """``run`` changes in one run; ``share`` of the resources of a type in an account (0.05 is 5 %, at least one) in an
    hour; ``hour`` changes in an hour and ``accounts`` accounts a run. Past a limit none of the changes is made."""

    run: int = 10
    share: float = 0.05
    hour: int = 20
    accounts: int = 5


@dataclass(frozen=True)
class Breaker:
    """Opens at ``failures`` failed changes, or at ``share`` of at least ``least`` of them, within ``seconds``;
    after ``pause`` seconds one change may try whether it closes."""

    failures: int = 3
    share: float = 0.2
    least: int = 5
    seconds: int = 3600
    pause: int = 1800


@dataclass(frozen=True)
class Approving:
    """How many people have to approve, besides what a remediation itself asks for.

    By severity of the rule, by environment (value of the tag ``environment_tag``; ``unknown`` where it is not read or
    absent), and for what is ``destructive``; the greatest counts. An approval runs out after ``hours``.
    """

    severities: Mapping[str, int] = field(default_factory=dict)
    environments: Mapping[str, int] = field(default_factory=lambda: {"production": 1, "prod": 1})
    destructive: int = 2
    environment_tag: str = "Environment"
    hours: int = 24


@dataclass(frozen=True)
class Remediating:
    """The section. ``automatic`` are the remediations that may run without a person; ``parameters`` the values of each
    remediation's own parameters. ``exclusion_tags``: a resource that carries one of them is left alone and told about.
    ``owned_by_code``: ``propose`` (a patch for the template) or ``change``. ``settling`` are seconds since creation
    in which nothing is changed; ``plan_hours`` is how long a plan holds; ``flaps`` repairs of one resource and rule
    within 24 hours stop further ones; ``repeat_seconds`` is how long the same request gets the same answer.
    ``waves`` are shares of a run that go first, each verified before the next."""

    enabled: bool = True
    automatic: frozenset[str] = frozenset()
    exclusion_tags: tuple[str, ...] = ("policyengine:no-remediation",)
    owned_by_code: str = "propose"
    settling: int = 300
    plan_hours: int = 24
    flaps: int = 2
    repeat_seconds: int = 3600
    windows: tuple[Window, ...] = ()
    freezes: tuple[Freeze, ...] = ()
    waves: tuple[float, ...] = (0.0, 0.05, 0.25)
    limits: Limits = Limits()
    breaker: Breaker = Breaker()
    approving: Approving = field(default_factory=Approving)
    parameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
