"""What an AWS account is called: twelve digits (https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html)."""

from __future__ import annotations

import re
from typing import Final

ACCOUNT_ID: Final = re.compile(r"[0-9]{12}")
"""A text is an account where all of it matches."""


def is_account_id(text: str) -> bool:
    """Whether a text is the id of an account, as far as its form says it."""
    return ACCOUNT_ID.fullmatch(text) is not None
