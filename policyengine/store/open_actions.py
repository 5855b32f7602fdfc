"""Which store an argument means: a file, or a table (``dynamodb:TABLE@REGION``)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from policyengine.aws.region_names import REGION_NAME
from policyengine.store.actions import ActionStore, StoreError

if TYPE_CHECKING:
    from policyengine.aws.account import Account

_PREFIX: Final = "dynamodb:"
_TABLE: Final = re.compile(rf"([A-Za-z0-9_.-]{{3,255}})(?:@({REGION_NAME}))?")
"""A table's name as CreateTable takes it, and a region."""
_RATE: Final = 1000.0
"""Calls a second at most: an on-demand table slows down by itself."""


def open_store(
    where: str, *, create: bool = True, account: Account | None = None, region: str = ""
) -> ActionStore:
    """Return the store at a path, or of a table ``dynamodb:TABLE[@REGION]``.

    ``create``: a file that does not exist is made. ``account`` is whose table it is, without the one of the environment's
    credentials; ``region`` is the table's where it is not named, without the one of the AWS configuration. Raises StoreError.
    """
    if not where.startswith(_PREFIX):
        from policyengine.store.sqlite_actions import SqliteActions

        if not where:
            raise StoreError(f"no store is named; expected a path or `{_PREFIX}TABLE[@REGION]`")
        return SqliteActions(Path(where), create=create)
    named = _TABLE.fullmatch(where[len(_PREFIX) :])
    if named is None:
        raise StoreError(
            f"`{where}` names no table; expected `{_PREFIX}TABLE` or `{_PREFIX}TABLE@REGION`, the table's name 3 to 255 "
            "letters, digits, `_`, `.` or `-` (a file of that name is `./…`)"
        )
    from policyengine.store.dynamo_actions import DynamoActions

    return DynamoActions(*_placed(account, named[1], named[2] or region))


def _placed(account: Account | None, table: str, region: str) -> tuple[Account, str, str]:
    if account is not None and region:
        return account, table, region
    from policyengine.aws.account import Account
    from policyengine.aws.calls import CallLog
    from policyengine.aws.failures import CallFailure
    from policyengine.aws.rate import Buckets
    from policyengine.aws.sessions import Sessions

    try:
        sessions = Sessions()
    except CallFailure as problem:
        raise StoreError(f"the table `{table}` cannot be reached: {problem}") from None
    place = region or sessions.base.get_config_variable("region")
    if not place:
        raise StoreError(
            f"no region is configured for the table `{table}`; expected `{_PREFIX}{table}@REGION`"
        )
    if account is None:
        partition = sessions.base.get_partition_for_region(place)
        account = Account(sessions, sessions.base, "", partition, log=CallLog(), buckets=Buckets(_RATE))
    return account, table, place
