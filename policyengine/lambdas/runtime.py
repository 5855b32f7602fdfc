"""What the handlers share between invocations: the bundle, the account, the store, the kernel, each made when first needed.

Environment: ``POLICYENGINE_TABLE`` (DynamoDB table of actions and verdicts), ``POLICYENGINE_ROLE_PREFIX`` (the roles of
remediations: prefix and remediation id with ``-``; empty: the function's own role), ``POLICYENGINE_SCANNER_ROLE`` (read other
accounts as this role), ``POLICYENGINE_EXTERNAL_ID``,
``POLICYENGINE_ACCOUNTS`` (accounts that may be acted on, with commas; empty: the function's own), ``POLICYENGINE_QUEUE``
(URL of the queue that delayed requests go back to), ``POLICYENGINE_READ`` (``live``: what an event does not hold is read).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from policyengine.lambdas.bundle import FOLDER, Bundle, load_bundle

if TYPE_CHECKING:
    from policyengine.aws.account import Account
    from policyengine.aws.sessions import Identity, Sessions
    from policyengine.lambdas.judge import Judge
    from policyengine.remediate.accounts import Doors
    from policyengine.remediate.kernel import Kernel
    from policyengine.remediate.observe import LiveObserver
    from policyengine.store.actions import ActionStore
    from policyengine.store.verdicts import Verdicts

Json = dict[str, Any]
MARGIN: Final = 20.0
"""Seconds before Lambda's limit at which waiting ends, so that what was done is written."""
OWN_RATE: Final = 1000.0
"""Calls a second of the function's own business (answers to AWS Config, its table, its queue): one function makes them one
after the other, and botocore's adaptive mode slows down when AWS says so. A rate of scans would make every answer wait for
a tenth of a second. What is read in accounts keeps that rate."""


class Clock:
    """Time within one invocation. ``remaining`` gives the milliseconds Lambda leaves."""

    def __init__(self, remaining: Callable[[], int] | None = None) -> None:
        self._remaining = remaining

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def left(self, seconds: float) -> bool:
        """Whether Lambda leaves so many seconds."""
        return self._remaining is None or self._remaining() / 1000 >= seconds

    def wait(self, seconds: float) -> bool:
        """Sleep where Lambda leaves time for it; False where it does not."""
        if not self.left(seconds + MARGIN):
            return False
        time.sleep(seconds)
        return True


class Runtime:
    """One per process. ``environ`` and ``folder`` are given by tests only."""

    def __init__(self, environ: Mapping[str, str] | None = None, folder: Path = FOLDER) -> None:
        self._environ = os.environ if environ is None else environ
        self._folder = folder
        self.clock = Clock()

    def begin(self, context: Any) -> None:
        """Start an invocation."""
        self.clock._remaining = getattr(context, "get_remaining_time_in_millis", None)
        for made in ("own", "doors"):  # only what an earlier invocation has made
            if made in self.__dict__:
                self.__dict__[made].forgive()

    def setting(self, name: str) -> str:
        """Return a variable of the environment, "" without."""
        return self._environ.get(f"POLICYENGINE_{name}", "")

    @property
    def region(self) -> str:
        """The region the function runs in."""
        return self._environ.get("AWS_REGION") or self._environ.get("AWS_DEFAULT_REGION") or "us-east-1"

    def acts_on(self, region: str) -> bool:
        """Whether resources of a region are this function's to change: its own region's, and global ones where their home is.

        The stack of another region has leases, limits and a journal of its own. Raises CallFailure.
        """
        if region != "global":
            return region == self.region
        from policyengine.aws.regions import HOME

        return self.region == HOME.get(self.identity.partition)

    @cached_property
    def bundle(self) -> Bundle:
        """Rules and settings. Raises BundleError."""
        return load_bundle(self._folder)

    @cached_property
    def judge(self) -> Judge:
        """The rules, ready."""
        from policyengine.lambdas.judge import Judge

        return Judge(self.bundle)

    @cached_property
    def sessions(self) -> Sessions:
        """botocore, loaded when the first call is made."""
        from policyengine.aws.sessions import Sessions

        return Sessions(agent="policyengine-lambda")

    @cached_property
    def identity(self) -> Identity:
        """Whose credentials the function has. Raises CallFailure."""
        return self.sessions.identity(self.sessions.base, self.region)

    @cached_property
    def own(self) -> Account:
        """The function's own account. Raises CallFailure."""
        from policyengine.aws.account import Account
        from policyengine.aws.calls import CallLog
        from policyengine.aws.rate import Buckets

        who, log, buckets = self.identity, CallLog(), Buckets(OWN_RATE)
        return Account(
            self.sessions, self.sessions.base, who.account, who.partition, log=log, buckets=buckets
        )

    @cached_property
    def doors(self) -> Doors:
        """The ways into the accounts that may be acted on."""
        from policyengine.lambdas.repairing import role_for
        from policyengine.remediate.accounts import Doors

        return Doors(self.sessions, self.identity, self.region, lambda *asked: role_for(self, *asked))

    @cached_property
    def observer(self) -> LiveObserver:
        """Sees one resource at a time."""
        from policyengine.remediate.assemble import redactor
        from policyengine.remediate.observe import LiveObserver

        pack, settings = self.bundle.pack, self.bundle.settings
        return LiveObserver(self.doors, pack, settings=settings, redact=redactor(), clock=self.clock.now)

    @cached_property
    def accounts(self) -> frozenset[str]:
        """The accounts that may be looked at and changed."""
        named = frozenset(filter(None, (each.strip() for each in self.setting("ACCOUNTS").split(","))))
        return named or frozenset((self.own.id,))

    @cached_property
    def store(self) -> ActionStore:
        """The table of actions. Raises StoreError."""
        from policyengine.store.open_actions import open_store

        return open_store(f"dynamodb:{self.setting('TABLE')}@{self.region}", account=self.own)

    @cached_property
    def verdicts(self) -> Verdicts | None:
        """Where verdicts are kept; None for a function without a table."""
        from policyengine.store.verdicts import Verdicts

        table = self.setting("TABLE")
        return Verdicts(self.own, table, self.region) if table else None

    @cached_property
    def kernel(self) -> Kernel:
        """The remediation kernel over the live account."""
        from policyengine.lambdas.repairing import make_kernel

        return make_kernel(self)
