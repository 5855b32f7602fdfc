"""The bundled rules decide what their changelog says: nobody changes a verdict without an entry."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from policyengine.model.errors import RuleError
from policyengine.rules.data import data_root
from policyengine.rules.packs import load_packs
from policyengine.rules.recorded import (
    CHANGED,
    FILE,
    SCHEMA,
    Recorded,
    deciding_digests,
    read_recorded,
    recorded_bytes,
    version_of,
)


def test_every_bundled_rule_decides_what_is_recorded() -> None:
    recorded = read_recorded(data_root().rules)
    assert recorded is not None
    found = deciding_digests(load_packs().rules)
    different = sorted(
        rule for rule in found.keys() | recorded.decides if found.get(rule) != recorded.decides.get(rule)
    )
    assert different == [], (
        "these rules decide otherwise than rules/pack.json records: `make rules-changelog` writes down which verdicts "
        "change (commit rules/CHANGELOG.md and rules/pack.json with the rules)"
    )


def test_the_changelog_has_the_recorded_version() -> None:
    recorded = read_recorded(data_root().rules)
    assert recorded is not None
    assert f"\n## {recorded.version} (" in (data_root().rules / "CHANGELOG.md").read_text("utf-8")


FORM = {"id": "one", "title": "a title", "severity": "low", "variants": [{"require": {"op": "field"}}]}


@pytest.mark.parametrize(
    ("key", "value", "differs"),
    [
        ("title", "another", False),
        ("severity", "high", True),
        ("variants", [], True),
        ("why", "because", False),
    ],
)
def test_only_what_decides_changes_the_digest(key: str, value: object, differs: bool) -> None:
    assert (deciding_digests([FORM]) != deciding_digests([{**FORM, key: value}])) is differs


def test_rules_that_decide_otherwise_are_not_the_version(tmp_path: Path) -> None:
    assert version_of([FORM], tmp_path) is None
    (tmp_path / FILE).write_bytes(recorded_bytes(Recorded("2.1.0", deciding_digests([FORM]))))
    assert version_of([FORM], tmp_path) == "2.1.0"
    assert version_of([{**FORM, "severity": "high"}], tmp_path) == "2.1.0" + CHANGED
    assert version_of([FORM, {**FORM, "id": "two"}], tmp_path) == "2.1.0" + CHANGED


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        json.dumps({"schema": SCHEMA, "version": "1", "decides": {}}),
        json.dumps({"schema": SCHEMA, "version": "1.0.0"}),
    ],
    ids=["no-json", "list", "version", "decides"],
)
def test_a_damaged_record_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(RuleError, match=r"pack\.json"):
        read_recorded(tmp_path)


def test_a_pack_keeps_its_version_through_cache_and_json() -> None:
    pack = load_packs()
    assert pack.version is not None
    assert load_packs().version == pack.version
    assert json.loads(pack.to_bytes())["version"] == pack.version
