"""What organisations' policies are about, as data.

- SCPs: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html
- RCPs: https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html and
  https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policyengine.iam.request import Request

RCP_SERVICES: Final[Mapping[str, str]] = {
    "s3": "2024-11", "sts": "2024-11", "kms": "2024-11", "sqs": "2024-11", "secretsmanager": "2024-11",
    "ecr": "2025-06", "aoss": "2025-06",
    "cognito-identity": "2026-01", "cognito-idp": "2026-01", "logs": "2026-01",
}  # fmt: skip
"""Service prefix of actions RCPs apply to → since when; checked 2026-11."""

RCP_EXEMPT_ACTIONS: Final = frozenset({"kms:retiregrant"})


def scp_exempt(request: Request, management_account: str | None) -> str | None:
    """Return the code of why SCPs do not restrict a request, None where they do."""
    caller = request.caller
    if not caller.in_account:
        return "not_an_account_principal"
    if caller.account == management_account:
        return "management_account"
    return "service_linked_role" if caller.service_linked else None


def rcp_exempt(request: Request, management_account: str | None) -> str | None:
    """Return the code of why RCPs do not restrict a request, None where they do."""
    if request.account is not None and request.account == management_account:
        return "management_account"
    if request.caller.service_linked:
        return "service_linked_role"
    if request.service not in RCP_SERVICES:
        return "service_not_covered"
    if request.lower_action in RCP_EXEMPT_ACTIONS or is_aws_managed_key(request):
        return "not_restrictable"
    return None


def is_aws_managed_key(request: Request) -> bool:
    """Say whether the resource is a KMS key AWS manages: its alias begins with `aws/`.

    The ARN of a key does not show it; `kms:ResourceAliases` does.
    """
    if request.service != "kms":
        return False
    if request.resource.split(":", 5)[-1].startswith("alias/aws/"):
        return True
    aliases = request.context.get("kms:resourcealiases")
    return isinstance(aliases, tuple) and any(alias.startswith("alias/aws/") for alias in aliases)
