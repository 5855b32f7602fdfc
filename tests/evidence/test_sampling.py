"""``policyengine evidence sample``: drawn from what was signed and nothing else, and drawn again by anybody."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.main import main
from policyengine.evidence import bundle_reader
from policyengine.evidence.packing import HEADER
from policyengine.evidence.problems import BundleError
from policyengine.evidence.sampling import Asked, sample_bundle
from policyengine.model.merkle import root_of
from policyengine.model.withheld import Withholding
from policyengine.reports.samples import Seed
from tests.evidence import building
from tests.evidence.building import PLAN, SECRET, bucket, build, signer

LATER = "2026-11-22T09:00:00Z"
SIZE = 40


@pytest.fixture
def made(tmp_path: Path) -> Path:
    engine, collector = signer(tmp_path), signer(tmp_path, number=1)
    (tmp_path / "engine.pub").write_bytes(engine.public.pem())
    (tmp_path / "collector.pub").write_bytes(collector.public.pem())
    build(tmp_path / "bundle.zip", engine, size=SIZE, collector=collector)
    build(tmp_path / "plain.zip", engine, size=SIZE)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    with pytest.raises(SystemExit) as ended:
        main(["evidence", "sample", *map(str, arguments)])
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out + said.err


def keys(made: Path) -> list[object]:
    return ["--key", made / "engine.pub", "--key", made / "collector.pub"]


def test_a_sample_can_be_drawn_by_hand(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(
        capsys,
        made / "bundle.zip",
        *keys(made),
        "--seed",
        "s",
        "--size",
        7,
        "--given-at",
        LATER,
        "--by",
        "account",
    )
    assert code == 0, said
    document = json.loads(said)
    lines = [bucket(n) for n in range(SIZE)]
    root = root_of(lines)
    assert document["population"] == {
        "tree": "population", "root": f"sha256:{root.hex()}", "size": SIZE, "signed_at": "2026-11-21T09:00:00Z", "signed_at_is": "collector",
    }  # fmt: skip
    ranks = sorted((hashlib.sha256(b"s\0" + root + n.to_bytes(8, "big")).hexdigest(), n) for n in range(SIZE))
    assert [row["index"] for row in document["sample"]] == sorted(n for _, n in ranks[:7])
    for row in document["sample"]:
        assert row["id"] == json.loads(lines[row["index"]])["id"]


def test_drawn_again(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said = run(
        capsys,
        made / "bundle.zip",
        *keys(made),
        "--seed",
        "s",
        "--fraction",
        "0.2",
        "--by",
        "account",
        "--given-at",
        LATER,
    )
    document = json.loads(said)
    assert len(document["sample"]) == SIZE // 5
    file = made / "sample.json"
    file.write_text(said)
    again = [made / "bundle.zip", *keys(made), "--check", file]
    code, told = run(capsys, *again)
    assert (code, told) == (0, "sample.json: drawn again, it is the same\n")
    changes: tuple[dict[str, Any], ...] = ({"sample": document["sample"][1:]}, {"bundle": {}}, {"more": 1})
    for change in changes:
        file.write_text(json.dumps({**document, **change}))
        code, told = run(capsys, *again)
        assert code == 10
        assert f"it differs in {next(iter(change))}" in told
    other = {**document, "seed": {**document["seed"], "value": "t"}}
    file.write_text(json.dumps(other))
    code, told = run(capsys, *again)
    assert code == 10
    assert "sample" in told


def test_what_is_withheld_changes_nothing(made: Path) -> None:
    engine = signer(made)
    drawn = []
    for disclose in (True, False):
        path = made / f"{disclose}.zip"
        build(path, engine, size=SIZE, withholding=Withholding(PLAN, SECRET), disclose=disclose)
        drawn.append(sample_bundle(path, [engine.public], Seed("s", LATER), Asked(size=5)))
    assert drawn[0]["sample"] == drawn[1]["sample"]
    assert drawn[0]["population"] == drawn[1]["population"]


def test_without_the_collectors_signature_the_run_says_when(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(
        capsys,
        made / "plain.zip",
        *keys(made),
        "--seed",
        "s",
        "--size",
        1,
        "--given-at",
        LATER,
        "--by",
        "type",
    )
    assert code == 0
    assert json.loads(said)["population"]["signed_at_is"] == "run"


def test_by_default_strata_are_verdicts(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Drawn from the rows; by hand, with hashlib alone; and the clock of the machine is nowhere in it."""
    arguments = [made / "plain.zip", *keys(made), "--seed", "s", "--size", 7]
    code, said = run(capsys, *arguments)
    assert code == 0, said
    assert "was not given (--given-at TIME)" in said
    document = json.loads(said.partition("note: ")[0])
    rows = [building.row(n) for n in range(SIZE)]
    root = root_of(rows)
    assert document["population"]["root"] == f"sha256:{root.hex()}"
    assert document["seed"] == {"value": "s", "given_at": None}
    for stratum, of in (("FAIL", range(1, SIZE, 2)), ("PASS", range(0, SIZE, 2))):
        (counts,) = [each for each in document["strata"] if each["stratum"] == [stratum]]
        ranks = sorted((hashlib.sha256(b"s\0" + root + n.to_bytes(8, "big")).hexdigest(), n) for n in of)
        drawn = [row["index"] for row in document["sample"] if row["verdict"] == stratum]
        assert drawn == sorted(n for _, n in ranks[: counts["sample"]])
        assert counts["population"] == SIZE // 2
    (made / "sample.json").write_text(json.dumps(document))
    assert run(capsys, *arguments[:5], "--check", made / "sample.json")[0] == 0
    assert run(capsys, *arguments)[1] == said


def test_of_one_control(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What its rules judged, by the worst verdict of those rules."""
    index = {
        "controls": [
            {"framework": "f", "control": "1", "file": "population/1.csv"},
            {"framework": "f", "control": "2", "file": "population/2.csv"},
            {"framework": "f", "control": "3", "file": "population/3.csv"},
        ],
        "members": [
            {"file": "population/1.csv", "rules": ["b"]},
            {"file": "population/2.csv", "rules": ["c"]},
            {"file": "population/3.csv", "rules": []},
        ],
    }
    build(
        made / "index.zip",
        signer(made),
        size=SIZE,
        more={"population/index.json": json.dumps(index).encode()},
    )
    arguments = [
        made / "index.zip",
        *keys(made),
        "--seed",
        "s",
        "--size",
        6,
        "--given-at",
        LATER,
        "--control",
    ]
    code, said = run(capsys, *arguments, "f:1")
    assert code == 0, said
    document = json.loads(said)
    assert document["control"] == {"name": "f:1", "rules": ["b"]}
    assert {tuple(s["stratum"]): s["population"] for s in document["strata"]} == {
        ("FAIL",): SIZE // 2, ("NOT_APPLICABLE",): SIZE // 2,
    }  # fmt: skip
    for row in document["sample"]:
        assert row["rules"] == {"b": "FAIL" if row["index"] % 2 else "NOT_APPLICABLE"}
    (made / "sample.json").write_text(said)
    assert run(capsys, made / "index.zip", *keys(made), "--check", made / "sample.json")[0] == 0
    for control, says in (
        ("f:2", "judged nothing"),
        ("f:3", "no rule of this run"),
        ("g:1", "is no FRAMEWORK:CONTROL"),
    ):
        code, said = run(capsys, *arguments, control)
        assert (code, says in said) == (2, True), said
    code, said = run(capsys, made / "plain.zip", *arguments[1:], "f:1")
    assert (code, "has no `population/index.json`" in said) == (2, True)


def test_csv(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _, said = run(
        capsys,
        made / "plain.zip",
        *keys(made),
        "--seed",
        "s",
        "--size",
        3,
        "--format",
        "csv",
        "--given-at",
        LATER,
    )
    rows = list(csv.DictReader(io.StringIO(said, newline="")))
    assert len(rows) == 3
    assert all(row["id"].startswith("bucket-") for row in rows)
    assert {row["verdict"] for row in rows} == {"PASS", "FAIL"}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--size", 3], 2, "a seed is needed"),
        (["--seed", "s"], 2, "either a size or a fraction"),
        (["--seed", "s", "--size", 3, "--fraction", "0.1"], 2, "either a size or a fraction"),
        (["--seed", "s", "--size", 3, "--given-at", "2026-11-21T08:59:59Z"], 2, "before the population was signed"),
        (["--seed", "s", "--size", 3, "--by", "colour"], 2, "unknown stratum"),
        (["--check", "missing.json"], 2, "cannot be read"),
        (["--check", "engine.pub"], 2, "is no sample"),
        (["--check", "engine.pub", "--seed", "s"], 2, "takes seed, size and strata from the file"),
    ],
)  # fmt: skip
def test_usage(
    made: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[Any], code: int,
    says: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(made)
    found, said = run(capsys, "bundle.zip", *keys(made), *arguments)
    assert found == code, said
    assert says in said


def test_a_foreign_key_is_refused(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, made / "bundle.zip", "--key", made / "collector.pub", "--seed", "s", "--size", 3)
    assert code == 11
    assert "was not given" in said
    # the engine's key alone does not vouch for when collection ended
    only = ["--key", made / "engine.pub", "--seed", "s", "--size", 3]
    code, _ = run(capsys, made / "bundle.zip", *only, "--by", "account")
    assert code == 11
    # and need not where it is drawn from the results, which are the engine's
    code, said = run(capsys, made / "bundle.zip", *only)
    assert (code, '"signed_at_is": "run"' in said) == (0, True)


def test_a_population_that_was_changed_is_refused(made: Path) -> None:
    engine = signer(made)
    data = (made / "plain.zip").read_bytes()
    name = b"snapshot/0001/resources/a.ndjson.gz"
    start = data.index(name + HEADER) + len(name)
    refused = 0
    places = Asked(size=5, strata=("account", "region", "type"))
    for offset in range(start, start + 140):
        (made / "bad.zip").write_bytes(data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :])
        with pytest.raises(BundleError):
            sample_bundle(made / "bad.zip", [engine.public], Seed("s", LATER), places)
        refused += 1
    assert refused == 140


def test_lines_that_are_whole_but_others_are_refused(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gzip member of the same sizes with other lines in it: only the root tells."""
    places = Asked(size=5, strata=("account",))
    whole = bundle_reader.content

    def swapped(*arguments: Any) -> Iterator[bytes]:
        lines = b"".join(whole(*arguments)).splitlines(keepends=True)
        yield b"".join([lines[1], lines[0], *lines[2:]])

    monkeypatch.setattr(bundle_reader, "content", swapped)
    with pytest.raises(BundleError, match="do not have the root that was signed"):
        sample_bundle(made / "plain.zip", [signer(made).public], Seed("s", LATER), places)
    with pytest.raises(BundleError, match="do not have the root that was signed"):
        sample_bundle(made / "plain.zip", [signer(made).public], Seed("s", LATER), Asked(size=5))


def test_a_collector_who_signed_another_population_is_no_witness(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, collector = signer(made), signer(made, number=1)
    monkeypatch.setattr(building, "root_of", lambda _lines: bytes(32))
    building.build(made / "other.zip", engine, size=SIZE, collector=collector)
    with pytest.raises(BundleError, match="is another than this input's"):
        sample_bundle(
            made / "other.zip",
            [engine.public, collector.public],
            Seed("s", LATER),
            Asked(size=5, strata=["type"]),
        )
