"""What protects a resource, weaker than before, also where no rule asks for it.

The table names properties as the CloudFormation registry does
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html); a test holds
that each is one of a type AWS documents. What a list holds is compared by its weakest element, so that its order is no
difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from policyengine.model.finding import plain
from policyengine.model.resource import Path, Resource
from policyengine.model.values import ABSENT, Unresolved
from policyengine.reports.text import show_value
from policyengine.review.changes import Change, Effect, Kind
from policyengine.review.content import references
from policyengine.review.pairs import Pair, Pairing


class Protection(NamedTuple):
    """A property that protects. ``order``: values from the weakest; ``"more"`` for numbers of which more is safer,
    ``"set"`` for something of which any value is safer than none. ``absent`` is the value that stands for none, None
    where AWS's default depends on something else."""

    kind: Kind
    severity: str
    order: tuple[Any, ...] | str
    absent: Any = None
    types: frozenset[str] = frozenset()


_ON: Final = (False, True)
_OFF: Final = (True, False)


def _rows(
    kind: Kind, severity: str, order: tuple[Any, ...] | str, absent: Any, *names: str
) -> dict[str, Protection]:
    return {name: Protection(kind, severity, order, absent) for name in names}


PROTECTIONS: Final[Mapping[str, Protection]] = {
    **_rows(
        "encryption", "high", _ON, False,
        "StorageEncrypted", "Encrypted", "AtRestEncryptionEnabled", "TransitEncryptionEnabled", "SSEEnabled",
        "SqsManagedSseEnabled", "EncryptionAtRestOptions/Enabled", "NodeToNodeEncryptionOptions/Enabled", "EnforceHTTPS",
    ),
    **_rows(
        "encryption", "medium", "set", ABSENT,
        "KmsKeyId", "KMSKeyId", "KmsKeyArn", "KMSMasterKeyID", "KmsMasterKeyId", "KMSMasterKeyId",
    ),
    **_rows("encryption", "medium", _ON, False, "EnableKeyRotation"),
    **_rows("encryption", "high", _OFF, False, "EncryptionDisabled"),
    "SSEAlgorithm": Protection("encryption", "medium", ("AES256", "aws:kms", "aws:kms:dsse"), "AES256"),
    "ViewerProtocolPolicy": Protection("encryption", "high", ("allow-all", "redirect-to-https", "https-only")),
    **_rows(
        "public", "high", _ON, False,
        "BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets",
    ),
    **_rows("public", "high", _OFF, None, "PubliclyAccessible", "EndpointPublicAccess"),
    **_rows("public", "medium", _OFF, False, "MapPublicIpOnLaunch"),
    **_rows("public", "medium", _OFF, None, "AssociatePublicIpAddress"),
    "HttpTokens": Protection("public", "medium", ("optional", "required")),
    "Scheme": Protection("public", "high", ("internet-facing", "internal"), "internet-facing"),
    "DirectInternetAccess": Protection("public", "high", ("Enabled", "Disabled"), "Enabled"),
    **_rows("logging", "medium", _ON, False, "EnableLogFileValidation", "IsMultiRegionTrail", "IsLogging"),
    **_rows(
        "logging", "medium", "set", ABSENT, "LoggingConfiguration", "AccessLogSetting", "AccessLogSettings",
        "LoggingInfo", "AccessLoggingPolicy",
    ),
    **_rows("backup", "medium", "more", 1, "BackupRetentionPeriod", "AutomatedSnapshotRetentionPeriod"),
    **_rows("backup", "medium", "more", 0, "SnapshotRetentionLimit"),
    **_rows("backup", "medium", "more", 30, "PendingWindowInDays"),
    **_rows(
        "backup", "medium", _ON, False, "DeletionProtection", "DeletionProtectionEnabled", "PointInTimeRecoveryEnabled",
        "MultiAZ", "MultiAZEnabled", "ObjectLockEnabled",
    ),
    "VersioningConfiguration/Status": Protection("backup", "medium", ("Suspended", "Enabled"), "Suspended"),
    "RetentionInDays": Protection(
        "logging", "low", "more", float("inf"), frozenset({"AWS::Logs::LogGroup"})
    ),
}  # fmt: skip
"""Last steps of a path, joined with ``/`` -> what they protect."""

_GUARDED: Final[Mapping[str, tuple[str, ...]]] = {
    "AWS::EC2::FlowLog": ("ResourceId",),
    "AWS::CloudWatch::Alarm": ("Dimensions", "Metrics"),
    "AWS::WAFv2::LoggingConfiguration": ("ResourceArn",),
    "AWS::WAFv2::WebACLAssociation": ("ResourceArn",),
}
"""Types that guard what properties of theirs name, and are no loss where that goes, too; others guard an account. What a
guard only uses (the bucket of a trail) is not what it guards."""

GUARDS: Final[Mapping[str, tuple[Kind, str, str]]] = {
    "AWS::CloudTrail::Trail": ("logging", "high", "a trail"),
    "AWS::EC2::FlowLog": ("logging", "medium", "a flow log"),
    "AWS::Config::ConfigurationRecorder": ("logging", "high", "AWS Config's recorder"),
    "AWS::GuardDuty::Detector": ("logging", "high", "GuardDuty's detector"),
    "AWS::AccessAnalyzer::Analyzer": ("logging", "low", "an access analyzer"),
    "AWS::SecurityHub::Hub": ("logging", "medium", "Security Hub"),
    "AWS::CloudWatch::Alarm": ("logging", "low", "an alarm"),
    "AWS::WAFv2::LoggingConfiguration": ("logging", "low", "the logging of a web ACL"),
    "AWS::WAFv2::WebACLAssociation": ("public", "medium", "the web ACL in front of a resource"),
    "AWS::Backup::BackupPlan": ("backup", "medium", "a backup plan"),
    "AWS::Backup::BackupSelection": ("backup", "medium", "what a backup plan backs up"),
    "AWS::Bedrock::Guardrail": ("bedrock", "medium", "a guardrail"),
}
"""Types that are protections themselves: type -> (kind, severity, what it is)."""


def protection_changes(
    pairing: Pairing, tagged: Collection[tuple[str, str, str, str]] = ()
) -> Iterator[Change]:
    """Yield protections that are weaker, stronger or not known any more. ``tagged`` are identities whose lost tags a rule
    tells already."""
    gone = {p.base.identity for p in pairing.pairs if p.base is not None and p.head is None}
    for pair in pairing.pairs:
        if pair.base is not None and pair.head is not None:
            yield from _weaker(pair)
            if pair.head.identity not in tagged:
                yield from _tags(pair.base, pair.head)
        elif pair.base is not None:
            yield from _lost(pair.base, gone)


def _weaker(pair: Pair) -> Iterator[Change]:
    """Compare branch by branch where both sides have the same, else the weakest of all branches."""
    assert pair.base is not None
    assert pair.head is not None
    olds, news = _branches(pair.base), _branches(pair.head)
    if olds.keys() == news.keys():
        both = [(pair._replace(base=olds[key][0], head=news[key][0]), olds[key], news[key]) for key in news]
    else:
        both = [
            (pair, [r for each in olds.values() for r in each], [r for each in news.values() for r in each])
        ]
    told: dict[tuple[str, Effect], Change] = {}
    for each, before, after in both:
        for name, change in _compared(each, before, after):
            told.setdefault((name, change.effect), change)
    yield from told.values()


def _branches(resource: Resource) -> dict[tuple[tuple[str, bool], ...], list[Resource]]:
    found: dict[tuple[tuple[str, bool], ...], list[Resource]] = {}
    for each in (resource, *resource.variants):
        found.setdefault(tuple(sorted((each.branch or {}).items())), []).append(each)
    return found


def _compared(pair: Pair, olds: Sequence[Resource], news: Sequence[Resource]) -> Iterator[tuple[str, Change]]:
    head = news[0]
    before, after = _values(olds), _values(news)
    for key in sorted(before.keys() | after.keys()):
        protection = PROTECTIONS[key[0]]
        if protection.types and head.type not in protection.types:
            continue
        old, old_path = _weakest(before.get(key), protection)
        new, path = _weakest(after.get(key), protection)
        effect = _effect(old, new, protection)
        if effect is not None:
            yield key[1], _change(pair, protection, effect, key[1], (old, old_path), (new, path))


def _change(
    pair: Pair,
    protection: Protection,
    effect: Effect,
    name: str,
    before: tuple[Any, Path],
    after: tuple[Any, Path],
) -> Change:
    (old, old_path), (new, path) = before, after
    said = "" if new is not ABSENT else " (it is not said any more)"
    known = "" if effect != "unclear" else "; whether that is weaker cannot be decided"
    title = f"`{name}` was {show_value(old)}, is {show_value(new)}{said}{known}"
    return Change(
        protection.kind, effect, protection.severity, title, pair.head, pair.base, path or old_path,
        plain(old), plain(new),
    )  # fmt: skip


def _effect(old: Any, new: Any, protection: Protection) -> Effect | None:
    if old == new:
        return None
    was, now = _rank(old, protection), _rank(new, protection)
    if was is None or now is None:
        best = _best(protection)
        return "unclear" if was is not None and (best is None or was >= best or was > 0) else None
    return None if was == now else "worse" if now < was else "better"


def _rank(value: Any, protection: Protection) -> float | None:
    """Return how safe a value is, None where that is not known."""
    if value is ABSENT or (protection.order == "set" and value in ("", {}, [])):
        if protection.order == "set":
            return 0
        if protection.absent is None:
            return None
        value = protection.absent
    if protection.order == "set":
        return 1
    if isinstance(value, Unresolved):
        return None
    if protection.order == "more":
        return float(value) if _is_number(value) else None
    assert isinstance(protection.order, tuple)
    value = {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value
    return float(protection.order.index(value)) if value in protection.order else None


def _best(protection: Protection) -> float | None:
    if protection.order == "set":
        return 1
    return None if protection.order == "more" else float(len(protection.order) - 1)


def _is_number(value: Any) -> bool:
    if isinstance(value, str):
        return value.isascii() and value.isdigit() and len(value) < 10
    return isinstance(value, int | float) and not isinstance(value, bool)


def _weakest(found: list[tuple[Any, Path]] | None, protection: Protection) -> tuple[Any, Path]:
    if not found:
        return ABSENT, ()
    ranked = [(_rank(value, protection), value, path) for value, path in found]
    unknown = next(((value, path) for rank, value, path in ranked if rank is None), None)
    if unknown is not None:
        return unknown
    _, value, path = min(ranked, key=lambda item: item[0] or 0.0)
    return value, path


def _values(branches: Sequence[Resource]) -> dict[tuple[str, str], list[tuple[Any, Path]]]:
    """Return (name in the table, path without places in lists) -> values with their places; ABSENT for a branch that says
    nothing where another does."""
    each: list[dict[tuple[str, str], list[tuple[Any, Path]]]] = []
    for branch in branches:
        each.append({})
        _collect(branch.properties, (), each[-1])
    keys = {key for found in each for key in found}
    return {key: [item for found in each for item in found.get(key, [(ABSENT, ())])] for key in keys}


def _collect(value: Any, path: Path, found: dict[tuple[str, str], list[tuple[Any, Path]]]) -> None:
    named = [step for step in path if isinstance(step, str)]
    for name in ("/".join(named[-2:]), named[-1] if named else ""):
        if name in PROTECTIONS and path and isinstance(path[-1], str):
            found.setdefault((name, "/".join(named)), []).append((value, path))
            break
    if isinstance(value, dict):
        for key, inner in value.items():
            _collect(inner, (*path, key), found)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _collect(inner, (*path, index), found)


def _tags(base: Resource, head: Resource) -> Iterator[Change]:
    if not isinstance(base.tags, dict):
        return
    now = head.tags if isinstance(head.tags, dict) else {}
    lost = sorted(key for key in base.tags if key not in now and not key.startswith("aws:"))
    if not lost:
        return
    if isinstance(head.tags, Unresolved):
        yield Change(
            "tags",
            "unclear",
            "low",
            f"whether it keeps its tags is not known: {head.tags.describe()}",
            head,
            base,
        )
        return
    shown = ", ".join(f"`{key}`" for key in lost)
    title = f"the {'tag' if len(lost) == 1 else 'tags'} {shown} {'is' if len(lost) == 1 else 'are'} gone"
    yield Change("tags", "new", "low", title, head, base, ("tags",), lost, None)


def _lost(base: Resource, gone: Collection[tuple[str, str, str, str]]) -> Iterator[Change]:
    """A guard that is gone without what it guarded."""
    found = GUARDS.get(base.type)
    if found is None:
        return
    kind, severity, what = found
    guarded = [base.properties.get(name) for name in _GUARDED.get(base.type, ())]
    known = [(*base.identity[:3], name) for name, _ in references(guarded) if base.file is not None]
    if known and all(identity in gone for identity in known):
        return
    yield Change(kind, "worse", severity, f"{what} is gone", base, base)
