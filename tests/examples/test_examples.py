"""The committed examples are fresh, valid, and hold what their readers are promised."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policyengine.catalog import registry
from policyengine.model.resource import Resource
from policyengine.model.values import Unresolved
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets
from policyengine.sources.snapshot import open_snapshot, to_line
from policyengine.sources.snapshot.files import cut_lines, expand, read_blocks

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
FOLDER = EXAMPLES / "organization"
CONTRACT = ROOT.parent / "shared/contracts/snapshot-line-v1.schema.json"
OPTIONS = SourceOptions(terraform_source=EXAMPLES / "terraform")


def stored_lines(folder: Path) -> dict[str, list[bytes]]:
    """The lines of each part, without how they are compressed (that may differ between zstd versions)."""
    return {
        path.name: [
            line
            for _, lines in cut_lines(expand(read_blocks(path)), lambda number: pytest.fail(f"line {number}"))
            for line in lines
            if line
        ]
        for path in sorted((folder / "resources").iterdir())
    }


@cache
def resources() -> tuple[Resource, ...]:
    source = open_snapshot(FOLDER, OPTIONS)
    found = tuple(source.resources())
    assert source.errors == []
    return found


def test_the_committed_snapshot_is_what_the_script_writes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "path", [str(ROOT), *sys.path])
    from examples.generate_organization import write

    fresh = write(tmp_path / "organization")
    assert stored_lines(fresh) == stored_lines(FOLDER), "run `make examples`"

    def facts(folder: Path) -> dict[str, Any]:
        manifest = json.loads((folder / "manifest.json").read_text())
        kept = ("path", "account", "region", "resources")
        return {**manifest, "parts": [{k: p[k] for k in kept} for p in manifest["parts"]]}

    assert facts(fresh) == facts(FOLDER), "run `make examples`"


@pytest.mark.skipif(not CONTRACT.exists(), reason="the shared contracts are not beside this checkout")
def test_every_line_of_the_snapshot_holds_the_contract() -> None:
    import jsonschema

    validator = jsonschema.Draft202012Validator(json.loads(CONTRACT.read_text()))
    for lines in stored_lines(FOLDER).values():
        for line in lines:
            validator.validate(json.loads(line))


def test_the_snapshot_is_canonical_ordered_and_small() -> None:
    lines = [line for part in stored_lines(FOLDER).values() for line in part]
    assert lines == [to_line(r) for r in resources()]
    assert open_snapshot(FOLDER, OPTIONS).sorted
    assert sum(p.stat().st_size for p in FOLDER.rglob("*") if p.is_file()) < 500_000


def test_the_organisation_has_the_promised_shape() -> None:
    types = Counter(r.type for r in resources())
    assert 1500 <= len(resources()) <= 2500
    assert types["AWS::::Account"] == types["AWS::Organizations::Account"] == 6
    assert types["AWS::Organizations::OrganizationalUnit"] == 3
    assert types["PolicyEngine::Account::Region"] == 12
    assert {r.region for r in resources()} == {"eu-west-1", "us-east-1", "global"}
    assert max(Counter(r.identity for r in resources()).values()) == 1


def unresolved(value: Any) -> list[Unresolved]:
    if isinstance(value, Unresolved):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [found for element in inner for found in unresolved(element)]


def test_some_things_could_not_be_read_and_one_place_was_left_out() -> None:
    reasons = Counter(u.reason for r in resources() for u in unresolved([r.properties, r.related]))
    assert reasons["access_denied"] > 3
    assert reasons["throttled"] > 1
    coverage = open_snapshot(FOLDER, OPTIONS).coverage
    places = {(a, r) for a in {r.account for r in resources()} for r in ("eu-west-1", "us-east-1", "global")}
    left_out = ("100000000005", "us-east-1")
    assert {(a, r) for a, r, type_ in coverage if type_ == "*"} == places - {left_out}
    some = {type_ for a, r, type_ in coverage if (a, r) == left_out}
    assert "AWS::CloudWatch::Alarm" not in some
    assert "AWS::EC2::SecurityGroup" in some


def unknown_properties(resource: Resource) -> list[str]:
    schema = registry.schema(resource.type)
    assert schema is not None, resource.type
    free = {"CreateVolumePermissions", "LaunchPermissions"}  # declared as lists of free objects

    def walk(path: tuple[str, ...], value: Any) -> list[str]:
        kind = schema.kind(path)
        if kind is None:
            return [".".join(path)]
        if kind.name == "json" or (path and path[-1] in free):
            return []
        if isinstance(value, dict):
            return [found for key, inner in value.items() for found in walk((*path, key), inner)]
        if isinstance(value, list):
            return [found for inner in value for found in walk(path, inner)]
        return []

    return [found for key, value in resource.properties.items() for found in walk((key,), value)]


def test_every_property_of_the_snapshot_is_one_the_catalog_knows() -> None:
    wrong = {(r.type, path) for r in resources() for path in unknown_properties(r)}
    assert wrong == set()


def test_the_template_and_the_plan_load_whole() -> None:
    discovery = open_targets([str(EXAMPLES / "template.yaml"), str(EXAMPLES / "plan.json")], OPTIONS)
    assert discovery.errors == []
    template, plan = discovery.sources
    in_template = {r.id: r for r in template.resources()}
    in_plan = {r.id: r for r in plan.resources()}
    assert template.errors == plan.errors == []
    assert len(in_template) > 25
    assert in_template["Orders"].variants, "the environment is not decided"
    assert isinstance(in_template["Orders"].properties["BackupRetentionPeriod"], Unresolved)
    assert "module.queue.aws_sqs_queue.dead" in in_plan
    assert "aws_ebs_volume.data[1]" in in_plan
    assert plan.skipped == {"deleted by the plan": 1}
    tags = in_plan["aws_s3_bucket.scratch"].tags
    assert isinstance(tags, dict)
    assert tags["CostCenter"] == "cc-230", "the provider's default tags count"


def test_a_plans_resources_stand_where_their_blocks_are() -> None:
    [plan] = open_targets([str(EXAMPLES / "plan.json")], OPTIONS).sources
    for resource in plan.resources():
        place = resource.locate(())
        assert place is not None
        assert place.file.endswith(".tf")
        assert place.line is not None
        line = (ROOT / place.file).read_text().splitlines()[place.line - 1]
        _, type_, name = re.match(r"(.*?)(aws_\w+)\.(\w+)", resource.id).groups()  # type: ignore[union-attr]
        assert line == f'resource "{type_}" "{name}" {{'
