"""The settings of a run, as the engine needs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policyengine.config.remediation import Remediating
from policyengine.config.waivers import Waiving
from policyengine.model.resource import Resource
from policyengine.model.withheld import Plan

Parameters = Mapping[str, Mapping[str, Any]]
"""rule id -> parameter -> value."""


@dataclass(frozen=True, slots=True)
class ScopedParameters:
    """Parameters for a part of the organisation; exactly one of the three selectors is set."""

    parameters: Parameters
    account: str | None = None
    ou: str | None = None
    tag: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Precedence of parameters: tag > account > OU (nearest first) > organisation > default.

    Values replace, they never merge. ``ous`` gives an account's OUs, nearest first.
    """

    organization: Parameters = field(default_factory=dict)
    scoped: Sequence[ScopedParameters] = ()
    severities: Mapping[str, str] = field(default_factory=dict)
    disabled: Mapping[str, str] = field(default_factory=dict)
    ous: Mapping[str, Sequence[str]] = field(default_factory=dict)
    remediation: Remediating = field(default_factory=Remediating)
    waiving: Waiving = field(default_factory=Waiving)
    withhold: Plan | None = None
    """What an auditor may not see: a kept run judges without it (decision 16)."""

    def is_scoped(self, rule: str) -> bool:
        """Whether some scope sets a parameter of the rule."""
        return any(rule in scope.parameters for scope in self.scoped)

    def parameters(self, rule: str, resource: Resource) -> dict[str, Any]:
        """Return the values set for a rule at a resource, without the rule's own defaults."""
        values = dict(self.organization.get(rule, {}))
        for scope in self._matching(resource):
            values.update(scope.parameters.get(rule, {}))
        return values

    def _matching(self, resource: Resource) -> list[ScopedParameters]:
        """Return the scopes that hold for a resource, the weakest first."""
        ranked: list[tuple[int, ScopedParameters]] = []
        ous = self.ous.get(resource.account or "", ())
        tags = resource.tags if isinstance(resource.tags, dict) else {}
        for scope in self.scoped:
            if scope.tag is not None:
                if tags.get(scope.tag[0]) == scope.tag[1]:
                    ranked.append((2_000, scope))
            elif scope.account is not None:
                if scope.account == resource.account:
                    ranked.append((1_000, scope))
            elif scope.ou is not None and scope.ou in ous:
                ranked.append((len(ous) - list(ous).index(scope.ou), scope))
        return [scope for _, scope in sorted(ranked, key=lambda item: item[0])]
