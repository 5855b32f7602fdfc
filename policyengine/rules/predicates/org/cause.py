"""The SCPs above an account, as what findings about it and about other accounts have as their cause."""

from __future__ import annotations

import hashlib
from typing import Final

from policyengine.iam.organization import Chain
from policyengine.iam.request_set import RequestSet
from policyengine.rules.iam.organizations import Members

_FULL_ACCESS: Final = frozenset({"p-FullAWSAccess", "FullAWSAccess"})
"""What AWS attaches to every root, OU and account, and what denies nothing:
https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html"""
_MOST: Final = 6


def scps_as_cause(members: Members, account: str, asked: RequestSet) -> str | None:
    """Return ``bedrock under SCPs p-base, p-eu``: what is asked about, and which SCPs let it through.

    Accounts under the same SCPs have the same text, and so have questions about the same services: one more
    statement in one of these SCPs answers them all. None where the SCPs are not known.
    """
    chain = members.organization.chain(account, "scp")
    names: dict[str, None] = {}
    if chain is not None:
        if not isinstance(chain, Chain):
            return None
        names = {a.id: None for level in chain.levels for a in level.policies if a.id not in _FULL_ACCESS}
    where = members.organization.id or "the organisation"
    scps = f"SCPs {', '.join(sorted(names))}" if names else f"no SCP of {where} but FullAWSAccess"
    return f"{_subject(asked)} under {scps}"


def _subject(asked: RequestSet) -> str:
    """Return the services that are asked about, those of one name (``bedrock``, ``bedrock-agentcore``) once;
    where these do not tell, a digest of the question."""
    services = sorted({action.partition(":")[0].partition("-")[0].lower() for action in asked.actions})
    if len(services) <= _MOST and all(name.isalnum() for name in services):
        return ", ".join(services)
    context = sorted((key, repr(values)) for key, values in asked.context.items())
    text = repr((asked.actions, asked.resources, asked.principals, context, asked.excluded))
    return f"requests {hashlib.sha256(text.encode()).hexdigest()[:12]}"
