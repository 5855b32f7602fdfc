"""What accepts failures: waivers, which a person grants until a day, and a baseline, which nobody has granted.

A finding that one of them accepts stays a FAIL (docs/decisions/0017-waivers-and-baselines.md).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Json = dict[str, Any]
Ended = Literal["expired", "refused", "not_yet"]
DEFAULT_DAYS: Final = 365
SHOWN: Final = ("id", "owner", "approver", "reason", "ticket", "granted", "expires")


@dataclass(frozen=True, slots=True)
class Compensating:
    """A rule that has to PASS for a waiver to hold: on the same resource, on the account it is in where the rule is about
    accounts, or on ``resource``."""

    rule: str
    resource: str | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """One entry of ``waivers.yaml``. It is about what every scope it names holds for; one that names none is over-broad.

    ``granted`` is the first day (UTC) on which it holds, ``expires`` the first on which it no longer does.
    ``pins``: finding id -> path -> digest of the values that were accepted; None: whatever they are. ``refused`` says why
    it holds on no day (it is not signed as it has to be), "" where it does. ``in_place``: it is only about resources at which
    code refers to it.
    """

    id: str
    rules: tuple[str, ...]
    owner: str
    approver: str
    reason: str
    ticket: str
    granted: str
    expires: str
    resources: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    ous: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    pins: Mapping[str, Mapping[str, str]] | None = None
    compensating: Compensating | None = None
    signature: Mapping[str, str] | None = None
    refused: str = ""
    in_place: bool = False

    @property
    def is_broad(self) -> bool:
        """Whether nothing narrows it."""
        return not (self.resources or self.accounts or self.ous or self.tags or self.in_place)

    def ended(self, day: str) -> tuple[Ended, str] | None:
        """Return why it accepts nothing on a day (UTC, ``2026-11-22``), with what it does in words: "expired on …"; None
        where it may accept something."""
        if day >= self.expires:
            return "expired", f"expired on {self.expires}"
        if self.refused:
            return "refused", f"does not hold: {self.refused}"
        return ("not_yet", f"holds from {self.granted} on") if day < self.granted else None

    def signed(self) -> Json:
        """Return what its approver signs: all it says, but the signature."""
        scope = {
            "resource": list(self.resources),
            "account": list(self.accounts),
            "ou": list(self.ous),
            "tag": dict(self.tags),
            "in_place": self.in_place,
        }
        comp = self.compensating
        return {
            **{name: getattr(self, name) for name in SHOWN},
            "rule": list(self.rules),
            "scope": {key: value for key, value in scope.items() if value},
            "pin": None if self.pins is None else {key: dict(pin) for key, pin in self.pins.items()},
            "compensating": None if comp is None else {"rule": comp.rule, "resource": comp.resource},
        }

    @property
    def scope(self) -> str:
        """What it is about, in words."""
        parts = [
            *(["what code refers to it"] if self.in_place else []),
            *(f"resource {name}" for name in self.resources),
            *(f"account {name}" for name in self.accounts),
            *(f"OU {name}" for name in self.ous),
            *(f"tag {key}={value}" for key, value in sorted(self.tags.items())),
        ]
        return ", ".join(parts) or "everywhere"

    def shown(self) -> Json:
        """Return what a finding says of it, its names in the order in which kept rows have them: reports have the same
        bytes from a scan and from the run it kept."""
        return dict(sorted({**{name: getattr(self, name) for name in SHOWN}, "kind": "waiver"}.items()))


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """A FAIL that was there when the baseline was written. ``resource`` is the identity of the resource, ``values`` the
    digest over the values the rule read."""

    id: str
    rule: str
    resource: tuple[str, str, str, str]
    values: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """The failures a project began with. ``written`` is the RFC 3339 time of the run they were found in."""

    name: str
    written: str
    entries: Sequence[BaselineEntry] = ()

    def shown(self) -> Json:
        """Return what a finding says of it: nobody owns or approved it, and it has no end."""
        return {"granted": self.written[:10], "id": self.name, "kind": "baseline"}


@dataclass(frozen=True, slots=True)
class Waiving:
    """All that accepts failures in a run. ``maximum_days`` bounds how long a waiver may hold. ``rules`` are the compiled
    forms of compensating rules, which a run may need without asking anything else of them. ``files``, ``baseline_file`` and
    ``approvers`` (name -> files of public keys) are as the configuration has them; ``files`` None: it names none.
    """

    waivers: Sequence[Waiver] = ()
    baseline: Baseline | None = None
    maximum_days: int = DEFAULT_DAYS
    rules: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    files: Sequence[str] | None = None
    baseline_file: str | None = None
    approvers: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.waivers) or self.baseline is not None

    @property
    def asks_for_units(self) -> bool:
        """Whether some waiver is for an OU."""
        return any(waiver.ous for waiver in self.waivers)


def read_waiving(form: Mapping[str, Any]) -> Waiving:
    """Return what ``config.compiled`` wrote. Raises KeyError, TypeError, ValueError for anything else."""
    baseline = form["baseline"]
    return Waiving(
        [_waiver(each) for each in form["waivers"]],
        None if baseline is None else _baseline(baseline),
        form["maximum_days"],
        dict(form["rules"]),
        form["files"],
        form["baseline_file"],
        dict(form["approvers"]),
    )


def _waiver(form: Mapping[str, Any]) -> Waiver:
    given = dict(form)
    for name in ("rules", "resources", "accounts", "ous"):
        given[name] = tuple(given[name])
    comp = given["compensating"]
    given["compensating"] = None if comp is None else Compensating(**comp)
    return Waiver(**given)


def _baseline(form: Mapping[str, Any]) -> Baseline:
    entries = []
    for each in form["entries"]:
        account, region, type_, id_ = each["resource"]
        entries.append(BaselineEntry(each["id"], each["rule"], (account, region, type_, id_), each["values"]))
    return Baseline(form["name"], form["written"], entries)
