"""Bedrock's geographic inference profiles: what a call through one must be authorised for.

"The geography-specific cross-Region inference profile", "the foundation model in the source Region" and "the
foundation model in all destination Regions"; a policy that denies one of them makes every call through the
profile fail: https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

from policyengine.iam.request_set import RequestSet, read_request_set

_ACTIONS: Final = ["bedrock:InvokeModel"]


class Leg(NamedTuple):
    """One thing a call through a profile needs: requests of which one must pass, and where."""

    profile: str
    region: str
    requests: RequestSet
    source: bool


@lru_cache(maxsize=1)
def destinations() -> Mapping[str, tuple[str, ...]]:
    """Return geography → regions to which its profiles send requests."""
    text = (files("policyengine.iam") / "data" / "bedrock_profiles.json").read_text(encoding="utf-8")
    found: dict[str, list[str]] = json.loads(text)["destinations"]
    return {name: tuple(regions) for name, regions in found.items()}


def legs(geography: str, regions: Sequence[str], sources: Sequence[str], role: str) -> list[Leg]:
    """Return what calls through the profiles of a geography need, made by a role in ``sources``."""
    found = [_leg(geography, region, role, source=True) for region in sources if region in regions]
    found.extend(_leg(geography, region, role, source=False) for region in regions)
    return found


def _leg(geography: str, region: str, role: str, *, source: bool) -> Leg:
    profile = f"arn:*:bedrock:*:*:inference-profile/{geography}.*"
    if source:
        resource, context = f"arn:*:bedrock:{region}:*:inference-profile/{geography}.*", {}
    else:
        resource = f"arn:*:bedrock:{region}::foundation-model/*"
        context = {"bedrock:InferenceProfileArn": [profile]}
    requests = read_request_set(
        {
            "action": _ACTIONS,
            "resource": [resource],
            "principal": [role],
            "context": {"aws:RequestedRegion": [region], **context},
        }
    )
    return Leg(geography, region, requests, source)
