"""What holds for all tests: a busy machine is no reason to fail.

Bounds on time are in processor time; Hypothesis measures by the clock, so its limits are off.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")
