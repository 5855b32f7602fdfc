"""Requests as AWS makes them: the region in the ARN of a resource is the region that is asked.

A search treats the resource and ``aws:RequestedRegion`` as two values. Of Bedrock's resources they are one,
unless a global profile is called, whose model has an ARN without a region:
https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from policyengine.iam.profile_requests import CALLS, MODELS, NOWHERE, of_profiles, through_profile
from policyengine.iam.reason import Answer, Yes
from policyengine.iam.request_set import RequestSet
from policyengine.iam.search import Witness

_REGION: Final = "aws:requestedregion"
_MODEL: Final = f"foundation-model/{MODELS[0]}"
MAX_ROUNDS: Final = 6
"""Services of Bedrock, and one more."""


def possible(
    requests: RequestSet, ask: Callable[[RequestSet], Answer], allowed: Callable[[Witness], bool]
) -> Answer:
    """Return the answer to a question with a witness that AWS can receive, as far as is known.

    ``allowed`` decides a single request. Calls through profiles of which none may be used are none.
    """
    answer: Answer = ask(requests)
    profiles = of_profiles(requests) if isinstance(answer, Yes) else None
    if profiles is not None:
        used = ask(profiles)
        if not isinstance(used, Yes):  # none may be used, or nobody knows whether one may
            return used
    whole = requests

    def passes(witness: Witness) -> bool:
        return whole.holds(witness.request()) and allowed(witness)

    for _ in range(MAX_ROUNDS):
        if not isinstance(answer, Yes):
            return answer
        made = through_profile(answer.witness, passes, allowed)
        if made is not None:
            return Yes(made)
        for witness in plainer(answer.witness):
            if passes(witness):
                return Yes(witness)
        narrower = in_its_region(requests, answer.witness)
        if narrower is None:
            return answer
        requests, answer = narrower, ask(narrower)
    return answer


def plainer(witness: Witness) -> Iterator[Witness]:
    """Yield the witness about resources that a reader expects; each is still to be decided."""
    region, parts = _region(witness), witness.resource.split(":", 5)
    if region is None or len(parts) < 6:
        return
    if witness.action.lower() in CALLS:
        where = "" if region == NOWHERE else region
        yield replace(witness, resource=f"arn:{parts[1]}:bedrock:{where}::{_MODEL}")
    if parts[3] and region != NOWHERE:
        yield replace(witness, resource=":".join([*parts[:3], region, *parts[4:]]))


def in_its_region(requests: RequestSet, witness: Witness) -> RequestSet | None:
    """Return the requests about resources in the region asked, where a witness is about one elsewhere.

    None where the witness is a possible request, or the set does not leave regions out.
    """
    wanted, region = requests.context.get(_REGION), _region(witness)
    parts = witness.resource.split(":", 5)
    if wanted is None or not wanted.negated or not wanted.patterns or len(parts) < 6:
        return None
    if not parts[2].startswith("bedrock") or not parts[3] or parts[3] == region:
        return None
    elsewhere = tuple(f"arn:*:{parts[2]}:{pattern}:*" for pattern in wanted.patterns)
    if set(elsewhere) <= set(requests.excluded):
        return None
    return replace(requests, excluded=(*requests.excluded, *elsewhere))


def _region(witness: Witness) -> str | None:
    found = next((v for k, v in witness.context.items() if k.lower() == _REGION), None)
    return found if isinstance(found, str) else None
