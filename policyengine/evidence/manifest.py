"""``MANIFEST.json`` of a bundle: every member, the roots, the chain (docs/evidence.md has the layout).

It is read as strictly as it is written: names that are not known, and values that say the same in another way, are
refused, so that two readers cannot see two manifests.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, NamedTuple

from policyengine.evidence.bundle_zip import path_problem, paths_problem
from policyengine.evidence.canonical import decode, encode
from policyengine.evidence.problems import SCHEMA, BundleError, Problem
from policyengine.evidence.statement import Root
from policyengine.model.formats import NEWER, refused

SCHEMA_NAME: Final = "policyengine/evidence/v1"
MANIFEST: Final = "MANIFEST.json"
ENVELOPE: Final = "MANIFEST.dsse.json"
JOURNAL: Final = "remediation/actions.ndjson"
RUN_FILE: Final = "run/run.json"
STATEMENT_FILE: Final = "population.dsse.json"
SECRET_FILE: Final = "withheld/secret.txt"  # noqa: S105 - a path, no secret
MAX_MANIFEST: Final = 64 << 20
MAX_RATIO: Final = 1032
"""What deflate can expand to at most (https://zlib.net/zlib_tech.html)."""

ROLE_POPULATION: Final = "population"
ROLE_RESULTS: Final = "results"
ROLE_STATEMENT: Final = "population-statement"
ROLE_SECRET: Final = "withheld-secret"  # noqa: S105 - the name of a role, no secret

NONE: Final = "none"
FULL: Final = "full"
REDACTED: Final = "redacted"

VERDICT_LETTERS: Final = "FNPU"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_ROLE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_MEDIA: Final = re.compile(r"[a-z]+/[A-Za-z0-9][A-Za-z0-9.+-]{0,79}(?:; charset=utf-8)?")
_INPUT: Final = re.compile(r"snapshot/[0-9]{4}")


class Member(NamedTuple):
    """One file of the bundle. ``unpacked`` is the size of a gzip file's content, None for others."""

    path: str
    size: int
    sha256: str
    media_type: str
    role: str
    unpacked: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the manifest's object."""
        value = {
            "path": self.path,
            "size": self.size,
            "sha256": self.sha256,
            "media_type": self.media_type,
            "role": self.role,
        }
        return value if self.unpacked is None else {**value, "unpacked": self.unpacked}


class Head(NamedTuple):
    """What stands for a bundle and everything before it: id, sequence number, and its manifest's SHA-256."""

    bundle: str
    sequence: int
    manifest_sha256: str

    def to_json(self) -> dict[str, Any]:
        """Return the object that manifests and anchors hold."""
        return {"bundle": self.bundle, "sequence": self.sequence, "manifest_sha256": self.manifest_sha256}


@dataclass(frozen=True)
class Tree:
    """A root and, in the order of its leaves, the members whose lines these are. ``verdicts`` counts the letters of rows
    (results only)."""

    root: Root
    parts: tuple[str, ...]
    verdicts: Mapping[str, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the manifest's object."""
        value: dict[str, Any] = {**self.root.to_json(), "parts": list(self.parts)}
        return value if self.verdicts is None else {**value, "verdicts": dict(self.verdicts)}


@dataclass(frozen=True)
class Fields:
    """What the exporter says of the run; plain JSON that the verifier reports and does not interpret."""

    run: Mapping[str, Any]
    engine: Mapping[str, Any]
    rule_pack: Mapping[str, Any]
    frameworks: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Manifest:
    """The manifest. ``withheld`` is :data:`NONE`, :data:`FULL` (values that could be withheld are here, with the secret)
    or :data:`REDACTED`; ``plan`` is what is withheld (:mod:`policyengine.model.withheld`). ``inputs`` are the roots of
    single inputs by folder (``snapshot/0001``); the population is all of them, one after the other. ``rules`` is over the
    lists of rules by type (:mod:`policyengine.evidence.rule_lists`)."""

    fields: Fields
    sequence: int
    previous: Head | None
    population: Tree
    results: Tree
    rules: Root
    inputs: Mapping[str, Root]
    members: tuple[Member, ...]
    withheld: str = NONE
    plan: Mapping[str, Any] | None = None
    by_path: Mapping[str, Member] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_path", {member.path: member for member in self.members})

    @property
    def bundle(self) -> str:
        """The bundle's id: a hash of all that the manifest says, so that one id cannot mean two bundles."""
        return sha256(encode(self._body())).hexdigest()[:32]

    def to_bytes(self) -> bytes:
        """Return the canonical text."""
        return encode({**self._body(), "bundle": self.bundle})

    def head(self) -> Head:
        """Return what stands for this bundle."""
        return Head(self.bundle, self.sequence, sha256(self.to_bytes()).hexdigest())

    def _body(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA_NAME,
            "sequence": self.sequence,
            "previous": self.previous.to_json() if self.previous else None,
            "run": dict(self.fields.run),
            "engine": dict(self.fields.engine),
            "rule_pack": dict(self.fields.rule_pack),
            "frameworks": [dict(framework) for framework in self.fields.frameworks],
            "withheld": {"state": self.withheld, "plan": self.plan},
            "roots": {
                "population": self.population.to_json(),
                "results": self.results.to_json(),
                "rules": self.rules.to_json(),
            },
            "inputs": [{"path": path, **root.to_json()} for path, root in self.inputs.items()],
            "members": [member.to_json() for member in self.members],
        }


def read_manifest(data: bytes) -> Manifest:
    """Return the manifest of its text. Raises BundleError (kind ``schema``) for any other."""
    try:
        value = decode(data, most=MAX_MANIFEST)
        _check_numbers(value)
        manifest = _manifest(value)
        again = manifest.to_bytes()
    except ValueError as problem:
        raise _error(str(problem)) from None
    except (TypeError, KeyError, AttributeError, RecursionError):
        raise _error("it has not the members of a manifest, or values of another kind") from None
    _check_members(manifest)
    _check_trees(manifest)
    if again != data:
        raise _error("it has members that are not known, or its `bundle` is not the hash of what it says")
    return manifest


def _manifest(value: Any) -> Manifest:
    if (
        value["schema"] != SCHEMA_NAME
    ):  # what is signed has no members that a reader does not know: minor versions are refused too
        wrong = (
            refused(value["schema"], SCHEMA_NAME)
            or f"it is `{value['schema']}`, and no minor version is read: {NEWER}"
        )
        raise ValueError(wrong)
    roots, previous = value["roots"], value["previous"]
    fields = Fields(value["run"], value["engine"], value["rule_pack"], value["frameworks"])
    return Manifest(
        fields,
        _number(value["sequence"]),
        None if previous is None else _head(previous),
        _tree(roots["population"]),
        _tree(roots["results"]),
        _root(roots["rules"]),
        {_text(one["path"]): _root(one) for one in value["inputs"]},
        tuple(_member(member) for member in value["members"]),
        _text(value["withheld"]["state"]),
        value["withheld"]["plan"],
    )


def _member(value: Any) -> Member:
    unpacked = _number(value["unpacked"]) if "unpacked" in value else None
    return Member(
        _text(value["path"]), _number(value["size"]), _digest(value["sha256"]), _text(value["media_type"]),
        _text(value["role"]), unpacked,
    )  # fmt: skip


def _head(value: Any) -> Head:
    return Head(_text(value["bundle"]), _number(value["sequence"]), _digest(value["manifest_sha256"]))


def _tree(value: Any) -> Tree:
    verdicts = value.get("verdicts")
    if verdicts is not None:
        verdicts = {_text(letter): _number(count) for letter, count in verdicts.items()}
    return Tree(_root(value), tuple(_text(part) for part in value["parts"]), verdicts)


def _root(value: Any) -> Root:
    return Root(_digest(value["root"]), _number(value["count"]))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _digest(value: Any) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise ValueError("it has a digest that is not 64 hexadecimal digits in lower case")
    return value


def _number(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError("it has a count or size that is no number from 0 on")
    return value


def _check_numbers(value: Any) -> None:
    """No fractions: how they are spelt is what implementations of canonical JSON differ in."""
    if isinstance(value, float):
        raise ValueError("it has a number that is no integer of 53 bits")  # noqa: TRY004 - one error for "no manifest"
    for element in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _check_numbers(element)


def _check_members(manifest: Manifest) -> None:
    paths = [member.path for member in manifest.members]
    problem = paths_problem([ENVELOPE, MANIFEST, *paths])
    if problem is not None:
        raise _error(f"the member `{problem[0]}`: {problem[1]}")
    for member in manifest.members:
        packed = member.path.endswith(".gz")
        if not _ROLE.fullmatch(member.role) or not _MEDIA.fullmatch(member.media_type):
            raise _error(f"the member `{member.path}` has a role or media type of another form")
        if packed != (member.unpacked is not None):
            raise _error(f"the member `{member.path}`: gzip files, and only they, have `unpacked`")
        if member.unpacked is not None and member.unpacked > member.size * MAX_RATIO:
            raise _error(f"the member `{member.path}` cannot expand to {member.unpacked:,} bytes")


def _check_trees(manifest: Manifest) -> None:
    """Every member of these roles is a part of its tree, once; inputs are runs of parts, and add up."""
    for role, tree in ((ROLE_POPULATION, manifest.population), (ROLE_RESULTS, manifest.results)):
        of_role = [member.path for member in manifest.members if member.role == role]
        if sorted(tree.parts) != of_role:
            raise _error(f"the parts of `{role}` are not the members with that role")
    verdicts = manifest.results.verdicts
    if (
        manifest.population.verdicts is not None
        or verdicts is None
        or sorted(verdicts) != sorted(VERDICT_LETTERS)
    ):
        raise _error(f"`results` counts the verdicts {', '.join(sorted(VERDICT_LETTERS))}, and only they do")
    folders = [folder_of(part) for part in manifest.population.parts]
    if any(path not in manifest.inputs for path in folders) or folders != sorted(folders):
        raise _error("the parts of `population` are not in the order of inputs, or of no input")
    if list(manifest.inputs) != sorted(manifest.inputs) or not all(map(_INPUT.fullmatch, manifest.inputs)):
        raise _error("inputs are folders `snapshot/NNNN`, in order")
    if sum(root.count for root in manifest.inputs.values()) != manifest.population.root.count:
        raise _error("the counts of inputs do not add up to the population's")
    if manifest.withheld not in {NONE, FULL, REDACTED}:
        raise _error("`withheld` is neither none, full nor redacted")
    if (manifest.plan is None) != (manifest.withheld == NONE):
        raise _error("what is withheld is said where, and only where, something may be")
    if (SECRET_FILE in manifest.by_path) != (manifest.withheld == FULL):
        raise _error(f"`{SECRET_FILE}` is in a full bundle that could be redacted, and in no other")


def folder_of(path: str) -> str:
    """Return the input that a part of the population belongs to: ``snapshot/0001``."""
    return "/".join(path.split("/", 2)[:2])


def check_path(path: str) -> None:
    """Raise ValueError for a path that no member can have, or that sorts before the manifest's."""
    problem = path_problem(path) or (
        None if path > MANIFEST else f"it sorts before `{MANIFEST}`, which comes first"
    )
    if problem is not None:
        raise ValueError(f"`{path}` cannot be a member: {problem}")


def _error(text: str) -> BundleError:
    return BundleError(Problem(SCHEMA, MANIFEST, text))
