"""What a signature is over has one form, and is checked although the right key signed it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from policyengine.evidence.manifest import ENVELOPE, MANIFEST
from policyengine.evidence.problems import MISMATCH, SIGNATURE, exit_code
from policyengine.evidence.verify import verify_bundle
from policyengine.store import lines
from tests.evidence.building import build, signer
from tests.evidence.tampering import (
    POPULATION,
    RESULTS,
    Bundle,
    Manifest,
    Members,
    kinds,
    listed,
    members_of,
    pack,
    places,
    rename,
    resigned,
    unpack,
    with_header,
)  # fmt: skip


@pytest.mark.parametrize(
    "path",
    [
        "../evil", "/etc/passwd", "a/../../evil", "a/./b", "a//b", "C:/x", "a\\b", ".hidden", "a/.git/config", "dir/",
        "con", "x/NUL.txt", "name.", "ünï", "a b", "x" * 201, "a\nb", "readme.TXT", "README.txt/x", "results", "manifest.json",
        "MANIFEST.json/x", "a:b", "%2e%2e/x", "",
    ],
)  # fmt: skip
def test_names_that_are_another_file_somewhere(bundle: Bundle, path: str) -> None:
    """Zip-slip, devices, case, folders: refused although the right key signed them."""

    def add(members: Members, manifest: Manifest) -> None:
        # the content is not needed: the manifest alone is refused
        one = {"path": path, "size": 1, "sha256": "0" * 64, "media_type": "text/plain", "role": "other"}
        manifest["members"] = sorted([*manifest["members"], one], key=lambda member: str(member["path"]))
        rename(manifest)

    problems = bundle.signed_again(add)
    assert exit_code(problems) == 14, problems
    assert places(problems) == {MANIFEST}


def test_another_key_an_old_key_and_the_key_in_the_bundle(bundle: Bundle) -> None:
    """A forger signs all of it again and puts a key of their own where the signer's lies."""
    forger = signer(bundle.folder, "ed25519", 7)

    def forge(members: Members, manifest: Manifest) -> None:
        members["keys/signer.pem"] = forger.public.pem()

    problems = bundle.signed_again(forge, by=forger)
    assert exit_code(problems) == 11
    assert ENVELOPE in places(problems)
    assert verify_bundle(bundle.target, [forger.public, bundle.collector.public]) == [], (
        "whoever was given the forger's key"
    )
    old = signer(bundle.folder, "p256", 9)
    assert exit_code(verify_bundle(bundle.path, [old.public])) == 11
    assert exit_code(verify_bundle(bundle.path, [])) == 11
    problems = verify_bundle(bundle.path, [bundle.engine.public])
    assert {(problem.kind, problem.where) for problem in problems} == {
        (SIGNATURE, f"snapshot/{number}/population.dsse.json") for number in ("0001", "0002")
    }, "the collector's key was not given"


def test_a_collector_whose_signature_has_to_be_there(bundle: Bundle) -> None:
    """The engine's key cannot stand for the collector's, nor leave it out, nor the collector's for the engine's."""
    engine, collector = bundle.engine.public, bundle.collector.public
    statements = {f"snapshot/{number}/population.dsse.json" for number in ("0001", "0002")}
    assert verify_bundle(bundle.path, [engine], collectors=[collector]) == []
    assert exit_code(verify_bundle(bundle.path, [collector], collectors=[engine])) == 11
    for path in (bundle.folder / "by-engine.zip", bundle.target):
        build(path, bundle.engine, collector=None if path == bundle.target else bundle.engine)
        assert verify_bundle(path, [engine]) == []
        problems = verify_bundle(path, [engine], collectors=[collector])
        assert {(problem.kind, problem.where) for problem in problems} == {
            (SIGNATURE, name) for name in statements
        }


def test_the_envelope_of_another_bundle(bundle: Bundle) -> None:
    """Signed by the right key, about something else."""
    other = bundle.folder / "other.zip"
    build(other, bundle.engine, size=6)
    envelope = members_of(other)[ENVELOPE]
    problems = bundle.other(lambda members: {**members, ENVELOPE: envelope})
    assert exit_code(problems) == 10
    assert MANIFEST in places(problems)
    manifest = members_of(other)[MANIFEST]
    assert kinds(bundle.other(lambda m: {**m, ENVELOPE: envelope, MANIFEST: manifest})) == {MISMATCH}
    statement = members_of(bundle.path)["snapshot/0001/population.dsse.json"]
    assert exit_code(bundle.other(lambda members: {**members, ENVELOPE: statement})) == 14, (
        "a statement of another kind"
    )


def lines_changed(change: Callable[[list[bytes]], None], path: str) -> Callable[[Members, Manifest], None]:
    def apply(members: Members, manifest: Manifest) -> None:
        lines = unpack(members[path]).splitlines()
        change(lines)
        members[path] = pack(b"".join(line + b"\n" for line in lines))

    return apply


LINE_CHANGES: dict[str, Callable[[list[bytes]], Any]] = {
    "one dropped": lambda lines: lines.pop(),
    "one added": lambda lines: lines.append(lines[0].replace(b"bucket-", b"bucket+")),
    "one twice": lambda lines: lines.append(lines[-1]),
    "an empty one": lambda lines: lines.append(b""),
    "re-ordered": lambda lines: lines.reverse(),
    "one changed": lambda lines: lines.__setitem__(0, lines[0].replace(b"eu-west-1", b"eu-west-2")),
    "all dropped": lambda lines: lines.clear(),
    "CRLF": lambda lines: lines.__setitem__(0, lines[0] + b"\r"),
}


@pytest.mark.parametrize("name", LINE_CHANGES)
@pytest.mark.parametrize("path", [POPULATION, RESULTS])
def test_lines_are_bound_by_their_root(bundle: Bundle, path: str, name: str) -> None:
    """Even where every digest of the manifest fits and the right key signed it: the roots were made of other lines."""
    problems = bundle.signed_again(lines_changed(LINE_CHANGES[name], path))
    assert kinds(problems) == {MISMATCH}
    where = "population" if path == POPULATION else "results"
    assert any(place.startswith((where, path)) for place in places(problems)), problems


def test_a_population_is_what_was_signed_when_collection_ended(bundle: Bundle) -> None:
    """The engine's key cannot change what the collector's key signed: a consistent bundle of fewer resources."""
    smaller = bundle.folder / "smaller.zip"
    build(smaller, bundle.engine, size=2, collector=bundle.engine)
    statements = {
        name: data for name, data in members_of(bundle.path).items() if name.endswith("population.dsse.json")
    }

    def with_statements(members: Members, manifest: Manifest) -> None:
        members.update(statements)

    resigned(smaller, bundle.target, bundle.engine, with_statements)
    problems = bundle.problems()
    assert {(problem.kind, problem.where) for problem in problems} == {
        (MISMATCH, name) for name in statements
    }

    def other_coverage(members: Members, manifest: Manifest) -> None:
        members["snapshot/0001/manifest.json"] += b" "

    problems = bundle.signed_again(other_coverage)
    assert {(problem.kind, problem.where) for problem in problems} == {
        (MISMATCH, "snapshot/0001/manifest.json")
    }


def test_gzip_has_one_form(bundle: Bundle) -> None:
    """Each of these is the same content for `gunzip`."""
    data = members_of(bundle.path)[RESULTS]
    content = unpack(data)
    half = len(content) // 2
    forms = {
        "a time": with_header(data, data[:4] + b"\1\2\3\4" + data[8:10]),
        "a level": with_header(data, data[:8] + b"\2" + data[9:10]),
        "a system": with_header(data, data[:9] + b"\3"),
        "a name": with_header(data, b"\x1f\x8b\x08\x08" + data[4:10] + b"name\0"),
        "a text flag": with_header(data, b"\x1f\x8b\x08\x01" + data[4:10]),
        "two members": pack(content[:half]) + pack(content[half:]),
        "an empty member behind": data + pack(b""),
        "zeros behind": data + b"\0" * 8,
    }
    for name, form in forms.items():
        assert unpack(form) == content, name

        def change(members: Members, manifest: Manifest, form: bytes = form) -> None:
            members[RESULTS] = form

        problems = bundle.signed_again(change)
        assert {(problem.kind, problem.where) for problem in problems} == {(MISMATCH, RESULTS)}, name


@pytest.mark.parametrize("damage", ["bytes behind", "no trailer", "checksum", "length", "nothing", "cut"])
def test_damaged_gzip(bundle: Bundle, damage: str) -> None:
    data = members_of(bundle.path)[RESULTS]
    form = {
        "bytes behind": data + b"x",
        "no trailer": data[:-8],
        "checksum": data[:-8] + bytes([data[-8] ^ 1]) + data[-7:],
        "length": data[:-4] + bytes([data[-4] ^ 1]) + data[-3:],
        "nothing": data[:5],
        "cut": data[:-20],
    }[damage]

    def change(members: Members, manifest: Manifest) -> None:
        members[RESULTS] = form
        listed(manifest, RESULTS)["unpacked"] = min(len(unpack(data)), len(form) * 1000)

    problems = bundle.signed_again(change)
    assert {(problem.kind, problem.where) for problem in problems} == {(MISMATCH, RESULTS)}


def test_bombs_are_not_unpacked(bundle: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "MAX_LINE", 16 << 20)
    bomb = pack(b"\0" * (50 << 20))

    def small_claim(members: Members, manifest: Manifest) -> None:
        members[RESULTS] = bomb
        one = listed(manifest, RESULTS)
        one["sha256"], one["size"], one["unpacked"] = (
            hashlib.sha256(bomb).hexdigest(),
            len(bomb),
            1000,
        )
        rename(manifest)

    problems = bundle.signed_again(small_claim, fit=False)
    assert [(problem.kind, problem.where) for problem in problems] == [(MISMATCH, RESULTS)]
    assert "expands to more than" in problems[0].text

    def one_line(members: Members, manifest: Manifest) -> None:
        members[RESULTS] = bomb

    problems = bundle.signed_again(one_line)
    assert "a line of over" in problems[0].text

    def impossible(members: Members, manifest: Manifest) -> None:
        listed(manifest, RESULTS)["unpacked"] = 1 << 50
        rename(manifest)

    assert exit_code(bundle.signed_again(impossible, fit=False)) == 14
