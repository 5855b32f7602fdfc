"""Samples: anybody draws the same ones with the standard library, every stratum is in them, and the order is kept."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.errors import UsageError
from policyengine.reports.samples import SCHEMA, Leaf, Population, Seed, rank, sample

ROOT = hashlib.sha256(b"root").digest()
SIGNED, LATER = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


def leaves(kinds: list[int]) -> list[Leaf]:
    return [
        Leaf(n, str(k % 2), "eu-west-1" if k % 3 else None, f"T{k}", f"id{n}") for n, k in enumerate(kinds)
    ]


def draw(found: list[Leaf], seed: str = "s", **asked: Any) -> dict[str, Any]:
    return sample(lambda: found, Population(ROOT, len(found), SIGNED), Seed(seed, LATER), **asked)


def by_hand(found: list[Leaf], document: dict[str, Any]) -> list[int]:
    """Draw again from what the document says, with hashlib alone."""
    root = bytes.fromhex(document["population"]["root"].removeprefix("sha256:"))
    seed = document["seed"]["value"].encode()
    strata = defaultdict(list)
    for leaf in found:
        order = hashlib.sha256(seed + b"\0" + root + leaf.place.to_bytes(8, "big")).hexdigest()
        strata[leaf.account or "", leaf.region or "", leaf.type].append((order, leaf.place))
    wanted = {tuple(s["stratum"]): s["sample"] for s in document["strata"]}
    return sorted(place for key, ranked in strata.items() for _, place in sorted(ranked)[: wanted[key]])


KINDS = st.lists(st.integers(0, 5), min_size=1, max_size=120)


@settings(max_examples=150, deadline=None)
@given(KINDS, st.integers(1, 150), st.text("abc xyz-1", min_size=1, max_size=10))
def test_a_sample_of_a_size(kinds: list[int], size: int, seed: str) -> None:
    found = leaves(kinds)
    strata = len(set(kinds))
    if size < strata:
        with pytest.raises(UsageError, match="leaves out whole strata"):
            draw(found, seed, size=size)
        return
    document = draw(found, seed, size=size)
    check(found, document)
    assert len(document["sample"]) == min(size, len(found))
    # in proportion: no stratum is further from its share than the one it always gets and one for rounding
    for stratum in document["strata"]:
        share = min(size, len(found)) * stratum["population"] / len(found)
        assert stratum["sample"] <= share + 2


@settings(max_examples=100, deadline=None)
@given(KINDS, st.sampled_from(["0.001", "0.1", "1/3", "0.5", "1"]))
def test_a_sample_of_a_fraction(kinds: list[int], fraction: str) -> None:
    found = leaves(kinds)
    document = draw(found, fraction=fraction)
    check(found, document)
    for stratum in document["strata"]:
        share = stratum["population"] * (1 / 3 if fraction == "1/3" else float(fraction))
        assert share - 1e-9 <= stratum["sample"] < share + 1
    if fraction == "1":
        assert len(document["sample"]) == len(found)


def check(found: list[Leaf], document: dict[str, Any]) -> None:
    assert document["schema"] == SCHEMA
    drawn = [row["index"] for row in document["sample"]]
    assert drawn == by_hand(found, document)
    assert len(set(drawn)) == len(drawn) == sum(s["sample"] for s in document["strata"])
    assert sum(s["population"] for s in document["strata"]) == document["population"]["size"] == len(found)
    for stratum in document["strata"]:
        assert 1 <= stratum["sample"] <= stratum["population"]
    for row in document["sample"]:
        leaf = found[row["index"]]
        assert (row["id"], row["type"], row["account"]) == (leaf.id, leaf.type, leaf.account)
        assert row["rank"] == rank(document["seed"]["value"], ROOT, row["index"]).hex()


def test_another_seed_or_root_draws_others() -> None:
    found = leaves([0] * 1000)
    drawn = {str(draw(found, seed, size=10)["sample"]) for seed in ("a", "b", "a ", "A")}
    assert len(drawn) == 4
    other = sample(
        lambda: found, Population(hashlib.sha256(b"x").digest(), 1000, SIGNED), Seed("a", LATER), size=10
    )
    assert other["sample"] != draw(found, "a", size=10)["sample"]


def test_every_leaf_is_as_likely() -> None:
    found = leaves([0] * 50)
    times = [0] * 50
    for number in range(400):
        for row in draw(found, f"seed {number}", size=5)["sample"]:
            times[row["index"]] += 1
    # 40 expected; the standard deviation of the binomial is 6
    assert 10 < min(times) <= max(times) < 75


@pytest.mark.parametrize(
    ("signed", "given_at", "ok"),
    [
        (SIGNED, LATER, True),
        (SIGNED, SIGNED, True),
        (LATER, SIGNED, False),
        ("2026-01-01T00:00:00Z", "2026-01-01T00:30:00+01:00", False),
        ("2026-01-01T00:00:00Z", "2025-12-31T23:30:00-01:00", True),
    ],
)
def test_a_seed_from_before_the_signature_is_refused(signed: str, given_at: str, ok: bool) -> None:
    found = leaves([1, 1])
    if ok:
        document = sample(lambda: found, Population(ROOT, 2, signed), Seed("s", given_at), size=1)
        assert (document["population"]["signed_at"], document["seed"]["given_at"]) == (signed, given_at)
        return
    with pytest.raises(UsageError, match="before the population was signed"):
        sample(lambda: found, Population(ROOT, 2, signed), Seed("s", given_at), size=1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"size": None}, "either a size or a fraction"),
        ({"fraction": "0.1"}, "either a size or a fraction"),
        ({"size": None, "fraction": "0"}, "above 0"),
        ({"size": None, "fraction": "1.01"}, "above 0"),
        ({"size": None, "fraction": "1/0"}, "above 0"),
        ({"size": None, "fraction": "many"}, "above 0"),
        ({"size": 0}, "leaves out whole strata"),
        ({"strata": ["account", "colour"]}, "unknown stratum `colour`"),
        ({"seed": Seed("", LATER)}, "a seed is"),
        ({"seed": Seed("a\0b", LATER)}, "a seed is"),
        ({"seed": Seed("\ud800", LATER)}, "a seed is"),
        ({"seed": Seed("x" * 201, LATER)}, "a seed is"),
        ({"seed": Seed("s", "tomorrow")}, "no RFC 3339 time"),
        ({"population": Population(ROOT[:31], 3, SIGNED)}, "no SHA-256 digest"),
        ({"population": Population(ROOT, 4, SIGNED)}, "the population has 4"),
        ({"leaves": lambda: leaves([1, 1, 1])[1:]}, "leaf 1 stands where leaf 0"),
    ],
)
def test_what_is_refused(changes: dict[str, Any], says: str) -> None:
    arguments: dict[str, Any] = {
        "leaves": lambda: leaves([1, 1, 1]),
        "population": Population(ROOT, 3, SIGNED),
        "seed": Seed("s", LATER),
        "size": 2,
        **changes,
    }
    with pytest.raises(UsageError, match=says):
        sample(**arguments)


def test_fewer_strata_if_asked() -> None:
    found = leaves([0, 1, 2, 3, 4, 5])
    document = draw(found, size=2, strata=["account"])
    assert [s["stratum"] for s in document["strata"]] == [["0"], ["1"]]
    assert len(draw(found, size=1, strata=[])["sample"]) == 1
