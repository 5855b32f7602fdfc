"""Steps that resources of many services have in common."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from policyengine.catalog import registry
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Step
from policyengine.sources.live.templates import fill
from policyengine.sources.shaping import timestamp

Json = dict[str, Any]


def typed(type: str, attributes: Mapping[str, str]) -> dict[str, Any]:
    """Return attributes that an API gives as texts with the kinds that the type's properties have."""
    schema = registry.schema(type)
    found: dict[str, Any] = {}
    for name, text in attributes.items():
        kind = schema.find((name,)) if schema is not None else None
        if kind == "b" and text in ("true", "false"):
            found[name] = text == "true"
        elif kind == "i" and text.lstrip("-").isdigit():
            found[name] = int(text)
        else:
            found[name] = text
    return found


def moment(seconds: float | str | None) -> str | None:
    """Return RFC 3339 text for seconds since 1970."""
    return None if seconds is None else timestamp(datetime.fromtimestamp(float(seconds), UTC))


def backup_protection(arn: str) -> Step:
    """What AWS Backup knows of a resource; ``arn`` is a template over the item.

    Only those that AWS Backup lists as protected are asked about: few are.
    https://docs.aws.amazon.com/aws-backup/latest/devguide/API_ListProtectedResources.html
    """

    def ask(context: Context, item: Json) -> Json:
        name = fill(arn, item, context.names)
        if name not in context.shared.once(("backup:ListProtectedResources",), lambda: _protected(context)):
            return {}
        return context.call("backup", "DescribeProtectedResource", {"ResourceArn": name})

    return Step(
        "DescribeProtectedResource",
        "",
        {"ResourceArn": arn},
        into="BackupProtection",
        none=("ResourceNotFoundException",),
        service="backup",
        only_named=True,
        ask=ask,
        calls=("backup:ListProtectedResources",),
        shape=lambda result, _item: result or None,
    )


def _protected(context: Context) -> frozenset[str]:
    pages = context.pages("backup", "ListProtectedResources")
    return frozenset(found["ResourceArn"] for page in pages for found in page.get("Results") or ())
