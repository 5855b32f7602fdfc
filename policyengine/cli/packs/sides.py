"""One of two sets of rules: a folder, a rule file, a compiled pack, a wheel, a kept run or a git revision."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.cli.packs.gitfiles import files_of, is_revision
from policyengine.model.errors import RuleError, UsageError
from policyengine.model.run_directory import RULES_FILE, is_run_directory
from policyengine.rules.pack import RuleErrors, parse_pack
from policyengine.rules.packs import MAX_RULE_BYTES
from policyengine.rules.stamps import TESTS

FOLDER: Final = "rules"
"""Where a repository has its rules, unless the revision says another folder."""
_IN_WHEEL: Final = "policyengine/_data/rules/"
_MOST_ENTRIES: Final = 20_000
Form = dict[str, Any]


class RuleText(NamedTuple):
    """A rule as it is written, with its cases where they are beside it."""

    path: Path
    text: bytes
    tests: bytes | None


@dataclass(frozen=True)
class Side:
    """A set of rules. ``forms`` are those of a compiled one; of others ``texts`` are compiled when they are asked for."""

    name: str
    texts: Mapping[str, RuleText] = field(default_factory=dict)
    forms: Mapping[str, Form] | None = None

    @property
    def ids(self) -> frozenset[str]:
        """The ids of its rules."""
        return frozenset(self.texts if self.forms is None else self.forms)

    def same_text(self, other: Side, rule: str) -> bool:
        """Whether both have the rule in the same words."""
        mine, theirs = self.texts.get(rule), other.texts.get(rule)
        return mine is not None and theirs is not None and mine.text == theirs.text

    def compiled(self, rules: Iterable[str]) -> dict[str, Form]:
        """Return the forms of those of ``rules`` that it has.

        Raises RuleErrors with every mistake: this version's catalog and predicates may know less than the rules ask for.
        """
        if self.forms is not None:
            return {rule: self.forms[rule] for rule in rules if rule in self.forms}
        from policyengine.rules.loader import compile_text

        found: dict[str, Form] = {}
        errors: list[RuleError] = []
        for rule in sorted(set(rules) & set(self.texts)):
            form, problems = compile_text(self.texts[rule].path, self.texts[rule].text)
            errors += problems
            if form is not None:
                found[rule] = form
        if errors:
            raise RuleErrors([RuleError(f"{self.name}: {error}") for error in errors])
        return found


def open_side(name: str) -> Side:
    """Open a set of rules. Raises UsageError for what is none, RuleError for one that is damaged."""
    path = Path(name)
    if path.is_dir():
        if is_run_directory(path):
            return _compiled(name, (path / RULES_FILE).read_bytes())
        return _texts(name, _of_folder(path))
    if path.is_file():
        return _of_file(name, path)
    revision, _, folder = name.partition(":")
    if is_revision(revision):
        return _texts(name, files_of(revision, folder or FOLDER))
    raise UsageError(
        f"`{name}` is no set of rules; expected a folder of rules, a rule file, a compiled pack, a wheel, "
        "a kept run or a git revision (REVISION or REVISION:FOLDER)"
    )


def _of_file(name: str, path: Path) -> Side:
    if path.suffix == ".whl":
        return _texts(name, _of_wheel(path))
    if path.suffix == ".json":
        return _compiled(name, path.read_bytes())
    beside = path.with_name(path.stem + TESTS)
    pairs = [(path, path.read_bytes())]
    return _texts(name, pairs + ([(beside, beside.read_bytes())] if beside.is_file() else []))


def _compiled(name: str, data: bytes) -> Side:
    return Side(name, forms={form["id"]: form for form in parse_pack(data).rules})


def _of_folder(folder: Path) -> Iterable[tuple[Path, bytes]]:
    for path in sorted(folder.rglob("*.yaml")):
        if path.is_file():
            yield path, path.read_bytes()


def _of_wheel(path: Path) -> Iterable[tuple[Path, bytes]]:
    try:
        with zipfile.ZipFile(path) as wheel:
            members = [m for m in wheel.infolist() if m.filename.startswith(_IN_WHEEL)][:_MOST_ENTRIES]
            for member in members:
                if member.filename.endswith(".yaml") and member.file_size <= MAX_RULE_BYTES:
                    yield Path(member.filename.removeprefix(_IN_WHEEL)), wheel.read(member)
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:
        raise UsageError(f"`{path}` is no wheel that can be read: {error}") from error


def _texts(name: str, files: Iterable[tuple[Path, bytes]]) -> Side:
    rules: dict[str, tuple[Path, bytes]] = {}
    tests: dict[str, bytes] = {}
    for path, text in files:
        if path.name.endswith(TESTS):
            tests[path.name.removesuffix(TESTS)] = text
        elif path.suffix == ".yaml":
            if path.stem in rules:
                raise UsageError(f"{name}: rule `{path.stem}` exists twice: {rules[path.stem][0]} and {path}")
            rules[path.stem] = (path, text)
    if not rules:
        raise UsageError(f"`{name}` has no rules; expected files like rds/rds-storage-encrypted.yaml")
    return Side(name, {rule: RuleText(*both, tests.get(rule)) for rule, both in rules.items()})
