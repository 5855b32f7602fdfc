"""Which actions can be about which resource: the ARN templates of actions, turned around."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from policyengine.iam.action_table import Taken
from policyengine.iam.catalogue import Catalogue, catalogue
from policyengine.iam.cells import matches
from policyengine.iam.domains import arn_pattern, service_of

_MOST: Final = 512
_FEW: Final = 64
"""Sets of actions about which answers are remembered."""


class Shapes:
    """Templates of ARNs and the actions that take them, as bits of the catalogue; a service at a time."""

    def __init__(self, known: Catalogue) -> None:
        self._catalogue = known
        self.known = known.all
        self._masks = {name: known.service_mask(name) for name in known.services}
        self._about: dict[str, int] = {}
        self._read: dict[str, tuple[dict[str, int], int]] = {}
        self._starred: dict[int, int] = {}
        self._shortest: dict[int, list[tuple[str, str]]] = {}
        self._templates: dict[int, list[tuple[str, int]]] = {}

    def templates(self, actions: int) -> list[tuple[str, int]]:
        """Return (template, actions that take it) for some actions, in the order of the services."""
        known = self._templates.get(actions)
        if known is not None:
            return known
        found: dict[str, int] = {}
        for service in self._touched(actions):
            for arn, mask in self._service(service)[0].items():
                if mask & actions:
                    found[arn] = found.get(arn, 0) | (mask & actions)
        if len(self._templates) >= _MOST:
            self._templates.clear()
        kept = self._templates[actions] = list(found.items())
        return kept

    def shortest_first(self, actions: int) -> list[tuple[str, str]]:
        """Return (template, its service) for some actions, the shortest templates first."""
        known = self._shortest.get(actions)
        if known is None:
            found = sorted((arn for arn, _ in self.templates(actions)), key=len)
            if len(self._shortest) >= _FEW:
                self._shortest.clear()
            known = self._shortest[actions] = [(arn, service_of(arn)) for arn in found]
        return known

    def starred(self, actions: int) -> int:
        """Return those of the actions that may be asked about ``*``."""
        known = self._starred.get(actions)
        if known is None:
            known = 0
            for service in self._touched(actions):
                known |= self._service(service)[1]
            known &= actions
            if len(self._starred) >= _MOST:
                self._starred.clear()
            self._starred[actions] = known
        return known

    def of_service(self, service: str) -> int:
        """Return the known actions that may be about an ARN of a service (its third part)."""
        if service not in self._about:
            found = 0
            near = 0
            for prefix in self._catalogue.prefixes_about(service):
                near |= self._catalogue.service_mask(prefix)
            for arn, mask in self.templates(near):
                if arn.split(":", 3)[2] in (service, "*"):
                    found |= mask
            self._about[service] = found
        return self._about[service]

    def about(self, actions: int, resource: str, partition: str) -> int:
        """Return those of the actions a request about this resource can have; unknown ones always."""
        found = actions & ~self.known
        if resource == "*":
            return found | self.starred(actions)
        service = f":{resource.split(':', 3)[2]}:" if resource.count(":") > 2 else ""
        for arn, mask in self.templates(actions):
            if (service in arn or ":*:" in arn) and matches(arn_pattern(arn, partition), resource):
                found |= mask
        return found

    def _touched(self, actions: int) -> Iterator[str]:
        rest = actions & self.known
        while rest:
            name = self._catalogue.service_at((rest & -rest).bit_length() - 1)
            yield name
            rest &= ~self._masks[name]

    def _service(self, name: str) -> tuple[dict[str, int], int]:
        if name not in self._read:
            arns, optional = dict[str, int](), 0
            for taken in self._catalogue.taken_by(name):
                for arn in taken.arns:
                    arns[arn] = arns.get(arn, 0) | taken.actions
                if _without_resource(taken):
                    optional |= taken.actions
            self._read[name] = (arns, optional)
        return self._read[name]


def _without_resource(taken: Taken) -> bool:
    """Say whether a request may be about ``*``: the action takes no type of resource, or one that it does
    not require. Of several that are not required one is meant (`s3:GetObject` is about an object, through
    its bucket or an access point), but lists may be of everything."""
    return not taken.required and (taken.types < 2 or taken.level == "List")


@lru_cache(maxsize=1)
def shapes() -> Shapes:
    """Return the shapes of the catalogue, made once."""
    return Shapes(catalogue())
