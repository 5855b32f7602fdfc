"""From an entry of ``resource_changes`` to a draft of a canonical resource."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policyengine.catalog import registry
from policyengine.catalog import terraform as catalog
from policyengine.catalog.terraform.blocks import blocks
from policyengine.catalog.terraform.language import Emit, TypeMap, parse
from policyengine.sources.base import SourceOptions
from policyengine.sources.terraform import awscc
from policyengine.sources.terraform.configuration import Configuration, Entry, References
from policyengine.sources.terraform.draft import Draft, known_blocks, unread
from policyengine.sources.terraform.mapper import Mapper, Trace, put
from policyengine.sources.terraform.scanner import SourceTree
from policyengine.sources.terraform.special import HOOKS
from policyengine.sources.terraform.tags import apply_tags
from policyengine.sources.terraform.values import Builder, expression


class Drafter:
    """Makes drafts; ``trace=True`` records where each value came from."""

    def __init__(
        self,
        configuration: Configuration,
        references: References,
        options: SourceOptions,
        tree: SourceTree | None,
    ) -> None:
        self._configuration = configuration
        self._references = references
        self._options = options
        self._tree = tree

    def draft(self, entry: Entry, *, trace: bool = False) -> Draft:
        """Return the draft of one entry, with what it emits; the type must be a covered one."""
        planned = entry.planned
        resource = self._configuration.resource(planned)
        expressions = resource.get("expressions", {}) if resource is not None else None
        written = self._tree.written_blocks(planned) if self._tree else None
        hidden = blocks(planned.type) if written is None else written
        builder = Builder(lambda names: self._references.targets(planned, names), hidden)
        tree = builder.tree(entry.change, expressions)
        mapped = catalog.mapping(planned.type)
        made = Draft(entry, mapped.to if mapped else "", tree, {}, {})
        self._place(made)
        mapper = Mapper(made.trace if trace else None)
        if mapped is not None:
            self._map(made, mapped, mapper)
        elif catalog.merges(planned.type):
            self._links(made, expressions)
        else:
            awscc.fill(made, mapper)
        if mapped is not None or made.type:
            apply_tags(made, mapped, self._configuration.provider(planned), self._configuration)
        return made

    def _place(self, made: Draft) -> None:
        provider = self._configuration.provider(made.planned)
        region = made.tree.get("region")
        if not isinstance(region, str) or not region:
            region = self._configuration.constant(provider.get("region"))
        made.region = region if isinstance(region, str) and region else self._options.region
        accounts = self._configuration.constant(provider.get("allowed_account_ids"))
        one = accounts[0] if isinstance(accounts, list) and len(accounts) == 1 else None
        made.account = str(one) if isinstance(one, str | int) else self._role_account(provider)
        made.account = made.account or self._options.account

    def _role_account(self, provider: Mapping[str, Any]) -> str | None:
        """Return the account of the one role the provider assumes, if its ARN is a constant."""
        assumed = provider.get("assume_role")
        if not isinstance(assumed, list) or len(assumed) != 1 or not isinstance(assumed[0], dict):
            return None
        arn = self._configuration.constant(assumed[0].get("role_arn"))
        parts = arn.split(":") if isinstance(arn, str) else []
        return parts[4] if len(parts) > 5 and parts[4].isdecimal() else None

    def _links(self, made: Draft, expressions: Any) -> None:
        for merge in catalog.merges(made.planned.type):
            node = expressions.get(merge.by) if isinstance(expressions, dict) else None
            found = expression(node) if node is not None else None
            if found is not None and merge.by not in made.links:
                made.links[merge.by] = self._references.targets(made.planned, found.references)

    def _map(self, made: Draft, mapped: TypeMap, mapper: Mapper) -> None:
        made.properties.update(mapper.map(mapped.fields, made.tree))
        for path, value in mapped.constants.items():
            put(made.properties, path, value)
        if mapped.attributes is not None:
            self._attributes(made, *mapped.attributes)
        name = mapped.physical or _primary(mapped.to)
        identifier = made.tree.get("arn" if name.endswith("Arn") else "id") if name else None
        if isinstance(identifier, str) and identifier:
            made.properties.setdefault(name, identifier)
        if mapped.code:
            HOOKS[mapped.code](made)
        for emit in mapped.emit:
            self._emit(made, emit, mapper)

    def _attributes(self, made: Draft, into: str, keys: Mapping[str, str]) -> None:
        found: list[dict[str, Any]] = []
        for source, key in keys.items():
            value = Mapper().map(parse(f"{source}:text=Value"), made.tree)
            if value:
                made.trace[(into, len(found))] = tuple(source.split("."))
                found.append({"Key": key, **value})
        if found:
            made.properties[into] = found

    def _emit(self, made: Draft, emit: Emit, mapper: Mapper) -> None:
        written = made.tree.get(emit.each)
        if written is None or written in ("", [], {}):
            return
        holder = made.itself(emit.by)
        linked = {emit.link: [holder] if emit.link_list else holder, **emit.constants}
        if not emit.block:
            made.emit(
                emit.to, {**linked, **mapper.map(emit.fields, made.tree)}, {(): (emit.each,)}, f"#{emit.each}"
            )
            return
        more = unread(written)
        if more is not None:
            unknown = {f.target[0]: more for f in emit.fields}
            made.emit(emit.to, {**linked, **unknown}, {(): (emit.each,)}, f"#{emit.each}")
        for at, block in known_blocks(written):
            inner: Trace = {}
            found = Mapper(inner).map(emit.fields, block, (emit.each, at))
            inner[()] = (emit.each, at)
            made.emit(emit.to, {**linked, **found}, inner, f"#{emit.each}[{at}]")


def _primary(canonical_type: str) -> str:
    """Return the property AWS fills in that identifies a resource; empty when it is written by users."""
    schema = registry.schema(canonical_type)
    if schema is None or len(schema.primary) != 1 or schema.primary[0] not in schema.read_only:
        return ""
    return str(schema.primary[0])
