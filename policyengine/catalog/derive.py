"""Derived views: what a source gives awkwardly, in the shape a rule wants.

Three mechanisms, table-driven per type:

* a list of key-value objects becomes a map (``LoadBalancerAttributes`` -> ``Attributes``), so that a
  rule can write ``Attributes."access_logs.s3.enabled"``;
* a property that AWS also accepts as JSON text is parsed (``RedrivePolicy``);
* the actions of a pipeline's stages become one list (:mod:`policyengine.catalog.pipeline_actions`).

What is not known stays not known: an unresolved list makes the view unresolved, an unresolved
element, key or rest of the list makes it an :class:`OpenDict`, an unresolved value is that key's value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from policyengine.catalog.pipeline_actions import ActionsView, flatten, written
from policyengine.model.location import Location
from policyengine.model.resource import Locator, Path, Resource
from policyengine.model.values import ABSENT, OpenDict, OpenList, Unresolved

MAX_TEXT: Final = 1_000_000
MAX_DEPTH: Final = 100


@dataclass(frozen=True, slots=True)
class MapView:
    """``into`` is a map made from the list ``source``; several ``keys`` are joined with ``:``."""

    source: str
    into: str
    keys: tuple[str, ...] = ("Key",)
    value: str = "Value"


@dataclass(frozen=True, slots=True)
class ParsedView:
    """``into`` is the JSON value written as text in ``source`` (the same name: it is replaced)."""

    source: str
    into: str


View = MapView | ParsedView | ActionsView

VIEWS: Final[Mapping[str, tuple[View, ...]]] = {
    "AWS::ElasticLoadBalancingV2::LoadBalancer": (MapView("LoadBalancerAttributes", "Attributes"),),
    "AWS::ElasticLoadBalancingV2::TargetGroup": (MapView("TargetGroupAttributes", "Attributes"),),
    "AWS::ElasticLoadBalancingV2::Listener": (MapView("ListenerAttributes", "Attributes"),),
    "AWS::ECS::Cluster": (MapView("ClusterSettings", "Settings", ("Name",)),),
    "AWS::ElasticBeanstalk::Environment": (
        MapView("OptionSettings", "Options", ("Namespace", "OptionName")),
    ),
    "AWS::GuardDuty::Detector": (MapView("Features", "FeatureStatus", ("Name",), "Status"),),
    "AWS::Redshift::ClusterParameterGroup": (
        MapView("Parameters", "ParameterValues", ("ParameterName",), "ParameterValue"),
    ),
    "AWS::RedshiftServerless::Workgroup": (
        MapView("ConfigParameters", "ParameterValues", ("ParameterKey",), "ParameterValue"),
    ),
    "AWS::SQS::Queue": (ParsedView("RedrivePolicy", "RedrivePolicy"),),
    "AWS::SNS::Subscription": (ParsedView("RedrivePolicy", "RedrivePolicy"),),
    "AWS::DMS::ReplicationTask": (ParsedView("ReplicationTaskSettings", "Settings"),),
    "AWS::OpenSearchServerless::SecurityPolicy": (ParsedView("Policy", "Policy"),),
    "AWS::EMR::SecurityConfiguration": (ParsedView("SecurityConfiguration", "SecurityConfiguration"),),
    "AWS::CodeCommit::ApprovalRuleTemplate": (
        ParsedView("ApprovalRuleTemplateContent", "ApprovalRuleTemplateContent"),
    ),
    "AWS::CodePipeline::Pipeline": (ActionsView("Stages", "Actions"),),
}
"""Type -> its views. Each ``into`` is declared in ``TypeSpec.extra`` or is a registry property."""


def derive(resource: Resource) -> None:
    """Add the views of the resource's type to its properties; again and again with the same result.

    Only this resource is looked at, not its ``variants``. ``locate`` keeps working: the place of
    ``Attributes."key"`` is the place of the list element it comes from.
    """
    views = VIEWS.get(resource.type)
    if views is None:
        return
    properties = resource.properties
    moved = []
    for view in views:
        value = properties.get(view.source, ABSENT)
        if value is ABSENT:
            continue
        properties[view.into] = _view(value, view)
        if view.into != view.source:
            moved.append(view)
    if moved and not isinstance(resource.locate, _Relocated):
        resource.locate = _Relocated(resource.locate, tuple(moved), properties)
        if resource.places is not None:
            resource.places = _Relocated(resource.places, tuple(moved), properties)


def _view(value: Any, view: View) -> Any:
    if isinstance(view, MapView):
        return _map(value, view)
    return flatten(value) if isinstance(view, ActionsView) else parse_text(value)


def derived_names(type: str) -> frozenset[str]:
    """Return the properties that :func:`derive` adds, which no source needs to store."""
    return frozenset(view.into for view in VIEWS.get(type, ()) if view.into != view.source)


def _map(value: Any, view: MapView) -> Any:
    if isinstance(value, Unresolved):
        return value
    if not isinstance(value, list):
        return Unresolved("unsupported", f"`{view.source}` is not a list", present=True)
    found: dict[str, Any] = {}
    more = value.more if isinstance(value, OpenList) else None
    for element in value:
        key = _key(element, view)
        if isinstance(key, Unresolved):
            more = more or key
        elif key is not None:
            content = element.get(view.value, getattr(element, "more", ABSENT))
            if content is not ABSENT:
                found[key] = content
    return found if more is None else OpenDict(found, more)


def _key(element: Any, view: MapView) -> str | Unresolved | None:
    """Return an element's key, why it is not known, or None when it has none."""
    if isinstance(element, Unresolved):
        return element
    if not isinstance(element, dict):
        return None
    parts = []
    for name in view.keys:
        part = element.get(name, getattr(element, "more", None))
        if isinstance(part, Unresolved):
            return part
        if not isinstance(part, str):
            return None
        parts.append(part)
    return ":".join(parts)


def parse_text(value: Any) -> Any:
    """Return the JSON value of a text, without its nulls; anything but a text is returned as it is.

    A text that is no JSON, or is too long or too deep to be read safely, becomes Unresolved.
    """
    if not isinstance(value, str):
        return value
    if len(value) > MAX_TEXT or _depth(value) > MAX_DEPTH:
        return Unresolved("unsupported", "the JSON text is too long or too deeply nested", present=True)
    try:
        return _without_nulls(json.loads(value))
    except ValueError:
        return Unresolved("unsupported", "the text is not JSON", present=True)


def _depth(text: str) -> int:
    """Return how deep the brackets outside strings nest."""
    depth = deepest = 0
    quoted = escaped = False
    for character in text:
        if quoted:
            quoted = escaped or character != '"'
            escaped = character == "\\" and not escaped
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in value if v is not None]
    return value


class _Relocated:
    """Locator that finds the values of views where they are written."""

    __slots__ = ("_own", "_properties", "_views")

    def __init__(self, own: Locator, views: tuple[View, ...], properties: Mapping[str, Any]) -> None:
        self._own = own
        self._views = views
        self._properties = properties

    def __call__(self, path: Path) -> Location | None:
        for view in self._views:
            if path and path[0] == view.into:
                return self._own(self._written(view, path[1:]))
        return self._own(path)

    def _written(self, view: View, rest: Path) -> Path:
        if isinstance(view, ActionsView):
            return written(self._properties.get(view.source), rest, view.source)
        if isinstance(view, MapView) and rest:
            for index in self._elements(view, rest[0]):
                return (view.source, index, view.value, *rest[1:])
        return (view.source,)

    def _elements(self, view: MapView, key: str | int) -> Iterator[int]:
        """Yield the positions that give a key its value: the last one wins, so from the end."""
        written = self._properties.get(view.source)
        elements = written if isinstance(written, list) else []
        for index in range(len(elements) - 1, -1, -1):
            if _key(elements[index], view) == key:
                yield index
