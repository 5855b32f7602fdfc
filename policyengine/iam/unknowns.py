"""Policies of which something is not known, as policies with opaque statements."""

from __future__ import annotations

from dataclasses import replace

from policyengine.iam.documents import Policy, anything
from policyengine.iam.grammar import Kind
from policyengine.iam.opaque import Opaque


def unknown_policy(kind: Kind, reason: str, *, allow: bool = True) -> Policy:
    """Return a policy that may allow anything (not an RCP, or with ``allow`` false) and may deny anything."""
    return Policy(kind, "2012-10-17", None, anything(kind, Opaque(reason), allow=allow))


def perhaps(policy: Policy, reason: str) -> Policy:
    """Return a policy of which it is not known whether it is there at all."""
    why = Opaque(reason)
    statements = tuple(
        replace(s, opaque=why if s.opaque is None else s.opaque, compiled=[]) for s in policy.statements
    )
    return Policy(policy.kind, policy.version, policy.id, statements)
