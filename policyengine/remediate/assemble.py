"""Putting the kernel together over live accounts, for the command line and for Lambda alike."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from policyengine.config.settings import Settings
from policyengine.model.canonical_json import digest
from policyengine.remediate.accounts import Doors
from policyengine.remediate.declaration import Declaration
from policyengine.remediate.hands import LiveHands
from policyengine.remediate.kernel import Kernel
from policyengine.remediate.observe import LiveObserver
from policyengine.remediate.planning import Planner, Remediation
from policyengine.remediate.ports import Waiter
from policyengine.remediate.registry import Remediations
from policyengine.rules.pack import Pack
from policyengine.rules.predicates.pipeline.plain_secrets import looked_at
from policyengine.sources.redaction import Redactor
from policyengine.store.actions import ActionStore

Json = dict[str, Any]


class _Table(Mapping[str, Remediation]):
    """Remediations by id; a handler is loaded when it is asked for."""

    def __init__(self, remediations: Remediations) -> None:
        self._remediations = remediations

    def __getitem__(self, name: str) -> Remediation:
        declaration: Declaration = self._remediations.declarations[name]
        return Remediation(declaration, self._remediations.handler(name))

    def __iter__(self) -> Any:
        return iter(self._remediations.declarations)

    def __len__(self) -> int:
        return len(self._remediations)


def redactor() -> Redactor:
    """Return a redactor under a key of its own: what is read here is judged, shown and forgotten, never compared."""
    return Redactor(os.urandom(32), looked_at)


def _digest(form: Mapping[str, Any]) -> str:
    """What a rule says, wherever its file lies."""
    return digest({name: value for name, value in form.items() if name != "source"})


def make_kernel(
    *,
    doors: Doors,
    pack: Pack,
    settings: Settings,
    remediations: Remediations,
    store: ActionStore,
    waiter: Waiter,
    owner: str,
) -> Kernel:
    """Return the kernel. ``owner`` names the process in leases: no two may have the same."""
    observer = LiveObserver(doors, pack, settings=settings, redact=redactor(), clock=waiter.now)
    rules = {form["id"]: (form["remediation"], _digest(form)) for form in pack.rules if form["remediation"]}
    planner = Planner(
        observer=observer,
        hands=LiveHands(doors, remediations.declarations),
        remediations=_Table(remediations),
        rules=rules,
        settings=settings.remediation,
    )
    return Kernel(store=store, planner=planner, waiter=waiter, owner=owner)
