"""``waivers.yaml``, as people write it: every mistake is told at its place, in one go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from policyengine.config.reading import MOST_ERRORS
from policyengine.config.waivers import Compensating
from policyengine.config.waivers_reader import About, read_waivers
from policyengine.model.errors import ConfigError

CASES = yaml.safe_load((Path(__file__).parent / "mistakes.yaml").read_text())
RULES = {"s3-versioning", "s3-bucket-public-access-block", "tags-mandatory"}
RIGHT: dict[str, Any] = {
    "id": "W-1", "rule": "s3-versioning", "scope": {"account": "111122223333"}, "owner": "Ana", "approver": "Ben",
    "reason": "scratch", "ticket": "SEC-1", "granted": "2026-01-01", "expires": "2026-12-31",
}  # fmt: skip


def text_of(*entries: dict[str, Any]) -> bytes:
    """A file of entries, each key on a line of its own, strings quoted where they must be."""
    lines = ["waivers:"]
    for entry in entries:
        for number, (key, value) in enumerate(entry.items()):
            shown = yaml.safe_dump(value, default_flow_style=True, width=10_000, allow_unicode=True).strip()
            lines.append(f"{'  - ' if number == 0 else '    '}{key}: {shown.removesuffix('...').strip()}")
    return ("\n".join(lines) + "\n").encode()


def told(data: bytes, about: About | None = None) -> list[str]:
    with pytest.raises(ConfigError) as error:
        read_waivers(data, "w.yaml", about or About(RULES))
    return [str(each) for each in getattr(error.value, "errors", (error.value,))]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_a_mistake_is_told(case: dict[str, Any]) -> None:
    entry = {key: value for key, value in {**RIGHT, **case["given"]}.items() if value is not None}
    found = told(text_of(entry))
    assert len(found) == len(case["told"])
    for text, expected in zip(found, case["told"], strict=True):
        assert expected in text and text.startswith("w.yaml:")


def test_a_right_one_is_read() -> None:
    entry = {
        **RIGHT, "rule": ["s3-versioning", "tags-mandatory"], "scope": {
            "resource": ["logs", "arn:aws:s3:::site"], "account": "111122223333", "ou": "ou-1", "tag": {"Stage": "dev"}},
        "pin": {"0" * 32: {"/A": "sha256:" + "1" * 32}},
        "compensating": {"rule": "s3-bucket-public-access-block", "resource": "guard"},
    }  # fmt: skip
    (found,) = read_waivers(text_of(entry), "w.yaml", About(RULES))
    assert found.rules == ("s3-versioning", "tags-mandatory") and found.resources == (
        "logs",
        "arn:aws:s3:::site",
    )
    assert (found.accounts, found.ous, found.tags) == (("111122223333",), ("ou-1",), {"Stage": "dev"})
    assert found.pins == {"0" * 32: {"/A": "sha256:" + "1" * 32}}
    assert found.compensating == Compensating("s3-bucket-public-access-block", "guard")
    assert not found.is_broad and found.refused == ""


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "waivers:\n", "waivers: []\n"])
def test_a_file_without_waivers(text: str) -> None:
    assert read_waivers(text.encode(), "w.yaml", About(RULES)) == []


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("expires: 2026-12-31", 'is a date to some YAML readers: write `"2026-12-31"`'),
        ("ticket: 0x1F", "is a number that YAML readers understand differently"),
        ("ticket: no", "is a boolean to some YAML readers"),
        ("reason: &a scratch", "anchor `&a` is not allowed here"),
        ("reason: !secret scratch", "tag `!secret` is not allowed here"),
    ],
)
def test_what_yaml_readers_take_for_something_else_is_refused(line: str, says: str) -> None:
    key = line.partition(":")[0]
    data = text_of(RIGHT).decode().splitlines()
    lines = [f"    {line}" if each.strip().startswith(f"{key}:") else each for each in data]
    (found,) = told("\n".join(lines).encode())
    assert says in found and found.startswith("w.yaml:")


def test_an_id_stands_once_over_all_files() -> None:
    about = About(RULES)
    read_waivers(text_of(RIGHT), "one.yaml", about)
    (found,) = told(text_of(RIGHT), about)
    assert "`W-1` stands twice: the first is at one.yaml:2:9" in found


def test_the_maximum_is_configured() -> None:
    longer = {**RIGHT, "expires": "2027-06-01"}
    assert len(read_waivers(text_of(longer), "w.yaml", About(RULES, maximum_days=516))) == 1
    assert "at most 515 are allowed" in told(text_of(longer), About(RULES, maximum_days=515))[0]


def test_no_more_mistakes_are_told_than_anybody_reads() -> None:
    many = [{**RIGHT, "id": f"W-{number}", "rule": "nonsense"} for number in range(MOST_ERRORS + 50)]
    found = told(text_of(*many))
    assert len(found) == MOST_ERRORS + 1 and "there may be more" in found[-1]


@pytest.mark.parametrize(
    "text", ["- id: W-1\n", "waivers: {a: b}\n", "waivers: [W-1]\n", "other: []\n", "\x00", "a: [", "5"]
)
def test_what_is_no_file_of_waivers_is_told(text: str) -> None:
    assert told(text.encode())


def test_what_verifies_decides_whether_one_holds() -> None:
    about = About(RULES, verify=lambda waiver: f"not by {waiver.approver}")
    (found,) = read_waivers(text_of(RIGHT), "w.yaml", about)
    assert found.refused == "not by Ben"
