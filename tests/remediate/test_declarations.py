"""remediation.yaml: every mistake is told with its place, what was found and what was expected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.remediate.declaration import Declaration
from policyengine.remediate.declarations import read_declaration
from policyengine.remediate.registry import parse_remediations, read_remediations
from policyengine.rules.pack import RuleErrors

RULES = {"kms-key-rotation", "s3-tls-only"}
GOOD = """\
id: rotate
title: Turn on yearly rotation
version: 1
fixes: [kms-key-rotation]
types: [AWS::KMS::Key]
reads: ["kms:DescribeKey", "kms:GetKeyRotationStatus"]
writes: ["kms:EnableKeyRotation"]
mode: automatic
approvals: 0
destructive: false
reversible: full
window: false
verify_seconds: 60
scope:
  "kms:DescribeKey": ["arn:{partition}:kms:{region}:{account}:key/*"]
also:
  "iam:PassRole": ["arn:{partition}:iam::{account}:role/x"]
parameters:
  days: {type: integer, default: 7, minimum: 1}
dangers: None that are known to us.
references: ["https://docs.aws.amazon.com/x"]
"""


def read(text: str, folder: str = "rotate") -> tuple[Declaration | None, list[str]]:
    found, errors = read_declaration(text.encode(), "r.yaml", folder, RULES)
    return found, [str(error) for error in errors]


def test_a_declaration_is_read_and_survives_compiling() -> None:
    found, errors = read(GOOD)
    assert errors == [] and found is not None
    assert found.scope == {"kms:DescribeKey": ("arn:{partition}:kms:{region}:{account}:key/*",)}
    assert (found.lost, found.mode, found.verify_seconds) == ("", "automatic", 60)
    assert found.parameters == {"days": {"type": "integer", "default": 7, "minimum": 1}}
    assert Declaration.from_json(json.loads(json.dumps(found.to_json()))) == found


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("id: rotate", "id: Rotate", "r.yaml:1:5: `Rotate` is no snake_case name"),
        ("id: rotate", "id: other", "r.yaml:1:5: id `other` is not the folder's name; expected `rotate`"),
        ("id: rotate\n", "", "lacks the key `id`"),
        ("title: Turn on yearly rotation", "title: [x]", "r.yaml:2:8: `title` is a text of 8 to 120"),
        ("version: 1", "version: true", "r.yaml:3:10: `version` is a whole number from 1 to 10000; found `True`"),
        ("version: 1", "version: 1\nversoin: 2", "r.yaml:4:1: unknown key `versoin`; did you mean `version`?"),
        ("version: 1", "version: 1\nversion: 2", "r.yaml:4:1: "),
        ("[kms-key-rotation]", "[kms-key-rotatoin]", "r.yaml:4:9: unknown rule `kms-key-rotatoin`; did you mean"),
        ("[kms-key-rotation]", "[kms-key-rotation, kms-key-rotation]", "r.yaml:4:27: `kms-key-rotation` stands twice"),
        ("[kms-key-rotation]", "[]", "r.yaml:4:8: `fixes` is a list of texts with at least one"),
        ("[AWS::KMS::Key]", "[AWS::KMS::Kye]", "unknown resource type `AWS::KMS::Kye`; did you mean `AWS::KMS::Key`"),
        ('["kms:EnableKeyRotation"]', "[kms.EnableKeyRotation]", "is no operation such as"),
        ('["kms:EnableKeyRotation"]', '["kms:DescribeKey"]', "`kms:DescribeKey` stands in `reads` already"),
        ('["kms:EnableKeyRotation"]', "[]", "`writes` is a list of texts with at least one"),
        ('"kms:GetKeyRotationStatus"', '"kms:DisableKey"', "r.yaml:6:28: `kms:DisableKey` may change something"),
        ("mode: automatic", "mode: auto", "r.yaml:8:7: unknown mode `auto`; did you mean `automatic`?"),
        ("mode: automatic", "mode: approval", "`mode: approval` asks for at least one person"),
        ("approvals: 0", "approvals: 2", "`automatic` asks nobody; found 2 approvals"),
        ("approvals: 0", "approvals: -1", "r.yaml:9:12: `approvals` is a whole number from 0 to 5; found `-1`"),
        ("destructive: false", "destructive: true", "what is destructive is never automatic"),
        ("destructive: false", 'destructive: "false"', "`destructive` is true or false; found `false`"),
        ("destructive: false", "destructive: no", "r.yaml:10:14: "),
        ("reversible: full", "reversible: partial", "`reversible: partial` lacks `lost`"),
        ("reversible: full", "reversible: full\nlost: a bit", "`reversible: full` loses nothing"),
        ("verify_seconds: 60", "verify_seconds: 1.5", "`verify_seconds` is a whole number"),
        ('  "kms:DescribeKey": [', '  "kms:DescribeKeys": [', "unknown operation `kms:DescribeKeys`; did you mean"),
        ("{region}:{account}:key/*", "{zone}:{account}:key/*", "unknown name in an ARN `zone`"),
        ("arn:{partition}:kms:", "kms:", "is no ARN such as"),
        ('"iam:PassRole"', '"iam:*"', "`iam:*` is no IAM action"),
        ("default: 7", "default: 0", "`0` is below the minimum 1"),
        ("default: 7", 'default: "7"', "expected an integer, found `7`"),
        ("type: integer, ", "", "the parameter lacks the key `type`"),
        ("type: integer", "type: int", "unknown type `int`; did you mean `integer`?"),
        ("minimum: 1", "least: 1", "unknown key `least`"),
        ("https://", "http://", "is no https:// address"),
        ("dangers: None that are known to us.", "dangers: none", "`dangers` is a text of 10 to 4000"),
    ],
)  # fmt: skip
def test_each_mistake_is_told_with_its_place(old: str, new: str, said: str) -> None:
    assert old in GOOD
    found, errors = read(GOOD.replace(old, new, 1))
    assert found is None
    assert len(errors) == 1, errors
    assert said in errors[0]
    assert errors[0].startswith("r.yaml:")


def test_every_mistake_of_a_file_is_told_in_the_order_of_the_file() -> None:
    text = (
        GOOD.replace("mode: automatic", "mode: auto").replace("id: rotate", "id: X").replace("https", "http")
    )
    _, errors = read(text)
    assert [error.split(":")[1] for error in errors] == ["1", "8", "21"]


def test_what_only_proposes_may_write_nothing() -> None:
    text = GOOD.replace('["kms:EnableKeyRotation"]', "[]").replace("mode: automatic", "mode: plan")
    found, errors = read(text)
    assert errors == [] and found is not None and found.writes == ()


def test_taggable_stands_for_every_type_that_can_be_tagged() -> None:
    found, _ = read(GOOD.replace("[AWS::KMS::Key]", "[taggable]"))
    assert found is not None
    assert "AWS::S3::Bucket" in found.types and "taggable" not in found.types


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.text(max_size=8), below, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Declaration.__dataclass_fields__, "other"]), VALUES))
def test_no_document_makes_the_reader_fall(document: dict[str, Any]) -> None:
    found, errors = read_declaration(json.dumps(document).encode(), "r.yaml", "rotate", RULES)
    assert found is None and errors


@pytest.mark.parametrize("key", sorted(Declaration.__dataclass_fields__))
@given(value=VALUES)
def test_no_value_of_one_key_makes_the_reader_fall(key: str, value: Any) -> None:
    import yaml

    document = {**yaml.safe_load(GOOD), key: value}
    found, errors = read_declaration(json.dumps(document).encode(), "r.yaml", "rotate", RULES)
    assert (found is None) == bool(errors)


def write(
    root: Path, name: str, text: str, handler: str = "def image(t, r): ...\ndef plan(t, i): ...\n"
) -> None:
    (root / name).mkdir()
    (root / name / "remediation.yaml").write_text(text)
    (root / name / "handler.py").write_text(handler)


def test_mistakes_of_all_files_are_told_together(tmp_path: Path) -> None:
    write(tmp_path, "rotate", GOOD.replace("version: 1", "version: 0"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "handler.py").write_text("")
    with pytest.raises(RuleErrors) as told:
        read_remediations(tmp_path, RULES)
    assert [str(e).split("/")[-1] for e in told.value.errors] == [
        "empty: lacks `handler.py`",
        "remediation.yaml: cannot be read: no such file or directory",
        "remediation.yaml:3:10: `version` is a whole number from 1 to 10000; found `0`",
    ]


def test_a_rule_has_one_remediation(tmp_path: Path) -> None:
    write(tmp_path, "rotate", GOOD)
    write(tmp_path, "turn", GOOD.replace("id: rotate", "id: turn"))
    with pytest.raises(RuleErrors, match="rule `kms-key-rotation` is fixed by `rotate` already"):
        read_remediations(tmp_path, RULES)


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("def plan(t, i): ...", "has no function `image`"),
        ("", "has no function `image` and no `plan`"),
        ("image = plan = 3", "has no function `image` and no `plan`"),
        ("import nothing_of_that_name", "cannot be loaded: ModuleNotFoundError"),
        ("def (", "cannot be loaded: SyntaxError"),
    ],
)
def test_a_handler_that_cannot_be_used_is_told_with_its_file(tmp_path: Path, handler: str, said: str) -> None:
    write(tmp_path, "rotate", GOOD, handler)
    found = read_remediations(tmp_path, RULES)
    with pytest.raises(Exception, match=said) as told:
        found.handler("rotate")
    assert "rotate/handler.py" in str(told.value)


def test_handlers_are_loaded_when_asked_for_and_once(tmp_path: Path) -> None:
    write(tmp_path, "rotate", GOOD, "from pathlib import Path\nPath(__file__).with_name('ran').write_text('x')\n"
                                    "def image(t, r): ...\ndef plan(t, i): ...\n")  # fmt: skip
    found = read_remediations(tmp_path, RULES)
    assert not (tmp_path / "rotate" / "ran").exists()
    assert found.handler("rotate") is found.handler("rotate")
    assert (tmp_path / "rotate" / "ran").exists()
    with pytest.raises(Exception, match="unknown remediation `rotat`; did you mean `rotate`"):
        found.handler("rotat")


def test_the_compiled_form_is_the_same_and_is_read_without_yaml(tmp_path: Path) -> None:
    import subprocess
    import sys

    write(tmp_path, "rotate", GOOD)
    found = read_remediations(tmp_path, RULES)
    again = parse_remediations(found.to_bytes(), tmp_path)
    assert list(again) == list(found) and again.to_bytes() == found.to_bytes()
    (tmp_path / "compiled.json").write_bytes(found.to_bytes())
    code = (
        "import sys\n"
        "for name in ('yaml', 'pydantic', 'zstandard', 'boto3', 'botocore'): sys.modules[name] = None\n"
        "from pathlib import Path\n"
        "from policyengine.remediate.registry import parse_remediations\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "found = parse_remediations((folder / 'compiled.json').read_bytes(), folder)\n"
        "assert found.handler('rotate').plan and found.of_rule('kms-key-rotation').id == 'rotate'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"format":2,"remediations":[]}', b'{"format":1,"remediations":[{}]}']
)
def test_a_damaged_compiled_form_is_refused(data: bytes) -> None:
    with pytest.raises(Exception, match="compiled remediations"):
        parse_remediations(data, Path())
