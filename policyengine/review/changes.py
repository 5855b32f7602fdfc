"""What a change did, in one shape, whoever found it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, NamedTuple

from policyengine.model.finding import Witness
from policyengine.model.location import Location
from policyengine.model.reasons import SEVERITIES
from policyengine.model.resource import Path, Resource

Kind = Literal[
    "access", "network", "bedrock", "public", "encryption", "tags", "logging", "backup", "waiver", "remediation",
    "rule", "gate", "unreadable",
]  # fmt: skip
KINDS: Final[Mapping[Kind, str]] = {
    "access": "access newly allowed",
    "network": "network newly reachable",
    "bedrock": "Bedrock regions opened",
    "public": "newly public",
    "encryption": "encryption lost",
    "tags": "tags lost",
    "logging": "logging lost",
    "backup": "backups lost",
    "waiver": "waivers lost",
    "remediation": "remediation made impossible",
    "rule": "rules newly broken",
    "gate": "what judges this change",
    "unreadable": "not readable",
}
"""What a change is about, in the order of reports."""

Effect = Literal["worse", "unclear", "new", "better"]
EFFECTS: Final[tuple[Effect, ...]] = ("worse", "unclear", "new", "better")
"""``worse``: allows more, or protects less, than before; only this fails a build. ``unclear``: that could not be
decided. ``new``: comes with something that was not there, or is something to know of. ``better``: the other way round."""


class Broken(NamedTuple):
    """A rule whose verdict is another one than before. ``before`` is None for a resource that was not there."""

    rule: str
    title: str
    severity: str
    before: str | None
    after: str | None
    message: str
    finding: str
    remediation: str | None


class Change(NamedTuple):
    """One thing that a change made worse, better, new or unclear.

    ``resource`` is the one of the head, or of the base where the head has none; ``old`` the one of the base, None
    where it is new. ``path`` is where in ``resource`` it stands (in the base's for what is gone). ``before`` and
    ``after`` are JSON values or texts. ``witness`` is a request that the head allows and the base does not.
    """

    kind: Kind
    effect: Effect
    severity: str
    title: str
    resource: Resource | None
    old: Resource | None = None
    path: Path = ()
    before: Any = None
    after: Any = None
    witness: Witness | None = None
    details: tuple[str, ...] = ()
    rules: tuple[Broken, ...] = ()
    location: Location | None = None
    """Where it stands, where that is known better than by ``path``."""
    file: str | None = None
    """The file it is about, where it is about no resource."""

    def place(self) -> Location | None:
        """Return where a reader should look."""
        if self.location is not None:
            return self.location
        if self.resource is not None:
            return self.resource.place(self.path)
        return None if self.file is None else Location(self.file)

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Worst first; then by kind and place."""
        identity = self.resource.identity if self.resource is not None else ("", self.file or "", "", "")
        return (
            EFFECTS.index(self.effect),
            -SEVERITIES.index(self.severity),
            list(KINDS).index(self.kind),
            identity,
            tuple(map(str, self.path)),
            self.title,
        )


def worst(changes: Iterable[Change]) -> list[Change]:
    """Return changes in the order of every report."""
    return sorted(changes, key=lambda change: change.sort_key)
