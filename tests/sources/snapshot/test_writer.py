"""Writing: canonical lines that read back as the same resource, and whole directories."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policyengine.model.errors import InputError
from policyengine.model.location import Location
from policyengine.model.resource import Resource
from policyengine.model.values import UNRESOLVED_REASONS, OpenDict, OpenList, Unresolved
from policyengine.sources.snapshot import open_snapshot, to_line, to_lines, write_snapshot, writer
from policyengine.sources.snapshot.lines import FixedLocator, parse_line
from policyengine.sources.snapshot.manifest import NO_TYPE, read_manifest

from .helpers import OPTIONS, read, state

CONTRACT = Path(__file__).parents[4] / "shared/contracts/snapshot-line-v1.schema.json"
MANIFEST_SCHEMA = Path(writer.__file__).with_name("manifest-v1.schema.json")

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=6)
# the key `-` is the one a pointer cannot tell from "there may be more"
KEYS = TEXT.filter(lambda k: k != "-")
UNKNOWN = st.builds(
    Unresolved,
    st.sampled_from(sorted(UNRESOLVED_REASONS)),
    TEXT,
    present=st.booleans(),
    target=st.none() | st.tuples(TEXT, TEXT),
)
VALUES = st.recursive(
    st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT | UNKNOWN,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(KEYS, inner, max_size=3)
        | st.builds(OpenList, st.lists(inner, max_size=2), UNKNOWN)
        | st.builds(OpenDict, st.dictionaries(KEYS, inner, max_size=2), UNKNOWN)
    ),
    max_leaves=10,
)
PROPERTIES = st.dictionaries(KEYS | st.sampled_from(["Tags", "related"]), VALUES, max_size=4)
TAGS = UNKNOWN | st.dictionaries(KEYS, TEXT | UNKNOWN, max_size=3)
SATELLITES = (
    UNKNOWN | st.lists(VALUES, max_size=2) | st.builds(OpenList, st.lists(VALUES, max_size=2), UNKNOWN)
)
LOCATIONS = st.builds(Location, st.just("a/t.yaml"), st.integers(1, 99), st.integers(1, 99))


@st.composite
def resources(draw) -> Resource:
    # a type the catalog and the registry do not know: neither fills properties nor reads tags from them
    base = Resource(
        "Custom::Odd::Thing",
        draw(TEXT.filter(bool)),
        draw(st.none() | st.just("111122223333")),
        draw(st.none() | st.just("eu-west-1")),
        draw(PROPERTIES | st.builds(OpenDict, PROPERTIES, UNKNOWN)),
        arn=draw(st.none() | TEXT),
        tags=draw(st.none() | TAGS),
        related=draw(st.dictionaries(KEYS, SATELLITES, max_size=2)),
        collected_at=draw(st.none() | TEXT),
        provenance=draw(st.none() | st.dictionaries(TEXT, TEXT, max_size=2)),
    )
    place = draw(st.none() | LOCATIONS)
    if place is not None:
        base.file, base.locate = place.file, FixedLocator(place)
        base.branch = draw(st.none() | st.dictionaries(TEXT, st.booleans(), max_size=2))
    return base


@given(resources())
def test_a_written_resource_reads_back_the_same(resource: Resource) -> None:
    written = to_line(resource)
    again = parse_line(written)
    assert state(again) == state(resource)
    assert to_line(again) == written
    assert b"\n" not in written


@pytest.mark.skipif(not CONTRACT.exists(), reason="the shared contracts are not beside this checkout")
def test_a_written_line_holds_the_contract() -> None:
    import jsonschema

    validator = jsonschema.Draft202012Validator(json.loads(CONTRACT.read_text()))

    @given(resources())
    def check(resource: Resource) -> None:
        validator.validate(json.loads(to_line(resource)))

    check()


def test_the_order_of_keys_does_not_change_a_line() -> None:
    one = Resource("AWS::S3::Bucket", "b", "1", "r", {"A": 1, "B": {"C": 2, "D": 3}})
    two = Resource("AWS::S3::Bucket", "b", "1", "r", {"B": {"D": 3, "C": 2}, "A": 1})
    assert to_line(one) == to_line(two)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_what_no_snapshot_can_hold_is_refused(value: object) -> None:
    with pytest.raises(ValueError):
        to_line(Resource("AWS::S3::Bucket", "b", "1", "r", {"A": value}))


def bucket(name: str, account: str = "111122223333", region: str = "eu-west-1") -> Resource:
    return Resource("AWS::S3::Bucket", name, account, region, {"BucketName": name}, tags={})


def test_a_written_directory_is_a_valid_snapshot(tmp_path: Path) -> None:
    given_order = [bucket("b"), bucket("a"), bucket("c", region="us-east-1"), bucket("d", "000000000000")]
    coverage = frozenset({("111122223333", "eu-west-1", "AWS::S3::Bucket")})
    errors = [{"message": "denied", "operation": "s3:ListBuckets"}]
    folder = write_snapshot(
        tmp_path / "snap", given_order, created="2026-11-21T09:00:00Z", coverage=coverage, errors=errors
    )
    found, source = read(folder)
    assert [r.id for r in found] == ["d", "a", "b", "c"]
    assert source.coverage == coverage
    assert [str(e) for e in source.errors] == ["snap/manifest.json: s3:ListBuckets: denied"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["snap"], "nothing else is left"
    _validate_manifest(folder)


ACCOUNTS, PLACES = st.sampled_from(["111122223333", "444455556666"]), st.sampled_from(["eu-west-1", "global"])
TYPES = st.sampled_from(["AWS::EC2::Volume", "AWS::IAM::Role", "AWS::S3::Bucket", NO_TYPE])


@given(st.frozensets(st.tuples(ACCOUNTS, PLACES, TYPES)))
def test_coverage_is_read_alike_from_its_brief_form(coverage: frozenset[tuple[str, str, str]]) -> None:
    """A place with types has no empty list beside them, whichever form says it."""
    whole = {place[:2] for place in coverage if place[2] != NO_TYPE}
    expected = frozenset(c for c in coverage if c[2] != NO_TYPE or c[:2] not in whole)
    for most, version in ((1000, "1.0"), (-1, "1.1")):
        with tempfile.TemporaryDirectory() as folder, mock.patch.object(writer, "MAX_LISTED", most):
            made = write_snapshot(Path(folder) / "s", [], created="2026-11-21T09:00:00Z", coverage=coverage)
            _validate_manifest(made)
            manifest = json.loads((made / "manifest.json").read_text())
            assert manifest["version"] == version
            assert version == "1.0" or manifest["coverage"] == []  # a reader of 1.0 takes nothing for absent
            assert read_manifest(made, "s").coverage == expected


def test_the_coverage_of_thousands_of_accounts_can_be_read_back(tmp_path: Path) -> None:
    """3,000 accounts with 4 regions and 150 types were 69 MB, more than a reader takes."""
    types = [f"AWS::Service::Type{number}" for number in range(90)]
    places = [(f"{account:012d}", region) for account in range(1500) for region in ("a", "b", "c", "d")]
    coverage = frozenset((*place, type) for place in places for type in types)
    folder = write_snapshot(tmp_path / "s", [], created="2026-11-21T09:00:00Z", coverage=coverage)
    assert (folder / "manifest.json").stat().st_size < 1_000_000
    assert read_manifest(folder, "s").coverage == coverage


def _validate_manifest(folder: Path) -> None:
    import jsonschema

    schema = json.loads(MANIFEST_SCHEMA.read_text())
    jsonschema.Draft202012Validator(schema).validate(json.loads((folder / "manifest.json").read_text()))


def test_the_same_resources_give_the_same_bytes(tmp_path: Path) -> None:
    some = [bucket(str(i), region=f"r{i % 3}") for i in range(50)]
    one = write_snapshot(tmp_path / "one", some, created="t")
    two = write_snapshot(tmp_path / "two", reversed(some), created="t")
    files = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
    assert len(files) == 4
    assert all((one / f).read_bytes() == (two / f).read_bytes() for f in files)


def test_parts_stay_under_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "PART_BYTES", 1000)
    monkeypatch.setattr(writer, "_SPILL_BYTES", 700)
    folder = write_snapshot(
        tmp_path / "snap", (bucket(f"{i:03}") for i in reversed(range(40))), created="t", compress=False
    )
    parts = sorted((folder / "resources").iterdir())
    assert len(parts) > 4
    assert all(p.stat().st_size <= 1000 for p in parts)
    found, source = read(folder)
    assert [r.id for r in found] == [f"{i:03}" for i in range(40)]
    assert source.errors == []
    assert len(source.shards()) == len(parts)


def test_the_branches_of_a_resource_stay_together(tmp_path: Path) -> None:
    def branch(flag: bool) -> Resource:
        place = FixedLocator(Location("t.yaml", 3, 5))
        return Resource(
            "A::B::C", "x", None, None, {"On": flag}, file="t.yaml", locate=place, branch={"P": flag}
        )

    whole = branch(True)
    whole.variants = (branch(False),)
    other = Resource("A::B::C", "x", None, None, {}, file="s.yaml", locate=FixedLocator(Location("s.yaml")))
    assert len(to_lines(whole)) == 2
    found, _ = read(write_snapshot(tmp_path / "snap", [whole, other], created="t"))
    assert [state(r) for r in found] == [state(other), state(whole)]


def test_an_older_snapshot_is_replaced_and_nothing_else_is(tmp_path: Path) -> None:
    folder = write_snapshot(tmp_path / "snap", [bucket("a")], created="t")
    write_snapshot(folder, [bucket("b")], created="t")
    assert [r.id for r in read(folder)[0]] == ["b"]
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/thesis.txt").write_text("precious")
    with pytest.raises(InputError, match="is no snapshot"):
        write_snapshot(tmp_path / "mine", [bucket("a")], created="t")
    assert (tmp_path / "mine/thesis.txt").exists()


def test_a_failed_write_leaves_the_older_snapshot(tmp_path: Path) -> None:
    folder = write_snapshot(tmp_path / "snap", [bucket("a")], created="t")

    def failing():
        yield bucket("b")
        raise RuntimeError("the collector died")

    with pytest.raises(RuntimeError):
        write_snapshot(folder, failing(), created="t")
    assert [r.id for r in read(folder)[0]] == ["a"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["snap"]


def test_names_of_accounts_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    folder = write_snapshot(tmp_path / "snap", [bucket("a", "../../x", "../y")], created="t")
    assert len(list(open_snapshot(folder, OPTIONS).resources())) == 1
    assert [p.parent.name for p in tmp_path.rglob("*.zst")] == ["resources"]
