"""Deny Bedrock outside the approved regions by a new SCP, on one account or a canary OU.

The statement is the one the finding proposes, which is proved to deny every request of the rule's set. No policy that
is there is changed, and nothing is ever attached to a root.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

from policyengine.iam.breakage import breakage
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.model.finding import PROPOSAL
from policyengine.remediate.api import Call, FromAnswer, Json, Proposal, Reader, Refused, Step, Target

_SERVICE, _TYPE = "organizations", "SERVICE_CONTROL_POLICY"
PREFIX = "policyengine-bedrock-regions-"
_ID = FromAnswer("create", "Policy.PolicySummary.Id")
LEVELS = 8
"""OUs can be nested five deep: organizations/latest/userguide/orgs_reference_limits.html"""
SHOWN = 10
MOST_ROOM = 4
"""Room beyond this is not counted: one policy more or less of others is then no change of this."""


def image(target: Target, read: Reader) -> Json:
    """Return where the policy would go, who is below, whether there is room, and which of its kind are there already.

    Policies of others stay out of it but for the room they leave: one that is attached later is no change of this.
    """
    node = target.parameters["canary_ou"] or target.id
    if node != target.id and not node.startswith("ou-"):
        raise Refused(
            "unsupported", f"`canary_ou` is {node}; expected the id of an OU: nothing is attached to a root"
        )
    organization = (read.call(_SERVICE, "DescribeOrganization") or {})["Organization"]
    roots = read.all(_SERVICE, "ListRoots", result="Roots")
    enabled = {each["Type"] for root in roots for each in root["PolicyTypes"] if each["Status"] == "ENABLED"}
    named = read.all(_SERVICE, "ListPolicies", {"Filter": _TYPE}, result="Policies")
    attached = read.all(
        _SERVICE, "ListPoliciesForTarget", {"TargetId": node, "Filter": _TYPE}, result="Policies"
    )
    names, own = sorted(policy["Name"] for policy in attached), f"{PREFIX}{node}-"
    others = sum(not name.startswith(own) for name in names)
    return {
        "node": node,
        "manager": organization["MasterAccountId"],
        "enabled": _TYPE in enabled,
        "above": _above(target.id, read) if node != target.id else [],
        "accounts": sorted(_below(node, read)) if node != target.id else [target.id],
        "attached": [name for name in names if name.startswith(own)],
        "room": max(0, min(MOST_ROOM, target.parameters["policies_per_target"] - others)),
        "made": sorted(policy["Name"] for policy in named if policy["Name"].startswith(own)),
    }


def _above(account: str, read: Reader) -> list[str]:
    """Return the OUs above an account and the root."""
    found: list[str] = []
    child = account
    while not child.startswith("r-") and len(found) < LEVELS:
        (parent,) = read.all(_SERVICE, "ListParents", {"ChildId": child}, result="Parents")
        child = parent["Id"]
        found.append(child)
    return found


def _below(node: str, read: Reader) -> Iterator[str]:
    """Yield the accounts in an OU and in those below it."""
    waiting = [node]
    while waiting:
        parent = {"ParentId": waiting.pop()}
        yield from (
            each["Id"] for each in read.all(_SERVICE, "ListAccountsForParent", parent, result="Accounts")
        )
        found = read.all(_SERVICE, "ListOrganizationalUnitsForParent", parent, result="OrganizationalUnits")
        waiting += [each["Id"] for each in found]


def plan(target: Target, image: Json) -> Proposal:
    """Create the policy and attach it. Two people approve."""
    _possible(target, image)
    text, policy = _policy(target)
    node = image["node"]
    name = f"{PREFIX}{node}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if name in image["made"]:
        raise Refused(
            "unsupported", f"the policy {name} is there already: somebody made it; look at it, and attach it"
        )
    create = Step(
        "create",
        Call(_SERVICE, "CreatePolicy", {
            "Name": name, "Type": _TYPE, "Content": text,
            "Description": f"Denies Bedrock outside the approved regions ({target.finding.rule}); made by policyengine",
        }),
        (Call(_SERVICE, "DeletePolicy", {"PolicyId": _ID}),),
        "a policy of its own: none that is there is changed",
    )  # fmt: skip
    about = {"PolicyId": _ID, "TargetId": node}
    attach = Step(
        "attach",
        Call(_SERVICE, "AttachPolicy", about),
        (Call(_SERVICE, "DetachPolicy", about),),
        f"from then on it holds for {len(image['accounts'])} accounts",
    )
    return Proposal(
        f"deny what the rule asks for by a new SCP {name} on {node}",
        (create, attach),
        after={
            **image,
            "attached": sorted([*image["attached"], name]),
            "made": sorted([*image["made"], name]),
        },
        concerns=tuple(_concerns(target, image, policy)),
        approvals=2,
        advice=f"The policy:\n{json.dumps(json.loads(text), indent=2)}\nWhere it has held for a while, attach it above.",
    )


def _possible(target: Target, image: Json) -> None:
    own, node = target.parameters, image["node"]
    if target.id == image["manager"] or image["manager"] in image["accounts"]:
        raise Refused("unsupported", "SCPs do not restrict the management account: run nothing in it")
    if not image["enabled"]:
        raise Refused("unsupported", "SCPs are not enabled in the organisation: enable the policy type first")
    if node != target.id and node not in image["above"]:
        raise Refused("unsafe", f"the account {target.id} is not below the canary OU {node}")
    if len(image["accounts"]) > own["most_accounts"]:
        raise Refused(
            "unsafe",
            f"{len(image['accounts'])} accounts are below {node}; a canary has {own['most_accounts']} at most",
        )
    if len(image["attached"]) >= image["room"]:
        raise Refused(
            "unsupported",
            f"{node} has the {own['policies_per_target']} SCPs its quota allows: add the statement to one of them by hand",
        )


def _policy(target: Target) -> tuple[str, Policy]:
    """Return the proposed statement as a policy. Raises Refused where the finding has none, or it is too long.

    What counts is every character of the text as the API is given it:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
    """
    proposed = [each.observed for each in target.finding.evidence if each.path[-1:] == (PROPOSAL,)]
    if not proposed:
        raise Refused("unsupported", "no single statement says what the rule asks for: write the SCP by hand")
    statement = json.loads(proposed[0])
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"), ensure_ascii=False
    )
    most = target.parameters["characters"]
    if len(text) > most:
        raise Refused("unsupported", f"the policy would have {len(text):,} characters; {most:,} is the quota")
    try:
        policy = read_policy(text, "scp")
    except PolicyError as error:
        raise Refused("unsupported", f"the proposed statement is no SCP: {error}") from None
    if any(each.allow for each in policy.statements):
        raise Refused("unsafe", "the proposed statement allows something")
    return text, policy


def _concerns(target: Target, image: Json, policy: Policy) -> Iterator[str]:
    """Say which recorded calls the policy would have denied, or that nobody has looked."""
    records: Any = target.parameters["used_calls"]
    if not isinstance(records, list) or not records:
        yield "no recorded calls were given (`used_calls`): what of this is in use is not known"
        return
    found = breakage(records, [policy], "scp", set(image["accounts"]), image["manager"])
    for each in found.broken[:SHOWN]:
        often = f"{each.calls} recorded calls of {each.action} by {each.principal}"
        where = ", ".join(sorted(each.regions))
        yield f"{often} ({where}) {'would have been denied' if each.sure else f'may have been denied: {each.why}'}"
    if len(found.broken) > SHOWN:
        yield f"{len(found.broken) - SHOWN} more principals and actions would have met it"
    for why, count in sorted(found.unread.items()):
        yield f"{count} records could not be judged: {why}"
