"""Scan the images of a repository when they are pushed."""

from __future__ import annotations

from policyengine.remediate.api import Call, Json, Proposal, Reader, Refused, Step, Target


def image(target: Target, read: Reader) -> Json:
    """Return the repository's setting, and the kind of scanning of the registry."""
    asked = {"registryId": target.account, "repositoryNames": [target.id]}
    repository = (read.call("ecr", "DescribeRepositories", asked) or {})["repositories"][0]
    registry = (read.call("ecr", "GetRegistryScanningConfiguration") or {}).get("scanningConfiguration") or {}
    return {
        "on_push": bool((repository.get("imageScanningConfiguration") or {}).get("scanOnPush")),
        "registry": registry.get("scanType") or "BASIC",
    }


def plan(target: Target, image: Json) -> Proposal:
    """Turn scanning on; with enhanced scanning only the registry's filters decide.

    https://docs.aws.amazon.com/AmazonECR/latest/userguide/image-scanning-enhanced.html
    """
    if image["on_push"]:
        return Proposal("images are scanned when they are pushed already", after=image)
    if image["registry"] != "BASIC":
        raise Refused(
            "unsupported",
            f"the registry scans with {image['registry']}, where its own filters decide: add the repository to a rule of "
            "the registry's scanning configuration",
        )
    step = Step(
        "scan",
        _put(target, True),
        undo=(_put(target, False),),
        why="images that are there are not scanned by that, only those that are pushed from now on",
    )
    return Proposal("scan images when they are pushed", (step,), after={**image, "on_push": True})


def _put(target: Target, on: bool) -> Call:
    asked = {"registryId": target.account, "repositoryName": target.id}
    return Call(
        "ecr", "PutImageScanningConfiguration", {**asked, "imageScanningConfiguration": {"scanOnPush": on}}
    )
