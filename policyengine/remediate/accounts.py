"""Ways into accounts: one session for each account and role, opened when it is first needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Final, NamedTuple

from policyengine.aws.account import Account
from policyengine.aws.calls import CallLog
from policyengine.aws.failures import CallFailure
from policyengine.aws.rate import RATE, RATES, Buckets
from policyengine.aws.sessions import Identity, Sessions
from policyengine.model.account_id import is_account_id
from policyengine.remediate.api import Refused

SCANNER: Final = ""
"""Stands for a handler where resources are seen and judged: the role of the scanner."""
FAILURES_SECONDS: Final = 60.0
"""How long an endpoint that did not answer is asked no more."""


class Role(NamedTuple):
    """A role to assume, and the external id it asks for."""

    arn: str
    external_id: str | None = None


class Opened(NamedTuple):
    """An account with the principal that its calls are made as."""

    account: Account
    principal: str


RoleFor = Callable[[str, str], Role | None]
"""(handler or SCANNER, account) -> the role to assume there; None for the caller's own credentials."""


def own_credentials(_handler: str, _account: str) -> Role | None:
    """Return no role: only the account of the caller can be entered."""
    return None


class Doors:
    """Opens accounts; safe to use from many threads. ``own`` is whose credentials the caller has."""

    def __init__(
        self,
        sessions: Sessions,
        own: Identity,
        region: str,
        role_for: RoleFor = own_credentials,
        *,
        log: CallLog | None = None,
        buckets: Buckets | None = None,
    ) -> None:
        self.own = own
        self.log = log if log is not None else CallLog()
        self._sessions = sessions
        self._region = region
        self._role_for = role_for
        self._buckets = buckets if buckets is not None else Buckets(RATE, RATES)
        self._opened: dict[tuple[str, Role | None], Opened] = {}
        self._asked_again = time.monotonic()
        self._lock = threading.Lock()

    def open(self, handler: str, account: str) -> Opened:
        """Return the way into an account for a handler. Raises Refused.

        ``unknown_target``: no account, or none there is a role for; ``not_known``: its role could not be assumed.
        """
        if not is_account_id(account):
            raise Refused("unknown_target", f"`{account[:40]}` is no account id; expected twelve digits")
        role = self._role_for(handler, account)
        if role is None and account != self.own.account:
            raise Refused(
                "unknown_target",
                f"there is no role for account {account}; these credentials are of {self.own.account}",
            )
        with self._lock:
            found = self._opened.get((account, role))
            if found is None or found.account.broken is not None:
                found = self._opened[account, role] = self._open(account, role)
            if time.monotonic() - self._asked_again > FAILURES_SECONDS:
                self._asked_again = time.monotonic()
                for each in self._opened.values():
                    each.account.forget_failures()
        return found

    def forgive(self) -> None:
        """Let every account try again what it has given up."""
        with self._lock:
            for opened in self._opened.values():
                opened.account.forgive()

    def _open(self, account: str, role: Role | None) -> Opened:
        if role is None:
            return Opened(self._account(self._sessions.base, account, self.own), self.own.arn)
        try:
            session = self._sessions.assume(role.arn, self._region, external_id=role.external_id)
            identity = self._sessions.identity(session, self._region)
        except CallFailure as failure:
            text = f"the role {role.arn} cannot be assumed: {failure.error}: {failure.text}"
            raise Refused("not_known", text) from None
        if identity.account != account:
            raise Refused("unknown_target", f"{role.arn} leads to account {identity.account}, not {account}")
        return Opened(self._account(session, account, identity), identity.arn)

    def _account(self, session: object, account: str, identity: Identity) -> Account:
        return Account(
            self._sessions,
            session,
            account,
            identity.partition,
            log=self.log,
            buckets=self._buckets,
        )
