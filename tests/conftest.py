"""What holds for all tests: a busy machine is no reason to fail.

`make test` tries forty examples of a law that does not say how many; with POLICYENGINE_THOROUGH, as `make test-slow` sets
it, a hundred.

Bounds on time are in processor time; Hypothesis measures by the clock, so its limits are off.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

EXAMPLES = 100 if os.environ.get("POLICYENGINE_THOROUGH") else 40
settings.register_profile(
    "any machine", deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")
