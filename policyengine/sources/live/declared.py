"""Running a declared collector: list, describe, details, and the canonical resources they make."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.catalog import registry
from policyengine.model.resource import Resource
from policyengine.model.values import NEVER_SHOWN, OpenDict, Unresolved
from policyengine.sources.live.context import Context
from policyengine.sources.live.given import Details, given_by_step, sort_details
from policyengine.sources.live.listings import listed, results
from policyengine.sources.live.spec import Collector, Step
from policyengine.sources.live.templates import MissingValueError, all_at, at_path, fill
from policyengine.sources.shaping import fit, fit_value, tags_of

Json = dict[str, Any]
CHUNK: Final = 100
"""Items that are worked on together: batches are cut from them."""


class _Gone(Exception):
    """The resource was deleted after it was listed."""


class _Draft:
    """One resource in the making."""

    __slots__ = ("gone", "item", "properties", "related", "tags")

    def __init__(self, item: Json) -> None:
        self.item = item
        self.properties: Json = {}
        self.related: Json = {}
        self.tags: Any = None
        self.gone = False


class Run:
    """One collector in one account and region."""

    def __init__(self, collector: Collector, context: Context) -> None:
        self.collector = collector
        self.context = context
        self._tables: dict[int, dict[str, list[Any]] | CallFailure] = {}

    def resources(self) -> Iterator[Resource]:
        """Yield the resources. A listing that fails ends them and is told to the context."""
        yield from self.of(listed(self.collector, self.context))

    def of(self, found: Iterator[Json]) -> Iterator[Resource]:
        """Yield the resources of items that were listed; may be called again with further ones."""
        for chunk in _chunks(self._own(found)):
            drafts = [_Draft(item) for item in chunk]
            self._batched(drafts)
            yield from (r for r in self.context.map(self._finish, drafts) if r is not None)

    def _own(self, items: Iterator[Json]) -> Iterator[Json]:
        keep, names, only = self.collector.keep, self.context.names, self.context.only
        if keep is not None:
            items = (item for item in items if keep(item, names))
        if only is not None and only.type == self.collector.type:
            items = (item for item in items if only.may_be(item, *self._told(item)))
        return items

    def _told(self, item: Json) -> tuple[str | None, str | None]:
        """Return the id and the ARN of a listed item, None where it takes a further call to know them."""
        found = []
        for template in (self.collector.id, self.collector.arn):
            try:
                found.append(str(fill(template, item, self.context.names)) if template else None)
            except MissingValueError:
                found.append(None)
        return found[0], found[1]

    @cached_property
    def _details(self) -> Details:
        return sort_details(self.collector, self.context)

    def _batched(self, drafts: list[_Draft]) -> None:
        describe = self.collector.describe
        if describe is not None and describe.batch:
            self._batch(describe, drafts, describing=True)
        for step in self._details.asked:
            if step.batch:
                self._batch(step, [d for d in drafts if not d.gone], describing=False)
            elif step.once:
                self._joined(step, drafts)

    def _joined(self, step: Step, drafts: list[_Draft]) -> None:
        """Put what one listing says of many resources; it is made when the first asks."""
        if id(step) not in self._tables:
            self._tables[id(step)] = self._table(step)
        table = self._tables[id(step)]
        for draft in drafts:
            if isinstance(table, CallFailure):
                self._not_known(step, draft, table, describing=False)
                continue
            found = table.get(str(fill(step.once, draft.item, self.context.names)), [])
            if step.shape is not None:
                self._put(step, draft, found)
            elif found:
                self._put(step, draft, found[0])

    def _table(self, step: Step) -> dict[str, list[Any]] | CallFailure:
        table: dict[str, list[Any]] = {}
        arguments = fill(step.arguments, {}, self.context.names)
        try:
            for result in results(step, step.service or self.collector.service, self.context, arguments):
                key = at_path(result, step.key)
                for each in key if isinstance(key, list) else [key]:
                    table.setdefault(str(each), []).append(result)
        except CallFailure as failure:
            if failure.is_one_of(step.none):
                return {}
            self.context.fail(failure)
            return failure
        return table

    def _batch(self, step: Step, drafts: list[_Draft], *, describing: bool) -> None:
        """Ask about many at once; an answer that leaves one out says that it has gone."""
        alike: dict[str, list[_Draft]] = {}
        for draft in drafts:
            others = fill(_list_argument(step)[1], draft.item, self.context.names)
            alike.setdefault(repr(others), []).append(draft)
        for same in alike.values():
            for part in (same[at : at + step.batch] for at in range(0, len(same), step.batch)):
                self._one_batch(step, part, describing=describing)

    def _one_batch(self, step: Step, drafts: list[_Draft], *, describing: bool) -> None:
        (argument, template), others = _list_argument(step)
        names = self.context.names
        values = [fill(template, draft.item, names) for draft in drafts]
        arguments = {**fill(others, drafts[0].item, names), argument: values}
        try:
            answer = self._answer(step, arguments)
        except CallFailure as failure:
            self.context.fail(failure)
            for draft in drafts:
                self._not_known(step, draft, failure, describing=describing)
            return
        found = {str(at_path(each, step.key)): each for each in all_at(answer, step.result)}
        for draft, value in zip(drafts, values, strict=True):
            result = found.get(str(value))
            if result is None:
                draft.gone = describing
            elif describing:
                draft.item = {**draft.item, **result}
            else:
                self._put(step, draft, result)

    def _answer(self, step: Step, arguments: Json) -> Json:
        service = step.service or self.collector.service
        if not step.paged:
            return self.context.call(service, step.operation, arguments)
        joined: Json = {}
        for page in self.context.pages(service, step.operation, arguments):
            for name, value in page.items():
                if isinstance(value, list) and isinstance(joined.get(name), list):
                    joined[name] = joined[name] + value
                elif isinstance(value, dict) and isinstance(joined.get(name), dict):
                    joined[name] = {**joined[name], **value}
                else:
                    joined[name] = value
        return joined

    def _finish(self, draft: _Draft) -> Resource | None:
        """Make the calls for one resource and build it; None when it has gone."""
        if draft.gone:
            return None
        try:
            describe = self.collector.describe
            if describe is not None and not describe.batch:
                self._describe(describe, draft)
            for step in self._details.asked:
                if not step.batch and not step.once:
                    self._detail(step, draft)
            return self._resource(draft)
        except _Gone:
            return None
        except MissingValueError as problem:
            failure = self._malformed(str(problem))
            self.context.not_whole(self.collector.type, failure)
            return None

    def _malformed(self, text: str) -> CallFailure:
        operation = f"{self.collector.service}:{self.collector.list.operation}"
        return CallFailure(
            operation, "read_error", "MalformedAnswer", text, self.context.account.id, self.context.region
        )

    def _describe(self, step: Step, draft: _Draft) -> None:
        try:
            answer = self._answer(step, fill(step.arguments, draft.item, self.context.names))
        except CallFailure as failure:
            self._failed(step, draft, failure, describing=True)
            return
        result = at_path(answer, step.result)
        if isinstance(result, list):
            result = result[0] if result else None
        if result is None:
            raise _Gone
        draft.item = {**draft.item, **(step.shape(result, draft.item) if step.shape else result)}

    def _detail(self, step: Step, draft: _Draft) -> None:
        if step.service and not self.context.account.offers(step.service, self.context.region):
            why = Unresolved("not_collected", f"{step.service} is not offered in {self.context.region}")
            self._mark(draft, given_by_step(self.collector, step, self.context), why)
            return
        try:
            if step.ask is not None:
                answer = step.ask(self.context, draft.item)
            else:
                answer = self._answer(step, fill(step.arguments, draft.item, self.context.names))
        except CallFailure as failure:
            if not failure.is_one_of(step.none):
                self._failed(step, draft, failure, describing=False)
            elif step.gives == ("tags",):
                draft.tags = {}
            return
        result = at_path(answer, step.result)
        if result is not None:
            self._put(step, draft, result)

    def _failed(self, step: Step, draft: _Draft, failure: CallFailure, *, describing: bool) -> None:
        if failure.is_one_of(step.gone):
            raise _Gone
        self.context.fail(failure)
        self._not_known(step, draft, failure, describing=describing)

    def _not_known(self, step: Step, draft: _Draft, failure: CallFailure, *, describing: bool) -> None:
        value = Unresolved(failure.reason, failure.detail)
        if describing:
            draft.properties = OpenDict(draft.properties, value)
            return
        self._mark(draft, given_by_step(self.collector, step, self.context), value)

    def _mark(self, draft: _Draft, names: frozenset[str], value: Unresolved) -> None:
        for name in names:
            self.context.not_known.add((self.collector.type, name))
            if name == "tags":
                draft.tags = value
            elif name.startswith("related."):
                draft.related[name.removeprefix("related.")] = value
            else:
                draft.properties[name] = value

    def _put(self, step: Step, draft: _Draft, result: Any) -> None:
        if step.shape is not None:
            result = step.shape(result, draft.item)
            if result is None:
                return
        if step.gives == ("tags",):
            draft.tags = result if isinstance(result, Unresolved) else tags_of(result)
        elif step.into.startswith("related."):
            results = result if isinstance(result, list) else [result]
            draft.related[step.into.removeprefix("related.")] = [
                fit(self.collector.type, each, step.rename, below=step.into) for each in results
            ]
        elif step.into:
            value = fit_value(self.collector.type, step.into, result, step.rename)
            _set(draft.properties, step.into, value)
        else:
            draft.related |= _related(self.collector, result, {})
            _merge(draft.properties, fit(self.collector.type, result, step.rename))

    def _resource(self, draft: _Draft) -> Resource:
        collector, context = self.collector, self.context
        names = context.names
        item = collector.shape(draft.item) if collector.shape is not None else draft.item
        rename = {
            **collector.list.rename,
            **(collector.describe.rename if collector.describe else {}),
            **collector.rename,
        }
        fitted = fit(collector.type, item, rename)
        arn = _arn(collector.arn, item, names)
        if arn and "Arn" in registry.top_level(collector.type):
            fitted.setdefault("Arn", arn)
        _merge(fitted, draft.properties)
        properties = (
            OpenDict(fitted, draft.properties.more) if isinstance(draft.properties, OpenDict) else fitted
        )
        self._not_given(draft, properties)
        related = {**_related(collector, item, draft.properties), **draft.related}
        hidden = (name for name, value in related.items() if isinstance(value, Unresolved))
        context.not_known.update((collector.type, f"related.{name}") for name in hidden)
        return Resource(
            type=collector.type,
            id=str(fill(collector.id, item, names)),
            account=context.account.id,
            region=context.place,
            properties=properties,
            arn=arn,
            tags=self._tags(draft, item),
            related=related,
            collected_at=context.now,
        )

    def _not_given(self, draft: _Draft, properties: Json) -> None:
        """What no call gives is not known, nor what a call gives that was not made."""
        for unasked in self._details.unasked:
            self._mark(draft, unasked.missed, unasked.value)
        for name, value in draft.properties.items():
            properties.setdefault(name, value)
        if isinstance(properties, OpenDict):
            return
        for name in self._details.never - properties.keys():
            properties[name] = Unresolved("not_collected", NEVER_SHOWN)
        for path in self.collector.unknown:
            _set(properties, path, Unresolved("not_collected", NEVER_SHOWN))

    def _tags(self, draft: _Draft, item: Json) -> Any:
        if draft.tags is not None:
            return draft.tags
        if isinstance(draft.properties, OpenDict):
            return Unresolved(draft.properties.more.reason, draft.properties.more.detail)
        if any(step.gives == ("tags",) for step in self._details.asked):
            return {}
        if not self.collector.tags or any("tags" in unasked.names for unasked in self._details.unasked):
            taggable = registry.taggable(self.collector.type)
            return Unresolved("not_collected", "no call that gives tags was made") if taggable else None
        tags = at_path(item, self.collector.tags)
        return tags if isinstance(tags, Unresolved) else tags_of(tags or [])


def _arn(template: str, item: Json, names: Json) -> str | None:
    """What is one name may be absent: not everything that is listed has an ARN yet."""
    if template.startswith("{") and template.endswith("}") and at_path(item, template[1:-1]) is None:
        return None
    return str(fill(template, item, names)) if template else None


def _related(collector: Collector, item: Json, properties: Json) -> Json:
    """Return the satellites that a collector's ``shape`` put into the item as ``related.NAME``.

    They are not known where the resource could not be described.
    """
    if isinstance(properties, OpenDict):
        names = [name for name in collector.gives if name.startswith("related.")]
        return {name.removeprefix("related."): properties.more for name in names}
    return {
        name.removeprefix("related."): value
        if isinstance(value, Unresolved)
        else [fit(collector.type, each, below=name) for each in value]
        for name, value in item.items()
        if name.startswith("related.")
    }


def _list_argument(step: Step) -> tuple[tuple[str, Any], Json]:
    """The first argument of a batch is the list of what is asked about."""
    (first, *others) = step.arguments.items()
    return first, dict(others)


def _chunks(items: Iterator[Json]) -> Iterator[list[Json]]:
    while chunk := list(islice(items, CHUNK)):
        yield chunk


def _set(properties: Json, path: str, value: Any) -> None:
    *steps, last = path.split(".")
    for step in steps:
        below = properties.get(step)
        if not isinstance(below, dict):
            if isinstance(below, Unresolved):
                return
            below = properties[step] = {}
        properties = below
    if isinstance(value, dict) and isinstance(properties.get(last), dict):
        _merge(properties[last], value)
    else:
        properties[last] = value


def _merge(into: Json, more: Json) -> None:
    """Add keys; objects on both sides are merged, otherwise what is new wins."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = value
