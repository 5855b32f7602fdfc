"""Under what circumstances somebody from nowhere asks: conditions that fixed values keep anybody out by.

The keys are those by which AWS itself tells public policies:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
and https://docs.aws.amazon.com/efs/latest/ug/access-control-block-public-access.html.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Final

from policyengine.iam.documents import Policy, Statement
from policyengine.iam.public_access import FIXED_KEYS, WIDEST
from policyengine.iam.request_set import Values
from policyengine.rules.iam.held import Held

OWN_ORGANIZATION: Final = "o-ownorganization"
ORGANIZATION_KEYS: Final = ("aws:principalorgid", "aws:principalorgpaths")
_NETWORK: Final = frozenset(
    {
        "aws:sourceorgid", "aws:sourceorgpaths", "aws:sourcevpcarn", "aws:vpcsourceip", "aws:vpceaccount",
        "aws:vpceorgid", "aws:vpceorgpaths", "elasticfilesystem:accessedviamounttarget",
    }
)  # fmt: skip
CALLER_ACCOUNT: Final = "kms:calleraccount"
"""Whose account the caller is of, as ``aws:PrincipalAccount``:
https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-caller-account"""
_FOLLOWING: Final = frozenset({"aws:principalarn", "aws:principalaccount", CALLER_ACCOUNT})
"""Keys that follow from who asks."""
_TRUTHS: Final = {"true": "false", "false": "true"}


def in_organization(found: Held, organization: str = OWN_ORGANIZATION) -> Held:
    """Return the documents with the resource's organisation and account in place of the variables for them."""
    placed = (replace(d, policy=_placed(d.policy, organization, found.account)) for d in found.documents)
    return replace(found, documents=tuple(placed))


def statements_of(policies: Iterable[Policy]) -> Iterator[Statement]:
    """Return the statements of policies."""
    return (s for p in policies for s in p.statements)


def texts_of(policies: Iterable[Policy]) -> Iterator[str]:
    """Yield whom policies name, and the values of their conditions."""
    for statement in statements_of(policies):
        for names in (statement.principals or {}).values():
            yield from names
        for condition in statement.conditions:
            yield from condition.values


def _fixed(policies: Sequence[Policy]) -> dict[str, tuple[str, ...]]:
    """Return the values of keys that keep anybody out: fixed ones, of each key that documents ask for."""
    keys = (FIXED_KEYS | _NETWORK | {*ORGANIZATION_KEYS}) - _FOLLOWING
    found: dict[str, dict[str, None]] = {}
    for statement in statements_of(policies):
        for condition in statement.conditions:
            key = condition.key.lower()
            if key in keys or key == "aws:sourceip":
                values = found.setdefault(key, {})
                values.update(dict.fromkeys(v for v in condition.values if _keeps_out(key, v)))
    return {key: tuple(values) for key, values in found.items()}


def _keeps_out(key: str, value: str) -> bool:
    if key == "aws:sourceip":
        address, slash, length = value.partition("/")
        shortest = WIDEST[6 if ":" in address else 4]
        return not slash or (length.isdigit() and int(length) >= shortest)
    if "${" in value or value.strip("*?") == "":
        return False
    if "*" not in value and "?" not in value:
        return True
    if key in ("aws:sourcearn", "s3:dataaccesspointarn"):
        parts = value.split(":", 5)  # names may be open as long as the account is fixed
        return len(parts) == 6 and parts[4].isdigit()
    return key.endswith("orgpaths") or (key == "aws:userid" and value.partition(":")[0].isalnum())


def nowhere(policies: Sequence[Policy]) -> dict[str, Values]:
    """Return the circumstances of somebody from nowhere that documents name."""
    fixed = _fixed(policies)
    found = {key: Values(values, True, True) for key, values in fixed.items() if values}
    for key, values in fixed.items():
        if len(values) == 1 and values[0].lower() in _TRUTHS:
            found[key] = Values((_TRUTHS[values[0].lower()],), False, True)
    return found


def beyond(organization: str) -> dict[str, Values]:
    """Return the circumstances of a principal of another organisation than this one."""
    return {
        "aws:principalorgid": Values((organization,), True, True),
        "aws:principalorgpaths": Values((f"{organization}/*",), True, True),
    }


def _placed(policy: Policy, organization: str, account: str) -> Policy:
    """Return a policy with the resource's organisation and account in place of the variables for them."""
    known = {
        "${aws:resourceorgid}": organization,
        "${aws:resourceorgpaths}": f"{organization}/r-root/",
        "${aws:resourceaccount}": account,
    }
    if not any(t.lower() in known for t in texts_of([policy])):
        return policy
    statements = []
    for statement in policy.statements:
        conditions = tuple(
            replace(c, values=tuple(known.get(v.lower(), v) for v in c.values)) for c in statement.conditions
        )
        statements.append(replace(statement, conditions=conditions, compiled=[]))
    return replace(policy, statements=tuple(statements))


def without_owners(policy: Policy) -> Policy:
    """Return a policy without canonical users: each is one account, never anybody."""
    if not any("CanonicalUser" in (s.principals or {}) for s in policy.statements):
        return policy
    kept = []
    for statement in policy.statements:
        others = {k: v for k, v in (statement.principals or {}).items() if k != "CanonicalUser"}
        if (
            statement.principals is None
            or statement.not_principal
            or "CanonicalUser" not in statement.principals
        ):
            kept.append(statement)
        elif others:
            kept.append(replace(statement, principals=others, compiled=[]))
    return replace(policy, statements=tuple(kept))
