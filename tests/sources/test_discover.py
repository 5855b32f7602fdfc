"""Targets to sources: recognised by content, walked safely, each problem told and survived."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import Discovery, open_targets

OPTIONS = SourceOptions()
TEMPLATE = "Resources:\n  Data:\n    Type: AWS::S3::Bucket\n"
LINE = '{"type":"AWS::S3::Bucket","id":"b","account":"111122223333","region":"eu-west-1","properties":{}}\n'
PLAN = json.dumps(
    {"format_version": "1.2", "terraform_version": "1.9", "planned_values": {}, "resource_changes": []}
)
STATE = json.dumps({"version": 4, "terraform_version": "1.9", "lineage": "x", "resources": []})
CONFIG_ITEM = json.dumps(
    {"configurationItemStatus": "OK", "resourceType": "AWS::S3::Bucket", "configuration": {}}
)
CONFIG_FILE = f'{{"fileVersion":"1.0","configSnapshotId":"x","configurationItems":[{CONFIG_ITEM}]}}'


def put(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def found(*targets: Path | str, options: SourceOptions = OPTIONS) -> Discovery:
    return open_targets([str(t) for t in targets], options)


def kinds(discovery: Discovery) -> list[tuple[str, str]]:
    return [(source.kind, source.target) for source in discovery.sources]


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("t.yaml", TEMPLATE, "template"),
        ("no-extension", TEMPLATE, "template"),
        ("t.json", json.dumps({"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}), "template"),
        ("t.yaml", "AWSTemplateFormatVersion: '2010-09-09'\nResources: {A: {Type: {Ref: X}}}\n", "template"),
        ("utf16.yaml", TEMPLATE.encode("utf-16"), "template"),
        ("plan.json", PLAN, "plan"),
        ("s.ndjson", LINE, "snapshot"),
        ("s.jsonl", LINE, "snapshot"),
        ("lines.txt", LINE * 3, "snapshot"),
        ("one.json", json.dumps(json.loads(LINE), indent=2), "snapshot"),
        ("s.ndjson.zst", zstandard.compress(LINE.encode() * 9000), "snapshot"),
        ("long.txt", LINE.replace('"b"', f'"{"b" * 100_000}"'), "snapshot"),
        ("item.json", CONFIG_ITEM, "config"),
        ("items.json", f"[{CONFIG_ITEM}]", "config"),
        ("event.json", f'{{"configurationItem":{CONFIG_ITEM},"messageType":"x"}}', "config"),
        ("rule.json", json.dumps({"invokingEvent": f'{{"configurationItem":{CONFIG_ITEM}}}'}), "config"),
        ("delivered.json", CONFIG_FILE, "config"),
        ("delivered.json.gz", gzip.compress(CONFIG_FILE.encode()), "config"),
        ("history.json", f'{{"configurationItems":[{CONFIG_ITEM}],"nextToken":"x"}}', "config"),
        ("select.json", json.dumps({"Results": [CONFIG_ITEM], "QueryInfo": {}}), "config"),
    ],
)
def test_a_file_is_recognised_by_its_content(tmp_path: Path, name: str, content, kind: str) -> None:
    path = put(tmp_path, name, content)
    discovery = found(path)
    assert discovery.errors == []
    assert kinds(discovery) == [(kind, name)]
    assert discovery.sources[0].paths == [path]
    if name != "one.json":
        assert kinds(found(tmp_path)) == [(kind, name)], "walking finds the same"


NOT_OURS = [
    ("empty.yaml", "", "is empty; expected"),
    ("spaces.json", " \n \n", "is empty; expected"),
    ("a.bin", b"\x7fELF\x00\x01\x02", "is binary; expected"),
    (
        "plan.out",
        b"PK\x03\x04\x00\x00",
        "is a zip archive (a binary Terraform plan? print it with `terraform show",
    ),
    ("main.tf", 'resource "aws_s3_bucket" "b" {}\n', "is Terraform configuration (make a plan"),
    ("s.tfstate", STATE, "is a Terraform state (scan a plan"),
    ("other.gz", gzip.compress(b"hello\n"), "is gzip, but nothing of AWS Config"),
    ("x.json", '{"a":1,"b":2}', "is an object with `a`, `b`; expected"),
    ("x.yaml", "- 1\n- 2\n", "is a list; expected"),
    ("x.txt", "hello\n", "is plain text; expected"),
    ("other.zst", zstandard.compress(b"hello\n"), "is zstd, but no snapshot"),
]


@pytest.mark.parametrize(("name", "content", "message"), NOT_OURS, ids=[n for n, _, _ in NOT_OURS])
def test_a_named_file_that_is_not_ours_is_an_error_and_a_walked_one_is_skipped(
    tmp_path: Path, name: str, content, message: str
) -> None:
    path = put(tmp_path, name, content)
    named = found(path)
    assert kinds(named) == []
    assert [e.code for e in named.errors] == ["not_ours"]
    assert message in str(named.errors[0])
    assert str(named.errors[0]).startswith(f"{name}: ")
    walked = found(tmp_path)
    assert (kinds(walked), walked.errors) == ([], [])
    assert sum(walked.skipped.values()) == 1


BROKEN = [
    ("t.yaml", TEMPLATE + "  Bad: [\n", "t.yaml:"),
    ("t.json", '{"Resources":{"A":{"Type":"AWS::S3::Bucket"}', "t.json:1:"),
    ("dup.json", '{"Resources":{"A":{"Type":"AWS::S3::Bucket"},"A":{"Type":"AWS::S3::Bucket"}}}', "dup.json:1:"),
    ("enc.yaml", TEMPLATE.encode() + b"  # \xff\n", "enc.yaml:4:"),
    ("deep.json", '{"Resources":{"A":{"Type":"AWS::S3::Bucket","P":' + "[" * 100_000, "deep.json"),
    ("deep.yaml", TEMPLATE + "    P: " + "[" * 100_000, "deep.yaml"),
    (
        "bomb.yaml",
        TEMPLATE + "a0: &a0 [x,x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 9)),
        "bomb.yaml",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "place"), BROKEN, ids=[n for n, _, _ in BROKEN])
def test_a_broken_file_that_looks_like_ours_is_an_error_with_a_place(
    tmp_path: Path, name: str, content, place: str
) -> None:
    put(tmp_path, name, content)
    put(tmp_path, "z/good.yaml", TEMPLATE)
    for discovery in (found(tmp_path), found(tmp_path / name, tmp_path / "z/good.yaml")):
        assert [kind for kind, _ in kinds(discovery)] == ["template"], "the others go on"
        [error] = discovery.errors
        assert str(error).startswith(place)
        assert "\n" not in str(error)


def test_targets_that_are_not_there_or_not_readable_are_errors(tmp_path: Path) -> None:
    good = put(tmp_path, "good.yaml", TEMPLATE)
    discovery = found(tmp_path / "none", good, "a\0b")
    assert kinds(discovery) == [("template", "good.yaml")]
    assert str(discovery.errors[0]) == "none: cannot be read: no such file or directory"
    assert len(discovery.errors) == 2


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_file_or_folder_is_an_error_and_the_others_go_on(tmp_path: Path) -> None:
    put(tmp_path, "good.yaml", TEMPLATE)
    put(tmp_path, "bad.yaml", TEMPLATE).chmod(0)
    (tmp_path / "closed").mkdir(mode=0)
    discovery = found(tmp_path)
    assert kinds(discovery) == [("template", "good.yaml")]
    assert sorted(str(e) for e in discovery.errors) == [
        "bad.yaml: cannot be read: permission denied",
        "closed: cannot be read: permission denied",
    ]
    (tmp_path / "closed").chmod(0o755)


def test_a_walk_is_sorted_and_leaves_foreign_folders_out(tmp_path: Path) -> None:
    for name in ("b.yaml", "a.yaml", "sub/c.yaml", ".git/x.yaml", "node_modules/y.yaml", ".terraform/z.yaml"):
        put(tmp_path, name, TEMPLATE)
    put(tmp_path, "README.md", "Resources: see `AWS::S3::Bucket`\n")
    put(tmp_path, "app.py", "Resources: {\n'AWS::S3'")
    discovery = found(tmp_path)
    assert [target for _, target in kinds(discovery)] == ["a.yaml", "b.yaml", "sub/c.yaml"]
    assert discovery.errors == []
    assert discovery.skipped["hidden or foreign folder"] == 3
    assert sum(discovery.skipped.values()) == 5


def test_links_make_no_loops_and_lead_nowhere(tmp_path: Path) -> None:
    put(tmp_path, "in/a.yaml", TEMPLATE)
    put(tmp_path, "out/b.yaml", TEMPLATE)
    (tmp_path / "in/loop").symlink_to(tmp_path / "in")
    (tmp_path / "in/out").symlink_to(tmp_path / "out")
    (tmp_path / "in/same.yaml").symlink_to(tmp_path / "in/a.yaml")
    (tmp_path / "in/self").symlink_to("self")
    discovery = found(tmp_path / "in")
    assert kinds(discovery) == [("template", "a.yaml")]
    assert discovery.errors == []
    assert discovery.skipped == {"link to a folder": 2, "broken link": 1}


def test_a_file_that_is_named_twice_is_read_once(tmp_path: Path) -> None:
    path = put(tmp_path, "a.yaml", TEMPLATE)
    assert len(found(path, path, tmp_path, path).sources) == 1


def test_names_are_relative_to_the_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".git").mkdir()
    path = put(tmp_path, "deploy/app/t.yaml", TEMPLATE)
    monkeypatch.chdir(tmp_path / "deploy")
    for target in (path, "app", "app/t.yaml", tmp_path):
        assert kinds(found(target)) == [("template", "deploy/app/t.yaml")]
    assert kinds(found(path, options=SourceOptions(base=tmp_path / "deploy"))) == [("template", "app/t.yaml")]


def test_files_of_one_name_in_different_places_are_told_apart(tmp_path: Path) -> None:
    first = put(tmp_path, "shop/t.yaml", TEMPLATE)
    second = put(tmp_path, "bank/t.yaml", TEMPLATE)
    assert kinds(found(first, second)) == [("template", "shop/t.yaml"), ("template", "bank/t.yaml")]
    other = put(tmp_path, "bank/u.yaml", TEMPLATE)
    assert kinds(found(first, other)) == [("template", "t.yaml"), ("template", "u.yaml")], (
        "names as when alone"
    )


def snapshot_folder(folder: Path) -> Path:
    part = put(folder, "resources/a.ndjson", LINE)
    import hashlib

    digest = hashlib.sha256(part.read_bytes()).hexdigest()
    manifest = {"version": "1.0", "parts": [{"path": "resources/a.ndjson", "sha256": digest}]}
    put(folder, "manifest.json", json.dumps(manifest))
    return folder


def test_a_snapshot_folder_is_one_source_wherever_it_is_met(tmp_path: Path) -> None:
    folder = snapshot_folder(tmp_path / "x/snap")
    for target in (folder, folder / "manifest.json", tmp_path):
        [source] = found(target).sources
        assert source.kind == "snapshot"
        assert [r.id for r in source.resources()] == ["b"]


@pytest.mark.parametrize("manifest", ["{", "[]", '{"version":"2.0","parts":[]}'])
def test_a_broken_snapshot_folder_is_an_error_with_a_place(tmp_path: Path, manifest: str) -> None:
    folder = snapshot_folder(tmp_path / "snap")
    put(folder, "manifest.json", manifest)
    discovery = found(folder)
    assert discovery.sources == []
    assert "manifest.json: " in str(discovery.errors[0])


def test_a_web_page_manifest_beside_resources_is_no_snapshot(tmp_path: Path) -> None:
    put(tmp_path, "manifest.json", '{"name": "app", "icons": []}')
    put(tmp_path, "resources/t.yaml", TEMPLATE)
    discovery = found(tmp_path)
    assert [kind for kind, _ in kinds(discovery)] == ["template"]
    assert discovery.errors == []


def test_a_cdk_assembly_gives_its_stacks_with_their_account_and_region(tmp_path: Path) -> None:
    template = {"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}
    put(tmp_path, "cdk.out/Web.template.json", json.dumps(template))
    put(tmp_path, "cdk.out/asset.123/t.json", json.dumps(template))
    stack = {
        "type": "aws:cloudformation:stack",
        "environment": "aws://111122223333/eu-west-1",
        "properties": {"templateFile": "Web.template.json"},
    }
    put(tmp_path, "cdk.out/manifest.json", json.dumps({"version": "36.0.0", "artifacts": {"Web": stack}}))
    discovery = found(tmp_path)
    assert discovery.errors == []
    [source] = discovery.sources
    [resource] = source.resources()
    assert (resource.account, resource.region) == ("111122223333", "eu-west-1")


def test_a_document_over_the_limit_is_refused_and_a_snapshot_is_not(tmp_path: Path) -> None:
    options = SourceOptions(max_bytes=200_000)
    put(tmp_path, "big.yaml", TEMPLATE + "# " + "x" * 300_000)
    put(tmp_path, "other.json", json.dumps({"x": "y" * 300_000}))
    put(tmp_path, "big.ndjson", LINE * 5000)
    walked = found(tmp_path, options=options)
    assert [kind for kind, _ in kinds(walked)] == ["snapshot"]
    assert [e.code for e in walked.errors] == ["too_large"]
    assert walked.skipped == {"too large, not ours": 1}
    assert [e.code for e in found(tmp_path / "other.json", options=options).errors] == ["too_large"]


CHILD = """
import sys
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets
found = open_targets(["-"], SourceOptions(max_bytes=1_000_000))
for source in found.sources:
    first = [(r.type, r.id, r.file) for r in source.resources()]
    assert first == [(r.type, r.id, r.file) for r in source.resources()]
    print(source.kind, source.target, len(first), first[0])
for error in found.errors:
    print(error)
"""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (TEMPLATE, "template <stdin> 1 ('AWS::S3::Bucket', 'Data', '<stdin>')"),
        (LINE * 3, "snapshot <stdin> 3 ('AWS::S3::Bucket', 'b', None)"),
        (LINE * 30_000, "snapshot <stdin> 30000 ('AWS::S3::Bucket', 'b', None)"),
        ("", "<stdin>: is empty; expected"),
        ("x" * 2_000_000, "<stdin>: is larger than"),
        ("{", "<stdin>:1:"),
    ],
)
def test_standard_input_is_read_like_a_file(tmp_path: Path, data: str, expected: str) -> None:
    environment = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=data.encode(), capture_output=True, env=environment, check=False
    )
    assert done.stderr == b""
    assert done.stdout.decode().startswith(expected)
    assert list(tmp_path.iterdir()) == [], "what was kept is deleted at exit"


CORPORA = Path(__file__).parents[3] / "shared/corpora"


@pytest.mark.skipif(not CORPORA.exists(), reason="the shared corpora are not beside this checkout")
@pytest.mark.parametrize(
    ("folder", "expected", "broken"),
    [
        ("cloudformation", {"template": 286}, []),
        ("terraform-plans", {"plan": 61}, []),
        # malformed as published
        (
            "config-items",
            {"config": 1},
            ["AWS_EC2_NetworkInterface.json:88:1", "AWS_SSM_ManagedInstanceInventory_Linux.json:51:41"],
        ),
    ],
)
def test_every_public_example_is_recognised(folder: str, expected: dict[str, int], broken: list[str]) -> None:
    discovery = found(CORPORA / folder)
    assert [str(e.location) for e in discovery.errors] == broken
    assert Counter(kind for kind, _ in kinds(discovery)) == expected


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(
    st.lists(
        st.binary(max_size=30)
        | st.sampled_from(
            [TEMPLATE.encode(), LINE.encode(), PLAN.encode(), b"{", b"\xff\xfe", b"PK\x03\x04"]
        ),
        max_size=4,
    ),
    st.sampled_from(["x.yaml", "x.json", "x.ndjson", "x.zst", "x"]),
)
def test_any_file_is_opened_skipped_or_told(tmp_path: Path, pieces: list[bytes], name: str) -> None:
    path = put(tmp_path, name, b"".join(pieces))
    for discovery in (found(path), found(tmp_path)):
        total = len(discovery.sources) + len(discovery.errors) + sum(discovery.skipped.values())
        assert total == 1
        for source in discovery.sources:
            list(source.resources())
    path.unlink()
