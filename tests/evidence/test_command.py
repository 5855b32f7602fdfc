"""``policyengine evidence``: verify, prove, check-proof, keygen, as a user meets them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.main import main
from policyengine.evidence.canonical import encode
from policyengine.evidence.manifest import ENVELOPE
from policyengine.model.canonical_json import canonical
from policyengine.model.merkle import Merkle
from policyengine.model.withheld import Withholding
from tests.evidence.building import PLAN, RULES_OF, SECRET, build
from tests.evidence.tampering import Bundle, Manifest, Members, resigned


@pytest.fixture
def made(bundle: Bundle) -> Bundle:
    """The small bundle with the public keys beside it."""
    (bundle.folder / "engine.pub").write_bytes(bundle.engine.public.pem())
    (bundle.folder / "collector.pub").write_bytes(bundle.collector.public.pem())
    return bundle


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["evidence", *map(str, arguments)])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out + said.err


def keys(bundle: Bundle) -> list[object]:
    return ["--key", bundle.folder / "engine.pub", "--key", bundle.folder / "collector.pub"]


def test_verify(made: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(
        capsys, "verify", made.path, *keys(made), "--expect-head", f"sha256:{made.head.manifest_sha256}"
    )
    assert code == 0, said
    for words in (
        "signature: by the given key",
        "byte by byte",
        "population of 4 lines",
        "as it was signed",
        "unbroken chain",
    ):
        assert words in said
    assert f"head  number 1, sha256:{made.head.manifest_sha256}" in said
    assert said.endswith("bundle.zip: verified\n")
    code, said = run(capsys, "verify", made.path, *keys(made))
    assert "no head was given" in said, "what is not known is said"


def test_each_kind_of_problem_has_its_code(made: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    head = ["--expect-head", "0" * 64]
    assert run(capsys, "verify", made.path, *keys(made), *head)[0] == 12
    assert run(capsys, "verify", made.path, "--key", made.folder / "collector.pub")[0] == 11
    data = bytearray(made.path.read_bytes())
    data[-40] ^= 1
    made.target.write_bytes(data)
    code, said = run(capsys, "verify", made.target, *keys(made))
    assert code == 10
    assert "WRONG mismatch:" in said
    assert "NOT verified" in said
    made.target.write_bytes(b"no zip")
    assert run(capsys, "verify", made.target, *keys(made))[0] == 14
    for wrong in (["verify", made.folder / "absent.zip", *keys(made)], ["verify", made.path],
                  ["verify", made.path, "--key", made.path], ["verify", made.path, *keys(made), "--expect-head", "x"]):  # fmt: skip
        assert run(capsys, *wrong)[0] == 2


def test_verify_as_json(made: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, "verify", made.path, *keys(made), "--format", "json")
    value = json.loads(said)
    assert (code, value["verified"], value["problems"]) == (0, True, [])
    assert value["head"] == made.head.to_json()
    code, said = run(capsys, "verify", made.path, "--key", made.folder / "collector.pub", "--format", "json")
    value = json.loads(said)
    assert (code, value["verified"], value["head"]) == (11, False, None)
    assert value["problems"][0]["where"] == ENVELOPE


def test_an_anchor_may_be_a_file(made: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    anchor = made.folder / "head.json"
    anchor.write_bytes(canonical(made.head.to_json()) + b"\n")
    assert run(capsys, "verify", made.path, *keys(made), "--expect-head", anchor)[0] == 0
    anchor.write_bytes(canonical({**made.head.to_json(), "manifest_sha256": "0" * 64}))
    assert run(capsys, "verify", made.path, *keys(made), "--expect-head", anchor)[0] == 12


def test_names_in_a_forged_bundle_do_nothing_to_a_terminal(
    made: Bundle, capsys: pytest.CaptureFixture[str]
) -> None:
    def hostile(members: Members, manifest: Manifest) -> None:
        manifest["members"][0]["path"] = "\x1b[2J\u202e.txt"
        manifest["schema"] = "\x1b[31m"

    resigned(made.path, made.target, made.engine, hostile)
    _, said = run(capsys, "verify", made.target, *keys(made))
    assert "\x1b" not in said
    assert "\u202e" not in said


def proved(
    made: Bundle, capsys: pytest.CaptureFixture[str], *arguments: object, bundle: Path | None = None
) -> tuple[Path, str]:
    proof = made.folder / "proof.json"
    code, said = run(capsys, "prove", bundle or made.path, *arguments, "-o", proof)
    assert code == 0, said
    code, said = run(capsys, "check-proof", proof, "--key", made.folder / "engine.pub")
    assert code == 0, said
    return proof, said


def test_one_resource_is_shown_and_no_other(made: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(4):
        proof, said = proved(made, capsys, f"bucket-{number:07}")
        assert said.count("collected  ") == said.count("judged     ") == 1
        for other in range(4):
            assert (f"bucket-{other:07}" in proof.read_text(encoding="utf-8")) == (other == number)
        assert proof.read_bytes() == encode(json.loads(proof.read_bytes()))


def test_each_letter_is_told_with_its_rule(made: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    """By the list that was signed, and no list of another type is shown."""
    proof, said = proved(made, capsys, "bucket-0000001")
    assert re.findall(r"^ {11}(\S+) +(\S+)$", said, re.MULTILINE) == [("PASS", "a"), ("FAIL", "b")]
    assert "AWS::EC2::VPC" not in proof.read_text(encoding="utf-8")


def test_a_bundle_without_lists_says_so(made: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    def without(members: Members, manifest: Manifest) -> None:
        del members["run/run.json"]
        manifest["members"] = [m for m in manifest["members"] if m["path"] != "run/run.json"]
        manifest["roots"]["rules"] = {"root": hashlib.sha256(b"").hexdigest(), "count": 0}

    resigned(made.path, made.target, made.engine, without)
    _, said = proved(made, capsys, "bucket-0000001", bundle=made.target)
    assert "which rule a letter is of is not shown" in said


def _other_list(change: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def changed(proof: dict[str, Any]) -> None:
        line = json.loads(proof["rules"][0]["line"])
        change(line)
        proof["rules"][0]["line"] = encode(line).decode()

    return changed


def _list_of_another_type(proof: dict[str, Any]) -> None:
    """It is signed, has as many rules, and is not of the type."""
    lines = [canonical({"rules": rules, "type": name}) for name, rules in RULES_OF.items()]
    tree = Merkle()
    at = tree.mark()
    for line in lines:
        tree.add(line)
    path = [node.hex() for node in tree.proof(at).path]
    proof["rules"] = [{"line": lines[0].decode(), "index": 0, "path": path}]


PROOF_CHANGES: dict[str, tuple[int, Any]] = {
    "another line": (
        10,
        lambda p: p["population"][0].update(line=p["population"][0]["line"].replace("prod", "test")),
    ),
    "another row": (10, lambda p: p["results"][0].update(line=p["results"][0]["line"].replace("PF", "PP"))),
    "another index": (10, lambda p: p["population"][0].update(index=0)),
    "a row for a line": (10, lambda p: p.update(population=p["results"])),
    "a path less": (10, lambda p: p["population"][0]["path"].pop()),
    "a path more": (10, lambda p: p["population"][0]["path"].append("0" * 64)),
    "another sibling": (10, lambda p: p["population"][0]["path"].__setitem__(0, "0" * 64)),
    "no line": (14, lambda p: p.update(population=[])),
    "another rule": (10, _other_list(lambda line: line["rules"].__setitem__(0, "z"))),
    "rules swapped": (10, _other_list(lambda line: line["rules"].reverse())),
    "rules of another type": (10, _list_of_another_type),
    "no rules": (10, lambda p: p.update(rules=[])),
    "rules twice": (14, lambda p: p["rules"].append(p["rules"][0])),
    "a line twice": (14, lambda p: p["population"].append(p["population"][0])),
    "a note": (14, lambda p: p.update(note="x")),
    "index as text": (14, lambda p: p["population"][0].update(index="1")),
    "index true": (14, lambda p: p["population"][0].update(index=True)),
    "another schema": (14, lambda p: p.update(schema="x")),
    "a short sibling": (14, lambda p: p["population"][0]["path"].__setitem__(0, "00")),
    "no envelope": (14, lambda p: p.update(envelope={})),
    "another signature": (11, lambda p: p["envelope"]["signatures"][0].update(keyid="0" * 64)),
    "a value of nowhere": (10, lambda p: p["disclosed"].append({"path": "/x", "salt": "0" * 64, "value": 1})),
}


@pytest.mark.parametrize("name", PROOF_CHANGES)
def test_a_changed_proof_does_not_hold(made: Bundle, capsys: pytest.CaptureFixture[str], name: str) -> None:
    proof, _ = proved(made, capsys, "bucket-0000001")
    code, change = PROOF_CHANGES[name]
    value = json.loads(proof.read_bytes())
    change(value)
    proof.write_bytes(encode(value))
    found, said = run(capsys, "check-proof", proof, "--key", made.folder / "engine.pub")
    assert found == code, said
    assert "WRONG" in said


def test_the_row_of_another_resource(made: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    """Both are signed, and not of one resource: a PASS cannot be shown for what failed."""
    proof, _ = proved(made, capsys, "bucket-0000001")
    mine = json.loads(proof.read_bytes())
    proof, _ = proved(made, capsys, "bucket-0000002")
    other = json.loads(proof.read_bytes())
    proof.write_bytes(encode({**mine, "results": other["results"]}))
    code, said = run(capsys, "check-proof", proof, "--key", made.folder / "engine.pub")
    assert code == 10
    assert "more than one resource" in said
    proof.write_bytes(encode({**mine, "results": []}))
    code, said = run(capsys, "check-proof", proof, "--key", made.folder / "engine.pub")
    assert (code, "it shows no verdicts" in said) == (0, True)


def test_withheld_values_are_shown_when_asked_for(made: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    full = made.folder / "full.zip"
    build(full, made.engine, withholding=Withholding(PLAN, SECRET))
    _, said = proved(made, capsys, "bucket-0000001", bundle=full)
    assert "team-1" not in said
    proof, said = proved(made, capsys, "bucket-0000001", "--disclose", bundle=full)
    assert "disclosed  tags:/Tags/owner: team-1" in said
    assert "disclosed  /Secret: s1" in said
    value = json.loads(proof.read_bytes())
    value["disclosed"][0]["value"] = "s2"
    proof.write_bytes(encode(value))
    code, said = run(capsys, "check-proof", proof, "--key", made.folder / "engine.pub")
    assert (code, "not the one that was withheld" in said) == (10, True)


def test_what_cannot_be_proved(made: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    proof = made.folder / "p.json"
    code, said = run(capsys, "prove", made.path, "no-such", "-o", proof)
    assert (code, "is no resource of" in said) == (2, True)
    code, said = run(capsys, "prove", made.path, "bucket-0000001", "--region", "us-east-1", "-o", proof)
    assert code == 2
    code, said = run(capsys, "prove", made.path, "bucket-0000001", "-o", made.folder / "absent" / "p.json")
    assert (code, "cannot be written" in said) == (2, True)

    def fewer(members: Members, manifest: Manifest) -> None:
        manifest["roots"]["population"]["root"] = "0" * 64

    resigned(made.path, made.target, made.engine, fewer)
    code, said = run(capsys, "prove", made.target, "bucket-0000001", "-o", proof)
    assert (code, "verify the bundle" in said) == (10, True)
    assert not proof.exists()
    proof.write_bytes(b"[]")
    assert run(capsys, "check-proof", proof, "--key", made.folder / "engine.pub")[0] == 14
    assert run(capsys, "check-proof", made.folder / "absent", "--key", made.folder / "engine.pub")[0] == 2


def test_keygen(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for kind in ("ed25519", "ecdsa-p256"):
        path = tmp_path / f"{kind}.pem"
        code, said = run(capsys, "keygen", path, "--type", kind)
        assert code == 0
        assert "key id" in said
        assert "PRIVATE" not in said
        code, said = run(capsys, "keygen", path)
        assert (code, "never replaced" in said) == (2, True)
