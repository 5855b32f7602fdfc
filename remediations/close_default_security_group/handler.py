"""Take all rules of a VPC's default security group away, where nothing uses the group."""

from __future__ import annotations

from policyengine.remediate.api import Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.group_rules import (
    interfaces_in,
    put_back,
    read_rules,
    spelled,
    take_away,
)


def image(target: Target, read: Reader) -> Json:
    """Return the rules of the group, and the network interfaces in it with what they are for."""
    used = [
        {
            "id": each["NetworkInterfaceId"],
            "for": each.get("Attachment", {}).get("InstanceId") or each.get("Description", ""),
        }
        for each in interfaces_in(read, target.id)
    ]
    return {
        "rules": read_rules(read, target.id, target.account),
        "interfaces": sorted(used, key=lambda each: str(each["id"])),
    }


def plan(target: Target, image: Json) -> Proposal:
    """Take each rule away; refuse while interfaces are in the group: they would stop talking to each other.

    https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html
    """
    if target.resource.properties.get("GroupName") != "default":
        raise Refused("unsupported", f"{target.id} is no default group")
    used = image["interfaces"]
    if used:
        named = ", ".join(_named(each) for each in used[:5])
        more = f" and {len(used) - 5} more" if len(used) > 5 else ""
        raise Refused(
            "unsafe",
            f"{len(used)} network interfaces are in the default group, and its rules let them talk: {named}{more}. "
            "Move them to a group of their own first",
        )
    rules = image["rules"]
    steps = tuple(
        Step(f"revoke-{n}", take_away(target.id, rule), (put_back(target.id, rule),), spelled(rule))
        for n, rule in enumerate(rules, 1)
    )
    if not steps:
        return Proposal("the default group has no rules already", after=image)
    return Proposal(
        f"take the {len(rules)} rules of the unused default group {target.id} away",
        steps,
        after={**image, "rules": []},
    )


def _named(interface: Json) -> str:
    return f"{interface['id']} ({interface['for']})" if interface["for"] else str(interface["id"])
