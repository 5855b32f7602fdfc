"""``drift --history``: since when something fails, from the history that AWS Config keeps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from policyengine.engine.evaluate import Evaluator
from policyengine.model.errors import PolicyEngineError, UsageError
from policyengine.model.values import Unresolved
from policyengine.review.drift import Drift
from policyengine.review.joining import Identity
from policyengine.review.since import Recorded, Records, Since
from policyengine.sources.base import SourceOptions
from policyengine.sources.config.item import NOT_RECORDED
from policyengine.sources.config.source import ConfigSource
from policyengine.sources.discover import open_targets

BySince = dict[tuple[Identity, str], Since]


def failing_since(
    files: Sequence[Path], drifted: Iterable[Drift], collected: Mapping[Identity, str], evaluator: Evaluator
) -> tuple[BySince, list[PolicyEngineError]]:
    """Return for (identity, rule) of what drifted since when it fails, and what could not be read of the files.

    ``collected`` is when each resource was seen, in RFC 3339. Raises PolicyEngineError for a file that is no history.
    """
    failing: defaultdict[Identity, set[str]] = defaultdict(set)
    types: set[str] = set()
    for each in drifted:
        failing[each.joined.live].add(each.live.rule)
        types.add(each.live.resource_type)
    sources = _open(files)
    if not failing:
        return {}, []
    accounts = {identity[0] for identity in failing}
    rules = set().union(*failing.values())
    seen = {identity: _moment(collected[identity]) for identity in failing if identity in collected}
    records = Records(evaluator.of_rules(rules), failing, seen)
    for source in sources:
        for item, resource in source.history(types, accounts):
            unseen = resource is None and item.status in NOT_RECORDED
            state = Unresolved("not_collected", "AWS Config did not record it") if unseen else resource
            records.take(Recorded(item.identity, item.order, item.captured, state))
    return records.since(), [error for source in sources for error in source.errors]


def _open(files: Sequence[Path]) -> list[ConfigSource]:
    found = open_targets([str(file) for file in files], SourceOptions())
    if found.errors:
        raise found.errors[0]
    wrong = next((source for source in found.sources if not isinstance(source, ConfigSource)), None)
    if wrong is not None or not found.sources:
        name = wrong.target if wrong is not None else files[0]
        raise UsageError(f"--history `{name}` holds no configuration items of AWS Config")
    return [source for source in found.sources if isinstance(source, ConfigSource)]


def _moment(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)


def in_words(since: Since) -> str:
    """Return what is said of it."""
    by = "by AWS Config's history"
    met = f"it did not on {since.met}" if since.met else ""
    if since.first is None:
        return (
            f"fails since some time after {since.met}, {by}"
            if met
            else f"{by} nobody knows since when it fails"
        )
    if since.certain:
        return f"fails since {since.first}, {by} ({met})"
    why = "which begins there" if since.begins else "which does not decide it before"
    return f"fails at the latest since {since.first}, {by}, {why}" + (f" ({met})" if met else "")
