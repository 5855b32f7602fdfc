"""A template's sections, and the one list of what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from policyengine.documents import Document
from policyengine.model.errors import InputError, PolicyEngineError
from policyengine.model.resource import Path
from policyengine.model.values import Unresolved
from policyengine.sources.base import MAX_ERRORS, add_error

SERVERLESS: Final = "AWS::Serverless-2016-10-31"
LANGUAGE_EXTENSIONS: Final = "AWS::LanguageExtensions"
HARMLESS: Final = frozenset(
    {
        SERVERLESS,
        LANGUAGE_EXTENSIONS,
        "AWS::CodeDeployBlueGreen",
        "AWS::SecretsManager-2020-07-23",
        "AWS::SecretsManager-2024-09-16",
        "AWS::ServiceCatalog",
    }
)
"""Transforms that leave the resources as written, or that are carried out here. What they do:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/transform-reference.html"""

MAX_PROPERTY_DEPTH: Final = 128
"""Deepest nesting inside a template: every walk after this one may recurse a few frames a level."""


@dataclass(frozen=True, slots=True)
class Declared:
    """A resource as written: ``path`` is where, ``scope`` the loop variables that hold there."""

    id: str
    raw: dict[str, Any]
    path: Path
    scope: dict[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """Return the resource's type, which has been checked to be text."""
        return str(self.raw["Type"])


class Template:
    """The sections of one template.

    A section with a wrong shape is reported in ``errors`` and taken as empty; only a template
    whose ``Resources`` cannot be read at all raises InputError.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.errors: list[PolicyEngineError] = []
        self._seen: set[tuple[Any, str]] = set()
        root = document.value
        if not isinstance(root, dict):
            raise InputError("not a template: expected a mapping with `Resources`", document.locate(()))
        self.root: dict[str, Any] = root
        if "Resources" not in root:
            raise InputError("the template has no `Resources`", document.locate(()))
        if not isinstance(root["Resources"], dict):
            message = f"`Resources` is {kind_of(root['Resources'])}, not a mapping of resources"
            raise InputError(message, document.locate(("Resources",)))
        self.parameters = self._section("Parameters")
        self.mappings = self._section("Mappings")
        self.conditions = self._section("Conditions")
        self.transforms = self._transforms()
        self.resource_ids: frozenset[str] = frozenset()
        self.turns = 0
        """How often loops have turned, all together (see loops)."""
        self.more_ids = False
        """Whether resources may exist whose names are not known (a macro, a loop over an unknown list)."""

    @property
    def macro(self) -> Unresolved | None:
        """Return why nothing in the template is certain; None when no unknown macro rewrites it."""
        unknown = [name for name in self.transforms if name not in HARMLESS]
        if not unknown:
            return None
        return Unresolved("unsupported", f"macro `{unknown[0]}` may rewrite the whole template")

    def error(self, message: str, path: Path, *, key: bool = False, code: str | None = None) -> None:
        """Add an error with its place, once."""
        if len(self.errors) <= MAX_ERRORS:  # finding a place takes time
            self.error_at(message, self.document.locate(path, key=key), code=code)

    def error_at(self, message: str, place: Any, *, code: str | None = None) -> None:
        """Add an error at a place that is known already, once."""
        if (place, message) not in self._seen and len(self.errors) <= MAX_ERRORS:
            self._seen.add((place, message))
            add_error(self.errors, InputError(message, place, code=code))

    def _section(self, name: str) -> dict[str, Any]:
        found = self.root.get(name)
        if found is None:
            return {}
        if isinstance(found, dict):
            return found
        self.error(f"`{name}` is {kind_of(found)}, not a mapping", (name,))
        return {}

    def _transforms(self) -> tuple[str, ...]:
        found = self.root.get("Transform")
        names: list[str] = []
        for index, item in enumerate(found if isinstance(found, list) else [found]):
            name = item.get("Name") if isinstance(item, dict) else item
            if isinstance(name, str):
                names.append(name)
            elif item is not None:
                path: Path = ("Transform", index) if isinstance(found, list) else ("Transform",)
                self.error(f"a transform is {kind_of(item)}, not the name of a macro", path)
        inline = self.root.get("Fn::Transform")
        if isinstance(inline, dict) and isinstance(inline.get("Name"), str):
            names.append(inline["Name"])
        return tuple(names)


def kind_of(value: Any) -> str:
    """Return what a value of a template is, with its article."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a mapping" if isinstance(value, dict) else "a list"


def quoted(value: Any, limit: int = 60) -> str:
    """Return user text in backticks on one line, cut when long."""
    text = value if isinstance(value, str) else repr(value)
    clean = "".join(c if c.isprintable() else " " for c in text[: limit + 1])
    return f"`{clean[:limit]}…`" if len(clean) > limit else f"`{clean}`"
