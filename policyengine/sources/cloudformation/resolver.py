"""Evaluating values: what a property is once intrinsic functions are carried out.

Everything that is not known stays :class:`Unresolved` with the reason; everything that is wrong is
an error of the template with its place, and Unresolved too, so that the rest is still evaluated.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Final

from policyengine.model.resource import Path
from policyengine.model.values import OpenDict, Unresolved
from policyengine.sources.cloudformation.functions import FUNCTIONS, macro_value
from policyengine.sources.cloudformation.inputs import NO_VALUE, PSEUDO, Inputs, Parameter
from policyengine.sources.cloudformation.loops import Scope, expand, has_loop, substitute
from policyengine.sources.cloudformation.template import MAX_PROPERTY_DEPTH, Template, kind_of, quoted

_ONLY_IN_CONDITIONS: Final = frozenset({"Fn::And", "Fn::Equals", "Fn::Not", "Fn::Or"})
_ONLY_IN_RULES: Final = frozenset(
    f"Fn::{n}" for n in ("Contains", "EachMemberEquals", "EachMemberIn", "RefAll", "ValueOf", "ValueOfAll")
)
_DYNAMIC: Final = "{{resolve:"
_LONGEST_DETAIL: Final = 200
_SUGGESTIONS: Final = 50
"""How many errors of one template come with a suggestion: looking for near names is slow."""


class Resolver:
    """Evaluates values under one choice of conditions.

    ``conditions`` holds what is decided; a condition that is not in it is undecided, and an
    ``Fn::If`` on it gives Unresolved(``too_many_branches``). ``given`` overrides parameters and
    pseudo parameters (used to decide conditions). ``moved`` collects, for values that do not stand
    where their resolved path says, where they do stand.
    """

    def __init__(
        self,
        template: Template,
        inputs: Inputs,
        conditions: Mapping[str, bool] | None = None,
        scope: Scope | None = None,
        given: Mapping[str, Any] | None = None,
    ) -> None:
        self.template = template
        self.inputs = inputs
        self.conditions = conditions or {}
        self.scope: Scope = scope or {}
        self.given = given or {}
        self.moved: dict[Path, Path] = {}

    def value(self, raw: Any, at: Path, doc: Path) -> Any:
        """Return the value of ``raw``; NO_VALUE when it is ``AWS::NoValue`` or null.

        ``at`` is its path in the result, ``doc`` in the document.
        """
        kind = raw.__class__
        if kind is str:
            return self._text(raw)
        if kind is dict:
            if len(doc) > MAX_PROPERTY_DEPTH:
                return self.wrong(f"nested deeper than {MAX_PROPERTY_DEPTH} levels", doc)
            return self._mapping(raw, at, doc)
        if kind is list:
            if len(doc) > MAX_PROPERTY_DEPTH:
                return self.wrong(f"nested deeper than {MAX_PROPERTY_DEPTH} levels", doc)
            return self._list(raw, at, doc)
        if raw is None:
            self.template.error("null is no value CloudFormation takes; leave the property out", doc)
            return NO_VALUE
        return raw

    def wrong(self, message: str, doc: Path) -> Unresolved:
        """Report an error and return what stands for the value."""
        self.template.error(message, doc)
        return Unresolved("unsupported", message)

    def unknown(
        self,
        detail: str,
        *,
        target: tuple[str, str] | None = None,
        parts: tuple[str, ...] | None = None,
        gaps: tuple[Unresolved, ...] = (),
    ) -> Unresolved:
        """Return an unresolved reference of which it is certain that it gives some value."""
        if len(detail) > _LONGEST_DETAIL:
            detail = detail[:_LONGEST_DETAIL] + "…"
        if not detail.isprintable():
            detail = " ".join(detail.split())
        return Unresolved("unresolved_reference", detail, present=True, target=target, parts=parts, gaps=gaps)

    def _text(self, raw: str) -> Any:
        if _DYNAMIC in raw:
            return self.unknown(raw)
        return raw

    def _mapping(self, raw: dict[str, Any], at: Path, doc: Path) -> Any:
        if len(raw) == 1:
            (key,) = raw
            if key == "Ref" or key.startswith(("Fn::", "!", "Rain::")):
                function = FUNCTIONS.get(key)
                if function is not None:
                    return function(self, raw[key], at, (*doc, key))
                if not has_loop(raw):
                    return self._no_function(key, doc)
        if self.scope or _has_function(raw):
            return self._mapping_with_functions(raw, at, doc)
        result: dict[str, Any] = {}
        for key, inner in raw.items():
            if inner.__class__ is str:  # most members; their paths are not needed
                result[key] = inner if _DYNAMIC not in inner else self._text(inner)
                continue
            value = self.value(inner, (*at, key), (*doc, key))
            if value is not NO_VALUE:
                result[key] = value
        return result

    def _mapping_with_functions(self, raw: dict[str, Any], at: Path, doc: Path) -> dict[str, Any]:
        result: dict[str, Any] = {}
        more: Unresolved | None = None
        for key, inner, place, scope in self.members(raw, doc):
            if key.startswith("Fn::"):
                more = self._stray(key, inner, place)
                continue
            target = (*at, key)
            if len(place) != len(doc) + 1:
                self.moved[target] = place
            with self.scoped(scope):
                value = self.value(inner, target, place)
            if value is not NO_VALUE:
                result[key] = value
        return OpenDict(result, more) if more is not None else result

    def _list(self, raw: list[Any], at: Path, doc: Path) -> list[Any]:
        result: list[Any] = []
        for index, inner in enumerate(raw):
            shifted = len(result) != index
            if inner.__class__ is str and not shifted:
                result.append(self._text(inner))
                continue
            target = (*at, len(result))
            place = (*doc, index)
            if shifted:
                self.moved[target] = place
            value = self.value(inner, target, place)
            if value is not NO_VALUE:
                result.append(value)
        return result

    def _stray(self, key: str, raw: Any, doc: Path) -> Unresolved:
        """A function beside other keys: a macro adds keys of its own, anything else is a mistake."""
        if key == "Fn::Transform":
            return macro_value(raw)
        return self.wrong(f"`{key}` must be the only key of its mapping", doc)

    def _no_function(self, key: str, doc: Path) -> Any:
        if key in _ONLY_IN_CONDITIONS:
            return self.wrong(f"`{key}` is only allowed in `Conditions`", doc)
        if key in _ONLY_IN_RULES:
            return self.wrong(f"`{key}` is only allowed in `Rules`", doc)
        if key.startswith("!"):
            return self.wrong(f"tag {quoted(key)} is not known to CloudFormation", doc)
        if key.startswith("Rain::"):
            return self.wrong(
                f"{quoted(key)} is not known to CloudFormation: package the template first", doc
            )
        near = get_close_matches(key[:40], FUNCTIONS, n=1)
        hint = f"; did you mean `{near[0]}`?" if near else ""
        return self.wrong(f"function {quoted(key)} is not known{hint}", doc)

    def members(self, raw: dict[str, Any], doc: Path) -> Iterator[tuple[str, Any, Path, Scope]]:
        """Yield the members of a mapping, loops unrolled."""
        if has_loop(raw):
            yield from expand(self.template, raw, doc, self.scope, self.collection)
            return
        for key, inner in raw.items():
            yield (substitute(key, self.scope) if self.scope else key), inner, (*doc, key), self.scope

    def collection(self, raw: Any, doc: Path, scope: Scope) -> list[str] | Unresolved:
        """Return the values a loop runs over."""
        with self.scoped(scope):
            found = self.value(raw, (), doc)
        if isinstance(found, Unresolved):
            return found
        if not isinstance(found, list):
            return self.wrong(f"a loop runs over a list, not over {kind_of(found)}", doc)
        flat = [inner for item in found for inner in (item if isinstance(item, list) else [item])]
        for item in flat:
            if isinstance(item, Unresolved):
                return item
        return [str(item) for item in flat]

    @contextmanager
    def scoped(self, scope: Scope) -> Iterator[None]:
        """Evaluate with other loop variables."""
        before, self.scope = self.scope, scope
        try:
            yield
        finally:
            self.scope = before

    def reference(self, name: str, doc: Path) -> Any:
        """Return what ``Ref`` gives for a name: loop variable, parameter, pseudo parameter, resource."""
        if name in self.scope:
            return self.scope[name]
        if name in self.given:
            return self.given[name]
        parameter: Parameter | None = self.inputs.parameters.get(name)
        if parameter is not None:
            return parameter.shown
        if name in PSEUDO:
            region = self.given.get("AWS::Region")
            return self.inputs.pseudo(name, region if isinstance(region, str) else None)
        if name in self.template.resource_ids:
            return self.unknown(f"Ref: {name}", target=(name, "Ref"))
        return self.no_such(name, doc)

    def no_such(self, name: str, doc: Path) -> Unresolved:
        """Report a reference to nothing, unless names may exist that are not seen here."""
        if self.template.more_ids or self.template.macro is not None:
            return self.unknown(f"Ref: {name}")
        if name.startswith("AWS::"):
            message = f"{quoted(name)} is no pseudo parameter"
        else:
            message = f"{quoted(name)} is neither a parameter nor a resource of this template"
            known = sorted({*self.inputs.parameters, *self.template.resource_ids})
            if len(self.template.errors) < _SUGGESTIONS:
                near = get_close_matches(name[:80], known[:1000], n=1, cutoff=0.8)
                message += f"; did you mean `{near[0]}`?" if near else ""
        self.template.error(message, doc)
        return Unresolved("unresolved_reference", message)


def _has_function(mapping: dict[str, Any]) -> bool:
    for key in mapping:  # noqa: SIM110 - asked of every mapping, and a generator takes twice as long
        if key[:4] == "Fn::":
            return True
    return False
