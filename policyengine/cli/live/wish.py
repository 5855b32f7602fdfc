"""The options that say which accounts are read, and how."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import click

from policyengine.aws.rate import RATE, RATES
from policyengine.model.errors import UsageError

ROLE_NAME: Final = "PolicyEngineScanner"
_ROLE: Final = re.compile(r"[A-Za-z0-9_+=,.@-]{1,64}")
_FOLDER: Final = re.compile(r"[!-~]{0,510}")


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say which accounts are read, and how."""
    for option in reversed(
        (
            click.option("--live", is_flag=True, help="read the account of the current credentials"),
            click.option("--org", is_flag=True, help="read every account of the organisation"),
            click.option("--profile", metavar="NAME", help="profile of the AWS configuration files"),
            click.option("--regions", multiple=True, metavar="NAME,…", help="only these regions (default: all enabled)"),
            click.option(
                "--role-name", metavar="NAME", help=f"role assumed in each account (default {ROLE_NAME})"
            ),
            click.option(
                "--external-id", metavar="ID", envvar="POLICYENGINE_EXTERNAL_ID", show_envvar=True,
                help="external id the role asks for",
            ),
            click.option("--accounts", multiple=True, metavar="ID,…", help="only these accounts"),
            click.option("--ous", "org_units", multiple=True, metavar="ID,…", help="only accounts at or below these OUs"),
            click.option("--exclude", multiple=True, metavar="ID,…", help="not these accounts"),
            click.option(
                "--rate", type=click.FloatRange(min=0.1), metavar="N",
                help="calls a second to one service of one account and region, at most (default: "
                f"{RATE:g}; {', '.join(f'{service} {rate:g}' for service, rate in RATES.items())})",
            ),
            click.option(
                "--redaction-key", type=click.Path(path_type=Path), metavar="FILE",
                help="key of the digests that stand for secrets (default: one of your own, made at first)",
            ),
            click.option(
                "--workers", type=click.IntRange(1, 64), default=8, show_default=True, metavar="N",
                help="types collected at the same time",
            ),
        )
    ):  # fmt: skip
        command = option(command)
    return command


class Wish(NamedTuple):
    """What the options ask for, checked."""

    organization: bool
    profile: str | None
    regions: tuple[str, ...]
    role_name: str
    external_id: str | None
    accounts: tuple[str, ...]
    ous: tuple[str, ...]
    exclude: tuple[str, ...]
    rate: float | None
    workers: int
    redaction_key: Path | None = None

    def leaves_out(self, account: str) -> bool:
        """Whether the options leave an account out that is not among those to read; else it is closed, or has left."""
        if not self.organization or self.ous or account in self.exclude:
            return True
        return bool(self.accounts) and account not in self.accounts


def checked_role(name: str, *, path: bool = False) -> str:
    """Return the name of a role, behind its path where one may stand there. Raises UsageError for what IAM would refuse
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html)."""
    folder, _, last = name.rpartition("/") if path else ("", "", name)
    if not _ROLE.fullmatch(last) or not _FOLDER.fullmatch(folder):
        raise UsageError(
            f"--role-name `{name[:80]}` is no name of a role; expected up to 64 letters, digits and +=,.@_-"
        )
    return name


def wish_of(given: Mapping[str, Any]) -> Wish | None:
    """Return what is to be collected; None when no live account is asked for. Raises UsageError."""
    only_org = ("role_name", "external_id", "accounts", "org_units", "exclude")
    if not given["live"] and not given["org"]:
        for name in ("profile", "regions", *only_org):
            if given[name] and name != "external_id":
                raise UsageError(f"{_option(name)} goes with --live or --org")
        return None
    if given["live"] and given["org"]:
        raise UsageError("--live reads one account and --org all of them: give one of the two")
    if given["live"]:
        for name in only_org:
            if given[name] and name != "external_id":
                raise UsageError(f"{_option(name)} goes with --org")
    wish = Wish(
        bool(given["org"]), given["profile"], _names(given["regions"]), checked_role(given["role_name"] or ROLE_NAME, path=True),
        given["external_id"], _names(given["accounts"]), _names(given["org_units"]), _names(given["exclude"]),
        given["rate"], given["workers"], given["redaction_key"],
    )  # fmt: skip
    for account in (*wish.accounts, *wish.exclude):
        if not (len(account) == 12 and account.isdigit()):
            raise UsageError(f"`{account}` is no account id; expected twelve digits")
    return wish


def _option(name: str) -> str:
    """`--ou` of a scan says which OUs stand above code: the two must not be one."""
    return "--ous" if name == "org_units" else f"--{name.replace('_', '-')}"


def _names(given: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for text in given for name in text.replace(",", " ").split()))
