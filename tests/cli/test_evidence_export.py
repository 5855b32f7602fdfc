"""A run as a bundle: exported, verified and performed again by separate processes, as an auditor would."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from tests.cli.conftest import Run

ROOT = Path(__file__).resolve().parents[2]
AS_OF = ("--as-of", "2026-11-22T00:00:00Z")
FAST = ("--without", "html", "--without", "xlsx", "--without", "well-architected")


@pytest.fixture
def exported(run: Run, tmp_path: Path) -> Path:
    run("evidence", "keygen", "key")
    run(
        "scan",
        str(ROOT / "examples/template.yaml"),
        str(ROOT / "examples/organization"),
        "-q",
        "-o",
        "kept",
        *AS_OF,
    )
    done = run("evidence", "export", "kept", "--sign-key", "key", "--framework", "soc2", *FAST, "-o", "e.zip")
    assert done.code == 0, done.err
    return tmp_path / "e.zip"


def member(bundle: Path, name: str) -> bytes:
    with zipfile.ZipFile(bundle) as opened:
        return opened.read(name)


def test_a_bundle_verifies_and_every_verdict_is_performed_again(run: Run, exported: Path) -> None:
    verified = run("evidence", "verify", "e.zip", "--key", "key.pub")
    assert verified.code == 0, verified.out
    again = run("evidence", "replay", "e.zip", "--key", "key.pub", "-j", "2")
    assert again.code == 0, again.out
    assert "the same results root" in again.out
    root = json.loads(member(exported, "MANIFEST.json"))["roots"]["results"]["root"]
    assert f"root  sha256:{root}" in again.out


@pytest.mark.slow
def test_the_same_run_gives_the_same_bytes_anywhere(run: Run, exported: Path, tmp_path: Path) -> None:
    for name, env in (
        ("a.zip", {"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "7"}),
        ("b.zip", {"LC_ALL": "C", "TZ": "UTC"}),
    ):
        run(
            "evidence",
            "export",
            "kept",
            "--sign-key",
            "key",
            "--framework",
            "soc2",
            *FAST,
            "-o",
            name,
            env=env,
        )
        assert (tmp_path / name).read_bytes() == exported.read_bytes()
    run(
        "scan",
        str(ROOT / "examples/template.yaml"),
        str(ROOT / "examples/organization"),
        "-q",
        "-o",
        "k2",
        *AS_OF,
        "-j",
        "2",
    )
    run("evidence", "export", "k2", "--sign-key", "key", "--framework", "soc2", *FAST, "-o", "c.zip")
    assert (tmp_path / "c.zip").read_bytes() == exported.read_bytes(), "two processes keep the same run"


def test_populations_add_up_to_the_rows(exported: Path) -> None:
    index = json.loads(member(exported, "population/index.json"))
    letters = json.loads(member(exported, "MANIFEST.json"))["roots"]["results"]["verdicts"]
    assert len(index["members"]) > 5 and sum(letters.values()) > 20_000
    for file in index["members"]:
        table = list(csv.reader(io.StringIO(member(exported, file["file"]).decode(), newline="")))
        heads, *resources = table[file["header_rows"] :]
        assert len(resources) == file["resources"]
        asked = [heads.index(rule) for rule in file["rules"]]
        counted = Counter(line[at] for line in resources for at in asked if line[at])
        assert counted == Counter({verdict: n for verdict, n in file["verdicts"].items() if n})
    assert all(
        control["file"] in {None, *(file["file"] for file in index["members"])}
        for control in index["controls"]
    )


@pytest.mark.slow
def test_what_was_left_out_is_stated(run: Run, exported: Path, tmp_path: Path) -> None:
    lines = member(exported, "exclusions.csv").decode().splitlines()
    assert lines[0] == f"exclusions,{len(lines) - 3}"
    (tmp_path / "policyengine.yaml").write_text("disabled: {s3-tls-only: =not ours}\n")
    target = str(ROOT / "examples/template.yaml")
    run("scan", target, "--config", "policyengine.yaml", "-q", "-o", "less", *AS_OF)
    run("evidence", "export", "less", "--sign-key", "key", "--framework", "soc2", *FAST, "-o", "less.zip")
    text = member(tmp_path / "less.zip", "exclusions.csv").decode()
    assert "rule disabled in the configuration,s3-tls-only,'=not ours," in text
    assert (
        member(tmp_path / "less.zip", "config/policyengine.yaml")
        == (tmp_path / "policyengine.yaml").read_bytes()
    )


@pytest.mark.slow
def test_bundles_follow_each_other(run: Run, exported: Path, tmp_path: Path) -> None:
    given = ("evidence", "export", "kept", "--sign-key", "key", "--framework", "soc2", *FAST)
    assert run(*given, "--previous", "e.zip", "-o", "next.zip").code == 0
    manifest = json.loads(member(tmp_path / "next.zip", "MANIFEST.json"))
    assert manifest["sequence"] == 2
    found = run("evidence", "verify", "next.zip", "--key", "key.pub", "--previous", "e.zip")
    assert found.code == 0, found.out
    run("evidence", "keygen", "other")
    refused = run(
        "evidence", "export", "kept", "--sign-key", "other", *FAST, "--previous", "e.zip", "-o", "x.zip"
    )
    assert refused.code == 2 and not (tmp_path / "x.zip").exists(), (
        "nobody follows a bundle of a key that is not known"
    )


def test_a_verdict_that_does_not_follow_is_found(run: Run, exported: Path, tmp_path: Path) -> None:
    """Whoever signs can sign anything: only performing it again shows that a verdict was made up."""
    import zstandard

    from policyengine.model.merkle import root_of

    file = tmp_path / "kept/results/0001.ndjson.zst"
    lines = zstandard.ZstdDecompressor().decompressobj().decompress(file.read_bytes()).split(b"\n")[:-1]
    at = next(i for i, line in enumerate(lines) if b'"verdicts":"P' in line)
    lines[at] = lines[at].replace(b'"verdicts":"P', b'"verdicts":"N', 1)
    file.write_bytes(zstandard.ZstdCompressor().compress(b"".join(line + b"\n" for line in lines)))
    about = json.loads((tmp_path / "kept/run.json").read_text())
    about["roots"]["results"]["root"] = f"sha256:{root_of(lines).hex()}"
    (tmp_path / "kept/run.json").write_text(json.dumps(about))
    assert run("evidence", "export", "kept", "--sign-key", "key", *FAST, "-o", "lie.zip").code == 0
    assert run("evidence", "verify", "lie.zip", "--key", "key.pub").code == 0
    found = run("evidence", "replay", "lie.zip", "--key", "key.pub")
    assert found.code == 13
    assert f"WRONG replay: row {at + 1}: " in found.out
    assert "is PASS, the bundle says NOT_APPLICABLE" in found.out


def test_a_row_that_was_changed_without_its_root_is_not_exported(
    run: Run, exported: Path, tmp_path: Path
) -> None:
    about = json.loads((tmp_path / "kept/run.json").read_text())
    about["roots"]["results"]["root"] = f"sha256:{'0' * 64}"
    (tmp_path / "kept/run.json").write_text(json.dumps(about))
    done = run("evidence", "export", "kept", "--sign-key", "key", *FAST, "-o", "no.zip")
    assert done.code == 2 and not (tmp_path / "no.zip").exists()
    assert "its root is" in done.err


def test_a_tampered_bundle_is_not_unpacked(run: Run, exported: Path) -> None:
    data = bytearray(exported.read_bytes())
    data[len(data) // 2] ^= 1
    exported.write_bytes(data)
    found = run("evidence", "replay", "e.zip", "--key", "key.pub")
    assert found.code == 10
    assert "what does not verify is not unpacked" in found.out
    assert run("evidence", "replay", "e.zip").code == 10, "nor without a key"


@pytest.mark.slow
def test_what_a_damaged_part_took_away_stays_away(run: Run, tmp_path: Path) -> None:
    """A part that cannot be read withdraws what its account and region promised, here and wherever it is judged again."""
    import shutil

    folder = tmp_path / "snapshot"
    shutil.copytree(ROOT / "examples/organization", folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["collection"] = {"redaction_key": "00000000"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / manifest["parts"][0]["path"]).unlink()
    broken = folder / manifest["parts"][5]["path"]
    broken.write_bytes(broken.read_bytes()[:-40])
    run("evidence", "keygen", "key")
    assert run("scan", "snapshot", "-q", "-o", "kept", *AS_OF).code == 4
    run("evidence", "export", "kept", "--sign-key", "key", *FAST, "-o", "e.zip")
    found = run("evidence", "replay", "e.zip", "--key", "key.pub")
    assert found.code == 0, found.out


@pytest.mark.slow
def test_a_target_is_judged_and_exported_at_once(run: Run, tmp_path: Path) -> None:
    run("evidence", "keygen", "key")
    target = str(ROOT / "examples/template.yaml")
    assert run("evidence", "export", target, "--sign-key", "key", *AS_OF, *FAST, "-o", "e.zip").code == 0
    assert run("evidence", "replay", "e.zip", "--key", "key.pub").code == 0
    missing = run("evidence", "export", "nothing.yaml", "--sign-key", "key", *FAST, "-o", "f.zip")
    assert missing.code == 2 and not (tmp_path / "f.zip").exists()
