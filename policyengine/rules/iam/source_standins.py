"""Conditions of code on the source of a request: texts that stand for resources beside it.

``aws:SourceArn: !GetAtt Rule.Arn`` lets in whatever ARN the rule will have, which is one of the same
account. Who else gets in is decided by that account alone, so that a name nothing else has gives the same
answers as the real one.
"""

from __future__ import annotations

import re
from typing import Any, Final

from policyengine.iam.account_ids import account_of
from policyengine.model.account_id import is_account_id
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam.standins import ACCOUNT, REGION
from policyengine.rules.iam.values import account_id, partition

_KEYS: Final = frozenset({"aws:sourcearn"})
_HOLE: Final = re.compile(r"\$\{([^}]*)\}")
_NAME: Final = "zz-beside"


def sources_filled(document: Any, resource: Resource) -> Any:
    """Return a policy of code whose conditions on sources name stand-ins for resources beside it."""
    if not isinstance(document, dict) or isinstance(document, OpenDict):
        return document
    statements = document.get("Statement")
    if isinstance(statements, dict):
        return {**document, "Statement": _statement(statements, resource)}
    if isinstance(statements, list):
        made = [_statement(item, resource) for item in statements]
        return {
            **document,
            "Statement": OpenList(made, statements.more) if isinstance(statements, OpenList) else made,
        }
    return document


def _statement(statement: Any, resource: Resource) -> Any:
    conditions = statement.get("Condition") if isinstance(statement, dict) else None
    if not isinstance(conditions, dict) or isinstance(conditions, OpenDict):
        return statement
    return {**statement, "Condition": {o: _operator(keys, resource) for o, keys in conditions.items()}}


def _operator(keys: Any, resource: Resource) -> Any:
    if not isinstance(keys, dict) or isinstance(keys, OpenDict):
        return keys
    return {
        key: _values(value, resource) if isinstance(key, str) and key.lower() in _KEYS else value
        for key, value in keys.items()
    }


def _values(value: Any, resource: Resource) -> Any:
    if isinstance(value, list) and not isinstance(value, OpenList):
        return [_values(item, resource) for item in value]
    if not isinstance(value, Unresolved):
        return value
    told = _told(value, resource)
    return value if told is None else told


def _told(value: Unresolved, resource: Resource) -> str | None:
    """Return an ARN of the account that a value surely names; None where that is not known."""
    account = account_id(resource) or ACCOUNT
    if value.target is not None and (value.parts is None or value.parts[0] == ""):
        own = f"arn:{partition(resource)}:zz:{resource.region or REGION}:{account}:{_NAME}"
        return own if value.parts is None else _NAME.join((own, *value.parts[1:]))
    if value.parts is None:
        return None
    known = {
        "AWS::AccountId": account,
        "AWS::Region": resource.region or REGION,
        "AWS::Partition": partition(resource),
        "AWS::URLSuffix": "amazonaws.com",
    }
    if tuple(_HOLE.sub("\0", value.detail).split("\0")) == value.parts:
        text = _HOLE.sub(lambda hole: known.get(hole.group(1), "\0"), value.detail)
    else:
        text = "\0".join(value.parts)
    return text.replace("\0", _NAME) if is_account_id(account_of(text)) else None
