"""Cut an instance off: no traffic, no credentials, out of what starts, replaces and feeds it, and kept as evidence.

**The way through an untracked group.** Changing groups leaves tracked connections open until they time out. A network ACL
would end them, but of every machine in the subnet: its entries name only the other side
(https://docs.aws.amazon.com/security-ir/latest/userguide/destination-containment.html). So the interfaces first get a group
that lets everything in and out from and to everywhere, of which traffic is not tracked, and then its rules are taken away,
which interrupts untracked traffic at once (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html).
AWS's own runbook does so too (AWSSupport-ContainEC2Instance,
https://docs.aws.amazon.com/systems-manager-automation-runbooks/latest/userguide/automation-awssupport-containec2instance.html).
"""

from __future__ import annotations

import json
from typing import Any, Final

from policyengine.model.canonical_json import canonical
from policyengine.remediate.api import Call, FromAnswer, Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.group_rules import read_rules

_STATES: Final = ("running", "stopped")
_LEAVING: Final = ("Detaching", "Detached", "Terminating", "Terminated")
_IPV4: Final = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
_IPV6: Final = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
_GROUP: Final = FromAnswer("create-group", "GroupId")


def _name(target: Target) -> str:
    """Return what the group and the role's policy are called."""
    return f"policyengine-quarantine-{target.id}"


def image(target: Target, read: Reader) -> Json:
    """Return the interfaces and their groups, what protects the instance, and what it is a part of.

    The quarantine group, whose id is made anew, is called by its name.
    """
    found = read.call("ec2", "DescribeInstances", {"InstanceIds": [target.id]}) or {}
    instances = [each for group in found.get("Reservations", []) for each in group.get("Instances", [])]
    if len(instances) != 1:
        raise Refused("not_known", f"AWS lists {len(instances)} instances {target.id}")
    instance = instances[0]
    vpc = instance.get("VpcId", "")
    addresses = {
        each["PrivateIpAddress"]
        for each in instance.get("NetworkInterfaces", [])
        if "PrivateIpAddress" in each
    }
    return {
        "state": (instance.get("State") or {}).get("Name"),
        "vpc": vpc,
        "ipv6": _has_ipv6(read, vpc),
        "spot": instance.get("InstanceLifecycle") == "spot",
        "volumes": sorted(
            each["Ebs"]["VolumeId"] for each in instance.get("BlockDeviceMappings", []) if "Ebs" in each
        ),
        "interfaces": sorted(
            (_interface(each, _name(target)) for each in instance.get("NetworkInterfaces", [])), key=canonical
        ),
        "group": _group(target, read, vpc),
        "protected": _attribute(target, read, "disableApiTermination", "DisableApiTermination"),
        "at_shutdown": _attribute(
            target, read, "instanceInitiatedShutdownBehavior", "InstanceInitiatedShutdownBehavior"
        ),
        "scaling": _scaling(target, read),
        "targets": _targets(target, read, vpc, addresses),
        "role": _role(target, read, (instance.get("IamInstanceProfile") or {}).get("Arn")),
    }


def plan(target: Target, image: Json) -> Proposal:
    """Snapshot, protect, detach, cut the network off, and last, as it is lifted by a person only, deny the sessions."""
    _fit(image)
    steps = [*_preserving(target, image), *_detaching(target, image), *_cutting(target, image)]
    steps += _disarming(target, image)
    role = image["role"]
    after = {
        **image,
        "interfaces": [{**each, "groups": [_name(target)]} for each in image["interfaces"]],
        "group": {"rules": []},
        "protected": image["protected"] or not image["spot"],
        "at_shutdown": "stop" if _stops(image) else image["at_shutdown"],
        "scaling": None,
        "targets": [],
        "role": None if role is None else {**role, "denied": _denial(target, role)},
    }
    return Proposal(
        f"quarantine {target.id}: no traffic on {len(image['interfaces'])} interfaces, no use of its credentials",
        tuple(steps),
        after=after,
        concerns=tuple(_concerns(target, image)),
    )


# reading


def _has_ipv6(read: Reader, vpc: str) -> bool:
    """Whether EC2 adds a rule for IPv6 to new groups: https://docs.aws.amazon.com/vpc/latest/userguide/default-security-group.html"""
    if not vpc:
        raise Refused("unsupported", "the instance is in no VPC")
    found = (read.call("ec2", "DescribeVpcs", {"VpcIds": [vpc]}) or {}).get("Vpcs", [])
    if len(found) != 1:
        raise Refused("not_known", f"AWS does not describe {vpc}")
    blocks = found[0].get("Ipv6CidrBlockAssociationSet", [])
    return any(each.get("Ipv6CidrBlockState", {}).get("State") == "associated" for each in blocks)


def _interface(item: Json, quarantine: str) -> Json:
    groups = (
        quarantine if each.get("GroupName") == quarantine else each["GroupId"]
        for each in item.get("Groups", [])
    )
    return {
        "id": item["NetworkInterfaceId"],
        "type": item.get("InterfaceType", "interface"),
        "groups": sorted(groups),
    }


def _group(target: Target, read: Reader, vpc: str) -> Json | None:
    filters = [{"Name": "group-name", "Values": [_name(target)]}, {"Name": "vpc-id", "Values": [vpc]}]
    found = read.all("ec2", "DescribeSecurityGroups", {"Filters": filters}, result="SecurityGroups")
    return {"rules": read_rules(read, found[0]["GroupId"], target.account)} if found else None


def _attribute(target: Target, read: Reader, name: str, member: str) -> Any:
    asked = {"InstanceId": target.id, "Attribute": name}
    return ((read.call("ec2", "DescribeInstanceAttribute", asked) or {})[member])["Value"]


def _scaling(target: Target, read: Reader) -> Json | None:
    """Return the Auto Scaling group the instance is in, with what decides whether it can do without."""
    asked = {"InstanceIds": [target.id]}
    found = read.all("autoscaling", "DescribeAutoScalingInstances", asked, result="AutoScalingInstances")
    found = [each for each in found if not each.get("LifecycleState", "").startswith(_LEAVING[:2])]
    if not found:
        return None
    name = found[0]["AutoScalingGroupName"]
    asked = {"AutoScalingGroupNames": [name]}
    groups = read.all("autoscaling", "DescribeAutoScalingGroups", asked, result="AutoScalingGroups")
    if len(groups) != 1:
        raise Refused("not_known", f"AWS does not describe the Auto Scaling group {name}")
    least = groups[0]["MinSize"]
    return {
        "name": name,
        "min": least,
        "at_min": groups[0]["DesiredCapacity"] <= least,
        "leaving": found[0].get("LifecycleState", "").startswith(_LEAVING[2:]),
    }


def _targets(target: Target, read: Reader, vpc: str, addresses: set[str]) -> list[Json]:
    """Return where load balancers have the instance registered, by its id or an address; what drains is out already."""
    found = []
    for group in read.all("elbv2", "DescribeTargetGroups", {}, result="TargetGroups"):
        if group.get("VpcId") != vpc or group.get("TargetType") not in ("instance", "ip"):
            continue
        arn = group["TargetGroupArn"]
        health = read.call("elbv2", "DescribeTargetHealth", {"TargetGroupArn": arn}) or {}
        for each in health.get("TargetHealthDescriptions", []):
            known = each["Target"]
            if (
                known["Id"] not in (target.id, *addresses)
                or each.get("TargetHealth", {}).get("State") == "draining"
            ):
                continue
            place = {
                name: known[name]
                for name in ("Id", "Port", "AvailabilityZone")
                if known.get(name) is not None
            }
            found.append({"group": arn, "target": place})
    return sorted(found, key=canonical)


def _role(target: Target, read: Reader, profile: str | None) -> Json | None:
    if profile is None:
        return None
    asked = {"InstanceProfileName": profile.rpartition("/")[2]}
    roles = (read.call("iam", "GetInstanceProfile", asked) or {})["InstanceProfile"].get("Roles", [])
    if not roles:
        return None
    name = roles[0]["RoleName"]
    asked = {"RoleName": name, "PolicyName": _name(target)}
    policy = read.call("iam", "GetRolePolicy", asked, none=("NoSuchEntity",))
    denied = None if policy is None else policy["PolicyDocument"]
    return {"name": name, "id": roles[0]["RoleId"], "denied": _parsed(denied)}


def _parsed(document: Any) -> Any:
    return json.loads(document) if isinstance(document, str) else document


# planning


def _fit(image: Json) -> None:
    if image["state"] not in _STATES:
        raise Refused("unsupported", f"the instance is {image['state']}; expected running or stopped")
    if image["group"] is not None or (image["role"] or {}).get("denied") is not None:
        raise Refused("unsupported", "a quarantine was begun before: roll that action back first")
    trunks = [each["id"] for each in image["interfaces"] if each["type"] in ("trunk", "branch")]
    if trunks:
        raise Refused(
            "unsupported",
            f"{trunks[0]} carries interfaces of containers, which have groups of their own and would stay reachable: "
            "drain the node first",
        )
    if not image["interfaces"]:
        raise Refused("unsupported", "the instance has no network interface")
    if (image["scaling"] or {}).get("leaving"):
        raise Refused("unsafe", f"Auto Scaling group {image['scaling']['name']} is terminating the instance")


def _preserving(target: Target, image: Json) -> list[Step]:
    """Snapshots first: whatever goes wrong later, the disks are kept. They stay when the instance is released."""
    steps = []
    if image["volumes"]:
        asked = {
            "InstanceSpecification": {"InstanceId": target.id},
            "Description": f"policyengine: disks of {target.id} before its quarantine",
        }
        steps.append(
            Step("snapshot", Call("ec2", "CreateSnapshots", asked), why="the disks, before anything changes")
        )
    if not image["protected"] and not image["spot"]:
        steps.append(
            _switched(
                target, "protect", "DisableApiTermination", True, False, "nobody terminates the evidence"
            )
        )
    if image["at_shutdown"] != "stop" and _stops(image):
        said = [
            Call("ec2", "ModifyInstanceAttribute", {
                "InstanceId": target.id, "Attribute": "instanceInitiatedShutdownBehavior", "Value": value,
            })
            for value in ("stop", image["at_shutdown"])
        ]  # fmt: skip
        steps.append(
            Step("keep-at-shutdown", said[0], (said[1],), "shutting down from within does not delete it")
        )
    return steps


def _stops(image: Json) -> bool:
    """Whether EC2 can stop the instance: not one whose root is no EBS volume, nor a Spot instance by itself.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Stop_Start.html
    """
    return bool(image["volumes"]) and not image["spot"]


def _switched(target: Target, name: str, attribute: str, to: bool, back: bool, why: str) -> Step:
    calls = [
        Call("ec2", "ModifyInstanceAttribute", {"InstanceId": target.id, attribute: {"Value": value}})
        for value in (to, back)
    ]
    return Step(name, calls[0], (calls[1],), why)


def _detaching(target: Target, image: Json) -> list[Step]:
    """Out of Auto Scaling before the target groups: its health checks would end what they find unhealthy.

    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DetachInstances.html
    """
    steps = []
    scaling = image["scaling"]
    if scaling is not None:
        name = {"AutoScalingGroupName": scaling["name"]}
        if scaling["at_min"]:
            less, more = (
                Call("autoscaling", "UpdateAutoScalingGroup", {**name, "MinSize": size})
                for size in (scaling["min"] - 1, scaling["min"])
            )
            steps.append(
                Step("lower-minimum", less, (more,), "the group cannot let go of an instance at its minimum")
            )
        which = {**name, "InstanceIds": [target.id]}
        out = Call("autoscaling", "DetachInstances", {**which, "ShouldDecrementDesiredCapacity": True})
        steps.append(
            Step("detach", out, (Call("autoscaling", "AttachInstances", which),), "no health check ends it")
        )
    for number, each in enumerate(image["targets"], 1):
        arguments = {"TargetGroupArn": each["group"], "Targets": [each["target"]]}
        steps.append(
            Step(
                f"deregister-{number}",
                Call("elbv2", "DeregisterTargets", arguments),
                (Call("elbv2", "RegisterTargets", arguments),),
                "no load balancer sends it requests",
            )
        )
    return steps


def _denial(target: Target, role: Json) -> Json:
    """Deny everything to the sessions of this instance, now and later, wherever they are used; other machines with the
    role go on.

    ``aws:userid`` of an instance's session is the role's id and the instance's:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable
    """
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "Quarantine",
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:userid": f"{role['id']}:{target.id}"}},
            }
        ],
    }


def _disarming(target: Target, image: Json) -> list[Step]:
    role = image["role"]
    if role is None:
        return []
    named = {"RoleName": role["name"], "PolicyName": _name(target)}
    document = json.dumps(_denial(target, role), separators=(",", ":"))
    deny = Call("iam", "PutRolePolicy", {**named, "PolicyDocument": document})
    return [
        Step(
            "deny-sessions",
            deny,
            (Call("iam", "DeleteRolePolicy", named),),
            "credentials that were taken are worth nothing",
        )
    ]


def _cutting(target: Target, image: Json) -> list[Step]:
    """The group is open only while the interfaces move into it."""
    everywhere = [_IPV4, _IPV6] if image["ipv6"] else [_IPV4]
    rules = {"GroupId": _GROUP, "IpPermissions": everywhere}
    create = {
        "GroupName": _name(target),
        "Description": f"policyengine: no traffic for {target.id}",
        "VpcId": image["vpc"],
    }
    gone = Call("ec2", "DeleteSecurityGroup", {"GroupId": _GROUP})
    steps = [
        Step(
            "create-group",
            Call("ec2", "CreateSecurityGroup", create),
            (gone,),
            "EC2 lets everything out of a new group",
        ),
        Step(
            "open-group",
            Call("ec2", "AuthorizeSecurityGroupIngress", rules),
            (),
            "so that its traffic is not tracked",
        ),
    ]
    for number, each in enumerate(image["interfaces"], 1):
        to, back = (
            Call(
                "ec2", "ModifyNetworkInterfaceAttribute", {"NetworkInterfaceId": each["id"], "Groups": groups}
            )
            for groups in ([_GROUP], each["groups"])
        )
        steps.append(Step(f"move-{number}", to, (back,), f"{each['id']} leaves {', '.join(each['groups'])}"))
    steps += [
        Step(
            f"close-{what.lower()}",
            Call("ec2", f"RevokeSecurityGroup{what}", rules),
            (),
            "ends what is under way",
        )
        for what in ("Egress", "Ingress")
    ]
    return steps


def _concerns(target: Target, image: Json) -> list[str]:
    opened = (
        "between two calls, for some seconds, its group lets everything in and out, so that connections under way are "
        "ended and not kept: a machine that is probed all the time is open in that time"
    )
    found = [opened]
    scaling = image["scaling"]
    if scaling is not None:
        least = f", and its minimum falls to {scaling['min'] - 1}" if scaling["at_min"] else ""
        found.append(
            f"Auto Scaling group {scaling['name']} has one instance less{least}: raise its capacity to replace this one"
        )
    if image["targets"]:
        found.append(
            f"{len(image['targets'])} targets of load balancers go: look whether the others bear the load"
        )
    if image["spot"]:
        found.append("EC2 may end a Spot instance at any time, and it cannot be protected from that")
    if not image["volumes"]:
        found.append("it has no EBS volume: there is nothing to take a snapshot of")
    return found
