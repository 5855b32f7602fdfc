"""ECR: repositories and what is set for the registry."""

from __future__ import annotations

from typing import Any, Final

from policyengine.aws.failures import CallFailure
from policyengine.sources.live.context import Context
from policyengine.sources.live.spec import Collector, Step
from policyengine.sources.shaping import timestamp

Json = dict[str, Any]
_NAME: Final = {"repositoryName": "{repositoryName}"}
_GONE: Final = ("RepositoryNotFoundException",)
_DONE: Final = ("COMPLETE", "ACTIVE")
_FILTERS: Final = {
    "imageTagMutabilityExclusionFilters.filter": "ImageTagMutabilityExclusionFilterValue",
    "imageTagMutabilityExclusionFilters.filterType": "ImageTagMutabilityExclusionFilterType",
}


def _newest(context: Context, item: Json) -> Json:
    """The image that was pushed last, and what was found in it.

    What refers to another image is a signature or a report. Findings are not read from the image itself:
    https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_DescribeImages.html
    """
    name, newest = item["repositoryName"], None
    for page in context.pages("ecr", "DescribeImages", {"repositoryName": name, "maxResults": 1000}):
        for image in page.get("imageDetails", ()):
            pushed = image.get("imagePushedAt")
            if pushed is None or image.get("subjectManifestDigest"):
                continue
            if newest is None or pushed > newest["imagePushedAt"]:
                newest = image
    if newest is None:
        return {}
    found: Json = {"PushedAt": timestamp(newest["imagePushedAt"])}
    asked = {"repositoryName": name, "imageId": {"imageDigest": newest["imageDigest"]}}
    try:
        scan = context.call("ecr", "DescribeImageScanFindings", asked)
    except CallFailure as failure:
        if not failure.is_one_of(("ScanNotFoundException",)):
            raise
        return {"NewestImage": found}
    status = (scan.get("imageScanStatus") or {}).get("status")
    counts = (scan.get("imageScanFindings") or {}).get("findingSeverityCounts")
    findings = None
    if status in _DONE and scan.get("imageScanFindings") is not None:
        findings = {"Critical": (counts or {}).get("CRITICAL", 0), "High": (counts or {}).get("HIGH", 0)}
    return {"NewestImage": {**found, "ScanStatus": status}, "ImageScanFindings": findings}


def _scanning(item: Json) -> Json:
    return {**item, **(item.get("scanningConfiguration") or {})}


def _signing(item: Json) -> Json:
    return {**item, **(item.get("signingConfiguration") or {})}


COLLECTORS = (
    Collector(
        "AWS::ECR::Repository",
        "ecr",
        Step(
            "DescribeRepositories",
            "repositories",
            {"maxResults": 1000},
            rename={"repositoryArn": "Arn", **_FILTERS},
        ),
        id="{repositoryName}",
        arn="{repositoryArn}",
        tags="",
        details=(
            Step(
                "ListTagsForResource", "tags", {"resourceArn": "{repositoryArn}"}, gives=("tags",), gone=_GONE
            ),
            Step(
                "GetRepositoryPolicy",
                "policyText",
                _NAME,
                into="RepositoryPolicyText",
                none=("RepositoryPolicyNotFoundException",),
                gone=_GONE,
            ),
            Step(
                "GetLifecyclePolicy",
                "",
                _NAME,
                into="LifecyclePolicy",
                none=("LifecyclePolicyNotFoundException",),
                gone=_GONE,
            ),
            Step(
                "BatchGetRepositoryScanningConfiguration",
                "scanningConfigurations",
                {"repositoryNames": "{repositoryName}"},
                gives=("ScanFrequency",),
                batch=25,
                key="repositoryName",
            ),
            Step(
                "DescribeImages",
                "",
                gives=("NewestImage", "ImageScanFindings"),
                gone=_GONE,
                ask=_newest,
                calls=("ecr:DescribeImageScanFindings",),
                only_named=True,
            ),
        ),
    ),
    Collector(
        "AWS::ECR::RegistryScanningConfiguration",
        "ecr",
        Step("GetRegistryScanningConfiguration", ""),
        id="{registryId}",
        tags="",
        shape=_scanning,
        gives=("RegistryId", "Rules", "ScanType"),
    ),
    Collector(
        "AWS::ECR::RegistryPolicy",
        "ecr",
        Step("GetRegistryPolicy", ""),
        id="{registryId}",
        tags="",
        skips=("RegistryPolicyNotFoundException",),
    ),
    Collector(
        "AWS::ECR::SigningConfiguration",
        "ecr",
        Step("GetSigningConfiguration", ""),
        id="{registryId}",
        tags="",
        shape=_signing,
        gives=("RegistryId", "Rules"),
        skips=("SigningConfigurationNotFoundException",),
    ),
    Collector(
        "AWS::ECR::RepositoryCreationTemplate",
        "ecr",
        Step("DescribeRepositoryCreationTemplates", "repositoryCreationTemplates", rename=_FILTERS),
        id="{prefix}",
        tags="",
    ),
)
