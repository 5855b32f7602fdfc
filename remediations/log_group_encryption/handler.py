"""Encrypt a log group with a customer managed key whose policy is proved to let CloudWatch Logs in."""

from __future__ import annotations

from typing import Final

from policyengine.iam.admitting import key_leaves_out
from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target
from policyengine.remediate.families.keys import key_arn, read_key, usable
from policyengine.remediate.families.log_groups import log_group

_NEEDED: Final = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:GenerateDataKey")
_CONTEXT: Final = "kms:EncryptionContext:aws:logs:arn"
"""https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"""


def image(target: Target, read: Reader) -> Json:
    """Return which key the log group has, and the one it is to have."""
    found = log_group(read, target.id)
    return {"key": found.get("kmsKeyId") or None, "wanted": read_key(read, key_arn(target))}


def plan(target: Target, image: Json) -> Proposal:
    """Associate the key; refused where Logs could not use it, because events would be lost.

    https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
    """
    if image["key"]:
        raise Refused(
            "unsupported", f"the log group has the key {image['key']}: one key does not replace another"
        )
    key = image["wanted"]
    usable(key)
    domain = "amazonaws.com.cn" if target.partition == "aws-cn" else "amazonaws.com"
    service = f"logs.{target.region}.{domain}"
    group = f"arn:{target.partition}:logs:{target.region}:{target.account}:log-group:{target.id}"
    wrong = key_leaves_out(key["policy"], key["arn"], service, _NEEDED, {_CONTEXT: [group]})
    if wrong:
        raise Refused("unsafe", f"{wrong}: what is logged would be lost")
    name = {"logGroupName": target.id}
    step = Step(
        "associate",
        Call("logs", "AssociateKmsKey", {**name, "kmsKeyId": key["arn"]}),
        undo=(Call("logs", "DisassociateKmsKey", name),),
        why=f"the policy of the key lets {service} use it for this log group",
    )
    return Proposal(f"encrypt new log events with {key['arn']}", (step,), after={**image, "key": key["arn"]})
