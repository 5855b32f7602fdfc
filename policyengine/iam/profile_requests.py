"""Calls through Bedrock's inference profiles as AWS can receive them.

A search treats the profile, the region and the model of a request as values of their own. In a call they are tied:
a profile of a geography is used for regions of that geography, a global one for none in particular, and the model
is the profile's. Nor is the request about the model all of the call: the profile in the source region, the model
there and the model in every destination are authorised too.
https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html
https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from policyengine.iam.bedrock_profiles import destinations
from policyengine.iam.domains import REGIONS
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness

Allowed = Callable[[Witness], bool]

MODELS: Final = (
    "anthropic.claude-sonnet-4-5-20250929-v1:0",
    "amazon.nova-2-lite-v1:0",
    "cohere.embed-v4:0",
)
"""Models of several vendors that profiles of a geography and global ones route:
https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html"""
CALLS: Final = frozenset({"bedrock:invokemodel", "bedrock:invokemodelwithresponsestream"})
"""The actions that are about a profile as well as about its models:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html"""
NOWHERE: Final = "unspecified"
"""The region that is asked for where a global profile chooses one."""
_REGION: Final = "aws:requestedregion"
_PROFILE: Final = "bedrock:inferenceprofilearn"
_GLOBAL: Final = "global"
_SYSTEM: Final = "inference-profile/"
_APPLICATION: Final = "application-inference-profile/"
_GOVERNMENT: Final = "us-gov"


class _Call(NamedTuple):
    """One way a witness may be made: through the profile ``name`` in ``source``, answered in ``region``."""

    name: str
    source: str
    region: str
    model: str


def of_profiles(requests: RequestSet) -> RequestSet | None:
    """Return the requests about the profiles themselves that calls of a set need besides; None where the set
    is not one of calls through profiles that AWS defines.

    Which region asks, and whether such a request names the profile once more, is left open.
    """
    wanted = requests.context.get(_PROFILE)
    if (
        wanted is None
        or wanted.negated
        or wanted.absent
        or not {a.lower() for a in requests.actions} <= CALLS
    ):
        return None
    if not all(p.split(":", 5)[5:] and p.split(":", 5)[5].startswith(_SYSTEM) for p in wanted.patterns):
        return None
    rest = {key: values for key, values in requests.context.items() if key not in (_PROFILE, _REGION)}
    return replace(requests, resources=wanted.patterns, excluded=wanted.but, context=rest)


def through_profile(witness: Witness, passes: Allowed, allowed: Allowed) -> Witness | None:
    """Return a call like the witness that AWS can receive; None where it goes through no profile, or none passes.

    ``passes`` says whether a request is of the set and allowed, ``allowed`` the latter alone. A call of
    which all that is authorised is allowed comes before one of which only the request in question is.
    """
    key = next((k for k in witness.context if k.lower() == _PROFILE), None)
    profile = witness.context[key] if key is not None else None
    if key is None or not isinstance(profile, str) or witness.action.lower() not in CALLS:
        return None
    parts = profile.split(":", 5)
    if len(parts) < 6:
        return None
    first: Witness | None = None
    for call in _calls(parts, witness):
        made = _made(witness, key, parts, call)
        if passes(made):
            first = first or made
            if all(any(allowed(leg) for leg in ways) for ways in _legs(made, key, call)):
                return made
    return first


def _calls(parts: list[str], witness: Witness) -> Iterator[_Call]:
    region = _of(witness.context, _REGION) or parts[3]
    name, model = parts[5], witness.resource.partition(":foundation-model/")[2]
    models = dict.fromkeys((*MODELS, model or MODELS[0]))
    if name.startswith(_APPLICATION):
        sources: tuple[str, ...] = REGIONS if region == NOWHERE else (region,)
        yield from (_Call(name, source, region, m) for source in sources for m in models)
    elif name.startswith(f"{_SYSTEM}{_GLOBAL}."):
        sources = tuple(dict.fromkeys((*REGIONS, *(r for found in destinations().values() for r in found))))
        for m in MODELS:
            yield from (_Call(f"{_SYSTEM}{_GLOBAL}.{m}", source, NOWHERE, m) for source in sources)
    elif name.startswith(_SYSTEM):
        own = name.removeprefix(_SYSTEM).partition(".")[0]
        government = parts[1] == "aws-us-gov"
        known = [g for g in destinations() if (g == _GOVERNMENT) == government]
        for geography in sorted(known, key=lambda g: (region not in destinations()[g], g != own)):
            regions = sorted(destinations()[geography], key=lambda r: r != region)
            for m in MODELS:
                named = f"{_SYSTEM}{geography}.{m}"
                yield from (
                    _Call(named, source, r, m) for r in regions for source in sorted(regions, key=r.__ne__)
                )


def _made(witness: Witness, key: str, parts: list[str], call: _Call) -> Witness:
    """Return the request about the model of a call."""
    profile = ":".join([*parts[:3], call.source, parts[4], call.name])
    context = {k: v for k, v in witness.context.items() if k != key and k.lower() != _REGION}
    asked = next((k for k in witness.context if k.lower() == _REGION), "aws:RequestedRegion")
    context |= {asked: call.region, key: profile}
    where = "" if call.region == NOWHERE else call.region
    return replace(
        witness, resource=f"arn:{parts[1]}:bedrock:{where}::foundation-model/{call.model}", context=context
    )


def _legs(made: Witness, key: str, call: _Call) -> Iterator[tuple[Witness, ...]]:
    """Yield what else of a call is authorised, each as it may look: one of these must be allowed."""
    asked = next(k for k in made.context if k.lower() == _REGION)
    profile, partition = str(made.context[key]), made.resource.split(":", 2)[1]
    there = {**made.context, asked: call.source}
    without = {k: v for k, v in there.items() if k != key}
    yield tuple(replace(made, resource=profile, context=context) for context in (without, there))
    geography = call.name.removeprefix(_SYSTEM).partition(".")[0]
    for region in dict.fromkeys((call.source, *destinations().get(geography, ()))):
        resource = f"arn:{partition}:bedrock:{region}::foundation-model/{call.model}"
        yield (replace(made, resource=resource, context={**made.context, asked: region}),)


def _of(context: Mapping[str, str | tuple[str, ...]], key: str) -> str | None:
    found = next((v for k, v in context.items() if k.lower() == key), None)
    return found if isinstance(found, str) else None
