"""A run as history takes it in: what it is, where it looked, and one row for each resource, in order."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.history.compare import Rules
from policyengine.history.looked import Looked
from policyengine.history.moments import moment, written
from policyengine.model.errors import InputError, UsageError
from policyengine.model.finding import identity_key
from policyengine.model.reasons import LETTERS
from policyengine.model.run_directory import is_run_directory
from policyengine.rules.recorded import deciding_text
from policyengine.store.coverage import read_coverage
from policyengine.store.rundir import RunReader, read_findings, read_run

Json = Mapping[str, Any]
Identity = tuple[str, str, str, str]
_WORST: Final = "FUPN-"


class Row(NamedTuple):
    """One resource in a run. ``letters`` has the verdict of each of ``rules``: P, F, U, N, or ``-`` where the rule was
    not asked. ``waived`` counts FAILs that somebody accepted. ``location`` is of code only: the file."""

    identity: Identity
    type: str
    rules: tuple[str, ...]
    letters: str
    waived: int

    @property
    def key(self) -> bytes:
        """What sorts as the identity does, and is the same for the same resource in all runs."""
        return identity_key(self.identity)


class RunRead:
    """What a run says of itself. Raises InputError where the path is no run, or says not when it was.

    ``at`` is the time that its findings are of: when its data began to be collected (the oldest, of several inputs; what does
    not say so is of the clock of the run). ``judged`` is that clock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run: Json = read_run(path)
        run = self.run
        self.id, at = str(run.get("id") or ""), str(run.get("as_of") or run.get("started_at") or "")
        if not self.id or not at:
            raise InputError(
                f"`{path}` does not say when it ran; history takes run directories (`scan -o DIR`) and reports that hold "
                "their run (`--format json`, `--format ndjson`)"
            )
        try:
            self.judged = written(moment(at))
            self.at = written(min(moment(each or at) for each in _created(path)))
        except UsageError:
            raise InputError(
                f"`{path}` says that it is of `{at[:40]}`, which is no time; it is damaged"
            ) from None
        self.complete = bool(run.get("complete", False))
        self.rules = rules_of_run(path)
        scope = run.get("scope")
        self.scope: Json = scope if isinstance(scope, dict) else {}

    def about(self) -> dict[str, Any]:
        """What is kept of the run beside its times: what was asked, and which places could not be read."""
        return {
            "targets": [str(target) for target in self.scope.get("targets") or ()],
            "accounts": [str(account) for account in self.scope.get("accounts") or ()],
            "regions": [str(region) for region in self.scope.get("regions") or ()],
            "errors": len(self.run.get("errors") or ()),
            "engine": str(self.run.get("engine_version") or ""),
        }

    def compared(self, before: Iterable[Json] | None) -> Rules:
        """Return what tells whether the run could read where a finding was, and whether the rules changed."""
        return Rules(before, self.rules, unread(self.run), lost(self.run))

    def looked(self) -> Looked:
        """Return where the run looked, as far as it is known before its rows are read."""
        targets = self.scope.get("targets")
        return Looked(read_coverage(self.path), map(str, targets) if isinstance(targets, list) else None)

    def rows(self) -> Iterator[Row]:
        """Yield the rows in order of their keys. Those of reports that are in another order are sorted in memory."""
        if is_run_directory(self.path):
            return _merged(_in_order(rows_of_directory(RunReader(self.path)), self.path))
        if ordered(rows_of(read_findings(self.path))):
            return rows_of(read_findings(self.path))
        return _merged(sorted(rows_of(read_findings(self.path)), key=lambda row: row.key))


def _created(path: Path) -> list[str | None]:
    """When the data of each input of a run directory began to be collected, None where it does not say."""
    if not is_run_directory(path):
        return [None]
    inputs = RunReader(path).about.get("inputs")
    found = [each.get("created") for each in inputs or () if isinstance(each, dict)]
    return [each if isinstance(each, str) else None for each in found] or [None]


def rows_of_directory(run: RunReader) -> Iterator[Row]:
    """Yield the rows of a run directory. Raises InputError for a damaged one."""
    rules_of = {type_: tuple(rules) for type_, rules in run.rules_of.items()}
    for line in run.lines():
        try:
            record = json.loads(line)
            rules, letters = rules_of.get(record["type"], ()), record["verdicts"]
            waived = sum(_is_waived(detail) for detail in record["details"]) if b'"waiver":{' in line else 0
            file = record.get("file")
            identity = (
                (record["account"] or "", record["region"] or "", record["type"], record["id"])
                if file is None
                else ("", file, "", record["id"])
            )
            if len(rules) != len(letters):
                raise ValueError
        except (KeyError, TypeError, ValueError, RecursionError):
            raise InputError(f"`{run.path}` holds a row that is none; it is damaged") from None
        yield Row(identity, record["type"], rules, letters, waived)


def _is_waived(detail: Json) -> bool:
    return detail.get("waiver") is not None


def _in_order(rows: Iterable[Row], path: Path) -> Iterator[Row]:
    last: Identity = ("", "", "", "")
    for row in rows:
        if row.identity < last:
            raise InputError(f"the rows of `{path}` are in no order; it is damaged")
        last = row.identity
        yield row


def rows_of(findings: Iterable[Json]) -> Iterator[Row]:
    """Yield a row for the findings of each resource, which stand together."""
    known: dict[tuple[str, ...], tuple[str, ...]] = {}
    for identity, group in groupby(findings, identity_of):
        verdicts: dict[str, str] = {}
        waived, type_ = 0, ""
        for finding in group:
            letter = LETTERS[finding["verdict"]]
            verdicts[finding["rule"]] = worst(verdicts.get(finding["rule"], "-"), letter)
            waived += letter == "F" and finding.get("waiver") is not None
            type_ = finding["resource"]["type"]
        rules = tuple(sorted(verdicts))
        rules = known.setdefault(rules, rules)
        yield Row(identity, type_, rules, "".join(verdicts[rule] for rule in rules), waived)


def ordered(rows: Iterable[Row]) -> bool:
    """Whether the keys of rows rise."""
    last = b""
    for row in rows:
        key = row.key
        if key <= last:
            return False
        last = key
    return True


def _merged(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield one row a resource: of one that a run has twice, the worst of each verdict."""
    for _, group in groupby(rows, lambda row: row.key):
        first, *others = group
        if not others:
            yield first
            continue
        verdicts: dict[str, str] = {}
        for row in (first, *others):
            for rule, letter in zip(row.rules, row.letters, strict=True):
                verdicts[rule] = worst(verdicts.get(rule, "-"), letter)
        rules = tuple(sorted(verdicts))
        waived = sum(row.waived for row in (first, *others))
        yield Row(first.identity, first.type, rules, "".join(verdicts[rule] for rule in rules), waived)


def worst(one: str, other: str) -> str:
    """Return the worse of two letters."""
    return min(one, other, key=_WORST.index)


def identity_of(finding: Json) -> Identity:
    """Return the identity of what a finding is of (``model.resource.Resource.identity``)."""
    resource, place = finding["resource"], finding.get("location")
    if place is not None:
        return ("", place["file"], "", resource["id"])
    return (resource.get("account") or "", resource.get("region") or "", resource["type"], resource["id"])


def identity_from(key: bytes) -> Identity:
    """Return the identity of a key; what stands behind the third NUL is the id."""
    account, region, type_, id_ = key.decode("utf-8", "surrogatepass").split("\0", 3)
    return account, region, type_, id_


def place_of(key: bytes, type_: str) -> dict[str, Any]:
    """Return what :class:`Looked` and :class:`Rules` ask of a finding: where its resource is."""
    account, region, kind, id_ = identity_from(key)
    code = not kind and bool(region)
    return {
        "resource": {"account": account or None, "region": None if code else region or None, "type": type_, "id": id_},
        "location": {"file": region, "line": None} if code else None,
    }  # fmt: skip


def unread(run: Json) -> list[tuple[str | None, str | None]]:
    """Return the (account, region) pairs of which a run could not read everything."""
    return [(error.get("account"), error.get("region")) for error in _errors(run)]


def lost(run: Json) -> list[tuple[str | None, str]]:
    """Return the (account, type) pairs of which a run could not list all."""
    listed = [(error.get("account"), error.get("types")) for error in _errors(run)]
    return [(account, str(type)) for account, types in listed if isinstance(types, list) for type in types]


def _errors(run: Json) -> list[Json]:
    return [error for error in run.get("errors") or () if isinstance(error, dict)]


def rules_of_run(path: Path) -> list[dict[str, Any]] | None:
    """Return the compiled rules of a run directory, None where a run does not hold them."""
    file = path / "rules.json"
    if not path.is_dir() or not file.is_file():
        return None
    try:
        rules = json.loads(file.read_bytes())["rules"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return rules if isinstance(rules, list) else None


def pack_of(rules: Iterable[Json] | None) -> dict[str, dict[str, Any]]:
    """Return what history keeps of rules, by id: severity, pillar, family, title, frameworks (name ->
    (control, whole|part)), and a digest of what decides."""
    found = {}
    for rule in rules or ():
        frameworks = rule.get("frameworks") or {}
        found[str(rule["id"])] = {
            "severity": rule.get("severity"), "pillar": rule.get("pillar"), "family": rule.get("family"),
            "title": rule.get("title"),
            "frameworks": {name: [[c, decides] for c, decides in controls] for name, controls in frameworks.items()},
            "decides": hashlib.sha256(deciding_text(rule).encode()).hexdigest()[:16],
        }  # fmt: skip
    return found
