"""Encrypt new EBS volumes of a region by default, with AWS's key or with one that Auto Scaling is proved to be let use."""

from __future__ import annotations

from typing import Any, Final

from policyengine.iam.admitting import left_out
from policyengine.iam.documents import parse_json, read_policy
from policyengine.iam.domains import one_caller
from policyengine.iam.errors import PolicyError
from policyengine.iam.reason import No
from policyengine.iam.request_set import read_request_set
from policyengine.model.canonical_json import canonical
from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target

_AWS_KEY: Final = "alias/aws/ebs"
_ROLE: Final = "arn:{partition}:iam::{account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"
_USES: Final = (
    "Decrypt", "DescribeKey", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom",
    "ReEncryptTo",
)  # fmt: skip
_CREATE_GRANT: Final = "CreateGrant"
"""What Auto Scaling's role needs of a customer managed key, the last for AWS resources (kms:GrantIsForAWSResource):
https://docs.aws.amazon.com/autoscaling/ec2/userguide/key-policy-requirements-EBS-encryption.html"""

_ELEMENTS: Final = frozenset(
    {
        "Sid",
        "Effect",
        "Principal",
        "NotPrincipal",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    }
)


def image(target: Target, read: Reader) -> Json:
    """Return the two settings of the region, and of the key that volumes would get what decides who may use it.

    ``key`` is `alias/aws/ebs` for AWS's own key, whatever it is called by.
    """
    switched = read.call("ec2", "GetEbsEncryptionByDefault") or {}
    current = (read.call("ec2", "GetEbsDefaultKmsKeyId") or {})["KmsKeyId"]
    known = _key(target, read, current)
    wanted = target.parameters["kms_key"]
    return {
        "encrypted": switched["EbsEncryptionByDefault"],
        "key": known["arn"] if known else _AWS_KEY,
        "wanted": _key(target, read, wanted) if wanted else known,
    }


def plan(target: Target, image: Json) -> Proposal:
    """Set the key first, then the switch: no volume gets another key in between."""
    key = image["wanted"]
    if key is not None:
        _usable(target, key)
    steps = []
    after = {**image, "encrypted": True}
    if key is not None and key["arn"] != image["key"]:
        back = (
            Call("ec2", "ResetEbsDefaultKmsKeyId")
            if image["key"] == _AWS_KEY
            else Call("ec2", "ModifyEbsDefaultKmsKeyId", {"KmsKeyId": image["key"]})
        )
        use = Call("ec2", "ModifyEbsDefaultKmsKeyId", {"KmsKeyId": key["arn"]})
        steps.append(Step("set-key", use, (back,), "Auto Scaling's role is proved to be let use it"))
        after["key"] = key["arn"]
    if not image["encrypted"]:
        enable, disable = (Call("ec2", f"{verb}EbsEncryptionByDefault") for verb in ("Enable", "Disable"))
        steps.append(Step("encrypt", enable, (disable,), "volumes there are stay as they are"))
    if not steps:
        return Proposal("new volumes are encrypted already", after=image)
    named = key["arn"] if key is not None else "AWS's own key"
    return Proposal(
        f"encrypt new volumes in {target.region} by default, with {named}", tuple(steps), after=after
    )


def _key(target: Target, read: Reader, name: str) -> Json | None:
    """Return a customer managed key, None for AWS's own. Raises Refused."""
    if name.endswith(_AWS_KEY):
        return None
    metadata = (read.call("kms", "DescribeKey", {"KeyId": name}) or {})["KeyMetadata"]
    if metadata["KeyManager"] == "AWS":
        return None
    arn = metadata["Arn"]
    found: Json = {
        "arn": arn,
        "state": metadata["KeyState"],
        "spec": metadata.get("KeySpec", "SYMMETRIC_DEFAULT"),
        "usage": metadata.get("KeyUsage", "ENCRYPT_DECRYPT"),
    }
    if arn.split(":")[4] != target.account:  # its policy is that account's to read
        return {**found, "policy": None, "grants": []}
    policy = read.call("kms", "GetKeyPolicy", {"KeyId": arn, "PolicyName": "default"}) or {}
    grants = read.all("kms", "ListGrants", {"KeyId": arn}, result="Grants")
    own = [
        {"Operations": sorted(grant["Operations"]), "Constraints": grant.get("Constraints") or {}}
        for grant in grants
        if grant.get("GranteePrincipal") == _role(target)
    ]
    return {**found, "policy": policy["Policy"], "grants": sorted(own, key=canonical)}


def _role(target: Target) -> str:
    return _ROLE.format(partition=target.partition, account=target.account)


def _usable(target: Target, key: Json) -> None:
    """Refuse a key that EBS cannot use, and one that Auto Scaling is not proved to be let use: its groups would start
    instances that stop at once (Client.InvalidKMSKey.InvalidState)."""
    if (
        key["state"] != "Enabled"
        or key["spec"] != "SYMMETRIC_DEFAULT"
        or key["usage"] != "ENCRYPT_DECRYPT"
        or key["arn"].split(":")[3] != target.region
    ):
        raise Refused(
            "unsupported",
            f"EBS needs an enabled symmetric key for encryption in {target.region}; {key['arn']} is {key['state']}, "
            f"{key['spec']}, {key['usage']}",
        )
    if key["policy"] is None:
        raise Refused(
            "unsupported",
            f"{key['arn']} belongs to another account, so nobody can prove here that Auto Scaling may use it",
        )
    lacking = _not_proved(target, key)
    if lacking:
        raise Refused(
            "unsafe",
            f"new volumes would get {key['arn']}, and it is not proved that Auto Scaling's service-linked role may call "
            f"{lacking} with it: its groups could start no instance. Let {_role(target)} use the key in its policy",
        )


def _not_proved(target: Target, key: Json) -> str:
    """Return an action that the key's policy and grants may leave out for Auto Scaling's role; "" is the proof.

    Over all requests: a statement with a condition on anything else than kms:GrantIsForAWSResource does not count.
    """
    try:
        document = _direct(parse_json(key["policy"]))
        free = [grant for grant in key["grants"] if not grant["Constraints"]]
        document["Statement"] += [_of_grant(grant, _role(target)) for grant in free]
        if not document["Statement"]:
            return f"kms:{_USES[0]}"
        policy = read_policy(document, "key")
    except PolicyError as error:
        raise Refused("not_known", f"the policy of {key['arn']} cannot be read: {error}") from error
    for action in (*_USES, _CREATE_GRANT):
        asked: Json = {"action": [f"kms:{action}"], "resource": [key["arn"]]}
        if action == _CREATE_GRANT:
            asked["context"] = {"kms:GrantIsForAWSResource": ["true"]}
        answer = left_out([policy], read_request_set(asked), one_caller(_role(target)))
        if not isinstance(answer, No):
            return f"kms:{action}"
    return ""


def _direct(document: Any) -> Json:
    """Return a key policy without what it only delegates: to name the account lets identity policies decide, and the one
    of the service-linked role says nothing of keys.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html#key-policy-default-allow-root-enable-iam
    """
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    found = []
    for statement in statements if isinstance(statements, list) else [statements]:
        if not isinstance(statement, dict) or not statement.keys() <= _ELEMENTS:
            raise PolicyError(("Statement",), "a statement has elements that are not known")
        if statement.get("Effect") == "Allow":
            principal = statement.get("Principal")
            if isinstance(principal, dict):
                named = principal.get("AWS", [])
                named = [
                    each for each in ([named] if isinstance(named, str) else named) if not _account(each)
                ]
                if not named:
                    continue
                statement = {**statement, "Principal": {"AWS": named}}
            elif principal != "*":
                continue
        found.append(statement)
    return {"Version": document.get("Version", "2008-10-17"), "Statement": found}


def _account(principal: str) -> bool:
    return principal.isdigit() or principal.endswith(":root")


def _of_grant(grant: Json, role: str) -> Json:
    """Return what a grant without constraints allows as a statement, for the proof.

    A Deny of the key's policy stands above grants:
    https://docs.aws.amazon.com/kms/latest/developerguide/grants.html
    """
    actions = [f"kms:{name}" for name in grant["Operations"]]
    return {"Effect": "Allow", "Principal": {"AWS": role}, "Action": actions, "Resource": "*"}
