"""S3 Block Public Access: bucket, account and organisation settings, and what makes a policy public.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from policyengine.iam.conditions import read_operator
from policyengine.iam.documents import Condition, Policy, Statement
from policyengine.iam.glob import has_wildcard
from policyengine.iam.opaque import Answer, Opaque, any_of
from policyengine.iam.request import Request

FIXED_KEYS: Final = frozenset(
    k.lower()
    for k in (
        "aws:SourceArn", "aws:SourceVpc", "aws:SourceVpce", "aws:SourceOwner", "aws:SourceAccount",
        "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:PrincipalAccount", "aws:userid",
        "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:DataAccessPointArn", "s3:DataAccessPointAccount",
    )
)  # fmt: skip
"""Keys whose fixed values (no wildcards) make a statement non-public."""

WIDEST: Final = {4: 8, 6: 32}
"""Shortest prefixes `aws:SourceIp` may have without being public; no private IPv4 block has a shorter one."""

PUBLIC_ACLS: Final = frozenset({"public-read", "public-read-write", "authenticated-read"})
_ACL_ACTIONS: Final = frozenset(
    {"s3:putobject", "s3:putobjectacl", "s3:putobjectversionacl", "s3:putbucketacl", "s3:createbucket"}
)
_GRANTS: Final = tuple(
    f"s3:x-amz-grant-{what}" for what in ("read", "write", "read-acp", "write-acp", "full-control")
)
_GROUPS: Final = ("groups/global/AllUsers", "groups/global/AuthenticatedUsers")


@dataclass(frozen=True, slots=True)
class PublicAccessBlock:
    """The four settings of one place."""

    block_public_acls: bool = False
    ignore_public_acls: bool = False
    block_public_policy: bool = False
    restrict_public_buckets: bool = False


ALL_ON: Final = PublicAccessBlock(True, True, True, True)


def effective(
    bucket: PublicAccessBlock | None, account: PublicAccessBlock | None, organization: bool | None
) -> PublicAccessBlock:
    """Return what holds: the bucket's and the account's settings together, the stricter of each.

    An organisation's S3 policy sets all four or none of an account's settings, in place of its own:
    https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_s3_syntax.html
    """
    none = PublicAccessBlock()
    above = account or none
    if organization is not None:
        above = ALL_ON if organization else none
    own = bucket or none
    return PublicAccessBlock(
        own.block_public_acls or above.block_public_acls,
        own.ignore_public_acls or above.ignore_public_acls,
        own.block_public_policy or above.block_public_policy,
        own.restrict_public_buckets or above.restrict_public_buckets,
    )


def stops(settings: PublicAccessBlock, request: Request, bucket_policy: Policy | None) -> bool | Opaque:
    """Say whether the settings stop a request that everything else would allow.

    Opaque where it depends on the body of the request, which is not part of ours.
    """
    if request.service != "s3":
        return False
    unknown: Opaque | None = None
    if settings.restrict_public_buckets and bucket_policy is not None:
        public = is_public(bucket_policy)
        caller = request.caller
        inside = caller.account is not None and caller.account == request.account
        if not inside and caller.kind != "service" and public is not False:
            if public is True:
                return True
            unknown = public
    if settings.block_public_acls and request.lower_action in _ACL_ACTIONS and _gives_public_acl(request):
        return True
    if settings.block_public_policy and request.lower_action == "s3:putbucketpolicy":
        return Opaque("whether the new bucket policy is public")
    return False if unknown is None else unknown


def is_public(policy: Policy) -> Answer:
    """Say whether S3 holds a bucket policy for public: one of its Allow statements is not held to
    fixed principals or to fixed values of the keys that count."""
    return any_of(
        True if s.opaque is None else s.opaque
        for s in policy.statements
        if s.allow and _statement_is_public(s)
    )


def _statement_is_public(statement: Statement) -> bool:
    principals = statement.principals or {}
    open_to_all = statement.not_principal or any("*" in names for names in principals.values())
    return open_to_all and not any(_is_fixed(c) for c in statement.conditions)


def _is_fixed(condition: Condition) -> bool:
    operator = read_operator(condition.operator)
    if operator is None or operator.if_exists or operator.quantifier == "forallvalues":
        return False
    key = condition.key.lower()
    if key == "aws:sourceip":
        return operator.base == "IpAddress" and all(_is_narrow(v) for v in condition.values)
    if key not in FIXED_KEYS or operator.base not in (
        "StringEquals", "StringEqualsIgnoreCase", "StringLike", "ArnEquals", "ArnLike",
    ):  # fmt: skip
        return False
    return all(_is_fixed_value(key, value) for value in condition.values)


def _is_fixed_value(key: str, value: str) -> bool:
    if "${" in value:
        return False
    if key == "s3:dataaccesspointarn":
        # the name may hold wildcards as long as the account is fixed
        parts = value.split(":", 5)
        return len(parts) == 6 and not has_wildcard(parts[4])
    if key == "aws:userid":
        # a role's sessions: the id of the role is fixed, the name of the session is not
        return not has_wildcard(value.partition(":")[0])
    return not has_wildcard(value)


def _is_narrow(block: str) -> bool:
    try:
        network = ipaddress.ip_network(block, strict=False)
    except ValueError:
        return False
    return network.prefixlen >= WIDEST[network.version]


def _gives_public_acl(request: Request) -> bool:
    acl: Sequence[str] | Opaque = request.context.get("s3:x-amz-acl") or ()
    if not isinstance(acl, Opaque) and PUBLIC_ACLS.intersection(acl):
        return True
    for key in _GRANTS:
        grant = request.context.get(key) or ()
        if not isinstance(grant, Opaque) and any(group in value for value in grant for group in _GROUPS):
            return True
    return False
