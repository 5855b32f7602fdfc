"""Policies of which something is not known, as policies with opaque statements."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from policyengine.iam.documents import Policy, Statement
from policyengine.iam.grammar import RULES, Kind
from policyengine.iam.opaque import Opaque

_EVERYTHING: Final = ("*",)


def unknown_policy(kind: Kind, reason: str, *, allow: bool = True) -> Policy:
    """Return a policy that may allow anything (not an RCP, or with ``allow`` false) and may deny anything."""
    why = Opaque(reason)
    effects = (True, False) if allow and not RULES[kind].deny_only else (False,)
    return Policy(kind, "2012-10-17", None, tuple(_anything(kind, effect, why) for effect in effects))


def perhaps(policy: Policy, reason: str) -> Policy:
    """Return a policy of which it is not known whether it is there at all."""
    why = Opaque(reason)
    statements = tuple(
        replace(s, opaque=why if s.opaque is None else s.opaque, compiled=[]) for s in policy.statements
    )
    return Policy(policy.kind, policy.version, policy.id, statements)


def _anything(kind: Kind, allow: bool, why: Opaque) -> Statement:
    rules = RULES[kind]
    return Statement(
        index=0,
        sid=None,
        allow=allow,
        actions=_EVERYTHING,
        not_action=False,
        resources=None if rules.resource == "none" else _EVERYTHING,
        not_resource=False,
        principals=None if rules.principal == "none" else {"*": _EVERYTHING},
        not_principal=False,
        conditions=(),
        variables=True,
        opaque=why,
    )
