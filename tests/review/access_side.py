"""Templates of both sides of a change, as resources in pairs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from policyengine.documents import load
from policyengine.model.resource import Resource
from policyengine.review.access import access_changes
from policyengine.review.changes import Change, worst
from policyengine.review.matching import paired_resources
from policyengine.review.pairs import Pair, Pairing
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation.source import open_template
from policyengine.sources.fold import fold

Resources = Mapping[str, Any]


def read(
    resources: Resources, *, file: str = "t.yaml", account: str | None = None, **more: Any
) -> list[Resource]:
    """Return the resources of a template."""
    text = json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **more})
    document = load(text.encode(), name=file, style="cloudformation")
    return list(fold(open_template(file, SourceOptions(account=account), document).resources()))


def pairing(base: Resources, head: Resources, **more: Any) -> Pairing:
    """Return two templates' resources in pairs, as a review pairs them."""
    return paired_resources(read(base, **more), read(head, **more))


def paired_by(base: Resources, head: Resources, names: Mapping[str, str], **more: Any) -> Pairing:
    """Return two templates' resources in pairs: of one id, or of ids that ``names`` leads from base to head."""
    before, after = read(base, **more), read(head, **more)
    left = {resource.id: resource for resource in after}
    pairs = []
    for resource in before:
        mine = left.pop(resource.id, None) or left.pop(names.get(resource.id, ""), None)
        pairs.append(Pair(resource, mine, "by the test"))
    pairs += [Pair(None, resource, "by the test") for resource in left.values()]
    renamed = {
        p.head.identity: p.base.identity for p in pairs if p.base and p.head and p.base.id != p.head.id
    }
    return Pairing(pairs, before, after, renamed)


def review(base: Resources, head: Resources, **more: Any) -> list[Change]:
    """Return what the head newly allows."""
    return worst(access_changes(pairing(base, head, **more)))


def told(changes: Iterable[Change]) -> list[tuple[str, str, str]]:
    """Return (effect, severity, title) of changes."""
    return [(c.effect, c.severity, c.title) for c in changes]


def policy(*statements: Any, name: str = "p") -> dict[str, Any]:
    """Return an inline policy."""
    return {"PolicyName": name, "PolicyDocument": document(*statements)}


def document(*statements: Any) -> dict[str, Any]:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a statement that allows."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """Return a statement that denies."""
    return {**allow(action, resource, **more), "Effect": "Deny"}


TRUST = document(
    {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
)


def role(*policies: Any, trust: Any = TRUST, **more: Any) -> dict[str, Any]:
    """Return a role of a template."""
    properties = {
        "AssumeRolePolicyDocument": trust,
        **({"Policies": list(policies)} if policies else {}),
        **more,
    }
    return {"Type": "AWS::IAM::Role", "Properties": properties}
