"""What quarantining a role and quarantining a user have in common: a permissions boundary that denies everything.

An explicit Deny of a boundary holds for every request of the principal, also for those of sessions that are under
way and for what a resource's own policy grants it
(https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html). Nothing is detached or deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any, Final

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

PATH: Final = "/policyengine/"
NAME: Final = "quarantine"
DOCUMENT: Final[Mapping[str, Any]] = {
    "Version": "2012-10-17",
    "Statement": [{"Sid": "Quarantined", "Effect": "Deny", "Action": "*", "Resource": "*"}],
}
TEXT: Final = json.dumps(DOCUMENT, separators=(",", ":"))
_OF_SERVICES: Final = "/aws-service-role/"
_RESERVED: Final = "/aws-reserved/"
_OFF: Final = frozenset({"", "false", "no", "0", "off"})


def boundary_arn(target: Target) -> str:
    """Return the ARN of the policy that is put in front."""
    return f"arn:{target.partition}:iam::{target.account}:policy{PATH}{NAME}"


def read_policy(target: Target, read: Reader) -> bool:
    """Say whether the policy is there. Raises Refused where one of its name has another text."""
    arn = boundary_arn(target)
    found = read.call("iam", "GetPolicy", {"PolicyArn": arn}, none=("NoSuchEntity",))
    if found is None:
        return False
    version = found["Policy"]["DefaultVersionId"]
    got = read.call("iam", "GetPolicyVersion", {"PolicyArn": arn, "VersionId": version}) or {}
    document = got["PolicyVersion"]["Document"]
    if isinstance(document, str):
        document = json.loads(document)
    if document != DOCUMENT:
        raise Refused(
            "unsafe",
            f"{arn} is there and its default version is not the one that denies everything; somebody has changed it",
        )
    return True


def described(target: Target, read: Reader, entity: Json) -> Json:
    """Return the image of a role or user as GetRole or GetUser gives it.

    Of its tags only the one that says break-glass is kept: others may change without making this another change.
    """
    tag = target.parameters["break_glass_tag"]
    marks = [each["Value"] for each in entity.get("Tags") or () if each["Key"] == tag]
    caller = read.call("sts", "GetCallerIdentity") or {}
    return {
        "arn": entity["Arn"],
        "path": entity["Path"],
        "boundary": (entity.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        "policy_there": read_policy(target, read),
        "break_glass": marks[0] if marks else None,
        "is_engine": is_caller(entity["Arn"], caller["Arn"]),
    }


def is_caller(arn: str, caller: str) -> bool:
    """Say whether calls are made as this role or user.

    A session's ARN has the role's name without its path, ``assumed-role/NAME/SESSION``:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
    """
    if arn == caller:
        return True
    kind, _, name = caller.rpartition(":")[2].partition("/")
    return (
        kind == "assumed-role" and ":role/" in arn and arn.rpartition("/")[2] == name.partition("/")[0]
    )  # fmt: skip


def propose(target: Target, image: Json, kind: str, name_key: str) -> Proposal:
    """Return the quarantine; ``kind`` is ``Role`` or ``User``, ``name_key`` what its calls call it. Raises Refused."""
    arn = boundary_arn(target)
    word = kind.lower()
    if image["boundary"] == arn:
        return Proposal(f"the {word} {target.id} is quarantined already", after=image)
    _spared(target, image)
    about = {name_key: target.id}
    put = f"Put{kind}PermissionsBoundary"
    if image["boundary"] is None:
        back = Call("iam", f"Delete{kind}PermissionsBoundary", about)
    else:
        back = Call("iam", put, {**about, "PermissionsBoundary": image["boundary"]})
    step = Step(
        "quarantine",
        Call("iam", put, {**about, "PermissionsBoundary": arn}),
        undo=(back,),
        why=f"from then on every request of the {word} is denied; its policies, keys and trust stay as they are",
    )
    replaced = f" in place of {image['boundary']}" if image["boundary"] else ""
    return Proposal(
        f"put the boundary {arn}, which denies everything, on the {word} {target.id}{replaced}",
        (*_creating(image, arn), step),
        after={**image, "boundary": arn, "policy_there": True},
    )


def _creating(image: Json, arn: str) -> tuple[Step, ...]:
    if image["policy_there"]:
        return ()
    made = {
        "PolicyName": NAME,
        "Path": PATH,
        "PolicyDocument": TEXT,
        "Description": "Denies everything to whom it is a boundary of; made by policyengine",
    }
    return (
        Step(
            "create the boundary policy",
            Call("iam", "CreatePolicy", made),
            undo=(Call("iam", "DeletePolicy", {"PolicyArn": arn}),),
            why="the account has no such policy yet; the next quarantine finds it",
        ),
    )


def _spared(target: Target, image: Json) -> None:
    """Refuse whom a quarantine must never meet."""
    name, own = target.id, target.parameters
    if image["path"].startswith(_OF_SERVICES):
        raise Refused("unsupported", "AWS lets nobody put a boundary on a service-linked role")
    if image["path"].startswith(_RESERVED):
        raise Refused(
            "unsupported", "IAM Identity Center owns the role: take the permission set away instead"
        )
    if image["is_engine"]:
        raise Refused("unsafe", "remediation itself works as it, and could not take the quarantine back")
    if image["break_glass"] is not None and image["break_glass"].strip().lower() not in _OFF:
        raise Refused("excluded", f"the tag `{own['break_glass_tag']}` says that it is for emergencies")
    for parameter in ("break_glass", "protected"):
        pattern = next((p for p in own[parameter] if fnmatchcase(name, p)), None)
        if pattern is not None:
            raise Refused("excluded", f"the parameter `{parameter}` names it (`{pattern}`)")


def not_used(target: Target, dates: Iterable[Any]) -> None:
    """Refuse whoever was used within `quiet_days`, whatever the rule asks for. ``dates``: ISO 8601, or no texts."""
    days = target.parameters["quiet_days"]
    since = datetime.fromisoformat(target.now) - timedelta(days=days)
    used: Sequence[datetime] = [datetime.fromisoformat(date) for date in dates if isinstance(date, str)]
    if any((at if at.tzinfo else at.replace(tzinfo=since.tzinfo)) >= since for at in used):
        raise Refused("unsafe", f"it was used within the last {days} days")
