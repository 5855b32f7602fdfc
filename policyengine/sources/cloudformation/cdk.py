"""A CDK cloud assembly (``cdk.out``): which templates it holds and where they go."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path as FilePath
from typing import Any, Final, NamedTuple

from policyengine.documents import load
from policyengine.documents.files import is_file
from policyengine.model.errors import InputError

MANIFEST: Final = "manifest.json"
_ENVIRONMENT: Final = re.compile(r"aws://(\d{12}|unknown-account)/([a-z0-9-]{1,40})")
_MOST_NESTED: Final = 10


class Stack(NamedTuple):
    """One stack of an assembly; account and region are None where the stack is not bound to one."""

    template: FilePath
    name: str
    account: str | None
    region: str | None
    tags: Mapping[str, str]


def is_assembly(folder: FilePath) -> bool:
    """Say whether a folder is the output of ``cdk synth``: a manifest with artifacts."""
    manifest = folder / MANIFEST
    if not is_file(manifest):
        return False
    try:
        with manifest.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return b'"artifacts"' in head or (b'"version"' in head and b'"cdk' in head)


def read_assembly(folder: FilePath, name: str | None = None) -> list[Stack]:
    """Return the stacks of an assembly and of the stages nested in it, in the manifest's order.

    Assets and ``tree.json`` are of no interest. A path that leaves the assembly is refused.
    Raises InputError with the place of what is wrong.
    """
    return _read(folder, folder, name or (folder / MANIFEST).as_posix(), 0)


def stack_of(template: FilePath) -> Stack | None:
    """Return what the assembly a template stands in says about its stack; None without an assembly."""
    if not template.name.endswith(".template.json") or not is_assembly(template.parent):
        return None
    try:
        stacks = _read(template.parent, template.parent, MANIFEST, _MOST_NESTED)
    except InputError:
        return None  # the manifest is no target of its own; the template can be read without it
    return next((stack for stack in stacks if stack.template.name == template.name), None)


def _read(root: FilePath, folder: FilePath, name: str, depth: int) -> list[Stack]:
    try:
        data = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise InputError(f"cannot read `{name}`: {(error.strerror or 'error').lower()}") from None
    document = load(data, name=name, syntax="json")
    artifacts = document.value.get("artifacts") if isinstance(document.value, dict) else None
    if not isinstance(artifacts, dict):
        raise InputError("not the manifest of a CDK assembly: no `artifacts`", document.locate(()))
    stacks: list[Stack] = []
    for key, artifact in artifacts.items():
        if not isinstance(artifact, dict):
            continue
        properties = artifact.get("properties")
        properties = properties if isinstance(properties, dict) else {}
        if artifact.get("type") == "aws:cloudformation:stack":
            file = _inside(root, folder, properties.get("templateFile"))
            if file is None:
                place = document.locate(("artifacts", key))
                raise InputError(f"stack `{key}` has no `templateFile` inside the assembly", place)
            stacks.append(_stack(key, file, artifact, properties))
        elif artifact.get("type") == "cdk:cloud-assembly" and depth < _MOST_NESTED:
            inner = _inside(root, folder, properties.get("directoryName"))
            if inner is not None:
                stacks += _read(
                    root, inner, f"{name.removesuffix(MANIFEST)}{inner.name}/{MANIFEST}", depth + 1
                )
    return stacks


def _inside(root: FilePath, folder: FilePath, name: Any) -> FilePath | None:
    if not isinstance(name, str) or not name:
        return None
    found = folder / name
    return found if found.resolve().is_relative_to(root.resolve()) else None


def _stack(key: str, file: FilePath, artifact: dict[str, Any], properties: dict[str, Any]) -> Stack:
    match = _ENVIRONMENT.fullmatch(str(artifact.get("environment")))
    account = match[1] if match and match[1].isdigit() else None
    region = match[2] if match and match[2] != "unknown-region" else None
    tags = properties.get("tags")
    known = {k: v for k, v in tags.items() if isinstance(v, str)} if isinstance(tags, dict) else {}
    name = properties.get("stackName")
    return Stack(file, name if isinstance(name, str) else key, account, region, known)
