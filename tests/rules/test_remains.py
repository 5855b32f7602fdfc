"""What remains of controls: the shipped judgements, and what a bad file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyengine.cli.frameworkinfo import framework_infos
from policyengine.model.errors import RuleError
from policyengine.rules.frameworks import load_frameworks
from policyengine.rules.remains import KINDS, load_remains

ROOT = Path(__file__).resolve().parents[2]
SHIPPED = framework_infos()
FRAMEWORK = 'id: "x"\ntitle: "T"\nversion: "1"\nsource: "S"\nnote: "N"\ncontrols: ["a", "b", "c"]\n'
GOOD = """\
framework: x
judged:
  - controls: [a, b]
    remains: [people]
    why: a sentence
    source: https://example.com
"""
OTHERS = """\
  - controls: all
    remains: [rule, unclear]
    why: another
    source: https://example.com
"""


def test_every_framework_has_a_file() -> None:
    files = {path.stem for path in (ROOT / "frameworks" / "remains").glob("*.yaml")}
    assert files == set(SHIPPED) == set(load_frameworks(ROOT / "frameworks"))


@pytest.mark.parametrize("framework", SHIPPED)
def test_judgements_are_short_and_say_where_they_come_from(framework: str) -> None:
    # the texts of most standards are copyrighted: a sentence of ours cannot be one of theirs if it is for many
    for control, found in SHIPPED[framework].remains.items():
        assert control in SHIPPED[framework].controls
        assert set(found.kinds) <= set(KINDS)
        assert found.why.endswith(".")
        assert 20 < len(found.why) < 200
        assert found.source.startswith("https://")


# AWS, "Shared Responsibility Model" (https://aws.amazon.com/compliance/shared-responsibility-model/): physical and
# environmental controls are inherited from AWS
@pytest.mark.parametrize(
    ("framework", "control"), [("nist-800-53", "PE-6(2)"), ("iso-27001", "A.7.1"), ("iso-27001", "A.7.14")]
)
def test_physical_controls_are_the_share_of_aws_and_not_of_aws_alone(framework: str, control: str) -> None:
    assert list(SHIPPED[framework].remains[control].kinds) == ["aws", "process"]


def write(folder: Path, text: str) -> Path:
    (folder / "x.yaml").write_text(FRAMEWORK)
    (folder / "remains").mkdir()
    path = folder / "remains" / "x.yaml"
    path.write_text(text)
    return path


def test_what_nobody_judged_is_not_there(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert set(load_remains(tmp_path, load_frameworks(tmp_path))["x"]) == {"a", "b"}


def test_all_is_for_those_that_no_other_entry_names(tmp_path: Path) -> None:
    write(tmp_path, GOOD + OTHERS)
    found = load_remains(tmp_path, load_frameworks(tmp_path))["x"]
    assert {control: entry.kinds for control, entry in found.items()} == {
        "a": ("people",),
        "b": ("people",),
        "c": ("rule", "unclear"),
    }


@pytest.mark.parametrize(
    ("change", "line", "says"),
    [
        (("framework: x", "framework: z"), 1, "expected the file's name"),
        (("judged:\n", "judges:\n"), 1, "framework and judged"),
        (("[a, b]", "[a, bb]"), 3, "has no control `bb`"),
        (("[a, b]", "[a, a]"), 3, "`a` is judged twice"),
        (("[a, b]", "[]"), 3, "at least one id"),
        (("[a, b]", "[1]"), 3, "has no control `1`"),
        (
            ("[people]", "[peoples]"),
            4,
            "unknown kind `peoples`; known are people, process, aws, rule, unclear",
        ),
        (("[people]", "[people, people]"), 4, "each once"),
        (("[people]", "[]"), 4, "at least one kind"),
        (("[people]", "[{}]"), 4, "unknown kind"),
        (("why: a sentence", 'why: ""'), 5, "`why` must be text"),
        (("https://example.com", "a book"), 6, "https address"),
        (("    why: a sentence\n", ""), 3, "expected a mapping with controls, remains, why, source"),
        (("    why: a sentence\n", "    why: a sentence\n    more: x\n"), 3, "nothing else"),
    ],
)
def test_a_bad_file_is_refused_with_its_place(
    tmp_path: Path, change: tuple[str, str], line: int, says: str
) -> None:
    assert change[0] in GOOD
    path = write(tmp_path, GOOD.replace(*change))
    with pytest.raises(RuleError) as caught:
        load_remains(tmp_path, load_frameworks(tmp_path))
    assert str(caught.value).startswith(f"{path.as_posix()}:{line}:")
    assert says in str(caught.value)


def test_all_stands_once(tmp_path: Path) -> None:
    write(tmp_path, GOOD + OTHERS + OTHERS)
    with pytest.raises(RuleError, match="stands twice"):
        load_remains(tmp_path, load_frameworks(tmp_path))


def test_no_folder_is_no_judgement(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(FRAMEWORK)
    assert load_remains(tmp_path, load_frameworks(tmp_path)) == {}
