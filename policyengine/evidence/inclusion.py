"""Showing one resource of a bundle and nothing else: its lines, rows and the rules of its type, with their paths to the
signed roots."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from policyengine.evidence import bundle_reader
from policyengine.evidence.canonical import decode, encode
from policyengine.evidence.dsse import open_envelope
from policyengine.evidence.keys import PublicKey, by_id
from policyengine.evidence.manifest import Tree, read_manifest
from policyengine.evidence.packing import PackedError, line_batches
from policyengine.evidence.problems import MISMATCH, SCHEMA, BundleError, Problem
from policyengine.evidence.rule_lists import read_rule_lines, rules_of_line
from policyengine.evidence.statement import Root, read_bundle_statement
from policyengine.evidence.withholding import withholding_of
from policyengine.model.errors import InputError
from policyengine.model.formats import refused
from policyengine.model.merkle import HASH_SIZE, Merkle, Proof, leaf_hash, verify_inclusion
from policyengine.model.reasons import VERDICT_OF
from policyengine.model.withheld import Disclosure, Withholding, shows

SCHEMA_NAME: Final = "policyengine/evidence-proof/v1"
MAX_PROOF: Final = 256 << 20
MOST_LINES: Final = 1000
"""Lines of one resource in a proof: the branches of a template, at most."""


class Identity(NamedTuple):
    """What makes a resource this one."""

    type: str
    account: str
    region: str
    id: str

    def __str__(self) -> str:
        return " ".join(part for part in (self.account, self.region, self.type, self.id) if part)


class Wanted(NamedTuple):
    """The resource to show: its id or ARN; further members only where given."""

    name: str
    type: str | None = None
    account: str | None = None
    region: str | None = None

    def admits(self, record: Mapping[str, Any]) -> bool:
        """Whether a line or row is of a resource that is asked for."""
        return self.name in (record.get("id"), record.get("arn")) and all(
            given in (None, record.get(name) or "")
            for name, given in (("type", self.type), ("account", self.account), ("region", self.region))
        )


class Shown(NamedTuple):
    """What a proof shows, once it was checked: lines, rows with the verdict of each rule, and values that were withheld of
    the lines. ``verdicts`` has (rule, verdict) of each row; None where the bundle has no lists of rules."""

    key: PublicKey
    lines: tuple[str, ...]
    rows: tuple[str, ...]
    verdicts: tuple[tuple[tuple[str, str], ...], ...] | None
    disclosed: tuple[Disclosure, ...]


def prove(bundle: Path, wanted: Wanted, *, disclose: bool = False) -> bytes:
    """Return the proof, canonical JSON. ``disclose`` adds what is withheld of the resource, where the bundle holds it.

    Raises InputError where there is no such resource or several, BundleError where the bundle is not what it says.
    """
    with bundle_reader.open_file(bundle) as file:
        texts = bundle_reader.read_texts(file)
        manifest = read_manifest(texts.manifest)
        places = dict(bundle_reader.places(texts, manifest))
        withholding = withholding_of(file, places, manifest)

        def lines_of(tree: Tree) -> Iterator[bytes]:
            for path in tree.parts:
                try:
                    for batch in line_batches(
                        bundle_reader.content(file, places[path], manifest.by_path[path])
                    ):
                        yield from batch
                except PackedError as problem:
                    raise BundleError(Problem(MISMATCH, path, str(problem))) from None

        population = _Finder(wanted, withholding)
        lines = population.search(lines_of(manifest.population), manifest.population)
        if not population.found:
            raise InputError(f"`{wanted.name}` is no resource of `{bundle}`")
        if len(population.found) > 1:
            several = "; ".join(str(identity) for identity in sorted(population.found)[:5])
            raise InputError(
                f"`{wanted.name}` is more than one resource, say which by type, account or region: {several}"
            )
        (identity,) = population.found
        results = _Finder(Wanted(identity.id, identity.type, identity.account, identity.region), None)
        rows = results.search(lines_of(manifest.results), manifest.results)
        rules = _rules_leaf(read_rule_lines(file, places, manifest), identity.type)
    value = {
        "schema": SCHEMA_NAME,
        "envelope": json.loads(texts.envelope),
        "population": lines,
        "results": rows,
        "rules": rules,
        "disclosed": [one._asdict() for one in population.disclosed] if disclose else [],
    }
    try:
        return encode(value)
    except ValueError as problem:
        raise InputError(
            f"no proof of ours can hold what is withheld of `{wanted.name}`: {problem}"
        ) from None


def _rules_leaf(lines: list[bytes], type_: str) -> list[dict[str, Any]]:
    """The list of rules of a type as a proof has it; none where no rule is about the type."""
    tree = Merkle()
    kept: list[tuple[int, str]] = []
    for line in lines:
        text = line.decode()
        told = rules_of_line(text)
        if told is not None and told[0] == type_:
            kept.append((tree.mark(), text))
        tree.add(line)
    return [_leaf_json(tree, index, text) for index, text in kept]


def _leaf_json(tree: Merkle, index: int, text: str) -> dict[str, Any]:
    return {"line": text, "index": index, "path": [node.hex() for node in tree.proof(index).path]}


class _Finder:
    """One pass over the leaves of a tree; keeps those of a resource and their paths."""

    def __init__(self, wanted: Wanted, withholding: Withholding | None) -> None:
        self.wanted = wanted
        self.withholding = withholding
        self.found: set[Identity] = set()
        self.disclosed: list[Disclosure] = []
        # the name as JSON has it, and as an escape could hide it
        self.needles = (
            json.dumps(wanted.name, ensure_ascii=False).encode("utf-8", "surrogatepass"),
            b"\\u",
            b"\\/",
        )

    def search(self, lines: Iterator[bytes], expected: Tree) -> list[dict[str, Any]]:
        """Return the leaves of the resource as a proof has them. Raises BundleError where the root is another."""
        tree = Merkle()
        kept: list[tuple[int, str]] = []
        for line in lines:
            leaf = self.withholding.committed(line) if self.withholding else line
            if any(needle in line for needle in self.needles) and self._is_wanted(line):
                if len(kept) == MOST_LINES:
                    raise InputError(f"`{self.wanted.name}` has over {MOST_LINES:,} lines")
                kept.append((tree.mark(), _text(leaf)))
                self.disclosed += self.withholding.disclosures(line) if self.withholding else []
            tree.add(leaf)
        if Root(tree.root().hex(), tree.size) != expected.root:
            raise BundleError(
                Problem(
                    MISMATCH,
                    expected.parts[0] if expected.parts else "roots",
                    "the root over its lines is another; verify the bundle",
                )
            )
        return [_leaf_json(tree, index, text) for index, text in kept]

    def _is_wanted(self, line: bytes) -> bool:
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return False
        if not isinstance(record, dict) or not self.wanted.admits(record):
            return False
        self.found.add(Identity(*(str(record.get(name) or "") for name in Identity._fields)))
        return True


def check_proof(data: bytes, keys: Sequence[PublicKey], where: str) -> Shown:
    """Return what a proof shows. Raises BundleError: ``schema``, ``signature``, or ``mismatch`` where a line, row or value
    is not one of those that were signed."""
    value = _read(data, where)
    opened = open_envelope(encode(value["envelope"]), by_id(keys), where)
    _, population, results, rules = read_bundle_statement(opened.payload, where)
    lines = _leaves(value["population"], population, "population", where)
    rows = _leaves(value["results"], results, "results", where)
    if not lines:
        raise _wrong(SCHEMA, where, "it shows no resource")
    shown = tuple(Disclosure(*(one[name] for name in Disclosure._fields)) for one in value["disclosed"])
    for disclosure in shown:
        if not any(_shows(line, disclosure) for line in lines):
            raise _wrong(
                MISMATCH,
                where,
                f"the value that is shown for `{disclosure.path}` is not the one that was withheld",
            )
    identities = {_identity(line) for line in (*lines, *rows)}
    if len(identities) > 1:
        raise _wrong(MISMATCH, where, "its lines and rows are of more than one resource")
    lists = _leaves(value["rules"], rules, "rules", where)
    verdicts = None if not rules.count else tuple(_verdicts(row, lists, where) for row in rows)
    return Shown(opened.key, lines, rows, verdicts, shown)


def _verdicts(row: str, lists: tuple[str, ...], where: str) -> tuple[tuple[str, str], ...]:
    """What each letter of a row says, by the list of its type that was signed."""
    record = json.loads(row)
    letters = record.get("verdicts", "") if isinstance(record, dict) else ""
    told = [rules_of_line(line) for line in lists]
    rules = [found[1] for found in told if found is not None and found[0] == record.get("type")]
    if len(rules) != len(lists) or len(rules) > 1:
        raise _wrong(MISMATCH, where, "its list of rules is of another type than the resource")
    names = rules[0] if rules else []
    if len(names) != len(letters):
        said = f"a row has {len(letters)} verdicts, and the list of rules of its type {len(names)}"
        raise _wrong(MISMATCH, where, said)
    return tuple(
        (rule, VERDICT_OF.get(letter, "not asked")) for rule, letter in zip(names, letters, strict=True)
    )


def _leaves(value: list[dict[str, Any]], root: Root, name: str, where: str) -> tuple[str, ...]:
    indexes = [leaf["index"] for leaf in value]
    if indexes != sorted(set(indexes)):
        raise _wrong(SCHEMA, where, f"the leaves of `{name}` are not in order")
    for leaf in value:
        proof = Proof(leaf["index"], root.count, tuple(bytes.fromhex(node) for node in leaf["path"]))
        if not verify_inclusion(leaf_hash(leaf["line"].encode()), proof, bytes.fromhex(root.root)):
            raise _wrong(
                MISMATCH,
                where,
                f"the line {leaf['index']:,} of `{name}` is not one of those that were signed",
            )
    return tuple(leaf["line"] for leaf in value)


def _read(data: bytes, where: str) -> dict[str, Any]:
    try:
        value = decode(data, most=MAX_PROOF)
    except ValueError as problem:
        raise _wrong(SCHEMA, where, str(problem)) from None
    checks: dict[str, Callable[[Any], bool]] = {
        "schema": lambda v: v == SCHEMA_NAME,
        "envelope": lambda v: isinstance(v, dict),
        "population": _are_leaves,
        "results": _are_leaves,
        "rules": _are_leaves,
        "disclosed": lambda v: isinstance(v, list) and all(map(_is_disclosure, v)),
    }
    named = value.get("schema") if isinstance(value, dict) else None
    if (wrong := refused(named, SCHEMA_NAME)) is not None:
        raise _wrong(SCHEMA, where, wrong)
    if not isinstance(value, dict) or set(value) != set(checks):
        raise _wrong(SCHEMA, where, f"a proof has {', '.join(checks)}, and nothing else")
    for name, right in checks.items():
        if not right(value[name]):
            raise _wrong(SCHEMA, where, f"`{name}` is not of its form")
    return value


def _are_leaves(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_LINES and all(map(_is_leaf, value))


def _is_leaf(leaf: Any) -> bool:
    return (
        isinstance(leaf, dict)
        and set(leaf) == {"line", "index", "path"}
        and isinstance(leaf["line"], str)
        and type(leaf["index"]) is int
        and isinstance(leaf["path"], list)
        and all(isinstance(node, str) and _is_hash(node) for node in leaf["path"])
    )


def _is_disclosure(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and set(value) == set(Disclosure._fields)
        and isinstance(value["path"], str)
        and isinstance(value["salt"], str)
        and _is_hash(value["salt"])
    )


def _is_hash(text: str) -> bool:
    return len(text) == 2 * HASH_SIZE and not text.strip("0123456789abcdef")


def _shows(line: str, disclosure: Disclosure) -> bool:
    try:
        return shows(line.encode(), disclosure)
    except ValueError:
        return False


def _identity(line: str) -> Identity:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        record = None
    if not isinstance(record, dict):
        return Identity("", "", "", line)
    return Identity(*(str(record.get(name) or "") for name in Identity._fields))


def _text(line: bytes) -> str:
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise InputError("the resource's line is no UTF-8, and no proof of ours can hold it") from None


def _wrong(kind: str, where: str, text: str) -> BundleError:
    return BundleError(Problem(kind, where, text))
