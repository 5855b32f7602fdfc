"""What a template says besides properties: what happens to data when a resource goes, and under which conditions it exists.

Rules see neither. https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html:
the default of DeletionPolicy is Delete, but Snapshot for ``AWS::RDS::DBCluster`` and for ``AWS::RDS::DBInstance`` without
``DBClusterIdentifier``; that of UpdateReplacePolicy is Delete (aws-attribute-updatereplacepolicy.html).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from policyengine.model.location import Location
from policyengine.model.resource import Path, Resource
from policyengine.model.values import Unresolved
from policyengine.reports.text import show_value
from policyengine.review.changes import Change, Effect
from policyengine.review.pairs import Pair, Pairing
from policyengine.review.protections import GUARDS

STACK: Final = "AWS::CloudFormation::Stack"
DATA: Final = frozenset(
    {
        "AWS::Backup::BackupVault", "AWS::CloudTrail::Trail", "AWS::Cognito::UserPool", "AWS::DocDB::DBCluster",
        "AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::EC2::Instance", "AWS::EC2::Volume",
        "AWS::ECR::Repository", "AWS::EFS::FileSystem", "AWS::ElastiCache::CacheCluster",
        "AWS::ElastiCache::ReplicationGroup", "AWS::FSx::FileSystem", "AWS::KMS::Key", "AWS::Kinesis::Stream",
        "AWS::Logs::LogGroup", "AWS::MemoryDB::Cluster", "AWS::Neptune::DBCluster", "AWS::OpenSearchService::Domain",
        "AWS::QLDB::Ledger", "AWS::RDS::DBCluster", "AWS::RDS::DBInstance", "AWS::Redshift::Cluster", "AWS::S3::Bucket",
        "AWS::SQS::Queue", "AWS::SSM::Parameter", "AWS::SecretsManager::Secret", "AWS::Timestream::Database",
        "AWS::Timestream::Table", STACK,
    }
)  # fmt: skip
"""Types whose deletion loses data, or what data cannot be read without."""
_KEPT: Final = frozenset({"Retain", "RetainExceptOnCreate", "Snapshot"})


class Written(NamedTuple):
    """A template as it is written: its value, and where a value stands."""

    root: Mapping[str, Any]
    locate: Callable[[Path], Location | None]


Templates = Mapping[str, Written]
"""By the name of the file."""


def written_changes(pairing: Pairing, base: Templates, head: Templates) -> Iterator[Change]:
    """Yield what templates say otherwise of resources that both sides have, and of conditions nobody can decide."""
    undecided: dict[str, set[str]] = {}
    old_names = _old_names(pairing)
    files: dict[str, str] = {}
    for pair in pairing.pairs:
        if pair.base is None or pair.head is None or pair.head.file is None or pair.base.file is None:
            continue
        files[pair.head.file] = pair.base.file
        for branch in (pair.head, *pair.head.variants):
            undecided.setdefault(pair.head.file, set()).update(branch.branch or {})
        old, new = _declared(base, pair.base), _declared(head, pair.head)
        if old is not None and new is not None:
            yield from _attributes(pair, old, new, head[pair.head.file])
            yield from _opaque(pair, old, new, old_names.get(pair.head.file, {}), head[pair.head.file])
        if pair.head.type == STACK and pair.head.properties != pair.base.properties:
            yield from _inner(pair, pair.base, pair.head)
    for file, names in sorted(undecided.items()):
        if file in head and files[file] in base:
            yield from _conditions(file, names, base[files[file]], head[file])


def _declared(templates: Templates, resource: Resource) -> Mapping[str, Any] | None:
    written = templates.get(resource.file or "")
    section = written.root.get("Resources") if written is not None else None
    found = section.get(resource.id) if isinstance(section, dict) else None
    return found if isinstance(found, dict) else None


def _attributes(
    pair: Pair, old: Mapping[str, Any], new: Mapping[str, Any], template: Written
) -> Iterator[Change]:
    head = pair.either
    for name in ("DeletionPolicy", "UpdateReplacePolicy"):
        was, now = _policy(name, old, head.type), _policy(name, new, head.type)
        effect = _effect(was, now)
        if effect is not None and head.type in DATA:
            known = "; whether that keeps the data cannot be decided" if effect == "unclear" else ""
            at = template.locate(("Resources", head.id, name))
            yield Change(
                "backup", effect, "medium", f"`{name}` was {show_value(was)}, is {show_value(now)}{known}", head, pair.base,
                before=was, after=now, location=at,
            )  # fmt: skip
    guard, condition = GUARDS.get(head.type), new.get("Condition")
    in_doubt = any(condition in (branch.branch or {}) for branch in (head, *head.variants))
    if guard is not None and isinstance(condition, str) and condition != old.get("Condition") and in_doubt:
        yield Change(
            guard[0], "unclear", guard[1], f"{guard[2]} exists only under condition `{condition}`, which cannot be decided",
            head, pair.base, before=old.get("Condition"), after=condition,
            location=template.locate(("Resources", head.id, "Condition")),
        )  # fmt: skip


def _policy(name: str, declared: Mapping[str, Any], type_: str) -> Any:
    if name in declared:
        return declared[name]
    properties = declared.get("Properties")
    alone = not (isinstance(properties, dict) and "DBClusterIdentifier" in properties)
    snapshot = type_ == "AWS::RDS::DBCluster" or (type_ == "AWS::RDS::DBInstance" and alone)
    return "Snapshot" if snapshot and name == "DeletionPolicy" else "Delete"


def _effect(was: Any, now: Any) -> Effect | None:
    if was == now:
        return None
    if not isinstance(was, str) or not isinstance(now, str):
        return None if was == "Delete" else "unclear"
    kept, keeps = was in _KEPT, now in _KEPT
    return None if kept == keeps else "worse" if kept else "better"


def _opaque(
    pair: Pair, old: Mapping[str, Any], new: Mapping[str, Any], names: Mapping[str, str], template: Written
) -> Iterator[Change]:
    """A value that nobody knows and that is written otherwise, so deep within functions that both sides look alike."""
    base, head = pair.base, pair.head
    assert base is not None
    assert head is not None
    before = dict(_unknown(base.properties, ()))
    for path, value in _unknown(head.properties, ()):
        was, now = _at(old, ("Properties", *path)), _at(new, ("Properties", *path))
        if before.get(path) == value and was is not None and now is not None and was != _with(now, names):
            text = f"`{'.'.join(map(str, path))}` is written otherwise, and neither side's value is known"
            at = template.locate(("Resources", head.id, "Properties", *path))
            yield Change("unreadable", "unclear", "low", text, head, base, path, location=at)


def _old_names(pairing: Pairing) -> dict[str, dict[str, str]]:
    """Return file of the head -> logical id -> the id it had before."""
    found: dict[str, dict[str, str]] = {}
    for now, before in pairing.renamed.items():
        found.setdefault(now[1], {})[now[3]] = before[3]
    return found


def _unknown(value: Any, path: Path) -> Iterator[tuple[Path, tuple[str, str]]]:
    """Yield (path, what is known of it) of every value that is nothing but unknown."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _unknown(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _unknown(inner, (*path, index))
    elif isinstance(value, Unresolved) and value.target is None and not value.parts:
        yield path, (value.reason, value.detail)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _with(value: Any, names: Mapping[str, str]) -> Any:
    """Return a raw value with the names that resources had before."""
    if isinstance(value, dict):
        return {key: _with(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_with(inner, names) for inner in value]
    if isinstance(value, str):
        first, dot, rest = value.partition(".")
        return names.get(first, first) + dot + rest
    return value


def _inner(pair: Pair, base: Resource, head: Resource) -> Iterator[Change]:
    """A template that lies in the repository is reviewed by itself; the values it is given are known to nobody there."""
    changed = [
        name
        for name in ("TemplateURL", "Parameters")
        if base.properties.get(name) != head.properties.get(name)
    ]
    if changed:
        names = " and ".join(f"`{name}`" for name in changed)
        text = f"the nested stack's {names} changed; what it becomes is not read: review its template with `--parameters`"
        yield Change("unreadable", "unclear", "low", text, head, base, (changed[0],))


def _conditions(file: str, names: set[str], base: Written, head: Written) -> Iterator[Change]:
    old, new = base.root.get("Conditions"), head.root.get("Conditions")
    if not isinstance(old, dict) or not isinstance(new, dict):
        return
    for name in sorted(names & old.keys() & new.keys()):
        if _whole(name, old) != _whole(name, new):
            text = f"condition `{name}` is another one and cannot be decided: what depends on it was compared under its name"
            yield Change(
                "unreadable",
                "unclear",
                "medium",
                text,
                None,
                location=head.locate(("Conditions", name)),
                file=file,
            )


def _whole(name: str, conditions: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Return a condition with those it is made of."""
    found: dict[str, Any] = {}
    todo = [name]
    while todo:
        each = todo.pop()
        if each in conditions and each not in found:
            found[each] = conditions[each]
            todo += _named(conditions[each])
    return sorted(found.items())


def _named(value: Any) -> list[str]:
    if isinstance(value, dict):
        here = [value["Condition"]] if isinstance(value.get("Condition"), str) else []
        return here + [name for inner in value.values() for name in _named(inner)]
    return [name for inner in value for name in _named(inner)] if isinstance(value, list) else []
