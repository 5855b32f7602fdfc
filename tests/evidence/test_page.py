"""What docs/evidence.md and the README in a bundle say, done."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from policyengine.evidence.manifest import ENVELOPE, MANIFEST
from policyengine.evidence.problems import EXIT_CODES
from tests.evidence.building import build, signer
from tests.evidence.tampering import members_of

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
README = (ROOT / "policyengine" / "evidence" / "bundle_readme.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
@pytest.mark.skipif(
    not all(map(shutil.which, ("jq", "openssl", "sha256sum", "base64", "sh"))),
    reason="jq, openssl or coreutils are not installed",
)
def test_the_commands_for_verifying_by_hand(tmp_path: Path, kind: str) -> None:
    by = signer(tmp_path, kind)
    build(tmp_path / "a.zip", by)
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(tmp_path / "a.zip") as opened:
        opened.extractall(folder)
    (folder / "SIGNER.pem").write_bytes(by.public.pem())
    text = README.partition("3. By hand")[2]
    commands = [line.strip() for line in text.splitlines() if line.startswith("     ")]
    either = [line for line in commands if line.startswith(("openssl pkeyutl", "(for a P-256 key:"))]
    assert len(either) == 2
    other = either[1].removeprefix("(for a P-256 key: ").removesuffix(")")
    verify = either[0] if kind == "ed25519" else other
    script = "\n".join(line for line in commands if line not in either)
    script = script.replace("\njq -r '.subject", f"\n{verify}\njq -r '.subject")

    def run() -> tuple[int, str]:
        done = subprocess.run(
            ["sh", "-e", "-c", script], cwd=folder, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    code, said = run()
    assert code == 0, said
    assert re.search(r"Signature Verified Successfully|Verified OK", said)
    assert "FAILED" not in said
    signed, listed = re.findall(r"^[0-9a-f]{64}", said, re.MULTILINE)[:2]
    assert signed == listed, "the digest that was signed is the manifest's"
    assert said.count(": OK") == len(json.loads((folder / MANIFEST).read_bytes())["members"])
    (folder / "population" / "0001.csv").write_bytes(b"other")
    code, said = run()
    assert code != 0
    assert "population/0001.csv: FAILED" in said
    envelope = (folder / ENVELOPE).read_bytes()
    (folder / ENVELOPE).write_bytes(envelope.replace(b'"sig":"', b'"sig":"AAAA', 1))
    assert run()[0] != 0


def test_the_page_shows_the_manifest_as_it_is(tmp_path: Path) -> None:
    build(tmp_path / "a.zip", signer(tmp_path))
    manifest = json.loads(members_of(tmp_path / "a.zip")[MANIFEST])
    (shown,) = re.findall(r"```json\n(\{\"schema\".*?)```", PAGE, re.DOTALL)
    example = json.loads(shown)
    assert list(example) == [name for name in example if name in manifest]
    assert set(example) == set(manifest)
    assert set(example["roots"]["results"]) == set(manifest["roots"]["results"])
    assert set(example["roots"]["population"]) == set(manifest["roots"]["population"])
    assert set(example["inputs"][0]) == set(manifest["inputs"][0])
    assert set(example["withheld"]) == set(manifest["withheld"])
    assert set(example["members"][0]) == set().union(*(member for member in manifest["members"]))
    for member in manifest["members"]:
        top = member["path"].partition("/")[0]
        assert top in PAGE, f"{member['path']} is not on the page"


def test_the_page_has_the_exit_codes() -> None:
    for kind, code in EXIT_CODES.items():
        assert re.search(
            rf"^\| {code} \| .*\b{kind if kind != 'replay' else 'evidence replay'}\b", PAGE, re.MULTILINE
        ), kind
