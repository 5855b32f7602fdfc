"""Collecting a type through the Cloud Control API: its answers have the registry's shape already.

https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-operations-list.html: listing may give
only some properties, so each resource is read by itself. Write-only properties are never given; which those
are, the registry says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from typing import Any

from policyengine.aws.failures import CallFailure
from policyengine.catalog import registry
from policyengine.model.resource import Resource
from policyengine.model.values import NEVER_SHOWN, OpenDict, Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.offered import NEVER
from policyengine.sources.live.spec import Collector, RegistryCollector
from policyengine.sources.live.templates import MissingValueError, at_path, fill
from policyengine.sources.shaping import document, fit, tags_of

Json = dict[str, Any]
_GONE = "ResourceNotFoundException"


class RegistryRun:
    """One type in one account and region."""

    def __init__(self, collector: RegistryCollector, context: Context) -> None:
        self.collector = collector
        self.context = context
        self._extra = _not_in_registry(collector.type)

    def resources(self) -> Iterator[Resource]:
        """Yield the resources. A listing that fails ends them and is told to the context."""
        try:
            models = list(self.models())
        except CallFailure as failure:
            self.context.not_whole(self.collector.type, failure)
            return
        for model in models:
            try:
                identifiers = list(self.identifiers(model))
            except CallFailure as failure:
                if failure.error not in NEVER and not failure.is_one_of(self.collector.skips):
                    self.context.not_whole(self.collector.type, failure)
                continue
            yield from (r for r in self.context.map(self._resource, identifiers) if r is not None)

    def models(self) -> Iterator[Json]:
        """Yield what ListResources must be told: one listing for each parent."""
        parent = self.collector.parent
        if parent is None:
            yield dict(self.collector.model)
            return
        from policyengine.sources.live.table import collector_of

        above = collector_of(parent.type)
        for item in _items(above, self.context):
            given = fill(parent.arguments, item, self.context.names)
            yield {**self.collector.model, **given}

    def identifiers(self, model: Json) -> Iterator[str]:
        """Yield the identifiers of one listing. Raises CallFailure."""
        arguments: Json = {"TypeName": self.collector.type}
        if model:
            arguments["ResourceModel"] = json.dumps(model, sort_keys=True)
        for page in self.context.pages("cloudcontrol", "ListResources", arguments):
            for found in page.get("ResourceDescriptions", ()):
                if not _of_aws(found["Identifier"]):
                    yield found["Identifier"]

    def _resource(self, identifier: str) -> Resource | None:
        collector, context = self.collector, self.context
        try:
            answer = context.call(
                "cloudcontrol", "GetResource", {"TypeName": collector.type, "Identifier": identifier}
            )
            told = document(answer["ResourceDescription"]["Properties"])
            if not isinstance(told, dict):  # one that two readers would read differently is none
                raise ValueError("the properties are no object")  # noqa: TRY004  # told as malformed below
            properties = fit(collector.type, told)
        except CallFailure as failure:
            if failure.error == _GONE:
                return None
            context.fail(failure)
            value = Unresolved(failure.reason, failure.detail)
            properties = OpenDict({}, value)
        except (KeyError, ValueError):
            malformed = CallFailure(
                "cloudcontrol:GetResource", "read_error", "MalformedAnswer", f"{collector.type} {identifier}",
                context.account.id, context.region,
            )  # fmt: skip
            context.fail(malformed)
            properties = OpenDict({}, Unresolved(malformed.reason, malformed.detail))
        return self._built(identifier, properties)

    def _built(self, identifier: str, properties: Json) -> Resource:
        collector, context = self.collector, self.context
        item = {"Identifier": identifier, **properties}
        tags = self._tags(properties)
        if not isinstance(properties, OpenDict):
            self._never_given(properties)
        return Resource(
            type=collector.type,
            id=self._id(identifier, item),
            account=context.account.id,
            region=context.place,
            properties=properties,
            arn=self._arn(identifier, item),
            tags=tags,
            collected_at=context.now,
        )

    def _never_given(self, properties: Json) -> None:
        value = Unresolved("not_collected", NEVER_SHOWN)
        for name in self._extra - properties.keys():
            properties[name] = value
        for path in registry.handlers(self.collector.type).write_only:
            above, _, last = path.rpartition(".")
            holder = at_path(properties, above)
            if isinstance(holder, dict):
                holder.setdefault(last, value)

    def _tags(self, properties: Json) -> Any:
        found = registry.tag_property(self.collector.type)
        if found is None:
            return None
        if isinstance(properties, OpenDict):
            return Unresolved(properties.more.reason, properties.more.detail)
        name = found.name.replace(".*", "")
        if name in registry.handlers(self.collector.type).write_only:
            return Unresolved("not_collected", "Cloud Control does not give it")
        return tags_of(at_path(properties, name) or [])

    def _id(self, identifier: str, item: Json) -> str:
        if self.collector.id:
            try:
                return str(fill(self.collector.id, item, self.context.names))
            except MissingValueError:
                return identifier
        names = (item.get(name) for name in registry.names(self.collector.type))
        return next((name for name in names if isinstance(name, str) and name), identifier)

    def _arn(self, identifier: str, item: Json) -> str | None:
        if self.collector.arn:
            try:
                return str(fill(self.collector.arn, item, self.context.names))
            except MissingValueError:
                return None
        for name in ("Arn", "ARN"):
            if isinstance(item.get(name), str):
                return str(item[name])
        return identifier if identifier.startswith("arn:") else None


def _of_aws(identifier: str) -> bool:
    """Whether it is the ARN of what AWS itself has in every account (``arn:aws:bedrock:eu-west-1:aws:...``)."""
    parts = identifier.split(":", 5)
    return len(parts) == 6 and parts[0] == "arn" and parts[4] == "aws"


def _items(above: Any, context: Context) -> Iterator[Json]:
    """Yield the parents: items of a declared collector's listing, identifiers of a registry one."""
    if isinstance(above, Collector):
        from policyengine.sources.live.listings import listing

        yield from listing(above, context)
        return
    assert isinstance(above, RegistryCollector), "types collected by code have no children here"
    run = RegistryRun(above, context)
    for model in run.models():
        key = (above.type, json.dumps(model, sort_keys=True))
        for identifier in context.shared.listing(key, partial(run.identifiers, model)):
            yield {"Identifier": identifier, **model}


def _not_in_registry(type: str) -> frozenset[str]:
    """Return the top-level properties that Cloud Control never gives: our own, and those AWS only takes."""
    schema = registry.schema(type)
    if schema is None:
        return frozenset()
    own: frozenset[str] = frozenset(registry.schema_data().get(type, {}).get("p", {}))
    return frozenset(path.split(".")[0] for path in schema.extra) - own
