"""Live accounts behind the ports of ``policyengine.publish``."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine import __version__
from policyengine.aws.account import Account
from policyengine.aws.accounts import role_arn
from policyengine.aws.calls import CallLog
from policyengine.aws.failures import CallFailure
from policyengine.aws.rate import RATE, RATES, Buckets, TokenBucket
from policyengine.aws.regions import HOME
from policyengine.aws.sessions import Identity, Sessions
from policyengine.model.errors import InputError
from policyengine.publish.ports import CallFailed, Refusal

Json = dict[str, Any]
_READS: Final = (3.0, 6.0)
"""Calls a second and at once of GetFindings; BatchImportFindings has 10, which is what every service gets from us
(https://docs.aws.amazon.com/securityhub/1.0/APIReference/Welcome.html)."""
_CLIENTS: Final = 48
"""(account, region) pairs whose clients are kept."""


class Way(NamedTuple):
    """How accounts are entered: a profile of the AWS configuration files, and a role by name."""

    profile: str | None
    role_name: str | None
    external_id: str | None


class Accounts:
    """Opens accounts once each; safe to use from several threads. Raises InputError where there are no credentials."""

    def __init__(self, way: Way) -> None:
        self._way = way
        self.log = CallLog()
        self._buckets = Buckets(RATE, RATES)
        self._opened: dict[str, Account | CallFailed] = {}
        self._lock = threading.Lock()
        try:
            self.sessions = Sessions(way.profile, agent=f"policyengine/{__version__}")
            self.region: str = self.sessions.base.get_config_variable("region") or HOME["aws"]
            self.own: Identity = self.sessions.identity(self.sessions.base, self.region)
        except CallFailure as failure:
            raise InputError(
                f"no use can be made of the AWS credentials: {failure}; name a profile with --profile, or set AWS_PROFILE",
                code="credentials",
            ) from None

    def open(self, account: str) -> Account:
        """Return the way into an account: the credentials where it is theirs, else the role. Raises CallFailed."""
        with self._lock:
            if account not in self._opened:
                self._opened[account] = self._open(account)
            found = self._opened[account]
        if isinstance(found, CallFailed):
            raise found
        return found

    def _open(self, account: str) -> Account | CallFailed:
        if account == self.own.account:
            return self._account(self.sessions.base, account)
        if self._way.role_name is None:
            text = (
                f"these credentials are of {self.own.account}; name the role to assume there with --role-name"
            )
            return CallFailed("sts:AssumeRole", "NoRole", text)
        arn = role_arn(self.own.partition, account, self._way.role_name)
        try:
            session = self.sessions.assume(arn, self.region, external_id=self._way.external_id)
            identity = self.sessions.identity(session, self.region)
        except CallFailure as failure:
            return CallFailed("sts:AssumeRole", failure.error, f"{arn}: {failure.text}")
        if identity.account != account:
            return CallFailed("sts:AssumeRole", "WrongAccount", f"{arn} leads to account {identity.account}")
        return self._account(session, account)

    def _account(self, session: Any, account: str) -> Account:
        return Account(
            self.sessions, session, account, self.own.partition, log=self.log, buckets=self._buckets
        )


class LiveHub:
    """``policyengine.publish.ports.Hub`` over accounts."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._reads: dict[tuple[str, str], TokenBucket] = {}
        self._used: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def findings(self, account: str, region: str, filters: Mapping[str, Any]) -> Iterator[Json]:
        """Yield findings, page by page. Raises CallFailed."""
        opened = self._enter(account, region)
        turns = self._turns(account, region)
        pages = opened.pages("securityhub", "GetFindings", {"Filters": filters, "MaxResults": 100}, region)
        try:
            turns.take()
            for page in pages:
                yield from page.get("Findings", ())
                turns.take()
        except CallFailure as failure:
            raise _failed(failure) from None

    def import_findings(self, account: str, region: str, findings: Sequence[Json]) -> list[Refusal]:
        """Import a batch. A batch may be sent twice (the first answer lost): the second changes nothing, since it is not
        later. Raises CallFailed, also for an answer that does not add up."""
        opened = self._enter(account, region)
        try:
            answer = opened.call("securityhub", "BatchImportFindings", {"Findings": list(findings)}, region)
        except CallFailure as failure:
            raise _failed(failure) from None
        refused = [
            Refusal(each["Id"], each["ErrorCode"], each["ErrorMessage"])
            for each in answer.get("FailedFindings", ())
        ]
        taken, failed = answer.get("SuccessCount", 0), answer.get("FailedCount", 0)
        if taken + failed != len(findings) or failed != len(refused):
            raise CallFailed(
                "securityhub:BatchImportFindings",
                "MalformedAnswer",
                f"{taken} taken, {failed} refused and {len(refused)} named, of {len(findings)} that were sent",
            )
        return refused

    def _turns(self, account: str, region: str) -> TokenBucket:
        with self._lock:
            return self._reads.setdefault((account, region), TokenBucket(*_READS))

    def _enter(self, account: str, region: str) -> Account:
        """Return the account, and let go of the clients of the place that was used longest ago."""
        opened = self._accounts.open(account)
        with self._lock:
            self._used[account, region] = None
            self._used.move_to_end((account, region))
            old = self._used.popitem(last=False)[0] if len(self._used) > _CLIENTS else None
        if old is not None:
            self._accounts.open(old[0]).release(old[1])
        return opened


class LiveBucket:
    """``policyengine.publish.ports.Store`` over the account of the credentials; ``owner`` is the account the bucket has
    to belong to, None for any."""

    def __init__(self, account: Account, bucket: str, region: str, owner: str | None = None) -> None:
        self._account = account
        self._about = (
            {"Bucket": bucket} if owner is None else {"Bucket": bucket, "ExpectedBucketOwner": owner}
        )
        self._region = region

    def call(self, operation: str, arguments: Mapping[str, Any]) -> Json:
        """Return the answer of an operation on the bucket. Raises CallFailed."""
        try:
            return self._account.call("s3", operation, {**self._about, **arguments}, self._region)
        except CallFailure as failure:
            raise _failed(failure) from None


def _failed(failure: CallFailure) -> CallFailed:
    hint = ""
    if failure.error == "InvalidAccessException":
        hint = " (Security Hub has to be enabled in the account and region)"
    return CallFailed(failure.operation, failure.error, f"{failure.text}{hint}")
