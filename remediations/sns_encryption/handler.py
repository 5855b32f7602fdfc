"""Encrypt a topic with a key whose policy is proved to let in everybody who publishes to it."""

from __future__ import annotations

from typing import Final

from policyengine.iam.admitting import key_leaves_out
from policyengine.iam.documents import Statement, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.glob import compile_glob
from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.keys import key_arn, read_key, usable

_NEEDED: Final = ("kms:GenerateDataKey", "kms:Decrypt")
"""https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html#sns-what-permissions-for-sse"""
_PUBLISH: Final = "sns:publish"


def image(target: Target, read: Reader) -> Json:
    """Return how the topic is encrypted, its policy, and the key that is to be used."""
    found = (read.call("sns", "GetTopicAttributes", {"TopicArn": target.id}) or {}).get("Attributes") or {}
    return {
        "key": found.get("KmsMasterKeyId") or None,
        "policy": found.get("Policy") or None,
        "wanted": read_key(read, key_arn(target)),
    }


def plan(target: Target, image: Json) -> Proposal:
    """Set the key of the topic; refused where the key policy leaves a publisher out, whose messages would be lost.

    https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
    """
    if image["key"]:
        return Proposal("the topic is encrypted already", after=image)
    key = image["wanted"]
    usable(key)
    named, unnamed = _publishers(image["policy"])
    told = [str(name) for name in target.parameters["publishers"]]
    if unnamed and not told:
        raise Refused(
            "unsafe",
            f"the topic policy lets publishers in that it does not name ({unnamed}): set the parameter `publishers` to the "
            "services and accounts that publish, so that it can be proved that the key lets them in",
        )
    account = f"arn:{target.partition}:iam::{target.account}:root"
    everybody = sorted({account, *named, *told})
    wrong = [
        text for who in everybody if (text := key_leaves_out(key["policy"], key["arn"], who, _NEEDED, {}))
    ]
    if wrong:
        raise Refused("unsafe", f"{'; '.join(wrong)}. Messages of that publisher would be lost")
    step = Step(
        "encrypt",
        _set(target, key["arn"]),
        undo=(_set(target, ""),),
        why=f"the policy of the key lets every publisher in: {', '.join(everybody)}",
    )
    return Proposal(
        f"encrypt the topic with {key['arn']}",
        (step,),
        after={**image, "key": key["arn"]},
        concerns=_concerns(unnamed, told),
    )


def _set(target: Target, value: str) -> Call:
    asked = {"TopicArn": target.id, "AttributeName": "KmsMasterKeyId", "AttributeValue": value}
    return Call("sns", "SetTopicAttributes", asked)


def _concerns(unnamed: str, told: list[str]) -> tuple[str, ...]:
    roles = f"users and roles that publish need {' and '.join(_NEEDED)} in their own policies as well; nobody checked that"
    if not unnamed:
        return (roles,)
    return (
        roles,
        f"that only {', '.join(told)} publish is what the settings say; the topic policy lets in {unnamed}",
    )


def _publishers(policy: str | None) -> tuple[list[str], str]:
    """Return the principals that the topic policy lets publish, and in words whom it lets in without a name.

    Raises Refused for a policy that cannot be read.
    """
    if policy is None:
        return [], ""
    try:
        statements = read_policy(policy, "resource").statements
    except PolicyError as error:
        raise Refused("unsupported", f"the topic policy cannot be read: {error}") from None
    named: set[str] = set()
    unnamed: set[str] = set()
    for statement in statements:
        if not statement.allow or not _publishes(statement):
            continue
        if statement.not_principal or statement.principals is None:
            unnamed.add("all but some")
            continue
        for kind, names in statement.principals.items():
            for name in names:
                if kind in ("AWS", "Service") and name != "*":
                    named.add(name)
                else:
                    unnamed.add("everybody" + (" under conditions" if statement.conditions else ""))
    return sorted(named), ", ".join(sorted(unnamed))


def _publishes(statement: Statement) -> bool:
    named = any(compile_glob(action.lower())(_PUBLISH) for action in statement.actions)
    return named != statement.not_action
