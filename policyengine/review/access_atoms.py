"""Policies with texts in place of what neither side of a change knows: the same unknown is the same text.

A policy of code names ``!GetAtt Queue.Arn``, ``!Ref Partner`` or ``${AWS::AccountId}``. Each such unknown gets one
text that nothing else has. Where no text can stand for it (an effect, a whole statement) the unknown stays one,
spelled in the names of both sides.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, Final, NamedTuple

from policyengine.iam.errors import PolicyError
from policyengine.iam.grammar import principal_map
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.review.access_tokens import Hole, Names, Tokens
from policyengine.rules.iam.json_texts import parsed
from policyengine.rules.iam.standins import ACCOUNT, NAMING, REFERRED_BY_ARN, REGION, arn_named
from policyengine.rules.iam.values import account_id, partition

_DEEPEST: Final = 8
"""How far names of resources are followed that are made of names of others."""
_BEFORE_ACCOUNT: Final = re.compile(r"arn:[^:]*:[^:]*:[^:]*:\Z")
_LOG_GROUP: Final = ("AWS::Logs::LogGroup", "Arn")
"""What CloudFormation gives for it ends in ``:*``:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html#return-values"""
_NO_TEXT: Final = ("bool", "date", "null", "binary", "ipaddress")
"""Operators whose values are no free texts."""
_ACCOUNT_KEYS: Final = frozenset(
    {
        "aws:sourceaccount",
        "aws:sourceowner",
        "aws:principalaccount",
        "aws:resourceaccount",
        "kms:calleraccount",
    }
)


class Text(NamedTuple):
    """A text for a value; ``whole`` is the token it begins with where nothing is known of how it begins."""

    rest: str
    whole: str | None = None
    hole: Hole | None = None


class Atoms:
    """Puts texts for what one side does not know."""

    def __init__(self, tokens: Tokens, names: Names) -> None:
        self.tokens = tokens
        self.names = names

    def filled(self, resource: Resource, value: Any) -> Any:
        """Return a policy document of a resource with texts for what is not known."""
        document = parsed(value)
        if type(document) is not dict:
            return self.plain(resource, document)
        statements = partial(_each, partial(self._statement, resource))
        return {
            k: statements(v) if k.lower() == "statement" else self.plain(resource, v)
            for k, v in document.items()
        }

    def plain(self, resource: Resource, value: Any) -> Any:
        """Return a value with what is not known in names of both sides; nothing put in its place."""
        if isinstance(value, Unresolved):
            return self._left(resource, value)
        if isinstance(value, OpenDict):
            items = {key: self.plain(resource, item) for key, item in value.items()}
            return OpenDict(items, self._left(resource, value.more))
        if isinstance(value, dict):
            return {key: self.plain(resource, item) for key, item in value.items()}
        if isinstance(value, OpenList):
            return OpenList([self.plain(resource, v) for v in value], self._left(resource, value.more))
        return [self.plain(resource, item) for item in value] if isinstance(value, list) else value

    def _left(self, resource: Resource, value: Unresolved) -> Unresolved:
        text = self.names.written(value, resource.file)
        return Unresolved(value.reason, text, present=value.present, parts=value.parts)

    # -- the elements of a statement --------------------------------------------------------------------

    def _statement(self, resource: Resource, statement: Any) -> Any:
        if type(statement) is not dict:
            return self.plain(resource, statement)
        return {key: self._element(resource, key.lower(), value) for key, value in statement.items()}

    def _element(self, resource: Resource, name: str, value: Any) -> Any:
        if name in ("resource", "notresource"):
            return _each(partial(self._resource, resource), value)
        if name in ("principal", "notprincipal") and type(value) is dict:
            return {k: _each(partial(self._principal, resource, k), named) for k, named in value.items()}
        if name == "condition" and type(value) is dict:
            return {operator: self._keys(resource, operator, keys) for operator, keys in value.items()}
        return self.plain(resource, value)

    def _keys(self, resource: Resource, operator: str, keys: Any) -> Any:
        if type(keys) is not dict:
            return self.plain(resource, keys)
        compared = partial(self._compared, resource, operator.lower())
        return {key: _each(partial(compared, key.lower()), values) for key, values in keys.items()}

    def _resource(self, resource: Resource, value: Any) -> Any:
        if not isinstance(value, Unresolved):
            return self.plain(resource, value)
        text = self.text(value, resource)
        if text.whole is not None:
            return self._whole(text, f"arn:*{text.whole}*")
        known = text.rest.startswith("arn:") or not text.rest.strip("*")
        return text.rest if known else self._left(resource, value)

    def _principal(self, resource: Resource, kind: str, value: Any) -> Any:
        if not isinstance(value, Unresolved):
            return self.plain(resource, value)
        text = self.text(value, resource)
        if text.whole is not None and text.hole is not None:
            match kind.lower():
                case "aws":
                    form = f"arn:aws:iam::{self.tokens.digits(text.hole)}:role/{text.whole}"
                case "federated":
                    form = f"arn:aws:iam::{account_id(resource) or ACCOUNT}:saml-provider/{text.whole}"
                case _:
                    form = text.whole
            made = self._whole(text, form)
        else:
            made = text.rest
        try:
            principal_map({kind: made}, ())
        except PolicyError:
            return self._left(resource, value)
        return made

    def _compared(self, resource: Resource, operator: str, key: str, value: Any) -> Any:
        if not isinstance(value, Unresolved) or any(word in operator for word in _NO_TEXT):
            return self.plain(resource, value)
        text = self.text(value, resource)
        if text.whole is None or text.hole is None:
            return text.rest
        if "numeric" in operator:
            return self.tokens.number(text.hole) if not text.rest else self._left(resource, value)
        if key in _ACCOUNT_KEYS:
            return self.tokens.digits(text.hole)
        if key == "aws:principalarn":
            return self._whole(text, f"arn:aws:iam::{self.tokens.digits(text.hole)}:role/{text.whole}")
        if "arn" in operator or key.endswith("arn"):
            return self._whole(text, f"arn:aws:zz:{REGION}:{self.tokens.digits(text.hole)}:{text.whole}")
        return self._whole(text, text.whole)

    def _whole(self, text: Text, form: str) -> str:
        if text.hole is not None and text.hole.resource is None:
            self.tokens.whole(form, text.hole.written)
        return form + text.rest

    # -- texts ------------------------------------------------------------------------------------------

    def text(self, value: Unresolved, resource: Resource, depth: int = 0) -> Text:
        """Return the text that stands for a value in a resource."""
        holes = self.names.holes(value, resource.file)
        parts = value.parts or ("", "")
        made, whole = parts[0], None
        for hole, after in zip(holes, parts[1:], strict=True):
            told = self._told(hole, resource, depth, made, after)
            if told is None and not made and whole is None:
                whole = hole
                made = after
            else:
                made += (told or self.tokens.name(hole)) + after
        return Text(made) if whole is None else Text(made, self.tokens.name(whole), whole)

    def _told(self, hole: Hole, resource: Resource, depth: int, before: str, after: str) -> str | None:
        """Return the text of one hole; None where it is any text."""
        if hole.resource is not None:
            return self._attribute(hole, depth)
        pseudo = self._pseudo(hole.written.removeprefix("Ref: "), resource)
        if pseudo is not None:
            return pseudo
        return self.tokens.digits(hole) if _BEFORE_ACCOUNT.match(before) and after[:1] == ":" else None

    def _pseudo(self, name: str, resource: Resource) -> str | None:
        if name == "AWS::AccountId":
            return account_id(resource) or self.tokens.whole(ACCOUNT, name)
        if name == "AWS::Region":
            return resource.region or self.tokens.whole(REGION, name)
        return {"AWS::Partition": partition(resource), "AWS::URLSuffix": "amazonaws.com"}.get(name)

    def _attribute(self, hole: Hole, depth: int) -> str | None:
        """Return what a reference to a resource gives: its ARN, its name, or None for anything else."""
        found, attribute = hole.resource, hole.attribute
        assert found is not None
        if attribute.lower() == "arn" or (attribute == "Ref" and found.type in REFERRED_BY_ARN):
            arn = self.arn(found, depth)
            return f"{arn}:*" if (found.type, attribute) == _LOG_GROUP else arn
        if attribute in ("Ref", "id", "bucket", "name", *NAMING):
            return self.name(found, depth)
        return self.tokens.name(hole)

    def arn(self, resource: Resource, depth: int = 0) -> str | None:
        """Return the ARN of a resource, made up as far as code does not fix it; None where its form is not known."""
        if resource.arn:
            return resource.arn
        if resource.id.startswith("arn:"):
            return resource.id
        for name in ("AWS::AccountId", "AWS::Region"):
            self._pseudo(name, resource)
        name = self.name(resource, depth)
        path = resource.properties.get("Path")
        if resource.type.startswith("AWS::IAM::") and isinstance(path, str):
            name = path.strip("/") + "/" + name if path.strip("/") else name
        return arn_named(resource, name)

    def name(self, resource: Resource, depth: int = 0) -> str:
        """Return the name of a resource, of code that leaves it open a text that stands for it."""
        for key in NAMING if depth < _DEEPEST else ():
            value = resource.properties.get(key)
            if isinstance(value, str) and value:
                return value
            if isinstance(value, Unresolved):
                text = self.text(value, resource, depth + 1)
                return (text.whole or "") + text.rest
        if resource.file is None:
            return resource.id
        return self.tokens.name(Hole(f"{self.names.of(resource)}.Ref", resource, "Ref"))


def _each(change: Callable[[Any], Any], value: Any) -> Any:
    """Return one value, or each of a list, changed."""
    if isinstance(value, OpenList):
        return OpenList([change(item) for item in value], value.more)
    return [change(item) for item in value] if isinstance(value, list) else change(value)
