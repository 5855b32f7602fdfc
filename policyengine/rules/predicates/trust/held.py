"""The trust policy of a role, with the identity providers of the same source that it refers to."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import Any, Final

from policyengine.iam.search import Witness
from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam.held import Held, held
from policyengine.rules.iam.standins import ACCOUNT
from policyengine.rules.iam.values import account_id
from policyengine.rules.predicates.api import Subject

OIDC: Final = "AWS::IAM::OIDCProvider"
DOCUMENT: Final = "AssumeRolePolicyDocument"
_MOST: Final = 256
_FILLED: Final[OrderedDict[int, tuple[Resource, Any, Resource]]] = OrderedDict()
"""By identity of a role. INVARIANT: an entry holds the role and the table it was filled from."""


def trust_of(subject: Subject, policy: Path | None) -> Held:
    """Return the trust policy; references of code to an identity provider stand for its ARN."""
    path = policy or (DOCUMENT,)
    resource = subject.resource
    if resource.file is None or not _refers(resource.properties.get(DOCUMENT)):
        return held(subject, path)
    table = subject.tables(OIDC)
    known = _FILLED.get(id(resource))
    if known is None or known[1] is not table:
        known = _FILLED[id(resource)] = (resource, table, _filled(resource, table))
        if len(_FILLED) > _MOST:
            _FILLED.popitem(last=False)
    return held(subject.about(known[2]), path)


def any_role(found: Held) -> str:
    """Return the ARN that stands for the role in questions about its trust policy.

    Roles with the same policy are asked about once, unless conditions are about the role's account.
    """
    keys = (c.key for p in found.policies for s in p.statements for c in s.conditions)
    account = found.account if any("resource" in key.lower() for key in keys) else "123456789012"
    return f"arn:aws:iam::{account}:role/example"


def of_role(found: Held, request: Witness) -> Witness:
    """Return a request about any role as one about the role in question."""
    return request if found.arn is None else replace(request, resource=found.arn)


def _refers(value: Any) -> bool:
    """Whether a federated principal is a reference to another resource."""
    return any(True for statement in _statements(value) for _ in _federated(statement))


def _statements(value: Any) -> list[Any]:
    found = value.get("Statement") if isinstance(value, dict) else None
    listed = found if isinstance(found, list) else [found]
    return [item for item in listed if isinstance(item, dict)]


def _federated(statement: dict[str, Any]) -> list[Unresolved]:
    principal = statement.get("Principal")
    named = principal.get("Federated") if isinstance(principal, dict) else None
    listed = named if isinstance(named, list) else [named]
    return [v for v in listed if isinstance(v, Unresolved) and v.target is not None and v.parts is None]


def _filled(resource: Resource, table: Any) -> Resource:
    urls = {
        provider.id: provider.properties.get("Url")
        for provider in (table if isinstance(table, list) else ())
        if provider.file == resource.file
    }
    account = account_id(resource) or ACCOUNT
    arns = {
        id_: f"arn:aws:iam::{account}:oidc-provider/{url.removeprefix('https://').rstrip('/')}"
        for id_, url in urls.items()
        if isinstance(url, str) and url.startswith("https://")
    }
    document = _put(resource.properties.get(DOCUMENT), arns)
    return replace(resource, properties={**resource.properties, DOCUMENT: document})


def _put(value: Any, arns: dict[str, str]) -> Any:
    """Return a document with ARNs for what refers to a provider, in federated principals."""
    if not isinstance(value, dict) or isinstance(value, OpenDict):
        return value
    found = dict(value)
    statements = value.get("Statement")
    if isinstance(statements, OpenList):
        found["Statement"] = OpenList([_in_statement(s, arns) for s in statements], statements.more)
    elif isinstance(statements, list):
        found["Statement"] = [_in_statement(s, arns) for s in statements]
    else:
        found["Statement"] = _in_statement(statements, arns)
    return found


def _in_statement(statement: Any, arns: dict[str, str]) -> Any:
    if not isinstance(statement, dict) or not _federated(statement):
        return statement
    principal = statement["Principal"]
    named = principal["Federated"]
    several = [_arn(v, arns) for v in named] if isinstance(named, list) else _arn(named, arns)
    if isinstance(named, OpenList):
        several = OpenList(several, named.more)
    return {**statement, "Principal": {**principal, "Federated": several}}


def _arn(value: Any, arns: dict[str, str]) -> Any:
    target = value.target if isinstance(value, Unresolved) and value.parts is None else None
    return arns.get(target[0], value) if target is not None else value
