"""Remediations and rules name each other; what is declared exists at AWS and reads where it says it reads."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from policyengine.aws.actions import actions_for
from policyengine.iam.catalogue import catalogue
from policyengine.remediate.declarations import READING_TOO
from policyengine.remediate.registry import Remediations, folders, load_remediations
from policyengine.rules.data import data_root
from policyengine.rules.packs import load_packs
from policyengine.testing.remediations import unknown_operations

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = folders(data_root().remediations)


@cache
def remediations() -> Remediations:
    return load_remediations()


def test_every_rule_that_names_a_remediation_is_fixed_by_it() -> None:
    known = remediations().declarations
    rules = {form["id"]: form["remediation"] for form in load_packs().rules if form["remediation"]}
    unfixed = {
        rule: name for rule, name in rules.items() if name not in known or rule not in known[name].fixes
    }
    assert unfixed == {}
    unnamed = {(d.id, rule) for d in remediations() for rule in d.fixes if rules.get(rule) != d.id}
    assert unnamed == set(), "a rule lacks `remediation:`"


def test_each_type_is_judged_by_a_rule_it_fixes() -> None:
    pack = load_packs()
    for declaration in remediations():
        judged: set[str] = set()
        for rule in declaration.fixes:
            form = pack.rule(rule)
            assert form is not None
            judged.update(type for variant in form["variants"] for type in variant["types"])
        assert "taggable" in judged or set(declaration.types) <= judged, declaration.id


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_each_folder_is_whole(folder: Path) -> None:
    files = {path.name for path in folder.iterdir()}
    assert {"handler.py", "remediation.yaml", "test_handler.py"} <= files
    handler = remediations().handler(folder.name)
    assert callable(handler.image) and callable(handler.plan)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda path: path.name)
def test_operations_exist_and_those_that_read_change_nothing(folder: Path) -> None:
    """Access levels: https://docs.aws.amazon.com/service-authorization/latest/reference/."""
    declaration = remediations().declaration(folder.name)
    assert unknown_operations(declaration) == []
    for operation in declaration.reads:
        for name in actions_for(operation) if operation not in READING_TOO else ():
            action = catalogue().action(name)
            assert action is not None, f"{operation} needs {name}, which AWS does not list"
            assert action.access_level in ("Read", "List"), operation


def test_the_wheel_carries_handlers_and_no_tests() -> None:
    import sys

    sys.path.insert(0, str(ROOT))
    try:
        import hatch_build
    finally:
        sys.path.remove(str(ROOT))
    carried = {path.relative_to(ROOT).as_posix() for path in hatch_build._handler_files(ROOT)}
    for folder in FOLDERS:
        assert {
            f"remediations/{folder.name}/{name}" for name in ("handler.py", "remediation.yaml")
        } <= carried
    assert not {path for path in carried if "test" in Path(path).name}
