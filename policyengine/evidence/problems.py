"""What is wrong with a bundle, and where; one kind for each exit code of ``evidence verify``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from policyengine.model.errors import PolicyEngineError

MISMATCH: Final = "mismatch"
SIGNATURE: Final = "signature"
CHAIN: Final = "chain"
REPLAY: Final = "replay"
SCHEMA: Final = "schema"

EXIT_CODES: Final = {MISMATCH: 10, SIGNATURE: 11, CHAIN: 12, REPLAY: 13, SCHEMA: 14}
_GRAVITY: Final = (SIGNATURE, SCHEMA, MISMATCH, CHAIN, REPLAY)
"""Which kind gives the exit code where there are several: without a signature nothing else means anything."""


class Problem(NamedTuple):
    """One thing that is wrong. ``where`` is a member of the bundle (``results/0001.ndjson.gz line 7``), or the zip."""

    kind: str
    where: str
    text: str

    def __str__(self) -> str:
        return f"{self.kind}: {self.where}: {self.text}"


class BundleError(PolicyEngineError):
    """A bundle or a part of one that cannot be relied upon; ``problem`` says what and where."""

    code = "evidence_error"

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.where}: {problem.text}", code=f"evidence_{problem.kind}")
        self.problem = problem

    def __reduce__(self) -> tuple[type[BundleError], tuple[Problem]]:
        return (type(self), (self.problem,))


def exit_code(problems: Iterable[Problem]) -> int:
    """Return 0 without problems, else the code of the gravest kind: signature, schema, mismatch, chain, replay."""
    kinds = {problem.kind for problem in problems}
    return next((EXIT_CODES[kind] for kind in _GRAVITY if kind in kinds), 0)
