"""Every `net` predicate has its section, and every argument it takes is named there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.net.table import PREDICATES

PAGE = (Path(__file__).parents[2] / "docs" / "predicates" / "net.md").read_text()
SECTIONS = dict(re.findall(r"^## `([a-z0-9_.]+)`\n\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))


def test_sections_are_the_predicates() -> None:
    assert list(SECTIONS) == [predicate.name for predicate in PREDICATES]


@pytest.mark.parametrize("predicate", PREDICATES, ids=lambda p: p.name)
def test_section_states_summary_and_arguments(predicate: Predicate) -> None:
    section = SECTIONS[predicate.name]
    assert section.startswith(predicate.summary)
    for argument in predicate.args:
        assert f"`{argument}`" in section


@pytest.mark.parametrize("predicate", PREDICATES, ids=lambda p: p.name)
def test_examples_have_arguments_the_predicate_takes(predicate: Predicate) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", SECTIONS[predicate.name], re.DOTALL)
    assert examples
    for line in "".join(examples).splitlines():
        check = yaml.safe_load(line)["require"]
        arguments = (check["none"][0] if "none" in check else check)[predicate.name]
        assert set(arguments) <= set(predicate.args)
        assert predicate.problem is not None
        assert predicate.problem(arguments) is None


@pytest.mark.parametrize(
    ("name", "arguments", "part"),
    [
        ("net.open_to_internet", {"ports": ["ssh"]}, "`ssh` is no port"),
        ("net.open_to_internet", {"ports": [22], "except_ports": ["1-100"]}, "no port is left"),
        ("net.open_to_internet", {"protocols": ["tpc"]}, "`tpc` is no protocol"),
        ("net.open_to_internet", {"ports": [[22]]}, "no list of ports"),
        ("net.wider_than", {"prefix": 33}, "0-32"),
        ("net.wider_than", {"prefix": 8, "direction": "out"}, "ingress or egress"),
        ("net.sources_only_groups", {"groups": {"Tier": "web"}}, "names no groups"),
        ("net.nacl_open_to_internet", {"ports": [99999]}, "is no port"),
        ("net.reachable_from_internet", {"ports": ["9-1"]}, "is no port"),
    ],
)
def test_problem_names_wrong_constant_arguments(name: str, arguments: dict[str, object], part: str) -> None:
    problem = next(p.problem for p in PREDICATES if p.name == name)
    assert problem is not None
    found = problem(arguments)
    assert found is not None
    assert part in found
