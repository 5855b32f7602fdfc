"""Whether a region has a service at all, where its endpoint is not there and AWS's endpoint data do not tell."""

from __future__ import annotations

from typing import Final

from policyengine.aws.failures import CallFailure
from policyengine.catalog import registry
from policyengine.sources.live.context import Context

NEVER: Final = frozenset({"TypeNotFoundException", "UnsupportedActionException"})
"""The type is not offered in this region (https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_ListResources.html)."""


def is_not_offered(failure: CallFailure, type: str, context: Context) -> bool:
    """Say whether a listing failed because its service is not in the region.

    Only where two sources agree: the endpoint cannot be reached, and the region's registry, which lists the type
    elsewhere, does not know it. Either alone may be a fault.
    """
    if failure.error != "EndpointConnectionError" or registry.handlers(type).list is None:
        return False
    try:
        context.call("cloudcontrol", "ListResources", {"TypeName": type, "MaxResults": 1})
    except CallFailure as said:
        return said.error in NEVER
    return False
