"""Findings, and the one builder that refuses to make an incomplete one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.model.location import Location
from policyengine.model.reasons import FAIL, FAMILIES, REASONS, SEVERITIES, UNKNOWN, VERDICTS
from policyengine.model.resource import Path, Resource, json_pointer
from policyengine.model.values import ABSENT, OpenList, Unresolved


class IncompleteFindingError(ValueError):
    """The builder was asked for a finding that a reader could not act on."""


PROPOSAL: Final = "proposed statement"
"""Last step of the path of evidence that is no observation but a policy statement that would help."""


class Evidence(NamedTuple):
    """What the rule looked at: ``observed`` may be ABSENT or Unresolved; ``expected`` is text."""

    path: Path
    observed: Any
    expected: str
    reason: str
    provenance: str | None = None


class Witness(NamedTuple):
    """A concrete request that shows why a policy question was answered as it was."""

    principal: str
    action: str
    resource: str
    context: Mapping[str, Any]


class Finding(NamedTuple):
    """One rule's verdict on one resource. Made by :func:`build_finding` only.

    A named tuple, because making a frozen dataclass of so many fields takes four times as long.
    """

    id: str
    rule: str
    title: str
    family: str
    severity: str
    verdict: str
    reason: str
    message: str
    resource_type: str
    resource_id: str
    arn: str | None
    account: str | None
    region: str | None
    location: Location | None
    branch: Mapping[str, bool] | None
    evidence: tuple[Evidence, ...]
    witness: Witness | None
    frameworks: Mapping[str, Sequence[str]]
    remediation: str | None
    waiver: Mapping[str, Any] | None
    identity: tuple[str, str, str, str]
    construct_path: str | None = None
    """What a CDK user calls the resource, e.g. ``WebStack/Bucket/Resource``."""
    cause: str | None = None
    """What has to change for a FAIL to go away, where that is one thing: a statement, a chain of SCPs. The same
    text in findings of other rules and resources says that they go away with it."""

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """Identity first, then rule: the order of every report."""
        return (*self.identity, self.rule)

    def to_json(self) -> dict[str, Any]:
        """Return the contract's object (``policyengine/findings/v1``)."""
        place = self.location
        return {
            "id": self.id,
            "rule": self.rule,
            "family": self.family,
            "severity": self.severity,
            "verdict": self.verdict,
            "reason": self.reason,
            "message": self.message,
            "resource": {
                "type": self.resource_type,
                "id": self.resource_id,
                "arn": self.arn,
                "account": self.account,
                "region": self.region,
                **({"construct_path": self.construct_path} if self.construct_path else {}),
            },
            "location": None
            if place is None
            else {"file": place.file, "line": place.line, "column": place.column},
            "branch": None if self.branch is None else dict(sorted(self.branch.items())),
            "evidence": [evidence_json(e) for e in self.evidence],
            "witness": None if self.witness is None else witness_json(self.witness),
            "frameworks": {k: list(v) for k, v in self.frameworks.items()},
            "remediation": self.remediation,
            "waiver": None if self.waiver is None else dict(self.waiver),
            **({"cause": self.cause} if self.cause else {}),
        }


def witness_json(witness: Witness) -> dict[str, Any]:
    """Return the contract's witness object; condition keys are sorted."""
    return {**witness._asdict(), "context": dict(sorted(witness.context.items()))}


def evidence_json(evidence: Evidence) -> dict[str, Any]:
    """Return the contract's evidence object."""
    return {
        "path": json_pointer(evidence.path),
        "observed": plain(evidence.observed),
        "expected": evidence.expected,
        "provenance": evidence.provenance,
    }


def plain(value: Any) -> Any:
    """Return a JSON value for any model value; ABSENT is null, Unresolved an object."""
    if value is ABSENT:
        return None
    if isinstance(value, Unresolved):
        shown = {"unresolved": value.reason}
        return {**shown, "detail": value.detail} if value.detail else shown
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    if isinstance(value, OpenList):
        return [*(plain(v) for v in value), plain(value.more)]
    if isinstance(value, list | tuple):
        return [plain(v) for v in value]
    return value


def build_finding(
    *,
    rule: str,
    title: str,
    family: str,
    severity: str,
    verdict: str,
    reason: str,
    message: str,
    resource: Resource,
    evidence: Sequence[Evidence],
    location: Location | None = None,
    branch: Mapping[str, bool] | None = None,
    witness: Witness | None = None,
    frameworks: Mapping[str, Sequence[str]] | None = None,
    remediation: str | None = None,
    waiver: Mapping[str, Any] | None = None,
    cause: str | None = None,
) -> Finding:
    """Return a complete finding.

    Raises IncompleteFindingError when the reason is not one of the table or cannot explain the
    verdict, when FAIL or UNKNOWN comes without evidence, when the message is empty, or when a
    resource that stands in a file comes without a place.
    """
    maker = FindingMaker(
        rule=rule,
        title=title,
        family=family,
        severity=severity,
        frameworks=frameworks or {},
        remediation=remediation,
    )
    return maker.make(verdict, reason, message, resource, evidence, location, branch, witness, waiver, cause)


class FindingMaker:
    """The one builder, bound to what all findings of a rule share; :func:`build_finding` says what it refuses."""

    __slots__ = ("_problem", "_shared", "rule")

    def __init__(
        self,
        *,
        rule: str,
        title: str,
        family: str,
        severity: str,
        frameworks: Mapping[str, Sequence[str]],
        remediation: str | None,
    ) -> None:
        self.rule = rule
        self._shared = (title, family, severity, frameworks, remediation, _begun(rule))
        self._problem = None
        if severity not in SEVERITIES:
            self._problem = f"`{severity}` is no severity"
        elif family not in FAMILIES:
            self._problem = f"`{family}` is no family"

    def make(
        self,
        verdict: str,
        reason: str,
        message: str,
        resource: Resource,
        evidence: Sequence[Evidence],
        location: Location | None = None,
        branch: Mapping[str, bool] | None = None,
        witness: Witness | None = None,
        waiver: Mapping[str, Any] | None = None,
        cause: str | None = None,
    ) -> Finding:
        """Return a complete finding, or raise IncompleteFindingError; a ``cause`` with ``#`` in front is a place
        of the resource."""
        place = location if location is not None else resource.place()
        if (
            self._problem is not None
            or reason not in _REASONS_OF.get(verdict, ())
            or not message
            or message.isspace()
            or not (evidence or verdict in _NEEDS_NO_EVIDENCE)
            or (place is None and resource.file is not None)
        ):
            problem = self._problem or _incomplete(verdict, reason, message, evidence)
            raise IncompleteFindingError(f"{self.rule}: {problem or f'`{resource.id}` has no place'}")
        title, family, severity, frameworks, remediation, begun = self._shared
        identity, origin = resource.identity, resource.provenance
        # positional and at once: naming twenty fields takes longer than filling them
        return _new(Finding, (
            _id(begun, identity_key(identity)), self.rule, title, family, severity, verdict, reason, message,
            resource.type, resource.id, resource.arn, resource.account, resource.region,
            place, branch, tuple(evidence), witness, frameworks, remediation, waiver, identity,
            None if origin is None else origin.get("construct_path"),
            "/".join(identity) + cause if cause is not None and cause.startswith("#") else cause,
        ))  # fmt: skip


def finding_id(rule: str, key: bytes) -> str:
    """Return the id of a rule's finding about the resource of a key: the same in every run.

    The first hexadecimal digits of SHA-256 over the rule and the identity, separated by NUL.
    """
    return _id(_begun(rule), key)


def identity_key(identity: Sequence[str]) -> bytes:
    """Return the bytes that sort as identities do: NUL sorts before whatever a name may go on with."""
    return "\0".join(identity).encode("utf-8", "surrogatepass")


def _begun(rule: str) -> hashlib._Hash:
    return hashlib.sha256((rule + "\0").encode("utf-8", "surrogatepass"))


def _id(begun: hashlib._Hash, key: bytes) -> str:
    digest = begun.copy()
    digest.update(key)
    return digest.hexdigest()[:_ID_LENGTH]


_ID_LENGTH: Final = 32
_NEEDS_NO_EVIDENCE: Final = frozenset(VERDICTS) - {FAIL, UNKNOWN}
_REASONS_OF: Final = {
    verdict: frozenset(code for code, (verdicts, _) in REASONS.items() if verdict in verdicts)
    for verdict in VERDICTS
}
_new = tuple.__new__


def _incomplete(verdict: str, reason: str, message: str, evidence: Sequence[Evidence]) -> str | None:
    """Return what is missing or contradicts itself; None where it is only the place."""
    if verdict not in VERDICTS:
        return f"`{verdict}` is no verdict"
    if reason not in REASONS:
        return f"reason `{reason}` is not in the table"
    if verdict not in REASONS[reason][0]:
        return f"reason `{reason}` cannot explain {verdict}"
    if not message or message.isspace():
        return "the message is empty"
    if not evidence and verdict not in _NEEDS_NO_EVIDENCE:
        return f"{verdict} has no evidence"
    return None
