"""IAM and KMS, as AWS Config records them: policies are percent-encoded texts, objects, or lists of one object."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from policyengine.model.values import ABSENT, Unresolved
from policyengine.sources.config.item import Item
from policyengine.sources.config.spec import ConfigType, Part, each, first, flag, objects, under
from policyengine.sources.shaping import document

Json = dict[str, Any]


def _principal(inline: str, *names: str) -> Callable[[Item], Json]:
    """All inline policies stand in one list; in code they may be resources of their own (``related.policies``)."""

    def shape(item: Item) -> Json:
        given = {name.casefold(): value for name, value in item.configuration.items()}
        found: Json = {name: given.get(name.casefold()) for name in names if name.casefold() in given}
        if isinstance(given.get(inline.casefold()), list):
            found["Policies"] = [
                {"PolicyName": p.get("policyName"), "PolicyDocument": _document(p.get("policyDocument"))}
                for p in objects(given[inline.casefold()])
            ] or ABSENT
            found["related.policies"] = []
        if isinstance(given.get("attachedmanagedpolicies"), list):
            found["ManagedPolicyArns"] = each(given["attachedmanagedpolicies"], "policyArn") or ABSENT
        boundary = given.get("permissionsboundary")
        found["PermissionsBoundary"] = under(boundary, "permissionsBoundaryArn")
        if isinstance(given.get("grouplist"), list):
            found["Groups"] = each(given["grouplist"], "groupName") or ABSENT
            found["related.group_additions"] = []
        if "AssumeRolePolicyDocument" in names:
            found["AssumeRolePolicyDocument"] = _document(given.get("assumerolepolicydocument"))
        return found

    return shape


def _document(value: Any) -> Any:
    if isinstance(value, list):
        value = first(value)
    if value is None:
        return Unresolved("not_collected", "AWS Config did not record the document", present=True)
    return document(value) if isinstance(value, str) else value


def _managed(item: Item) -> Json:
    given = item.configuration
    versions = objects(given.get("policyVersionList"))
    wanted = given.get("defaultVersionId")
    default = [v for v in versions if v.get("isDefaultVersion") is True or v.get("versionId") == wanted]
    return {
        **given,
        "PolicyArn": given.get("arn") or item.arn,
        "ManagedPolicyName": given.get("policyName") or item.name,
        "PolicyDocument": _document(default[0].get("document") if default else None),
        **_attached(item),
    }


def _attached(item: Item) -> Json:
    """Who a policy is attached to is told by the item's relationships, whole if they are as many as IAM counts."""
    found: dict[str, list[str]] = {"Roles": [], "Users": [], "Groups": []}
    number = 0
    for related in item.relationships:
        kind = str(related.get("resourceType", "")).rpartition("::")[2] + "s"
        name = related.get("resourceName")
        if kind in found and isinstance(name, str) and name:
            found[kind].append(name)
            number += 1
    whole = {name: names or ABSENT for name, names in found.items()}
    return whole if item.configuration.get("attachmentCount") == number else {}


def _key(item: Item) -> Json:
    given = item.configuration
    return {**given, "KeySpec": given.get("keySpec") or given.get("customerMasterKeySpec")}


def _rotation(value: Any, _item: Item) -> Any:
    return flag(under(value, "keyRotationEnabled") if isinstance(value, dict) else value)


_PRINCIPAL = ("Path", "Arn", "CreateDate", "Tags")
TYPES = (
    ConfigType(
        "AWS::IAM::Role",
        shape=_principal(
            "rolePolicyList", *_PRINCIPAL, "RoleName", "RoleId", "AssumeRolePolicyDocument", "RoleLastUsed",
            "MaxSessionDuration", "Description",
        ),
        recorded=("PermissionsBoundary",),
    ),
    ConfigType(
        "AWS::IAM::User",
        shape=_principal("userPolicyList", *_PRINCIPAL, "UserName"),
        recorded=("PermissionsBoundary",),
    ),
    ConfigType("AWS::IAM::Group", shape=_principal("groupPolicyList", *_PRINCIPAL, "GroupName")),
    ConfigType("AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "ManagedPolicyName", shape=_managed, recorded=("Description",)),
    ConfigType(
        "AWS::KMS::Key",
        shape=_key,
        parts=(Part("KeyRotationStatus", "EnableKeyRotation", shape=_rotation), Part("Policy", "KeyPolicy")),
        recorded=("DeletionDate", "Description"),
    ),
)  # fmt: skip
