"""CodeCommit and CodeArtifact: where code and packages come from."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Parent, Step

Json = dict[str, Any]
_NAME: Final = {"repositoryName": "{repositoryName}"}
_NO_REPOSITORY: Final = ("RepositoryDoesNotExistException",)
_GIT: Final = "arn:{partition}:codecommit:{region}:{account}:{repositoryName}"
_GONE: Final = ("ResourceNotFoundException",)
_DOMAIN: Final = "AWS::CodeArtifact::Domain"
_REPOSITORY: Final = "AWS::CodeArtifact::Repository"
_KINDS: Final = {
    "PUBLISH": "Publish",
    "EXTERNAL_UPSTREAM": "ExternalUpstream",
    "INTERNAL_UPSTREAM": "InternalUpstream",
}


def _group(item: Json) -> Json:
    """What is inherited is not set:
    https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_PackageGroupOriginConfiguration.html
    """
    given = (item.get("originConfiguration") or {}).get("restrictions")
    found = {
        _KINDS[kind]: {"RestrictionMode": each.get("mode")}
        for kind, each in (given or {}).items()
        if kind in _KINDS and each.get("mode") != "INHERIT"
    }
    return {**item, "originConfiguration": {"Restrictions": found} if found else None}


def _package(item: Json) -> Json:
    """https://docs.aws.amazon.com/codeartifact/latest/ug/auth-and-access-control-iam-access-control-identity-based.html"""
    above, names = item["parent"], ("format", "namespace", "package")
    within = above["arn"].replace(":repository/", ":package/")
    return {
        **item,
        "Arn": "/".join((within, *(item.get(name) or "" for name in names))),
        "DomainName": above["domainName"],
        "Repository": above["name"],
    }


def _versions(context: Context, item: Json) -> Json:
    above, names = item["parent"], ("format", "namespace", "package")
    asked = {
        "domain": above["domainName"],
        "domainOwner": above["domainOwner"],
        "repository": above["name"],
        **{name: item[name] for name in names if item.get(name)},
        "sortBy": "PUBLISHED_TIME",
        "maxResults": 1,
    }
    return context.call("codeartifact", "ListPackageVersions", asked)


def _origin(found: list[Json], _item: Json) -> str | None:
    """Where the newest version came from; without a version nobody knows."""
    origin = (found[0].get("origin") or {}).get("originType") if found else None
    return None if origin is None else str(origin)


COLLECTORS = (
    Collector(
        "AWS::CodeCommit::Repository",
        "codecommit",
        Step("ListRepositories", "repositories"),
        id="{repositoryId}",
        arn=_GIT,
        tags="",
        shape=lambda item: {**item, "Name": item["repositoryName"]},
        gives=("Name",),
        details=(
            Step(
                "BatchGetRepositories",
                "repositories",
                {"repositoryNames": "{repositoryName}"},
                gives=("CloneUrlHttp", "CloneUrlSsh", "KmsKeyId", "RepositoryDescription"),
                batch=25,
                key="repositoryName",
            ),
            Step("GetRepositoryTriggers", "triggers", _NAME, into="Triggers", gone=_NO_REPOSITORY),
            Step(
                "ListTagsForResource",
                "tags",
                {"resourceArn": _GIT},
                gives=("tags",),
                gone=_NO_REPOSITORY,
                paged=True,
            ),
        ),
    ),
    Collector(
        "AWS::CodeCommit::ApprovalRuleTemplate",
        "codecommit",
        Step("ListApprovalRuleTemplates", "approvalRuleTemplateNames"),
        id="{value}",
        tags="",
        describe=Step(
            "GetApprovalRuleTemplate",
            "approvalRuleTemplate",
            {"approvalRuleTemplateName": "{value}"},
            gone=("ApprovalRuleTemplateDoesNotExistException",),
        ),
        details=(
            Step(
                "ListRepositoriesForApprovalRuleTemplate",
                "repositoryNames",
                {"approvalRuleTemplateName": "{value}"},
                into="RepositoryNames",
                gone=("ApprovalRuleTemplateDoesNotExistException",),
                paged=True,
            ),
        ),
    ),
    Collector(
        _DOMAIN,
        "codeartifact",
        Step("ListDomains", "domains", rename={"name": "DomainName"}),
        id="{name}",
        arn="{arn}",
        tags="",
        keep=lambda item, names: item.get("owner") in (None, names["account"]),
        details=(
            Step(
                "GetDomainPermissionsPolicy",
                "policy.document",
                {"domain": "{name}"},
                into="PermissionsPolicyDocument",
                none=_GONE,
            ),
            Step("ListTagsForResource", "tags", {"resourceArn": "{arn}"}, gives=("tags",), gone=_GONE),
        ),
    ),
    Collector(
        _REPOSITORY,
        "codeartifact",
        Step("ListRepositories", "repositories"),
        id="{arn}",
        arn="{arn}",
        tags="",
        keep=lambda item, names: item.get("administratorAccount") in (None, names["account"]),
        shape=lambda item: {**item, "RepositoryName": item["name"]},
        gives=("RepositoryName",),
        details=(
            Step(
                "GetRepositoryPermissionsPolicy",
                "policy.document",
                {"domain": "{domainName}", "domainOwner": "{domainOwner}", "repository": "{name}"},
                into="PermissionsPolicyDocument",
                none=_GONE,
            ),
            Step("ListTagsForResource", "tags", {"resourceArn": "{arn}"}, gives=("tags",), gone=_GONE),
        ),
    ),
    Collector(
        "AWS::CodeArtifact::PackageGroup",
        "codeartifact",
        Step("ListPackageGroups", "packageGroups", gone=_GONE),
        id="{arn}",
        arn="{arn}",
        tags="",
        parent=Parent(_DOMAIN, {"domain": "{name}"}),
        shape=_group,
        details=(Step("ListTagsForResource", "tags", {"resourceArn": "{arn}"}, gives=("tags",), gone=_GONE),),
    ),
    Collector(
        "AWS::CodeArtifact::Package",
        "codeartifact",
        Step("ListPackages", "packages", gone=_GONE),
        id="{Arn}",
        arn="{Arn}",
        tags="",
        parent=Parent(
            _REPOSITORY, {"domain": "{domainName}", "domainOwner": "{domainOwner}", "repository": "{name}"}
        ),
        shape=_package,
        gives=("Arn", "DomainName", "Repository"),
        details=(
            Step(
                "ListPackageVersions", "versions", into="OriginType", gone=_GONE, ask=_versions, shape=_origin
            ),
        ),
    ),
)
