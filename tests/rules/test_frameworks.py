"""Frameworks: files, loader, suggestions, and the rewriting of the source's ids."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

from policyengine.model.errors import RuleError
from policyengine.rules.frameworks import Framework, load_frameworks

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = load_frameworks(ROOT / "frameworks")


def tool(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


extract = tool("extract_frameworks")
SPELLING = {
    "cis-aws": r"[2-6](\.\d+){1,2}",
    "aws-fsbp": r"[A-Z][A-Za-z0-9]+\.\d+",
    "nist-800-53": r"[A-Z]{2}-\d+((\(\d+\))(\([a-z]\))?(\(\d+\))?|[a-z](\.\d+(\([a-z]\))?)?)?",
    "pci-dss": r"(\d+|A[123])(\.\d+){2,3}",
    "soc2": r"(CC|A|C|PI)\d\.\d",
    "iso-27001": r"A\.[5-8]\.\d+",
    "hipaa": r"164\.3\d\d\([a-e]\)(\(\d\)(\([iv]+\)(\([A-D]\))?)?)?",
    "well-architected-security": r"SEC\d\d-BP\d\d",
}


def test_the_eight_frameworks_are_shipped() -> None:
    assert sorted(SPELLING) == list(SHIPPED)


@pytest.mark.parametrize("name", sorted(SPELLING))
def test_every_control_is_spelt_as_the_standard_spells_it(name: str) -> None:
    odd = [c for c in SHIPPED[name].controls if not re.fullmatch(SPELLING[name], c)]
    assert odd == []
    assert len(set(SHIPPED[name].controls)) == len(SHIPPED[name].controls) >= 25


def test_files_are_what_the_tool_writes() -> None:
    if not extract.TABLE.is_file():
        pytest.skip("the shared table of controls is not beside the checkout")
    table = extract.rows()
    for target in extract.TARGETS:
        text = extract.render(target, list(extract.controls(target, table)))
        assert (ROOT / "frameworks" / f"{target.id}.yaml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("spell", "written", "expected"),
    [
        ("nist", "ac_3", "AC-3"),
        ("nist", "ac_2_1", "AC-2(1)"),
        ("nist", "ac_3_3_b_1", "AC-3(3)(b)(1)"),
        ("nist", "ac_2_j", "AC-2j"),
        ("nist", "ac_2_i_2", "AC-2i.2"),
        ("nist", "cp_1_a_1_b", "CP-1a.1(b)"),
        ("hipaa", "164_312_b", "164.312(b)"),
        ("hipaa", "164_312_a_2_iv", "164.312(a)(2)(iv)"),
        ("hipaa", "164_308_a_1_ii_d", "164.308(a)(1)(ii)(D)"),
        ("soc2", "cc_6_1", "CC6.1"),
        ("soc2", "cc_a_1_1", "A1.1"),
        ("soc2", "pi_1_5", "PI1.5"),
        ("pci", "1.2.5.17", "1.2.5"),
        ("pci", "A3.2.5.1.4", "A3.2.5.1"),
        ("keep", "SEC03-BP01", "SEC03-BP01"),
    ],
)
def test_the_sources_file_names_become_ids(spell: str, written: str, expected: str) -> None:
    assert getattr(extract, spell)(written) == expected


def test_a_control_is_known_only_exactly_spelt() -> None:
    fsbp = SHIPPED["aws-fsbp"]
    assert fsbp.has("RDS.11")
    assert not fsbp.has("rds.11")
    assert not fsbp.has("RDS.1 1")


@pytest.mark.parametrize(
    ("framework", "wrong", "first"),
    [
        ("aws-fsbp", "rds.11", "RDS.11"),
        ("nist-800-53", "ac-2 (1)", "AC-2(1)"),
        ("nist-800-53", "ac_2_1", "AC-2(1)"),
        ("soc2", "CC-6.1", "CC6.1"),
        ("cis-aws", "2.21.", "2.21"),
        ("hipaa", "164.312 (a)(2)(iv)", "164.312(a)(2)(iv)"),
    ],
)
def test_a_misspelt_control_suggests_the_one_that_was_meant(framework: str, wrong: str, first: str) -> None:
    assert SHIPPED[framework].suggest(wrong)[0] == first


def test_nothing_is_suggested_for_something_else() -> None:
    assert SHIPPED["soc2"].suggest("SEC01-BP02") == []


def test_a_framework_without_a_folder_is_none(tmp_path: Path) -> None:
    assert dict(load_frameworks(tmp_path / "nowhere")) == {}


GOOD = 'id: "x"\ntitle: "T"\nversion: "1"\nsource: "S"\nnote: "N"\ncontrols:\n  - "2.10"\n  - "2.1"\n'


def test_ids_that_look_like_numbers_stay_apart(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(GOOD)
    assert load_frameworks(tmp_path)["x"] == Framework("x", "T", "1", "S", "N", ("2.10", "2.1"))


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (('id: "x"', 'id: "y"'), 1, "expected `x`"),
        (('title: "T"', "title: [a]"), 2, "`title` must be text"),
        (('note: "N"', 'notes: "N"'), 5, "unknown key `notes`"),
        (('  - "2.1"\n', '  - "2.10"\n'), 8, "listed twice"),
        (('  - "2.1"\n', "  - {}\n"), 8, "must be text"),
        (('controls:\n  - "2.10"\n  - "2.1"\n', "controls: []\n"), 6, "at least one"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(
    tmp_path: Path, change: tuple[str, str], line: int, says: str
) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(GOOD.replace(*change))
    with pytest.raises(RuleError) as caught:
        load_frameworks(tmp_path)
    assert str(caught.value).startswith(f"{path.as_posix()}:{line}:")
    assert says in str(caught.value)
