"""One statement more in a resource's policy, which denies every request that does not come over TLS, and nothing else:
proved over all requests before anybody writes it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.appending import free_sid, with_statement
from policyengine.iam.documents import Policy, Statement, read_policy
from policyengine.iam.reason import EVERYONE, No, denies, newly_allows
from policyengine.iam.request_set import RequestSet, read_request_set

SID: Final = "DenyRequestsWithoutTls"
_KEY: Final = "aws:SecureTransport"


class NotProvedError(Exception):
    """It could not be proved that the new policy denies requests without TLS and nothing else."""


def tls_only(text: str | None, resources: Sequence[str], action: str) -> tuple[str, str] | None:
    """Return the text of the policy with the statement, and its Sid; None where requests without TLS are denied already.

    ``resources`` are the ARNs of the resource and its parts, ``action`` all of its service's (``s3:*``); ``text`` is
    None where there is no policy. Raises PolicyError for a text that is no policy, and NotProvedError.
    """
    old = None if text is None else read_policy(text, "resource")
    asked = _requests(action=[action], resource=list(resources), context={_KEY: ["false"]})
    if old is not None and isinstance(denies([old], asked), No):
        return None
    sid = free_sid(text, SID)
    statement = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resources[0] if len(resources) == 1 else list(resources),
        "Condition": {"Bool": {_KEY: "false"}},
    }
    merged = with_statement(text, statement)
    new = read_policy(merged, "resource")
    if not isinstance(denies([new], asked), No) or not _unharmed(old, new, resources):
        raise NotProvedError(
            "it could not be proved that the new policy denies requests without TLS and nothing else"
        )
    return merged, sid


def _unharmed(old: Policy | None, new: Policy, resources: Sequence[str]) -> bool:
    """Say whether the first statements are those of the old policy, and the last one denies no request over TLS and
    none about anything else."""
    kept = [] if old is None else [_said(each) for each in old.statements]
    alone = replace(new, statements=new.statements[-1:])
    over_tls = _requests(context={_KEY: {"in": ["true"], "or_absent": True}})
    elsewhere = _requests(resource={"not": list(resources)})
    return [_said(each) for each in new.statements[:-1]] == kept and all(
        isinstance(newly_allows([alone, EVERYONE], [EVERYONE], asked), No) for asked in (over_tls, elsewhere)
    )


def _requests(**asked: Any) -> RequestSet:
    return read_request_set(json.dumps(asked))


def _said(statement: Statement) -> tuple[Any, ...]:
    conditions = tuple((c.operator, c.key, c.values) for c in statement.conditions)
    return (
        statement.sid, statement.allow, statement.actions, statement.not_action, statement.resources,
        statement.not_resource, statement.principals, statement.not_principal, conditions,
    )  # fmt: skip
