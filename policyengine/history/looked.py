"""What a run looked at: whether a resource that it does not have is gone, or whether nobody looked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, TypeVar

from policyengine.store.coverage import Places

Json = Mapping[str, Any]
J = TypeVar("J", bound=Json)


class _Row(Protocol):
    @property
    def identity(self) -> tuple[str, str, str, str]: ...


R = TypeVar("R", bound=_Row)


class Looked:
    """What is known of where a run looked.

    ``coverage`` is what it collected whole. Of places that it does not speak of (files of code, lines without a
    manifest, reports without a run directory) is known only that they were looked at when there are findings of them;
    ``targets`` are what the run was asked about, None where that is not known. ``places`` gives the (account, region) pairs
    that there are findings of, where nobody notes them; it is called when somebody must know.
    """

    def __init__(
        self,
        coverage: Places,
        targets: Iterable[str] | None,
        places: Callable[[], Iterable[tuple[str | None, str | None]]] | None = None,
    ) -> None:
        self._more = places
        self._coverage = coverage
        self._targets = None if targets is None else frozenset(targets)
        self._places: set[tuple[str | None, str | None]] = set()
        self._files: set[str] = set()
        self.rules: set[str] = set()
        """Those there are findings of, as far as findings were noted."""

    def noting(self, findings: Iterable[J]) -> Iterator[J]:
        """Yield the findings and remember which places and files they are of, and which rules."""
        for finding in findings:
            self.rules.add(finding["rule"])
            where = finding.get("location")
            if where is not None:
                self._files.add(where["file"])
            else:
                self._places.add((finding["resource"]["account"], finding["resource"]["region"]))
            yield finding

    def noting_rows(self, rows: Iterable[R]) -> Iterator[R]:
        """Yield rows of a run and remember which places and files they are of."""
        for row in rows:
            account, region, kind, _ = row.identity
            if not kind and region:
                self._files.add(region)
            else:
                self._places.add((account or None, region or None))
            yield row

    def why_not(self, finding: Json, other: Looked) -> str:
        """Say of this run why nobody knows whether the resource of a finding that only the other run has is there; ""
        where that is known."""
        where, resource = finding.get("location"), finding["resource"]
        if where is not None:
            again = self._targets is not None and self._targets == other._targets
            if again or where["file"] in self._files:
                return ""
            return f"was asked about other targets, and has nothing of `{where['file']}`"
        account, region, type_ = resource["account"], resource["region"], resource["type"]
        types = self._coverage.get((account, region))
        if types is None:
            if self._more is not None:
                self._places.update(self._more())
                self._more = None
            return "" if (account, region) in self._places else f"has nothing of {account}/{region}"
        if types & {type_, "*"} or type_ in self._coverage.get((account, "global"), ()):
            return ""
        return f"did not read all {type_} in {account}/{region}"
