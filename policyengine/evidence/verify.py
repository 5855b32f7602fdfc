"""Verifying a bundle: what a given key signed, and that everything in the file follows from it.

Nothing in the bundle is believed before it is checked: the key comes from outside, the envelope and manifest are strict,
every byte of the zip is computed again, and only then are lines unpacked and roots made again.
"""

from __future__ import annotations

import json
import os
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from policyengine.evidence import bundle_reader
from policyengine.evidence.bundle_reader import Signed, Texts
from policyengine.evidence.bundle_zip import Stored
from policyengine.evidence.chaining import check_chain
from policyengine.evidence.keys import PublicKey
from policyengine.evidence.manifest import (
    ENVELOPE,
    FULL,
    JOURNAL,
    MANIFEST,
    REDACTED,
    SECRET_FILE,
    Head,
    Manifest,
    read_manifest,
)
from policyengine.evidence.packing import PackedError, line_batches
from policyengine.evidence.populations import Said, check_populations
from policyengine.evidence.problems import CHAIN, MISMATCH, SCHEMA, BundleError, Problem
from policyengine.evidence.roots import check_roots
from policyengine.evidence.rule_lists import read_rule_lines
from policyengine.evidence.withholding import withholding_of
from policyengine.model.canonical_json import canonical
from policyengine.store.actions import Entry
from policyengine.store.chain import START
from policyengine.store.chain import verify as verify_journal

MOST_NAMED: Final = 20
MOST_DIRECTORY: Final = 64 << 20
"""Bytes of a zip's directory up to which names are looked for in it."""
_END_REGION: Final = 22 + 0xFFFF


@dataclass
class Verification:
    """What was found. ``passed`` says in words what was checked and held; ``notes`` what could not be."""

    problems: list[Problem] = field(default_factory=list)
    passed: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    head: Head | None = None
    manifest: Manifest | None = None
    key: PublicKey | None = None


class Asked(NamedTuple):
    """What a bundle is held against. ``keys``: who may have signed it. ``expect_head``: SHA-256 of the newest bundle's
    manifest, as it is kept elsewhere. ``previous``: the bundles before this one, in any order. ``collectors``: who has to
    have signed the population of every input when collection ended; without any, ``keys`` may have, and one that
    nobody signed is only noted. ``jobs``: processes."""

    keys: Sequence[PublicKey]
    expect_head: str | None = None
    previous: Sequence[Path] = ()
    collectors: Sequence[PublicKey] = ()
    jobs: int = 1


def verify_bundle(
    path: Path,
    keys: Sequence[PublicKey],
    expect_head: str | None = None,
    previous: Sequence[Path] = (),
    **more: Any,
) -> list[Problem]:
    """Return everything that is wrong with a bundle; empty when it is what one of ``keys`` signed.

    The arguments are those of :func:`examine`. Raises InputError where a file cannot be read.
    """
    return examine(path, keys, expect_head, previous, **more).problems


def examine(
    path: Path,
    keys: Sequence[PublicKey],
    expect_head: str | None = None,
    previous: Sequence[Path] = (),
    jobs: int = 1,
    collectors: Sequence[PublicKey] = (),
) -> Verification:
    """As :func:`verify_bundle`, with what was checked, the head, the manifest and the key. The arguments are the members
    of :class:`Asked`."""
    asked = Asked(keys, expect_head, previous, collectors, jobs)
    found = Verification()
    with bundle_reader.open_file(path) as file:
        try:
            _examine(found, path, file, asked)
        except BundleError as error:
            found.problems.append(error.problem)
    if found.head is not None and not any(problem.where == ENVELOPE for problem in found.problems):
        _examine_chain(found, asked)
    return found


def _examine(found: Verification, path: Path, file: BinaryIO, asked: Asked) -> None:
    texts = bundle_reader.read_texts(file)
    said: Signed | None = None
    try:
        said = bundle_reader.signed(texts, asked.keys)
        found.key = said.key
        found.passed.append(f"signature: by the given key {said.key.keyid}")
    except BundleError as error:
        found.problems.append(error.problem)
    manifest = read_manifest(texts.manifest)
    found.manifest, found.head = manifest, manifest.head()
    if said is not None:
        found.problems += bundle_reader.check_signed(manifest, texts.manifest, said)
    wrong = list(bundle_reader.compare(file, texts, manifest))
    found.problems += wrong
    found.problems += _names(path, file, manifest) if wrong else ()
    if found.problems:
        found.notes.append(
            "roots, journal and statements were not looked at: what is not whole is not unpacked"
        )
        return
    found.passed.append(f"members: all {len(manifest.members):,} and the zip around them, byte by byte")
    _examine_content(found, path, file, texts, manifest, asked)


def _examine_content(
    found: Verification, path: Path, file: BinaryIO, texts: Texts, manifest: Manifest, asked: Asked
) -> None:
    places = dict(bundle_reader.places(texts, manifest))
    withholding = withholding_of(file, places, manifest)
    wrong = list(check_roots(path, manifest, places, withholding, asked.jobs))
    try:
        read_rule_lines(file, places, manifest)
    except BundleError as error:
        wrong.append(error.problem)
    if not wrong:
        found.passed.append(
            f"roots: population of {manifest.population.root.count:,} lines, results of {manifest.results.root.count:,} rows, "
            f"rules of {manifest.rules.count:,} types"
        )
    journal = list(_journal(file, places, manifest)) if JOURNAL in places else []
    if JOURNAL in places and not journal:
        found.passed.append("journal: an unbroken chain")
    if manifest.withheld == REDACTED:
        found.notes.append("redacted: what may be withheld stands in the lines as salted digests")
    elif manifest.withheld == FULL:
        found.notes.append(
            f"full: it holds what may be withheld, and `{SECRET_FILE}`; give on a redacted one"
        )
    said = Said(found.passed, found.notes, required=bool(asked.collectors))
    found.problems += [
        *wrong,
        *journal,
        *check_populations(file, places, manifest, asked.collectors or asked.keys, said),
    ]


def _examine_chain(found: Verification, asked: Asked) -> None:
    assert found.manifest is not None
    assert found.head is not None
    wrong = list(check_chain(found.manifest, asked.keys, asked.expect_head, asked.previous))
    found.problems += wrong
    if asked.expect_head is None:
        found.notes.append(
            "no head was given: whether later bundles, or all of a chain's end, are missing is not known"
        )
    if wrong:
        return
    if asked.previous:
        found.passed.append(f"chain: {len(asked.previous):,} earlier bundles, without a gap")
    elif found.manifest.previous is not None:
        found.notes.append(f"the bundle before this one, number {found.manifest.sequence - 1}, was not given")
    if asked.expect_head is not None:
        found.passed.append("head: the one that was expected")


def _journal(file: BinaryIO, places: dict[str, Stored], manifest: Manifest) -> Iterator[Problem]:
    def entries() -> Iterator[Entry]:
        number = 0
        for lines in line_batches(bundle_reader.content(file, places[JOURNAL], manifest.by_path[JOURNAL])):
            for line in lines:
                number += 1
                yield _entry(line, number)

    try:
        first = next(entries(), None)
        after = (first.seq - 1, first.prev) if first is not None and first.seq > 1 else START
        problem = verify_journal(entries(), after=after)
    except PackedError as error:
        raise BundleError(Problem(MISMATCH, JOURNAL, str(error))) from None
    if problem is not None:
        yield Problem(CHAIN, JOURNAL, str(problem))


def _entry(line: bytes, number: int) -> Entry:
    try:
        value = json.loads(line)
        entry = Entry(**value)
        if isinstance(entry.seq, int) and isinstance(entry.prev, str) and canonical(value) == line:
            return entry
    except (ValueError, TypeError, RecursionError):
        pass
    raise BundleError(
        Problem(SCHEMA, f"{JOURNAL} line {number}", "it is no entry of the journal in canonical JSON")
    )


def _names(path: Path, file: BinaryIO, manifest: Manifest) -> Iterator[Problem]:
    """Which members are there and not listed, or twice, or listed and not there, as far as the zip can be read."""
    if _directory_size(file) > MOST_DIRECTORY:
        return
    try:
        with zipfile.ZipFile(path) as opened:
            names = Counter(info.orig_filename for info in opened.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return
    known = {ENVELOPE, MANIFEST, *manifest.by_path}
    said = [(name, "it is not listed in the manifest") for name in sorted(names.keys() - known)]
    said += [
        (name, "it is listed in the manifest and not in the zip") for name in sorted(known - names.keys())
    ]
    said += [(name, "it is in the zip more than once") for name in sorted(names) if names[name] > 1]
    for name, text in said[:MOST_NAMED]:
        yield Problem(MISMATCH, name[:200], text)


def _directory_size(file: BinaryIO) -> int:
    """What the end record says the directory has, in bytes: a reader would hold all of it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _END_REGION))
    end = file.read()
    at = end.rfind(b"PK\5\6")
    return int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
