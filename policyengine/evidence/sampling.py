"""Drawing a sample from a bundle's population, and drawing it again.

The auditor draws it herself, from a bundle whose signature was checked, with a seed that nobody knew before:
:mod:`policyengine.reports.samples` says how, and why that order matters.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

from policyengine.evidence import bundle_reader
from policyengine.evidence.bundle_zip import Stored
from policyengine.evidence.dsse import MAX_ENVELOPE, open_envelope
from policyengine.evidence.judged import Judged, judged_by, worst
from policyengine.evidence.keys import PublicKey, by_id
from policyengine.evidence.manifest import (
    ROLE_POPULATION,
    ROLE_RESULTS,
    ROLE_STATEMENT,
    STATEMENT_FILE,
    Manifest,
    read_manifest,
)
from policyengine.evidence.packing import PackedError, line_batches
from policyengine.evidence.problems import MISMATCH, SCHEMA, BundleError, Problem
from policyengine.evidence.statement import read_population_statement
from policyengine.evidence.withholding import withholding_of
from policyengine.model.errors import InputError, UsageError
from policyengine.model.formats import refused
from policyengine.model.merkle import Merkle
from policyengine.model.withheld import Withholding
from policyengine.reports.samples import SCHEMA as SAMPLE
from policyengine.reports.samples import Leaf, Population, Seed, sample

DEFAULT_STRATA: Final = ("verdict",)
_NAMES: Final = {ROLE_RESULTS: "the results", ROLE_POPULATION: "the population"}


class Asked(NamedTuple):
    """How much is drawn: exactly one of ``size`` and ``fraction``; ``strata`` as in :func:`sample`. ``control`` is
    ``FRAMEWORK:CONTROL``: what its rules judged, and nothing else.

    With a control, or strata by verdict, leaves are the rows of the results, otherwise the lines of the population.
    """

    size: int | None = None
    fraction: str | None = None
    strata: Sequence[str] = DEFAULT_STRATA
    control: str | None = None

    @property
    def role(self) -> str:
        """Whose leaves are drawn."""
        return ROLE_RESULTS if self.control is not None or "verdict" in self.strata else ROLE_POPULATION


def sample_bundle(bundle: Path, keys: Sequence[PublicKey], seed: Seed, asked: Asked) -> dict[str, Any]:
    """Return a sample of the bundle's population (``policyengine/sample/v1`` with ``bundle``).

    The lines are held against the signed root while they are counted; other members are ``evidence verify``'s to check.
    Raises BundleError where the population is not one that a given key signed, UsageError as :func:`sample`.
    """
    with ExitStack() as stack:
        file = stack.enter_context(bundle_reader.open_file(bundle))
        texts = bundle_reader.read_texts(file)
        said = bundle_reader.signed(texts, keys)
        manifest = _manifest(texts, said)
        opened = _Opened(file, dict(bundle_reader.places(texts, manifest)), manifest)
        rows = asked.role == ROLE_RESULTS
        signed_at, witness = _run_ended(manifest) if rows else _signed_at(opened, keys)
        root = said.results if rows else said.population
        population = Population(bytes.fromhex(root.root), root.count, signed_at)
        judged = judged_by(opened.file, opened.places, manifest, asked.control) if rows else None
        leaves = _Leaves(opened, judged)
        found = sample(
            leaves, population, seed, size=asked.size, fraction=asked.fraction, strata=asked.strata,
            within=lambda leaf: judged is None or judged.rules is None or bool(leaf.rules),
        )  # fmt: skip
        head = manifest.head()
    found["population"] = {"tree": asked.role, **found["population"], "signed_at_is": witness}
    return {
        **found,
        "control": None if judged is None else judged.to_json(asked.control),
        "bundle": {"id": head.bundle, "manifest_sha256": head.manifest_sha256, "key": said.key.keyid},
    }


def drawn_again(bundle: Path, keys: Sequence[PublicKey], text: bytes, name: str) -> list[str]:
    """Draw a sample again from what its document says, and return where the two differ; none where they do not.

    Raises InputError for what is no sample.
    """
    try:
        value = json.loads(text)
        wrong = refused(value["schema"], SAMPLE)
        if wrong is not None:
            raise InputError(f"`{name}` is no sample that can be read: {wrong}")
        given_at, control = value["seed"]["given_at"], (value["control"] or {}).get("name")
        seed = Seed(str(value["seed"]["value"]), None if given_at is None else str(given_at))
        asked = Asked(
            value["asked"].get("size"), value["asked"].get("fraction"), [str(s) for s in value["strata_by"]],
            None if control is None else str(control),
        )  # fmt: skip
        if asked.size is not None and not isinstance(asked.size, int):
            raise TypeError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(f"`{name}` is no sample (`policyengine/sample/v1`)") from error
    again = sample_bundle(bundle, keys, seed, asked)
    return [key for key in sorted({*again, *value}) if again.get(key) != value.get(key)]


class _Opened(NamedTuple):
    file: BinaryIO
    places: Mapping[str, Stored]
    manifest: Manifest

    def content(self, path: str) -> Iterator[bytes]:
        return bundle_reader.content(self.file, self.places[path], self.manifest.by_path[path])


def _manifest(texts: bundle_reader.Texts, said: bundle_reader.Signed) -> Manifest:
    """Return the manifest that was signed."""
    manifest = read_manifest(texts.manifest)
    for problem in bundle_reader.check_signed(manifest, texts.manifest, said):
        raise BundleError(problem)
    return manifest


def _signed_at(opened: _Opened, keys: Sequence[PublicKey]) -> tuple[str, str]:
    """Return when the population was fixed and who says so: the collector, else the run that judged it."""
    manifest, times = opened.manifest, []
    for folder in manifest.inputs:
        path = f"{folder}/{STATEMENT_FILE}"
        member = manifest.by_path.get(path)
        if member is None or member.role != ROLE_STATEMENT or member.size > MAX_ENVELOPE:
            continue
        statement = open_envelope(b"".join(opened.content(path)), by_id(keys), path)
        collected = read_population_statement(statement.payload, path)
        if collected.population != manifest.inputs[folder]:
            text = "the population that was signed when collection ended is another than this input's"
            raise BundleError(Problem(MISMATCH, path, text))
        times.append(collected.collected_at)
    if times and len(times) == len(manifest.inputs):
        return max(times), "collector"
    return _run_ended(manifest)


def _run_ended(manifest: Manifest) -> tuple[str, str]:
    run = manifest.fields.run
    for key in ("finished_at", "as_of"):
        if isinstance(run.get(key), str):
            return str(run[key]), "run"
    raise UsageError(
        "the bundle does not say when its population was signed: no sample can be drawn in order"
    )


class _Leaves:
    """The leaves of a tree, as often as they are asked for; the first time they are held against the root.

    With ``judged`` they are those of the results, otherwise of the population.
    """

    def __init__(self, opened: _Opened, judged: Judged | None) -> None:
        self._opened = opened
        self._judged = judged
        manifest = opened.manifest
        self._tree = manifest.population if judged is None else manifest.results
        self._name = _NAMES[ROLE_POPULATION if judged is None else ROLE_RESULTS]
        self._withholding: Withholding | None = (
            withholding_of(opened.file, opened.places, manifest) if judged is None else None
        )
        self._checked = False

    def __call__(self) -> Iterator[Leaf]:
        tree = None if self._checked else Merkle()
        place = 0
        for path in self._tree.parts:
            try:
                for batch in line_batches(self._opened.content(path)):
                    if tree is not None:
                        leaf = self._withholding
                        tree.add_many(batch if leaf is None else (leaf.committed(line) for line in batch))
                    for line in batch:
                        yield _leaf(place, line, path, self._judged)
                        place += 1
            except PackedError as problem:
                raise BundleError(Problem(MISMATCH, path, str(problem))) from None
        if tree is not None and tree.root().hex() != self._tree.root.root:
            raise BundleError(Problem(MISMATCH, self._name, "its lines do not have the root that was signed"))
        self._checked = True


def _leaf(place: int, line: bytes, path: str, judged: Judged | None) -> Leaf:
    try:
        record = json.loads(line)
        rules = () if judged is None else judged.verdicts(record)
        verdict = "" if judged is None else worst(rules)
        found = Leaf(
            place, record.get("account"), record.get("region"), record["type"], record["id"], verdict,
            () if judged is None or judged.rules is None else rules,
        )  # fmt: skip
    except (ValueError, KeyError, AttributeError, RecursionError):
        found = None
    texts: Sequence[Any] = (
        () if found is None else (found.account or "", found.region or "", found.type, found.id)
    )
    if found is None or not all(isinstance(text, str) for text in texts):
        raise BundleError(Problem(SCHEMA, path, f"leaf {place} is no resource"))
    return found
