"""``policyengine init``: looking, proposing, writing, telling."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from policyengine.cli.errors import EXIT_OK
from policyengine.cli.initialising.configuration import BASELINE, configuration
from policyengine.cli.initialising.hosts import Advice, check, pre_commit
from policyengine.cli.initialising.looking import Repository, count, look, root_of
from policyengine.cli.initialising.proposals import Proposal
from policyengine.cli.outputs import say
from policyengine.config.find import FILE_NAME
from policyengine.model.errors import UsageError
from policyengine.reports.text import plural

_KINDS: Final = {
    "template": "template",
    "plan": "Terraform plan",
    "snapshot": "snapshot",
    "config": "file of AWS Config",
}
_TERRAFORM: Final = (
    "is judged by its plan, which takes your credentials to make: `terraform plan -out p && terraform show -json p > "
    "plan.json`, then `policyengine scan plan.json --terraform-source .`, or `review --base OLD.json --head plan.json`"
)


def initialise(folder: Path, options: Mapping[str, Any]) -> int:
    """Write what is not there. Raises UsageError where there is nothing to judge, InputError, ConfigError."""
    found = look(root_of(folder))
    proposals, advice = _proposed(found, options)
    _say_seen(found)
    new = [each for each in proposals if each.state(found.root) == "new"]
    for proposal in proposals:
        _deal_with(proposal, found.root, dry_run=options["dry_run"])
    for each in advice:
        _say_advice(each)
    _say_next(new, dry_run=options["dry_run"])
    return EXIT_OK


def _proposed(found: Repository, options: Mapping[str, Any]) -> tuple[list[Proposal], list[Advice]]:
    from policyengine.cli.initialising.baseline import judged, try_rules

    try_rules(found)
    there = (found.root / FILE_NAME).exists()
    kept = (found.root / BASELINE).exists()
    today = judged(found, evaluate=not (there or kept or options["no_baseline"]))
    count(found, today.discovery)
    if not found.judged and not found.terraform:
        raise UsageError(
            f"there is nothing to judge in `{found.root}`: no CloudFormation or SAM template, no cdk.json, no Terraform",
            code="nothing_to_judge",
        )
    proposals = []
    if today.baseline is not None:
        why = f"{plural(today.failures, 'failure')} of today: debt that is shown everywhere and fails nothing"
        proposals.append(Proposal(BASELINE, today.baseline, why, compared=False))
    why = "settings: what rules ask for, how bad it is, what is not asked; each is explained in it"
    proposals.append(Proposal(FILE_NAME, configuration(baseline=kept or today.baseline is not None), why))
    checks, advice = _checks(found, options["ci"])
    return proposals + checks, advice


def _checks(found: Repository, ci: str) -> tuple[list[Proposal], list[Advice]]:
    proposals: list[Proposal] = []
    advice: list[Advice] = []
    for host in (found.hosts if ci == "auto" else [ci] if ci != "none" else []) if found.judged else []:
        proposal, more = check(host, found)
        proposals.append(proposal)
        advice += [each for each in more if not _is_done(found.root, each)]
    if found.terraform:
        more_folders = f" and {len(found.terraform) - 3} more" if len(found.terraform) > 3 else ""
        advice.append(Advice(", ".join(found.terraform[:3]) + more_folders, _TERRAFORM))
    advice += [Advice(folder, f"is left out: {why}") for folder, why in found.not_rules]
    if found.has_pre_commit and not _is_done(found.root, pre_commit()):
        advice.append(pre_commit())
    return proposals, advice


def _is_done(root: Path, advice: Advice) -> bool:
    """Whether the file already speaks of us."""
    if not advice.text:
        return False
    try:
        return b"policyengine" in (root / advice.where).read_bytes()
    except OSError:
        return False


# -- telling -----------------------------------------------------------------------------------------


def _say_seen(found: Repository) -> None:
    seen = [plural(number, _KINDS.get(kind, kind)) for kind, number in sorted(found.kinds.items())]
    seen += [f"CDK app in {app.folder or 'the root'}" for app in found.cdk]
    seen += [f"Terraform in {plural(len(found.terraform), 'folder')}"] if found.terraform else []
    seen += [f"rules of your own in {folder}" for folder in found.rules]
    say(f"looked at {found.root}: {', '.join(seen)}")
    if found.broken:
        say(
            f"  {plural(found.broken, 'file')} cannot be read, and are not judged: `policyengine scan .` says why"
        )
    if found.cut:
        say("  it is too large to be looked at whole: name folders in the check, where something is missing")
    for name in found.unsupported:
        say(f"  {name}: init writes no file for it; docs/integrations.md says which commands to run there")
    if not found.hosts and not found.unsupported:
        say("  no CI that init knows: choose one with --ci github, gitlab or codebuild")


def _deal_with(proposal: Proposal, root: Path, *, dry_run: bool) -> None:
    state = proposal.state(root)
    if state == "new":
        if not dry_run:
            proposal.write(root)
        say(f"{'would write' if dry_run else 'wrote'} {proposal.path}")
        say(f"  {proposal.why}")
    elif state == "same" or not proposal.compared:
        say(f"{proposal.path} is there: nothing to do")
    else:
        say(f"{proposal.path} is there and says something else; it is left as it is. The difference:")
        for line in proposal.difference(root):
            say(f"  {line}")


def _say_advice(advice: Advice) -> None:
    say(f"by hand: {advice.where}: {advice.why}")
    for line in advice.text.splitlines():
        say(f"  {line}")


def _say_next(new: list[Proposal], *, dry_run: bool) -> None:
    if not new:
        say("nothing to do")
    elif not dry_run:
        say(
            f"next: look at {'them' if len(new) > 1 else 'it'}, and commit: {' '.join(each.path for each in new)}"
        )
