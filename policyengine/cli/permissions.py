"""``policyengine permissions``: the role a scan needs, for the rules in use."""

from __future__ import annotations

import json
from typing import Any

import click

from policyengine.cli.live.wish import ROLE_NAME, checked_role
from policyengine.cli.options import rules_option


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@rules_option()
@click.option("--rule", "rule_ids", multiple=True, metavar="ID", help="for this rule only; may repeat")
@click.option(
    "--family", "families", multiple=True, metavar="NAME", help="for rules of this family; may repeat"
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "cloudformation", "stackset", "terraform", "scp-exemption"]),
    default="text",
    show_default=True,
    help="json: the policy documents; cloudformation: the role; stackset: the role in every account of the "
    "organisation; scp-exemption: the condition for SCPs that would blind the scanner",
)
@click.option("--org", is_flag=True, help="also what finding the accounts of the organisation needs")
@click.option("--role-name", default=ROLE_NAME, show_default=True, metavar="NAME", help="name of the role")
def permissions(**options: Any) -> None:
    """Print the least-privilege role that `scan --live` needs for the rules in use.

    \b
      policyengine permissions --format cloudformation > scanner-role.json
      policyengine permissions --rule s3-tls-only --format json
      policyengine permissions --format stackset > scanner-roles.json
    """
    from policyengine.cli.live.collect import plan_for
    from policyengine.cli.run import selected
    from policyengine.deploy import scanner_role
    from policyengine.rules.packs import load_packs

    plan = plan_for(selected(load_packs(options["rule_folders"]), options))
    grant = scanner_role.grant_for(plan, organization=options["org"])
    documents = scanner_role.policies(grant)
    role = checked_role(options["role_name"])
    if options["form"] == "text":
        _say(grant, plan, scanner_role)
    elif options["form"] == "terraform":
        print(scanner_role.terraform(documents, role), end="")
    else:
        template = scanner_role.role_template(documents, role)
        answer = {
            "json": documents,
            "cloudformation": template,
            "stackset": scanner_role.stack_set_template(template),
            "scp-exemption": scanner_role.exemption(role),
        }[options["form"]]
        print(json.dumps(answer, indent=2))


def _say(grant: Any, plan: Any, scanner_role: Any) -> None:
    print(f"{len(grant.actions)} actions for the calls of the scan")
    for prefix, names in scanner_role.by_service(grant.actions).items():
        print(f"  {prefix}: {', '.join(names)}")
    if grant.gateway:
        print("  apigateway: GET (not on API keys)")
    if grant.through:
        print(f"{len(grant.through)} actions that Cloud Control needs while it reads a type for us")
        for prefix, names in scanner_role.by_service(grant.through).items():
            print(f"  {prefix}: {', '.join(names)}")
    if plan.impossible:
        print(
            f"{len(plan.impossible)} types that rules read and no call collects: {', '.join(plan.impossible)}"
        )
