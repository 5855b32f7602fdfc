"""Loading a rule finds every mistake at its place, with the text found and a suggestion."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from policyengine.model.errors import RuleError
from policyengine.rules.data import data_root
from policyengine.rules.loader import compile_text, compile_texts
from policyengine.rules.pack import Pack, RuleErrors, parse_pack, rule_files
from policyengine.rules.packs import load_packs

GOOD = """\
id: queue-has-name
title: Queues have a name of their own
family: governance
pillar: security
severity: low
applies_to: AWS::SQS::Queue
why: A generated name changes whenever the queue is replaced.
fix: Set QueueName to a name of your own.
parameters:
  seconds: {type: integer, default: 60, minimum: 1}
when: {field: FifoQueue, not_equals: true, absent: passes}
require:
  all:
    - {field: QueueName, is: present}
    - {field: VisibilityTimeout, at_least: $seconds}
message: "the queue has the name {QueueName}; at least {seconds} seconds"
references: ["https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/welcome.html"]
"""


def errors_of(text: str, name: str = "queue-has-name") -> list[str]:
    form, errors = compile_text(Path(f"rules/sqs/{name}.yaml"), text.encode())
    assert (form is None) == bool(errors)
    return [str(e) for e in errors]


def test_a_good_rule_compiles() -> None:
    assert errors_of(GOOD) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("family: governance", "famly: governance", "3:1: unknown key `famly`; did you mean `family`?"),
        ("severity: low", "severity: mild", "5:11: `severity`: input should be 'low'"),
        ("is: present", "iz: present", "14:26: unknown key `iz`; did you mean `is`?"),
        ("is: present", "is: there", "14:30: `require.all.0.is`: input should be 'present' or 'absent'; found `there`"),
        ("{field: QueueName, is: present}", "{field: QueueName}", "a field check has exactly one operator"),
        ("QueueName, is", "QueueNane, is", "14:15: unknown property of AWS::SQS::Queue `QueueNane`; did you mean `QueueName`?"),
        ("AWS::SQS::Queue", "AWS::SQS::Que", "6:13: unknown resource type `AWS::SQS::Que`; did you mean `AWS::SQS::Queue`?"),
        ("$seconds", "$second", "15:44: unknown parameter `second`; did you mean `seconds`?"),
        ("at_least: $seconds", "at_least: many", "15:44: `at_least` needs a number or a `$parameter`; found `many`"),
        ("default: 60", "default: 0", "10:37: `0` is below the minimum 1"),
        ("default: 60", "default: soon", "10:37: expected an integer, found `soon`"),
        ("FifoQueue, not_equals: true, absent: passes}", "QueueName, not_equals: x}", "11:7: `not_equals` on `QueueName`, which may be missing: say `absent: passes` or `absent: fails`"),
        ("{QueueName};", "{QueueNam};", "16:10: unknown property of AWS::SQS::Queue `QueueNam`"),
        ("id: queue-has-name", "id: other", "1:5: id `other` is not the file's name; expected `queue-has-name`"),
        ("https://docs", "http://docs", "is no https:// address"),
        ("references:", "frameworks: {aws-fsbpp: []}\nreferences:", "unknown framework `aws-fsbpp`; did you mean `aws-fsbp`?"),
        ("references:", "frameworks: {aws-fsbp: [{control: SQS.11, decides: whole}]}\nreferences:", "aws-fsbp has no control `SQS.11`"),
        ("references:", "remediation: sqs_name\nreferences:", "unknown remediation `sqs_name`"),
        ("when: {field: FifoQueue, not_equals: true, absent: passes}", "when: {net.open: {ports: [22]}}", "unknown predicate `net.open`"),
        ("when: {field: FifoQueue, not_equals: true, absent: passes}", "when: {some: QueueName, satisfies: {field: ., is: present}}", "`QueueName` is no list but string: use `field`"),
        ("when: {field: FifoQueue, not_equals: true, absent: passes}", "when: {field: Tags.Key, is: present}", "`Tags` is a list: use `every: Tags` or `some: Tags`"),
        ("when: {field: FifoQueue, not_equals: true, absent: passes}", "when: {field: QueueName, matches: '(a'}", "11:35: column 1: this `(` is never closed"),
        ("severity: low", "severity: low\nseverity: high", "6:1: "),
        ("title: Queues", "title: yes\nx: Queues", "2:8: "),
    ],
)  # fmt: skip
def test_a_mistake_is_named_at_its_place(old: str, new: str, expected: str) -> None:
    assert old in GOOD
    found = errors_of(GOOD.replace(old, new))
    assert any(expected in error for error in found), found
    assert all(error.startswith("rules/sqs/queue-has-name.yaml:") for error in found)


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("$widest", "13:32: unknown parameter `widest`"),
        ("wide", "13:32: expected an integer, found `wide`"),
        ("33", "`ingress` /33 /56: write ingress or egress, 0-32 and 0-128"),
    ],
)
def test_an_argument_of_a_predicate_that_is_none_is_told_once(prefix: str, expected: str) -> None:
    head = GOOD.replace("AWS::SQS::Queue", "AWS::EC2::SecurityGroup").partition("\nwhen:")[0]
    rule = f"""{head}
require:
  none:
    - net.wider_than: {{prefix: {prefix}}}
message: "{{observed}} after {{seconds}} seconds"
references: ["https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"]
"""
    (found,) = errors_of(rule)
    assert expected in found


def test_every_mistake_is_found_in_one_go() -> None:
    broken = (
        GOOD.replace("QueueName, is", "QueueNane, is")
        .replace("$seconds", "$second")
        .replace("default: 60", "default: 0")
    )
    assert len(errors_of(broken)) == 3


def test_an_id_that_exists_twice_names_both_files() -> None:
    texts = [(Path("a/queue-has-name.yaml"), GOOD.encode()), (Path("b/queue-has-name.yaml"), GOOD.encode())]
    with pytest.raises(
        RuleErrors, match=r"b/queue-has-name.yaml: rule id `queue-has-name` exists twice: also in a/"
    ):
        compile_texts(texts)


def test_a_pack_survives_its_own_format() -> None:
    pack = compile_texts([(Path("rules/sqs/queue-has-name.yaml"), GOOD.encode())])
    assert parse_pack(pack.to_bytes()) == pack
    assert pack.digest.startswith("sha256:")


def test_a_pack_keeps_the_order_of_the_author_in_its_format_and_in_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dictionaries are equal in any order, so what is compared is their text."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    compiled = repr(list(load_packs().rules))
    (stored,) = (tmp_path / "cache" / "policyengine" / "packs").glob("*.json")
    assert repr(list(load_packs().rules)) == compiled
    root = data_root().rules
    texts = [(path, path.read_bytes()) for path in rule_files(root)]
    fresh = compile_texts(texts)
    assert repr(list(fresh.rules)) == compiled, "a rule's own tests see what a scan sees"
    versioned = replace(fresh, version=load_packs().version)
    assert stored.read_bytes().partition(b"\n")[2] == versioned.to_bytes()


def test_a_pack_of_another_format_is_refused() -> None:
    data = Pack("sha256:0", ()).to_bytes().replace(b'"format":1', b'"format":2')
    with pytest.raises(RuleError, match="is of version 2; this policyengine reads 1"):
        parse_pack(data)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format":1}', b"\xff"])
def test_a_damaged_pack_is_refused(data: bytes) -> None:
    with pytest.raises(RuleError, match="damaged"):
        parse_pack(data)


def test_the_cache_is_only_used_when_it_is_ours_and_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "rules" / "sqs"
    folder.mkdir(parents=True)
    (folder / "queue-has-name.yaml").write_text(GOOD)
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    first = load_packs([tmp_path / "rules"], bundled=False)
    (stored,) = (cache / "policyengine" / "packs").glob("*.json")
    assert stored.stat().st_mode & 0o077 == 0
    assert load_packs([tmp_path / "rules"], bundled=False) == first
    stored.write_bytes(stored.read_bytes().replace(b"queue-has-name", b"queue-had-name"))
    assert load_packs([tmp_path / "rules"], bundled=False) == first, "a changed cache file is not believed"
    stored.chmod(0o666)
    assert load_packs([tmp_path / "rules"], bundled=False) == first


def test_a_folder_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="is not a folder"):
        load_packs([tmp_path / "nothing"], bundled=False)
