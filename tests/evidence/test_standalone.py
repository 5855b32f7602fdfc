"""The program in every bundle: with the standard library alone, on old and new Pythons, it finds what is changed."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from policyengine.evidence import standalone
from policyengine.evidence.bundle_writer import own_texts
from policyengine.evidence.manifest import ENVELOPE, MANIFEST
from policyengine.model.withheld import Withholding
from tests.evidence.building import PLAN, SECRET, build, journal, signer
from tests.evidence.tampering import RESULTS, Bundle, Manifest, Members, members_of, pack, unpack, write_zip
from tests.evidence.test_tamper import altered, dropped, emptied, longer, renamed, shorter

OTHER_PYTHONS = sorted(Path("~/.pyenv/versions").expanduser().glob("3.*/bin/python"))
NEWER = [path for path in OTHER_PYTHONS if int(path.parts[-3].split(".")[1]) >= 9]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with its own texts, and the keys beside it."""
    made = Bundle(tmp_path_factory.mktemp("standalone"))
    (made.folder / "engine.pub").write_bytes(made.engine.public.pem())
    (made.folder / "collector.pub").write_bytes(made.collector.public.pem())
    with zipfile.ZipFile(made.path) as opened:
        (made.folder / "verify.py").write_bytes(opened.read("verify.py"))
    return made


def keys(bundle: Bundle) -> list[str]:
    return ["--key", str(bundle.folder / "engine.pub"), "--key", str(bundle.folder / "collector.pub")]


def run(
    bundle: Bundle, path: Path, *arguments: str, python: Path = Path(sys.executable), env: Any = None
) -> tuple[int, str]:
    done = subprocess.run(
        [str(python), "-I", "-S", str(bundle.folder / "verify.py"), str(path), *arguments],
        capture_output=True, text=True, check=False, env=env,
    )  # fmt: skip
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def verdict(bundle: Bundle) -> int:
    """Its exit code on the changed bundle, in this process."""
    return standalone.main([str(bundle.target), *keys(bundle)])


def test_it_imports_nothing_else_and_is_of_python_3_9() -> None:
    tree = ast.parse(own_texts()[1], feature_version=(3, 9))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= sys.stdlib_module_names


@pytest.mark.parametrize("python", NEWER, ids=lambda path: path.parts[-3])
def test_other_pythons_verify_what_is_in_the_bundle(whole: Bundle, python: Path) -> None:
    code, said = run(
        whole, whole.path, *keys(whole), "--expect-head", whole.head.manifest_sha256, python=python
    )
    assert code == 0, said
    assert f"head: sha256:{whole.head.manifest_sha256}" in said
    data = bytearray(whole.path.read_bytes())
    data[len(data) // 2] ^= 1
    whole.target.write_bytes(data)
    code, said = run(whole, whole.target, *keys(whole), python=python)
    assert code in (10, 11, 14), said
    assert said.startswith("WRONG ")


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_both_kinds_of_keys(whole: Bundle, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    by = signer(whole.folder, kind, 3)
    (whole.folder / "by.pub").write_bytes(by.public.pem())
    build(whole.target, by)
    assert standalone.main([str(whole.target), "--key", str(whole.folder / "by.pub")]) == 0
    assert standalone.main([str(whole.target), "--key", str(whole.folder / "engine.pub")]) == 11
    members = members_of(whole.target)
    envelope = json.loads(members[ENVELOPE])
    envelope["signatures"][0]["sig"] = ("B" if envelope["signatures"][0]["sig"][9] == "A" else "A").join(
        (envelope["signatures"][0]["sig"][:9], envelope["signatures"][0]["sig"][10:])
    )
    members[ENVELOPE] = json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()
    write_zip(whole.target, members)
    assert standalone.main([str(whole.target), "--key", str(whole.folder / "by.pub")]) == 11
    assert "not one of the given key" in capsys.readouterr().out


def test_without_a_key_or_openssl_it_is_no_success(whole: Bundle) -> None:
    code, said = run(whole, whole.path)
    assert code == 3
    assert "NOT CHECKED: the signature" in said
    code, said = run(whole, whole.path, *keys(whole), env={**os.environ, "PATH": "/nowhere"})
    assert code == 3
    assert "not everything was checked" in said


def test_a_full_bundle_says_what_it_cannot_check(whole: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    for disclose, code in ((True, 3), (False, 0)):
        build(
            whole.target,
            whole.engine,
            collector=whole.collector,
            withholding=Withholding(PLAN, SECRET),
            disclose=disclose,
        )
        assert verdict(whole) == code
    assert "values that may be withheld" in capsys.readouterr().out


def test_ours_and_it_agree_on_every_byte(whole: Bundle) -> None:
    """Byte by byte, where ours finds something it does too (every 97th here, with every end of a region)."""
    data = bytearray(whole.path.read_bytes())
    for at in [*range(0, len(data), 97), *range(len(data) - 30, len(data))]:
        data[at] ^= 1 << (at % 8)
        whole.target.write_bytes(data)
        data[at] ^= 1 << (at % 8)
        assert verdict(whole) in (10, 11, 14), at


@pytest.mark.parametrize("change", [dropped, renamed, emptied, longer, shorter, altered])
def test_members_changed(whole: Bundle, change: Any) -> None:
    for name in members_of(whole.path):
        write_zip(whole.target, partial(change, name=name)(members_of(whole.path)))
        assert verdict(whole) in (10, 11, 14), name


def test_zips_changed(whole: Bundle) -> None:
    data = whole.path.read_bytes()
    for changed in (data + b"x", b"x" + data, data[:-1], data[:-2] + b"\3\0hey", b"", b"PK"):
        whole.target.write_bytes(changed)
        assert verdict(whole) in (10, 14)
    shutil.copy(whole.path, whole.target)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(whole.target, "a") as opened:
        opened.writestr(RESULTS, b"other")
    assert verdict(whole) == 10


def signed_again(whole: Bundle, change: Any) -> int:
    whole.signed_again(change)
    return verdict(whole)


def test_lines_gzip_and_statements_that_the_right_key_signed(whole: Bundle) -> None:
    data = members_of(whole.path)[RESULTS]
    content = unpack(data)
    lines = content.splitlines(keepends=True)
    forms = [
        pack(b"".join(lines[:-1])),
        pack(b"".join(reversed(lines))),
        pack(b"".join([*lines, b"\n"])),
        data + pack(b""),
        data[:9] + b"\3" + data[10:],
        pack(lines[0]) + pack(b"".join(lines[1:])),
    ]
    for form in forms:

        def change(members: Members, manifest: Manifest, form: bytes = form) -> None:
            members[RESULTS] = form

        assert signed_again(whole, change) == 10

    def coverage(members: Members, manifest: Manifest) -> None:
        members["snapshot/0001/manifest.json"] += b" "

    assert signed_again(whole, coverage) == 10

    def one_input(members: Members, manifest: Manifest) -> None:
        manifest["inputs"][1]["root"] = "0" * 64

    assert signed_again(whole, one_input) == 10


def test_journal_and_chain(whole: Bundle) -> None:
    entries = journal().splitlines(keepends=True)
    for changed, code in (
        ([entries[0], entries[2]], 12),
        ([entries[1], entries[0]], 12),
        ([b"{}\n"], 14),
        ([b"[]\n"], 14),
    ):

        def change(members: Members, manifest: Manifest, changed: list[bytes] = changed) -> None:
            members["remediation/actions.ndjson"] = b"".join(changed)

        assert signed_again(whole, change) == code
    second, third = whole.folder / "2.zip", whole.folder / "3.zip"
    head = build(second, whole.engine, previous=whole.head)
    head = build(third, whole.engine, previous=head)
    given = keys(whole)
    chain = ["--previous", str(second), "--previous", str(whole.path)]
    assert (
        standalone.main([str(third), *given, *chain, "--expect-head", f"sha256:{head.manifest_sha256}"]) == 0
    )
    assert standalone.main([str(third), *given, "--previous", str(whole.path)]) == 12
    assert standalone.main([str(second), *given, "--previous", str(third)]) == 12
    assert standalone.main([str(second), *given, "--expect-head", head.manifest_sha256]) == 12


def test_manifests_of_another_form(whole: Bundle, capsys: pytest.CaptureFixture[str]) -> None:
    for name in json.loads(members_of(whole.path)[MANIFEST]):

        def change(members: Members, manifest: Manifest, name: str = name) -> None:
            manifest[name] = 5

        members = members_of(whole.path)
        manifest = json.loads(members[MANIFEST])
        change(members, manifest)
        text = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        write_zip(whole.target, {**members, MANIFEST: text})
        assert standalone.main([str(whole.target)]) in (10, 14), name
    assert "Traceback" not in capsys.readouterr().out
