"""Credentials and clients: one botocore session per account, all on one loader.

Opening a client reads the model of its service; with a loader of its own for each account, twenty accounts
take twice as long as with a shared one.
"""

from __future__ import annotations

import gc
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from policyengine.aws.answers import check_answer
from policyengine.aws.failures import CallFailure, is_call_failure, read_exception

if TYPE_CHECKING:
    from botocore.session import Session

SESSION_NAME: Final = "policyengine"
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 30
_ATTEMPTS: Final = 8
_CLIENTS_KEPT: Final = 40


class Identity(NamedTuple):
    """Whose credentials these are: ``sts:GetCallerIdentity``."""

    account: str
    arn: str

    @property
    def partition(self) -> str:
        """``aws``, ``aws-cn`` or ``aws-us-gov``."""
        return self.arn.split(":")[1] if self.arn.startswith("arn:") else "aws"


class Sessions:
    """Makes sessions and clients; safe to use from many threads.

    ``profile`` is a profile of the AWS configuration files, None for what botocore finds by itself;
    ``agent`` is what is added to the user agent (CloudTrail shows it); ``connections`` how many connections each client
    keeps.
    """

    def __init__(
        self, profile: str | None = None, *, agent: str = "policyengine", connections: int = 16
    ) -> None:
        self._agent = agent
        self._connections = connections
        self._lock = threading.Lock()
        self._loader: Any = None
        self._released = 0
        self.base = self._session(profile)

    def _session(self, profile: str | None = None) -> Session:
        import botocore.loaders
        import botocore.session

        if self._loader is None:
            self._loader = botocore.loaders.create_loader()
        session = botocore.session.Session(profile=profile)
        session.register_component("data_loader", self._loader)
        session.user_agent_extra = self._agent
        session.register("after-call", check_answer)
        return session

    def released(self, clients: int) -> None:
        """Take notice of clients nobody uses any more: they are cycles, of megabytes each, and go only when
        cycles are looked for, which a scan does so rarely that an organisation's would pile up."""
        with self._lock:
            self._released += clients
            if self._released < _CLIENTS_KEPT:
                return
            self._released = 0
        gc.collect()

    def client(self, session: Session, service: str, region: str, *, once: bool = False) -> Any:
        """Return a new client. Raises CallFailure when there are no credentials or no such profile.

        Retries are botocore's adaptive mode: it slows down by itself when AWS says so
        (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html). A client for changes repeats
        nothing (``once``): a request that was not answered may have been carried out.
        """
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError

        config = Config(
            retries={"mode": "standard", "total_max_attempts": 1}
            if once
            else {"mode": "adaptive", "total_max_attempts": _ATTEMPTS},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            max_pool_connections=self._connections,
        )
        try:
            with self._lock:  # botocore's sessions are not safe to make clients from several threads
                return session.create_client(service, region_name=region, config=config)
        except BotoCoreError as problem:
            raise CallFailure(f"{service}:*", *read_exception(problem), certain=True) from None

    def identity(self, session: Session, region: str) -> Identity:
        """Return whose credentials a session has. Raises CallFailure."""
        client = self.client(session, "sts", region)
        try:
            answer = client.get_caller_identity()
        except Exception as problem:
            if not is_call_failure(problem):
                raise
            raise CallFailure("sts:GetCallerIdentity", *read_exception(problem), "", region) from None
        return Identity(answer["Account"], answer["Arn"])

    def assume(self, role_arn: str, region: str, *, external_id: str | None = None) -> Session:
        """Return a session that has assumed a role, whose credentials renew themselves.

        The role is assumed at the first call, or by :meth:`identity`.
        """
        from botocore.credentials import AssumeRoleCredentialFetcher, DeferredRefreshableCredentials

        extra: dict[str, Any] = {"RoleSessionName": SESSION_NAME}
        if external_id is not None:
            extra["ExternalId"] = external_id
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=lambda service, **given: self._sts(service, region, given),
            source_credentials=self.base.get_credentials(),
            role_arn=role_arn,
            extra_args=extra,
        )
        session = self._session()
        # no public way: botocore's own assume-role providers set the same field
        session._credentials = DeferredRefreshableCredentials(
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )
        return session

    def _sts(self, service: str, region: str, given: dict[str, Any]) -> Any:
        """Credentials may be renewed while another client is made: the lock is not taken here."""
        from botocore.config import Config

        config = Config(
            retries={"mode": "standard", "total_max_attempts": 4},
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_CONNECT_SECONDS * 2,
        )
        return self._session().create_client(service, region_name=region, config=config, **given)
