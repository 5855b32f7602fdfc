"""Strengthen one setting of the account's password policy; every other setting stays as it is."""

from __future__ import annotations

from typing import Any

from policyengine.remediate.api import Call, Json, Proposal, Reader, Step, Target

SETTINGS = {
    "iam-password-length": "MinimumPasswordLength",
    "iam-password-reuse": "PasswordReusePrevention",
    "iam-password-expires": "MaxPasswordAge",
    "iam-password-hard-expiry": "HardExpiry",
    "iam-password-lowercase": "RequireLowercaseCharacters",
    "iam-password-uppercase": "RequireUppercaseCharacters",
    "iam-password-numbers": "RequireNumbers",
    "iam-password-symbols": "RequireSymbols",
}
_SAID_BY_OTHERS = "ExpirePasswords"
"""Follows from MaxPasswordAge and cannot be set: IAM/latest/APIReference/API_PasswordPolicy.html"""
_MIXED = ("RequireLowercaseCharacters", "RequireUppercaseCharacters", "RequireNumbers", "RequireSymbols")


def image(target: Target, read: Reader) -> Json:
    """Return the settings of the policy, null where the account has none.

    A setting that is off or 0 is left out: AWS gives both forms, and both are the default of the call that sets it.
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateAccountPasswordPolicy.html
    """
    found = read.call("iam", "GetAccountPasswordPolicy", none=("NoSuchEntity",))
    if found is None:
        return {"policy": None}
    policy = found["PasswordPolicy"]
    return {
        "policy": {name: policy[name] for name in sorted(policy) if policy[name] and name != _SAID_BY_OTHERS}
    }


def plan(target: Target, image: Json) -> Proposal:
    """Set what the rule asks for. A call replaces the whole policy, so it names all that is there.

    Without a policy AWS asks for three of the four kinds of characters; a policy of one's own asks only for what it
    says, so that a first one says all four:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_passwords_account-policy.html
    """
    name = SETTINGS[target.finding.rule]
    before = image["policy"]
    policy = dict(before) if before is not None else _first(target)
    policy[name] = _value(name, policy.get(name), target)
    policy = dict(sorted(policy.items()))
    if policy == before:
        return Proposal(f"{name} is {policy[name]} already", after=image)
    update = "UpdateAccountPasswordPolicy"
    undo = Call("iam", update, before) if before is not None else Call("iam", "DeleteAccountPasswordPolicy")
    changed = [
        f"{key} {(before or {}).get(key, 'not set')} -> {policy[key]}"
        for key in policy
        if policy[key] != (before or {}).get(key)
    ]
    return Proposal(
        f"password policy of the account: {', '.join(changed)}",
        (
            Step(
                "set",
                Call("iam", update, policy),
                (undo,),
                "the call replaces the whole policy; the rest is as it was",
            ),
        ),
        after={"policy": policy},
        concerns=_concerns(name, policy),
    )


def _first(target: Target) -> Json:
    return {
        "MinimumPasswordLength": target.parameters["length"],
        "PasswordReusePrevention": target.parameters["remembered"],
        **dict.fromkeys(_MIXED, True),
    }


def _value(name: str, current: Any, target: Target) -> Any:
    """Return the stricter of what is there and what is asked for."""
    if name == "MinimumPasswordLength":
        return max(current or 0, target.parameters["length"])
    if name == "PasswordReusePrevention":
        return max(current or 0, target.parameters["remembered"])
    if name == "MaxPasswordAge":
        return min(current or target.parameters["days"], target.parameters["days"])
    return True


def _concerns(name: str, policy: Json) -> tuple[str, ...]:
    """Return who may be kept out: expiry holds for passwords that are there, all else for the next password only."""
    if name not in ("MaxPasswordAge", "HardExpiry"):
        return ()
    found = [f"passwords older than {policy.get('MaxPasswordAge', 0)} days expire at once"]
    if policy.get("HardExpiry"):
        found.append("with HardExpiry their users are locked out until an administrator sets a new password")
    elif not policy.get("AllowUsersToChangePassword"):
        found.append("users may not change their passwords themselves (AllowUsersToChangePassword is off)")
    return tuple(found)
