"""A snapshot that changes from run to run, with one file of results: the same bytes as without.

An organisation of three accounts with roles, users, groups, policies, SCPs, networks and stores. Each run has
random edits behind it: resources go, come back, change somewhere; coverage is withdrawn, calls fail, the clock
moves, parameters are set, rules are left out.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from benchmarks import iam_data, snapshot_data
from policyengine.config.settings import ScopedParameters, Settings
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.kept.file import ResultFile
from policyengine.engine.kept.keeping import KeepingEvaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import Scan
from policyengine.model.reasons import FAIL, UNKNOWN, VERDICTS
from policyengine.model.resource import Coverage, Resource
from policyengine.model.values import Unresolved
from policyengine.reports.json_report import NdjsonReport
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.snapshot import open_snapshot, write_snapshot
from policyengine.sources.snapshot.lines import parse_line
from tests.soundness.holes import HOLE, copy_of, places, value_at, with_value

from .memory import ENGINE

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ALL, FEW = Wanted(frozenset(VERDICTS)), Wanted(frozenset((FAIL, UNKNOWN)), 5)
REGION = iam_data.REGION


def people(account: str) -> Iterator[Resource]:
    """Yield a group with two users, one with a policy that names it."""
    arn = f"arn:aws:iam::{account}:policy/policy00"
    yield _iam(account, "Group", "admins", {"GroupName": "admins", "ManagedPolicyArns": [arn]})
    for name in ("ann", "bob"):
        own = {"UserName": name, "Groups": ["admins"] if name == "ann" else [], "PermissionsBoundary": arn}
        yield _iam(account, "User", name, own)
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}],
    }
    yield _iam(
        account, "ManagedPolicy", "named", {"PolicyDocument": document, "Users": ["bob"], "Groups": []}
    )


def _iam(account: str, type_: str, id_: str, properties: dict[str, Any]) -> Resource:
    return Resource(f"AWS::IAM::{type_}", id_, account, "global", properties, tags={})


def population() -> list[Resource]:
    """Return what the organisation holds on the first day."""
    ids = [f"{100_000_000_000 + n}" for n in range(3)]
    found = list(iam_data.organization(ids))
    for index, id_ in enumerate(ids):
        found += iam_data.account(id_, 9, 6)
        found += people(id_)
        place = snapshot_data.Place(id_, REGION, index)
        snapshot_data.fill(place)
        kept = [r for n, r in enumerate(place.records) if n % 15 == 0 or "Account" in r["type"]]
        found += (parse_line(json.dumps(record).encode()) for record in kept)
        found.append(Resource("AWS::::Account", id_, id_, "global", {"AccountId": id_}))
    return sorted({r.identity: r for r in found}.values(), key=lambda r: r.identity)


class Days:
    """The organisation from day to day."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.first = population()
        self.today = list(self.first)
        self.coverage: Coverage = frozenset((r.account or "", r.region or "", "*") for r in self.first)
        self.failed: dict[tuple[str, str, str], Unresolved] = {}
        self.now = NOW
        self.settings = Settings()
        self.rules = load_packs().rules

    def pass_by(self) -> None:
        """Change something."""
        for _ in range(self.rng.randint(0, 4)):
            self.rng.choice((self._edit, self._edit, self._edit, self._remove, self._return))()
        self.rng.choice((self._cover, self._time, self._set, self._choose, *(lambda: None,) * 8))()

    def _edit(self) -> None:
        index = self.rng.randrange(len(self.today))
        resource = self.today[index]
        found = list(places([resource], frozenset()))
        if not found:
            return
        place = self.rng.choice(found)
        donor = self.rng.choice([r for r in self.first if r.type == resource.type])
        try:
            value = value_at([donor], place)
        except (LookupError, TypeError, AttributeError):
            value = HOLE
        if place.side == "related" and len(place.path) == 1 and not isinstance(value, list):
            return
        if place.side == "tags" and not isinstance(value, str):
            value = "another"
        self.today[index] = with_value([resource], place, value)[0]

    def _remove(self) -> None:
        del self.today[self.rng.randrange(len(self.today))]

    def _return(self) -> None:
        there = {r.identity for r in self.today}
        gone = [r for r in self.first if r.identity not in there]
        self.today += [self.rng.choice(gone)] if gone else []
        self.today.sort(key=lambda r: r.identity)

    def _cover(self) -> None:
        account, region, _ = place = self.rng.choice(sorted(self.coverage))
        if len(self.coverage) < 6:
            self.coverage = frozenset((r.account or "", r.region or "", "*") for r in self.first)
            self.failed = {}
            return
        self.coverage -= {place}
        type_ = self.rng.choice(["AWS::IAM::ManagedPolicy", "AWS::EC2::SecurityGroup", "AWS::KMS::Key"])
        self.failed = {(account, region, type_): Unresolved("access_denied", "the call")}

    def _time(self) -> None:
        self.now += timedelta(days=self.rng.choice((1, 100)))

    def _set(self) -> None:
        account = self.rng.choice([r.account for r in self.first])
        tags = self.rng.choice((["Owner"], ["Owner", "Team"]))
        one = ScopedParameters({"tags-mandatory": {"keys": tags}}, account=account)
        self.settings = replace(self.settings, scoped=self.rng.choice(((), (one,))))

    def _choose(self) -> None:
        every = load_packs().rules
        self.rules = self.rng.choice((every, tuple(r for r in every if r["family"] != "network")))

    def scan(
        self, folder: Path, file: ResultFile | None, wanted: Wanted, jobs: int = 1
    ) -> tuple[str, Any, int]:
        """Return the findings as text, the counts, and how many pairs were judged."""
        target = write_snapshot(
            folder, [copy_of(r) for r in self.today], created=snapshot_data.CREATED, coverage=self.coverage
        )
        source = open_snapshot(target, SourceOptions())
        source.failed = dict(self.failed)
        pack = Pack("sha256:test", tuple(self.rules))
        evaluator = Evaluator(pack, now=self.now, settings=self.settings)
        if file is not None:
            source.digests = True
            evaluator = KeepingEvaluator(pack, now=self.now, file=file, engine=ENGINE, settings=self.settings)
        scan = Scan(evaluator, [source], wanted, jobs=jobs)
        text = "".join(map(NdjsonReport.line, scan.findings()))
        assert evaluator.close() == []
        return (
            text,
            (scan.counts, [str(e) for e in (*scan.errors, *source.errors)]),
            getattr(evaluator, "judged", 0),
        )


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_every_day_is_as_without(tmp_path: Path, seed: int) -> None:
    days = Days(seed)
    file = ResultFile(tmp_path / "kept")
    total = judged = 0
    for day in range(12):
        wanted = days.rng.choice((ALL, ALL, FEW))
        plain, counts, _ = days.scan(tmp_path / f"{day}-plain", None, wanted)
        text, same, number = days.scan(tmp_path / f"{day}-kept", file, wanted)
        assert text == plain
        assert same == counts
        judged += number if day else 0
        total += sum(counts[0].verdicts.values()) if day else 0
        days.pass_by()
    assert judged < total / 3


def test_an_unchanged_snapshot_judges_nothing(tmp_path: Path) -> None:
    days = Days(0)
    file = ResultFile(tmp_path / "kept")
    first, _, all_ = days.scan(tmp_path / "a", file, ALL)
    again, _, none = days.scan(tmp_path / "b", file, ALL)
    assert (again, none) == (first, 0)
    assert all_ > 1000


def test_processes_share_the_file(tmp_path: Path) -> None:
    days = Days(3)
    plain, counts, _ = days.scan(tmp_path / "a", None, ALL)
    for name in "bc":
        text, same, _ = days.scan(tmp_path / name, ResultFile(tmp_path / "kept"), ALL, jobs=2)
        assert (text, same) == (plain, counts)
    _, _, judged = days.scan(tmp_path / "d", ResultFile(tmp_path / "kept"), ALL)
    assert judged == 0
