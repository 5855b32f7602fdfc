"""``policyengine fix``: templates in, the same templates with failing rules made to pass out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from policyengine.cli.options import config_option, rules_option

_PATH = click.Path(path_type=Path)


@click.command(
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, or nothing to do; 1 with --diff: a file would change; 2 usage or input error, "
    "a file that is not edited among them; 4 the rules crashed.",
)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...")
@click.option(
    "--diff", is_flag=True, help="print a unified diff and write nothing; exit 1 if a file would change"
)
@click.option(
    "--unsafe", is_flag=True,
    help="also what replaces, interrupts, costs, deletes, cuts off access or leaves a placeholder",
)  # fmt: skip
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="fix only this rule; may repeat")
@click.option(
    "--family", "families", multiple=True, metavar="NAME", help="fix only rules of this family; may repeat"
)
@click.option(
    "--tag", "tags", multiple=True, metavar="KEY=VALUE",
    help="the value of a tag that is missing, instead of a placeholder; may repeat",
)  # fmt: skip
@click.option(
    "--format", "shape", type=click.Choice(["terminal", "json"]), default="terminal", help="of the report"
)
@click.option("-q", "--quiet", is_flag=True, help="no report; the exit code says it")
@rules_option()
@config_option("policyengine.yaml to use instead of the nearest above the target")
@click.option(
    "--waivers", "waiver_files", multiple=True, type=_PATH, metavar="FILE",
    help="failures that somebody accepted, which stay as they are; may repeat",
)  # fmt: skip
@click.option(
    "--parameters", multiple=True, metavar="FILE|KEY=VALUE",
    help="values of template parameters, as the AWS CLI or CodePipeline takes them; may repeat",
)  # fmt: skip
@click.option(
    "--stack-tag", "stack_tags", multiple=True, metavar="KEY=VALUE",
    help="a tag the stack is deployed with; may repeat",
)  # fmt: skip
@click.option("--account", metavar="ID", help="the account that templates are for")
@click.option("--region", metavar="NAME", help="the region that templates are for")
@click.option(
    "--ou", "ous", multiple=True, metavar="ID", help="the OUs above that account, nearest first; may repeat"
)
@click.option("--as-of", metavar="TIME", help="the clock of the rules (RFC 3339)")
def fix(targets: Sequence[str], **options: Any) -> int:
    """Edit CloudFormation templates so that failing rules pass, and keep every other byte.

    A fix is kept only where the rule then says PASS and no other verdict of the template got worse. Safe fixes
    are made; --unsafe makes the others too. What is generated (CDK, Terraform plans) is not edited: edit its source.

    \b
      policyengine fix template.yaml --diff
      policyengine fix templates/ --rule s3-tls-only
      policyengine fix template.yaml --unsafe --tag Owner=payments --tag CostCenter=4711
    """
    from policyengine.cli.fixing import run

    return run(targets, options)
