"""From drafts to resources: what the mapping does not cover, and where each value stands."""

from __future__ import annotations

from policyengine.catalog import terraform as catalog
from policyengine.catalog.terraform.coverage import gaps
from policyengine.documents import Document
from policyengine.model.location import Location
from policyengine.model.resource import Locator, Path, Resource
from policyengine.model.values import OpenDict, Unresolved
from policyengine.sources.terraform.builder import Drafter
from policyengine.sources.terraform.draft import Draft
from policyengine.sources.terraform.mapper import Mapper, Trace, fill_gaps
from policyengine.sources.terraform.scanner import SourceTree


class Finisher:
    """Makes the resources of one plan."""

    def __init__(self, file: str, document: Document, tree: SourceTree | None, drafter: Drafter) -> None:
        self._file = file
        self._document = document
        self._tree = tree
        self._drafter = drafter

    def finish(self, draft: Draft) -> Resource:
        """Return the resource of a draft."""
        mapped = catalog.mapping(draft.planned.type)
        if mapped is not None and not draft.suffix and draft.type == mapped.to:
            fill_gaps(draft.properties, gaps(draft.planned.type), draft.planned.type)
        properties = draft.properties
        if mapped is not None and mapped.partial:
            unknown = Unresolved("not_collected", f"`{draft.planned.type}` sets nothing else")
            properties = OpenDict(properties, unknown)
        arn = draft.tree.get("arn") if not draft.suffix else None
        return Resource(
            type=draft.type,
            id=draft.id,
            account=draft.account,
            region=draft.region,
            properties=properties,
            arn=arn if isinstance(arn, str) and arn.startswith("arn:") else None,
            tags=draft.tags,
            file=self._file,
            locate=self._locator(draft),
        )

    def _locator(self, draft: Draft) -> Locator:
        traces: list[tuple[Draft, Trace]] = []

        def locate(path: Path) -> Location | None:
            if not path:
                return self._place(draft, draft.trace.get((), ()) if draft.suffix else ())
            if not traces:
                traces.extend(self._traces(draft))
            best, length = draft, -1
            source: Path = ()
            for part, trace in traces:
                for cut in range(len(path), length, -1):
                    origin = trace.get(path[:cut])
                    if origin is not None:
                        best, source, length = part, (*origin, *path[cut:]), cut
                        break
            return self._place(best, source)

        return locate

    def _traces(self, draft: Draft) -> list[tuple[Draft, Trace]]:
        """Map again, this time noting where each value comes from."""
        again = self._drafter.draft(draft.entry, trace=True)
        found = (
            again if not draft.suffix else next((e for e in again.emitted if e.suffix == draft.suffix), again)
        )
        tags: Trace = {("tags",): ("tags",), ("Tags",): ("tags",)} if "tags" in draft.tree else {}
        return [(draft, {**tags, **found.trace}), *((p, _merge_trace(p)) for p in draft.merged)]

    def _place(self, draft: Draft, source: Path) -> Location | None:
        if self._tree is not None:
            found = self._tree.locate(draft.planned, source)
            if found is not None:
                return found
        base: Path = ("resource_changes", draft.entry.position)
        if not source:
            return self._document.locate(base) or Location(self._file)
        return self._document.locate((*base, "change", "after", *source)) or Location(self._file)


def _merge_trace(part: Draft) -> Trace:
    """Return where the parent's properties stand in a part; appended lists have positions of their own."""
    trace: Trace = {}
    appended: set[str] = set()
    for merge in catalog.merges(part.planned.type):
        Mapper(trace).map(merge.fields, part.tree)
        appended.update(merge.append)
    return {path: origin for path, origin in trace.items() if path[0] not in appended}
