"""From rule texts to a compiled pack, finding every mistake with its place."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from policyengine.documents import Document, DocumentError, load
from policyengine.documents.errors import shown
from policyengine.model.errors import RuleError
from policyengine.model.location import Location
from policyengine.model.resource import Path as Steps
from policyengine.rules import schema as s
from policyengine.rules.compiler import Compiler
from policyengine.rules.data import data_root
from policyengine.rules.frameworks import Framework, load_frameworks
from policyengine.rules.names import unknown
from policyengine.rules.pack import Pack, RuleErrors, text_digest
from policyengine.rules.predicate_arguments import DocPath

LONGEST_MESSAGE = 400


@cache
def _frameworks(root: Path) -> Mapping[str, Framework]:
    return load_frameworks(root)


def compile_texts(texts: Sequence[tuple[Path, bytes]]) -> Pack:
    """Compile rule files given as (path, text).

    Raises RuleErrors with every mistake of every file.
    """
    errors: list[RuleError] = []
    forms: list[dict[str, Any]] = []
    places: dict[str, Path] = {}
    for path, text in texts:
        form, problems = compile_text(path, text)
        errors += problems
        if form is None:
            continue
        first = places.setdefault(form["id"], path)
        if first != path:
            message = f"rule id `{form['id']}` exists twice: also in {_shown(first)}"
            errors.append(RuleError(message, Location(_shown(path))))
        forms.append(form)
    if errors:
        raise RuleErrors(errors)
    return Pack(text_digest(t for _, t in texts), tuple(sorted(forms, key=lambda f: f["id"])))


def compile_text(path: Path, text: bytes) -> tuple[dict[str, Any] | None, list[RuleError]]:
    """Compile one rule file; returns (form or None, errors)."""
    try:
        document = load(text, name=_shown(path), syntax="yaml", style="strict")
    except DocumentError as error:
        return None, [RuleError(error.message, error.location)]
    rule, errors = parse_rule(document)
    if rule is None:
        return None, errors

    def report(place: DocPath, message: str) -> None:
        errors.append(RuleError(_one_line(message), document.locate(place)))

    if rule.id != path.stem:
        report(("id",), f"id `{rule.id}` is not the file's name; expected `{path.stem}`")
    _check_names(rule, report)
    form = Compiler(rule, report).compile()
    form["source"] = "/".join(path.parts[-2:])
    return (None if errors else form), _distinct(errors)


def parse_rule(document: Document) -> tuple[s.Rule | None, list[RuleError]]:
    """Return the rule model of a document, or the errors of its shape."""
    try:
        return s.Rule.model_validate(document.value), []
    except ValidationError as error:
        return None, shape_errors(error, document, s.Rule)


class Located(Protocol):
    """Data that knows where its parts stand: a document, or an item of one."""

    @property
    def value(self) -> Any:
        """The data."""

    def locate(self, path: Steps, *, key: bool = False) -> Location | None:
        """See :meth:`policyengine.documents.Document.locate`."""


def shape_errors(error: ValidationError, document: Located, model: type[s.Strict]) -> list[RuleError]:
    """Turn pydantic's errors into ours: the place in the document, the text, a suggestion."""
    return [
        RuleError(_say(item, document, model), _place(document, item["loc"], item["type"]))
        for item in error.errors(include_url=False)
    ]


_TAGS = frozenset({"field", "every", "some", "all", "any", "none", "predicate"})
_CHECK_KEYS = frozenset({"when", "require", "satisfies"})


def _document_steps(value: Any, loc: Iterable[int | str]) -> tuple[tuple[int | str, ...], Any]:
    """Drop the steps of a pydantic location that are not in the document: the tags of the check union.

    A tag follows wherever a check stands: after ``when``, ``require`` and ``satisfies``, and after
    an index into ``all``, ``any`` or ``none``.
    """
    steps: list[int | str] = []
    tag_follows = False
    for step in loc:
        if tag_follows and step in _TAGS:
            tag_follows = False
            continue
        in_list = isinstance(value, list) and isinstance(step, int) and step < len(value)
        if in_list or (isinstance(value, dict) and step in value):
            tag_follows = step in _CHECK_KEYS or (
                in_list and bool(steps) and steps[-1] in ("all", "any", "none")
            )
            value = value[step]
            steps.append(step)
    return tuple(steps), value


def _place(document: Located, loc: Iterable[int | str], kind: str) -> Location | None:
    steps, _ = _document_steps(document.value, loc)
    return document.locate(steps, key=kind == "extra_forbidden")


def _say(item: Any, document: Located, model: type[s.Strict]) -> str:
    steps, value = _document_steps(document.value, item["loc"])
    where = ".".join(str(p) for p in steps) or "the rule"
    if item["type"] == "missing":
        return f"`{where}` lacks the key `{item['loc'][-1]}`"
    if item["type"] == "extra_forbidden":
        return unknown("key", str(item["loc"][-1]), _known_keys(item["loc"], model))
    message = re.sub(r"^Value error, ", "", item["msg"])
    message = message[:1].lower() + message[1:]
    if isinstance(value, str | int | float | bool):
        message += f"; found {shown(str(value))}"
    return f"`{where}`: {message}"


def _known_keys(loc: Sequence[int | str], model: type[s.Strict]) -> list[str]:
    """Return the keys that are legal beside an unknown one."""
    by_tag: dict[str, type[s.Strict]] = {
        "field": s.FieldCheck, "every": s.EveryCheck, "some": s.SomeCheck, "all": s.AllCheck,
        "any": s.AnyCheck, "none": s.NoneCheck,
    }  # fmt: skip
    owner: type[s.Strict] = model
    if len(loc) > 1:
        tags = [p for p in loc[:-1] if isinstance(p, str) and p in by_tag]
        below: dict[str, type[s.Strict]] = {"parameters": s.Parameter, "frameworks": s.Mapping}
        owner = by_tag[tags[-1]] if tags else below.get(str(loc[0]), model)
    return [field.alias or name for name, field in owner.model_fields.items()]


def _check_names(rule: s.Rule, report: Any) -> None:
    frameworks = _frameworks(data_root().frameworks)
    for name, controls in rule.frameworks.items():
        framework = frameworks.get(name)
        if framework is None:
            report(("frameworks", name), unknown("framework", name, frameworks))
            continue
        for index, mapping in enumerate(controls):
            if not framework.has(mapping.control):
                close = difflib.get_close_matches(mapping.control, framework.controls, n=1)
                hint = f"; did you mean `{close[0]}`?" if close else ""
                report(
                    ("frameworks", name, index, "control"), f"{name} has no control `{mapping.control}`{hint}"
                )
    for index, url in enumerate(rule.references):
        if not url.startswith("https://"):
            report(("references", index), f"`{url}` is no https:// address")
    handlers = data_root().remediations
    if rule.remediation and not (handlers / rule.remediation / "remediation.yaml").is_file():
        known = [p.name for p in handlers.iterdir() if p.is_dir()] if handlers.is_dir() else []
        report(("remediation",), unknown("remediation", rule.remediation, known))


def _one_line(message: str) -> str:
    """A rule may hold anything: its texts in messages are cut and stay on the line."""
    clean = "".join(c if c.isprintable() else " " for c in message)
    return clean if len(clean) <= LONGEST_MESSAGE else clean[: LONGEST_MESSAGE - 1] + "…"


def _distinct(errors: list[RuleError]) -> list[RuleError]:
    """A rule for several types reports a mistake once, in the order of the file."""
    unique = {str(e): e for e in errors}
    return sorted(
        unique.values(),
        key=lambda e: (e.location.line or 0, e.location.column or 0) if e.location else (0, 0),
    )


def _shown(path: Path) -> str:
    try:
        return path.resolve().relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path.as_posix()
