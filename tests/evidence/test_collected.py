"""What was collected, signed when collection ended: it goes with the snapshot into runs and bundles."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from policyengine.cli.evidence.collected import sign_population
from policyengine.evidence.dsse import open_envelope
from policyengine.evidence.keys import by_id
from policyengine.evidence.statement import read_population_statement
from policyengine.model.errors import InputError
from policyengine.model.merkle import root_of
from policyengine.store.lines import read_lines
from tests.evidence.building import signer

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def snapshot(tmp_path: Path) -> Path:
    return Path(shutil.copytree(ROOT / "examples" / "organization", tmp_path / "snapshot"))


def test_what_is_signed_are_the_lines_and_the_manifest(snapshot: Path, tmp_path: Path) -> None:
    by = signer(tmp_path)
    said = sign_population(snapshot, by)
    opened = open_envelope((snapshot / "population.dsse.json").read_bytes(), by_id([by.public]), "x")
    assert read_population_statement(opened.payload, "x") == said
    manifest = json.loads((snapshot / "manifest.json").read_bytes())
    lines = [line for part in manifest["parts"] for line in read_lines(snapshot / part["path"])]
    assert (said.population.root, said.population.count) == (root_of(lines).hex(), len(lines))
    assert said.population.count > 100
    assert said.collected_at == manifest["created"]


def test_a_damaged_snapshot_is_not_signed(snapshot: Path, tmp_path: Path) -> None:
    part = next((snapshot / "resources").iterdir())
    part.write_bytes(part.read_bytes()[:-5])
    with pytest.raises(InputError, match="is not signed"):
        sign_population(snapshot, signer(tmp_path))
    assert not (snapshot / "population.dsse.json").exists()
