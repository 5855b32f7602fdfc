"""The ``configuration`` part of a plan: who refers to whom, and which provider serves whom.

Terraform writes the references of an expression, never the expression, so a reference says that a
value comes from there and not how. See
https://developer.hashicorp.com/terraform/internals/json-format#expression-representation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from policyengine.sources.terraform.addresses import Index, ModulePath, Step, longest, names
from policyengine.sources.terraform.values import Target

_MOST_HOPS = 32
"""How many module boundaries one reference may cross before we stop following it."""


class Planned(NamedTuple):
    """A resource of the plan as references see it."""

    address: str
    module: ModulePath
    type: str
    name: str
    key: Index


class Entry(NamedTuple):
    """One entry of ``resource_changes`` whose resource exists after the plan is applied."""

    planned: Planned
    position: int
    change: Mapping[str, Any]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


class Module:
    """One module of the configuration."""

    def __init__(self, data: Any) -> None:
        content = _mapping(data)
        self.calls: Mapping[str, Any] = _mapping(content.get("module_calls"))
        self.outputs: Mapping[str, Any] = _mapping(content.get("outputs"))
        self.variables: Mapping[str, Any] = _mapping(content.get("variables"))
        self.resources: dict[tuple[str, str], Mapping[str, Any]] = {}
        listed = content.get("resources")
        for resource in listed if isinstance(listed, list) else ():
            if isinstance(resource, dict) and resource.get("mode", "managed") == "managed":
                self.resources[(str(resource.get("type")), str(resource.get("name")))] = resource


class Configuration:
    """The modules, resources and providers of a plan's configuration; empty when it has none."""

    def __init__(self, plan: Mapping[str, Any]) -> None:
        content = _mapping(plan.get("configuration"))
        self.given = isinstance(content.get("root_module"), dict)
        self._providers = _mapping(content.get("provider_config"))
        self._variables = _mapping(plan.get("variables"))
        self._modules: dict[tuple[str, ...], Module | None] = {(): Module(content.get("root_module"))}

    def module(self, path: Sequence[str]) -> Module | None:
        """Return the module at a path of call names; None when there is none."""
        key = tuple(path)
        if key not in self._modules:
            parent = self.module(key[:-1])
            call = parent.calls.get(key[-1]) if parent else None
            inner = _mapping(call).get("module")
            self._modules[key] = Module(inner) if isinstance(inner, dict) else None
        return self._modules[key]

    def resource(self, planned: Planned) -> Mapping[str, Any] | None:
        """Return the configuration of a planned resource; None when it is not shown."""
        module = self.module(names(planned.module))
        return module.resources.get((planned.type, planned.name)) if module else None

    def provider(self, planned: Planned) -> Mapping[str, Any]:
        """Return the expressions of the provider that serves a resource ({} when not shown)."""
        resource = self.resource(planned) or {}
        key = resource.get("provider_config_key")
        if not isinstance(key, str):
            return {}
        short = key.rsplit(":", 1)[-1]
        found = self._providers.get(key) or self._providers.get(short)
        return _mapping(_mapping(found).get("expressions"))

    def constant(self, node: Any) -> Any:
        """Return the value of an expression that is a constant or a root variable; None otherwise."""
        expression = _mapping(node)
        if "constant_value" in expression:
            return expression["constant_value"]
        references = expression.get("references")
        if isinstance(references, list) and len(references) == 1 and isinstance(references[0], str):
            head, _, name = references[0].partition(".")
            if head == "var":
                return _mapping(self._variables.get(name)).get("value")
        return None


class References:
    """Follows references to the resources of the plan they end at."""

    def __init__(self, configuration: Configuration, planned: Sequence[Planned]) -> None:
        self._configuration = configuration
        self._instances: dict[tuple[tuple[str, ...], str, str], list[Planned]] = {}
        for resource in planned:
            key = (names(resource.module), resource.type, resource.name)
            self._instances.setdefault(key, []).append(resource)

    def targets(self, origin: Planned, references: Sequence[str]) -> tuple[Target, ...]:
        """Return the plan's resources that an expression of ``origin`` refers to.

        Empty when one of the references leads out of what the plan shows in a way that could be the
        value (a data source, a resource not in the plan, several instances with no index in common).
        """
        found = list(self._follow(origin, origin.module, references, 0, frozenset()))
        return () if None in found else tuple(dict.fromkeys(t for t in found if t is not None))

    def _follow(
        self, origin: Planned, module: ModulePath, references: Sequence[str], hops: int, seen: frozenset[Any]
    ) -> Iterator[Target | None]:
        here = (module, tuple(references))
        if hops > _MOST_HOPS or here in seen:
            yield None
            return
        for reference in longest(references):
            yield from self._one(origin, module, reference, hops + 1, seen | {here})

    def _one(
        self,
        origin: Planned,
        module: ModulePath,
        reference: tuple[Step, ...],
        hops: int,
        seen: frozenset[Any],
    ) -> Iterator[Target | None]:
        head = reference[0].name
        if head == "module" and len(reference) >= 3:
            yield from self._output(origin, module, reference, hops, seen)
        elif head == "var" and len(reference) >= 2:
            yield from self._variable(origin, module, reference, hops, seen)
        elif head == "each":
            yield from self._for_each(origin, module, reference, hops, seen)
        elif head in ("data", "ephemeral"):
            yield None
        elif head in ("local", "count", "path", "terraform", "self", "module", "var"):
            # A local's own expression is not in the plan: it may hide anything, so nothing is claimed.
            if head == "local":
                yield None
        elif len(reference) >= 2:
            yield from self._resources(origin, module, reference)

    def _output(
        self,
        origin: Planned,
        module: ModulePath,
        reference: tuple[Step, ...],
        hops: int,
        seen: frozenset[Any],
    ) -> Iterator[Target | None]:
        call = reference[1]
        inner = self._configuration.module((*names(module), call.name))
        output = _mapping(inner.outputs.get(reference[2].name)) if inner else {}
        references = _mapping(output.get("expression")).get("references")
        if not isinstance(references, list):
            yield None
            return
        index = call.key if call.key is not None else _same_index(origin, call.name, module)
        texts = [r for r in references if isinstance(r, str)]
        yield from self._follow(origin, (*module, (call.name, index)), texts, hops, seen)

    def _variable(
        self,
        origin: Planned,
        module: ModulePath,
        reference: tuple[Step, ...],
        hops: int,
        seen: frozenset[Any],
    ) -> Iterator[Target | None]:
        if not module:  # a root variable is a value the user gave, not a resource
            return
        parent = self._configuration.module(names(module)[:-1])
        call = _mapping(parent.calls.get(module[-1][0])) if parent else {}
        node = _mapping(_mapping(call.get("expressions")).get(reference[1].name))
        references = node.get("references")
        if isinstance(references, list):
            texts = [r for r in references if isinstance(r, str)]
            yield from self._follow(origin, module[:-1], texts, hops, seen)

    def _for_each(
        self,
        origin: Planned,
        module: ModulePath,
        reference: tuple[Step, ...],
        hops: int,
        seen: frozenset[Any],
    ) -> Iterator[Target | None]:
        resource = self._configuration.resource(origin) or {}
        references = _mapping(resource.get("for_each_expression")).get("references")
        if not isinstance(references, list) or module != origin.module or reference[1:2] == (Step("key"),):
            yield None
            return
        attribute = reference[2].name if len(reference) > 2 else "id"
        texts = [r for r in references if isinstance(r, str)]
        for target in self._follow(origin, module, texts, hops, seen):
            yield (target[0], attribute) if target else None

    def _resources(
        self, origin: Planned, module: ModulePath, reference: tuple[Step, ...]
    ) -> Iterator[Target | None]:
        resource = reference[1]
        attribute = reference[2].name if len(reference) > 2 else "id"
        known = self._instances.get((names(module), reference[0].name, resource.name), ())
        candidates = [p for p in known if _compatible(p.module, module)]
        if resource.key is not None:
            candidates = [p for p in candidates if p.key == resource.key]
        elif len(candidates) > 1 and origin.key is not None and not resource.splat:
            same = [p for p in candidates if p.key == origin.key]
            candidates = same or candidates
        if not candidates:
            yield None
        for candidate in candidates:
            yield (candidate.address, attribute)


def _same_index(origin: Planned, call: str, module: ModulePath) -> Index:
    """Return the index of the resource that asks, for ``module.m[each.key].output``."""
    inside = origin.module[: len(module) + 1]
    if len(inside) == len(module) + 1 and inside[-1][0] == call:
        return inside[-1][1]
    return origin.key


def _compatible(instance: ModulePath, wanted: ModulePath) -> bool:
    """Say whether two module paths with the same names can be the same instance."""
    return all(i == w or w is None for (_, i), (_, w) in zip(instance, wanted, strict=True))
