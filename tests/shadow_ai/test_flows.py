"""Flow records belong to lookups by source, place, address and time; what cannot be told is said."""

from __future__ import annotations

import gzip
import io
from typing import Any

import pytest

from policyengine.model.errors import UsageError
from policyengine.shadow_ai.document import Given, document
from policyengine.shadow_ai.flows import DEFAULT, Flows, address_of, read_format
from tests.shadow_ai.helpers import lines, record, service_of, tally_of

AT = 1612461115
"""2021-02-04T17:51:55Z"""
HEADER = "version vpc-id account-id interface-id instance-id srcaddr dstaddr packets bytes start end action log-status"
PLACE = "5 vpc-7example 111122223333 eni-1 i-0d15cd0d3example"
OUT = f"{PLACE} 10.0.0.5 203.0.113.9 3 1500 {AT + 5} {AT + 60} ACCEPT OK"
BACK = f"{PLACE} 203.0.113.9 10.0.0.5 9 9000 {AT + 5} {AT + 60} ACCEPT OK"


def joined(flow: str | bytes, *records: Any, layout: Any = None, ident: str = "openai") -> dict[str, Any]:
    tally = tally_of(lines(records or [record()]), want_answers=True)
    assert tally.answers is not None
    flows = Flows(tally.answers, tally.window, layout)
    flows.read(io.BytesIO(flow if isinstance(flow, bytes) else flow.encode()), "flow")
    found = document(tally, Given(flows=flows))
    return {
        **service_of(found, ident)["connected"],
        "errors": found["errors"],
        "blind": found["coverage"]["blind_spots"],
    }


def numbers(found: dict[str, Any]) -> tuple[int, ...]:
    return tuple(found[key] for key in ("flows", "rejected", "bytes_sent", "bytes_received", "ambiguous"))


@pytest.mark.parametrize("packed", [False, True])
def test_a_connection_after_a_lookup(packed: bool) -> None:
    text = "\n".join([HEADER, OUT, BACK, ""]).encode()
    found = joined(gzip.compress(text) if packed else text)
    assert numbers(found) == (2, 0, 1500, 9000, 0)
    (source,) = found["sources"]
    assert (source["address"], source["interface"], source["instance"], source["remote"]) == (
        "10.0.0.5", "eni-1", "i-0d15cd0d3example", "203.0.113.9",
    )  # fmt: skip
    assert (found["first"], found["last"]) == ("2021-02-04T17:52:00Z", "2021-02-04T17:52:55Z")
    assert found["errors"] == []


@pytest.mark.parametrize(
    ("line", "accepted"),
    [
        (OUT, 1),
        (OUT.replace("10.0.0.5", "10.0.0.6"), 0),  # another source
        (OUT.replace("203.0.113.9", "203.0.113.8"), 0),  # another address
        (OUT.replace("vpc-7example", "vpc-8"), 0),  # the same address of another VPC
        (OUT.replace(f"{AT + 5} {AT + 60}", f"{AT - 100} {AT - 1}"), 0),  # over before the lookup
        (OUT.replace(f"{AT + 5} {AT + 60}", f"{AT - 100} {AT}"), 1),
        (OUT.replace(f"{AT + 5} {AT + 60}", f"{AT + 3600} {AT + 3660}"), 1),  # the window's last second
        (OUT.replace(f"{AT + 5} {AT + 60}", f"{AT + 3601} {AT + 3660}"), 0),
    ],
)  # fmt: skip
def test_source_place_address_and_time_decide(line: str, accepted: int) -> None:
    assert joined(f"{HEADER}\n{line}\n")["flows"] == accepted


@pytest.mark.parametrize("apart", [0, 1, 1800, 3599, 3600, 3601, 7200, 9000])
def test_windows_are_those_of_every_lookup(apart: int) -> None:
    """Lookups are kept by slots of time; the union of their windows is exact all the same."""
    seconds = AT + apart
    later = f"2021-02-04T{17 + (51 * 60 + 55 + apart) // 3600:02d}:{(51 * 60 + 55 + apart) // 60 % 60:02d}:{(55 + apart) % 60:02d}Z"
    looked = [record(), record(query_timestamp=later)]
    for at in (AT - 1, AT, AT + 3600, AT + 3601, seconds - 1, seconds, seconds + 3600, seconds + 3601):
        line = OUT.replace(f"{AT + 5} {AT + 60}", f"{at} {at}")
        within = any(start <= at <= start + 3600 for start in (AT, seconds))
        assert joined(f"{HEADER}\n{line}\n", *looked)["flows"] == int(within), (apart, at - AT)


def test_a_rejected_record_is_no_connection() -> None:
    found = joined(f"{HEADER}\n{OUT.replace('ACCEPT', 'REJECT')}\n")
    assert found["state"] == "rejected"
    assert joined(f"{HEADER}\n{OUT}\n")["state"] == "sent", "nothing came back"
    assert joined(f"{HEADER}\n{BACK}\n")["state"] == "connected"
    assert joined(f"{HEADER}\n")["state"] == "none"
    assert numbers(found) == (0, 1, 0, 0, 0)


def test_blocked_and_failed_lookups_have_no_connections() -> None:
    for fields in ({"firewall_rule_action": "BLOCK"}, {"rcode": "NXDOMAIN"}, {"query_type": "TXT"}):
        assert numbers(joined(f"{HEADER}\n{OUT}\n", record(**fields))) == (0, 0, 0, 0, 0)


def test_an_address_of_several_services_is_ambiguous() -> None:
    both = [record(), record(query_name="claude.ai.")]
    for ident in ("openai", "anthropic"):
        assert numbers(joined(f"{HEADER}\n{OUT}\n", *both, ident=ident)) == (1, 0, 1500, 0, 1)


def test_the_default_format_is_joined_by_account() -> None:
    """https://docs.aws.amazon.com/vpc/latest/userguide/flow-log-records.html#flow-logs-default"""
    line = f"2 111122223333 eni-1 10.0.0.5 203.0.113.9 49000 443 6 3 1500 {AT} {AT + 9} ACCEPT OK"
    for text in (f"{' '.join(DEFAULT)}\n{line}\n", f"{line}\n", f"2021-02-04T17:52:00.000Z {line}\n"):
        found = joined(text)
        assert numbers(found) == (1, 0, 1500, 0, 0)
        assert any("no vpc-id" in text for text in found["blind"])
    assert joined(line.replace("111122223333", "222222222222") + "\n")["flows"] == 0


def test_a_format_can_be_given() -> None:
    layout = read_format("${srcaddr} ${dstaddr} ${start} ${end} ${bytes} ${action} ${vpc-id}")
    found = joined(f"10.0.0.5 203.0.113.9 {AT} {AT} 7 ACCEPT vpc-7example\n", layout=layout)
    assert numbers(found) == (1, 0, 7, 0, 0)


@pytest.mark.parametrize(
    "text", ["", "${a b}", "${srcaddr}", "${srcaddr} ${dstaddr} ${start} ${end} ${bytes} ${action}"]
)
def test_a_format_that_cannot_be_joined_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--flow-format"):
        read_format(text)


def test_addresses_of_ipv6_are_compared_not_their_texts() -> None:
    looked = record(
        query_type="AAAA",
        srcaddr="2001:DB8::5",
        answers=[{"Rdata": "2001:db8:0:0::9", "Type": "AAAA", "Class": "IN"}],
    )
    line = OUT.replace("10.0.0.5", "2001:db8:0::5").replace("203.0.113.9", "2001:DB8::9")
    assert joined(f"{HEADER}\n{line}\n", looked)["flows"] == 1
    assert address_of("2001:db8::zz") is None


def test_lost_records_are_said() -> None:
    found = joined(f"{HEADER}\n{PLACE} - - - - {AT} {AT} - SKIPDATA\n{PLACE} - - - - {AT} {AT} - NODATA\n")
    assert found["errors"] == []
    assert any("1 flow records say" in text for text in found["blind"])


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("hello world 7\n", 1, "--flow-format"),
        (f"{HEADER}\n{OUT} more\n", 2, "14 fields, expected 13"),
        (f"{HEADER}\n{OUT.replace('1500', '15x')}\n", 2, "is no number"),
        (f"{HEADER}\n{OUT.replace('1500', '9' * 40)}\n", 2, "is no number"),
        (f"{HEADER}\n{OUT.replace(str(AT + 60), str(AT))}\n", 2, "ends before it starts"),
        ("version account-id bytes\n", 1, "lacks srcaddr"),
        ("srcaddr dstaddr bytes start end action\n", 1, "neither vpc-id nor account-id"),
        ("PAR1\x15\x04\n", None, "Parquet"),
    ],
)  # fmt: skip
def test_broken_records_have_places(text: str, line: int | None, words: str) -> None:
    (error,) = joined(text)["errors"]
    assert (error["file"], error["line"]) == ("flow", line)
    assert words in error["message"]


def test_the_rest_goes_on() -> None:
    found = joined(f"{HEADER}\nx\n{OUT}\n")
    assert len(found["errors"]) == 1 and found["flows"] == 1
