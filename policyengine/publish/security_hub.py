"""A run into Security Hub: what fails or is unknown is imported, what was repaired or is gone is archived, the rest is
left alone.

For every account and region, by itself: what Security Hub has of ours is read, the run's findings are held against it,
and only differences are sent.

| the run says | Security Hub has | what is sent |
|---|---|---|
| FAIL, UNKNOWN | nothing | the finding |
| FAIL, UNKNOWN | the same | nothing, unless it is so old that Security Hub would soon delete it |
| FAIL, UNKNOWN | something else | the finding, with the CreatedAt it has |
| PASS, NOT_APPLICABLE | nothing | nothing |
| PASS, NOT_APPLICABLE | it failing or unknown | PASSED or NOT_AVAILABLE, and archived |
| nothing | it, active | archived where the run proves that it is gone (:mod:`policyengine.publish.looking`) |

Security Hub ignores an update whose ``UpdatedAt`` is not later than what it has
(https://docs.aws.amazon.com/securityhub/latest/userguide/finding-update-batchimportfindings.html): what a later run
said is never touched by an earlier one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, Final, NamedTuple

from policyengine.model.errors import InputError
from policyengine.model.reasons import FAIL, UNKNOWN
from policyengine.publish.batches import FINDING_BYTES, Batch, size_of
from policyengine.publish.existing import ARCHIVED_BECAUSE, RUN, Existing, HubPlace, Known, content_of
from policyengine.publish.looking import Looking
from policyengine.publish.ports import CallFailed, Hub
from policyengine.publish.reading_ahead import ReadingAhead
from policyengine.reports.asff import PREFIX, Stamp, asff, fitted, has_account
from policyengine.reports.base import RuleInfo

Json = dict[str, Any]
Place = tuple[str, str]
REFRESH: Final = timedelta(days=30)
"""Security Hub deletes active findings that nobody updated for 90 days
(https://docs.aws.amazon.com/securityhub/latest/userguide/ocsf-findings.html): long before, they are sent again."""
_NOT_IMPORTED: Final = ("Severity", "Types")
_HOPELESS: Final = 3
"""Batches that fail one after the other, after which a place is given up."""


class Change(NamedTuple):
    """One finding that is sent, or would be. ``kind`` is create, update, refresh, resolve (it passes or no longer applies)
    or archive (it is gone)."""

    kind: str
    finding: Json


class Problem(NamedTuple):
    """Something that was not published; ``finding`` is its Id, rule and resource, "" where a whole place is meant."""

    account: str
    region: str
    finding: str
    text: str


class Outcome:
    """What became of the run's findings."""

    def __init__(self) -> None:
        self.sent: Counter[str] = Counter()
        self.unchanged = 0
        self.kept: Counter[str] = Counter()
        self.not_sent: Counter[str] = Counter()
        self.problems: list[Problem] = []
        self.unpublished = 0
        """Findings that should have been sent and were not."""


class Publisher:
    """Publishes one run. ``told`` is called with every change before it is sent; with ``dry_run`` nothing is."""

    def __init__(
        self,
        hub: Hub,
        stamp: Stamp,
        rules: Mapping[str, RuleInfo],
        looking: Looking,
        *,
        partition: str = "aws",
        wanted: Callable[[HubPlace], bool] = lambda place: True,
        dry_run: bool = False,
        told: Callable[[Change], None] = lambda change: None,
    ) -> None:
        self._hub = hub
        self._stamp = stamp
        self._now = _time(stamp.at)
        self._rules = rules
        self._looking = looking
        self._partition = partition
        self._wanted = wanted
        self._dry_run = dry_run
        self._told = told
        self.outcome = Outcome()

    def publish(self, findings: Iterable[Mapping[str, Any]]) -> Outcome:
        """Publish the findings of a run (the contract's objects), which come in the order of runs.

        Raises InputError when findings of one place do not come together. What AWS refuses is in the outcome.
        """
        covered = sorted(place for place in self._looking.coverage if has_account(place[0]))
        ahead = ReadingAhead(self._existing, [p for p in covered if self._wanted(self._place(p))])
        done: set[Place] = set()
        try:
            for key, group in groupby(self._of_accounts(findings), _place_key):
                if key in done:
                    raise InputError(
                        f"findings of {key[0]}/{key[1]} do not come together; the run is out of order"
                    )
                done.add(key)
                self._publish_place(key, group, ahead)
            for key in covered:
                if key not in done:
                    self._publish_place(key, (), ahead)
        finally:
            ahead.close()
        return self.outcome

    def _of_accounts(self, findings: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        for finding in findings:
            if finding.get("location") is not None or not has_account(finding["resource"]["account"]):
                self.outcome.not_sent["of code, not of an account"] += 1
            else:
                yield finding

    def _place(self, key: Place) -> HubPlace:
        return HubPlace.of(*key, self._partition)

    def _existing(self, key: Place) -> Existing:
        return Existing(self._hub, self._place(key))

    def _publish_place(self, key: Place, group: Iterable[Mapping[str, Any]], ahead: ReadingAhead) -> None:
        place = self._place(key)
        if not self._wanted(place):
            self.outcome.not_sent["left out by --accounts or --regions"] += sum(1 for _ in group)
            return
        try:
            existing = ahead.take(key)
        except CallFailed as failure:
            lost = sum(f["verdict"] in (FAIL, UNKNOWN) for f in group)
            if lost or not failure.not_enabled:
                self._lost(place, failure, lost)
            else:
                self.outcome.kept["Security Hub is not enabled there, and nothing is to be published"] += 1
            return
        sender = _Sender(self._hub, place, self.outcome, self._told, dry_run=self._dry_run)
        try:
            seen = set()
            for finding in group:
                identity = f"{PREFIX}{finding['id']}"
                seen.add(identity)
                self._one(finding, place, existing.known.get(identity), sender)
            for identity in existing.ids():
                if identity not in seen and not existing.known[identity].archived:
                    self._gone(existing, existing.known[identity], sender)
            sender.flush()
        finally:
            existing.close()

    def _lost(self, place: HubPlace, failure: CallFailed, findings: int) -> None:
        self.outcome.unpublished += findings
        about = f"; {findings:,} findings are not published" if findings else ""
        self.outcome.problems.append(Problem(place.account, place.region, "", f"{failure}{about}"))

    def _one(self, finding: Mapping[str, Any], place: HubPlace, known: Known | None, sender: _Sender) -> None:
        asks = finding["verdict"] in (FAIL, UNKNOWN)
        if not asks and (known is None or known.archived):
            self.outcome.not_sent["pass or do not apply, and are not open in Security Hub"] += 1
            return
        made = self._made(finding, place)
        if known is None:
            sender.send(Change("create", made))
            return
        made["CreatedAt"] = known.created
        made["FirstObservedAt"] = known.first or known.created
        same = content_of(made) == known.content
        age = self._now - _time(known.updated)
        if same and (known.archived or age < REFRESH):
            self.outcome.unchanged += 1
        elif age <= timedelta():
            self.outcome.kept["what Security Hub has is of a later run, or of this one"] += 1
        else:
            sender.send(Change(("refresh" if same else "update") if asks else "resolve", made))

    def _made(self, finding: Mapping[str, Any], place: HubPlace) -> Json:
        made = asff(finding, self._rules.get(finding["rule"]), self._stamp)
        made["ProductArn"] = place.product_arn
        made["Resources"] = [{**each, "Partition": place.partition} for each in made["Resources"]]
        for key in _NOT_IMPORTED:
            del made[key]
        return made

    def _gone(self, existing: Existing, known: Known, sender: _Sender) -> None:
        made = existing.finding(known)
        why = self._looking.why_kept(made)
        if not why and self._now <= _time(known.updated):
            why = "what Security Hub has is of a later run, or of this one"
        if why:
            self.outcome.kept[why] += 1
            return
        made |= {"RecordState": "ARCHIVED", "UpdatedAt": self._stamp.at, "LastObservedAt": self._stamp.at}
        made["ProductFields"] |= {
            RUN: fitted(self._stamp.run, 1024),
            ARCHIVED_BECAUSE: "the resource is not in the run, which read all of its type there",
        }
        sender.send(Change("archive", made))


class _Sender:
    """Sends the changes of one place in batches."""

    def __init__(
        self,
        hub: Hub,
        place: HubPlace,
        outcome: Outcome,
        told: Callable[[Change], None],
        *,
        dry_run: bool,
    ) -> None:
        self._hub = hub
        self._place = place
        self._outcome = outcome
        self._told = told
        self._dry_run = dry_run
        self._batch = Batch()
        self._waiting: dict[str, Change] = {}
        self._failed = 0

    def send(self, change: Change) -> None:
        """Send a finding with the next batch."""
        size = size_of(change.finding)
        if size > FINDING_BYTES:
            self._refused(
                change.finding["Id"], f"it has {size:,} bytes; Security Hub takes {FINDING_BYTES:,}"
            )
            return
        self._told(change)
        if self._dry_run:
            self._outcome.sent[change.kind] += 1
            return
        if not self._batch.has_room(size):
            self.flush()
        self._batch.add(change.finding, size)
        self._waiting[change.finding["Id"]] = change

    def flush(self) -> None:
        """Send what waits."""
        batch, waiting = self._batch.findings, self._waiting
        self._batch, self._waiting = Batch(), {}
        if not batch:
            return
        if self._failed >= _HOPELESS:
            self._outcome.unpublished += len(batch)
            return
        try:
            refused = self._hub.import_findings(self._place.account, self._place.hub_region, batch)
        except CallFailed as failure:
            self._failed += 1
            given_up = "; what else is of this place is not tried" if self._failed == _HOPELESS else ""
            self._outcome.unpublished += len(batch)
            text = f"{failure}; {len(batch)} findings are not published{given_up}"
            self._outcome.problems.append(Problem(self._place.account, self._place.region, "", text))
            return
        self._failed = 0
        for refusal in refused:
            change = waiting.pop(refusal.id, None)
            finding = {"Id": refusal.id} if change is None else change.finding
            self._refused(finding, f"{refusal.code}: {refusal.text}")
        self._outcome.sent.update(change.kind for change in waiting.values())

    def _refused(self, finding: Json, text: str) -> None:
        self._outcome.unpublished += 1
        about = [
            finding["Id"],
            finding.get("GeneratorId", ""),
            *(r["Id"] for r in finding.get("Resources", ())),
        ]
        named = " ".join(part for part in about if part)
        self._outcome.problems.append(Problem(self._place.account, self._place.region, named, text))


def _place_key(finding: Mapping[str, Any]) -> Place:
    return finding["resource"]["account"], finding["resource"]["region"] or "global"


def _time(text: str) -> datetime:
    """Return a time of RFC 3339; a time without a zone is UTC, so that two can always be compared."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
