"""Manifests, roots, journal and chain: one form, made again, unbroken."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from policyengine.evidence import standalone
from policyengine.evidence.bundle_reader import read_texts
from policyengine.evidence.canonical import encode
from policyengine.evidence.manifest import ENVELOPE, MANIFEST, read_manifest
from policyengine.evidence.problems import CHAIN, MISMATCH, SCHEMA, exit_code
from tests.evidence.building import build, journal, signer
from tests.evidence.tampering import (
    CSV,
    POPULATION,
    RESULTS,
    Bundle,
    Manifest,
    Members,
    listed,
    members_of,
    places,
    rename,
    resigned,
    seal_manifest,
    write_zip,
)  # fmt: skip

MANIFEST_CHANGES: dict[str, Callable[[Manifest], Any]] = {
    "another schema": lambda m: m.update(schema="policyengine/evidence/v2"),
    "another member": lambda m: m.update(note="x"),
    "no sequence": lambda m: m.pop("sequence"),
    "sequence true": lambda m: m.update(sequence=True),
    "a fraction": lambda m: m["run"].update(seconds=1.5),
    "negative size": lambda m: m["members"][0].update(size=-1),
    "digest in capitals": lambda m: m["members"][0].update(sha256="A" * 64),
    "short digest": lambda m: m["members"][0].update(sha256="a" * 63),
    "a member twice": lambda m: m["members"].append(m["members"][-1]),
    "members not sorted": lambda m: m["members"].reverse(),
    "a member's note": lambda m: m["members"][0].update(note="x"),
    "unpacked of what is no gzip": lambda m: listed(m, CSV).update(unpacked=5),
    "no unpacked": lambda m: listed(m, RESULTS).pop("unpacked"),
    "the population's role taken": lambda m: listed(m, POPULATION).update(role="other"),
    "a part too many": lambda m: m["roots"]["results"]["parts"].append(CSV),
    "a part twice": lambda m: m["roots"]["results"]["parts"].append(RESULTS),
    "a part less": lambda m: m["roots"]["population"]["parts"].pop(),
    "parts re-ordered": lambda m: m["roots"]["population"]["parts"].reverse(),
    "inputs that do not add up": lambda m: m["inputs"][0].update(count=9),
    "an input less": lambda m: m["inputs"].pop(),
    "inputs re-ordered": lambda m: m["inputs"].reverse(),
    "no verdicts": lambda m: m["roots"]["results"].pop("verdicts"),
    "verdicts of the population": lambda m: m["roots"]["population"].update(verdicts={}),
    "withheld without a plan": lambda m: m["withheld"].update(state="redacted"),
    "another state": lambda m: m["withheld"].update(state="all"),
    "members as an object": lambda m: m.update(members={}),
    "a list": lambda m: m.update(roots=[]),
}


@pytest.mark.parametrize("name", MANIFEST_CHANGES)
def test_manifests_have_one_form(bundle: Bundle, name: str) -> None:
    def change(members: Members, manifest: Manifest) -> None:
        MANIFEST_CHANGES[name](manifest)
        if "fraction" not in name:
            rename(manifest)

    members = members_of(bundle.path)
    manifest = json.loads(members[MANIFEST])
    whole = json.loads(members[MANIFEST])
    change(members, manifest)
    text = encode(manifest)
    write_zip(bundle.target, {**members, ENVELOPE: seal_manifest(text, whole, bundle.engine), MANIFEST: text})
    problems = bundle.problems()
    assert exit_code(problems) == 14, problems
    assert MANIFEST in places(problems)


def test_a_manifest_that_was_not_signed(bundle: Bundle) -> None:
    """All of it fits, the zip and the bundle's id too; the envelope is the one of before."""

    def later(manifest: Manifest) -> None:
        manifest["run"]["as_of"] = "2026-11-22T09:00:00Z"
        rename(manifest)

    members = members_of(bundle.path)
    manifest = json.loads(members[MANIFEST])
    later(manifest)
    write_zip(bundle.target, {**members, MANIFEST: encode(manifest)})
    problems = bundle.problems()
    assert {(problem.kind, problem.where) for problem in problems} == {(MISMATCH, MANIFEST)}
    assert "not the manifest that was signed" in problems[0].text
    assert standalone.main([str(bundle.target), *bundle.keys()]) == 10


@pytest.mark.parametrize("name", ["population", "results", "rules"])
@pytest.mark.parametrize("member", ["root", "count"])
def test_roots_and_manifest_that_were_not_signed_together(bundle: Bundle, name: str, member: str) -> None:
    members = members_of(bundle.path)
    other = json.loads(members[MANIFEST])
    other["roots"][name][member] = "0" * 64 if member == "root" else 9
    envelope = seal_manifest(members[MANIFEST], other, bundle.engine)
    write_zip(bundle.target, {**members, ENVELOPE: envelope})
    problems = bundle.problems()
    assert {(problem.kind, problem.where) for problem in problems} == {(MISMATCH, MANIFEST)}
    assert f"root of `{name}`" in problems[0].text
    assert standalone.main([str(bundle.target), *bundle.keys()]) == 10


def test_verdicts_are_counted_again(bundle: Bundle) -> None:
    def change(members: Members, manifest: Manifest) -> None:
        verdicts = manifest["roots"]["results"]["verdicts"]
        verdicts["P"], verdicts["F"] = verdicts["P"] + 1, verdicts["F"] - 1

    problems = bundle.signed_again(change)
    assert [(problem.kind, problem.where) for problem in problems] == [(MISMATCH, "results")]


def test_roots_that_are_claimed(bundle: Bundle) -> None:
    for name in ("population", "results"):

        def change(members: Members, manifest: Manifest, name: str = name) -> None:
            manifest["roots"][name]["root"] = "0" * 64

        assert name in places(bundle.signed_again(change))

    def rules(members: Members, manifest: Manifest) -> None:
        manifest["roots"]["rules"]["root"] = "0" * 64

    def lists(members: Members, manifest: Manifest) -> None:
        members["run/run.json"] = b'{"rules_of":{"AWS::S3::Bucket":["b","a"]}}'

    def no_lists(members: Members, manifest: Manifest) -> None:
        members["run/run.json"] = b'{"rules_of":["a"]}'

    for other in (rules, lists, no_lists):
        assert places(bundle.signed_again(other)) == {"run/run.json"}
        assert standalone.main([str(bundle.target), *bundle.keys()]) in (10, 14)

    def one_input(members: Members, manifest: Manifest) -> None:
        manifest["inputs"][0]["root"] = "0" * 64

    assert "snapshot/0001" in places(bundle.signed_again(one_input))


def test_a_manifest_that_is_not_canonical(bundle: Bundle) -> None:
    """The right key signed each of these bytes: two readers could see two manifests."""
    members = members_of(bundle.path)
    manifest = json.loads(members[MANIFEST])
    text = members[MANIFEST]
    for other in (
        json.dumps(manifest).encode(),
        text + b"\n",
        text.replace(b'{"bundle":', b'{"bundle":"x","bundle":', 1),
        text.replace(b'"sequence":1', b'"sequence":1.0', 1),
        text.replace(b"README", b"\\u0052EADME", 1),
    ):
        write_zip(
            bundle.target,
            {**members, ENVELOPE: seal_manifest(other, manifest, bundle.engine), MANIFEST: other},
        )
        problems = bundle.problems()
        assert exit_code(problems) == 14
        assert places(problems) == {MANIFEST}


def test_the_journal_is_a_chain(bundle: Bundle) -> None:
    path = "remediation/actions.ndjson"
    lines = journal().splitlines(keepends=True)
    changes = {
        "one dropped": [lines[0], lines[2]],
        "re-ordered": [lines[1], lines[0], lines[2]],
        "one changed": [lines[0], lines[1].replace(b"action-1", b"action-9"), lines[2]],
        "one twice": [lines[0], lines[0], lines[1]],
    }
    for name, changed in changes.items():

        def change(members: Members, manifest: Manifest, changed: list[bytes] = changed) -> None:
            members[path] = b"".join(changed)

        problems = bundle.signed_again(change)
        assert [(problem.kind, problem.where) for problem in problems] == [(CHAIN, path)], name
    for text in (b"{}\n", b"[]\n", b"no json\n", lines[0].replace(b":", b": ")):

        def broken(members: Members, manifest: Manifest, text: bytes = text) -> None:
            members[path] = text

        problems = bundle.signed_again(broken)
        assert [(problem.kind, problem.where) for problem in problems] == [(SCHEMA, f"{path} line 1")]


def test_bundles_are_a_chain(bundle: Bundle) -> None:
    paths, heads = [bundle.path], [bundle.head]
    for number in (2, 3, 4):
        paths.append(bundle.folder / f"bundle-{number}.zip")
        heads.append(
            build(
                paths[-1],
                bundle.engine,
                collector=bundle.collector,
                previous=heads[-1],
                run_id=f"run-{number}",
            )
        )
    newest = paths[-1]
    assert [head.sequence for head in heads] == [1, 2, 3, 4]
    assert bundle.problems(newest, previous=paths[2::-1], expect_head=heads[-1].manifest_sha256) == []
    assert bundle.problems(newest, previous=[paths[2]]) == [], (
        "the last ones are enough for a part of the chain"
    )
    gap = bundle.problems(newest, previous=[paths[2], paths[0]])
    assert (CHAIN, "bundle 2") in {(problem.kind, problem.where) for problem in gap}
    assert exit_code(gap) == 12
    # the tail cut off: only the head that is kept elsewhere tells
    assert bundle.problems(paths[2], previous=paths[:2]) == []
    cut = bundle.problems(paths[2], previous=paths[:2], expect_head=heads[-1].manifest_sha256)
    assert exit_code(cut) == 12
    fork = bundle.folder / "fork.zip"
    build(fork, bundle.engine, size=6, collector=bundle.collector, previous=heads[1], run_id="fork")
    assert exit_code(bundle.problems(newest, previous=[fork, *paths[:2]])) == 12
    assert exit_code(bundle.problems(newest, previous=[*paths[:3], fork])) == 12, (
        "one that is not of this chain"
    )
    foreign = bundle.folder / "foreign.zip"
    build(foreign, signer(bundle.folder, "ed25519", 5))
    assert exit_code(bundle.problems(newest, previous=[foreign])) == 11
    damaged = bytearray(paths[2].read_bytes())
    with paths[2].open("rb") as file:
        damaged[read_texts(file).stored[1].data + 10] ^= 1
    bundle.target.write_bytes(damaged)
    assert exit_code(bundle.problems(newest, previous=[bundle.target])) in (10, 14)


BEFORE = {"bundle": "x", "sequence": 0, "manifest_sha256": "0" * 64}


@pytest.mark.parametrize(
    ("sequence", "previous"),
    [(0, None), (2, None), (1, BEFORE | {"sequence": 1}), (3, BEFORE | {"sequence": 1}), (1, BEFORE)],
)
def test_a_number_that_does_not_fit(bundle: Bundle, sequence: int, previous: Any) -> None:
    def change(members: Members, manifest: Manifest) -> None:
        manifest["sequence"], manifest["previous"] = sequence, previous

    problems = bundle.signed_again(change)
    assert {(problem.kind, problem.where) for problem in problems} == {(CHAIN, MANIFEST)}
    assert standalone.main([str(bundle.target), *bundle.keys()]) == 12


@pytest.mark.parametrize("member", ["bundle", "sequence"])
def test_the_bundle_before_is_called_what_it_is(bundle: Bundle, member: str) -> None:
    head = bundle.head.to_json() | ({"bundle": "x" * 32} if member == "bundle" else {"sequence": 5})

    def change(members: Members, manifest: Manifest) -> None:
        manifest["sequence"], manifest["previous"] = head["sequence"] + 1, head

    assert bundle.signed_again(change) == []
    problems = bundle.problems(previous=[bundle.path])
    assert {(problem.kind, problem.where) for problem in problems} == {(CHAIN, bundle.path.name)}
    assert standalone.main([str(bundle.target), *bundle.keys()]) == 0
    assert standalone.main([str(bundle.target), *bundle.keys(), "--previous", str(bundle.path)]) == 12


def test_numbers_of_earlier_bundles_fit_too(bundle: Bundle) -> None:
    """The newest follows the one before, which says that it is the third and follows the first."""
    head = bundle.head.to_json()
    middle, newest = bundle.folder / "middle.zip", bundle.folder / "newest.zip"

    def third(members: Members, manifest: Manifest) -> None:
        manifest["sequence"], manifest["previous"] = 3, head

    resigned(bundle.path, middle, bundle.engine, third)
    read = read_manifest(members_of(middle)[MANIFEST])
    build(newest, bundle.engine, collector=bundle.collector, previous=read.head())
    problems = bundle.problems(newest, previous=[middle, bundle.path])
    assert {(problem.kind, problem.where) for problem in problems} == {(CHAIN, "middle.zip")}
    given = ["--previous", str(middle), "--previous", str(bundle.path)]
    assert standalone.main([str(newest), *bundle.keys(), *given]) == 12
