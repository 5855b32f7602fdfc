"""The targets: each reads hostile bytes and raises for what a user must never see.

A target may raise nothing. An error that a source, the rule loader or the configuration gives must have a
place and stand on one line; a resource must be what the model promises; nothing takes longer than its LIMIT. Targets that
judge let every rule see what was read: a rule that crashes, or takes too long, is a failure of the target.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from hypothesis import strategies as st

from policyengine.cli.explain import finding_page
from policyengine.config.loader import load_config
from policyengine.model.errors import ConfigError, InputError, PolicyEngineError, RuleError
from policyengine.model.resource import Resource
from policyengine.model.values import OpenDict, OpenList, Unresolved
from policyengine.rules.loader import compile_text
from policyengine.rules.parameters import check_value
from policyengine.sources.base import SourceOptions
from policyengine.sources.cloudformation import read_parameters_file
from policyengine.sources.discover import open_targets
from policyengine.sources.snapshot.lines import parse_line
from policyengine.sources.snapshot.problems import LineError
from policyengine.sources.snapshot.writer import write_snapshot
from policyengine.testing.cases import load_tests, run_case

from . import cases, pipeline, seeds
from .bounds import timed
from .judging import bundled, judge_file
from .mutate import STEPS, mutated


class Target(NamedTuple):
    """``strategy`` makes values, ``check`` raises for one that breaks something."""

    name: str
    strategy: Any
    check: Callable[[Any], None]


@contextmanager
def folder() -> Iterator[Path]:
    """Yield an empty folder."""
    path = Path(tempfile.mkdtemp(prefix="fuzz-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def told(errors: Any, kind: type[PolicyEngineError] = PolicyEngineError) -> None:
    """Raise for an error without a place, or one that would break a line of output."""
    for error in errors:
        assert isinstance(error, kind), repr(error)
        text = str(error)
        assert text.strip() and "\n" not in text, repr(text)
        assert error.location is not None, text


def promised(value: Any) -> None:
    """Raise for what the model does not allow in a tree: null, strange classes, keys that are no text."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            assert type(item) in (dict, OpenDict), type(item)
            assert all(isinstance(key, str) for key in item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            assert type(item) in (list, OpenList), type(item)
            waiting.extend(item)
        else:
            assert isinstance(item, str | int | float | Unresolved), repr(item)


def well_formed(resource: Resource) -> None:
    for branch in (resource, *resource.variants):
        assert branch.type and branch.id, branch
        promised(branch.properties)
        promised(branch.related)
        assert branch.tags is None or isinstance(branch.tags, dict | Unresolved), branch.tags
        for key in branch.properties:
            branch.locate((key, 0, "x"))
        if branch.file is not None:
            assert branch.locate(()) is not None


def read_file(name: str) -> Callable[[bytes], None]:
    """Return the target that opens bytes as a file of this name, as a scan would."""

    def check(data: bytes) -> None:
        with folder() as place, timed():
            (place / name).write_bytes(data)
            read_target(place / name)

    return check


def judge_as(name: str) -> Callable[[bytes], None]:
    """Return the target that judges bytes, as a file of this name, with every rule."""

    def check(data: bytes) -> None:
        with folder() as place:
            (place / name).write_bytes(cases.lines_of(data) if name.endswith(".ndjson") else data)
            judge_file(place / name)

    return check


def read_target(path: Path) -> None:
    found = open_targets([str(path)], SourceOptions())
    told(found.errors)
    for source in found.sources:
        identities = [well_formed(resource) for resource in source.resources()]
        assert len(identities) == len(list(source.resources())), "a second reading gives another number"
        told(source.errors)
        assert all("\n" not in note for note in source.notes)


def read_line(data: bytes) -> None:
    with timed():
        try:
            resource = parse_line(data)
        except LineError as error:
            assert str(error).strip() and "\n" not in str(error)
            return
        well_formed(resource)


def read_snapshot(value: tuple[int, Any]) -> None:
    """Damage the manifest or a part of a snapshot and read what is left."""
    which, steps = value
    with folder() as place, timed():
        snapshot = write_snapshot(
            place / "s", seeds.snapshot_resources(), created="2026-11-21T09:00:00Z", compress=which % 2 == 0,
            coverage=frozenset({("111122223333", "eu-west-1", "*")}),
        )  # fmt: skip
        files = [snapshot / "manifest.json", *sorted((snapshot / "resources").iterdir())]
        damaged = files[which // 2 % len(files)]
        syntax = "json" if damaged.suffix in (".json", ".ndjson") else "bytes"
        before = damaged.read_bytes()
        damaged.write_bytes(mutated(before, steps if syntax == "json" else ([], steps[1]), syntax))
        read_target(snapshot)


def read_parameters(data: bytes) -> None:
    """Read a file with template parameters, in whatever format it is."""
    with folder() as place, timed():
        path = place / "parameters.json"
        path.write_bytes(data)
        try:
            found = read_parameters_file(path)
        except PolicyEngineError as error:
            told([error])
            return
        assert all(isinstance(name, str) for name in found)
        promised(found)


def read_configuration_source(data: bytes) -> None:
    """Read a plan with a damaged configuration beside it: the resources are those of the plan alone."""
    with folder() as place, timed():
        (place / "tf").mkdir()
        (place / "tf" / "main.tf").write_bytes(data)
        plan = place / "plan.json"
        plan.write_bytes(seeds.plans()[0])
        found = open_targets([str(plan)], SourceOptions(terraform_source=place / "tf"))
        told(found.errors)
        for source in found.sources:
            identities = [resource.id for resource in source.resources()]
            assert identities == _planned()
            told(source.errors)
            assert all("\n" not in note for note in source.notes)


@cache
def _planned() -> list[str]:
    with folder() as place:
        (place / "plan.json").write_bytes(seeds.plans()[0])
        (source,) = open_targets([str(place / "plan.json")], SourceOptions()).sources
        return [resource.id for resource in source.resources()]


def read_run(data: bytes) -> None:
    """Explain a finding of a damaged run: a page of printable lines or a message."""
    with folder() as place, timed():
        path = place / "findings.json"
        path.write_bytes(data)
        try:
            page = finding_page("", path, ())
        except InputError as error:
            assert "\n" not in str(error)
            return
        assert all(line.isprintable() for line in page.split("\n"))


def read_rule(data: bytes) -> None:
    with timed():
        form, errors = compile_text(Path("fuzzed/a-rule.yaml"), data)
        told(errors, RuleError)
        assert form is not None or errors


def read_rule_tests(value: tuple[tuple[bytes, bytes], Any]) -> None:
    (rule, tests), steps = value
    with folder() as place, timed():
        path = place / "a-rule.test.yaml"
        path.write_bytes(mutated(tests, steps, "yaml"))
        try:
            loaded = load_tests(path)
        except RuleError as error:
            told([error])
            return
        name = rule.split(b"\n", 1)[0].removeprefix(b"id: ").decode().strip()
        form, _ = compile_text(Path(f"x/{name}.yaml"), rule)
        if form is not None:
            for case in loaded.cases:
                result = run_case(form, case)
                crashed = result.finding is not None and result.finding.reason == "internal_error"
                assert not crashed, result.problem


def read_config(data: bytes) -> None:
    pack = bundled()

    def check(rule: str, name: str, value: Any) -> str | None:
        form = pack.rule(rule)
        if form is None or name not in form["parameters"]:
            return None if form is None else "no such parameter"
        return check_value(form["parameters"][name], value)

    with folder() as place, timed():
        path = place / "policyengine.yaml"
        path.write_bytes(data)
        try:
            load_config(path, check, {form["id"]: form["parameters"] for form in pack.rules})
        except ConfigError as error:
            told(getattr(error, "errors", [error]), ConfigError)


def damaged(found: list[bytes], syntax: str) -> Any:
    """Return mutated seeds."""
    return st.builds(mutated, st.sampled_from(found), STEPS, st.just(syntax))


def targets() -> list[Target]:
    """Return every target, cheap ones first."""
    return [
        Target("snapshot-line", damaged(seeds.lines(), "json"), read_line),
        Target("snapshot-file", damaged(seeds.lines(), "json"), read_file("t.ndjson")),
        Target("snapshot-directory", st.tuples(st.integers(0, 20), STEPS), read_snapshot),
        Target("cloudformation-yaml", damaged(seeds.templates("yaml"), "yaml"), read_file("t.yaml")),
        Target("cloudformation-json", damaged(seeds.templates("json"), "json"), read_file("t.json")),
        Target("terraform-plan", damaged(seeds.plans(), "json"), read_file("plan.json")),
        Target("parameters-file", damaged(seeds.parameters(), "json"), read_parameters),
        Target(
            "terraform-source", damaged(seeds.configuration_sources(), "bytes"), read_configuration_source
        ),
        Target("run-file", damaged(seeds.run_files(), "json"), read_run),
        Target("any-bytes", st.binary(max_size=400), read_file("t.template")),
        Target("rule", damaged(seeds.rules(), "yaml"), read_rule),
        Target("rule-tests", st.tuples(st.sampled_from(seeds.rule_tests()), STEPS), read_rule_tests),
        Target("configuration", damaged(seeds.configurations(), "yaml"), read_config),
        Target("judged-template", damaged(seeds.templates("yaml"), "yaml"), judge_as("t.yaml")),
        Target("judged-plan", damaged(seeds.plans(), "json"), judge_as("plan.json")),
        Target("judged-case-template", cases.files(cases.as_template), judge_as("t.json")),
        Target("judged-case-snapshot", cases.files(cases.as_lines), judge_as("t.ndjson")),
        Target("judged-case", cases.CASES, cases.check),
        Target("pipeline", pipeline.RESOURCES, pipeline.check),
    ]
