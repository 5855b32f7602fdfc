"""The document: its schema, what it says about VPCs, and the same bytes for the same input."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from policyengine.shadow_ai import document as module
from policyengine.shadow_ai.calls import Calls
from policyengine.shadow_ai.document import Given, Vpc, document
from policyengine.shadow_ai.flows import Flows
from tests.shadow_ai.helpers import document_of, lines, record, service_of, tally_of
from tests.shadow_ai.test_calls import event
from tests.shadow_ai.test_flows import BACK, HEADER, OUT

SCHEMA = json.loads(
    (Path(module.__file__).parent / "schemas" / "shadow-ai-v1.schema.json").read_text(encoding="utf-8")
)


def full() -> dict[str, Any]:
    data = lines(
        [record(), record(query_name="dns.google."), record(query_name="claude.ai.", rcode="SERVFAIL")]
    )
    tally = tally_of(data + b"broken\n", want_answers=True)
    assert tally.answers is not None
    flows, calls = Flows(tally.answers, tally.window), Calls()
    flows.read(io.BytesIO(f"{HEADER}\n{OUT}\n{BACK}\nbroken\n".encode()), "flow")
    calls.read(io.BytesIO(json.dumps({"Records": [event(), {}]}).encode()), "trail")
    vpcs = [
        Vpc("111122223333", "us-east-1", "vpc-7example", True, "yes"),
        Vpc("1" * 12, "eu-west-1", "vpc-2", None, "no"),
    ]
    return document(tally, Given(vpcs, flows, calls))


def test_it_is_what_the_schema_says() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for found in (full(), document_of(b""), document_of(lines([record(account_id=None, srcaddr=None)]))):
        jsonschema.validate(json.loads(json.dumps(found)), SCHEMA)
    assert [e["file"] for e in full()["errors"]] == ["log", "flow", "trail"]


def test_the_schema_forgets_no_member() -> None:
    def compare(value: Any, schema: dict[str, Any], path: str) -> None:
        for branch in schema.get("anyOf", ()):
            if branch.get("type") == "object" and isinstance(value, dict):
                compare(value, branch, path)
            elif branch.get("type") == "array" and isinstance(value, list):
                compare(value, branch, path)
        if "properties" in schema:
            assert set(value) == set(schema["properties"]) == set(schema["required"]), path
            for key, part in value.items():
                compare(part, schema["properties"][key], f"{path}/{key}")
        elif "items" in schema and isinstance(value, list):
            for part in value:
                compare(part, schema["items"], f"{path}/-")

    compare(full(), SCHEMA, "")


def test_nothing_is_passed_off_as_nothing_there() -> None:
    found = document_of(b"")
    assert found["services"] == [] and found["bedrock"] is None and found["coverage"]["vpcs_unlogged"] is None
    said = " ".join(found["coverage"]["blind_spots"])
    for words in ("Nobody told which VPCs exist", "No VPC flow logs were given", "No CloudTrail records were given",
                  "A lookup is no traffic", "Laptops", "Encrypted DNS", "hard-coded", "cache"):  # fmt: skip
        assert words in said


def test_vpcs_that_are_not_covered_are_unknown() -> None:
    tally = tally_of(lines([record(vpc_id="vpc-seen")]))
    vpcs = [
        Vpc(
            "111122223333", "us-east-1", "vpc-seen", False, "not associated"
        ),  # a Route 53 Profile may log it
        Vpc("111122223333", "us-east-1", "vpc-silent", True, "associated"),
        Vpc("111122223333", "us-east-1", "vpc-off", False, "not associated"),
        Vpc("111122223333", "us-east-1", "vpc-who-knows", None, "not collected"),
        Vpc("222222222222", "us-east-1", "vpc-seen", True, "associated"),  # the same id elsewhere
    ]
    coverage = document(tally, Given(vpcs))["coverage"]
    assert coverage["vpcs_known"] == 5
    assert [(v["account"][0], v["vpc"], v["why"]) for v in coverage["vpcs_unlogged"]] == [
        ("1", "vpc-off", "not associated"),
        ("1", "vpc-silent", "associated, and these logs hold no query of it"),
        ("1", "vpc-who-knows", "not collected"),
        ("2", "vpc-seen", "associated, and these logs hold no query of it"),
    ]
    assert any(text.startswith("4 VPCs are not covered") for text in coverage["blind_spots"])
    assert document(tally, Given([]))["coverage"]["vpcs_unlogged"] == []


def test_lists_are_cut_and_say_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DAYS", 2)
    monkeypatch.setattr(module, "VPCS", 2)
    data = lines(
        record(srcaddr=f"10.0.0.{n}", vpc_id=f"vpc-{n}", query_timestamp=f"2026-01-0{n}T00:00:00Z")
        for n in range(1, 6)
    )
    found = document(tally_of(data), Given(sources=3))
    service = service_of(found, "openai")
    assert (len(service["sources"]), service["sources_left_out"]) == (3, 2)
    assert (service["by_day"], service["days_left_out"]) == ({"2026-01-04": 1, "2026-01-05": 1}, 3)
    assert service["queries"] == 5, "what is left out of the lists is counted all the same"
    assert (len(found["coverage"]["vpcs_seen"]), found["coverage"]["vpcs_seen_left_out"]) == (2, 3)
