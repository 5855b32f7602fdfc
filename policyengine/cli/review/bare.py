"""A file that is a policy by itself, as the resource it will be."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from policyengine.cli.iam.documents import bare_text, kind_of
from policyengine.documents import Document
from policyengine.model.location import Location
from policyengine.model.resource import Path as Steps
from policyengine.model.resource import Resource

_HOLDERS: Final = {
    "identity": ("AWS::IAM::ManagedPolicy", "PolicyDocument"),
    "scp": ("AWS::Organizations::Policy", "Content"),
    "resource": ("AWS::S3::BucketPolicy", "PolicyDocument"),
    "key": ("AWS::KMS::Key", "KeyPolicy"),
    "trust": ("AWS::IAM::Role", "AssumeRolePolicyDocument"),
}
"""What holds a document of a kind: kind -> (type, property)."""


def bare_policy(path: Path, name: str) -> Resource | None:
    """Return the resource for a file that holds one policy document and nothing else; None for any other file."""
    text = bare_text(str(path), name)
    if text is None:
        return None
    value = text.value
    type_, holder = _HOLDERS[_kind(value)]
    properties: dict[str, Any] = {holder: value}
    if type_ == "AWS::Organizations::Policy":
        properties["Type"] = "SERVICE_CONTROL_POLICY"
    return Resource(type_, path.name, None, None, properties, file=name, locate=_locator(text))


def _kind(document: dict[str, Any]) -> str:
    """Return what a document is; one that only denies, and says to nobody in particular, guards an organisation."""
    kind = kind_of(document)
    if kind != "identity":
        return kind if kind in _HOLDERS else "identity"
    found = next(value for key, value in document.items() if key.lower() == "statement")
    statements = found if isinstance(found, list) else [found]
    effects = {str(s.get("Effect")) for s in statements if isinstance(s, dict)}
    return "scp" if effects == {"Deny"} else "identity"


def _locator(text: Document) -> Any:
    def locate(path: Steps) -> Location | None:
        return text.locate(path[1:]) or Location(text.name, 1)

    return locate
