"""What an intrinsic function asks of the evaluation it is a part of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from policyengine.model.resource import Path
from policyengine.model.values import Unresolved
from policyengine.sources.cloudformation.inputs import Inputs
from policyengine.sources.cloudformation.loops import Scope
from policyengine.sources.cloudformation.template import Template


class Evaluation(Protocol):
    """See ``resolver.Resolver``, which is one."""

    template: Template
    inputs: Inputs
    conditions: Mapping[str, bool]
    scope: Scope
    moved: dict[Path, Path]

    def value(self, raw: Any, at: Path, doc: Path) -> Any:
        """Return the value of a part of the template."""

    def reference(self, name: str, doc: Path) -> Any:
        """Return what ``Ref`` gives for a name."""

    def no_such(self, name: str, doc: Path) -> Unresolved:
        """Report a reference to nothing."""

    def wrong(self, message: str, doc: Path) -> Unresolved:
        """Report an error and return what stands for the value."""

    def unknown(
        self,
        detail: str,
        *,
        target: tuple[str, str] | None = None,
        parts: tuple[str, ...] | None = None,
        gaps: tuple[Unresolved, ...] = (),
    ) -> Unresolved:
        """Return an unresolved reference of which it is certain that it gives some value."""
