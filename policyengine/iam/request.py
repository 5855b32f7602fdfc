"""What is asked: a principal, an action, a resource, and the context keys AWS would set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

from policyengine.iam.errors import PolicyError, shown
from policyengine.iam.grammar import MAX_VALUES, scalar_text
from policyengine.iam.opaque import Opaque

CallerKind = Literal["user", "role", "session", "federated_user", "root", "service", "federated", "anonymous"]
Values = tuple[str, ...] | Opaque | None
"""Values of a context key; None where the request does not carry it."""

MAX_LENGTH: Final = 8192
"""Longest text of a request: four times the longest ARN."""

WEB_IDENTITY: Final = frozenset(
    {"cognito-identity.amazonaws.com", "www.amazon.com", "graph.facebook.com", "accounts.google.com"}
)
"""Identity providers without an ARN:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html"""

_EXPECTED: Final = "an ARN of a user, role, session or account, a service such as `ec2.amazonaws.com`, or `*`"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. ``name`` is the ARN or the name of the service; ``role`` the ARN of a session's role.

    A session's ARN lacks its role's path, so ``role_name`` may be all that is known of it. A ``role``
    that asks is some session of it, under a name nobody gave.
    """

    kind: CallerKind
    name: str
    account: str | None = None
    role: str | None = None
    role_name: str | None = None

    @property
    def in_account(self) -> bool:
        """Say whether it is a principal of an account: identity policies and SCPs are about these."""
        return self.account is not None and self.kind != "federated"

    @property
    def service_linked(self) -> bool:
        """Say whether it is a service-linked role, which organisations' policies do not restrict."""
        return bool(
            (self.role and ":role/aws-service-role/" in self.role)
            or (self.role_name and self.role_name.startswith("AWSServiceRoleFor"))
        )


_PRINCIPAL_TYPES: Final[Mapping[str, str]] = {
    "user": "User", "role": "AssumedRole", "session": "AssumedRole", "root": "Account",
    "federated_user": "FederatedUser", "anonymous": "Anonymous",
}  # fmt: skip
"""https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable"""
_SERVICES: Final = (".amazonaws.com", ".amazonaws.com.cn", ".amazon.com")
"""How names of services end; Alexa's skills are ``alexa-appkit.amazon.com``:
https://docs.aws.amazon.com/lambda/latest/dg/services-alexa.html"""


@lru_cache(maxsize=16_384)
def read_caller(text: str) -> Caller:
    """Return the caller of an ARN, a service name, an identity provider or ``*``; raises PolicyError."""
    if text == "*":
        return Caller("anonymous", "*")
    if text in WEB_IDENTITY:
        return Caller("federated", text)
    if not text.startswith("arn:"):
        if text.endswith(_SERVICES) and "*" not in text:
            return Caller("service", text)
        raise PolicyError(("principal",), "no principal", shown(text), _EXPECTED)
    parts = text.split(":", 5)
    if len(parts) == 6 and len(parts[4]) == 12 and parts[4].isdigit():
        kind, _, name = parts[5].partition("/")
        caller = _iam(text, parts[4], kind, name) if parts[2] == "iam" else _sts(text, parts, kind, name)
        if caller is not None:
            return caller
    raise PolicyError(("principal",), "no principal", shown(text), _EXPECTED)


def _iam(arn: str, account: str, kind: str, name: str) -> Caller | None:
    if kind == "user" and name:
        return Caller("user", arn, account)
    if kind == "role" and name:
        return Caller("role", arn, account, role=arn, role_name=name.rpartition("/")[2])
    if kind == "root" and not name:
        return Caller("root", arn, account)
    if kind in ("saml-provider", "oidc-provider") and name:
        return Caller("federated", arn, account)
    return None


def _sts(arn: str, parts: Sequence[str], kind: str, name: str) -> Caller | None:
    account = parts[4]
    if parts[2] == "sts" and kind == "assumed-role" and "/" in name:
        return Caller("session", arn, account, role_name=name.partition("/")[0])
    if parts[2] == "sts" and kind == "federated-user" and name:
        return Caller("federated_user", arn, account)
    return None


@lru_cache(maxsize=4096)
def read_action(action: str) -> tuple[str, str]:
    """Return an action in lower case and its service; raises PolicyError for what is none."""
    service, colon, name = action.partition(":")
    if not colon or not name or not service or "*" in action or "?" in action:
        raise PolicyError(("action",), "no action", shown(action), "`service:Name` without wildcards")
    return action.lower(), service.lower()


class Request:
    """One request. ``context`` maps a key (any case) to its values; an Opaque is a key whose values
    nobody knows. Keys that follow from the rest of the request need not be given.
    """

    __slots__ = ("account", "action", "caller", "context", "lower_action", "resource", "service")

    def __init__(
        self,
        principal: str,
        action: str,
        resource: str,
        context: Mapping[str, str | Sequence[str] | Opaque] | None = None,
        resource_account: str | None = None,
    ) -> None:
        self.lower_action, self.service = read_action(action)
        if len(resource) > MAX_LENGTH or len(principal) > MAX_LENGTH or len(action) > MAX_LENGTH:
            raise PolicyError((), "too large", expected=f"texts of at most {MAX_LENGTH} characters")
        caller = read_caller(principal)
        self.action = action
        self.resource = resource
        self.context: dict[str, tuple[str, ...] | Opaque] = {
            key.lower(): (value,) if type(value) is str and len(value) <= MAX_LENGTH else _values(value, key)
            for key, value in (context or {}).items()
        }
        self.caller = caller if caller.kind != "session" else self._with_role(caller)
        self.account = resource_account or _account_of(resource) or caller.account

    def values(self, key: str) -> Values:
        """Return the values of a key in lower case, derived from the request where it implies them."""
        found = self.context.get(key)
        return found if found is not None else self._derived(key)

    def _derived(self, key: str) -> Values:
        caller = self.caller
        value: str | None = None
        if key == "aws:principalarn" and caller.account:
            value = caller.role or (None if caller.kind == "session" else caller.name)
            if value is None:
                return Opaque("the path of the session's role is not known")
        elif key == "aws:principalaccount":
            value = caller.account
        elif key == "aws:resourceaccount":
            value = self.account
        elif key == "aws:principaltype":
            value = _PRINCIPAL_TYPES.get(caller.kind)
            if value is None:
                return Opaque("what the type of a service or an identity provider is")
        elif key == "aws:username" and caller.kind == "user":
            value = caller.name.rpartition("/")[2]
        elif key == "aws:principalisawsservice":
            value = "true" if caller.kind == "service" else "false"
        elif key == "aws:principalservicename" and caller.kind == "service":
            value = caller.name
        return None if value is None else (value,)

    def _with_role(self, caller: Caller) -> Caller:
        """Return the session with the ARN of its role, which only `aws:PrincipalArn` shows in full."""
        values = self.context.get("aws:principalarn")
        if isinstance(values, tuple) and len(values) == 1:
            parts = values[0].split(":", 5)
            tail = parts[-1]
            if (
                tail.startswith("role/")
                and tail.rpartition("/")[2] == caller.role_name
                and parts[4] == caller.account
            ):
                return _session(caller.name, values[0])
        return caller


@lru_cache(maxsize=4096)
def _session(name: str, role: str) -> Caller:
    caller = read_caller(name)
    return Caller("session", name, caller.account, role, caller.role_name)


def _values(value: Any, key: str) -> tuple[str, ...] | Opaque:
    if isinstance(value, Opaque):
        return value
    listed = value if isinstance(value, list | tuple) else (value,)
    found = tuple([v if type(v) is str else scalar_text(v, ("context", key)) for v in listed])
    if found and (len(found) > MAX_VALUES or len(max(found, key=len)) > MAX_LENGTH):
        limits = f"{MAX_VALUES} values of {MAX_LENGTH} characters"
        raise PolicyError(("context", key), "too large", expected=f"at most {limits}")
    return found


def _account_of(resource: str) -> str | None:
    parts = resource.split(":", 5)
    return parts[4] if len(parts) == 6 and parts[0] == "arn" and parts[4].isdigit() else None
