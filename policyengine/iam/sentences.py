"""Requests and Deny statements in one sentence each, for people who read findings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from policyengine.iam.conditions import compile_condition
from policyengine.iam.documents import Statement
from policyengine.iam.errors import PolicyError
from policyengine.iam.made_up import ACCOUNT, ANYBODY, NAME_PREFIX, made_up
from policyengine.iam.request import read_caller
from policyengine.iam.search import Witness
from policyengine.iam.spelling import documented
from policyengine.iam.statements import compiled
from policyengine.iam.wording import condition_words

_REGION: Final = "aws:RequestedRegion"
_UNSPECIFIED: Final = "unspecified"
"""What a request that a global inference profile routes has as its region:
https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html"""
_MOST: Final = 4


def may_call(request: Witness, unnamed: Collection[str] = ()) -> str:
    """Return ``role app in account 111122223333 may call s3:GetObject on arn:aws:s3:::b/x``.

    ``unnamed``: accounts that stand for any.
    """
    return f"{who(request.principal, unnamed)} may call {_what(request)}{_made_up(request)}"


def goes_undenied(request: Witness) -> str:
    """Return ``no Deny stops s3:GetObject on arn:aws:s3:::b/x by role app in account 111122223333``."""
    return f"no Deny stops {_what(request, f' by {who(request.principal)}')}{_made_up(request)}"


def _made_up(request: Witness) -> str:
    """Return a note about what stands for something that is not known."""
    values = [
        v for value in request.context.values() for v in ((value,) if isinstance(value, str) else value)
    ]
    return made_up([request.resource, *values])


def who(principal: str, unnamed: Collection[str] = ()) -> str:
    """Return a principal as a reader calls it: what it is, its name and its account.

    A principal that stands for others is called any; so is the account where ``unnamed`` has it. The account
    of code that is bound to none is not told.
    """
    try:
        caller = read_caller(principal)
    except PolicyError:
        return principal
    name = principal.split(":", 5)[-1].partition("/")[2]
    account = f" in account {caller.account}" if caller.account not in (None, ACCOUNT) else ""
    if caller.account in unnamed:
        account = f" in any account, e.g. {caller.account}"
    match caller.kind:
        case "role" | "user":
            return f"{_entity(caller.kind, name)}{account}"
        case "session":
            return f"a session of role {name.partition('/')[0]}{account}"
        case "federated_user":
            return f"federated user {name}{account}"
        case "root":
            return f"the root user{account.replace(' in ', ' of ', 1)}"
        case "service":
            return f"the service {principal}"
        case "anonymous":
            return "anybody, without credentials,"
    return principal


def _entity(kind: str, name: str) -> str:
    if name == ANYBODY:
        return f"any {kind}"
    if name.startswith(NAME_PREFIX):
        return f"{kind} {name.removeprefix(NAME_PREFIX)} of this code"
    return f"{kind} {name}"


def _what(request: Witness, by: str = "") -> str:
    place, rest = _context(request.context)
    on = "" if request.resource == "*" else f" on {request.resource}"
    return f"{request.action}{place}{on}{by}{rest}"


def _context(context: Mapping[str, str | tuple[str, ...]]) -> tuple[str, str]:
    """Return where a request is made, and its other circumstances."""
    region, pairs = "", []
    for key, value in context.items():
        text = value if isinstance(value, str) else ", ".join(value)
        if key.lower() == _REGION.lower():
            region = " through a global inference profile" if text == _UNSPECIFIED else f" in {text}"
        else:
            pairs.append(f"{documented(key)} = {text}")
    return region, f" with {'; '.join(pairs)}" if pairs else ""


def why_passed(statement: Statement, request: Witness) -> str | None:
    """Return why a Deny does not stop a request, as the end of "the Deny …"; None when it does."""
    verdict = compiled(statement).verdict(request.request(), False)
    if verdict is None:
        return None
    if not isinstance(verdict, str):
        return f"may not apply: {verdict.reason}"
    if verdict == "action_not_named":
        return f"names only {_some(statement.actions)}"
    if verdict == "action_excluded":
        return f"exempts {_some(statement.actions)}"
    if verdict == "resource_not_named":
        return f"is only about {_some(statement.resources or ())}"
    if verdict == "resource_excluded":
        return f"exempts the resources {_some(statement.resources or ())}"
    if verdict == "condition_not_met":
        return f"applies only where {' and '.join(_not_met(statement, request))}"
    return f"is about other principals ({verdict.replace('_', ' ')})"


def _not_met(statement: Statement, request: Witness) -> Iterator[str]:
    """Yield the conditions that the request does not meet."""
    given = request.request()
    for condition in statement.conditions:
        if compile_condition(condition, statement.variables)(given) is False:
            yield condition_words(condition)


def _some(patterns: tuple[str, ...]) -> str:
    shown = ", ".join(patterns[:_MOST])
    return f"{shown} and {len(patterns) - _MOST:,} more" if len(patterns) > _MOST else shown
