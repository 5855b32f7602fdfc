"""`rules changes` and `rules impact`: two sets of rules side by side, on their cases and on past snapshots."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from policyengine.cli.main import cli
from policyengine.cli.packs.comparing import bump_of, changed_rules, next_version, with_cases
from policyengine.cli.packs.sides import open_side
from policyengine.model.errors import PolicyEngineError
from policyengine.rules.loader import compile_texts
from policyengine.rules.pack import rule_files

RULE = """\
id: queue-encrypted
title: Queues are encrypted with a key
family: encryption
pillar: security
severity: medium
applies_to: AWS::SQS::Queue
why: Messages at rest can be read by whoever reads the disk.
fix: Set KmsMasterKeyId to a key of your own.
parameters: {days: {type: integer, default: 4}}
require: {field: MessageRetentionPeriod, at_least: $days}
message: "kept {MessageRetentionPeriod} seconds"
references: ["https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/"]
"""
CASES = """\
- {case: six, resource: {MessageRetentionPeriod: 6}, expect: PASS}
- {case: three, resource: {MessageRetentionPeriod: 3}, expect: FAIL}
- {case: a parameter, resource: {MessageRetentionPeriod: {Ref: P}}, expect: UNKNOWN}
"""


def run(*arguments: str) -> tuple[int, str]:
    """Run the command in this process; what it would say as an error is raised."""
    done = CliRunner().invoke(cli, arguments, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value, done.stdout


def folder(at: Path, text: str = RULE, cases: str = CASES) -> Path:
    (at / "sqs").mkdir(parents=True)
    (at / "sqs" / "queue-encrypted.yaml").write_text(text)
    (at / "sqs" / "queue-encrypted.test.yaml").write_text(cases)
    return at


def queue(name: str, period: int) -> dict[str, object]:
    return {
        "type": "AWS::SQS::Queue", "id": name, "account": "111122223333", "region": "eu-west-1",
        "properties": {"MessageRetentionPeriod": period},
    }  # fmt: skip


def snapshot(at: Path, *resources: dict[str, object], created: str = "2026-03-01T00:00:00Z") -> Path:
    text = "".join(json.dumps(each) + "\n" for each in resources).encode()
    (at / "resources").mkdir(parents=True)
    (at / "resources" / "part.ndjson").write_bytes(text)
    parts = [
        {
            "path": "resources/part.ndjson", "account": "111122223333", "region": "eu-west-1",
            "sha256": hashlib.sha256(text).hexdigest(),
        }
    ]  # fmt: skip
    manifest = {"version": "1.0", "created": created, "coverage": [], "parts": parts, "errors": []}
    (at / "manifest.json").write_text(json.dumps(manifest))
    return at


Edit = tuple[str, str]


@pytest.mark.parametrize(
    ("edits", "turned", "bump"),
    [
        ([("default: 4", "default: 5")], [], "major"),
        ([("default: 4", "default: 7")], [("six", "PASS", "FAIL")], "major"),
        ([("default: 4", "default: 3")], [("three", "FAIL", "PASS")], "minor"),
        ([("severity: medium", "severity: high")], [], "major"),
        ([("severity: medium", "severity: low")], [], "minor"),
        ([("title: Queues are", "title: All queues are")], [], "patch"),
        ([("days: {type: integer", "hours: {type: integer"), ("$days", "$hours")], [], "major"),
        (
            [("references:", 'frameworks: {aws-fsbp: [{control: "SQS.1", decides: part}]}\nreferences:')],
            [],
            "minor",
        ),
        ([], [], "none"),
    ],
    ids=["unseen", "stricter", "relaxed", "louder", "quieter", "words", "parameter-gone", "controls", "same"],
)
def test_the_cases_say_what_a_change_means(
    tmp_path: Path, edits: list[Edit], turned: list[tuple[str, str, str]], bump: str
) -> None:
    text = RULE
    for was, now in edits:
        assert was in text
        text = text.replace(was, now)
    old, new = open_side(str(folder(tmp_path / "old"))), open_side(str(folder(tmp_path / "new", text)))
    found = [with_cases(change, old, new) for change in changed_rules(old, new)]
    assert [tuple(each) for change in found for each in change.turned] == turned
    assert bump_of(found) == bump


def test_cases_of_either_side_are_asked_once(tmp_path: Path) -> None:
    """A case that only the new rule has is asked of the old one: that is where a loosened rule is seen."""
    more = CASES + "- {case: four and a half, resource: {MessageRetentionPeriod: 5}, expect: FAIL}\n"
    old = open_side(str(folder(tmp_path / "old")))
    new = open_side(str(folder(tmp_path / "new", RULE.replace("default: 4", "default: 6"), more)))
    (found,) = (with_cases(change, old, new) for change in changed_rules(old, new))
    assert found.cases == 4
    assert [tuple(each) for each in found.turned] == [("four and a half", "PASS", "FAIL")]


@pytest.mark.parametrize(
    ("bump", "after"), [("major", "2.0.0"), ("minor", "1.3.0"), ("patch", "1.2.4"), ("none", "1.2.3")]
)
def test_versions_follow_semver(bump: str, after: str) -> None:
    assert next_version("1.2.3", bump) == after  # type: ignore[arg-type]  # the parameters are of the literal type


def git(at: Path, *arguments: str) -> None:
    own = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *own, *arguments], cwd=at, check=True, capture_output=True)


def as_folder(at: Path) -> str:
    return str(folder(at / "old"))


def as_pack(at: Path) -> str:
    files = rule_files(folder(at / "old"))
    path = at / "pack.json"
    path.write_bytes(compile_texts([(file, file.read_bytes()) for file in files]).to_bytes())
    return str(path)


def as_wheel(at: Path) -> str:
    path = at / "some.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in sorted(folder(at / "old").rglob("*.yaml")):
            wheel.write(file, f"policyengine/_data/rules/sqs/{file.name}")
    return str(path)


def as_file(at: Path) -> str:
    return str(folder(at / "old") / "sqs" / "queue-encrypted.yaml")


def as_revision(at: Path) -> str:
    repository = at / "repository"
    folder(repository / "rules")
    git(repository.parent, "init", "-q", "repository")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "rules")
    return "HEAD"


@pytest.mark.parametrize("form", [as_folder, as_pack, as_wheel, as_file, as_revision])
def test_every_form_of_a_set_of_rules_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: Callable[[Path], str]
) -> None:
    new = folder(tmp_path / "new", RULE.replace("default: 4", "default: 7"))
    name = form(tmp_path)
    if form is as_revision:
        monkeypatch.chdir(tmp_path / "repository")
    code, said = run("rules", "changes", name, str(new), "--format", "json")
    assert code == 0
    (found,) = json.loads(said)["rules"]
    assert found["turned"] == [{"case": "six", "was": "PASS", "now": "FAIL"}]


@pytest.mark.parametrize("name", ["nowhere", "--output=x", "HEAD~999999"])
def test_what_is_no_set_of_rules_says_what_would_be(name: str) -> None:
    with pytest.raises(PolicyEngineError, match="expected a folder of rules"):
        open_side(name)


def test_rules_that_do_not_compile_name_their_side(tmp_path: Path) -> None:
    old = open_side(str(folder(tmp_path / "old", RULE.replace("MessageRetentionPeriod, at", "Nonsense, at"))))
    new = open_side(str(folder(tmp_path / "new")))
    with pytest.raises(PolicyEngineError, match=r"old: .*queue-encrypted\.yaml.*Nonsense"):
        changed_rules(old, new)


def test_write_keeps_notes_and_a_release_begins_a_new_section(tmp_path: Path) -> None:
    old, new = folder(tmp_path / "old"), folder(tmp_path / "new", RULE.replace("default: 4", "default: 7"))
    assert run("rules", "changes", str(old), "--write", str(new))[0] == 0
    log = new / "CHANGELOG.md"
    assert "PASS -> FAIL: six" in log.read_text()
    log.write_text(log.read_text().replace("## Unreleased\n", "## Unreleased\n\nOur own note.\n"))
    _, said = run("rules", "changes", str(old), "--write", str(new), "--release", "2026-11-22")
    assert "recorded as 1.0.0" in said
    assert json.loads((new / "pack.json").read_text())["version"] == "1.0.0"
    run("rules", "changes", str(old), "--write", str(new))
    text = log.read_text()
    assert text.count("Our own note.") == 1
    assert text.index("## Unreleased") < text.index("## 1.0.0 (2026-11-22)") < text.index("Our own note.")


def test_check_fails_when_a_verdict_changes(tmp_path: Path) -> None:
    old, new = folder(tmp_path / "old"), folder(tmp_path / "new", RULE.replace("default: 4", "default: 7"))
    assert run("rules", "changes", str(old), str(new), "--check")[0] == 1
    assert run("rules", "changes", str(old), str(old), "--check")[0] == 0


def impact(*arguments: str) -> tuple[int, list[dict[str, object]], dict[str, object]]:
    code, said = run("rules", "impact", *arguments, "--format", "ndjson")
    lines = [json.loads(line) for line in said.splitlines()]
    return code, lines[:-1], lines[-1]["end"]


def test_impact_names_whom_a_change_hits(tmp_path: Path) -> None:
    old, new = folder(tmp_path / "old"), folder(tmp_path / "new", RULE.replace("default: 4", "default: 7"))
    seen = snapshot(tmp_path / "snapshot", *(queue(f"q{n}", n) for n in (3, 5, 6, 9)))
    code, hits, end = impact(str(old), str(new), str(seen), "--fail-on-new")
    assert code == 1
    assert [(hit["resource"]["id"], hit["was"], hit["now"]) for hit in hits] == [  # type: ignore[index]  # JSON
        ("q5", "PASS", "FAIL"), ("q6", "PASS", "FAIL"),
    ]  # fmt: skip
    assert end["rules"] == {
        "queue-encrypted": {"change": "decides", "asked": 4, "turned": [["PASS", "FAIL", 2]]}
    }
    assert impact(str(new), str(old), str(seen), "--fail-on-new")[0] == 0
    shown = run("rules", "impact", str(old), str(new), str(seen), "--limit", "1")[1]
    assert "and 1 more" in shown
    assert "2 verdicts become FAIL" in shown


AGED = RULE.replace("AWS::SQS::Queue", "AWS::CertificateManager::Certificate").replace(
    "default: 4", "default: 30"
)
AGED = re.sub("require: .*", "require: {time.not_within: {field: NotAfter, days: $days}}", AGED)
AGED = re.sub("message: .*", 'message: "expires at {NotAfter}"', AGED)


@pytest.mark.parametrize(("created", "failing"), [("2026-01-01", 0), ("2026-03-20", 1), ("2026-04-20", 0)])
def test_impact_is_as_of_the_time_of_the_snapshot(tmp_path: Path, created: str, failing: int) -> None:
    """A certificate that expires in May: far off in January, within the new rule's days in March, within both in April."""
    none = "- {case: none, resource: {}, expect: UNKNOWN}\n"
    old = folder(tmp_path / "old", AGED, none)
    new = folder(tmp_path / "new", AGED.replace("default: 30", "default: 60"), none)
    certificate = {
        "type": "AWS::CertificateManager::Certificate", "id": "c", "account": "111122223333",
        "region": "eu-west-1", "properties": {"NotAfter": "2026-05-01T00:00:00Z"},
    }  # fmt: skip
    seen = snapshot(tmp_path / "snapshot", certificate, created=f"{created}T00:00:00Z")
    _, hits, _ = impact(str(old), str(new), str(seen))
    assert [hit["now"] for hit in hits] == ["FAIL"] * failing


def test_impact_of_a_damaged_snapshot_is_incomplete(tmp_path: Path) -> None:
    old, new = folder(tmp_path / "old"), folder(tmp_path / "new", RULE.replace("default: 4", "default: 7"))
    seen = snapshot(tmp_path / "snapshot", queue("q", 5))
    (seen / "resources" / "part.ndjson").write_text("{}\n")
    code, _, end = impact(str(old), str(new), str(seen))
    assert code == 4
    assert end["errors"]


def test_impact_on_a_kept_run_has_its_parameters(tmp_path: Path) -> None:
    old, new = folder(tmp_path / "old"), folder(tmp_path / "new", RULE.replace("at_least", "at_most"))
    seen, kept = snapshot(tmp_path / "snapshot", queue("q", 5)), tmp_path / "run"
    (tmp_path / "policyengine.yaml").write_text("parameters: {queue-encrypted: {days: 5}}\n")
    config = ("--config", str(tmp_path / "policyengine.yaml"))
    one = ("--rules", str(old), "--rule", "queue-encrypted")
    assert run("scan", str(seen), *one, *config, "-o", str(kept), "-q")[0] == 0
    assert impact(str(old), str(new), str(kept))[2]["rules"] == {
        "queue-encrypted": {"change": "decides", "asked": 1, "turned": []}
    }


def test_same_rules_hit_nobody(tmp_path: Path) -> None:
    old, seen = folder(tmp_path / "old"), snapshot(tmp_path / "snapshot", queue("q", 5))
    assert run("rules", "impact", str(old), str(old), str(seen)) == (
        0,
        "the two sets of rules decide the same\n",
    )
