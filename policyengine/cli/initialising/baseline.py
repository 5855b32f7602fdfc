"""What fails today, as a baseline."""

from __future__ import annotations

from dataclasses import dataclass

from policyengine.cli.baseline import entry_of
from policyengine.cli.initialising.looking import Repository
from policyengine.cli.waivers.common import as_text, failing_of, scan_of
from policyengine.sources.discover import Discovery


@dataclass(frozen=True, slots=True)
class Today:
    """What can be judged, and the text of a baseline of what fails; None where nothing does, or nobody asked."""

    discovery: Discovery
    baseline: str | None
    failures: int


def try_rules(found: Repository) -> None:
    """Keep the folders of rules that load beside the bundled ones; a copy of those, or other people's YAML, does not."""
    from policyengine.model.errors import PolicyEngineError
    from policyengine.rules.packs import load_packs

    for folder in list(found.rules):
        try:
            load_packs([found.root / folder])
        except PolicyEngineError as error:
            found.rules.remove(folder)
            found.not_rules.append(
                (folder, f"it looks like rules, but {getattr(error, 'errors', (error,))[0]}")
            )


def judged(found: Repository, *, evaluate: bool) -> Today:
    """Read the repository, and judge it where ``evaluate`` says so.

    Unlike `baseline write` this goes on where a file cannot be read: nothing of it is judged by the check either, which
    names it. Raises ConfigError, RuleError.
    """
    given = {"config": None, "waiver_files": (), "rule_folders": _rules(found), "as_of": None}
    run = scan_of(found.root, given)
    if not evaluate:
        return Today(run.discovery, None, 0)
    from policyengine.config.baseline import write_baseline

    entries = {
        each.finding.id: entry_of(each) for each in failing_of(run.scan, ()) if each.finding.waiver is None
    }
    text = write_baseline(as_text(None), list(entries.values())) if entries else None
    return Today(run.discovery, text, len(entries))


def _rules(found: Repository) -> tuple[object, ...]:
    return tuple(found.root / folder for folder in found.rules)
