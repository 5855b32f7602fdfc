"""What a fix does to a template's value: properties set, elements and resources added. Nothing is ever removed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from policyengine.catalog.derive import VIEWS, MapView, ParsedView
from policyengine.fix.knowledge import Effect
from policyengine.fix.rewrite import CannotEditError
from policyengine.model.resource import Path, json_pointer

Raw = dict[str, Any]
"""The value of a whole template, in which nothing is shared."""

APPEND: Final = -1
"""A step that stands for one element more of a list."""

_COMPUTED: Final = {
    "Fn::If": "depends on a condition",
    "Fn::FindInMap": "comes from a mapping",
    "Fn::ImportValue": "comes from another stack",
    "Fn::Transform": "is made by a macro",
}


@dataclass(frozen=True, slots=True)
class Put:
    """Set a property of a resource; a step that is :data:`APPEND` adds an element to a list."""

    resource: str
    steps: Path
    value: Any
    effects: tuple[Effect, ...] = ()

    def apply(self, root: Raw) -> None:
        """Change the template's value. Raises CannotEditError where a value on the way is not written literally."""
        body = root["Resources"][self.resource]
        properties = body.setdefault("Properties", {})
        steps = _without_view(body["Type"], properties, self.steps)
        put(root, properties, steps, self.value)

    def __str__(self) -> str:
        shown = "…" if isinstance(self.value, dict | list) else plain(self.value)
        steps = ".".join("+" if step == APPEND else str(step) for step in self.steps)
        return f"{steps} = {shown}"


@dataclass(frozen=True, slots=True)
class AddResource:
    """Put another resource into the template."""

    name: str
    body: Mapping[str, Any]
    effects: tuple[Effect, ...] = ()

    def apply(self, root: Raw) -> None:
        """Change the template's value. Raises CannotEditError for a name that is taken."""
        if self.name in root["Resources"]:
            if root["Resources"][self.name] == self.body:
                return
            raise CannotEditError(f"`{self.name}` is taken")
        root["Resources"][self.name] = self.body

    def __str__(self) -> str:
        return f"resource {self.name} ({self.body['Type']})"


Change = Put | AddResource


def plain(value: Any) -> str:
    """Return a scalar as both syntaxes write it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def put(root: Raw, here: Any, steps: Path, value: Any) -> None:
    """Set the value at ``steps`` below ``here``, making what is missing on the way. Raises CannotEditError."""
    for position, step in enumerate(steps):
        rest = steps[position + 1 :]
        where = json_pointer(steps[: position + 1])
        refuse_computed(root, here, json_pointer(steps[:position]) or "its properties")
        if isinstance(here, dict) and isinstance(step, str):
            if step not in here:
                here[step] = _nest(rest, value)
                return
        elif isinstance(here, list) and isinstance(step, int):
            for element in here:
                refuse_computed(root, element, f"an element of {json_pointer(steps[:position])}")
            if step == APPEND:
                here.append(_nest(rest, value))
                return
            if step >= len(here):
                raise CannotEditError(f"`{where}` is not written in the template")
        else:
            raise CannotEditError(f"`{where}` is below something that is neither a mapping nor a list")
        if not rest:
            refuse_computed(root, here[step], where)
            here[step] = _fitting(here[step], value)
            return
        here = here[step]


def _nest(steps: Path, value: Any) -> Any:
    for step in reversed(steps):
        if isinstance(step, int) and step not in (0, APPEND):
            raise CannotEditError("a list without its first elements cannot be written")
        value = [value] if isinstance(step, int) else {step: value}
    return value


def _fitting(old: Any, value: Any) -> Any:
    """CloudFormation takes ``"true"`` for true: what was written as text stays text."""
    return plain(value) if isinstance(old, str) and isinstance(value, bool | int) else value


def refuse_computed(root: Raw, value: Any, where: str) -> None:
    """Raise CannotEditError where a value is no literal but made by a function."""
    if not isinstance(value, dict):
        return
    for key, argument in value.items():
        if key == "Ref" and len(value) == 1:
            parameters = root.get("Parameters")
            declared = isinstance(argument, str) and isinstance(parameters, dict) and argument in parameters
            kind = "parameter" if declared else "reference"
            raise CannotEditError(f"`{where}` comes from the {kind} `{argument}`")
        if key.startswith(("Fn::", "!")):
            name = (
                f" (`{argument[0]}`)" if key == "Fn::If" and isinstance(argument, list) and argument else ""
            )
            raise CannotEditError(f"`{where}` {_COMPUTED.get(key, f'is made by `{key}`')}{name}")


def _without_view(type_: str, properties: Raw, steps: Path) -> Path:
    """Return a path that may go through a derived view as a path of what is written."""
    for view in VIEWS.get(type_, ()):
        if steps[:1] != (view.into,) or (isinstance(view, ParsedView) and view.into in properties):
            if steps[:1] == (view.source,) and isinstance(properties.get(view.source), str):
                raise CannotEditError(f"`/{view.source}` is JSON in a text")
            continue
        if not isinstance(view, MapView) or len(steps) != 2:
            raise CannotEditError(f"`/{view.source}` is written in another form")
        return _entry(view, properties, str(steps[1]))
    return steps


def _entry(view: MapView, properties: Raw, key: str) -> Path:
    """Return the path of the value of one key, its element added where there is none."""
    parts = key.rsplit(":", len(view.keys) - 1)
    names = dict(zip(view.keys, parts, strict=True))
    listed = properties.setdefault(view.source, [])
    if not isinstance(listed, list):
        raise CannotEditError(f"`/{view.source}` is not written as a list")
    for index, element in enumerate(listed):
        if isinstance(element, dict) and all(element.get(name) == part for name, part in names.items()):
            return (view.source, index, view.value)
    for element in listed:
        if not isinstance(element, dict) or any(not isinstance(element.get(n), str) for n in view.keys):
            raise CannotEditError(f"an element of `/{view.source}` is not written literally")
    listed.append(dict(names))
    return (view.source, len(listed) - 1, view.value)
