"""One row of a run for each resource judged: the verdicts of all rules about it, and what FAIL and UNKNOWN say.

A row is a line of canonical JSON (``docs/decisions/0016-evidence.md``); it is also a leaf of the tree whose root a bundle of
evidence signs. What a PASS says is not in it: it is made again from the resource when somebody asks. Nor is where things
stand in files of code, which nobody can tell who has only the resources: that is in a line of its own, the *places*.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.model.canonical_json import canonical
from policyengine.model.errors import InputError
from policyengine.model.finding import Evidence, Finding, Witness, finding_id, identity_key
from policyengine.model.location import Location
from policyengine.model.reasons import LETTERS, NOT_APPLICABLE, PASS, VERDICT_OF
from policyengine.model.resource import Resource, path_of
from policyengine.model.values import ABSENT, UNRESOLVED_REASONS, Unresolved

_SENTENCE: Final = {PASS: "requirement_met", NOT_APPLICABLE: "when_not_met"}
_NEVER: Final = frozenset(
    {"id", "verdict", "family", "severity", "frameworks", "remediation", "resource", "location"}
)
"""Members of a finding that the row, the rule or the settings say."""

Json = dict[str, Any]


class RuleFacts(NamedTuple):
    """What findings of a rule have in common; ``severity`` is that of the run."""

    title: str
    family: str
    severity: str
    frameworks: Mapping[str, Sequence[str]]
    remediation: str | None


class Row(NamedTuple):
    """A row that was read. ``identity`` is what reports are ordered by; ``details`` are those of FAIL and UNKNOWN."""

    identity: tuple[str, str, str, str]
    type: str
    id: str
    arn: str | None
    account: str | None
    region: str | None
    location: Location | None
    construct_path: str | None
    verdicts: str
    details: Sequence[Json]
    places: Mapping[str, Sequence[Any]]
    """rule -> (file, line, column) of what it found, where that is not the place of the resource."""


def row_line(
    resource: Resource, verdicts: Sequence[tuple[str, str]], findings: Sequence[Finding]
) -> tuple[bytes, bytes]:
    """Return the row of a resource and its places (empty where it stands in no file), both without line feed.

    ``verdicts`` are (rule, verdict) of all rules about it, ``findings`` those that are FAIL or UNKNOWN.
    """
    found = sorted(findings, key=lambda each: each.rule)
    record: Json = {
        "account": resource.account,
        "id": resource.id,
        "region": resource.region,
        "type": resource.type,
        "verdicts": "".join(LETTERS[verdict] for _, verdict in sorted(verdicts)),
    }
    path = None if resource.provenance is None else resource.provenance.get("construct_path")
    for name, value in (("arn", resource.arn), ("construct_path", path), ("file", resource.file)):
        if value is not None:
            record[name] = value
    if found:
        record["details"] = [_detail(each) for each in found]
    return canonical(record), _places(resource, found)


def _detail(found: Finding) -> Json:
    said = {
        name: value for name, value in found.to_json().items() if name not in _NEVER and value is not None
    }
    for item, evidence in zip(said["evidence"], found.evidence, strict=True):
        item["reason"] = evidence.reason
    return said


def _places(resource: Resource, found: Sequence[Finding]) -> bytes:
    if resource.file is None:
        return b""
    own = resource.place()
    each = {f.rule: f.location for f in found if f.location is not None and f.location != own}
    return canonical({"own": own, "rules": each})


def read_row(record: Any, places: Any, where: str) -> Row:
    """Return the row of a decoded line and its places (None where it has none).

    Raises InputError naming ``where`` for what is no row.
    """
    try:
        file = record.get("file")
        account, region, type_, id_ = (record[name] for name in ("account", "region", "type", "id"))
        identity = (account or "", region or "", type_, id_) if file is None else ("", file, "", id_)
        own = places["own"] if places is not None else None
        row = Row(
            identity, type_, id_, record.get("arn"), account, region,
            None if own is None else Location(*own), record.get("construct_path"), record["verdicts"],
            record.get("details", ()), places["rules"] if places is not None else {},
        )  # fmt: skip
        if not all(isinstance(part, str) for part in (*identity, row.verdicts)):
            raise TypeError
    except (AttributeError, KeyError, TypeError) as error:
        raise InputError("is no row of a run: expected what `scan -o DIR` writes", Location(where)) from error
    return row


def _location(row: Row, rule: str) -> Location | None:
    where = row.places.get(rule)
    return row.location if where is None else Location(*where)


def verdicts_of(row: Row, rules: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (rule, verdict) of a row; ``rules`` are those of its type, in the order of the letters.

    Raises InputError where the row was not made with these rules.
    """
    try:
        yield from ((rule, VERDICT_OF[letter]) for rule, letter in zip(rules, row.verdicts, strict=True))
    except (KeyError, ValueError):
        message = f"the row of `{row.id}` has verdicts `{row.verdicts}`; its type has {len(rules)} rules in this run"
        raise InputError(message) from None


def findings_json(
    row: Row, rules: Sequence[str], facts: Mapping[str, RuleFacts], wanted: frozenset[str]
) -> Iterator[Json]:
    """Yield the contract's finding objects of a row; those that pass say nothing but their verdict."""
    return (found.to_json() for found in findings_of(row, rules, facts, wanted))


def findings_of(
    row: Row, rules: Sequence[str], facts: Mapping[str, RuleFacts], wanted: frozenset[str]
) -> Iterator[Finding]:
    """Yield the findings of a row, as :func:`findings_json`. Raises InputError where a row says what no row does."""
    key = identity_key(row.identity)
    try:
        details = {detail["rule"]: detail for detail in row.details}
        for rule, verdict in verdicts_of(row, rules):
            if verdict in wanted:
                yield _finding(row, finding_id(rule, key), rule, verdict, facts[rule], details.get(rule, {}))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"the row of `{row.id}` says of its findings what no row does; it is damaged"
        ) from error


def _finding(row: Row, id_: str, rule: str, verdict: str, of: RuleFacts, said: Json) -> Finding:
    witness = said.get("witness")
    return Finding(
        id_, rule, of.title, of.family, of.severity, verdict,
        said.get("reason") or _SENTENCE.get(verdict, ""), said.get("message", ""),
        row.type, row.id, row.arn, row.account, row.region,
        _location(row, rule),
        said.get("branch"), tuple(_evidence(item) for item in said.get("evidence", ())),
        None if witness is None else Witness(**witness), of.frameworks, of.remediation,
        said.get("waiver"), row.identity, row.construct_path, said.get("cause"),
    )  # fmt: skip


def _evidence(item: Mapping[str, Any]) -> Evidence:
    observed, provenance = _observed(item["observed"]), item["provenance"]
    return Evidence(path_of(item["path"]), observed, item["expected"], item["reason"], provenance)


def _observed(value: Any) -> Any:
    """What was not known is an object in JSON; what is missing is null."""
    if value is None:
        return ABSENT
    if isinstance(value, dict):
        reason = value.get("unresolved")
        if reason in UNRESOLVED_REASONS and value.keys() <= {"unresolved", "detail"}:
            return Unresolved(reason, value.get("detail", ""))
        return {name: _observed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_observed(each) for each in value]
    return value


__all__ = ["Row", "RuleFacts", "findings_json", "findings_of", "read_row", "row_line", "verdicts_of"]
