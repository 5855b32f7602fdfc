"""Whom the SCPs above an account spare, in words: by name, besides, and who may become one of them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from policyengine.iam.account_ids import account_of
from policyengine.iam.covering import Coverage, Denial
from policyengine.iam.exemptions import Exemption, exemptions
from policyengine.iam.reason import No, Yes
from policyengine.iam.request_set import RequestSet, read_request_set
from policyengine.iam.sentences import may_call
from policyengine.model.finding import Evidence
from policyengine.rules.iam.organizations import Members

_EXPECTED: Final = "SCPs that deny every such request"
_SHOWN: Final = 4


def spared(members: Members, result: Coverage, escaped: str) -> Iterator[Evidence]:
    """Yield whom each Deny that a principal escaped by name spares, and who else may escape it so."""
    seen: set[tuple[str, str]] = set()
    account = account_of(escaped) or result.account  # of an account in code, the one that stands for it
    for denial in result.denials:
        for exemption in exemptions(denial.statement, account):
            key = (exemption.pattern, exemption.operator)
            if key in seen or len(seen) >= _SHOWN or not _escapes(exemption, escaped):
                continue
            seen.add(key)
            yield _evidence(members, result, denial, exemption)


def _escapes(exemption: Exemption, principal: str) -> bool:
    return RequestSet(principals=(exemption.pattern,)).names(principal)


def _evidence(members: Members, result: Coverage, denial: Denial, exemption: Exemption) -> Evidence:
    name = f" `{denial.statement.sid}`" if denial.statement.sid else ""
    parts = [f"the Deny{name} in SCP {denial.attached.name} spares {exemption.pattern}"]
    if exemption.besides is not None:
        parts.append(
            f"{exemption.operator} compares texts, where `*` crosses `:` and `/`, so it also spares"
            f" {exemption.besides}"
        )
    if ":role/" in exemption.pattern:
        parts.append(_who_may_become(members, result.account, exemption.pattern))
    parts.append("service-linked roles are beyond every SCP")
    place = ("with", denial.node, denial.attached.name)
    return Evidence(place, "; ".join(parts), _EXPECTED, "request_not_denied")


def _who_may_become(members: Members, account: str, pattern: str) -> str:
    """Say whether SCPs keep others from creating, changing or passing such a role."""
    found = members.covered(_changes(pattern)).get(account)
    if found is not None and isinstance(found.answer, No):
        return "SCPs let nobody else create, change or pass it; its trust policy says who may assume it"
    who = "whoever may create, change or assume it escapes, and no SCP protects it"
    if found is not None and isinstance(found.answer, Yes):
        return f"{who}: {may_call(found.answer.witness)}"
    return f"{who} as far as is known"


@lru_cache(maxsize=256)
def _changes(pattern: str) -> RequestSet:
    return read_request_set(
        {"action": ["@iam-role-changes"], "resource": [pattern], "principal": {"not": [pattern]}}
    )
