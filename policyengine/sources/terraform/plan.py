"""``terraform show -json`` and ``tofu show -json`` plans as a source of resources.

The format is https://developer.hashicorp.com/terraform/internals/json-format: ``format_version``
1.x, and 0.x of Terraform before 1.1. What exists after the plan is applied is evaluated; what is
deleted, forgotten or only read is counted in ``skipped``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from policyengine.catalog import terraform as catalog
from policyengine.documents import Document, DocumentError, load
from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.sources.base import MAX_ERRORS, NO_COVERAGE, Coverage, SecretText, SourceOptions, add_error
from policyengine.sources.fold import fold
from policyengine.sources.paths import display_path
from policyengine.sources.suppressions import bounded
from policyengine.sources.terraform import awscc
from policyengine.sources.terraform.addresses import ModulePath, module_path
from policyengine.sources.terraform.builder import Drafter
from policyengine.sources.terraform.configuration import Configuration, Entry, Planned, References
from policyengine.sources.terraform.draft import Draft
from policyengine.sources.terraform.finish import Finisher
from policyengine.sources.terraform.in_place import take_suppressions
from policyengine.sources.terraform.marks import is_plan, is_state
from policyengine.sources.terraform.merge import join
from policyengine.sources.terraform.scanner import SourceTree
from policyengine.sources.terraform.secrets import secret_properties, sensitive_texts

_AWS_PROVIDERS: Final = ("aws", "awscc")


def open_plan(path: Path | str, options: SourceOptions, document: Document | None = None) -> PlanSource:
    """Open a plan; ``document`` is what was parsed to recognise it (read from ``path`` if None).

    Raises InputError when the file is no plan, is a state, or has a ``format_version`` that is
    neither 0.x nor 1.x.
    """
    name = display_path(path, options, path)
    if document is None:
        try:
            data = Path(path).read_bytes()
        except OSError as error:
            raise InputError(f"cannot be read: {error.strerror or error}", Location(name)) from error
        document = load(data, name=name, syntax="json", max_bytes=options.max_bytes)
    return PlanSource(name, _check(document, name), document, options)


def _check(document: Document, name: str) -> Mapping[str, Any]:
    value = document.value
    place = document.locate(()) or Location(name)
    if is_state(value):
        raise InputError(
            "this is a Terraform state, not a plan: run `terraform plan -out=PLANFILE` and "
            "`terraform show -json PLANFILE`", place,
        )  # fmt: skip
    if not is_plan(value):
        raise InputError(
            "not a Terraform plan: expected the output of `terraform show -json PLANFILE`", place
        )
    version = value["format_version"]
    major = version.split(".")[0] if isinstance(version, str) else None
    if major not in ("0", "1"):
        raise InputError(
            f"plan format_version `{str(version)[:20]}` is not supported: expected 0.x or 1.x",
            document.locate(("format_version",)) or place,
        )
    changes = value.get("resource_changes")
    if changes is not None and not isinstance(changes, list):
        raise InputError(
            "`resource_changes` is not a list: the plan is damaged",
            document.locate(("resource_changes",)) or place,
        )
    return dict(value)


class PlanSource:
    """See :class:`policyengine.sources.base.Source`."""

    kind = "plan"
    coverage: Coverage = NO_COVERAGE

    def __init__(
        self, target: str, plan: Mapping[str, Any], document: Document, options: SourceOptions
    ) -> None:
        self.target = target
        self.errors: list[PolicyEngineError] = []
        self.skipped: Counter[str] = Counter()
        self.notes: list[str] = []
        self._plan = plan
        self._document = document
        self._options = options
        self._tree: SourceTree | None = None

    def resources(self) -> Iterator[Resource]:
        """Yield every AWS resource that exists after the plan is applied, satellites folded in."""
        self.errors.clear()
        self.skipped.clear()
        self.notes.clear()
        configuration = Configuration(self._plan)
        entries = list(self._entries())
        references = References(configuration, [e.planned for e in entries])
        self._tree = self._source_tree(configuration)
        drafter = Drafter(configuration, references, self._options, self._tree)
        drafts: list[Draft] = []
        for entry in entries:
            if not self._known(entry):
                continue
            try:
                drafts.append(drafter.draft(entry))
            except (TypeError, ValueError, KeyError, AttributeError, RecursionError) as error:
                self._fail(
                    entry.position, f"`{entry.planned.address}` cannot be read: {type(error).__name__}"
                )
        parts = [d for d in drafts if catalog.merges(d.planned.type)]
        whole = [d for d in drafts if not catalog.merges(d.planned.type)]
        whole += [e for d in whole for e in d.emitted]
        join(whole, parts, self.skipped)
        finisher = Finisher(self.target, self._document, self._tree, drafter)
        finished = [(draft, finisher.finish(draft)) for draft in whole]
        suppressions = self._suppressions(finished)
        yield from fold(resource for _, resource in finished)
        yield from suppressions

    def _suppressions(self, finished: list[tuple[Draft, Resource]]) -> list[Resource]:
        """Return what suppresses in the configuration; what refers to waivers is noted on the resources."""
        if self._tree is None:
            return []
        for draft, _ in finished:
            self._tree.read_module(draft.planned)
        if not self._tree.suppressions:
            return []
        found, error = bounded(self._tree.suppressions)
        if error is not None:
            add_error(self.errors, error)
        return take_suppressions(found, finished, self.target, (self._options.account, self._options.region))

    def secret_text(self) -> SecretText:
        """Return what must not be printed of the configuration; of the plan itself nothing is shown.

        A plan is machine-made, often one line, and holds every sensitive value in plain text.
        """
        texts = {*sensitive_texts(self._plan)}
        for resource in self.resources():
            texts.update(secret_properties(resource))
        return SecretText(texts=frozenset(texts), hidden=frozenset({self._document.name}))

    def _source_tree(self, configuration: Configuration) -> SourceTree | None:
        folder = self._options.terraform_source
        if folder is None:
            return None
        if not folder.is_dir():
            self.errors.append(
                InputError(f"`--terraform-source {folder}` is no folder", Location(self.target))
            )
            return None
        tree = SourceTree(folder, self._options, configuration)
        self.notes.extend(tree.notes)
        return tree

    def _fail(self, position: int, message: str) -> None:
        if len(self.errors) <= MAX_ERRORS:
            place = self._document.locate(("resource_changes", position)) or Location(self.target)
            add_error(self.errors, InputError(message, place))

    def _entries(self) -> Iterator[Entry]:
        """Yield the changes whose resource exists afterwards; count the others."""
        seen: dict[str, int] = {}
        changes = self._plan.get("resource_changes") or []
        deferred = self._plan.get("deferred_changes")
        if isinstance(deferred, list) and deferred:
            self.skipped["deferred by Terraform"] += len(deferred)
        for position, change in enumerate(changes):
            entry = self._entry(position, change)
            if entry is None:
                continue
            before = seen.setdefault(entry.planned.address, position)
            if before != position:
                self._fail(position, f"`{entry.planned.address}` stands twice in `resource_changes`")
                continue
            yield entry

    def _entry(self, position: int, data: Any) -> Entry | None:
        if not isinstance(data, dict):
            self._fail(position, "an entry of `resource_changes` is no object")
            return None
        if data.get("mode", "managed") != "managed":
            self.skipped["data source"] += 1
            return None
        texts = [data.get(k) for k in ("address", "type", "name")]
        if not all(isinstance(t, str) and t for t in texts):
            self._fail(position, "a resource without `address`, `type` and `name` as strings")
            return None
        change = data.get("change")
        if not isinstance(change, dict):
            self._fail(position, f"`{texts[0]}` has no `change` object")
            return None
        if data.get("deposed") is not None or change.get("after") is None:
            self._gone(position, str(texts[0]), change)
            return None
        if not isinstance(change["after"], dict):
            self._fail(position, f"`{texts[0]}`: `change.after` is no object")
            return None
        return Entry(_planned(data), position, change)

    def _gone(self, position: int, address: str, change: Mapping[str, Any]) -> None:
        actions = change.get("actions")
        if isinstance(actions, list) and actions and all(a in ("delete", "forget") for a in actions):
            self.skipped["deleted by the plan" if "delete" in actions else "forgotten by the plan"] += 1
        else:
            self._fail(
                position, f"`{address}`: `change.after` is missing although the resource is not deleted"
            )

    def _known(self, entry: Entry) -> bool:
        type = entry.planned.type
        if catalog.known(type) or awscc.canonical_type(type) is not None:
            return True
        if type.split("_", 1)[0] in _AWS_PROVIDERS:
            self.skipped[f"type not covered: {type}"] += 1
        else:
            self.skipped["not an AWS resource"] += 1
        return False


def _planned(data: Mapping[str, Any]) -> Planned:
    address = data.get("module_address")
    path: ModulePath = module_path(address) if isinstance(address, str) else ()
    index = data.get("index")
    return Planned(
        data["address"], path, data["type"], data["name"], index if isinstance(index, int | str) else None
    )


__all__ = ["DocumentError", "PlanSource", "open_plan"]
