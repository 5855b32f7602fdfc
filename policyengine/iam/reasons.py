"""Why a statement did not apply, and why a layer stops a request: the closed tables of codes."""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    "action_not_named": "no pattern of Action matches the request's action",
    "action_excluded": "a pattern of NotAction matches the request's action",
    "principal_not_named": "Principal does not name the caller",
    "principal_excluded": "NotPrincipal names the caller",
    "resource_not_named": "no pattern of Resource matches the request's resource",
    "resource_excluded": "a pattern of NotResource matches the request's resource",
    "condition_not_met": "a condition does not hold",
    "not_decided": "it cannot be known whether the statement applies, and the decision does not rest on it",
    "management_account": "organisations' policies do not restrict their management account",
    "service_linked_role": "organisations' policies do not restrict service-linked roles",
    "not_an_account_principal": "SCPs are about principals of the account only",
    "service_not_covered": "RCPs do not cover the service of the request",
    "not_restrictable": "RCPs do not cover this action or this key",
    "not_an_iam_entity": "identity policies, boundaries and session policies are not about this caller",
}
"""Code of a statement that did not apply → what it means."""

BLOCKS: Final[dict[str, str]] = {
    "explicit_deny": "a statement denies the request",
    "no_allow": "no statement of the layer allows the request",
    "public_access_blocked": "S3 Block Public Access stops the request",
    "root_cannot_assume": "the root user cannot assume roles",
}
"""Code of a layer that stopped the request → what it means."""
