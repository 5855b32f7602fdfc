"""Odd names, locked folders, files that disappear, hostile rules and configuration: a message, never a trace."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from tests.cli.conftest import BUCKET, Run

LINE = json.dumps(BUCKET)

NAMES = [
    b"new\nline.yaml", b"esc\x1b[31mred.yaml", b"bad\xff\xfe.yaml", b"<script>alert(1).yaml", b"=1+1.yaml",
    "rtl\u202egpj.yaml".encode(), b"tab\t.yaml", b"%0A::error::x.yaml", b"'quo\"te`.yaml", b"a,b;c|d.yaml",
]  # fmt: skip


def test_odd_file_names_break_no_format(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "stacks"
    folder.mkdir()
    for name in NAMES:
        (folder / os.fsdecode(name)).write_text("Resources:\n  B: {Type: AWS::S3::Bucket}\n")
    broken = folder / os.fsdecode(b"broken\n\x1b\xff.yaml")
    broken.write_text("AWSTemplateFormatVersion: x\nResources: {A: {}}\n")
    formats = ("json", "ndjson", "sarif", "junit", "github", "gitlab", "markdown", "csv")
    files = [argument for fmt in formats for argument in ("--format", f"{fmt}={tmp_path / fmt}")]
    found = run("scan", "stacks", "--rule", "s3-versioning", "--format", "terminal", *files, "--limit", "0")
    assert found.code in (0, 1)
    texts = {"terminal": found.out + found.err, **{fmt: (tmp_path / fmt).read_text() for fmt in formats}}
    for fmt, text in texts.items():
        assert "\x1b" not in text and "\u202e" not in text, fmt
        if fmt in ("json", "ndjson", "sarif"):
            assert "broken\\\\x0a" in text, fmt
        elif fmt not in ("gitlab", "csv"):
            assert all(line.isprintable() for line in text.split("\n")), fmt


def test_messages_about_odd_names_stay_on_their_line(run: Run, tmp_path: Path) -> None:
    missing = os.fsdecode(b"nope\xff\n\x1b[31m.yaml")
    found = run("scan", missing, "--format", "json")
    assert found.code == 2
    assert "nope\\xff\\x0a\\x1b[31m.yaml: cannot be read: no such file or directory" in found.err
    for arguments in (["--rules", missing], ["--config", missing], ["--format", f"json={missing}/x"]):
        found = run("scan", ".", *arguments)
        assert found.code == 2
        assert "\x1b" not in found.err and len(found.err.strip().split("\n")) == 1, found.err


def test_what_may_not_be_read_is_said(run: Run, tmp_path: Path) -> None:
    """A locked file, a locked folder, a file in a folder that may not be searched."""
    (tmp_path / "good.ndjson").write_text(LINE + "\n")
    (tmp_path / "locked.yaml").write_text("Resources: {}")
    (tmp_path / "shut").mkdir()
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "r.yaml").write_text("id: r")
    locked = [tmp_path / name for name in ("locked.yaml", "shut", "rules/r.yaml")]
    try:
        for path in locked:
            path.chmod(0)
        found = run(
            "scan", "locked.yaml", "shut", "shut/below.yaml", "good.ndjson", "--format", "json", mortal=True
        )
        assert found.code == 2, found.err
        errors = [e["message"] for e in found.document["run"]["errors"]]
        assert errors == ["cannot be read: permission denied"] * 3
        assert found.document["findings"]
        walked = run("scan", ".", "--format", "json", "--fail-on", "never", mortal=True)
        assert walked.code == 0, walked.err
        assert len(walked.document["run"]["errors"]) == 3
        rules = run("scan", "good.ndjson", "--rules", "rules", mortal=True)
        assert (rules.code, rules.err) == (2, "error: rules/r.yaml: cannot be read: permission denied\n")
    finally:
        for path in locked:
            path.chmod(0o700)


def test_a_file_that_disappears_while_it_is_read(tmp_path: Path) -> None:
    """Between opening and reading: the scan ends in a message and says that it is incomplete."""
    (tmp_path / "a.ndjson").write_text(LINE + "\n")
    code = (
        "import os, policyengine.cli.run as run\n"
        "prepare = run.prepare_run\n"
        "def gone(targets, options):\n"
        "    ready = prepare(targets, options)\n    os.unlink('a.ndjson')\n    return ready\n"
        "run.prepare_run = gone\n"
        "from policyengine.cli.main import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "scan", "a.ndjson", "--format", "json"], cwd=tmp_path, capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 4, done.stderr
    assert "a.ndjson: cannot be read: no such file or directory" in done.stderr


@pytest.mark.parametrize("output", [("-o", "kept"), ("--format", "json=kept")], ids=("directory", "file"))
def test_a_full_disk_ends_in_a_message_and_leaves_nothing_behind(
    run: Run, tmp_path: Path, output: tuple[str, str]
) -> None:
    (tmp_path / "many.ndjson").write_text(
        "".join(json.dumps({**BUCKET, "id": sha256(str(n).encode()).hexdigest()}) + "\n" for n in range(900))
    )  # names that cannot be packed
    before = sorted(tmp_path.iterdir())
    found = run("scan", "many.ndjson", "--rule", "s3-versioning", *output, largest_file=10_000)
    assert found.code in (2, 4), "no verdict is claimed"
    assert "file too large" in found.err and len(found.err.strip().split("\n")) == 1, found.err
    assert sorted(tmp_path.iterdir()) == before


def test_a_crash_of_ours_is_no_fail(tmp_path: Path) -> None:
    code = (
        "import policyengine.cli.run as run\n"
        "def broken(*_):\n    raise TypeError('hunter2')\n"
        "run.prepare_run = broken\nfrom policyengine.cli.main import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "scan", "x"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 4
    assert done.stderr.startswith("error: internal error, a bug of ours: TypeError in __main__:3")
    assert "hunter2" not in done.stderr and "Traceback" not in done.stderr


RULE = """\
id: my-rule
title: Buckets have a name that the test wants
family: governance
pillar: security
severity: low
applies_to: AWS::S3::Bucket
why: It is only here to be damaged in a test.
fix: Set BucketName to the name.
require: REQUIRE
message: the name is {BucketName}
references: ['https://docs.aws.amazon.com/']
"""
HOSTILE_RULES = {
    "a-long-pattern": (
        "{field: BucketName, matches: '" + "a" * 100_000 + "'}",
        "longer than 4000 characters",
    ),
    "a-wide-pattern": ("{field: BucketName, matches: '((a{1,1000}){1,1000}){1,1000}'}", "too large"),
    "a-look-ahead": ("{field: BucketName, matches: '(?=a)b'}", "9:"),
    "ten-thousand-nested": (
        "{all: [" * 10_000 + "{field: BucketName, is: present}" + "]}" * 10_000,
        "nested deeper",
    ),
    "a-null": ("{field: BucketName, equals: null}", "`equals` has no value"),
    "a-huge-number": ("{field: BucketName, at_least: '" + "9" * 5000 + "'}", "9:"),
    "a-dunder": ("{field: BucketName.__class__, is: present}", "__class__"),
    "an-escape": ('{field: "Bucket\\e[31mName", is: present}', "unknown property"),
    "a-tag": ("!!python/object/apply:os.system [id]", "9:10: tag"),
}


def test_hostile_rules_are_all_refused_with_their_places(run: Run, tmp_path: Path, snapshot: Path) -> None:
    (tmp_path / "rules").mkdir()
    for name, (require, _said) in HOSTILE_RULES.items():
        text_ = RULE.replace("my-rule", name).replace("REQUIRE", require)
        (tmp_path / "rules" / f"{name}.yaml").write_text(text_)
    found = run("scan", snapshot.name, "--rules", "rules", memory=500_000_000, timeout=60)
    assert found.code == 2, found.err
    for name, (_require, said) in HOSTILE_RULES.items():
        errors = [line for line in found.err.split("\n") if f"rules/{name}.yaml:9:" in line]
        assert errors and said in errors[0], (name, found.err[:3_000])
        assert sum(map(len, errors)) < 3_000
    assert "\x1b" not in found.err


def test_rule_folders_hold_anything(run: Run, tmp_path: Path, snapshot: Path) -> None:
    rules = tmp_path / "rules"
    (rules / "folder.yaml").mkdir(parents=True)
    os.mkfifo(rules / "pipe.yaml")
    (rules / "loop.yaml").symlink_to("loop.yaml")
    (rules / "round").symlink_to(".")
    assert run("scan", snapshot.name, "--rules", "rules", "--fail-on", "never", timeout=60).code == 0
    (rules / "big.yaml").write_text("message: " + "x" * 1_000_000)
    found = run("scan", snapshot.name, "--rules", "rules")
    assert (found.code, found.err) == (
        2, "error: rules/big.yaml: the file has 1,000,009 bytes; a rule has at most 262,144\n"
    )  # fmt: skip


def test_a_rule_with_wide_checks_and_a_long_message_is_evaluated(
    run: Run, tmp_path: Path, snapshot: Path
) -> None:
    (tmp_path / "rules").mkdir()
    wide = "{all: [" + "{field: BucketName, equals: x}," * 4000 + "]}"
    nested = "{all: [" * 60 + wide + "]}" * 60
    text_ = RULE.replace("REQUIRE", nested).replace("the name is", "x" * 50_000)
    (tmp_path / "rules" / "my-rule.yaml").write_text(text_)
    found = run(
        "scan", snapshot.name, "--rules", "rules", "--rule", "my-rule", "--format", "json", timeout=60
    )
    (finding,) = found.document["findings"]
    assert (finding["verdict"], found.code) == ("FAIL", 1)


@pytest.mark.parametrize(
    ("text_", "said"),
    [
        ("[]", "policyengine.yaml:1:1:"),
        ("a: &a [*a]", "policyengine.yaml:1:4:"),
        ("x: " + "[" * 100_000, "nested deeper"),
        ("\x00", "binary"),
        ("parameters: {tags-mandatory: {keys: 5}}", "policyengine.yaml:1:37:"),
        ("parameters: {tags-mandatory: !!python/name:os.system x}", "tag"),
        ("scopes: [{tag: {a: [1]}, parameters: {}}]", "policyengine.yaml:1:16:"),
        ("severities: {tags-mandatory: {}}", "policyengine.yaml:1:30:"),
        ('disabled: {tags-mandatory: ""}', "without a reason"),
        ('parameters: {"\\e[31m": {}}', "unknown rule"),
        ("x" * 5_000_000, "at most"),
    ],
    ids=range(11),
)
def test_a_hostile_configuration_is_refused_with_its_place(
    run: Run, tmp_path: Path, snapshot: Path, text_: str, said: str
) -> None:
    (tmp_path / "policyengine.yaml").write_text(text_)
    found = run("scan", snapshot.name, memory=500_000_000)
    assert found.code == 2
    assert said in found.err and "policyengine.yaml" in found.err
    assert len(found.err.strip().split("\n")) == 1 and "\x1b" not in found.err
