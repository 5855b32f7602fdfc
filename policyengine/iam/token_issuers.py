"""Who issues the tokens that roles are assumed with, and what their claims look like.

A *form* is a text of a claim with places in braces. ``{who}`` is the place that a question asks about:
values that no policy spells out there. ``{like}`` is such a place where a policy also spells it out by a
pattern with a fixed beginning (``release/*``). Every other place stands for any text.

Which issuers many AWS customers share, and by which claim AWS tells them apart:
https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html (2026-11).
Which claims AWS passes on as condition keys (those of GitHub, Google and CircleCI since 2026-02):
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

QUESTIONS: Final = {
    "stranger": "somebody whom the policy does not name, of another customer of the provider",
    "project": "another repository, project, workspace or namespace of those who are named",
    "branch": "a branch or pull request that the policy does not name",
    "subject": "a subject that the policy does not name",
    "audience": "a token made for an audience that the policy does not name",
    "guest": "somebody who has not signed in",
    "nothing": "a token without the claims that the conditions are about",
}
"""Which tokens may be asked about → what they are."""

Kind = Literal["oidc", "saml", "service"]


@dataclass(frozen=True, slots=True)
class Tokens:
    """One way in which tokens of a question can look: claim (or key with a colon) → its forms.

    ``without``: claims that such a token never carries. ``never``: patterns of values that look like a form and
    are none. ``doubted``: forms a claim has only if something is
    so that no policy says, which ``why`` names.
    """

    claims: Mapping[str, tuple[str, ...]]
    without: tuple[str, ...] = ()
    never: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    doubted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Issuers of a kind. ``hosts``: patterns of what stands behind ``oidc-provider/``, or of the principal.

    ``claims``: those that whoever asks for a token may choose, or that do not tell who it is.
    """

    id: str
    name: str
    hosts: tuple[str, ...]
    page: str
    asks: Mapping[str, tuple[Tokens, ...]]
    claims: tuple[str, ...] = ()
    kind: Kind = "oidc"


def _one(claims: Mapping[str, tuple[str, ...]], *without: str) -> tuple[Tokens, ...]:
    return (Tokens(claims, without),)


def _subject(*forms: str) -> tuple[Tokens, ...]:
    return (Tokens({"sub": forms}),)


_ANY: Final = ("{any}",)
_NAMED: Final = ("{who}",)
_GITHUB_FREE: Final = ("aud", "actor", "actor_id", "workflow", "ref", "environment")
_GITHUB: Final = {
    # by default `repo:OWNER/REPOSITORY:…`; an organisation may choose other claims to begin with
    "stranger": (
        Tokens(
            {
                "sub": (
                    "repo:{who}/{name}:{rest}", "repository:{who}/{rest}", "repository_owner:{who}",
                    "repository_owner:{who}:{rest}", "repository_id:{who}", "repository_id:{who}:{rest}",
                    "repository_owner_id:{who}", "repository_owner_id:{who}:{rest}", "enterprise:{who}:{rest}",
                    "enterprise_id:{who}:{rest}", "workflow_ref:{who}/{rest}", "job_workflow_ref:{who}/{rest}",
                    "environment:{rest}", "ref:{rest}", "workflow:{rest}", "actor:{rest}", "actor_id:{rest}",
                    "event_name:{rest}", "repository_visibility:{rest}", "runner_environment:{rest}",
                ),
                "repository": ("{who}/{name}",),
                "repository_id": _NAMED,
                "repository_owner": _NAMED,
                "repository_owner_id": _NAMED,
                "enterprise_id": _NAMED,
                "job_workflow_ref": ("{who}/{rest}",),
            },
            doubted={"sub": ("job_workflow_ref:{rest}",), "job_workflow_ref": ("{rest}",)},
            why="anybody may call the reusable workflow that is named if its repository is public",
        ),
    ),
    "project": _one(
        {
            "sub": ("repo:{owner}/{who}:{rest}",),
            "repository": ("{owner}/{who}",),
            "repository_id": _NAMED,
        }
    ),
    # a job with an environment says so in the subject, and nothing of a branch
    "branch": (
        Tokens(
            {
                "sub": ("repo:{owner}/{repository}:ref:refs/heads/{like}",),
                "ref": ("refs/heads/{like}",),
                "repository": ("{owner}/{repository}",),
            },
            ("environment",),
            {"sub": ("repo:*:ref:refs/heads/*:*", "repo:*:*:ref:refs/heads/*")},
        ),
        Tokens(
            {
                "sub": ("repo:{owner}/{repository}:pull_request",),
                "ref": ("refs/pull/{number}/merge",),
                "repository": ("{owner}/{repository}",),
            },
            ("environment",),
            {"sub": ("repo:*:*:pull_request",)},
        ),
    ),
}  # fmt: skip
"""https://docs.github.com/en/actions/reference/security/oidc; that the caller of a reusable workflow is who
the token is about: https://docs.github.com/en/actions/how-tos/secure-your-work/security-harden-deployments/oidc-with-reusable-workflows"""

ISSUERS: Final[tuple[Issuer, ...]] = (
    Issuer(
        "github",
        "GitHub Actions",
        ("token.actions.githubusercontent.com", "vstoken.actions.githubusercontent.com"),
        "https://docs.github.com/en/actions/reference/security/oidc",
        _GITHUB,
        _GITHUB_FREE,
    ),
    Issuer(
        "github",
        "GitHub Actions of an enterprise",  # the issuer has its own path, so there are no strangers
        ("token.actions.githubusercontent.com/*", "*/_services/token"),
        "https://docs.github.com/en/actions/reference/security/oidc",
        {key: value for key, value in _GITHUB.items() if key != "stranger"},
        _GITHUB_FREE,
    ),
    Issuer(
        "gitlab",
        "GitLab",
        ("gitlab.com",),
        "https://docs.gitlab.com/ci/cloud_services/aws/",
        {
            "stranger": _subject(
                "project_path:{who}/{name}:ref_type:{type}:ref:{ref}", "project_path:{who}/{rest}"
            ),
            "project": _subject("project_path:{who}:ref_type:{type}:ref:{ref}"),
            "branch": _subject("project_path:{path}:ref_type:branch:ref:{like}"),
        },
        ("aud",),
    ),
    Issuer(
        "bitbucket",
        "Bitbucket Pipelines",  # one issuer for each workspace
        ("api.bitbucket.org/2.0/workspaces/*",),
        "https://support.atlassian.com/bitbucket-cloud/docs/deploy-on-aws-using-bitbucket-pipelines-openid-connect/",
        {"project": _subject("{who}:{rest}")},
        ("aud",),
    ),
    Issuer(
        "circleci",
        "CircleCI",  # one issuer for each organisation
        ("oidc.circleci.com/org/*",),
        "https://circleci.com/docs/guides/permissions-authentication/openid-connect-tokens/",
        {
            "project": _one(
                {
                    "sub": ("org/{organization}/project/{who}/user/{user}",),
                    "project-id": _NAMED,
                    "oidc.circleci.com/project-id": _NAMED,
                }
            )
        },
        ("aud",),
    ),
    Issuer(
        "terraform",
        "HCP Terraform",
        ("app.terraform.io", "app.eu.terraform.io"),
        "https://developer.hashicorp.com/terraform/cloud-docs/workspaces/dynamic-provider-credentials/aws-configuration",
        {
            "stranger": _subject("organization:{who}:{rest}"),
            "project": _subject(
                "organization:{organization}:project:{project}:workspace:{who}:run_phase:{phase}"
            ),
        },
        ("aud",),
    ),
    Issuer(
        "buildkite",
        "Buildkite",
        ("agent.buildkite.com",),
        "https://buildkite.com/docs/pipelines/security/oidc/aws",
        {
            "stranger": _subject("organization:{who}:{rest}"),
            "project": _subject("organization:{organization}:pipeline:{who}:{rest}"),
            "branch": _subject(
                "organization:{organization}:pipeline:{pipeline}:ref:refs/heads/{like}:commit:{commit}:step:{step}"
            ),
        },
        ("aud",),
    ),
    Issuer(
        "google",
        "Google",
        ("accounts.google.com",),
        "https://docs.cloud.google.com/docs/authentication/get-id-token",
        # `aud` is the token's azp (whom it was issued to), `oaud` its aud, which a service account may choose
        {"stranger": _one({"aud": _NAMED, "sub": _NAMED, "email": _NAMED, "hd": _NAMED})},
        ("oaud", "amr"),
    ),
    Issuer(
        "cognito",
        "Amazon Cognito",
        ("cognito-identity.amazonaws.com", "cognito-identity-us-gov.amazonaws.com"),
        "https://docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html",
        {
            "stranger": _one({"aud": _NAMED, "sub": _NAMED, "amr": _ANY}),
            "guest": _one({"aud": _ANY, "sub": _ANY, "amr": ("unauthenticated",)}),
        },
    ),
    Issuer(
        "facebook",
        "Facebook",
        ("graph.facebook.com",),
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html",
        {"stranger": _one({"app_id": _NAMED, "id": _NAMED})},
    ),
    Issuer(
        "amazon",
        "Login with Amazon",
        ("www.amazon.com",),
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html",
        {"stranger": _one({"app_id": _NAMED, "user_id": _NAMED})},
    ),
    Issuer(
        "vercel",
        "Vercel",
        ("oidc.vercel.com",),
        "https://vercel.com/docs/oidc/reference",
        {"stranger": _one({"aud": ("https://vercel.com/{who}",), "sub": ("owner:{who}:{rest}",)})},
    ),
    Issuer(
        "pulumi",
        "Pulumi Cloud",
        ("api.pulumi.com/oidc",),
        "https://www.pulumi.com/docs/administration/access-identity/oidc-client/aws/",
        {"stranger": _one({"aud": ("{who}", "aws:{who}"), "sub": ("pulumi:{kind}:org:{who}:{rest}",)})},
    ),
    Issuer(
        "scalr",
        "Scalr",
        ("scalr.io",),
        "https://docs.scalr.io/docs/aws",
        {"stranger": _subject("account:{who}:{rest}")},
        ("aud",),
    ),
    Issuer(
        "codefresh",
        "Codefresh",
        ("oidc.codefresh.io",),
        "https://codefresh.io/docs/docs/integrations/oidc-pipelines/",
        {"stranger": _subject("account:{who}:{rest}")},
        ("aud",),
    ),
    Issuer(
        "upbound",
        "Upbound",
        ("proidc.upbound.io",),
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html",
        {"stranger": _subject("mcp:{who}/{rest}")},
        ("aud",),
    ),
    Issuer(
        "shared",
        "a provider that many customers share",
        (
            "studio.datachain.ai/api",
            "tokens.cloud.shisho.dev",
            "sandboxes.cloud",
            "oidc-configuration.audit-log.githubusercontent.com",
            "oidc.op1.openshiftapps.com/*",
        ),
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html",
        {"stranger": _one({"sub": ("{like}",), "aud": ("{like}",)})},
    ),
    Issuer(
        "eks",
        "service accounts of an EKS cluster",
        ("oidc.eks.*.amazonaws.com/id/*", "oidc.eks.*.amazonaws.com.cn/id/*", "oidc.eks.*.api.aws/id/*"),
        "https://docs.aws.amazon.com/eks/latest/userguide/associate-service-account-role.html",
        {
            "project": _subject("system:serviceaccount:{who}:{name}"),
            "subject": _subject("system:serviceaccount:{namespace}:{like}"),
        },
        ("aud",),
    ),
    Issuer(
        "eks-pod",
        "EKS Pod Identity",
        ("pods.eks.amazonaws.com",),
        "https://docs.aws.amazon.com/eks/latest/userguide/pod-id-role.html",
        {
            "subject": _one(
                {
                    "aws:requesttag/kubernetes-namespace": _NAMED,
                    "aws:requesttag/kubernetes-service-account": _NAMED,
                    "aws:requesttag/eks-cluster-arn": _NAMED,
                    "aws:requesttag/eks-cluster-name": _NAMED,
                    "aws:sourcearn": ("arn:aws:eks:{region}:{account}:cluster/{who}",),
                }
            )
        },
        kind="service",
    ),
    Issuer(
        "rolesanywhere",
        "IAM Roles Anywhere",
        ("rolesanywhere.amazonaws.com",),
        "https://docs.aws.amazon.com/rolesanywhere/latest/userguide/trust-model.html",
        {
            "subject": _one(
                {
                    "aws:principaltag/x509*": _NAMED,
                    "aws:requesttag/x509*": _NAMED,
                    "sts:sourceidentity": _NAMED,
                    "aws:sourcearn": ("arn:aws:rolesanywhere:{region}:{account}:trust-anchor/{who}",),
                }
            )
        },
        kind="service",
    ),
    Issuer(
        "saml",
        "a SAML provider",
        (":saml-provider/*",),
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_saml.html",
        {},
        ("saml:*",),
        "saml",
    ),
    Issuer(
        "private",
        "a provider of one organisation",
        ("*",),
        "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc_secure-by-default.html",
        {"subject": _subject("{like}")},
        ("aud", "amr"),
    ),
)
"""The first whose pattern matches is meant."""

SIGN_IN: Final = (
    "https://signin.aws.amazon.com/saml", "https://*.signin.aws.amazon.com/saml",
    "https://signin.amazonaws.cn/saml", "https://signin.amazonaws-us-gov.com/saml",
    "https://*.signin.amazonaws.cn/saml", "https://*.signin.amazonaws-us-gov.com/saml",
)  # fmt: skip
"""Audiences of AWS's sign-in: https://docs.aws.amazon.com/general/latest/gr/signin-service.html"""
