"""A template as a source of resources."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from policyengine.documents import Document, load
from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.location import Location
from policyengine.model.resource import Path, Resource
from policyengine.model.values import OpenDict, Unresolved
from policyengine.sources.base import NO_COVERAGE, Coverage, SecretText, SourceOptions
from policyengine.sources.cloudformation.branches import Plan, plan_branches
from policyengine.sources.cloudformation.cdk import stack_of
from policyengine.sources.cloudformation.conditions import Branch, Conditions
from policyengine.sources.cloudformation.cycles import report_cycles
from policyengine.sources.cloudformation.in_place import take_suppressions
from policyengine.sources.cloudformation.inputs import NO_VALUE, Inputs
from policyengine.sources.cloudformation.loops import expand, substitute
from policyengine.sources.cloudformation.notes import suppression_notes
from policyengine.sources.cloudformation.resolver import Resolver
from policyengine.sources.cloudformation.sam import Serverless, serverless
from policyengine.sources.cloudformation.secrets import secret_paths
from policyengine.sources.cloudformation.template import SERVERLESS, Declared, Template, kind_of
from policyengine.sources.cloudformation.usage import usage_of
from policyengine.sources.fold import fold
from policyengine.sources.paths import display_path
from policyengine.sources.tags import read_tags

NOT_CREATED = "resource that no branch creates"
MAX_TEMPLATE = 8 * 1024 * 1024
"""Largest template in characters; CloudFormation itself takes at most 1 MB
(https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html)."""


class TemplateSource:
    """Resources of one CloudFormation, SAM or CDK template; see ``sources.base.Source``."""

    kind = "template"
    coverage: Coverage = NO_COVERAGE

    def __init__(
        self,
        path: FilePath | str,
        options: SourceOptions,
        document: Document,
        stack_tags: Mapping[str, str] | None = None,
        file: str | None = None,
    ) -> None:
        self.target = str(path)
        self.options = options
        self.skipped: Counter[str] = Counter()
        self.notes: list[str] = []
        self.stack_tags = dict(stack_tags or {})
        self.file = file if file is not None else display_path(path, options, path)
        self._template = Template(document)
        self.errors: list[PolicyEngineError] = self._template.errors
        self._resources: list[Resource] | None = None

    def resources(self) -> Iterator[Resource]:
        """Yield every resource once, its branches as ``variants``, satellites folded in."""
        if self._resources is None:
            found, suppressions = self._evaluate()
            self._resources = [*fold(found), *suppressions]
        yield from self._resources

    @property
    def document(self) -> Document:
        """The template as it is written."""
        return self._template.document

    def secret_text(self) -> SecretText:
        """Return where secrets stand in the template's text."""
        document = self._template.document
        found = (document.locate(path) for path in secret_paths(document))
        return SecretText(spans=tuple(place for place in found if place is not None))

    def _evaluate(self) -> tuple[list[Resource], list[Resource]]:
        """Return what the template declares, and what suppresses in it."""
        template = self._template
        inputs = Inputs(template, self.options)
        self._note_parameters(inputs)
        declared = self._declared(inputs)
        written = declared
        translated: Serverless | None = None
        if SERVERLESS in template.transforms:
            translated = serverless(template, inputs, declared)
            self.notes += translated.notes
            declared = translated.declared
        template.resource_ids = frozenset(d.id for d in declared)
        conditions = Conditions(template, inputs)
        usages = {d.id: usage_of(d.raw) for d in declared}
        report_cycles(template, declared, usages)
        plans = plan_branches(declared, usages, conditions)
        self.notes += suppression_notes(template, declared)
        self._note_macros(declared)
        found = [self._resource(d, plans[d.id], inputs, conditions, translated) for d in declared]
        resources = [resource for resource in found if resource is not None]
        origins = {d.id: translated.origin(d) if translated else d.path for d in declared}
        place = (self.options.account, self.options.region)
        return resources, take_suppressions(template, written, resources, origins, self.file, place)

    def _declared(self, inputs: Inputs) -> list[Declared]:
        """Return the resources that can be read, loops unrolled."""
        template = self._template
        resolver = Resolver(template, inputs)
        found: dict[str, Declared] = {}
        section = template.root["Resources"]
        for name, raw, path, scope in expand(template, section, ("Resources",), {}, resolver.collection):
            if name == "Fn::Transform":
                template.more_ids = True
                place = template.document.locate(path, key=True)
                self.notes.append(f"{place}: resources that a macro adds here are not seen")
            elif name in found:
                template.error(f"a loop makes resource `{name}` twice", path, key=True)
            elif self._is_resource(name, raw, path):
                found[name] = Declared(name, raw, path, scope)
        return list(found.values())

    def _is_resource(self, name: str, raw: Any, path: Path) -> bool:
        template = self._template
        if not isinstance(raw, dict):
            template.error(f"resource `{name}` is {kind_of(raw)}, not a mapping with `Type`", path)
        elif "Type" not in raw:
            template.error(f"resource `{name}` has no `Type`", path, key=True)
        elif not isinstance(raw["Type"], str):
            message = f"the `Type` of `{name}` is {kind_of(raw['Type'])}, not the name of a resource type"
            template.error(message, (*path, "Type"))
        elif not raw["Type"].strip():
            template.error(f"the `Type` of `{name}` is empty", (*path, "Type"))
        elif not isinstance(raw.get("Properties", {}), dict):
            message = f"the `Properties` of `{name}` are {kind_of(raw['Properties'])}, not a mapping"
            template.error(message, (*path, "Properties"))
        elif not isinstance(raw.get("Condition", ""), str):
            message = f"the `Condition` of `{name}` is {kind_of(raw['Condition'])}, not the name of one"
            template.error(message, (*path, "Condition"))
        else:
            return True
        return False

    def _resource(
        self,
        declared: Declared,
        plan: Plan,
        inputs: Inputs,
        conditions: Conditions,
        translated: Serverless | None,
    ) -> Resource | None:
        """Return a resource with its branches; None when no branch creates it."""
        branches: list[Resource] = []
        for branch in plan.branches:
            chosen = {**conditions.decided, **branch}
            if self._exists(declared, chosen, conditions):
                resolver = Resolver(self._template, inputs, chosen, declared.scope)
                branches.append(self._in_branch(declared, resolver, branch, translated))
        if not branches:
            self.skipped[NOT_CREATED] += 1
            return None
        branches[0].variants = tuple(branches[1:])
        return branches[0]

    def _exists(self, declared: Declared, chosen: Mapping[str, bool], conditions: Conditions) -> bool:
        """A resource whose condition stays undecided may exist, and is evaluated."""
        name = declared.raw.get("Condition")
        if name is None:
            return True
        name = substitute(name, declared.scope)
        if name not in chosen and name not in conditions.undecided and not self._template.more_ids:
            message = f"`{name}` is no condition of this template"
            self._template.error(message, (*declared.path, "Condition"))
        return chosen.get(name, True)

    def _in_branch(
        self, declared: Declared, resolver: Resolver, branch: Branch, translated: Serverless | None
    ) -> Resource:
        doc = (*declared.path, "Properties")
        unknown = self._template.macro or (translated.unknown(declared) if translated else None)
        properties = resolver.value(declared.raw.get("Properties", {}), (), doc)
        if not isinstance(properties, dict):
            more = properties if isinstance(properties, Unresolved) else None
            properties = {} if properties is NO_VALUE or more is None else OpenDict({}, more)
        if unknown is not None:
            properties = OpenDict(dict.fromkeys(properties, unknown), unknown)
        tags = read_tags(declared.type, properties)
        if self.stack_tags and isinstance(tags, dict):
            for key, value in self.stack_tags.items():
                tags.setdefault(key, value)
        origin = translated.origin(declared) if translated else declared.path
        return Resource(
            type=declared.type,
            id=declared.id,
            account=self.options.account,
            region=self.options.region,
            properties=properties,
            tags=tags,
            file=self.file,
            locate=_Locator(self._template.document, origin, resolver.moved, declared.type, properties),
            branch=branch or None,
            provenance=_provenance(declared),
        )

    def _note_parameters(self, inputs: Inputs) -> None:
        unused = sorted(set(self.options.parameters) - set(inputs.parameters))
        if unused:
            names = ", ".join(f"`{name}`" for name in unused[:10])
            self.notes.append(f"{self.file}: the template declares no parameter {names}")

    def _note_macros(self, declared: list[Declared]) -> None:
        macro = self._template.macro
        if macro is not None:
            self.notes.append(f"{self.file}: {macro.detail}: values of its resources are unknown")
        nested = [d.id for d in declared if d.type == "AWS::CloudFormation::Stack"]
        if nested:
            names = ", ".join(f"`{name}`" for name in nested[:10])
            self.notes.append(f"{self.file}: the templates of nested stacks are not followed: {names}")


def _provenance(declared: Declared) -> dict[str, str] | None:
    metadata = declared.raw.get("Metadata")
    path = metadata.get("aws:cdk:path") if isinstance(metadata, dict) else None
    return {"construct_path": path} if isinstance(path, str) else None


class _Locator:
    """Finds where values of one resource in one branch stand."""

    __slots__ = ("_document", "_moved", "_own", "_path", "_properties", "_start", "_type")

    def __init__(
        self, document: Document, path: Path, moved: Mapping[Path, Path], type_: str, properties: Any
    ) -> None:
        self._document = document
        self._path = path
        self._moved = moved
        self._type = type_
        self._properties = properties
        self._own: Location | None = None
        self._start: Location | None = None

    def __call__(self, path: Path) -> Location | None:
        if path[:1] == ("tags",):
            path = self._tag_path(path)
        if not path:
            return self._own_place()
        start = (*self._path, "Properties")
        where = (*start, *path)
        if self._moved:
            for length in range(len(path), -1, -1):
                moved = self._moved.get(path[:length])
                if moved is not None:
                    where = (*moved, *path[length:])
                    break
        found = self._document.locate(where)
        if self._start is None:
            self._start = self._document.locate(start)
        # nothing of the path is there: the resource's own line says more than its first property's
        return self._own_place() if found is None or found == self._start else found

    def _own_place(self) -> Location | None:
        if self._own is None:
            self._own = self._document.locate(self._path, key=True)
        return self._own

    def _tag_path(self, path: Path) -> Path:
        """Return the path of a tag's value in the property that holds the tags."""
        from policyengine.sources.tags import tag_steps

        steps: Path = tag_steps(self._type) or ()
        if "*" in steps:
            return tuple(steps[: steps.index("*")])
        tags = self._properties
        for step in steps:
            tags = tags.get(step) if isinstance(tags, dict) else None
        if len(path) == 1:
            return steps
        if isinstance(tags, dict):
            return (*steps, path[1])
        for index, tag in enumerate(tags if isinstance(tags, list) else ()):
            if isinstance(tag, dict) and tag.get("Key") == path[1]:
                return (*steps, index, "Value")
        return steps


def is_template(value: Any) -> bool:
    """Say whether a document's value is a CloudFormation template (also a broken one)."""
    if not isinstance(value, dict):
        return False
    if "AWSTemplateFormatVersion" in value:
        return True
    resources = value.get("Resources")
    if not isinstance(resources, dict) or not resources:
        return False
    if "Transform" in value:
        return True
    return any(key.startswith("Fn::") for key in resources) or any(
        isinstance(body, dict) and ("Type" in body or "Properties" in body) for body in resources.values()
    )


def open_template(
    path: FilePath | str,
    options: SourceOptions,
    document: Document | None = None,
    *,
    stack_tags: Mapping[str, str] | None = None,
) -> TemplateSource:
    """Open a template; ``document`` is its text already read, with style ``cloudformation``.

    ``stack_tags`` are given to every resource that can be tagged and has no such tag. A template
    that stands in a CDK assembly gets its stack's tags, and its account and region where
    ``options`` name none. Raises InputError (with a place) when nothing of the template can be read.
    """
    file = display_path(path, options, path)
    stack = stack_of(FilePath(path))
    if stack is not None:
        account, region = options.account or stack.account, options.region or stack.region
        options = replace(options, account=account, region=region)
        stack_tags = {**stack.tags, **(stack_tags or {})}
    if document is None:
        try:
            data = FilePath(path).read_bytes()
        except OSError as error:
            reason = (error.strerror or "error").lower()
            raise InputError(f"cannot read the template: {reason}", Location(file)) from None
        document = load(data, name=file, style="cloudformation", max_bytes=options.max_bytes)
    if len(document.text) > MAX_TEMPLATE:
        message = f"is larger than {MAX_TEMPLATE >> 20} MiB; CloudFormation takes templates of up to 1 MB"
        raise InputError(message, Location(file), code="too_large")
    return TemplateSource(path, options, document, stack_tags, file)
