"""Principal and NotPrincipal: which callers an element names, and how closely.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from enum import IntEnum
from typing import Final

from policyengine.iam.opaque import Answer, Opaque
from policyengine.iam.request import Caller, Request


class Named(IntEnum):
    """How a policy names the caller, the closest last; what an Allow gives depends on it."""

    NOT = 0
    ACCOUNT = 1
    """Its account: authority is delegated to the account, whose own policies decide."""
    ROLE = 2
    """The role of its session, or the user behind a federated session."""
    EVERYONE = 3
    DIRECT = 4
    """Itself: the user, the session, the service."""


NO_AWS: Final = ("service", "federated")
"""Callers that have elements of their own in a Principal."""

NamedBy = Callable[[Request], Named | Opaque]


def compile_principals(principals: Mapping[str, tuple[str, ...]]) -> NamedBy:
    """Return what says how an element names the caller of a request."""
    everyone = "*" in principals
    all_of_aws = "*" in principals.get("AWS", ())
    aws = frozenset(principals.get("AWS", ()))
    services = frozenset(principals.get("Service", ()))
    federated = frozenset(principals.get("Federated", ()))
    canonical = bool(principals.get("CanonicalUser"))

    def named(request: Request) -> Named | Opaque:
        caller = request.caller
        found: Named | Opaque = Named.NOT
        if caller.kind == "service":
            found = Named.DIRECT if caller.name in services or "*" in services else Named.NOT
        elif caller.kind == "federated":
            found = Named.DIRECT if caller.name in federated or "*" in federated else Named.NOT
        elif caller.account:
            found = _in_account(caller, aws)
        if found is Named.DIRECT:
            return found
        if everyone:
            return Named.EVERYONE
        if all_of_aws:
            # the page calls both forms equivalent for anonymous users, and is silent on services
            return Opaque("whether {AWS: *} names a service") if caller.kind in NO_AWS else Named.EVERYONE
        if canonical and found is Named.NOT and caller.account:
            return Opaque("a canonical user id, whose account is not known")
        return found

    return named


def _in_account(caller: Caller, aws: frozenset[str]) -> Named | Opaque:
    account = caller.account or ""
    partition = caller.name.split(":", 2)[1]
    if caller.name in aws and caller.kind != "root":
        return Named.ROLE if caller.kind == "role" else Named.DIRECT
    if caller.role is not None and caller.role in aws:
        return Named.ROLE
    if caller.kind == "federated_user":
        user = caller.name.rpartition("/")[2]
        if f"arn:{partition}:iam::{account}:user/{user}" in aws:
            return Named.ROLE
    if caller.kind == "session" and caller.role is None:
        tail, head = f"/{caller.role_name}", f"arn:{partition}:iam::{account}:role/"
        if f"{head}{caller.role_name}" in aws:
            return Named.ROLE
        if any(name.startswith(head) and name.endswith(tail) for name in aws):
            return Opaque("the path of the session's role is not known")
    if account in aws or f"arn:{partition}:iam::{account}:root" in aws:
        return Named.DIRECT if caller.kind == "root" else Named.ACCOUNT
    if caller.kind == "role" and any(
        name.startswith(f"arn:{partition}:sts::{account}:assumed-role/{caller.role_name}/") for name in aws
    ):
        return Opaque("one session of the role is named")
    return Named.NOT


def compile_exempt(principals: Mapping[str, tuple[str, ...]], deny: bool) -> Callable[[Request], Answer]:
    """Return what says whether NotPrincipal leaves the caller out.

    An account that is named is a principal, and leaves out all of its own. With Deny, its principals are to
    be named with it: without the account "the policy might deny access to the entire account containing the
    principal". Of an account named with some of its principals, the guide's example says that all others are
    denied ("all principals except the user named Bob"), which contradicts what the account does alone: open.
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notprincipal.html.
    """
    by = compile_principals(principals)
    aws = frozenset(principals.get("AWS", ()))
    alone = Opaque("NotPrincipal with Deny names the caller but not the account")
    others = Opaque("NotPrincipal with Deny names the account and others of it")

    def exempt(request: Request) -> Answer:
        found = by(request)
        if isinstance(found, Opaque):
            return found
        caller = request.caller
        if deny and caller.account and caller.kind != "root":
            if found is Named.ACCOUNT and _named_inside(caller.account, aws):
                return others
            root = f"arn:{caller.name.split(':', 2)[1]}:iam::{caller.account}:root"
            if found in (Named.DIRECT, Named.ROLE) and caller.account not in aws and root not in aws:
                return alone
        return found is not Named.NOT

    return exempt


def _named_inside(account: str, names: Collection[str]) -> bool:
    """Whether principals of an account are named besides the account."""
    return any(f"::{account}:" in name and not name.endswith(":root") for name in names)
