"""``sharing.inside``: are the accounts and principals that a property names one's own?

A share names account ids, ARNs, an organisation or one of its units by ARN, or everybody:
https://docs.aws.amazon.com/ram/latest/APIReference/API_CreateResourceShare.html,
https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ModifyDocumentPermission.html.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.iam.account_ids import account_of
from policyengine.model.account_id import is_account_id
from policyengine.model.finding import Evidence
from policyengine.model.logic import FALSE, TRUE, UNKNOWN
from policyengine.model.resource import Path
from policyengine.model.values import ABSENT, OpenList, Unresolved
from policyengine.rules.iam.standins import ACCOUNT, filled
from policyengine.rules.iam.values import account_id
from policyengine.rules.predicates.api import Answer, Subject
from policyengine.rules.predicates.iam.outside import members
from policyengine.rules.predicates.paths import Mistyped, read

_EVERYBODY: Final = frozenset({"*", "all"})
_ORGANIZATION: Final = re.compile(r"(?:^|[:/])(o-[a-z0-9]{10,32})(?:/|$)")
_SERVICES: Final = (".amazonaws.com", ".amazonaws.com.cn")
_IN_ACCOUNT: Final = "one of the own account"
_IN_ORGANIZATION: Final = "one of the organisation"


def inside(
    subject: Subject, *, principals: Path, trusted_accounts: Sequence[str], organization: bool
) -> Answer:
    """TRUE when every account and principal that is named is one's own, a member or trusted."""
    expected = _IN_ORGANIZATION if organization else _IN_ACCOUNT
    judge = _Judge(subject, frozenset(trusted_accounts), organization)
    bad: list[Evidence] = []
    doubts: list[Evidence] = []
    good: list[Evidence] = []
    for path, value in _values(read(subject, tuple(map(str, principals))), principals):
        verdict = judge.of(value)
        if verdict is True:
            good.append(Evidence(path, value, expected, "requirement_met"))
        elif verdict is False:
            bad.append(Evidence(path, value, expected, "value_mismatch"))
        else:
            doubts.append(Evidence(path, verdict, expected, verdict.reason))
    if bad:
        return Answer(FALSE, tuple(bad))
    if doubts:
        return Answer(UNKNOWN, tuple(doubts))
    return Answer(TRUE, tuple(good) or (Evidence(principals, ABSENT, expected, "requirement_met"),))


def _values(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield what is named: the value, or the elements of a list, and the rest of one that may go on."""
    if value is ABSENT:
        return
    if not isinstance(value, list):
        yield path, value.value if isinstance(value, Mistyped) else value
        return
    for index, item in enumerate(value):
        yield (*path, index), item
    if isinstance(value, OpenList):
        yield path, value.more


@dataclass(slots=True)
class _Judge:
    """Says of one name whether it is inside; looks at the organisation only where that is needed."""

    subject: Subject
    trusted: frozenset[str]
    organization: bool
    _members: tuple[set[str], str | None, Unresolved | None] | None = field(default=None)

    def of(self, value: Any) -> bool | Unresolved:
        """Return whether a name is inside, or why that is not known."""
        if isinstance(value, Unresolved):
            told = self._told(value)
            if told is None:
                return value
            value = told
        if isinstance(value, int) and not isinstance(value, bool):
            value = f"{value:012d}"  # YAML reads an account id without quotes as a number
        if not isinstance(value, str):
            return Unresolved("unsupported", "neither an account nor a principal")
        if value.lower() in _EVERYBODY:
            return False
        if value in self.trusted or value.endswith(_SERVICES):
            return True
        organization = _ORGANIZATION.search(value)
        if organization is not None:
            return self._organization(organization.group(1))
        account = value if is_account_id(value) else account_of(value)
        if is_account_id(account):
            return self._account(account)
        return Unresolved("unsupported", f"whose `{value}` is")

    def _told(self, value: Unresolved) -> str | None:
        """Return what is known of a text of code: its account, which is all that is asked for."""
        if value.target is not None:
            return account_id(self.subject.resource) or ACCOUNT  # what stands beside it is of its account
        found = filled(value, self.subject.resource)
        if isinstance(found, str):
            return found
        text = "?".join(value.parts or ())
        return text if is_account_id(account_of(text)) else None

    def _account(self, account: str) -> bool | Unresolved:
        own = account_id(self.subject.resource)
        if account in self.trusted or account == (own or ACCOUNT):
            return True
        if own is None:
            return Unresolved("not_collected", "the account of code that is bound to none")
        if not self.organization:
            return False
        known, _, more = self._known()
        return account in known or (False if more is None else more)

    def _organization(self, organization: str) -> bool | Unresolved:
        if organization in self.trusted:
            return True
        _, own, more = self._known()
        if own is not None:
            return own == organization
        return more or Unresolved("not_collected", "the organisation")

    def _known(self) -> tuple[set[str], str | None, Unresolved | None]:
        if self._members is None:
            self._members = members(self.subject)
        return self._members
