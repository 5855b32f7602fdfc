"""Where rules say something else of a resource than before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from policyengine.model.finding import Evidence, Finding, plain
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, SEVERITIES, UNKNOWN
from policyengine.review.changes import Broken, Change, Effect, Kind
from policyengine.review.pairs import Identity, Pair, Pairing

ByRule = Mapping[Identity, Mapping[str, Finding]]
_OF_FAMILY: Final[Mapping[str, Kind]] = {
    "iam": "access",
    "pipeline": "access",
    "network": "network",
    "encryption": "encryption",
    "tagging": "tags",
    "logging": "logging",
    "resilience": "backup",
    "bedrock": "bedrock",
}
COMPARED: Final[frozenset[Kind]] = frozenset({"access", "network", "bedrock"})
"""Kinds in which what failed and fails is compared by what it allows, never by how it is written, where that is a policy or
ports; other settings (a container that is privileged, a secret in a variable) are compared as those of every kind."""
_PORTS: Final = frozenset({"AWS::EC2::SecurityGroup", "AWS::EC2::NetworkAcl"})
_POLICIES: Final = frozenset(
    {
        "AssumeRolePolicyDocument", "Content", "Groups", "InlinePolicy", "KeyPolicy", "ManagedPolicyArns", "PermissionsBoundary",
        "Policies", "Policy", "PolicyDocument", "PolicyText", "RepositoryPolicyText", "ResourcePolicy", "SecurityGroupEgress",
        "SecurityGroupIngress", "Statement", "Users", "Roles", "related", "with",
    }
)  # fmt: skip
"""Steps of paths at or below which policies or ports stand, or other resources."""


def kind_of(finding: Finding) -> Kind:
    """Return what a rule's verdict is about."""
    return _OF_FAMILY.get(finding.family, "rule")


def verdict_changes(
    pairing: Pairing, base: ByRule, head: ByRule, kept: Collection[str] = frozenset()
) -> Iterator[Change]:
    """Yield one change for each resource, effect and kind. ``kept`` are failures that the head's baseline takes: one that the
    base's baseline takes under another name is the same failure.

    A failure that a waiver accepts is none; that it was accepted and is not any more is a waiver lost.
    """
    for pair in pairing.pairs:
        before = base.get(pair.base.identity, {}) if pair.base is not None else {}
        after = head.get(pair.head.identity, {}) if pair.head is not None else {}
        found: dict[tuple[Effect, Kind], list[tuple[Finding | None, Finding | None]]] = defaultdict(list)
        for rule in sorted(before.keys() | after.keys()):
            old, new = before.get(rule), after.get(rule)
            if old and new and new.id in kept and _is_baselined(old) and not _fails_more(old, new):
                continue
            told = _effect(pair, old, new)
            if told is not None:
                found[told].append((old, new))
        for (effect, kind), several in found.items():
            yield _change(pair, effect, kind, several)


def _effect(pair: Pair, old: Finding | None, new: Finding | None) -> tuple[Effect, Kind] | None:
    """Return what became of one rule on one resource; None where that is nothing to tell."""
    was, now = _verdict(old), _verdict(new)
    either = new or old
    assert either is not None
    kind = kind_of(either)
    if now == FAIL:
        assert new is not None
        if new.waiver:
            return None
        if was != FAIL:
            return "worse", kind
        assert old is not None
        if old.waiver:
            return "worse", "waiver"
        return ("worse", kind) if not _is_compared(kind, pair, new) and _fails_more(old, new) else None
    if was == FAIL:
        if now == UNKNOWN or (now == NOT_APPLICABLE and pair.head is not None):
            return "unclear", "rule"
        return "better", kind
    if now == UNKNOWN and was != UNKNOWN:
        return "unclear", "rule"
    return ("better", kind) if was == UNKNOWN and now == PASS else None


def _is_baselined(finding: Finding) -> bool:
    return finding.verdict == FAIL and finding.waiver is not None and finding.waiver.get("kind") == "baseline"


def _is_compared(kind: Kind, pair: Pair, finding: Finding) -> bool:
    """Whether what fails is a policy or a list of ports, so that it is compared by what it allows."""
    if kind not in COMPARED:
        return False
    if finding.witness is not None or pair.either.type in _PORTS:
        return True
    return any(not each.path or not _POLICIES.isdisjoint(map(str, each.path)) for each in finding.evidence)


def _verdict(finding: Finding | None) -> str | None:
    return None if finding is None else finding.verdict


def _change(
    pair: Pair, effect: Effect, kind: Kind, several: Sequence[tuple[Finding | None, Finding | None]]
) -> Change:
    several = sorted(several, key=lambda both: _rank(both[1] or both[0]))
    old, new = several[0]
    first = new or old
    assert first is not None
    evidence = first.evidence[0] if first.evidence else None
    was = (
        next((e for e in old.evidence if evidence is not None and e.path == evidence.path), None)
        if old
        else None
    )
    return Change(
        kind, effect, first.severity, _title(pair, effect, several), pair.either, pair.base,
        evidence.path if evidence is not None else (),
        plain(was.observed) if was is not None else None,
        plain(evidence.observed) if evidence is not None and new is not None else None,
        first.witness if effect == "worse" else None,
        rules=tuple(broken(old, new) for old, new in several),
        location=first.location,
    )  # fmt: skip


def broken(old: Finding | None, new: Finding | None) -> Broken:
    """Return a rule's verdicts before and after."""
    told = new or old
    assert told is not None
    return Broken(
        told.rule, told.title, told.severity, _verdict(old), _verdict(new), told.message, told.id, told.remediation
    )  # fmt: skip


def _rank(finding: Finding | None) -> tuple[int, str]:
    assert finding is not None
    return -SEVERITIES.index(finding.severity), finding.rule


def _title(pair: Pair, effect: Effect, several: Sequence[tuple[Finding | None, Finding | None]]) -> str:
    old, new = several[0]
    first = new or old
    assert first is not None
    more = (
        f" (and {len(several) - 1} more rules)"
        if len(several) > 2
        else " (and another rule)" * (len(several) == 2)
    )
    if effect == "unclear":
        return f"{first.message}{more}"
    if effect == "better":
        gone = (
            "is gone"
            if pair.head is None
            else "passes"
            if new is not None and new.verdict == PASS
            else "changed"
        )
        return f"{first.title}: {gone}{more}"
    return f"{first.message}{more}"


def _fails_more(old: Finding, new: Finding) -> bool:
    """Whether more fails than before: more elements, or a number farther from what is expected.

    Elements may stand in another order. That other values fail is no more.
    """
    if len(new.evidence) > len(old.evidence):
        return True
    return any(_farther(e, new.evidence) for e in old.evidence)


def _farther(old: Evidence, news: Iterable[Evidence]) -> bool:
    for new in news:
        if (
            new.path == old.path
            and new.expected == old.expected
            and _number(old.observed)
            and _number(new.observed)
        ):
            if new.expected.startswith("at least"):
                return bool(new.observed < old.observed)
            if new.expected.startswith("at most"):
                return bool(new.observed > old.observed)
    return False


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
