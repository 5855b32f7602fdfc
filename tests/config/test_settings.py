"""``policyengine.yaml``: mistakes are named at their place, and precedence is tag > account > OU > organisation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policyengine.config.find import find_config
from policyengine.config.loader import load_config
from policyengine.config.settings import ScopedParameters, Settings
from policyengine.model.errors import ConfigError
from policyengine.model.resource import Resource

RULES = ("rds-backup-retention", "sqs-encrypted")


def check(rule: str, name: str, value: Any) -> str | None:
    if name != "days":
        return f"unknown parameter `{name}`"
    return None if isinstance(value, int) else f"expected an integer, found `{value}`"


def read(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "policyengine.yaml"
    path.write_text(text)
    return load_config(path, check, RULES)


def test_a_whole_file(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        "parameters: {rds-backup-retention: {days: 14}}\n"
        "scopes:\n"
        "  - {ou: ou-1, parameters: {rds-backup-retention: {days: 3}}}\n"
        "  - {tag: {Environment: production}, parameters: {rds-backup-retention: {days: 35}}}\n"
        "severities: {sqs-encrypted: critical}\n"
        "disabled: {sqs-encrypted: we have no queues}\n",
    )
    assert settings.organization == {"rds-backup-retention": {"days": 14}}
    assert [s.ou for s in settings.scoped] == ["ou-1", None]
    assert settings.severities == {"sqs-encrypted": "critical"}
    assert settings.is_scoped("rds-backup-retention") and not settings.is_scoped("sqs-encrypted")


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "# nothing yet\n") == Settings()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("paramters: {}", "1:1: unknown key `paramters`; did you mean `parameters`?"),
        (
            "parameters: {rds-backup: {days: 1}}",
            "1:14: unknown rule `rds-backup`; did you mean `rds-backup-retention`?",
        ),
        (
            "parameters:\n  rds-backup-retention: {days: many}",
            "2:32: `rds-backup-retention.days`: expected an integer",
        ),
        ("parameters: 3", "1:13: `parameters` is no mapping"),
        ("severities: {sqs-encrypted: bad}", "1:29: unknown severity `bad`"),
        ("disabled: {sqs-encrypted: ''}", "is disabled without a reason"),
        ("scopes: {}", "`scopes` is a list of"),
        ("scopes: [{parameters: {}}]", "exactly one of account, ou, tag"),
        ("scopes: [{account: a, ou: b}]", "exactly one of account, ou, tag"),
        ("scopes: [{account: 111122223333}]", "is no string; quote the id"),
        ("scopes: [{tag: {A: x, B: z}}]", "one `{Key: value}` pair"),
        ("parameters: {a: 1", "1:"),
        ("parameters: {}\nparameters: {}", "2:1: "),
    ],
)
def test_a_mistake_is_named_at_its_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert expected in str(caught.value)
    assert str(caught.value).startswith("policyengine.yaml:")


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(tmp_path / "none.yaml", check, RULES)


def days(settings: Settings, account: str, tags: dict[str, Any] | None = None) -> Any:
    resource = Resource("AWS::RDS::DBInstance", "db", account, "eu-west-1", {}, tags=tags)
    return settings.parameters("rds-backup-retention", resource).get("days")


def scope(value: int, **selector: Any) -> ScopedParameters:
    return ScopedParameters({"rds-backup-retention": {"days": value}}, **selector)


def test_precedence() -> None:
    everything = Settings(
        organization={"rds-backup-retention": {"days": 1}},
        scoped=[
            scope(5, tag=("Tier", "gold")),
            scope(4, account="111"),
            scope(3, ou="ou-near"),
            scope(2, ou="ou-far"),
        ],
        ous={"111": ("ou-near", "ou-far"), "222": ("ou-near", "ou-far"), "333": ("ou-far",)},
    )
    assert days(everything, "111", {"Tier": "gold"}) == 5
    assert days(everything, "111", {"Tier": "tin"}) == 4
    assert days(everything, "222") == 3
    assert days(everything, "333") == 2
    assert days(everything, "444") == 1
    assert days(Settings(), "444") is None


def test_the_nearest_file_up_to_the_repository_root(tmp_path: Path) -> None:
    outside = tmp_path / "policyengine.yaml"
    outside.write_text("")
    inner = tmp_path / "repo" / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "repo" / ".git").mkdir()
    assert find_config(inner) is None, "the search ends at the repository root"
    near = tmp_path / "repo" / "a" / "policyengine.yaml"
    near.write_text("")
    assert find_config(inner) == near
    assert find_config(inner / "template.yaml") == near
