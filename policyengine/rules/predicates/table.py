"""The table of predicates: explicit, so that importing a module registers nothing.

A family is imported when a predicate of it is asked for: a function that serves three rules pays for three, not for all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from importlib import import_module
from typing import Final

from policyengine.rules.predicates.api import Predicate

MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "net.table": ("net",),
    "tags.table": ("tags",),
    "tenants.table": ("tenant",),
    "time": ("time",),
    "lifecycle": ("lifecycle",),
    "kms": ("kms",),
    "logs.table": ("logs",),
    "backup.recovery": ("recovery",),
    "asked_for": ("code", "parameter"),
    "backup.table": ("backup",),
    "related": ("related",),
    "lists": ("list",),
    "iam.table": ("iam",),
    "org.table": ("org",),
    "needed.table": ("needed",),
    "sharing.table": ("sharing",),
    "bedrock.table": ("bedrock", "org", "region", "retrieval"),
    "privilege.table": ("privilege",),
    "usage": ("usage",),
    "values": ("value",),
    "pipeline.code_secrets": ("code",),
    "pipeline.codebuild": ("codebuild",),
    "pipeline.deployment": ("deployment",),
    "pipeline.table": ("pipeline",),
    "pipeline.plain_secrets": ("secrets",),
    "pipeline.stages": ("stages",),
    "pipeline.watched": ("events",),
    "trust.table": ("trust",),
}
"""Module -> the families (``net`` of ``net.open_to_internet``) of the predicates in its ``PREDICATES``."""


class Predicates(MutableMapping[str, Predicate]):
    """Name -> predicate, in the order of the modules; going through all of them imports all of them."""

    def __init__(self, modules: Mapping[str, tuple[str, ...]]) -> None:
        self._modules = modules
        self._order: dict[str, tuple[str, ...]] = {}
        self._known: dict[str, Predicate] = {}

    def __getitem__(self, name: str) -> Predicate:
        found = self._known.get(name)
        if found is not None:
            return found
        family = name.partition(".")[0]
        for module, families in self._modules.items():
            if family in families:
                self._load(module)
        return self._known[name]

    def __setitem__(self, name: str, predicate: Predicate) -> None:
        self._known[name] = predicate

    def __delitem__(self, name: str) -> None:
        del self._known[name]

    def __iter__(self) -> Iterator[str]:
        for module in self._modules:
            self._load(module)
        return (name for module in self._modules for name in self._order[module])

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def _load(self, module: str) -> None:
        """Take a module's predicates in. Raises ValueError for one that is declared twice or in no family of its module."""
        if module in self._order:
            return
        declared: tuple[Predicate, ...] = import_module(f"policyengine.rules.predicates.{module}").PREDICATES
        for predicate in declared:
            # another thread may be doing the same: what it put in is the same object
            known = self._known.setdefault(predicate.name, predicate)
            if known is not predicate or predicate.name.partition(".")[0] not in self._modules[module]:
                raise ValueError(
                    f"`{predicate.name}` is declared twice, or `{module}` is not listed for its family"
                )
        self._order[module] = tuple(predicate.name for predicate in declared)


PREDICATES: Final = Predicates(MODULES)
