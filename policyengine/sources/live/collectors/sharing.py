"""What lets others in: shares of Resource Access Manager, IAM Roles Anywhere."""

from __future__ import annotations

from typing import Any, Final

from policyengine.sources.live.spec import Collector, Step

Json = dict[str, Any]
_ENDED: Final = ("FAILED", "DISASSOCIATING", "DISASSOCIATED")
"""https://docs.aws.amazon.com/ram/latest/APIReference/API_ResourceShareAssociation.html"""


def _associated(kind: str, property: str, *gives: str) -> Step:
    """One listing for all shares; a share without any has no such property, as in code."""

    def shape(found: list[Json], _item: Json) -> Json:
        entities = [each["associatedEntity"] for each in found if each.get("status") not in _ENDED]
        return {property: entities or None}

    return Step(
        "GetResourceShareAssociations",
        "resourceShareAssociations",
        {"associationType": kind},
        gives=(property, *gives),
        once="{resourceShareArn}",
        key="resourceShareArn",
        shape=shape,
    )


def _anywhere(type: str, operation: str, result: str, kind: str) -> Collector:
    arn = f"{{{kind}Arn}}"
    return Collector(
        type,
        "rolesanywhere",
        Step(operation, result),
        id=f"{{{kind}Id}}",
        arn=arn,
        tags="",
        details=(
            Step(
                "ListTagsForResource",
                "tags",
                {"resourceArn": arn},
                gives=("tags",),
                gone=("ResourceNotFoundException",),
            ),
        ),
    )


COLLECTORS = (
    Collector(
        "AWS::RAM::ResourceShare",
        "ram",
        Step("GetResourceShares", "resourceShares", {"resourceOwner": "SELF"}),
        id="{resourceShareArn}",
        arn="{resourceShareArn}",
        rename={"resourceShareArn": "Arn"},
        tags="tags",
        keep=lambda item, _names: item.get("status") not in ("DELETING", "DELETED"),
        details=(
            _associated("PRINCIPAL", "Principals", "related.principals"),
            _associated("RESOURCE", "ResourceArns"),
        ),
        also={"AWS::RAM::PrincipalAssociation": "related.principals"},
    ),
    _anywhere("AWS::RolesAnywhere::Profile", "ListProfiles", "profiles", "profile"),
    _anywhere("AWS::RolesAnywhere::TrustAnchor", "ListTrustAnchors", "trustAnchors", "trustAnchor"),
)
