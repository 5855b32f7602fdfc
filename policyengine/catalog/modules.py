"""Declarations in modules by families of services, each imported when a type of one of its services is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Generic, TypeVar

T = TypeVar("T")


class Modules(Generic[T]):
    """``services``: module -> the services whose types it declares; ``load`` imports one: type -> declaration."""

    def __init__(self, services: Mapping[str, Iterable[str]], load: Callable[[str], Mapping[str, T]]) -> None:
        self._load = cache(load)
        self._names = tuple(services)
        self._of: dict[str, tuple[str, ...]] = {}
        for module, named in services.items():
            for service in named:
                self._of[service] = (*self._of.get(service, ()), module)

    def find(self, type: str) -> T | None:
        """Return the declaration of a type; None where there is none."""
        service = "::".join(type.split("::", 2)[:2])
        for module in self._of.get(service, ()):
            found = self._load(module).get(type)
            if found is not None:
                return found
        return None

    def all(self) -> dict[str, T]:
        """Import every module and return all declarations.

        Raises ValueError for a type that is declared twice or in a module not listed for its service.
        """
        found: dict[str, T] = {}
        for module in self._names:
            for type, declared in self._load(module).items():
                if type in found or self.find(type) is not declared:
                    raise ValueError(
                        f"`{type}` is declared twice, or `{module}` is not listed for its service"
                    )
                found[type] = declared
        return found
