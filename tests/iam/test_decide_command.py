"""`policyengine iam decide`: one line a scenario, in order; bad lines named; the documented tables."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.main import main
from policyengine.iam.coverage import RCP_SERVICES
from policyengine.iam.reasons import BLOCKS, REASONS
from policyengine.iam.scenarios import KEYS
from tests.iam.scenario import CALLERS, load, scenario

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "iam.md").read_text(encoding="utf-8")


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, list[Any], list[str]]:
    with pytest.raises(SystemExit) as done:
        main(["iam", "decide", *arguments])
    captured = capsys.readouterr()
    return (
        int(done.value.code or 0),
        [json.loads(x) for x in captured.out.splitlines()],
        captured.err.splitlines(),
    )


def plain(scenario_id: Any, **more: Any) -> dict[str, Any]:
    request = {"principal": CALLERS["alice"], "action": "s3:GetObject", "resource": "arn:aws:s3:::b/k"}
    return {"id": scenario_id, "request": request, **more}


def test_each_scenario_has_its_line_in_order(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cases = [scenario(case) for group in load("layers.yaml")["groups"] for case in group["cases"]]
    file = tmp_path / "scenarios.ndjson"
    file.write_text("\n".join(json.dumps(c) for c in cases) + "\n\n", encoding="utf-8")
    code, answers, errors = run([str(file)], capsys)
    assert (code, errors) == (0, [])
    assert [a["id"] for a in answers] == [c["id"] for c in cases]
    assert {tuple(a)[:4] for a in answers} == {("id", "decision", "deciding", "reasons")}


def test_what_a_line_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    policy = {
        "Version": "2012-10-17",
        "Statement": [
            {"Sid": "Read", "Effect": "Allow", "Action": "s3:Get*", "Resource": "*"},
            {"Effect": "Deny", "Action": "s3:*", "Resource": "arn:aws:s3:::other/*"},
        ],
    }
    file = tmp_path / "one.ndjson"
    file.write_text(json.dumps(plain(7, identity_policies=[policy], scps=[[policy]])), encoding="utf-8")
    _, answers, _ = run([str(file)], capsys)
    assert answers == [
        {
            "id": 7,
            "decision": "Allowed",
            "deciding": [
                {"layer": "identity", "policy": 0, "statement": 0, "sid": "Read"},
                {"layer": "scp", "level": 0, "policy": 0, "statement": 0, "sid": "Read"},
            ],
            "reasons": [
                {"layer": "identity", "policy": 0, "statement": 1, "sid": None, "code": "resource_not_named"},
                {
                    "layer": "scp",
                    "level": 0,
                    "policy": 0,
                    "statement": 1,
                    "sid": None,
                    "code": "resource_not_named",
                },
            ],
        }
    ]


BAD = [
    ("{", "$: not valid JSON: expecting property name"),
    ("[]", "$: no scenario; found an empty list; expected an object with `id` and `request`"),
    ('{"request": {}}', "$.id: no id; found null; expected a text or a number"),
    ('{"id": 1}', "$.request: no request; found null; expected an object"),
    ('{"id": 1, "id": 2}', "$: the key `id` stands twice in one object"),
    ("[" * 5000, "$: nested deeper than 128 levels"),
    (json.dumps(plain(1, policies=[])), "$: no such key; found `policies`; expected decision, "),
    (json.dumps(plain(1, identity_policies=[{"Statement": [{"Effect": "x"}]}])), "$.identity_policies[0].Statement[0].Effect: no such effect; found `x`; expected `Allow` or `Deny`"),
    (json.dumps(plain(1, management_account=1)), "$.management_account: no text; found the number 1; expected an account id"),
    (json.dumps(plain(1, identity_policies=[{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"a\n\x1b[0m" + "b" * 99: 1}}}])), "$.identity_policies[0].Statement.Condition.a\\n\\x1b[0mbbb"),
    (json.dumps(plain(1, scps={})), "$.scps: no list; found an object; expected a list for each level, the root first"),
    (json.dumps(plain(1, public_access_block={"bucket": {"x": True}})), "$.public_access_block.bucket: no settings"),
    (json.dumps(plain(1, public_access_block={"bucket": {"BlockPublicAcls": 1}})), "$.public_access_block.bucket.BlockPublicAcls: no Boolean; found the number 1"),
    (json.dumps({"id": 1, "request": {"principal": "alice", "action": "s3:GetObject", "resource": "*"}}), "$.request.principal: no principal; found `alice`; expected an ARN"),
    (json.dumps({"id": 1, "request": {"principal": "*", "action": "s3:*", "resource": "*"}}), "$.request.action: no action; found `s3:*`; expected `service:Name` without wildcards"),
    (json.dumps({"id": 1, "request": {"principal": "*", "action": "s3:Get", "resource": "*", "context": {"a:b": {}}}}), "$.request.context.a:b: no value; found an object"),
]  # fmt: skip


def test_bad_lines_are_named_and_the_others_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mixed.ndjson"
    lines = [json.dumps(plain("first")).encode()]
    lines += [text.encode() for text, _ in BAD]
    lines += [b"\xff\xfe", json.dumps(plain("last", remark="kept out of it")).encode()]
    file.write_bytes(b"\xef\xbb\xbf" + b"\n".join(lines))
    code, answers, errors = run([str(file)], capsys)
    assert code == 2
    assert [a["id"] for a in answers] == ["first", "last"]
    assert len(errors) == len(BAD) + 1
    for number, (error, (_, expected)) in enumerate(zip(errors, BAD, strict=False), 2):
        assert error.startswith(f"error: {file}:{number}: {expected}"), error
    assert errors[-1].endswith(f":{len(BAD) + 2}: not UTF-8 text")


def test_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    stream = io.TextIOWrapper(io.BytesIO(json.dumps(plain("a")).encode()))
    monkeypatch.setattr(sys, "stdin", stream)
    code, answers, _ = run(["-"], capsys)
    assert (code, [a["decision"] for a in answers]) == (0, ["ImplicitlyDenied"])


def test_a_file_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, answers, errors = run([str(tmp_path / "none.ndjson")], capsys)
    assert (code, answers) == (2, [])
    assert errors == [f"error: cannot read `{tmp_path / 'none.ndjson'}`: no such file or directory"]


def test_the_page_has_every_code_key_and_service() -> None:
    codes = dict(re.findall(r"^\| `([a-z_]+)` \| (.+?) \|$", PAGE, flags=re.MULTILINE))
    assert {**REASONS, **BLOCKS}.items() <= codes.items()
    assert all(f"`{key}`" in PAGE for key in KEYS)
    assert all(f"`{service}`" in PAGE for service in RCP_SERVICES)
