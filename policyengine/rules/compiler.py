"""From a rule's model to the JSON intermediate form the engine runs.

Every name a rule uses is checked here against what exists: types and property paths (catalog),
relations, parameters, predicates and their arguments. What the catalog knows about a path (kind,
AWS default, secrecy) is written into the form, so that the engine needs no catalog.

The form of a rule is a dict of JSON values; ``policyengine/rules/pack.py`` describes its keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policyengine.catalog import registry
from policyengine.catalog.schema import Kind, Schema, join_path
from policyengine.catalog.spec import Relation
from policyengine.rules import schema as s
from policyengine.rules.names import unknown
from policyengine.rules.parameters import check_value
from policyengine.rules.paths import RulePath, parse_path
from policyengine.rules.patterns import compile_pattern
from policyengine.rules.predicate_arguments import Arguments, DocPath, Report

NUMERIC = ("integer", "number")


@dataclass(frozen=True)
class Scope:
    """Where a path starts: a resource of ``type``, or an element at ``base`` inside one."""

    type: str | None
    base: tuple[str, ...] = ()
    in_resource: bool = True

    def schema(self) -> Schema | None:
        """Return the property tree paths are checked against, None for ``taggable``."""
        return registry.schema(self.type) if self.type else None


class Compiler:
    """Compiles one rule; problems go to ``report`` and leave a hole in the form."""

    def __init__(self, rule: s.Rule, report: Report) -> None:
        self.rule = rule
        self.report = report

    def compile(self) -> dict[str, Any]:
        """Return the intermediate form of the rule (see ``pack.py``)."""
        rule = self.rule
        self._check_parameters()
        return {
            "id": rule.id,
            "title": rule.title,
            "family": rule.family,
            "pillar": rule.pillar,
            "severity": rule.severity,
            "applies_to": rule.types(),
            "why": rule.why.strip(),
            "fix": rule.fix.strip(),
            "message": self._message(),
            "parameters": {
                name: parameter.model_dump(exclude_none=True) for name, parameter in rule.parameters.items()
            },
            "frameworks": {
                name: [[m.control, m.decides] for m in controls] for name, controls in rule.frameworks.items()
            },
            "remediation": rule.remediation,
            "references": rule.references,
            "variants": self._variants(),
        }

    def _check_parameters(self) -> None:
        for name, parameter in self.rule.parameters.items():
            problem = check_value(parameter.model_dump(), parameter.default)
            if problem:
                self.report(("parameters", name, "default"), problem)

    def _message(self) -> str:
        for name in placeholders(self.rule.message, lambda m: self.report(("message",), m)):
            if name in self.rule.parameters or name in ("observed", "expected", "path", "paths"):
                continue
            try:
                path = parse_path(name, in_resource=True)
            except ValueError as error:
                self.report(("message",), str(error))
                continue
            if path.root == "properties":
                for type_ in self._known_types(quiet=True):
                    self._kind(path, Scope(type_), ("message",))
        return self.rule.message

    def _known_types(self, *, quiet: bool = False) -> list[str]:
        known = []
        for index, name in enumerate(self.rule.types()):
            if name == "taggable":
                continue
            if registry.schema(name) is not None:
                known.append(name)
            elif not quiet:
                place: DocPath = (
                    ("applies_to",) if isinstance(self.rule.applies_to, str) else ("applies_to", index)
                )
                self.report(place, unknown("resource type", name, registry.covered()))
        return known

    def _variants(self) -> list[dict[str, Any]]:
        """Compile the checks for each type and join the types whose checks came out the same."""
        variants: list[dict[str, Any]] = []
        scopes: list[str | None] = list(self._known_types())
        if "taggable" in self.rule.types():
            scopes.append(None)
        for type_ in scopes:
            relations = self._relations(type_)
            context = Checks(self, Scope(type_), relations)
            form = {
                "with": {alias: _relation_form(r) for alias, r in relations.items()},
                "when": context.check(self.rule.when, ("when",)) if self.rule.when is not None else None,
                "require": context.check(self.rule.require, ("require",)),
            }
            same = next((v for v in variants if all(v[k] == form[k] for k in form)), None)
            if same is None:
                variants.append({"types": [type_ or "taggable"], **form})
            else:
                same["types"].append(type_ or "taggable")
        return variants

    def _relations(self, type_: str | None) -> dict[str, Relation]:
        found = {}
        for alias, name in self.rule.with_.items():
            relation = registry.relation(type_, name) if type_ else None
            if relation is None:
                spec = registry.spec(type_) if type_ else None
                names = [r.name for r in spec.relations] if spec else []
                self.report(("with", alias), unknown(f"relation of {type_ or 'taggable'}", name, names))
            else:
                found[alias] = relation
        return found

    def _kind(self, path: RulePath, scope: Scope, place: DocPath) -> Kind | None:
        """Return the catalog's kind of a property path, reporting what does not exist."""
        tree = scope.schema()
        if tree is None:
            if path.root in ("properties", "element"):
                self.report(
                    place, f"`{path.text}`: a rule for taggable types can only read tags and resource.*"
                )
            return None
        full = scope.base + path.steps
        for length in range(len(scope.base) + 1, len(full) + 1):
            kind = tree.kind(full[:length])
            if kind is None:
                parent = full[: length - 1]
                what = f"property of {scope.type}" + (f" `{'.'.join(parent)}`" if parent else "")
                self.report(place, unknown(what, full[length - 1], tree.children(parent)))
                return None
            if kind.name == "list" and length < len(full):
                name = ".".join(full[len(scope.base) : length])
                self.report(place, f"`{name}` is a list: use `every: {name}` or `some: {name}`")
                return None
        kind = tree.kind(full)
        return kind.element if kind is not None and scope.base and not path.steps else kind


class Checks:
    """Compiles the check tree for one type."""

    def __init__(self, owner: Compiler, scope: Scope, relations: Mapping[str, Relation]) -> None:
        self.owner = owner
        self.scope = scope
        self.relations = relations
        self.report = owner.report

    def check(self, node: Any, at: DocPath) -> dict[str, Any] | None:
        """Return the form of a check, None when it has an error (already reported)."""
        if isinstance(node, s.FieldCheck):
            return self._field(node, at)
        if isinstance(node, s.EveryCheck):
            return self._quantifier(node.every, node, at, empty=node.empty)
        if isinstance(node, s.SomeCheck):
            return self._quantifier(node.some, node, at, empty=None)
        if isinstance(node, s.PredicateCheck):
            return self._predicate(node, at)
        kind = "all" if isinstance(node, s.AllCheck) else "any" if isinstance(node, s.AnyCheck) else "none"
        children = getattr(node, kind)
        return {"op": kind, "checks": [self.check(c, (*at, kind, i)) for i, c in enumerate(children)]}

    def _path(self, text: str, place: DocPath) -> tuple[RulePath, Scope] | None:
        """Parse a path and say from which scope its properties are to be checked."""
        try:
            path = parse_path(text, in_resource=self.scope.in_resource)
        except ValueError as error:
            self.report(place, str(error))
            return None
        if path.root != "with":
            return path, self.scope
        relation = self.relations.get(path.steps[0])
        if relation is None:
            self.report(place, unknown("alias of `with`", path.steps[0], self.relations))
            return None
        if relation.many and len(path.steps) > 1:
            alias = f"with.{path.steps[0]}"
            self.report(place, f"`{alias}` is a list: use `every: {alias}` or `some: {alias}`")
            return None
        return path, Scope(relation.to)

    def _field(self, node: s.FieldCheck, at: DocPath) -> dict[str, Any] | None:
        found = self._path(node.field, (*at, "field"))
        if found is None:
            return None
        path, scope = found
        operator, expected = node.operator()
        kind = self._kind_of(path, scope, (*at, "field"))
        value = self._expected(operator, expected, kind, (*at, operator))
        defaults = self._defaults(path, scope)
        if operator in ("not_equals", "not_in") and node.absent is None and not defaults:
            self.report(
                at,
                f"`{operator}` on `{node.field}`, which may be missing: say `absent: passes` or `absent: fails`",
            )
        return {
            "op": "field",
            "root": path.root,
            "steps": list(path.steps),
            "in_resource": self.scope.in_resource,
            "test": operator,
            "value": value,
            "kind": kind,
            "absent": None if node.absent is None else node.absent == "passes",
            "defaults": defaults,
            "secret": bool(scope.type and path.steps and path.steps[-1] in registry.secrets(scope.type)),
        }

    def _kind_of(self, path: RulePath, scope: Scope, place: DocPath) -> str | None:
        if path.root in ("tags", "resource"):
            return "string"
        if path.root == "with":
            if len(path.steps) == 1:
                return None
            inner = parse_path(join_path(path.steps[1:]), in_resource=True)
            return self._kind_of(inner, scope, place)
        if path.root == "related":
            kind = self._related_kind(path, scope, place)
        else:
            kind = self.owner._kind(path, scope, place)
        return kind.name if kind is not None and kind.name in (*NUMERIC, "string", "boolean") else None

    def _related_kind(self, path: RulePath, scope: Scope, place: DocPath) -> Kind | None:
        tree = scope.schema()
        kind = tree.kind(("related", *path.steps)) if tree else None
        if kind is None:
            names = tree.children(("related",)) if tree else ()
            self.report(place, unknown(f"`related` of {scope.type}", path.steps[0], names))
        return kind

    def _expected(self, operator: str, value: Any, kind: str | None, place: DocPath) -> Any:
        """Check the expected value; a ``$name`` becomes ``{"$": name}``."""
        if isinstance(value, str) and value.startswith("$"):
            return self._parameter(value, place)
        if operator in ("in", "not_in"):
            if not isinstance(value, list) or not value:
                self.report(place, f"`{operator}` needs a list with at least one value, or a `$parameter`")
        elif operator in ("at_least", "at_most"):
            if isinstance(value, str):
                self.report(place, f"`{operator}` needs a number or a `$parameter`; found `{value}`")
        elif operator == "matches":
            try:
                compile_pattern(value)
            except ValueError as error:
                self.report(place, str(error))
        elif kind == "boolean" and operator in ("equals", "not_equals") and not isinstance(value, bool):
            self.report(place, f"the property is a boolean: write true or false, not `{value}`")
        return value

    def _parameter(self, text: str, place: DocPath) -> dict[str, str] | None:
        name = text[1:]
        if name not in self.owner.rule.parameters:
            self.report(place, unknown("parameter", name, self.owner.rule.parameters))
            return None
        return {"$": name}

    def _defaults(self, path: RulePath, scope: Scope) -> list[dict[str, Any]]:
        steps = path.steps[1:] if path.root == "with" else path.steps
        if scope.type is None or path.root not in ("properties", "element", "with"):
            return []
        forms = []
        for length in range(1, len(steps) + 1):
            default = registry.default(scope.type, (*scope.base, *steps[:length]))
            if default is not None:
                forms.append(
                    {
                        "length": length,
                        "value": default.value,
                        "depends": default.note or "it depends" if default.depends else None,
                        "deployed": default.deployed,
                        "unless": list(default.unless),
                        "provenance": default.provenance,
                    }
                )
        return forms

    def _quantifier(
        self, text: str, node: s.EveryCheck | s.SomeCheck, at: DocPath, *, empty: str | None
    ) -> dict[str, Any] | None:
        word = "some" if empty is None else "every"
        found = self._path(text, (*at, word))
        if found is None:
            return None
        path, scope = found
        inner_scope = self._element_scope(path, scope, (*at, word))
        if inner_scope is None:
            return None
        inner = Checks(self.owner, inner_scope, self.relations)
        return {
            "op": word,
            "root": path.root,
            "steps": list(path.steps),
            "in_resource": self.scope.in_resource,
            "empty": empty == "passes",
            "defaults": self._defaults(path, scope),
            "check": inner.check(node.satisfies, (*at, "satisfies")),
        }

    def _element_scope(self, path: RulePath, scope: Scope, place: DocPath) -> Scope | None:
        if path.root == "with":
            if len(path.steps) == 1:
                return replace(scope, in_resource=True)
            path = parse_path(join_path(path.steps[1:]), in_resource=True)
        if path.root == "related":
            kind = self._related_kind(path, scope, place)
            base: tuple[str, ...] = ("related", *path.steps)
        else:
            kind = self.owner._kind(path, scope, place)
            base = (*scope.base, *path.steps)
        if kind is None:
            return None
        if kind.name not in ("list", "json"):
            self.report(place, f"`{path.text}` is no list but {kind.name}: use `field`")
            return None
        return Scope(scope.type, base, in_resource=False)

    def _predicate(self, node: s.PredicateCheck, at: DocPath) -> dict[str, Any] | None:
        arguments = Arguments(
            self.report, self.scope.type, self.relations, self._argument_path, self._parameter
        )
        return arguments.form(node, at)

    def _argument_path(self, text: str, place: DocPath) -> list[str] | None:
        """Return the steps of a path that is an argument."""
        found = self._path(text, place)
        if found is None:
            return None
        path, scope = found
        self._kind_of(path, scope, place)
        return [*(() if path.root in ("properties", "element") else (path.root,)), *path.steps]


def _relation_form(relation: Relation) -> dict[str, Any]:
    return {
        "to": relation.to,
        "scope": relation.scope,
        "via": relation.via,
        "by": relation.by,
        "key": relation.key,
        "many": relation.many,
    }


def placeholders(text: str, report: Callable[[str], None]) -> list[str]:
    """Return the names in ``{braces}`` of a message; unbalanced braces are reported."""
    names = []
    rest = text
    while "{" in rest:
        _before, _, rest = rest.partition("{")
        name, closed, rest = rest.partition("}")
        if not closed or not name.strip():
            report(f"`{{{name}` in the message has no closing brace or no name")
            break
        names.append(name)
    return names
