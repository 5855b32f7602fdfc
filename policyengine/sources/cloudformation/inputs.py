"""What a stack is created with: parameter values and pseudo parameters."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple

from policyengine.documents import load
from policyengine.model.errors import InputError
from policyengine.model.values import Unresolved
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation.template import Template, kind_of, quoted

NO_VALUE: Final = object()
"""What ``AWS::NoValue`` resolves to: the property or element that holds it is not there."""

PSEUDO: Final = frozenset(
    f"AWS::{name}"
    for name in (
        "AccountId", "NoValue", "NotificationARNs", "Partition", "Region", "StackId", "StackName",
        "URLSuffix",
    )
)  # fmt: skip
"""https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html"""

_PARTITIONS: Final = (
    ("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-iso-", "aws-iso"), ("us-isob-", "aws-iso-b"),
    ("eu-isoe-", "aws-iso-e"), ("us-isof-", "aws-iso-f"), ("eusc-", "aws-eusc"),
)  # fmt: skip
_SUFFIXES: Final = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
_SSM: Final = "AWS::SSM::Parameter::Value<"


class Parameter(NamedTuple):
    """A declared parameter: ``value`` decides conditions, ``shown`` is what properties get."""

    declared: Mapping[str, Any]
    value: Any
    shown: Any


def partition_of(region: str) -> str:
    """Return the partition of a region name."""
    return next((partition for prefix, partition in _PARTITIONS if region.startswith(prefix)), "aws")


class Inputs:
    """Values for every name that ``Ref`` may give and that is no resource."""

    def __init__(self, template: Template, options: SourceOptions) -> None:
        self.template = template
        self.account = options.account
        self.region = options.region if options.region != "global" else None
        self.parameters: dict[str, Parameter] = {}
        for name, declared in template.parameters.items():
            if name.startswith("Fn::"):
                template.more_ids = True
            elif isinstance(declared, dict):
                self.parameters[name] = self._parameter(name, declared, options.parameters)
            else:
                message = f"parameter `{name}` is {kind_of(declared)}, not a mapping with `Type`"
                template.error(message, ("Parameters", name))
                missing = Unresolved("unresolved_reference", f"parameter `{name}` is not declared correctly")
                self.parameters[name] = Parameter({}, missing, missing)

    def pseudo(self, name: str, region: str | None = None) -> Any:
        """Return the value of a pseudo parameter; ``region`` takes the place of an unknown region."""
        region = region or self.region
        if name == "AWS::NoValue":
            return NO_VALUE
        known = {"AWS::Region": region, "AWS::AccountId": self.account}.get(name)
        if region is not None and name in ("AWS::Partition", "AWS::URLSuffix"):
            partition = partition_of(region)
            known = partition if name == "AWS::Partition" else _SUFFIXES.get(partition)
        return known or Unresolved("unresolved_reference", f"Ref: {name}", present=True)

    def _parameter(self, name: str, declared: dict[str, Any], given: Mapping[str, Any]) -> Parameter:
        value = self._value(name, declared, given)
        if str(declared.get("NoEcho")).lower() == "true" and not isinstance(value, Unresolved):
            hidden = Unresolved("redacted", f"parameter `{name}` is NoEcho", present=True)
            return Parameter(declared, value, hidden)
        return Parameter(declared, value, value)

    def _value(self, name: str, declared: dict[str, Any], given: Mapping[str, Any]) -> Any:
        type_ = declared.get("Type")
        if not isinstance(type_, str):
            message = f"parameter `{name}` has no `Type`" if type_ is None else (
                f"the `Type` of parameter `{name}` is {kind_of(type_)}, not text"
            )  # fmt: skip
            self.template.error(message, ("Parameters", name, "Type"), key=type_ is None)
            type_ = "String"
        value = given.get(name, declared.get("Default"))
        if value is None:
            return Unresolved("unresolved_reference", f"parameter `{name}` has no default")
        if isinstance(value, Unresolved):
            return value
        if type_.startswith(_SSM):
            detail = f"parameter `{name}` is read from SSM parameter {quoted(value)}"
            return Unresolved("unresolved_reference", detail, present=True)
        if isinstance(value, dict):
            message = f"the value of parameter `{name}` is a mapping, not text"
            self.template.error(message, ("Parameters", name, "Default"))
            return Unresolved("unsupported", message)
        return _typed(type_, value)


def _typed(type_: str, value: Any) -> Any:
    """Lists are split at commas, their members trimmed, as CloudFormation does."""
    if type_ == "CommaDelimitedList" or type_.startswith("List<"):
        items = value if isinstance(value, list) else str(value).split(",")
        trimmed = [scalar_text(item).strip() for item in items]
        return [] if trimmed == [""] else trimmed
    if isinstance(value, list):
        return ",".join(scalar_text(item) for item in value)
    return scalar_text(value) if isinstance(value, bool) else value


def scalar_text(value: Any) -> str:
    """Return the text CloudFormation makes of a scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def read_parameters_file(path: FilePath) -> dict[str, Any]:
    """Read parameter values in either AWS format.

    ``[{"ParameterKey": …, "ParameterValue": …}]`` as the command line takes them, or
    ``{"Parameters": {name: value}}`` as CodePipeline does. ``UsePreviousValue`` makes the value
    Unresolved. Raises InputError with the place of what is wrong.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {(error.strerror or 'error').lower()}") from None
    document = load(data, name=str(path))
    found: dict[str, Any] = {}
    if isinstance(document.value, dict) and isinstance(document.value.get("Parameters"), dict):
        for name, value in document.value["Parameters"].items():
            odd = [v for v in (value if isinstance(value, list) else [value]) if not _is_scalar(v)]
            if odd:
                what = "has" if isinstance(value, list) else "is"
                message = f"the value of parameter `{name}` {what} {kind_of(odd[0])}, not text"
                raise InputError(message, document.locate(("Parameters", name)))
            found[name] = value
        return found
    if not isinstance(document.value, list):
        message = "expected a list of `{ParameterKey, ParameterValue}`, or a mapping with `Parameters`"
        raise InputError(message, document.locate(()))
    for index, item in enumerate(document.value):
        name = item.get("ParameterKey") if isinstance(item, dict) else None
        if not isinstance(name, str):
            raise InputError("expected `ParameterKey` and `ParameterValue`", document.locate((index,)))
        if name in found:
            raise InputError(f"parameter `{name}` is given twice", document.locate((index,)))
        found[name] = _given(item, name, document.locate((index,)))
    return found


def _is_scalar(value: Any) -> bool:
    return isinstance(value, str | int | float)


def _given(item: dict[str, Any], name: str, place: Any) -> Any:
    if str(item.get("UsePreviousValue")).lower() == "true":
        return Unresolved("unresolved_reference", f"parameter `{name}` keeps its previous value")
    value = item.get("ParameterValue")
    if value is None or isinstance(value, dict | list):
        message = f"the `ParameterValue` of `{name}` is {kind_of(value)}, not text"
        raise InputError(message, place)
    return value
