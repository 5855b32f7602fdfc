"""``policyengine.yaml``: mistakes are named at their place, and precedence is tag > account > OU > organisation."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from policyengine.config.find import find_config
from policyengine.config.loader import MOST_ERRORS, ConfigErrors, load_config
from policyengine.config.settings import ScopedParameters, Settings
from policyengine.model.errors import ConfigError
from policyengine.model.resource import Resource
from policyengine.rules.packs import load_packs
from policyengine.rules.parameters import check_value

RULES = {"rds-backup-retention": ("days",), "aurora-backup-retention": ("days",), "sqs-encrypted": ()}


def check(rule: str, name: str, value: Any) -> str | None:
    if name != "days":
        return f"unknown parameter `{name}`"
    return None if isinstance(value, int) else f"expected an integer, found `{value}`"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


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


def test_all_rules_sets_what_several_have_in_common(tmp_path: Path) -> None:
    settings = read(
        tmp_path,
        "parameters:\n"
        "  rds-backup-retention: {days: 14}\n"
        "  all-rules: {days: 7}\n"
        "scopes:\n"
        '  - {account: "111122223333", parameters: {all-rules: {days: 3}}}\n',
    )
    assert settings.organization == {
        "rds-backup-retention": {"days": 14},
        "aurora-backup-retention": {"days": 7},
    }
    near = Resource("AWS::RDS::DBInstance", "db", region="eu-west-1", properties={}, account="111122223333")
    assert settings.parameters("rds-backup-retention", near) == {"days": 3}
    assert settings.parameters("sqs-encrypted", near) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "parameters: {all-rules: {day: 7}}",
            "policyengine.yaml:1:26: unknown parameter `day`; did you mean `days`?",
        ),
        (
            "parameters: {all-rules: {days: x}}",
            "`days` of `rds-backup-retention`: expected an integer, found `x`",
        ),
        ("parameters: {all-rules: 7}", "`parameters.all-rules` is no mapping"),
    ],
)
def test_mistakes_in_all_rules(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigErrors) as error:
        read(tmp_path, text)
    assert expected in str(error.value.message)


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
        ("scopes: [3]", "1:10: `scopes.0` is no mapping"),
        ("scopes: [{ou: 1}]", "1:15: `1` is no string"),
        ("parameters: {a: 1", "1:"),
        ("parameters: {}\nparameters: {}", "2:1: "),
    ],
)
def test_a_mistake_is_named_at_its_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert expected in str(caught.value)
    assert str(caught.value).startswith("policyengine.yaml:")


EVERY_MISTAKE = """\
paramters: {}
parameters:
  sqs-encryptd: {days: 1}
  rds-backup-retention: {days: many, weeks: 2}
scopes:
  - {account: 111122223333, parameters: {rds-backup-retention: {days: soon}}}
  - {account: a, ou: b, tags: {}}
  - {tag: {A: 1}, parameters: []}
  - 5
severities: {sqs-encrypted: bad, sqs: high}
disabled:
  sqs-encrypted: ""
  nothing-such: for a reason
"""


def test_every_mistake_is_named_at_its_place_in_the_order_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigErrors) as caught:
        read(tmp_path, EVERY_MISTAKE)
    assert [str(error).removeprefix("policyengine.yaml:") for error in caught.value.errors] == [
        "1:1: unknown key `paramters`; did you mean `parameters`?",
        "3:3: unknown rule `sqs-encryptd`; did you mean `sqs-encrypted`?",
        "4:32: `rds-backup-retention.days`: expected an integer, found `many`",
        "4:45: `rds-backup-retention.weeks`: unknown parameter `weeks`",
        "6:15: `111122223333` is no string; quote the id",
        "6:71: `rds-backup-retention.days`: expected an integer, found `soon`",
        "7:5: a scope has exactly one of account, ou, tag; found account and ou",
        "7:25: unknown key `tags`; did you mean `tag`?",
        "8:11: a tag scope is one `{Key: value}` pair of strings",
        "8:31: `scopes.2.parameters` is no mapping; expected `key: value` lines",
        "9:5: `scopes.3` is no mapping; expected `key: value` lines",
        "10:29: unknown severity `bad`; known are low, medium, high, critical",
        "10:34: unknown rule `sqs`; known are rds-backup-retention, aurora-backup-retention, sqs-encrypted",
        "12:18: `sqs-encrypted` is disabled without a reason; write why",
        "13:3: unknown rule `nothing-such`; known are rds-backup-retention, aurora-backup-retention, sqs-encrypted",
    ]


def test_a_file_full_of_mistakes_is_told_in_part_and_soon(tmp_path: Path) -> None:
    began = time.process_time()
    with pytest.raises(ConfigErrors) as caught:
        read(tmp_path, "parameters:\n" + "".join(f"  {'x' * 300}{i}: {{}}\n" for i in range(5_000)))
    assert time.process_time() - began < 5
    assert len(caught.value.errors) == MOST_ERRORS + 1
    assert all(len(str(error)) < 200 for error in caught.value.errors)
    assert str(caught.value.errors[-1]) == "policyengine.yaml: 100 mistakes are told; there may be more"


@pytest.mark.parametrize("value", ["x" * 1_000_000, "[" + "1," * 100_000 + "]", "9" * 5_000])
def test_a_long_value_is_shown_in_part(tmp_path: Path, value: str) -> None:
    pack = load_packs()
    form = pack.rule("rds-backup-retention")
    assert form is not None
    path = tmp_path / "policyengine.yaml"
    path.write_text(f"parameters: {{rds-backup-retention: {{days: {value}}}}}")
    with pytest.raises(ConfigError) as caught:
        load_config(path, lambda _rule, name, given: check_value(form["parameters"][name], given), RULES)
    assert str(caught.value).startswith("policyengine.yaml:1:") and len(str(caught.value)) < 300


def test_a_file_in_another_folder_is_named_with_its_path(tmp_path: Path) -> None:
    (tmp_path / "infra").mkdir()
    (tmp_path / "infra" / "rules.yaml").write_text("a: 1")
    with pytest.raises(ConfigErrors, match=r"^infra/rules.yaml:1:1: unknown key `a`"):
        load_config(tmp_path / "infra" / "rules.yaml", check, RULES)


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
