"""JSON Schemas for editors: valid draft-07, complete, and of one mind with what loads the files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from click.testing import CliRunner

from policyengine.cli.main import cli
from policyengine.cli.schema import SCHEMAS, _known
from policyengine.config.baseline import read_baseline
from policyengine.config.editor_schema import waivers_schema
from policyengine.config.loader import TOP_KEYS, load_config
from policyengine.config.remediation import Remediating
from policyengine.config.waivers_reader import KEYS, SCOPES, About, read_waivers
from policyengine.documents import load
from policyengine.model.errors import ConfigError
from policyengine.remediate.registry import load_remediations
from policyengine.rules.data import data_root
from policyengine.rules.loader import compile_text
from policyengine.rules.packs import load_packs
from policyengine.rules.parameters import check_value
from policyengine.testing.scaffold import scaffold
from policyengine.testing.schema_files import FOLDER, file_name
from tests.waivers.test_reader import CASES, RIGHT, RULES, text_of

ROOT = Path(__file__).parents[2]


@cache
def schema(name: str) -> dict[str, Any]:
    found: dict[str, Any] = SCHEMAS[name](load_packs())
    return found


@cache
def validator(name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(schema(name))


def wrong(name: str, text: str) -> list[str]:
    """What a schema says of a text, read as the program reads it."""
    value = load(text.encode(), name="f.yaml", syntax="yaml", style="strict").value
    return [error.message for error in validator(name).iter_errors(value)]


def walk(value: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(value, dict):
        yield path, value
        for key, each in value.items():
            yield from walk(each, (*path, str(key)))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from walk(each, (*path, str(index)))


@pytest.mark.parametrize("name", SCHEMAS)
def test_it_is_draft_07_with_a_versioned_id_and_says_what_everything_is(name: str) -> None:
    found = schema(name)
    jsonschema.Draft7Validator.check_schema(found)
    assert found["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert found["$id"] == f"urn:policyengine:schema:{name}:v1"
    assert found["description"] and found["title"]
    for path, part in walk(found):
        if path[-1:] == ("properties",) and path[-2:-1] != ("properties",) and "if" not in path:
            lacking = [
                key for key, value in part.items() if isinstance(value, dict) and not value.get("description")
            ]
            assert lacking == [], path
        if "$ref" in part and isinstance(part["$ref"], str):
            assert set(part) == {"$ref"}, path  # draft-07 ignores what stands beside it
            assert part["$ref"].removeprefix("#/definitions/") in found["definitions"]
        assert not {"$defs", "prefixItems", "unevaluatedProperties", "dependentRequired"} & part.keys(), path


def test_they_know_the_names_there_are() -> None:
    pack = load_packs()
    rule = schema("rule")["properties"]
    ids = {form["id"] for form in pack.rules}
    config = schema("config")["properties"]
    assert set(config["severities"]["properties"]) == set(config["disabled"]["properties"]) == ids
    assert set(schema("waivers")["definitions"]["rule"]["enum"]) == ids
    assert set(rule["remediation"]["enum"]) == {each.id for each in load_remediations()}
    assert "S3.5" in rule["frameworks"]["properties"]["aws-fsbp"]["items"]["properties"]["control"]["enum"]
    assert "AWS::S3::Bucket" in rule["applies_to"]["anyOf"][0]["enum"]
    declared = {form["id"] for form in pack.rules if form["parameters"]}
    assert set(schema("config")["definitions"]["parameters"]["properties"]) == {"all-rules", *declared}


def test_they_have_the_keys_that_readers_take() -> None:
    waiver = schema("waivers")["properties"]["waivers"]["anyOf"][0]["items"]["properties"]
    assert set(waiver) == set(KEYS) and set(waiver["scope"]["properties"]) == set(SCOPES)
    config = schema("config")["properties"]
    assert set(config) == set(TOP_KEYS)
    assert set(config["remediation"]["properties"]) == set(Remediating.__dataclass_fields__)


# -- what is right ----------------------------------------------------------------------------------------


def yaml_blocks(page: str) -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / page).read_text(), re.DOTALL)


@pytest.mark.parametrize("block", yaml_blocks("configuration.md"))
def test_the_documented_configuration_is_right(block: str) -> None:
    assert wrong("config", block) == []


def test_the_example_and_the_documented_waiver_are_right() -> None:
    assert wrong("config", (ROOT / "examples/policyengine.yaml").read_text()) == []
    (waiver,) = (block for block in yaml_blocks("waivers.md") if block.startswith("# waivers.yaml"))
    assert wrong("waivers", waiver) == []
    assert wrong("waivers", "waivers:\n") == [] and wrong("waivers", "waivers: []\n") == []


# -- what is wrong ----------------------------------------------------------------------------------------

READER_ONLY = {
    "owner and approver are one person", "one person in another form of the same letters",
    "a name with letters of two scripts", "a name with what cannot be seen", "an empty reason",
    "it compensates itself",
    "it ends before it begins", "it ends as it begins", "too long", "a day that is none",
}  # fmt: skip
"""Mistakes that depend on two places, on the calendar or on what letters look like."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_waivers_that_the_reader_refuses(case: dict[str, Any]) -> None:
    entry = {key: value for key, value in {**RIGHT, **case["given"]}.items() if value is not None}
    value = yaml.safe_load(text_of(entry))
    found = list(jsonschema.Draft7Validator(waivers_schema(dict.fromkeys(RULES, ""))).iter_errors(value))
    assert bool(found) == (case["name"] not in READER_ONLY), case["name"]


CONFIG = [
    "paramters: {}",
    "parameters: {rds-backup: {days: 1}}",
    "parameters: {rds-backup-retention: {days: many}}",
    "parameters: {rds-backup-retention: {weeks: 1}}",
    "parameters: {rds-backup-retention: {days: 0}}",
    "parameters: {all-rules: {day: 7}}",
    "parameters: 3",
    "severities: {rds-backup-retention: bad}",
    "severities: {no-such-rule: low}",
    "disabled: {rds-backup-retention: ''}",
    "disabled: {no-such-rule: why}",
    "scopes: {}",
    "scopes: [{parameters: {}}]",
    "scopes: [{account: a, ou: b}]",
    "scopes: [{account: 111122223333}]",
    "scopes: [{tag: {A: x, B: z}}]",
    "waivers: 3",
    "baseline: [a]",
    "waiving: {maximum_days: 0}",
    "waiving: {maximum_days: 4000}",
    "waiving: {approvers: {Ben: 3}}",
    "remediation: {enabled: 1}",
    "remediation: {automatic: [no_such]}",
    "remediation: {owned_by_code: never}",
    "remediation: {settling: -1}",
    "remediation: {limits: {run: 0}}",
    "remediation: {limits: {share: 2}}",
    "remediation: {breaker: {share: 0}}",
    "remediation: {waves: [110]}",
    "remediation: {windows: [{days: [someday], start: '22:00', end: '23:00'}]}",
    "remediation: {windows: [{days: [monday], start: '25:00', end: '23:00'}]}",
    "remediation: {windows: [{days: [monday], start: '22:00'}]}",
    "remediation: {freezes: [{start: '2026-12-20'}]}",
    "remediation: {approving: {destructive: 9}}",
    "remediation: {approving: {severities: {bad: 1}}}",
    "remediation: {parameters: {no_such: {a: 1}}}",
    "evidence: {withhold: {properties: {AWS::No::Such: [/A]}}}",
    "evidence: {withhold: {properties: {AWS::S3::Bucket: [A]}}}",
    "evidence: {hide: {}}",
]  # fmt: skip


@pytest.mark.parametrize("text", CONFIG)
def test_configurations_that_the_loader_refuses(tmp_path: Path, text: str) -> None:
    from policyengine.catalog import registry

    pack = load_packs()
    parameters = {form["id"]: form["parameters"] for form in pack.rules}

    def check(rule: str, name: str, value: Any) -> str | None:
        declared = parameters[rule].get(name)
        return "unknown" if declared is None else check_value(declared, value)

    path = tmp_path / "policyengine.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        load_config(path, check, parameters, load_remediations().repairs, registry.top_level)
    assert wrong("config", text)


RULE = (data_root().rules / "rds/rds-backup-retention.yaml").read_text()
RULE_MISTAKES = [
    ("severity: medium", "severity: middling"),
    ("family: resilience", "family: backups"),
    ("pillar: reliability", "pillar: security-ish"),
    ("applies_to: AWS::RDS::DBInstance", "applies_to: AWS::RDS::Instance"),
    ("id: rds-backup-retention", "id: RDS_backup"),
    ("remediation: rds_backups", "remediation: no_such"),
    ("title: ", "titel: "),
    ("references:", "frameworks: {aws-fsbp: [{control: RDS.11, decides: wholly}]}\nreferences:"),
    ("references:", "frameworks: {aws-fsbp: [{control: RDS.1100, decides: part}]}\nreferences:"),
    ("references:", "frameworks: {aws-fsbt: [{control: RDS.11, decides: part}]}\nreferences:"),
    ("at_least: $days", "at_leest: $days"),
    ("at_least: $days", "at_least: $days, equals: 7"),
    ("at_least: $days", "absent: fails"),
    ("references:", "refs:"),
    ("is: absent", "is: gone"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "mistake"), RULE_MISTAKES)
def test_rules_that_the_loader_refuses(tmp_path: Path, right: str, mistake: str) -> None:
    assert right in RULE and wrong("rule", RULE) == []
    text = RULE.replace(right, mistake)
    form, errors = compile_text(tmp_path / "rds-backup-retention.yaml", text.encode())
    assert form is None or errors
    assert wrong("rule", text)


@pytest.mark.parametrize(
    "text",
    [
        "[]", "- {case: no expectation, resource: {}}", "- {case: both, resource: {}, resources: [], expect: PASS}",
        "- {case: another verdict, resource: {}, expect: OK}", "- {case: a key, resource: {}, expects: PASS}",
        "- {case: neither, expect: PASS}", "- {case: x, resource: {}, expect: PASS}",
    ],
)  # fmt: skip
def test_cases_that_are_wrong(text: str) -> None:
    assert wrong("tests", text)


def test_baselines() -> None:
    entry = {"id": "0" * 32, "rule": "r", "resource": ["", "f", "", "A"], "values": "sha256:" + "1" * 32}
    right = {"schema": "policyengine/baseline/v1", "written": "2026-06-01T00:00:00Z", "findings": [entry]}
    changes: list[dict[str, Any]] = [
        {"schema": "policyengine/baseline/v2"}, {"written": "yesterday"}, {"findings": {}},
        *({"findings": [{**entry, **each}]} for each in ({"id": "x"}, {"values": "x"}, {"resource": ["A"]}, {"rule": 3})),
    ]  # fmt: skip
    assert list(validator("baseline").iter_errors(right)) == []
    read_baseline(json.dumps(right).encode(), "b.json")
    for change in changes:
        value = {**right, **change}
        with pytest.raises(ConfigError):
            read_baseline(json.dumps(value).encode(), "b.json")
        assert list(validator("baseline").iter_errors(value)), change


# -- the command ------------------------------------------------------------------------------------------


def test_the_command_writes_them_all_and_new_rules_name_theirs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    before, _ = scaffold("queue-first", "AWS::SQS::Queue", tmp_path / "mine")
    assert before.read_text().startswith("id: queue-first")
    done = CliRunner().invoke(cli, ["schema", "--write"])
    assert done.exit_code == 0 and done.output.split() == [f"{FOLDER}/{file_name(name)}" for name in SCHEMAS]
    rule, tests = scaffold("queue-second", "AWS::SQS::Queue", tmp_path / "mine")
    for path, name in ((rule, "rule"), (tests, "tests")):
        first = path.read_text().split("\n")[0]
        assert first == f"# yaml-language-server: $schema=../../{FOLDER}/{file_name(name)}"
        written = json.loads((path.parent / first.partition("$schema=")[2]).read_text())
        assert written == schema(name)


@pytest.mark.slow
def test_own_rules_are_known_too(tmp_path: Path) -> None:
    folder = tmp_path / "mine" / "rds"
    folder.mkdir(parents=True)
    text = RULE.replace("id: rds-backup-retention", "id: rds-backup-mine").replace(
        "remediation: rds_backups\n", ""
    )
    (folder / "rds-backup-mine.yaml").write_text(text)
    pack = load_packs((tmp_path / "mine",))
    assert "days" in _known(pack).parameters["rds-backup-mine"]
    assert "rds-backup-mine" in SCHEMAS["waivers"](pack)["definitions"]["rule"]["enum"]


def test_the_command_wants_a_name_or_write() -> None:
    runner = CliRunner()
    assert runner.invoke(cli, ["schema", "nonsense"]).exit_code == 2
    assert runner.invoke(cli, ["schema"]).exit_code != 0
    assert runner.invoke(cli, ["schema", "rule", "--write"]).exit_code != 0
    assert json.loads(runner.invoke(cli, ["schema", "baseline"]).output) == schema("baseline")


def test_the_readers_agree_with_about() -> None:
    """The right waiver of the table is right for both, and so is a right rule with a control."""
    assert read_waivers(text_of(RIGHT), "w.yaml", About(RULES))
    value = yaml.safe_load(text_of(RIGHT))
    assert list(jsonschema.Draft7Validator(waivers_schema(dict.fromkeys(RULES, ""))).iter_errors(value)) == []
