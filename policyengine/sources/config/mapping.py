"""A configuration item as a canonical resource. Light: what the Lambda of a Config rule imports, too."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from policyengine.catalog import registry
from policyengine.model.resource import Resource
from policyengine.model.values import ABSENT, OpenDict, Unresolved
from policyengine.sources.config.item import GONE, RECORDED, Item, ItemError, items_of, read_item
from policyengine.sources.config.spec import ConfigType, Part, objects
from policyengine.sources.config.table import type_of
from policyengine.sources.live.templates import MissingValueError, fill
from policyengine.sources.shaping import Renames, fit, fit_value, properties_by_case, tags_of, timestamp

Json = dict[str, Any]
MAX_NESTING: Final = 60
"""Levels of a configuration; AWS's own stay below thirty."""
_MISSING: Final = "AWS Config does not record it"
_KEPT: Final = frozenset({"value", "tagvalue", "attributevalue"})
"""An empty text under these names is a value; anywhere else it is how AWS says that there is none."""
_TIMED: Final = ("time", "date", "timestamp", "created", "createdat", "modified", "after", "before")
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")


def resources_of(event: Any) -> Iterator[Resource]:
    """Yield the resources of an event, an item, or a list of them, in any of AWS Config's spellings.

    Items of deleted resources and those that are not recorded give none. Raises ItemError for what is none of AWS
    Config's, and for a notification that holds no configuration (it is oversized or scheduled).
    """
    for raw in items_of(event):
        item = read_item(raw)
        if exists(item):
            yield to_resource(item)


def exists(item: Item) -> bool:
    """Say whether an item shows a resource. Raises ItemError for a status that AWS does not document."""
    if item.status in RECORDED:
        return True
    if item.status in GONE or item.status == "ResourceNotRecorded":
        return False
    raise ItemError(f"has the status `{item.status[:60]}`, which AWS Config does not document")


def to_resource(item: Item) -> Resource:
    """Return the canonical resource of an item.

    Raises ItemError for one that nests too deeply, or whose parts are not of the kinds they should be.
    """
    if _deeper(item.configuration, MAX_NESTING) or _deeper(item.supplement, MAX_NESTING):
        raise ItemError(f"is nested deeper than {MAX_NESTING} levels")
    item = item._replace(configuration=_tidy(item.configuration), supplement=_tidy(item.supplement))
    declared = type_of(item)
    type = declared.type if declared is not None else item.type
    if registry.spec(type) is None:
        return _foreign(item, type)
    try:
        return _Mapping(item, declared or ConfigType(type)).resource()
    except (AttributeError, KeyError, TypeError, ValueError):
        raise ItemError(
            f"`{item.id[:80]}` has no configuration as AWS Config writes it for {item.type}"
        ) from None


def _foreign(item: Item, type: str) -> Resource:
    """A type the catalog does not know, so that no rule names its properties; its tags may still be asked for."""
    more = Unresolved("unsupported", f"{type} is not in the catalog")
    return _resource(item, type, item.id, OpenDict({}, more), {})


def _resource(item: Item, type: str, id: str, properties: Json, related: Json) -> Resource:
    spec = registry.spec(type)
    return Resource(
        type=type,
        id=id,
        account=item.account,
        region="global" if spec is not None and spec.is_global else item.region,
        properties=properties,
        arn=item.arn,
        tags=_tags(item, type),
        related=related,
        collected_at=item.captured,
    )


class _Mapping:
    """One item on its way. ``known`` are the top-level names that the item says something about."""

    def __init__(self, item: Item, declared: ConfigType) -> None:
        self.item = item
        self.declared = declared
        self.properties: Json = {}
        self.related: Json = {}
        self.known: set[str] = set(declared.recorded)
        self._names = {name.casefold() for name in item.configuration}

    def resource(self) -> Resource:
        self._configuration()
        for part in self.declared.parts:
            if part.name in self.item.supplement:
                self._part(part, self.item.supplement[part.name])
        self._arn()
        self._not_recorded()
        return _resource(self.item, self.declared.type, self._id(), self.properties, self.related)

    def _configuration(self) -> None:
        declared = self.declared
        given = declared.shape(self.item) if declared.shape is not None else self.item.configuration
        for name in [name for name in given if name.startswith("related.")]:
            self._put_related(name, given[name])
        given = {name: value for name, value in given.items() if not name.startswith("related.")}
        renames = _spelt(declared.rename, given)
        said = {name for name, value in given.items() if value is ABSENT or self._is_empty(name, value)}
        self.properties = fit(declared.type, {k: v for k, v in given.items() if k not in said}, renames)
        own = properties_by_case(declared.type)
        self.known |= {renames.get(name, own.get(name.casefold(), "")).split(".")[0] for name in said}

    def _is_empty(self, name: str, value: Any) -> bool:
        """Whether the item itself says under this name that there is nothing: null, an empty text or object."""
        return (value is None or value == {}) and name.casefold() in self._names

    def _part(self, part: Part, value: Any) -> None:
        top = (
            ".".join(part.into.split(".")[:2])
            if part.into.startswith("related.")
            else part.into.split(".")[0]
        )
        self.known.add(top)
        if part.shape is not None and value is not None:
            value = part.shape(value, self.item)
        if value is None:
            return
        if top.startswith("related."):
            self._put_related(top, value)
        elif isinstance(value, Unresolved):
            _put(self.properties, part.into, value)
        else:
            _put(self.properties, part.into, _fitted(self.declared.type, part, value))

    def _put_related(self, name: str, values: Any) -> None:
        if values is None:
            return
        self.known.add(name)
        if isinstance(values, Unresolved):
            self.related[name.removeprefix("related.")] = values
            return
        self.related[name.removeprefix("related.")] = [
            fit(self.declared.type, value, below=name) for value in values
        ]

    def _arn(self) -> None:
        if self.item.arn is not None and "Arn" in registry.top_level(self.declared.type):
            self.properties.setdefault("Arn", self.item.arn)

    def _not_recorded(self) -> None:
        value = Unresolved("not_collected", _MISSING)
        type = self.declared.type
        for name in registry.top_level(type):
            if name != "Tags" and name not in self.known:
                self.properties.setdefault(name, value)
        for name in _related(type):
            if f"related.{name}" not in self.known:
                self.related[name] = value
        for path in self.declared.unknown:
            _fill(self.properties, path.split("."), value)

    def _id(self) -> str:
        """Return the id users know; AWS Config's own where the item does not hold what it is made of."""
        texts = {name: value for name, value in self.properties.items() if isinstance(value, str)}
        for template in (self.declared.id, *registry.names(self.declared.type)):
            name = template if "{" in template else f"{{{template}}}"
            try:
                found = fill(name, texts, {}) if template else None
            except MissingValueError:
                continue
            if isinstance(found, str) and found:
                return found
        return self.item.id


def _fitted(type: str, part: Part, value: Any) -> Any:
    renames = _spelt(part.rename, value)
    return fit_value(type, part.into, value, renames)


# -- names ---------------------------------------------------------------------------------------------


@cache
def _related(type: str) -> tuple[str, ...]:
    schema = registry.schema(type)
    return schema.children(("related",)) if schema is not None else ()


def _spelt(renames: Renames, value: Any) -> Renames:
    """Return the renames in the item's own case: AWS Config writes ``dBName``, ``dbname`` and ``DBName``."""
    if not renames:
        return renames
    wanted = {name.casefold(): target for name, target in renames.items()}
    depth = max(name.count(".") for name in renames)
    return dict(_found(wanted, value, "", depth))


def _found(wanted: Mapping[str, str], value: Any, path: str, depth: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping) and "quantity" in value:
        value = value.get("items") or []  # CloudFront's lists, which are stepped through as such
    if isinstance(value, list):
        for element in value:
            yield from _found(wanted, element, path, depth)
    elif isinstance(value, Mapping):
        for name, below in value.items():
            at = f"{path}.{name}" if path else name
            target = wanted.get(at.casefold())
            if target is not None:
                yield at, target
            if depth:
                yield from _found(wanted, below, at, depth - 1)


# -- values --------------------------------------------------------------------------------------------


def _tidy(value: Any, name: str = "") -> Any:
    """Drop empty texts (None stands for what was recorded as empty), unwrap ``{"value": x}``, write times alike."""
    if isinstance(value, dict):
        if value.keys() == {"value"} and not isinstance(value["value"], dict | list):
            return _tidy(value["value"], name)
        return {key: _tidy(below, key) for key, below in value.items()}
    if isinstance(value, list):
        return [_tidy(element, name) for element in value]
    if value == "" and isinstance(value, str):
        return value if name.casefold() in _KEPT else None
    if name and name.casefold().endswith(_TIMED):
        return _moment(value)
    return value


def _moment(value: Any) -> Any:
    """Milliseconds since 1970 and RFC 3339 with fractions as RFC 3339 to the second; other values as they are."""
    if isinstance(value, int) and not isinstance(value, bool) and 10**12 <= value < 10**13:
        return timestamp(datetime.fromtimestamp(value / 1000, UTC))
    if isinstance(value, str) and _ISO.fullmatch(value):
        try:
            return timestamp(datetime.fromisoformat(value))
        except ValueError:
            return value
    return value


def _deeper(value: Any, levels: int) -> bool:
    waiting = [(value, 0)]
    while waiting:
        here, depth = waiting.pop()
        if isinstance(here, dict | list):
            if depth >= levels:
                return True
            waiting += [(v, depth + 1) for v in (here.values() if isinstance(here, dict) else here)]
    return False


def _put(properties: Json, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        below = properties.get(step)
        if not isinstance(below, dict):
            below = properties[step] = {}
        properties = below
    properties[last] = value


def _fill(here: Any, steps: list[str], value: Unresolved) -> None:
    """Put ``value`` where a path ends in an object that lacks it; an object that is not there stays away."""
    if isinstance(here, list):
        for element in here:
            _fill(element, steps, value)
    elif isinstance(here, dict):
        if len(steps) == 1:
            here.setdefault(steps[0], value)
        elif steps[0] in here:
            _fill(here[steps[0]], steps[1:], value)


# -- tags ----------------------------------------------------------------------------------------------

_TAG_NAMES: Final = frozenset({"tags", "tagset", "taglist", "tagsmap"})
_TAGGED: Final = frozenset(
    {
        "AWS::ACM::Certificate", "AWS::AutoScaling::AutoScalingGroup", "AWS::CloudFormation::Stack",
        "AWS::CodeBuild::Project", "AWS::DynamoDB::Table", "AWS::EC2::CustomerGateway", "AWS::EC2::Instance",
        "AWS::EC2::InternetGateway", "AWS::EC2::NetworkAcl", "AWS::EC2::NetworkInterface", "AWS::EC2::RouteTable",
        "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::Volume", "AWS::EC2::VPC", "AWS::EC2::VPNConnection",
        "AWS::EC2::VPNGateway", "AWS::ElasticLoadBalancing::LoadBalancer",
        "AWS::ElasticLoadBalancingV2::LoadBalancer", "AWS::RDS::DBInstance", "AWS::RDS::DBSecurityGroup",
        "AWS::RDS::DBSnapshot", "AWS::RDS::DBSubnetGroup", "AWS::RDS::EventSubscription", "AWS::Redshift::Cluster",
        "AWS::Redshift::ClusterParameterGroup", "AWS::Redshift::ClusterSecurityGroup",
        "AWS::Redshift::ClusterSnapshot", "AWS::Redshift::ClusterSubnetGroup", "AWS::S3::Bucket",
    }
)  # fmt: skip
"""Types whose tags AWS Config is known to record: those of its rule ``required-tags``
(https://docs.aws.amazon.com/config/latest/developerguide/required-tags.html)."""


def _tags(item: Item, type: str) -> Any:
    """Return the tags; not known where nothing in the item says that tags of the type are recorded at all."""
    if not registry.taggable(type):
        return None
    found = tags_of(item.tags)
    said = bool(found) or (item.type in _TAGGED and item.tags is not None)
    for holder in (item.configuration, item.supplement):
        for name, value in holder.items():
            if name.casefold() in _TAG_NAMES and isinstance(value, list | dict):
                found = {**tags_of(value), **found}
                said = True
    sets = item.supplement.get("BucketTaggingConfiguration")
    for each in objects(sets.get("tagSets")) if isinstance(sets, dict) else ():
        found = {**tags_of(each.get("tags")), **found}
        said = True
    return found if said else Unresolved("not_collected", "AWS Config records no tags of this type")
