"""What judges a change: configuration, waivers, baseline and rules of the base."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any

from policyengine.cli.inputs import WAIVERS, Configuration, read_configuration, read_parameters
from policyengine.cli.review.git import Repository
from policyengine.cli.review.sides import write_files
from policyengine.cli.run import clock, now_text, selected
from policyengine.config.find import FILE_NAME
from policyengine.documents import load
from policyengine.documents.files import exists
from policyengine.engine.evaluate import Evaluator
from policyengine.model.errors import InputError, PolicyEngineError, UsageError
from policyengine.model.leaves import texts
from policyengine.review import gate as gates
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from policyengine.rules.recorded import deciding_text
from policyengine.sources.paths import relative_name


@dataclass(frozen=True)
class Judging:
    """Rules and settings of one side, and the clock. ``config`` is what the configuration is called, ``file`` where it lies as
    entries name files: from the root of the repository."""

    evaluator: Evaluator
    pack: Pack
    now: datetime
    as_of: str
    config: str | None
    configuration: Configuration
    file: str | None = None

    def gate(self) -> gates.Gate:
        """Return what of it can be compared with another."""
        rules = {form["id"]: deciding_text(form) for form in self.pack.rules}
        severities = {form["id"]: form["severity"] for form in self.pack.rules}
        return gates.Gate(self.configuration.settings, rules, severities, self.file)


def judging(
    options: Mapping[str, Any], near: Sequence[Path], gate: Gate | None, root: Path | None = None
) -> Judging:
    """Return what judges. ``near`` is where the configuration is looked for, where ``gate`` does not have it; ``root`` is the
    folder from which files are named.

    Raises PolicyEngineError for a broken rule or configuration.
    """
    try:
        return _judging(options, near, gate, root)
    except PolicyEngineError as error:
        if gate is not None:
            gate.relocate(error)
        raise


def _judging(
    options: Mapping[str, Any], near: Sequence[Path], gate: Gate | None, root: Path | None
) -> Judging:
    as_of, now = clock(options["as_of"])
    folders = [gate.rules(folder) for folder in options["rule_folders"]] if gate else options["rule_folders"]
    every = load_packs(folders)
    config = gate.config(options["config"], near[0]) if gate is not None else options["config"]
    targets = [] if gate is not None else [str(path) for path in near]
    asked = {**options, "config": config, "rule_folders": folders}
    if gate is not None:
        asked["waiver_files"] = [gate.file(path) for path in options["waiver_files"]]
        asked["baseline"] = gate.file(options["baseline"]) if options["baseline"] else None
    found = read_configuration(asked, targets, every)
    pack = selected(every, options)
    evaluator = Evaluator(pack, now=now, settings=found.settings)
    shown = (
        gate.shown(found.path)
        if gate is not None and found.path is not None
        else str(found.path or "") or None
    )
    above = gate.room if gate is not None else root
    file = (
        relative_name(found.path, above)
        if found.path is not None and above is not None and found.path.is_relative_to(above)
        else shown
    )
    return Judging(evaluator, pack, now, as_of or now_text(), shown, found, file)


class Gate:
    """The files of one commit that judge, put into a folder when they are asked for: a change must not loosen what it
    is judged by. What lies outside the repository is taken as it is."""

    def __init__(
        self, repository: Repository, commit: str, stack: ExitStack, *, is_base: bool = True
    ) -> None:
        self._repository, self._commit, self._is_base = repository, commit, is_base
        self.room = Path(stack.enter_context(TemporaryDirectory(prefix="policyengine-gate-")))

    def config(self, named: Path | None, near: Path) -> Path | None:
        """Return the configuration: the named one, or the nearest above ``near`` up to the root."""
        if named is not None:
            return self._with_what_it_names(self.file(named))
        inside = self._repository.inside(near)
        steps = PurePosixPath(inside or "")
        for folder in (steps, *steps.parents):
            name = (folder / FILE_NAME).as_posix()
            if self._has(name):
                return self._with_what_it_names(self._put(name))
        return None

    def file(self, path: Path) -> Path:
        """Return a file as the commit has it. Raises UsageError where it is not there."""
        inside = self._repository.inside(path)
        if inside is None:
            return path
        if not self._has(inside):
            raise self._lacking(f"`{path}`")
        return self._put(inside)

    def rules(self, folder: Path) -> Path:
        """Return a folder of rules as the commit has it. Raises UsageError where it is not there."""
        inside = self._repository.inside(folder)
        if inside is None:
            return folder
        listed = self._listed(inside)
        if not listed:
            raise self._lacking(f"--rules `{folder}`")
        write_files(self._repository, listed, self.room)
        return self.room / inside

    def _lacking(self, what: str) -> UsageError:
        commit = self._commit[:12]
        if self._is_base:
            return UsageError(
                f"{what} is not in the base ({commit}): a change is judged by what was there before it"
            )
        return UsageError(
            f"{what} is not in the head ({commit}), so that nothing says what will judge the next change: keep it"
        )

    def shown(self, path: Path) -> str:
        """Return a file of this folder as a reader knows it."""
        if not path.is_relative_to(self.room):
            return str(path)
        return f"{self._commit[:12]}:{path.relative_to(self.room).as_posix()}"

    def relocate(self, error: PolicyEngineError) -> None:
        """Let an error name files as a reader knows them."""
        room, shown = f"{self.room}/", f"{self._commit[:12]}:"
        for each in (error, *getattr(error, "errors", ())):
            each.message = each.message.replace(room, shown)
            if each.location is not None:
                each.location = each.location._replace(file=each.location.file.replace(room, shown))

    def _with_what_it_names(self, path: Path) -> Path:
        """Put the files beside the configuration that its texts name: waivers, a baseline, keys of approvers."""
        if not path.is_relative_to(self.room):
            return path
        folder = path.parent.relative_to(self.room).as_posix()
        wanted: dict[str, str] = {}
        for text in (WAIVERS, *texts(_value(path))):
            name = (
                os.path.normpath(f"{folder}/{text}") if 0 < len(text) < 1_000 and "\0" not in text else ".."
            )
            if not name.startswith(("..", "/")):
                wanted.update(self._listed(name))
        write_files(self._repository, wanted, self.room)
        return path

    def parameters(self, given: Sequence[str]) -> dict[str, Any]:
        """Return the values of ``--parameters``, files as the commit has them; one that it lacks says nothing."""
        texts_here = []
        for text in given:
            inside = self._repository.inside(Path(text))
            if inside and self._has(inside):
                texts_here.append(str(self._put(inside)))
            elif inside is None or "=" in text or not exists(text):
                texts_here.append(text)
        try:
            return read_parameters(texts_here)
        except PolicyEngineError as error:
            self.relocate(error)
            raise

    def _has(self, name: str) -> bool:
        return name in self._listed(name)

    def _put(self, name: str) -> Path:
        write_files(self._repository, self._listed(name), self.room)
        return self.room / name

    def _listed(self, name: str) -> dict[str, str]:
        """Return path -> blob of a file or of the files of a folder; a link is what it leads to."""
        found = self._repository.files(self._commit, "" if name == "." else name)
        if not found and (linked := self._repository.linked(self._commit, name)) is not None:
            return {name: linked[1]}
        return found


def _value(path: Path) -> Any:
    try:
        return load(path.read_bytes(), name=path.name).value
    except InputError:
        return None  # reading the configuration says what is wrong
