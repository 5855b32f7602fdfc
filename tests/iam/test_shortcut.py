"""What is plainly denied is what the search finds denied."""

from __future__ import annotations

import random
from collections import Counter

from policyengine.iam.atoms import Setting
from policyengine.iam.domains import account_callers
from policyengine.iam.layers import Layer, read_layer
from policyengine.iam.reason import No, extended, first
from policyengine.iam.request_set import RequestSet, read_request_set
from policyengine.iam.search import Question, Way
from policyengine.iam.shortcut import denies_all
from policyengine.iam.ways import parts
from tests.iam.test_reason_laws import CONDITIONS, document, request_set


def likely(rng: random.Random) -> RequestSet:
    """Draw a set that takes a condition of the statements at its word now and then."""
    operator, key, value = rng.choice(CONDITIONS)
    values = value if isinstance(value, list) else [value]
    context = {key: {"not": values} if "Not" in operator else values}
    if key.startswith("aws:Principal") and rng.random() < 0.5:
        return request_set(rng)
    return read_request_set({"action": [rng.choice(("s3:*", "ec2:*", "s3:GetObject"))], "context": context})


def test_plainly_denied_is_denied(count: int = 1500) -> None:
    answers: Counter[bool] = Counter()
    for seed in range(count):
        rng = random.Random(f"plain{seed}")
        policies, requests = [document(rng, "scp")], likely(rng)
        known = extended(policies, requests)
        denies = parts(policies, known)[False]
        actions = 0
        for pattern in requests.actions:
            actions |= known.matching(pattern)
        plain = any(denies_all(part, requests, actions, Setting()) for part in denies)
        answers[plain] += 1
        if plain:
            question = Question(
                requests,
                account_callers("111122223333"),
                known,
                lambda r, p=policies: not read_layer(Layer("scp"), p, r, []).denied(False),  # type: ignore[misc]  # defaults of a lambda have no types
            )
            assert isinstance(first(question, [Way([], denies)]), No), seed
    assert answers[True] > 20, answers
