"""What the commands of ``remediate`` share: the store, the accounts, the kernel."""

from __future__ import annotations

import os
import socket
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from policyengine.cli.options import config_option, rules_option
from policyengine.model.errors import InputError, UsageError

if TYPE_CHECKING:
    from policyengine.config.settings import Settings
    from policyengine.remediate.accounts import Doors, Role
    from policyengine.remediate.kernel import Kernel
    from policyengine.rules.pack import Pack
    from policyengine.store.actions import ActionStore

VARIABLE: Final = "POLICYENGINE_STORE"


def store_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--store``."""
    return click.option(
        "--store", "where", envvar=VARIABLE, show_envvar=True, metavar="FILE|dynamodb:TABLE[@REGION]",
        help="where actions and their journal are kept (default: a file of your own)",
    )(command)  # fmt: skip


def account_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how accounts are entered, and the rules and settings in use."""
    for option in reversed(
        (
            click.option("--profile", metavar="NAME", help="profile of the AWS configuration files"),
            click.option(
                "--role-name", metavar="NAME",
                help="role assumed in accounts other than that of the credentials; {handler} stands for the remediation",
            ),
            click.option(
                "--external-id", metavar="ID", envvar="POLICYENGINE_EXTERNAL_ID", show_envvar=True,
                help="external id the role asks for",
            ),
            config_option("policyengine.yaml (default: the nearest one above this folder)"),
            rules_option(),
        )
    ):  # fmt: skip
        command = option(command)
    return store_option(command)


class Waiting:
    """Time as it passes at a terminal."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def wait(self, seconds: float) -> bool:
        """Sleep."""
        time.sleep(seconds)
        return True


def open_the_store(where: str | None, profile: str | None = None) -> ActionStore:
    """Return the store. Raises InputError."""
    from policyengine.store.actions import StoreError
    from policyengine.store.open_actions import open_store

    place = where or str(_default())
    try:
        if place.startswith("dynamodb:"):
            doors, _region = doors_for(profile)
            return open_store(place, account=doors.open("", doors.own.account).account)
        Path(place).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return open_store(place)
    except (StoreError, OSError) as problem:
        raise InputError(f"the store `{place}` cannot be opened: {problem}", code="store") from None


def _default() -> Path:
    base = os.environ.get("XDG_STATE_HOME")
    return (
        (Path(base) if base else Path.home() / ".local" / "state")
        / "policyengine"
        / "remediation"
        / "actions.db"
    )


def doors_for(
    profile: str | None, role_name: str | None = None, external_id: str | None = None
) -> tuple[Doors, str]:
    """Return the ways into accounts, and the region of the AWS configuration. Raises InputError."""
    from policyengine import __version__
    from policyengine.aws.failures import CallFailure
    from policyengine.aws.regions import HOME
    from policyengine.aws.sessions import Sessions
    from policyengine.remediate.accounts import Doors, Role

    try:
        sessions = Sessions(profile, agent=f"policyengine/{__version__}")
        region: str = sessions.base.get_config_variable("region") or HOME["aws"]
        own = sessions.identity(sessions.base, region)
    except CallFailure as failure:
        raise InputError(
            f"no use can be made of the AWS credentials: {failure}; name a profile with --profile, or set AWS_PROFILE",
            code="credentials",
        ) from None

    def role_for(handler: str, account: str) -> Role | None:
        if role_name is None or (account == own.account and "{handler}" not in role_name):
            return None
        name = role_name.replace("{handler}", handler.replace("_", "-") or "scanner")
        return Role(f"arn:{own.partition}:iam::{account}:role/{name}", external_id)

    return Doors(sessions, own, region, role_for), region


class Live(NamedTuple):
    """The kernel over live accounts, and what it was made of. ``account`` is that of the credentials."""

    kernel: Kernel
    pack: Pack
    settings: Settings
    account: str


def open_live(options: Mapping[str, Any]) -> Live:
    """Return the kernel for the options. Raises InputError, RuleError, ConfigError."""
    from policyengine.cli.inputs import read_settings
    from policyengine.remediate.assemble import make_kernel
    from policyengine.remediate.registry import load_remediations
    from policyengine.rules.packs import load_packs

    pack = load_packs(options["rule_folders"])
    settings, _text = read_settings({**options, "ous": (), "account": None}, ["."], pack)
    doors, _region = doors_for(options["profile"], options["role_name"], options["external_id"])
    kernel = make_kernel(
        doors=doors,
        pack=pack,
        settings=settings,
        remediations=load_remediations(),
        store=open_the_store(options["where"], options["profile"]),
        waiter=Waiting(),
        owner=f"{socket.gethostname()[:60]}-{os.getpid()}-{uuid.uuid4().hex[:8]}",
    )
    return Live(kernel, pack, settings, doors.own.account)


def who(given: str | None) -> str:
    """Return who asks: as given, else the user of this machine. On one machine a name is a claim, no proof."""
    if given:
        return given
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):
        raise UsageError("this machine does not say who you are; name yourself with --as") from None
