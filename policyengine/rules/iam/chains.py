"""The SCPs and RCPs above accounts, as the questions about principals take them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from policyengine.iam.documents import Policy
from policyengine.iam.opaque import Opaque
from policyengine.iam.unknowns import unknown_policy

if TYPE_CHECKING:
    from policyengine.iam.organization import Organization
    from policyengine.iam.organization_records import ChainKind


class Chains:
    """The levels of each account; those of accounts with the same chain are the same object.

    Without an organisation there are none; a chain that is not known may allow and deny anything.
    """

    def __init__(self, organization: Organization | None) -> None:
        self.organization = organization
        self._of: dict[tuple[str, ChainKind], Sequence[Sequence[Policy]]] = {}
        self._shared: dict[object, Sequence[Sequence[Policy]]] = {}

    @property
    def management_account(self) -> str | None:
        """Return the account that SCPs do not restrict, where it is known."""
        return None if self.organization is None else self.organization.management_account

    def of(self, account: str, kind: ChainKind) -> Sequence[Sequence[Policy]]:
        """Return the levels of an account, the root first."""
        if self.organization is None:
            return ()
        if (account, kind) not in self._of:
            chain = self.organization.chain(account, kind)
            if chain is None:
                found: Sequence[Sequence[Policy]] = ()
            elif isinstance(chain, Opaque):
                found = [[unknown_policy(kind, chain.reason)]]
            else:
                found = self._shared.setdefault(chain.key, chain.policies())
            self._of[account, kind] = found
        return self._of[account, kind]
