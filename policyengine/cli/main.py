"""Entry point: the table of commands, and errors shown as a user should see them."""

from __future__ import annotations

import io
import os
import sys
from typing import Any, Final

import click

from policyengine import __version__
from policyengine.cli.errors import EXIT_INCOMPLETE, EXIT_USAGE, show_crash, show_error
from policyengine.cli.lazy import LazyGroup
from policyengine.model.errors import PolicyEngineError

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "init": ("policyengine.cli.initialising:init", "Write a configuration, a baseline and a check for CI."),
    "scan": ("policyengine.cli.scan:scan", "Evaluate rules on templates, plans and snapshots."),
    "pre-commit": (
        "policyengine.cli.pre_commit:pre_commit",
        "Judge the files of a commit; quiet if all is well.",
    ),
    "snapshot": (
        "policyengine.cli.snapshot:snapshot",
        "Collect live accounts; compare and verify snapshots.",
    ),
    "report": ("policyengine.cli.report:report", "Write reports of a run that was kept."),
    "diff": ("policyengine.cli.diff:diff", "Say which findings are new, fixed and open between two runs."),
    "history": (
        "policyengine.cli.history:history",
        "Keep what became of findings; replay AWS Config's history.",
    ),
    "milestones": ("policyengine.cli.milestones:milestones", "Name runs, and compare any two."),
    "waivers": (
        "policyengine.cli.waivers:waivers",
        "Accept failures until a day; check, list and sign that.",
    ),
    "baseline": (
        "policyengine.cli.baseline:baseline",
        "Begin with what fails today; only what is new fails.",
    ),
    "review": ("policyengine.cli.review:review", "Say what a change newly allows."),
    "drift": ("policyengine.cli.drift:drift", "Compare what is declared with what runs."),
    "publish": (
        "policyengine.cli.publish:publish",
        "Put findings into Security Hub, evidence under Object Lock, reviews into comments.",
    ),
    "permissions": (
        "policyengine.cli.permissions:permissions",
        "Print the role that scanning live accounts needs.",
    ),
    "remediate": (
        "policyengine.cli.remediate:remediate",
        "Repair what fails: plan, apply, verify, take back.",
    ),
    "fix": ("policyengine.cli.fix:fix", "Edit templates so that failing rules pass; --diff shows it."),
    "evidence": ("policyengine.cli.evidence:evidence", "Make and verify bundles of evidence."),
    "deploy": ("policyengine.cli.deploy:deploy", "Make what runs the rules continuously in AWS."),
    "rules": ("policyengine.cli.rules:rules", "List, show, test and scaffold rules."),
    "schema": ("policyengine.cli.schema:schema", "Print or write JSON Schemas for editors."),
    "frameworks": (
        "policyengine.cli.frameworks:frameworks",
        "Say what rules decide of frameworks, and what remains.",
    ),
    "well-architected": (
        "policyengine.cli.well_architected:well_architected",
        "Say what a run found as risks by pillar, and in which order to repair it.",
    ),
    "shadow-ai": (
        "policyengine.cli.shadow_ai:shadow_ai",
        "Say which AI services DNS query logs show, and from where.",
    ),
    "iam": ("policyengine.cli.iam:iam", "Ask about AWS policies: one request, or all requests."),
    "explain": ("policyengine.cli.explain:explain", "Explain a rule or a finding."),
    "completion": ("policyengine.cli.completion:completion", "Print the shell completion script."),
}
"""name -> (where the command is, its one-line help); modules load when a command is used."""


@click.group(cls=LazyGroup, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="policyengine")
def cli() -> None:
    """Policy-as-code for AWS: one rule text, one verdict, on every source.

    Exit codes: 0 nothing to do; 1 a FAIL at or above --fail-on; 2 usage or input error; 3 UNKNOWN
    under --strict; 4 the run is incomplete.
    """


def main(argv: list[str] | None = None) -> Any:
    """Run the command line and exit."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # a name that the terminal has no letters for is spelt out, and never ends the run
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = cli.main(argv, prog_name="policyengine", standalone_mode=False)
    except click.exceptions.Abort:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_USAGE)
    except PolicyEngineError as error:
        show_error(error)
        sys.exit(EXIT_USAGE)
    except BrokenPipeError:
        # the reader went away (`| head`): no message, and no second error at interpreter exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_INCOMPLETE)
    except Exception as error:  # an uncaught one would exit with 1, which means FAIL
        if os.environ.get("POLICYENGINE_DEBUG"):
            raise
        show_crash(error)
        sys.exit(EXIT_INCOMPLETE)
    sys.exit(code if isinstance(code, int) else 0)
