"""What code refers to by its logical id: users, roles, groups and managed policies beside each other."""

from __future__ import annotations

from typing import Any, Final

from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.iam.principals import MADE_UP
from policyengine.rules.iam.values import account_id, resource_arn

_NAMES: Final = {
    "AWS::IAM::Role": ("role", "RoleName"),
    "AWS::IAM::User": ("user", "UserName"),
    "AWS::IAM::Group": ("group", "GroupName"),
    "AWS::IAM::ManagedPolicy": ("policy", "ManagedPolicyName"),
}
_ARN: Final = ("Arn", "arn", "PolicyArn")


class References:
    """The ARNs of IAM resources of code, made up where code does not fix them, for those who refer to them."""

    def __init__(self) -> None:
        self._arns: dict[tuple[str, str], str] = {}
        self._policies: set[tuple[str, str]] = set()

    def add(self, resource: Resource) -> None:
        """Take a resource; others than those of code and IAM are passed over."""
        if resource.file is None or resource.type not in _NAMES:
            return
        kind, key = _NAMES[resource.type]
        arn, name = resource_arn(resource), resource.properties.get(key)
        if not isinstance(arn, str):
            called = name if isinstance(name, str) else resource.id
            arn = f"arn:aws:iam::{account_id(resource) or MADE_UP}:{kind}/{called}"
        self._arns[resource.file, resource.id] = arn
        if kind == "policy":
            self._policies.add((resource.file, resource.id))

    def filled(self, resource: Resource, value: Any) -> Any:
        """Return a value of a resource with the ARNs that it refers to filled in."""
        if resource.file is None or not self._arns:
            return value
        if isinstance(value, Unresolved):
            return self._told(resource.file, value)
        if isinstance(value, OpenDict):
            return value
        if isinstance(value, dict):
            return {key: self.filled(resource, item) for key, item in value.items()}
        if isinstance(value, list):
            items = [self.filled(resource, item) for item in value]
            return OpenList(items, value.more) if isinstance(value, OpenList) else items
        return value

    def _told(self, file: str, value: Unresolved) -> Any:
        if value.target is None or (value.parts is not None and len(value.parts) != 2):
            return value
        id_, attribute = value.target
        arn = self._arns.get((file, id_))
        if arn is None or not (attribute in _ARN or (attribute == "Ref" and (file, id_) in self._policies)):
            return value
        return arn if value.parts is None else arn.join(value.parts)
