"""The accounts of one run: found, opened one by one with the role to assume, and what was asked of them."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from policyengine import __version__
from policyengine.aws.account import Account
from policyengine.aws.accounts import Member, members, role_arn
from policyengine.aws.calls import Call, CallLog
from policyengine.aws.failures import CallFailure
from policyengine.aws.rate import RATE, RATES, Buckets
from policyengine.aws.regions import HOME
from policyengine.aws.sessions import Identity, Sessions
from policyengine.cli.live.wish import Wish
from policyengine.model.errors import InputError, UsageError
from policyengine.sources.live.collection import Target
from policyengine.sources.live.plan import Plan

_NOTES: Final = 5


class Fleet:
    """The accounts of one run, and what was asked of them.

    ``start`` is the region of the first call: the one of the AWS configuration, else the first that was asked for.
    """

    def __init__(self, wish: Wish) -> None:
        self.wish = wish
        self.early: list[Call] = []
        """Calls that were made before there was anywhere to keep them: those that find the accounts."""
        self.log = CallLog(self.early.append)
        self.notes: list[str] = []
        self._buckets = Buckets(RATE, RATES) if wish.rate is None else Buckets(wish.rate)
        try:
            self.sessions = Sessions(
                wish.profile, agent=f"policyengine/{__version__}", connections=wish.workers * 2
            )
            self.start = self._start_region()
            self.identity = self.sessions.identity(self.sessions.base, self.start)
        except CallFailure as failure:
            raise _credentials(failure) from None
        self.own = self._account(self.sessions.base, self.identity.account)

    def _start_region(self) -> str:
        found: str | None = self.sessions.base.get_config_variable("region")
        return found or (self.wish.regions[0] if self.wish.regions else HOME["aws"])

    def _account(self, session: Any, account: str) -> Account:
        return Account(
            self.sessions, session, account, self.identity.partition, log=self.log, buckets=self._buckets
        )

    def targets(self, plan: Plan) -> list[Target]:
        """Return the accounts to collect. Raises InputError when the organisation cannot be listed."""
        if not self.wish.organization:
            manages = plan.reads_organization and self._manages()
            return [Target(self.identity.account, "", lambda: self.own, manages)]
        found = self._members()
        return [
            Target(member.id, member.name, partial(self._open, member), member.id == self.identity.account)
            for member in found
        ]

    def _manages(self) -> bool:
        """Whether the account may read its organisation: others would only be denied.

        Where that cannot be told it is read, and what fails then is said as any failure.
        """
        try:
            answer = self.own.call("organizations", "DescribeOrganization", {}, HOME[self.identity.partition])
        except CallFailure as failure:
            return failure.error != "AWSOrganizationsNotInUseException"
        organization = answer.get("Organization", {})
        return bool(organization.get("MasterAccountId") == self.identity.account)

    def _members(self) -> list[Member]:
        home = HOME[self.identity.partition]
        try:
            found = members(self.own, home, ous=self.wish.ous)
        except CallFailure as failure:
            raise InputError(
                f"the accounts of the organisation cannot be listed: {failure}; --org wants credentials of the "
                "management account or of a delegated administrator",
                code="organization_not_readable",
            ) from None
        self._check({member.id for member in found})
        kept = []
        for member in found:
            if self.wish.accounts and member.id not in self.wish.accounts:
                continue
            if member.id in self.wish.exclude:
                self.notes.append(f"account {member.id} is left out by --exclude")
            elif member.state != "ACTIVE":
                self.notes.append(f"account {member.id} is {member.state}: it cannot be read")
            else:
                kept.append(member)
        if not kept:
            why = f": {'; '.join(self.notes[:_NOTES])}" if self.notes else ", or it has none"
            raise UsageError(f"no account of the organisation is left to read{why}", code="no_account")
        return kept

    def _check(self, known: set[str]) -> None:
        for account in self.wish.accounts:
            if account not in known:
                where = "below those OUs" if self.wish.ous else "of the organisation"
                raise UsageError(f"--accounts `{account}` is no account {where}")

    def _open(self, member: Member) -> Account:
        """Assume the role in an account, and see that it is that account."""
        if member.id == self.identity.account:
            return self.own
        arn = role_arn(self.identity.partition, member.id, self.wish.role_name)
        session = self.sessions.assume(arn, self.start, external_id=self.wish.external_id)
        try:
            identity: Identity = self.sessions.identity(session, self.start)
        except CallFailure as failure:
            raise CallFailure(
                "sts:AssumeRole", failure.reason, failure.error, f"{arn}: {failure.text}", member.id
            ) from None
        if identity.account != member.id:
            raise CallFailure(
                "sts:AssumeRole",
                "read_error",
                "WrongAccount",
                f"{arn} led to account {identity.account}",
                member.id,
            )
        return self._account(session, member.id)


_HINTS: Final = {
    "NoCredentialsError": "set AWS_PROFILE, give --profile, or log in with `aws sso login`",
    "RequestTimeTooSkewed": "look at the clock of this machine",
    "SignatureDoesNotMatch": "look at the clock of this machine",
    "InvalidSignatureException": "look at the clock of this machine",
}
_CONFIGURED: Final = frozenset(
    {"ConfigParseError", "InvalidRegionError", "InvalidConfigError", "PartialCredentialsError"}
)
_UNREACHABLE: Final = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "ConnectionClosedError",
                                 "ProxyConnectionError", "SSLError"})  # fmt: skip


def _credentials(failure: CallFailure) -> InputError:
    """Say why not even the first call was answered, and what to do."""
    said = f"{failure.error}: {failure.text}"
    if failure.error == "ProfileNotFound":
        said = (
            f"{failure.text}; name one of the AWS configuration files with --profile or AWS_PROFILE (`aws configure "
            "list-profiles` shows them)"
        )
    elif failure.error in _CONFIGURED:
        said = f"the AWS configuration cannot be used: {said}; mend the file or the variable that it names"
    elif failure.error in _UNREACHABLE:
        said = f"AWS cannot be reached: {said}; look at the network, the proxy and AWS_ENDPOINT_URL"
    else:
        hint = (
            "renew the credentials" if failure.error.startswith("ExpiredToken") else _HINTS.get(failure.error)
        )
        said = f"AWS does not accept the credentials: {said}; {hint or '`aws sts get-caller-identity` must work'}"
    return InputError(said, code="credentials")
