"""What some reports show beside the findings: frameworks, waivers, how runs went before, what proves it all.

Every field may be empty: a report says what it was not given, and never takes it for nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

RemainsWith = Literal["people", "process", "aws", "rule", "unclear"]


@dataclass(frozen=True, slots=True)
class Remains:
    """What of a control is not decided by reading configuration, and who has to: ``people`` (their skills and
    conduct), ``process`` (what an organisation writes down and does), ``aws`` (AWS's share of responsibility), a
    ``rule`` that nobody has written yet; ``unclear`` where the standard can be read in more than one way. ``why`` is a
    sentence of ours, ``source`` an address."""

    kinds: Sequence[RemainsWith]
    why: str
    source: str


@dataclass(frozen=True, slots=True)
class FrameworkInfo:
    """A framework and all its controls, also those no rule speaks of. ``note`` says whose list it is. What ``remains``
    of a control that is not in it was not judged by anybody."""

    id: str
    title: str
    version: str
    source: str
    note: str
    controls: Sequence[str]
    remains: Mapping[str, Remains] = field(default_factory=dict)


WaiverState = Literal["active", "expired", "lapsed", "unused", "not_yet"]


@dataclass(frozen=True, slots=True)
class WaiverInfo:
    """A waiver as a run used it. ``findings`` is how many FAILs carry it; ``why`` says why it lapsed, "" where it did
    not; ``warnings`` are sentences (it expires soon, it is over-broad); ``idle_places`` are where code refers to it and nothing
    fails that it accepts. Times are RFC 3339 dates."""

    id: str
    rule: str
    scope: str
    owner: str
    approver: str
    reason: str
    ticket: str
    granted: str
    expires: str
    state: WaiverState
    findings: int = 0
    why: str = ""
    warnings: Sequence[str] = ()
    idle_places: Sequence[str] = ()


def waiver_json(info: WaiverInfo) -> dict[str, Any]:
    """Return a waiver as the documents of a run have it."""
    form = {**asdict(info), "warnings": list(info.warnings), "idle_places": list(info.idle_places)}
    if not info.idle_places:
        del form["idle_places"]
    return form


def waiver_info_of(form: Mapping[str, Any]) -> WaiverInfo:
    """Return what :func:`waiver_json` wrote. Raises TypeError, KeyError for anything else."""
    lists = {"warnings": tuple(form["warnings"]), "idle_places": tuple(form.get("idle_places", ()))}
    return WaiverInfo(**{**form, **lists})


@dataclass(frozen=True, slots=True)
class BaselineInfo:
    """What became of the failures a project began with. ``open`` still fail with the same values and are debt; ``changed``
    fail with others and are not accepted; ``fixed`` pass, and ``not_applicable`` no longer apply: both can be removed;
    ``unknown`` are not determined; ``unseen`` were not looked at, or their resource is gone."""

    name: str
    written: str
    open: int = 0
    changed: int = 0
    fixed: int = 0
    not_applicable: int = 0
    unknown: int = 0
    unseen: int = 0


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One run in the history of a target. ``verdicts`` by verdict; ``new``, ``fixed`` and ``reopened`` count findings
    against the run before, None where there is none. ``gap_before``: more time has passed since the run before than
    was agreed, and nothing is known of it."""

    at: str
    run: str
    complete: bool
    verdicts: Mapping[str, int]
    waived: int = 0
    new: int | None = None
    fixed: int | None = None
    reopened: int | None = None
    gap_before: bool = False
    milestone: str | None = None


@dataclass(frozen=True, slots=True)
class Repairs:
    """Findings of one severity over a history: how many were repaired and in what time, from the run that saw them fail first
    to the run that saw them pass; how many are open and since when. Times are in words (``2d 3h``), None where there are none."""

    severity: str
    fixed: int
    median: str | None
    longest: str | None
    open: int
    oldest: str | None
    reopened: int


@dataclass(frozen=True, slots=True)
class Milestones:
    """What became of failures from one named run to another: of each severity a count for each of ``words``."""

    before: str
    before_at: str
    after: str
    after_at: str
    words: Sequence[str]
    rows: Sequence[tuple[str, Sequence[int]]]


@dataclass(frozen=True, slots=True)
class PlaceLooked:
    """What was expected and collected of one account and region; ``missing`` are (type, reason) pairs."""

    account: str
    region: str
    expected: int
    collected: int
    missing: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Proof:
    """What a reader can check a report against. Digests are ``sha256:…``."""

    population_root: str
    population: int
    results_root: str
    results: int
    signer: str | None = None
    """Fingerprint of the key; None where nobody signed."""
    previous: str | None = None
    """Digest of the manifest of the bundle before."""


@dataclass(frozen=True, slots=True)
class Extras:
    """All of it."""

    frameworks: Mapping[str, FrameworkInfo] = field(default_factory=dict)
    pack: Mapping[str, Mapping[str, Sequence[tuple[str, str]]]] = field(default_factory=dict)
    """rule id -> framework id -> (control, ``whole`` or ``part``), of every rule of the pack, also those that the run
    did not ask: a control is not decided wholly where a rule that would decide it was left out."""
    remediations: Mapping[str, str] = field(default_factory=dict)
    """remediation id -> its mode: ``automatic``, ``approval`` or ``plan``."""
    trend: Sequence[TrendPoint] = ()
    repairs: Sequence[Repairs] = ()
    milestones: Milestones | None = None
    looked: Sequence[PlaceLooked] = ()
    rule_texts: Mapping[str, str] = field(default_factory=dict)
    """rule id -> its YAML as it was used."""
    shadow_ai: Mapping[str, Any] | None = None
    """The document of ``shadow-ai --format json``; None where nobody looked."""
    proof: Proof | None = None
