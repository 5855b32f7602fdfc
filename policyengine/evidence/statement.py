"""What is signed: in-toto Statements v1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md).

A root of a Merkle tree is no digest of bytes, so it stands under a name of its own, ``rfc6962-sha256``, beside in-toto's
``sha256``. Predicate types lie under ``policyengine.invalid``: RFC 2606 section 2 keeps that name from ever being
somebody's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from policyengine.evidence.canonical import decode, encode
from policyengine.evidence.problems import SCHEMA, BundleError, Problem

STATEMENT: Final = "https://in-toto.io/Statement/v1"
BUNDLE: Final = "https://policyengine.invalid/evidence/v1"
POPULATION: Final = "https://policyengine.invalid/population/v1"
ROOT: Final = "rfc6962-sha256"
MAX_STATEMENT: Final = 1 << 16


@dataclass(frozen=True)
class Root:
    """A Merkle root, in hexadecimal, and over how many leaves."""

    root: str
    count: int

    def to_json(self) -> dict[str, Any]:
        """Return the manifest's object."""
        return {"root": self.root, "count": self.count}


class Collected(NamedTuple):
    """What a population statement says: the root over a snapshot's lines when collection ended, the SHA-256 of its
    ``manifest.json`` (which says where the collector looked), and when that was (ISO 8601)."""

    population: Root
    manifest_sha256: str
    collected_at: str


def bundle_statement(manifest_sha256: str, population: Root, results: Root, rules: Root) -> bytes:
    """Return the statement about a bundle's manifest and its roots."""
    subjects = [
        {"name": "MANIFEST.json", "digest": {"sha256": manifest_sha256}},
        {"name": "population", "digest": {ROOT: population.root}},
        {"name": "results", "digest": {ROOT: results.root}},
        {"name": "rules", "digest": {ROOT: rules.root}},
    ]
    counts = {"population": population.count, "results": results.count, "rules": rules.count}
    return _statement(subjects, BUNDLE, counts)


def population_statement(collected: Collected) -> bytes:
    """Return the statement about a population, to be signed when collection ends and before anything is judged."""
    subjects = [
        {"name": "population", "digest": {ROOT: collected.population.root}},
        {"name": "manifest.json", "digest": {"sha256": collected.manifest_sha256}},
    ]
    predicate = {"collected_at": collected.collected_at, "population": collected.population.count}
    return _statement(subjects, POPULATION, predicate)


def read_bundle_statement(payload: bytes, where: str) -> tuple[str, Root, Root, Root]:
    """Return manifest digest, population, results and lists of rules of a statement. Raises BundleError for any other text."""
    names = ("population", "results", "rules")
    digest, *roots = _digests(payload, where, ("MANIFEST.json", *names))
    value = decode(payload, most=MAX_STATEMENT)["predicate"]
    population, results, rules = (
        Root(root, _count(value, name, where)) for name, root in zip(names, roots, strict=True)
    )
    found = (digest, population, results, rules)
    _same(payload, bundle_statement(*found), where)
    return found


def read_population_statement(payload: bytes, where: str) -> Collected:
    """Return what a population statement says. Raises BundleError for any other text."""
    root, manifest = _digests(payload, where, ("population", "manifest.json"))
    value = decode(payload, most=MAX_STATEMENT)["predicate"]
    at = value.get("collected_at")
    if not isinstance(at, str):
        raise _error(where, "the statement's `collected_at` is no time")
    found = Collected(Root(root, _count(value, "population", where)), manifest, at)
    _same(payload, population_statement(found), where)
    return found


def _statement(subjects: list[dict[str, Any]], kind: str, predicate: dict[str, Any]) -> bytes:
    return encode({"_type": STATEMENT, "subject": subjects, "predicateType": kind, "predicate": predicate})


def _digests(payload: bytes, where: str, names: tuple[str, ...]) -> list[str]:
    """The digests of the named subjects, in that order; the whole text is compared afterwards."""
    try:
        value = decode(payload, most=MAX_STATEMENT)
        subjects = [(subject["name"], *subject["digest"].values()) for subject in value["subject"]]
        found = [subject[1] for subject in subjects]
        right = tuple(subject[0] for subject in subjects) == names and isinstance(value["predicate"], dict)
    except ValueError as problem:
        raise _error(where, f"the statement cannot be read: {problem}") from None
    except (TypeError, KeyError, IndexError, AttributeError):
        right = False
    if not right or not all(isinstance(digest, str) for digest in found):
        raise _error(where, f"the statement is not one about {', '.join(names)}")
    return found


def _count(value: dict[str, Any], name: str, where: str) -> int:
    count = value.get(name)
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise _error(where, f"the statement's `{name}` is no count")
    return count


def _same(payload: bytes, again: bytes, where: str) -> None:
    if payload != again:
        raise _error(where, "the statement has other members than those of its kind")


def _error(where: str, text: str) -> BundleError:
    return BundleError(Problem(SCHEMA, where, text))
