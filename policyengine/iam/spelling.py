"""Condition keys as AWS's documentation spells them: IAM compares keys without case, people read with it.

Global keys: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html; those of
services come with the action catalogue (``make iam-data``).
"""

from __future__ import annotations

import gzip
import json
import re
from functools import lru_cache
from importlib.resources import files
from typing import Final

_GLOBAL: Final = """
aws:AssumedRoot aws:CalledVia aws:CalledViaAWSMCP aws:CalledViaFirst aws:CalledViaLast aws:ChatbotSourceArn
aws:CurrentTime aws:Ec2InstanceSourcePrivateIPv4 aws:Ec2InstanceSourceVpc aws:EpochTime aws:FederatedProvider
aws:IsMcpServiceAction aws:MultiFactorAuthAge aws:MultiFactorAuthPresent aws:PrincipalAccount aws:PrincipalArn
aws:PrincipalIsAWSService aws:PrincipalOrgID aws:PrincipalOrgPaths aws:PrincipalServiceName
aws:PrincipalServiceNamesList aws:PrincipalTag/${TagKey} aws:PrincipalType aws:Referer aws:RequestedRegion
aws:RequestTag/${TagKey} aws:ResourceAccount aws:ResourceOrgID aws:ResourceOrgPaths aws:ResourceTag/${TagKey}
aws:SecureTransport aws:SignInSessionArn aws:SourceAccount aws:SourceArn aws:SourceIdentity aws:SourceIp
aws:SourceOrgID aws:SourceOrgPaths aws:SourceVpc aws:SourceVpcArn aws:SourceVpce aws:TagKeys aws:TokenIssueTime
aws:UserAgent aws:ViaAWSMCPService aws:ViaAWSService aws:VpceAccount aws:VpceOrgID aws:VpceOrgPaths
aws:VpcSourceIp aws:userid aws:username
"""
_HOLE: Final = re.compile(r"\$\{|<")
"""Where the part of its own begins: ``${TagKey}``, ``<key>``."""
_OWN: Final = re.compile(r"[^/:]*\Z")


def documented(key: str) -> str:
    """Return a condition key as AWS spells it; one that AWS does not list, or that says its own case, as it is.

    Of a key with a part of its own (``aws:PrincipalTag/team``) that part is left alone.
    """
    if key != key.lower():
        return key
    known = _known()
    found = known.get(key)
    if found is not None:
        return found
    own = _OWN.search(key)
    stem = known.get(key[: own.start()]) if own else None
    return key if own is None or stem is None else f"{stem}{own[0]}"


@lru_cache(maxsize=1)
def _known() -> dict[str, str]:
    """Return lower case → as documented; ``aws:principaltag/`` for keys that end in something of their own."""
    packed = files("policyengine.iam").joinpath("data", "condition_keys.json.gz").read_bytes()
    listed: list[str] = [*json.loads(gzip.decompress(packed)), *_GLOBAL.split()]
    return {stem.lower(): stem for stem in (_HOLE.split(key, maxsplit=1)[0] for key in listed)}
