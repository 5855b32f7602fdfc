"""Whether what is not known of a policy may name accounts that nothing known of it names.

A principal that is not known may be of any account, and so may a value of a condition: who is let in "through one
endpoint" as anybody is let in by the endpoint, as the account that is named there is somebody else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict
from policyengine.rules.iam.held import of_code
from policyengine.rules.iam.reader import Document
from policyengine.rules.iam.values import along, gaps

_NAMELESS: Final = frozenset(
    {
        "aws:currenttime", "aws:epochtime", "aws:principalorgid", "aws:requestedregion", "aws:resourceorgid",
        "aws:securetransport", "aws:sourceip", "aws:sourceorgid", "aws:sourcevpc", "aws:sourcevpce",
        "aws:vpceorgid", "aws:vpcsourceip",
    }
)  # fmt: skip
"""Keys none of whose values holds an account:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""


def unread_names(resource: Resource, documents: Iterable[Document]) -> str | None:
    """Say why accounts may be named that are not seen; None where all names are known."""
    for document in documents:
        for statement in document.policy.statements:
            if statement.opaque is not None and _may_name(_statement(resource, document, statement.index)):
                return statement.opaque.reason
    return None


def _statement(resource: Resource, document: Document, index: int) -> Any:
    """Return a statement as it was read; None where it does not stand in this resource."""
    if (document.type, document.id) != (resource.type, resource.id):
        return None
    written = [*along(resource, document.path)][-1]
    body = of_code(written, resource) if resource.file is not None else written
    found = body.get("Statement") if isinstance(body, dict) else None
    return found[index] if isinstance(found, list) and index < len(found) else found


def _may_name(statement: Any) -> bool:
    if not isinstance(statement, dict) or isinstance(statement, OpenDict):
        return True
    unknown = {key.lower() for key, value in statement.items() if any(gaps(value))}
    if not unknown:
        return True  # it is the document's version that is not known
    if unknown & {"principal", "notprincipal"}:
        return True
    conditions = (value for key, value in statement.items() if key.lower() == "condition")
    return any(_condition_may_name(value) for value in conditions)


def _condition_may_name(block: Any) -> bool:
    if not isinstance(block, Mapping) or isinstance(block, OpenDict):
        return any(gaps(block))
    for keys in block.values():
        if not isinstance(keys, dict) or isinstance(keys, OpenDict):
            if any(gaps(keys)):
                return True
        elif any(key.lower() not in _NAMELESS and any(gaps(value)) for key, value in keys.items()):
            return True
    return False
