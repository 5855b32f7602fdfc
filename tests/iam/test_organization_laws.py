"""Whatever is hidden of an organisation: what is still said for certain is what the whole would say."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.iam.opaque import Opaque
from policyengine.iam.organization import Organization, read_organization
from tests.iam.test_organization import FULL, account, allow, decide, deny, organization, policy, unit

UNITS = ["ou-0", "ou-1", "ou-2"]
ACCOUNTS = ["200000000001", "200000000002"]
NODES = ["r-1", *UNITS, *ACCOUNTS]
CONTENTS = [deny("s3:*"), deny("ec2:*"), allow("s3:*"), allow("ec2:*"), deny("s3:GetObject"), FULL]
ACTIONS = ["s3:GetObject", "s3:PutObject", "ec2:RunInstances"]
GAP = Opaque("hidden")


@st.composite
def organizations(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return the records of a whole organisation with two or three levels of units."""
    above = {id_: draw(st.sampled_from(["r-1", *UNITS[:index]])) for index, id_ in enumerate(UNITS)}
    records = [organization(), *(unit(id_, parent) for id_, parent in above.items())]
    records += [account(id_, draw(st.sampled_from(["r-1", *UNITS]))) for id_ in ACCOUNTS]
    without = draw(st.sets(st.sampled_from(NODES), max_size=1))
    records.append(policy("p-FullAWSAccess", FULL, *(n for n in NODES if n not in without)))
    for number in range(draw(st.integers(0, 4))):
        targets = draw(st.lists(st.sampled_from(NODES), max_size=3, unique=True))
        records.append(policy(f"p-{number}", draw(st.sampled_from(CONTENTS)), *targets))
    return records


@st.composite
def hidden(draw: st.DrawFn) -> tuple[list[dict[str, Any]], list[dict[str, Any]], bool | None]:
    """Return an organisation, what can be seen of it, and whether that claims to be all policies."""
    whole = draw(organizations())
    seen = copy.deepcopy(whole)
    complete: bool | None = draw(st.sampled_from([True, None]))
    for record in list(seen):
        properties = record["properties"]
        is_policy = record["type"].endswith("Policy")
        kind = draw(st.integers(0, 11)) if is_policy else draw(st.sampled_from([0, 2, *range(4, 10)]))
        if kind == 0 and (is_policy or record["id"] in UNITS):
            seen.remove(record)
            complete = False if is_policy else complete
        elif kind == 1:
            properties["Content"] = GAP
        elif kind == 2:
            key = next(
                (k for k in ("TargetIds", "ParentId", "ParentIds", "PolicyTypes") if k in properties), ""
            )
            properties[key] = GAP
        elif kind == 3 and properties.get("TargetIds"):
            properties["TargetIds"] = [*properties["TargetIds"][1:], GAP]
        elif kind == 10:
            properties["Type"] = GAP
    return whole, seen, complete


def answers(org: Organization) -> dict[tuple[str, str], str]:
    return {(id_, action): decide(org, action, id_) for id_ in ACCOUNTS for action in ACTIONS}


@settings(max_examples=150, deadline=None)
@given(hidden())
def test_what_is_certain_stays_true(
    case: tuple[list[dict[str, Any]], list[dict[str, Any]], bool | None],
) -> None:
    whole, seen, complete = case
    true = answers(read_organization(whole, complete=True))
    assert not {"?", "opaque"} & set(true.values())
    for key, answer in answers(read_organization(seen, complete=complete)).items():
        if answer == "Allowed" or true[key] == "Allowed":
            assert answer in (true[key], "?", "opaque")


@settings(max_examples=50, deadline=None)
@given(organizations(), st.randoms(use_true_random=False))
def test_the_order_of_the_records_says_nothing(records: list[dict[str, Any]], random: Any) -> None:
    shuffled = list(records)
    random.shuffle(shuffled)
    first, second = read_organization(records), read_organization(shuffled)
    assert answers(first) == answers(second)
    assert first.accounts == second.accounts


@settings(max_examples=50, deadline=None)
@given(organizations())
def test_equal_keys_decide_alike(records: list[dict[str, Any]]) -> None:
    org = read_organization(records, complete=True)
    found: dict[Any, set[tuple[str, ...]]] = {}
    for id_ in ACCOUNTS:
        chain = org.chain(id_, "scp")
        assert chain is not None
        assert not isinstance(chain, Opaque)
        found.setdefault(chain.key, set()).add(tuple(decide(org, action, id_) for action in ACTIONS))
    assert all(len(outcomes) == 1 for outcomes in found.values())
