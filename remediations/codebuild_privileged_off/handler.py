"""Propose to take the privileged mode from a build project. Never applied: builds that make images would fail.

There are no calls to look at, either: a call that changes the environment has to repeat all of it, with the values of
its variables, which may be secrets and must not stand in a plan.
"""

from __future__ import annotations

import json
import re

from policyengine.remediate.api import Json, Proposal, Reader, Refused, Target

_DOCKER = re.compile(r"\b(docker|dockerd|podman|buildctl|earthly|kind create|minikube|testcontainers)\b")


def image(target: Target, read: Reader) -> Json:
    """Return what there is to weigh: the environment without the values of its variables, and who needs a daemon.

    https://docs.aws.amazon.com/codebuild/latest/APIReference/API_ProjectEnvironment.html: privileged mode is for
    building Docker images.
    """
    found = (read.call("codebuild", "BatchGetProjects", {"names": [target.id]}) or {}).get("projects") or []
    if not found:
        raise Refused("not_known", f"the project {target.id} is not there any more")
    environment, source = found[0]["environment"], found[0].get("source") or {}
    inline = source.get("buildspec") or ""
    written = "\n" in inline or inline.lstrip().startswith("{")
    return {
        "privileged": bool(environment.get("privilegedMode")),
        "type": environment["type"],
        "image": environment["image"],
        "variables": sorted(each["name"] for each in environment.get("environmentVariables") or ()),
        "buildspec": "in the project" if written else inline or "buildspec.yml in the source",
        "daemon_named": bool(_DOCKER.search(inline)) if written else None,
    }


def plan(target: Target, image: Json) -> Proposal:
    """Say what to change, and what needs a look before.

    https://docs.aws.amazon.com/codebuild/latest/userguide/sample-docker.html
    """
    if not image["privileged"]:
        return Proposal("builds do not run privileged", after=image)
    if image["daemon_named"]:
        look = "Its build specification names a container tool: it builds or runs containers, and would fail without."
    elif image["daemon_named"] is None:
        look = f"Its build specification ({image['buildspec']}) cannot be seen from here: look for container tools."
    else:
        look = "Its build specification names no container tool; scripts that it calls may."
    lines = [
        f"Set Environment.PrivilegedMode of the project {target.id} to false where it is declared. By hand:",
        f"  aws codebuild batch-get-projects --names {_quoted(target.id)} --query 'projects[0].environment' > environment.json",
        "  # set privilegedMode to false in environment.json, leave everything else",
        f"  aws codebuild update-project --name {_quoted(target.id)} --environment file://environment.json",
        look,
        "Builds of images need no privileged host with a Docker server of CodeBuild, or a builder without a daemon.",
        f"Try it on a copy of the project: {image['type']}, {image['image']}, {len(image['variables'])} variables.",
    ]
    return Proposal(
        f"take the privileged mode from the builds of {target.id}",
        after={**image, "privileged": False},
        advice="\n".join(lines),
    )


def _quoted(name: str) -> str:
    """Return a name for a shell; names of projects hold letters, digits, `-` and `_` only."""
    return name if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{1,254}", name) else json.dumps("NAME")
