"""What counts as a lookup, by whom and when; and what never does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from policyengine.shadow_ai.catalogue import approve
from policyengine.shadow_ai.document import unapproved
from tests.shadow_ai.helpers import SHIPPED, document_of, lines, record, service_of

KINDS = yaml.safe_load((Path(__file__).parent / "cases" / "kinds.yaml").read_text(encoding="utf-8"))
COUNTS = ("queries", "blocked", "failed", "other_types")


@pytest.mark.parametrize("case", KINDS, ids=lambda case: str(case["fields"]))
def test_kinds(case: dict[str, Any]) -> None:
    found = document_of(lines([record(**case["fields"])]))
    service = service_of(found, "openai")
    assert {name: service[name] for name in COUNTS} == {name: int(name == case["kind"]) for name in COUNTS}
    (source,) = service["sources"]
    assert source["count"] == service["queries"]
    assert unapproved(found) == (["openai"] if case["kind"] == "queries" else [])
    assert service["by_day"] == {"2021-02-04": service["queries"]}
    attempts = service["blocked"] + service["failed"]
    assert service["attempts_by_day"] == ({"2021-02-04": attempts} if attempts else {})


def test_where_from_and_when() -> None:
    found = document_of(
        lines(
            [
                record(query_timestamp="2026-01-02T00:00:01Z"),
                record(query_timestamp="2026-01-01T23:59:59.123Z", srcaddr="10.0.0.6", srcids=None),
                record(query_timestamp="2026-01-03T10:00:00Z", query_name="chatgpt.com."),
                record(query_timestamp="2026-01-05T10:00:00Z", query_name="example.com.", vpc_id="vpc-b"),
                record(
                    query_timestamp="2026-01-04T10:00:00Z", srcaddr="192.168.1.9",
                    srcids={"resolver_endpoint": "rslvr-in-1", "resolver_network_interface": "rni-1"},
                ),
            ]
        )
    )  # fmt: skip
    assert found["period"] == {"from": "2026-01-01T23:59:59Z", "to": "2026-01-05T10:00:00Z"}
    service = service_of(found, "openai")
    assert (service["first_seen"], service["last_seen"]) == ("2026-01-01T23:59:59Z", "2026-01-04T10:00:00Z")
    assert service["by_day"] == {"2026-01-01": 1, "2026-01-02": 1, "2026-01-03": 1, "2026-01-04": 1}
    assert {d["domain"]: d["queries"] for d in service["domains"]} == {"api.openai.com": 3, "chatgpt.com": 1}
    places = [(s["address"], s["instance"], s["endpoint"], s["count"]) for s in service["sources"]]
    assert places == [
        ("10.0.0.5", "i-0d15cd0d3example", None, 2),
        ("10.0.0.6", None, None, 1),
        ("192.168.1.9", None, "rslvr-in-1", 1),
    ]
    assert [(v["vpc"], v["records"]) for v in found["coverage"]["vpcs_seen"]] == [
        ("vpc-7example", 4),
        ("vpc-b", 1),
    ]
    assert any("inbound Resolver endpoints" in text for text in found["coverage"]["blind_spots"])


def test_an_alias_of_another_name_leads_to_the_service() -> None:
    chain = [
        {"Rdata": "proxy.acme.example.", "Type": "CNAME", "Class": "IN"},
        {"Rdata": "api.openai.com.", "Type": "CNAME", "Class": "IN"},
        {"Rdata": "203.0.113.9", "Type": "A", "Class": "IN"},
    ]
    found = document_of(lines([record(query_name="ai.acme.example.", answers=chain)]))
    service = service_of(found, "openai")
    assert (service["queries"], service["aliased"]) == (1, 1)
    hostile: list[Any] = ["x", [1], [{"Type": "CNAME"}], [{"Type": "CNAME", "Rdata": 7}], {"Type": "CNAME"}]
    found = document_of(lines(record(query_name="a.example.", answers=answers) for answers in hostile))
    assert found["services"] == [] and found["errors"] == []


def test_resolvers_are_blind_spots_and_aws_is_told_apart() -> None:
    names = ["dns.google.", "bedrock-runtime.us-east-1.amazonaws.com."]
    found = document_of(lines(record(query_name=name) for name in names))
    assert [s["category"] for s in found["services"]] == ["aws", "resolver"]
    assert unapproved(found) == []
    assert any("Google Public DNS" in text for text in found["coverage"]["blind_spots"])


def test_what_is_approved_is_shown_as_approved() -> None:
    data = lines([record(), record(query_name="claude.ai."), record(query_name="x.chatgpt.com.")])
    found = document_of(data, approve(SHIPPED, ["anthropic", "chatgpt.com"]))
    assert {s["id"]: s["approved"] for s in found["services"]} == {
        "openai": False, "openai:chatgpt.com": True, "anthropic": True,
    }  # fmt: skip
    assert unapproved(found) == ["openai"]


NAMES = st.sampled_from(["api.openai.com.", "claude.ai.", "example.com.", "acme.openai.azure.com."])
RECORDS = st.lists(
    st.builds(
        lambda name, source, day, action: record(
            query_name=name, srcaddr=f"10.0.0.{source}", query_timestamp=f"2026-01-0{day}T00:00:00Z",
            firewall_rule_action=action,
        ),
        NAMES, st.integers(0, 9), st.integers(1, 5), st.sampled_from([None, "BLOCK", "ALERT"]),
    ),
    max_size=40,
)  # fmt: skip


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_a_log_and_the_size_of_memory_change_nothing(records: list[Any], random: Any) -> None:
    whole = document_of(lines(records))
    shuffled = list(records)
    random.shuffle(shuffled)
    assert document_of(lines(shuffled), limit=2) == whole
    for service in whole["services"]:
        for name, of_source in (("queries", "count"), ("blocked", "blocked"), ("failed", "failed")):
            assert service[name] == sum(s[of_source] for s in service["sources"])
            assert service[name] == sum(d[name] for d in service["domains"])
        assert service["queries"] == sum(service["by_day"].values())
        assert service["blocked"] + service["failed"] == sum(service["attempts_by_day"].values())
    assert (
        whole["coverage"]["records"]
        == len(records)
        == sum(v["records"] for v in whole["coverage"]["vpcs_seen"])
    )
