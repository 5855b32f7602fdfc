"""The remediations there are: their declarations and handlers, from a checkout, a wheel or a Lambda's zip.

A checkout has texts, which are read and checked; a wheel has them compiled to ``remediations.json``, which needs
no YAML. A handler is loaded from its file when it is asked for.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Collection, Iterator, Mapping
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, cast

from policyengine import __version__
from policyengine.config.remediation import Repair
from policyengine.model.canonical_json import digest
from policyengine.model.errors import RuleError
from policyengine.model.formats import refused_number
from policyengine.model.location import Location
from policyengine.remediate.api import Handler
from policyengine.remediate.declaration import Declaration
from policyengine.rules.data import data_root
from policyengine.rules.names import unknown
from policyengine.rules.pack import Pack, RuleErrors
from policyengine.rules.parameters import check_value

FORMAT: Final = 1
DECLARATION: Final = "remediation.yaml"
HANDLER: Final = "handler.py"
_FUNCTIONS: Final = ("image", "plan")


class Remediations:
    """Declarations by id, and their handlers."""

    def __init__(self, folder: Path, declarations: Mapping[str, Declaration]) -> None:
        self.folder = folder
        self.declarations = MappingProxyType(dict(sorted(declarations.items())))
        self._handlers: dict[str, Handler] = {}

    def __iter__(self) -> Iterator[Declaration]:
        return iter(self.declarations.values())

    def __len__(self) -> int:
        return len(self.declarations)

    def declaration(self, name: str) -> Declaration:
        """Return a declaration by its id. Raises RuleError."""
        found = self.declarations.get(name)
        if found is None:
            raise RuleError(unknown("remediation", name, self.declarations))
        return found

    def of_rule(self, rule: str) -> Declaration | None:
        """Return the remediation that fixes a rule; None where there is none."""
        return next((d for d in self if rule in d.fixes), None)

    def handler(self, name: str) -> Handler:
        """Return the handler of a remediation, loaded once. Raises RuleError for one that cannot be used."""
        self.declaration(name)
        found = self._handlers.get(name)
        if found is None:
            found = self._handlers[name] = _load_handler(self.folder / name / HANDLER, name)
        return found

    def repairs(self) -> dict[str, Repair]:
        """Return what the configuration is checked against."""
        return {d.id: Repair(d.mode, partial(_check, d)) for d in self}

    def to_bytes(self) -> bytes:
        """Return the compiled form: JSON in ASCII, the same for the same declarations."""
        forms = [declaration.to_json() for declaration in self]
        body = {"format": FORMAT, "engine": __version__, "remediations": forms}
        return json.dumps(body, separators=(",", ":")).encode()


@cache
def load_remediations() -> Remediations:
    """Return the remediations that come with this program. Raises RuleErrors with every mistake."""
    root = data_root()
    if root.compiled_remediations is not None:
        return parse_remediations(root.compiled_remediations.read_bytes(), root.remediations)
    from policyengine.rules.packs import load_packs

    return read_remediations(root.remediations, {form["id"] for form in load_packs().rules})


def parse_remediations(data: bytes, folder: Path) -> Remediations:
    """Return what :meth:`Remediations.to_bytes` wrote; ``folder`` has the handlers. Raises RuleError."""
    try:
        body = json.loads(data)
        wrong = refused_number(body["format"], FORMAT, "the file of compiled remediations")
        if wrong is not None:
            raise RuleError(wrong)
        found = [Declaration.from_json(form) for form in body["remediations"]]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RuleError("the compiled remediations are damaged; reinstall policyengine-aws") from error
    return Remediations(folder, {declaration.id: declaration for declaration in found})


def read_remediations(folder: Path, rules: Collection[str]) -> Remediations:
    """Read the declarations below a folder; ``rules`` are the ids there are.

    Raises RuleErrors with every mistake of every file, a rule that two remediations fix among them.
    """
    from policyengine.remediate.declarations import read_declaration  # YAML is slow to load

    errors: list[RuleError] = []
    found: dict[str, Declaration] = {}
    fixed_by: dict[str, str] = {}
    for path in folders(folder):
        name = _shown(path / DECLARATION)
        text, problems = _text(path, name)
        declaration = None
        if text is not None:
            declaration, problems = read_declaration(text, name, path.name, rules)
        errors += problems
        if declaration is None:
            continue
        for rule in declaration.fixes:
            other = fixed_by.setdefault(rule, declaration.id)
            if other != declaration.id:
                errors.append(RuleError(f"rule `{rule}` is fixed by `{other}` already", Location(name)))
        found[declaration.id] = declaration
    if errors:
        raise RuleErrors(errors)
    return Remediations(folder, found)


def _check(declaration: Declaration, name: str, value: Any) -> str | None:
    """Say what is wrong with a parameter's value, None when nothing is."""
    form = declaration.parameters.get(name)
    return unknown("parameter", name, declaration.parameters) if form is None else check_value(form, value)


def repaired_rules(pack: Pack) -> dict[str, tuple[str, str]]:
    """Return the rules that have a remediation: id -> the remediation's id and the digest of the compiled rule."""
    return {form["id"]: (form["remediation"], digest(form)) for form in pack.rules if form["remediation"]}


def folders(root: Path) -> list[Path]:
    """Return the folders of remediations, by name."""
    if not root.is_dir():
        return []
    return sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(("_", ".")))


def _text(folder: Path, name: str) -> tuple[bytes | None, list[RuleError]]:
    if not (folder / HANDLER).is_file():
        return None, [RuleError(f"lacks `{HANDLER}`", Location(_shown(folder)))]
    try:
        return (folder / DECLARATION).read_bytes(), []
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        return None, [RuleError(f"cannot be read: {reason}", Location(name))]


def _load_handler(path: Path, name: str) -> Handler:
    """Run the file as a module of its own name. INVARIANT: ``name`` is the id of a declaration, never of an event."""
    module_name = f"policyengine_remediations_{name}"
    spec = importlib.util.spec_from_file_location(module_name, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise RuleError(f"lacks `{HANDLER}`", Location(_shown(path.parent)))
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # dataclasses look their module up
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[module_name]
        raise RuleError(
            f"cannot be loaded: {type(error).__name__}: {error}", Location(_shown(path))
        ) from error
    lacking = [function for function in _FUNCTIONS if not callable(getattr(module, function, None))]
    if lacking:
        del sys.modules[module_name]
        raise RuleError(f"has no function `{'` and no `'.join(lacking)}`", Location(_shown(path)))
    handler: Any = module
    return cast(Handler, handler)


def _shown(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except (OSError, ValueError):
        return path.as_posix()
