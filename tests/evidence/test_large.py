"""By class on a large bundle, on several processes: what is found on a small one is found there, and where."""

from __future__ import annotations

import random
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from policyengine.evidence.bundle_writer import CSV, BundleWriter
from policyengine.evidence.manifest import ENVELOPE, MANIFEST, ROLE_POPULATION, ROLE_RESULTS
from policyengine.evidence.problems import exit_code
from policyengine.evidence.roots import ALONE
from policyengine.evidence.signers import FileSigner
from policyengine.evidence.verify import verify_bundle
from tests.evidence.building import FIELDS, bucket, row, signer
from tests.evidence.tampering import places, resigned
from tests.evidence.test_tamper import regions
from tests.evidence.test_tamper_signed import LINE_CHANGES, lines_changed

pytestmark = pytest.mark.slow

COUNT = 200_000
PART = 5_000


def noise(number: int) -> bytes:
    """A line that does not compress, so that the bundle is large enough for several processes."""
    return bucket(number)[:-1] + b',"x":"%064x%064x"}' % (
        random.Random(number).getrandbits(256),
        random.Random(-number).getrandbits(256),
    )


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, FileSigner]]:
    folder = tmp_path_factory.mktemp("large")
    by = signer(folder)
    with BundleWriter(folder / "large.zip") as bundle:
        for start in range(0, COUNT, PART):
            with bundle.lines(f"snapshot/0001/resources/{start:07}.ndjson.gz", ROLE_POPULATION) as part:
                part.write_lines(map(noise, range(start, start + PART)))
        for start in range(0, COUNT, 50_000):
            with bundle.lines(f"results/{start:07}.ndjson.gz", ROLE_RESULTS) as rows:
                rows.write_lines(map(row, range(start, start + 50_000)))
        bundle.add_bytes("population/0001.csv", b"id\r\n" * COUNT, "population-csv", CSV)
        bundle.finish(FIELDS, by)
    yield folder / "large.zip", by


def test_it_verifies_on_one_and_two_processes_in_constant_memory(large: tuple[Path, FileSigner]) -> None:
    path, by = large
    assert path.stat().st_size > ALONE, "large enough for several processes"
    assert verify_bundle(path, [by.public], jobs=2) == []
    tracemalloc.start()
    assert verify_bundle(path, [by.public], jobs=1) == []
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20


def test_flipped_bits_of_every_region(large: tuple[Path, FileSigner]) -> None:
    """A byte of each member's header, content and directory entry, and of what ends the zip."""
    path, by = large
    target = path.with_name("flipped.zip")
    shutil.copy(path, target)
    chosen = random.Random(7)
    found = regions(path)
    starts = [0, *(end for end, _ in found)]
    whole = [(start, end, name) for start, (end, name) in zip(starts, found, strict=False)]
    for start, end, name in whole[:: max(1, len(whole) // 40)]:
        at = chosen.randrange(start, end)
        with target.open("r+b") as file:
            file.seek(at)
            (byte,) = file.read(1)
            file.seek(at)
            file.write(bytes([byte ^ 1]))
            file.flush()
            problems = verify_bundle(target, [by.public], jobs=2)
            file.seek(at)
            file.write(bytes([byte]))
        assert exit_code(problems) in (10, 11, 14), (at, name)
        where = {name, "the zip"} if name in (ENVELOPE, MANIFEST, "the zip") else {name}
        assert places(problems) & where, (at, name, problems)
    assert verify_bundle(target, [by.public], jobs=2) == []


@pytest.mark.parametrize("name", ["one dropped", "re-ordered", "one changed"])
@pytest.mark.parametrize("member", ["snapshot/0001/resources/0100000.ndjson.gz", "results/0050000.ndjson.gz"])
def test_lines_of_a_part_in_the_middle(large: tuple[Path, FileSigner], member: str, name: str) -> None:
    path, by = large
    target = path.with_name("lines.zip")
    resigned(path, target, by, lines_changed(LINE_CHANGES[name], member))
    problems = verify_bundle(target, [by.public], jobs=2)
    assert exit_code(problems) == 10
    assert places(problems) & {"population", "results"}
