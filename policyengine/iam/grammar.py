"""What each kind of policy may say, and the checks of single elements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from policyengine.iam.errors import JsonPath, PolicyError, shown

Kind = Literal["identity", "boundary", "session", "resource", "trust", "key", "endpoint", "scp", "rcp"]

MAX_STATEMENTS: Final = 10_000
MAX_VALUES: Final = 20_000
"""More are refused as too large: no quota of AWS comes near, and each value costs time."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a kind adds to the grammar; ``page`` is where AWS says so."""

    name: str
    page: str
    principal: Literal["required", "none", "everyone"]
    resource: Literal["required", "optional", "none"] = "required"
    arns: bool = True
    id: bool = False
    deny_only: bool = False
    version: str | None = None
    plain_sids: bool = True
    unique_sids: bool = True
    without: frozenset[str] = frozenset()

    def says(self, what: str) -> str:
        """Return a sentence about this kind."""
        return f"{self.name} {what}"


_IAM = "https://docs.aws.amazon.com/IAM/latest/UserGuide/"
_ORG = "https://docs.aws.amazon.com/organizations/latest/userguide/"

RULES: Final[Mapping[Kind, Rules]] = {
    "identity": Rules("an identity policy", _IAM + "reference_policies_grammar.html", "none"),
    "boundary": Rules("a permissions boundary", _IAM + "access_policies_boundaries.html", "none"),
    "session": Rules("a session policy", _IAM + "access_policies.html#policies_session", "none"),
    # some services (ECR) have policies without Resource, and some (API Gateway) patterns that are no ARN
    "resource": Rules(
        "a resource policy", _IAM + "access_policies_identity-vs-resource.html", "required",
        resource="optional", arns=False, id=True, plain_sids=False, unique_sids=False,
    ),
    "trust": Rules(
        "a trust policy", _IAM + "reference_policies_elements_principal.html", "required",
        resource="none", id=True, plain_sids=False, unique_sids=False,
    ),
    "key": Rules(
        "a key policy", "https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-overview.html",
        "required", resource="optional", id=True, plain_sids=False, unique_sids=False,
    ),
    "endpoint": Rules(
        "an endpoint policy", "https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html",
        "required", resource="optional", arns=False, id=True, plain_sids=False, unique_sids=False,
    ),
    "scp": Rules(
        "a service control policy", _ORG + "orgs_manage_policies_scps_syntax.html", "none",
        plain_sids=False,
    ),
    "rcp": Rules(
        "a resource control policy", _ORG + "orgs_manage_policies_rcps_syntax.html", "everyone",
        deny_only=True, version="2012-10-17", plain_sids=False,
        without=frozenset({"NotAction", "NotPrincipal"}),
    ),
}  # fmt: skip


class Elements:
    """Names of elements as AWS writes them, which any case of theirs means too."""

    __slots__ = ("lowered", "names")

    def __init__(self, *names: str) -> None:
        self.names = frozenset(names)
        self.lowered = {name.lower(): name for name in names}


ELEMENTS: Final[Mapping[str, Elements]] = {
    "policy": Elements("Version", "Id", "Statement"),
    "statement": Elements(
        "Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
        "Condition",
    ),
    "principal": Elements("AWS", "Federated", "Service", "CanonicalUser"),
}  # fmt: skip

_ACTION: Final = re.compile(r"[A-Za-z0-9-]+:[A-Za-z0-9*?_-]+\Z")
_ACCOUNT: Final = re.compile(r"[0-9]{12}\Z")
_UNIQUE_ID: Final = re.compile(r"A[A-Z0-9]{15,127}\Z")
# the account `cloudfront` holds the users that origin access identities are:
# https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html
_PRINCIPAL: Final = re.compile(
    r"arn:aws[a-z-]*:(?:iam::[0-9]{12}:(?:root|(?:user|role)/[^*?]+)|iam::cloudfront:user/[^*?]+"
    r"|sts::[0-9]{12}:(?:assumed-role/[^*?/]+/[^*?]+|federated-user/[^*?]+|self))\Z"
)


def canonical_keys(body: Mapping[str, Any], elements: Elements, path: JsonPath) -> dict[str, Any]:
    """Return the object with element names as AWS writes them; raises PolicyError for others."""
    if elements.names.issuperset(body):
        return dict(body)
    names = elements.lowered
    found: dict[str, Any] = {}
    for key, value in body.items():
        name = names.get(key.lower())
        if name is None:
            known = ", ".join(f"`{n}`" for n in names.values())
            raise PolicyError(path, "no such element", shown(key), f"one of {known}")
        if name in found:
            raise PolicyError(path, f"`{name}` stands twice in one object")
        found[name] = value
    return found


def string_list(value: Any, path: JsonPath, name: str) -> tuple[str, ...]:
    """Return the element ``name``, one text or a list of them, as a tuple; raises PolicyError for
    anything else."""
    if isinstance(value, str) and value:
        return (value,)
    here = (*path, name)
    values = value if isinstance(value, list) else [value]
    if not isinstance(value, list | str):
        raise PolicyError(here, "no text", shown(value), "a text or a list of texts")
    if not values:
        raise PolicyError(here, "nothing is named", "an empty list", "at least one text")
    if len(values) > MAX_VALUES:
        raise PolicyError(here, f"too large: {len(values)} values", expected=f"at most {MAX_VALUES}")
    for at, item in enumerate(values):
        if not isinstance(item, str):
            raise PolicyError((*here, at), "no text", shown(item), "a text")
        if not item:
            raise PolicyError((*here, at), "nothing is named", "an empty text", "a text")
    return tuple(values)


def check_sid(sid: Any, rules: Rules, path: JsonPath) -> str | None:
    """Return the Sid; raises PolicyError for one the kind does not take."""
    if sid is None:
        return None
    if not isinstance(sid, str):
        raise PolicyError((*path, "Sid"), "no text", shown(sid), "a text")
    if rules.plain_sids and sid and not (sid.isascii() and sid.isalnum()):
        raise PolicyError((*path, "Sid"), rules.says("has plain Sids"), shown(sid), "A-Z, a-z and 0-9 only")
    return sid


def check_actions(actions: Sequence[str], path: JsonPath, name: str) -> None:
    """Raise PolicyError unless each is ``*`` or ``service:pattern``; the service has no wildcards."""
    for at, action in enumerate(actions):
        if not (_ACTION.match(action) or action == "*" or action == "*:*"):
            where = (*path, name, at) if len(actions) > 1 else (*path, name)
            expected = "`*` or `service:Name`, wildcards in the name only"
            raise PolicyError(where, "no action", shown(action), expected)


def check_resources(resources: Sequence[str], path: JsonPath, name: str) -> None:
    """Raise PolicyError unless each is ``*`` or looks like an ARN."""
    for at, resource in enumerate(resources):
        if not resource.startswith("arn:") and resource.strip("*"):
            where = (*path, name, at) if len(resources) > 1 else (*path, name)
            raise PolicyError(where, "no resource", shown(resource), "`*` or an ARN (`arn:…`)")


def principal_map(value: Any, path: JsonPath) -> dict[str, tuple[str, ...]]:
    """Return kind of principal → names; ``*`` becomes ``{"*": ("*",)}``."""
    if value == "*":
        return {"*": ("*",)}
    if not isinstance(value, dict) or not value:
        raise PolicyError(path, "no principal", shown(value), '`*` or an object such as {"AWS": …}')
    body = canonical_keys(value, ELEMENTS["principal"], path)
    found = {kind: string_list(names, path, kind) for kind, names in body.items()}
    for kind, names in found.items():
        for at, name in enumerate(names):
            if not _is_principal(kind, name):
                raise PolicyError((*path, kind, at), "no principal", shown(name), _EXPECTED[kind])
    return found


_EXPECTED: Final = {
    "AWS": "`*`, an account id, or the ARN of an account, user, role or session without wildcards",
    "Federated": "an identity provider without wildcards, or `*`",
    "Service": "a service such as `ec2.amazonaws.com`, or `*`",
    "CanonicalUser": "a canonical user id",
}


def _is_principal(kind: str, name: str) -> bool:
    if kind == "AWS":
        return name == "*" or any(p.match(name) for p in (_ACCOUNT, _PRINCIPAL, _UNIQUE_ID))
    return name == "*" or not ("*" in name or "?" in name)


def condition_block(block: Any, path: JsonPath) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield (operator, key, values); raises PolicyError where the nesting is not the grammar's."""
    here = (*path, "Condition")
    if not isinstance(block, dict):
        raise PolicyError(here, "no condition", shown(block), "operator → key → values")
    for operator, keys in block.items():
        if not isinstance(keys, dict):
            raise PolicyError((*here, operator), "no condition", shown(keys), "key → values")
        for key, value in keys.items():
            values = (value,) if type(value) is str else condition_values(value, (*here, operator, key))
            yield operator, key, values


def condition_values(value: Any, path: JsonPath) -> tuple[str, ...]:
    """Return a value or a list of them as texts (JSON has numbers and Booleans too)."""
    values = value if isinstance(value, list) else [value]
    if len(values) > MAX_VALUES:
        raise PolicyError(path, f"too large: {len(values)} values", expected=f"at most {MAX_VALUES}")
    if not values:
        raise PolicyError(path, "no values", "an empty list", "at least one value")
    return tuple([v if type(v) is str else scalar_text(v, (*path, at)) for at, v in enumerate(values)])


def scalar_text(value: Any, path: JsonPath) -> str:
    """Return a JSON scalar as the text AWS compares; raises PolicyError for other values."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    raise PolicyError(path, "no value", shown(value), "a text, a number or a Boolean")
