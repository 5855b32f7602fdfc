"""Questions over all requests against the decisions about single ones: each scenario of the oracle as a set.

The set has one action, one resource, one principal and the values of the scenario's keys; other keys are
free. So what is allowed must be found, and what is found must be allowed; a request that is denied may
be allowed with other keys.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from policyengine.iam.atoms import Setting
from policyengine.iam.domains import one_caller
from policyengine.iam.reason import No, Yes, can
from policyengine.iam.request_set import RequestSet, Values
from policyengine.iam.scenarios import Decider

ORACLE = Path(__file__).resolve().parents[3] / "shared" / "oracles" / "iam-decisions.ndjson"

ALWAYS = ("aws:SecureTransport", "aws:RequestedRegion", "aws:CurrentTime", "aws:UserAgent")
"""Keys that every request carries, which scenarios leave out now and then:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""


@pytest.mark.skipif(not ORACLE.exists(), reason="the oracle is not beside this checkout")
def test_what_is_allowed_is_found() -> None:
    decider, answers, impossible = Decider(), Counter[str](), 0
    for line in ORACLE.read_text().splitlines():
        scenario = json.loads(line)
        request, policies = decider.inputs(scenario)
        asked = scenario["request"]
        context = {
            key.lower(): Values(tuple(value) if isinstance(value, list) else (value,))
            for key, value in asked["context"].items()
            if value != []
        }
        requests = RequestSet((asked["action"],), (asked["resource"],), ("*",), context)
        setting = Setting(
            account=request.caller.account or "111122223333", resource_account=asked["resource_account"]
        )
        answer = can(requests, policies, one_caller(asked["principal"]), setting)
        answers[type(answer).__name__] += 1
        if isinstance(answer, Yes):
            assert requests.holds(answer.witness.request()), scenario["id"]
        if scenario["decision"] == "Allowed" and isinstance(answer, No):
            assert any(key not in asked["context"] for key in ALWAYS), scenario["id"]
            impossible += 1
    assert answers["Unknown"] <= 4 and impossible <= 8, (answers, impossible)
    assert answers["Yes"] > 450
