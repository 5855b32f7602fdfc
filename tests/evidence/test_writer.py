"""Writing bundles: the same bytes whatever the order, and nothing that could not be verified."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from policyengine.evidence import standalone
from policyengine.evidence.bundle_writer import CSV, JSON, BundleWriter
from policyengine.evidence.dsse import seal
from policyengine.evidence.manifest import (
    ROLE_POPULATION,
    ROLE_RESULTS,
    ROLE_STATEMENT,
    SECRET_FILE,
    read_manifest,
)
from policyengine.evidence.problems import MISMATCH, SCHEMA, BundleError
from policyengine.evidence.statement import Collected, Root, population_statement
from policyengine.evidence.verify import examine, verify_bundle
from policyengine.model.errors import UsageError
from policyengine.model.merkle import root_of
from policyengine.model.withheld import Plan, Withholding
from tests.evidence.building import FIELDS, PLAN, SECRET, bucket, build, row, signer
from tests.evidence.tampering import Manifest, Members, members_of, resigned

SCRIPT = """
import sys
from hashlib import sha256
from pathlib import Path
from tests.evidence.building import build, signer
folder = Path(sys.argv[1])
build(folder / sys.argv[2], signer(folder, "p256"), collector=signer(folder, "p256", 1))
"""


def test_the_same_bytes_from_another_process_time_zone_locale_and_hash_seed(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    texts = []
    for number, (seed, zone, locale) in enumerate(
        (("0", "UTC", "C"), ("7", "Asia/Kathmandu", "tr_TR.UTF-8"))
    ):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale, "PYTHONPATH": str(root)}
        name = f"{number}.zip"
        subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path), name], check=True, env=env, cwd=root)
        texts.append((tmp_path / name).read_bytes())
    assert texts[0] == texts[1]


def test_members_may_come_in_any_order_and_at_the_same_time(tmp_path: Path) -> None:
    by, texts = signer(tmp_path), []
    for order in ((0, 1, 2), (2, 1, 0)):
        path = tmp_path / "a.zip"
        with BundleWriter(path) as bundle:
            opened = {n: bundle.add(f"population/{n}.csv", "population-csv", CSV) for n in order}
            with (
                bundle.lines("results/0001.ndjson.gz", ROLE_RESULTS) as rows,
                bundle.lines("snapshot/0001/resources/a.ndjson.gz", ROLE_POPULATION) as part,
            ):
                for n in range(3):
                    rows.write_line(row(n))
                    part.write_lines([bucket(n)])
                    opened[n].write(b"%d\n" % n)
            bundle.finish(FIELDS, by)
        texts.append(path.read_bytes())
        assert verify_bundle(path, [by.public]) == []
    assert texts[0] == texts[1]
    assert [entry.name for entry in tmp_path.iterdir() if entry.name.startswith(".")] == [], (
        "nothing is left behind"
    )


def test_text_goes_through_a_wrapper_and_files_are_copied(tmp_path: Path) -> None:
    by = signer(tmp_path)
    (tmp_path / "source").write_bytes(b"\0\1" * 1_000_000)
    with BundleWriter(tmp_path / "a.zip") as bundle:
        with bundle.text("a.csv", "csv", CSV) as text:
            text.write("ä\r\n")
        bundle.add_file("b.bin.gz", tmp_path / "source", "other", "application/gzip")
        bundle.finish(FIELDS, by)
    assert verify_bundle(tmp_path / "a.zip", [by.public]) == []
    assert members_of(tmp_path / "a.zip")["a.csv"] == "ä\r\n".encode()


def test_an_empty_run_is_a_bundle_too(tmp_path: Path) -> None:
    by = signer(tmp_path)
    with BundleWriter(tmp_path / "a.zip") as bundle:
        bundle.finish(FIELDS, by)
    found = examine(tmp_path / "a.zip", [by.public])
    assert found.problems == []
    assert found.manifest is not None
    assert found.manifest.population.root.count == 0


def test_without_finish_there_is_no_bundle(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with BundleWriter(path) as bundle:
        bundle.add_bytes("a.json", b"{}", "other", JSON)
    assert not path.exists()
    path.write_bytes(b"the old one")
    with pytest.raises(RuntimeError, match="stop"), BundleWriter(path) as bundle:
        bundle.add("a.json", "other", JSON).write(b"{")
        raise RuntimeError("stop")
    assert path.read_bytes() == b"the old one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["a.zip"]


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError, match="cannot be written"), BundleWriter(tmp_path / "file" / "a.zip"):
        pass
    (tmp_path / "folder").mkdir()
    with pytest.raises(UsageError, match="cannot be written"), BundleWriter(tmp_path / "folder") as bundle:
        bundle.finish(FIELDS, signer(tmp_path))


@pytest.mark.parametrize(
    "path",
    ["../a", "a b", "/a", "", "A.txt", "MANIFEST.json", "MANIFEST.dsse.json", SECRET_FILE, "config/.hidden"],
)
def test_members_that_cannot_be(tmp_path: Path, path: str) -> None:
    with (
        BundleWriter(tmp_path / "a.zip") as bundle,
        pytest.raises(ValueError, match=r"cannot be a member|by the writer"),
    ):
        bundle.add(path, "other", JSON)


def test_mistakes_of_an_exporter(tmp_path: Path) -> None:
    with BundleWriter(tmp_path / "a.zip") as bundle:
        bundle.add_bytes("a.json", b"{}", "other", JSON)
        with pytest.raises(ValueError, match="there already"):
            bundle.add("a.json", "other", JSON)
        with pytest.raises(ValueError, match="through `lines"):
            bundle.add("b.ndjson.gz", ROLE_RESULTS, JSON)
        with pytest.raises(ValueError, match="lines are in members"):
            bundle.lines("results/0001.csv", ROLE_RESULTS)
        with pytest.raises(ValueError, match="lines are in members"):
            bundle.lines("results/0001.ndjson.gz", "other")
        rows = bundle.lines("results/0001.ndjson.gz", ROLE_RESULTS)
        with pytest.raises(ValueError, match="no row"):
            rows.write_line(b"{}")
        part = bundle.lines("snapshot/0001/resources/a.ndjson.gz", ROLE_POPULATION)
        with pytest.raises(ValueError, match="line feed"):
            part.write_line(b"a\nb")


def test_what_no_verifier_would_read_is_not_written(tmp_path: Path) -> None:
    by = signer(tmp_path)
    with BundleWriter(tmp_path / "a.zip") as bundle:
        for folder in ("snapshot/0002", "snapshot/0001"):
            bundle.lines(f"{folder}/a.ndjson.gz", ROLE_POPULATION).write_line(b"{}")
        with pytest.raises(BundleError, match="order of inputs") as refused:
            bundle.finish(FIELDS, by)
        assert refused.value.problem.kind == SCHEMA
    with BundleWriter(tmp_path / "b.zip") as bundle:
        bundle.add_bytes("README.TXT", b"", "other", JSON)
        with pytest.raises(BundleError, match="case does not matter"):
            bundle.finish(FIELDS, by)
    with (
        BundleWriter(tmp_path / "c.zip") as bundle,
        pytest.raises(BundleError, match="the run's is") as refused,
    ):
        bundle.finish(FIELDS, by, population_root="0" * 64)
    assert refused.value.problem.kind == MISMATCH
    assert not list(tmp_path.glob("*.zip"))


@pytest.mark.parametrize("collected", [False, True])
def test_full_and_redacted_bundles_have_the_same_roots(tmp_path: Path, collected: bool) -> None:
    by = signer(tmp_path)
    holding = Withholding(PLAN, SECRET)
    manifests = {}
    for name, disclose in (("full", True), ("redacted", False)):
        path = tmp_path / f"{name}.zip"
        build(path, by, withholding=holding, disclose=disclose, collector=by if collected else None)
        assert verify_bundle(path, [by.public]) == []
        members = members_of(path)
        manifests[name] = read_manifest(members["MANIFEST.json"])
        lines = b"".join(
            gzip.decompress(data)
            for path, data in members.items()
            if path.startswith("snapshot/") and path.endswith(".gz")
        )
        assert (b"team-1" in lines) == disclose
        assert (SECRET_FILE in members) == disclose
        assert (SECRET.hex().encode() in b"".join(members.values())) == disclose
    assert manifests["full"].population.root == manifests["redacted"].population.root
    assert manifests["full"].results == manifests["redacted"].results
    plain = tmp_path / "plain.zip"
    build(plain, by)
    assert (
        read_manifest(members_of(plain)["MANIFEST.json"]).population.root != manifests["full"].population.root
    )


def test_another_secret_or_plan_is_found(tmp_path: Path) -> None:
    by, target = signer(tmp_path), tmp_path / "changed.zip"
    path = tmp_path / "full.zip"
    build(path, by, withholding=Withholding(PLAN, SECRET))

    def secret(members: Members, manifest: Manifest) -> None:
        members[SECRET_FILE] = b"00" * 32 + b"\n"

    def no_secret(members: Members, manifest: Manifest) -> None:
        members[SECRET_FILE] = b"no secret\n"

    def plan(members: Members, manifest: Manifest) -> None:
        manifest["withheld"]["plan"] = Plan({}, ("env",)).to_json()

    def no_plan(members: Members, manifest: Manifest) -> None:
        manifest["withheld"]["plan"] = {"tags": 5}

    def redacted(members: Members, manifest: Manifest) -> None:
        manifest["withheld"]["state"] = "redacted"

    for change, kind in (
        (secret, MISMATCH),
        (no_secret, SCHEMA),
        (plan, MISMATCH),
        (no_plan, SCHEMA),
        (redacted, SCHEMA),
    ):
        resigned(path, target, by, change)
        assert {problem.kind for problem in verify_bundle(target, [by.public])} == {kind}, change.__name__


@pytest.mark.parametrize("lines", [[], [bucket(1)]])
def test_an_input_without_resources_was_signed_too(tmp_path: Path, lines: list[bytes]) -> None:
    """That there was nothing is a statement: it does not hold for an input of one resource, nor the other way round."""
    by, other = signer(tmp_path), signer(tmp_path, "p256")
    (tmp_path / "by.pub").write_bytes(by.public.pem())
    for signed in ([], [bucket(1)]):
        path = tmp_path / "a.zip"
        with BundleWriter(path) as bundle:
            bundle.add_bytes("snapshot/0001/manifest.json", b"{}", "snapshot-manifest", JSON)
            if lines:
                bundle.lines("snapshot/0001/resources/a.ndjson.gz", ROLE_POPULATION).write_lines(lines)
            collected = Collected(
                Root(root_of(signed).hex(), len(signed)), sha256(b"{}").hexdigest(), "2026-11-21T09:00:00Z"
            )
            envelope = seal(population_statement(collected), by)
            bundle.add_bytes("snapshot/0001/population.dsse.json", envelope, ROLE_STATEMENT, JSON)
            bundle.finish(FIELDS, by)
        problems = verify_bundle(path, [by.public], collectors=[by.public])
        assert [problem.kind for problem in problems] == ([] if signed == lines else [MISMATCH])
        assert standalone.main([str(path), "--key", str(tmp_path / "by.pub")]) == (
            0 if signed == lines else 10
        )
        assert verify_bundle(path, [by.public], collectors=[other.public]) != []
