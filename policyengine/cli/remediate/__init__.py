"""``policyengine remediate``: plan, apply, take back, and see what was done."""

from __future__ import annotations

import sys
from typing import Any, Final

import click

from policyengine.cli.errors import EXIT_INCOMPLETE
from policyengine.cli.lazy import LazyGroup

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "plan": ("policyengine.cli.remediate.plan:plan", "Plan repairs of what fails; changes nothing."),
    "apply": ("policyengine.cli.remediate.apply:apply", "Carry out plans, after approval, and verify them."),
    "status": ("policyengine.cli.remediate.status:status", "Show actions and where they stand."),
    "rollback": ("policyengine.cli.remediate.apply:rollback", "Take a change back."),
    "recover": ("policyengine.cli.remediate.apply:recover", "Go on with what a killed process left."),
    "log": ("policyengine.cli.remediate.status:log", "Show or verify the journal."),
    "switch": ("policyengine.cli.remediate.apply:switch", "Switch remediation off and on for everybody."),
    "handlers": ("policyengine.cli.remediate.handlers:handlers", "List the remediations there are."),
}


_CHANGING: Final = ("apply", "rollback", "recover")


class _Group(LazyGroup):
    """Tells a store that gave no answer as what it is: neither a mistake of the user nor one of ours."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; exit code 4 where the store cannot be read or written."""
        from policyengine.reports.text import visible
        from policyengine.store.actions import StoreError

        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            if ctx.invoked_subcommand in _CHANGING:
                text = "a change may be under way; `policyengine remediate recover` goes on with it after three minutes"
                print(f"interrupted: {text}", file=sys.stderr)
            raise
        except StoreError as problem:
            begun = ctx.invoked_subcommand in _CHANGING
            more = "; `policyengine remediate recover` goes on with what was begun" if begun else ""
            print(f"error: {visible(str(problem))}{more}", file=sys.stderr)
            return EXIT_INCOMPLETE


@click.group(cls=_Group, table=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
def remediate() -> None:
    """Repair what fails: planned first, approved, verified, and taken back when it does not hold.

    \b
      policyengine scan --live -o run/
      policyengine remediate plan run/ -o plan.json
      policyengine remediate apply plan.json --approve-as bob
      policyengine remediate rollback act-0123456789abcdef0123

    Exit codes: 0 all was done; 1 something was refused or failed; 2 usage or input error; 4 AWS or the store gave no answer.
    """
