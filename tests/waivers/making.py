"""Snapshots, waivers and runs for the tests of waivers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from policyengine.config.settings import Settings
from policyengine.config.waivers import Baseline, Waiver, Waiving
from policyengine.engine.evaluate import Evaluator
from policyengine.engine.piece import Wanted
from policyengine.engine.scan import Scan
from policyengine.model.finding import Finding
from policyengine.model.reasons import VERDICTS
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets

Json = dict[str, Any]
ACCOUNT = "111122223333"
REGION = "eu-west-1"
CLOSED = dict.fromkeys(
    ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), True
)
RULES = ("s3-versioning", "s3-bucket-public-access-block", "s3-account-public-access-block", "tags-mandatory")


@cache
def pack(*rules: str) -> Pack:
    """The rules of these ids, of those that are shipped."""
    whole = load_packs()
    forms = tuple(form for form in whole.rules if form["id"] in (rules or RULES))
    assert len(forms) == len(rules or RULES)
    return replace(whole, rules=forms)


def bucket(
    name: str, account: str = ACCOUNT, tags: Mapping[str, str] | None = None, **properties: Any
) -> Json:
    """A bucket as a line of a snapshot."""
    return {
        "type": "AWS::S3::Bucket", "id": name, "account": account, "region": REGION, "arn": f"arn:aws:s3:::{name}",
        "properties": {"BucketName": name, **properties}, "tags": dict(tags or {}),
    }  # fmt: skip


def account(closed: bool | None, id_: str = ACCOUNT) -> Json:
    """An account as a line of a snapshot, whose public access is blocked, or not, or not known."""
    properties: Json = (
        {} if closed is None else {"PublicAccessBlockConfiguration": dict.fromkeys(CLOSED, closed)}
    )
    unknown = {
        "unknown": [
            {"path": "/PublicAccessBlockConfiguration", "reason": "access_denied", "detail": "s3control"}
        ]
    }
    line = {"type": "AWS::::Account", "id": id_, "account": id_, "region": "global", "properties": properties}
    return line if closed is not None else {**line, **unknown}


def waiver(**given: Any) -> Waiver:
    """A waiver of versioning, everywhere, that holds in 2026."""
    plain = Waiver("W-1", ("s3-versioning",), "Ana", "Ben", "scratch", "SEC-1", "2026-01-01", "2026-12-31")
    return replace(plain, **given)


def waiving(*waivers: Waiver, baseline: Baseline | None = None) -> Settings:
    """Settings with these, and the forms of what compensates."""
    whole = pack(*RULES)
    comps = {w.compensating.rule for w in waivers if w.compensating is not None}
    forms = {form["id"]: form for form in whole.rules if form["id"] in comps}
    return Settings(waiving=Waiving(tuple(waivers), baseline, rules=forms))


def write(folder: Path, lines: Sequence[Json], name: str = "one.ndjson") -> Path:
    """A file of lines, in the order of snapshots."""
    path = folder / name
    ordered = sorted(lines, key=lambda each: (each["account"], each["region"], each["type"], each["id"]))
    path.write_text("".join(json.dumps(each) + "\n" for each in ordered))
    return path


def scan_of(
    target: Path,
    settings: Settings,
    *rules: str,
    day: str = "2026-06-01",
    wanted: Wanted | None = None,
    jobs: int = 1,
) -> Scan:
    """A scan of a target on a day."""
    now = datetime.fromisoformat(day).replace(tzinfo=UTC)
    found = open_targets([str(target)], SourceOptions())
    assert found.errors == []
    evaluator = Evaluator(pack(*rules), now=now, settings=settings)
    return Scan(evaluator, found.sources, wanted or Wanted(frozenset(VERDICTS)), jobs=jobs)


def judged(target: Path, settings: Settings, *rules: str, day: str = "2026-06-01") -> list[Finding]:
    """All findings of a target on a day."""
    return list(scan_of(target, settings, *rules, day=day).findings())


def failing(found: Sequence[Finding], rule: str = "s3-versioning") -> dict[str, Finding]:
    """The FAILs of a rule by the id of the resource."""
    return {each.resource_id: each for each in found if each.rule == rule and each.verdict == "FAIL"}


def pins_of(target: Path, rule: str = "s3-versioning", **given: Any) -> dict[str, dict[str, str]]:
    """The id of each FAIL of a rule, with the values it rests on."""
    from policyengine.cli.waivers.common import failing_of

    found = failing_of(scan_of(target, given.pop("settings", Settings()), rule, **given), (rule,))
    return {each.finding.id: dict(each.pin) for each in found}
