"""Small pieces of CloudFormation that every part of the template is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Json = dict[str, Any]


def ref(name: str) -> Json:
    """Return a reference to a resource or parameter."""
    return {"Ref": name}


def arn_of(name: str, attribute: str = "Arn") -> Json:
    """Return an attribute of a resource, its ARN without another."""
    return {"Fn::GetAtt": [name, attribute]}


def sub(text: str) -> Json:
    """Return a text with ``${…}`` filled in by CloudFormation."""
    return {"Fn::Sub": text}


def filled(template: str) -> Any:
    """Return an ARN template of a remediation (``{partition}``, ``{region}``, ``{account}``) as CloudFormation has it."""
    names = {"{partition}": "${AWS::Partition}", "{region}": "*", "{account}": "${AWS::AccountId}"}
    text = template
    for name, value in names.items():
        text = text.replace(name, value)
    return sub(text) if "${" in text else text


def resource(type: str, properties: Mapping[str, Any], **more: Any) -> Json:
    """Return a resource of a template."""
    return {"Type": type, **more, "Properties": dict(properties)}


def allow(
    actions: Sequence[str], resources: Any, condition: Mapping[str, Any] | None = None, sid: str = ""
) -> Json:
    """Return an Allow statement."""
    statement: Json = {"Effect": "Allow", "Action": sorted(actions), "Resource": resources}
    if condition:
        statement["Condition"] = dict(condition)
    return {"Sid": sid, **statement} if sid else statement


def document(statements: Iterable[Json]) -> Json:
    """Return a policy document."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def service_trust(*services: str, condition: Mapping[str, Any] | None = None) -> Json:
    """Return a trust policy for services of AWS."""
    statement: Json = {
        "Effect": "Allow",
        "Principal": {"Service": list(services) if len(services) > 1 else services[0]},
        "Action": "sts:AssumeRole",
    }
    if condition:
        statement["Condition"] = dict(condition)
    return document([statement])


def camel(name: str) -> str:
    """Return a logical id of an id with ``-`` or ``_``."""
    return "".join(part[:1].upper() + part[1:] for part in name.replace("_", "-").split("-"))
