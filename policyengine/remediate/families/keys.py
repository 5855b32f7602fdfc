"""A KMS key that a handler is told to use: what it is, and whether it can be used at all."""

from __future__ import annotations

from typing import Any, Final

from policyengine.remediate.api import Reader, Refused, Target

Json = dict[str, Any]
PARAMETER: Final = "key"


def key_arn(target: Target) -> str:
    """Return the parameter ``key``. Raises Refused unless it is the ARN of a key of the same account and Region:
    the policy of no other can be read.

    https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyPolicy.html ("You cannot perform this operation on a KMS
    key in a different account")
    """
    arn = str(target.parameters[PARAMETER])
    wanted = f"arn:{target.partition}:kms:{target.region}:{target.account}:key/"
    if not arn.startswith(wanted) or len(arn) == len(wanted):
        raise Refused(
            "unsupported",
            f"set the parameter `{PARAMETER}` to the ARN of a customer managed key, `{wanted}...`; found `{arn}`",
        )
    return arn


def read_key(read: Reader, arn: str) -> Json:
    """Return what decides whether a key can be used, its policy as text among it. Raises Refused."""
    about = (read.call("kms", "DescribeKey", {"KeyId": arn}) or {})["KeyMetadata"]
    policy = (read.call("kms", "GetKeyPolicy", {"KeyId": arn, "PolicyName": "default"}) or {})["Policy"]
    return {
        "arn": about["Arn"],
        "state": about["KeyState"],
        "spec": about.get("KeySpec", "SYMMETRIC_DEFAULT"),
        "usage": about["KeyUsage"],
        "manager": about["KeyManager"],
        "policy": policy,
    }


def usable(key: Json) -> None:
    """Refuse a key that cannot encrypt, or that AWS manages: services cannot be let in by its policy.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """
    found = (key["state"], key["spec"], key["usage"], key["manager"])
    if found != ("Enabled", "SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT", "CUSTOMER"):
        raise Refused(
            "unsupported",
            f"an enabled, symmetric, customer managed key is needed; {key['arn']} is {', '.join(found)}",
        )
