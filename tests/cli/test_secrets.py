"""A secret that stands in a template, a plan or a snapshot stands in no output: every rule, every format."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from policyengine.catalog import registry
from policyengine.reports.table import REPORTS
from policyengine.store.lines import read_lines
from tests.cli.conftest import Run

MARK = "Hunter2Marker"
PLACE = {"account": "111122223333", "region": "eu-west-1"}


def secret_properties(type_: str) -> dict[str, Any]:
    """Return properties of a type with a marked value at every secret place the catalog knows."""
    names = registry.secrets(type_)
    schema = registry.schema(type_)
    return _filled(schema, names, ()) if schema is not None and names else {}


def _filled(schema: Any, names: frozenset[str], at: tuple[str, ...]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in schema.children(at):
        kind = schema.kind((*at, name))
        if name in ("related", "Tags") or name in at or kind is None:
            continue
        if name in names:
            value: Any = f"{MARK}{name}"
            if kind.name in ("json", "object") or (
                kind.element is not None and kind.element.name in ("json", "object")
            ):
                value = {"DB": value, "Deep": [{"Er": value}]}
            found[name] = [value] if kind.name == "list" else value
        elif len(at) < 5 and (below := _filled(schema, names, (*at, name))):
            found[name] = [below] if kind.name == "list" else below
    return found


SECRET_TYPES = {t: p for t in registry.covered() if (p := secret_properties(t))}


def template(*, flow: bool) -> str:
    """Return a template full of secrets; ``flow`` puts all of it on one line."""
    resources: dict[str, Any] = {}
    for number, (type_, properties) in enumerate(SECRET_TYPES.items()):
        resources[f"R{number}"] = {"Type": type_, "Properties": properties}
    written = {"Fn::Sub": f"{MARK}Written-${{AWS::Region}}-${{Secret}}"}
    joined = {"Fn::Join": ["", [f"{MARK}Joined", {"Ref": "Plain"}]]}
    resources["Db"] = {
        "Type": "AWS::RDS::DBInstance",
        "Properties": {
            "MasterUserPassword": written,
            "MasterUsername": {"Ref": "Secret"},
            "Engine": "postgres",
        },
    }
    resources["Fn"] = {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Handler": {"Fn::Sub": "${Secret}.handler"},
            "Environment": {
                "Variables": {"A": written, "B": joined, "C": {"Ref": "Secret"}, "D": f"{MARK}\nof\nlines"}
            },
        },
    }
    resources["Bucket"] = {
        "Type": "AWS::S3::Bucket",
        "Properties": {
            "BucketName": {"Fn::Join": ["-", [{"Ref": "Secret"}, "x"]]},
            "Tags": [{"Key": "Owner", "Value": {"Ref": "Secret"}}],
        },
    }
    whole = {
        "Parameters": {
            "Secret": {"Type": "String", "NoEcho": True, "Default": f"{MARK}NoEcho"},
            "Given": {"Type": "String", "NoEcho": "true"},
            "Plain": {"Type": "String"},
        },
        "Resources": resources,
    }
    return json.dumps(whole) if flow else yaml.safe_dump(whole, sort_keys=False)


def snapshot() -> str:
    lines = []
    for number, (type_, properties) in enumerate(SECRET_TYPES.items()):
        region = (
            "global" if (spec := registry.spec(type_)) is not None and spec.is_global else PLACE["region"]
        )
        lines.append(
            {"type": type_, "id": f"r{number:03}", **PLACE, "region": region, "properties": properties}
        )
    return "".join(json.dumps(line) + "\n" for line in lines)


def plan() -> dict[str, Any]:
    """Return a plan whose secrets are sensitive, or under attributes that the catalog calls secret."""
    changes = [
        ("aws_db_instance", {"password": f"{MARK}Db", "identifier": "d", "engine": "postgres"}, {"password": True}),
        ("aws_lambda_function", {"function_name": "f", "environment": [{"variables": {"K": f"{MARK}Env"}}]}, {}),
        ("aws_secretsmanager_secret_version", {"secret_string": f"{MARK}Version"}, {"secret_string": True}),
        ("aws_ssm_parameter", {"name": "p", "type": "String", "value": f"{MARK}Value"}, {"value": True}),
        ("aws_instance", {"user_data": f"{MARK}UserData", "tags": {"Owner": f"{MARK}Tag"}}, {"tags": {"Owner": True}}),
        ("aws_s3_bucket", {"bucket": f"{MARK}Bucket"}, {"bucket": True}),
        ("aws_elasticache_replication_group", {"replication_group_id": "g", "auth_token": f"{MARK}Auth"}, {}),
        ("aws_redshift_cluster", {"cluster_identifier": "c", "master_password": f"{MARK}Red"}, {}),
    ]  # fmt: skip
    return {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "variables": {"password": {"value": f"{MARK}Variable"}},
        "planned_values": {"root_module": {}},
        "resource_changes": [
            {
                "address": f"{type_}.x",
                "mode": "managed",
                "type": type_,
                "name": "x",
                "provider_name": "registry.terraform.io/hashicorp/aws",
                "change": {
                    "actions": ["create"],
                    "before": None,
                    "after": after,
                    "after_unknown": {},
                    "after_sensitive": sensitive,
                },
            }
            for type_, after, sensitive in changes
        ],
    }


HCL = "\n".join(
    f'resource "{type_}" "x" {{ password = "{MARK}Hcl", value = "{MARK}Value", bucket = "{MARK}Bucket" }}'
    for type_ in ("aws_db_instance", "aws_ssm_parameter", "aws_s3_bucket")
)


def write_targets(folder: Path) -> Iterator[str]:
    files = {
        "block.yaml": template(flow=False),
        "flow.json": template(flow=True),
        "one.ndjson": snapshot(),
        "plan.json": json.dumps(plan()),
    }
    for name, text in files.items():
        (folder / name).write_text(text)
        yield name
    (folder / "tf").mkdir()
    (folder / "tf" / "main.tf").write_text(HCL)


def test_there_are_secrets_to_look_for() -> None:
    assert len(SECRET_TYPES) > 30
    assert {
        "AWS::RDS::DBInstance",
        "AWS::SecretsManager::Secret",
        "AWS::Lambda::Function",
    } <= SECRET_TYPES.keys()


def unpacked(path: Path) -> str:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as book:
            return "\n".join(book.read(name).decode() for name in book.namelist())
    return b"\n".join(read_lines(path)).decode()


@pytest.mark.parametrize("source", ["block.yaml", "flow.json", "one.ndjson", "plan.json"])
def test_a_secret_is_in_no_output(run: Run, tmp_path: Path, source: str) -> None:
    list(write_targets(tmp_path))
    formats = [f"--format={name}=out.{name}" for name in REPORTS if name != "terminal"]
    found = run(
        "scan", source, *formats, "--format", "terminal", "--limit", "0", "-o", "run", "--terraform-source", "tf",
        "--parameters", f"Given={MARK}Given", timeout=300,
    )  # fmt: skip
    assert found.code in (1, 2), found.err
    assert MARK in (tmp_path / source).read_text()
    outputs = {"stdout": found.out, "stderr": found.err}
    outputs |= {p.name: unpacked(p) for p in sorted(tmp_path.glob("out.*"))}
    kept = [p for p in sorted((tmp_path / "run").rglob("*")) if p.is_file()]
    texts = {f"run/{p.relative_to(tmp_path / 'run')}": unpacked(p) for p in kept}
    assert {"run/run.json", "run/settings.json", "run/results/0001.ndjson.zst"} <= texts.keys()
    assert any(name.startswith("run/inputs/0001/resources/") for name in texts)
    outputs |= texts
    leaks = {name: text[at - 150 : at + 80] for name, text in outputs.items() if (at := text.find(MARK)) >= 0}
    assert leaks == {}


def test_the_page_of_a_finding_has_no_secret(run: Run, tmp_path: Path) -> None:
    list(write_targets(tmp_path))
    run("scan", "block.yaml", "--format", "json=findings.json", timeout=300)
    findings = json.loads((tmp_path / "findings.json").read_text())["findings"]
    told = {
        (f["rule"], f["verdict"]): f["id"] for f in findings if f["resource"]["id"] in ("Db", "Fn", "Bucket")
    }
    for identity in list(told.values())[:8]:
        page = run("explain", identity)
        assert page.code == 0
        assert MARK not in page.out + page.err


def test_lines_of_other_files_are_not_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text(f"{MARK}\n" * 5)
    line = {"type": "AWS::S3::Bucket", "id": "b", **PLACE, "properties": {}}
    lines = []
    for number, file in enumerate(
        ["secret.txt", str(tmp_path / "secret.txt"), "../secret.txt", "/etc/passwd"]
    ):
        lines.append({**line, "id": f"b{number}", "location": {"file": file, "line": 1, "column": 1}})
    (tmp_path / "hostile.ndjson").write_text("".join(json.dumps(one) + "\n" for one in lines))
    found = run("scan", "hostile.ndjson")
    assert "secret.txt:1:1" in found.out
    assert MARK not in found.out
    assert "root:" not in found.out
