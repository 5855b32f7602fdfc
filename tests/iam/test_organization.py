"""Chains of SCPs and RCPs from the records of an organisation.

Facts are those of orgs_manage_policies_scps_evaluation.html and disable-policy-type.html in
https://docs.aws.amazon.com/organizations/latest/userguide/.
"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.documents import read_policy
from policyengine.iam.opaque import Opaque
from policyengine.iam.organization import Chain, Organization, Quotas, read_organization
from policyengine.iam.request import Request

MANAGEMENT, MEMBER, OTHER = "100000000001", "100000000002", "100000000003"
FULL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
ADMIN = read_policy(FULL, "identity")


def deny(action: str, **more: Any) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*", **more}],
    }


def allow(action: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}


def record(
    type_: str, id_: str, unknown: list[dict[str, str]] | None = None, **properties: Any
) -> dict[str, Any]:
    return {
        "type": f"AWS::Organizations::{type_}",
        "id": id_,
        "account": MANAGEMENT,
        "region": "global",
        "properties": properties,
        "unknown": unknown or [],
        "place": f"place of {id_}",
    }


def organization(**more: Any) -> dict[str, Any]:
    base = {
        "Id": "o-1",
        "ManagementAccountId": MANAGEMENT,
        "RootId": "r-1",
        "FeatureSet": "ALL",
        "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
    }
    return record("Organization", "o-1", **{k: v for k, v in {**base, **more}.items() if v is not None})


def unit(id_: str, parent: str) -> dict[str, Any]:
    return record("OrganizationalUnit", id_, Id=id_, ParentId=parent)


def account(id_: str, parent: str, **more: Any) -> dict[str, Any]:
    return record("Account", id_, AccountId=id_, ParentIds=[parent], **more)


def policy(id_: str, content: Any, *targets: str, type_: str = "SERVICE_CONTROL_POLICY") -> dict[str, Any]:
    return record(
        "Policy", id_, Id=id_, Name=f"name of {id_}", Type=type_, Content=content, TargetIds=list(targets)
    )


TREE = [unit("ou-a", "r-1"), unit("ou-b", "ou-a"), account(MANAGEMENT, "r-1"), account(MEMBER, "ou-b")]
EVERYWHERE = ("r-1", "ou-a", "ou-b", MANAGEMENT, MEMBER)


def full(*targets: str) -> dict[str, Any]:
    return policy("p-FullAWSAccess", FULL, *targets)


def decide(org: Organization, action: str, account_: str = MEMBER, kind: str = "scp") -> str:
    """Decide as an administrator of the account; `?` where the chain does not tell."""
    chain = org.chain(account_, "scp" if kind == "scp" else "rcp")
    if isinstance(chain, Opaque):
        return "opaque"
    levels = [] if chain is None else chain.policies()
    policies = Policies(
        identity=[ADMIN],
        scps=levels if kind == "scp" else (),
        rcps=levels if kind == "rcp" else (),
        management_account=org.management_account,
    )
    decision = authorize(
        Request(f"arn:aws:iam::{account_}:user/u", action, "arn:aws:s3:::b", {}, account_), policies
    )
    return "?" if decision.unknown else decision.outcome


ALLOWED, IMPLICIT, EXPLICIT = "Allowed", "ImplicitlyDenied", "ExplicitlyDenied"
ENABLED = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
CASES: dict[str, tuple[list[dict[str, Any]], dict[str, str]]] = {
    "FullAWSAccess everywhere allows": ([organization(), full(*EVERYWHERE)], {"s3:GetObject": ALLOWED}),
    "a Deny at the root": (
        [organization(), full(*EVERYWHERE), policy("p-1", deny("s3:*"), "r-1")],
        {"s3:GetObject": EXPLICIT, "ec2:RunInstances": ALLOWED},
    ),
    "a Deny at a unit in between": (
        [organization(), full(*EVERYWHERE), policy("p-1", deny("s3:*"), "ou-a")],
        {"s3:GetObject": EXPLICIT, "ec2:RunInstances": ALLOWED},
    ),
    "a Deny at the account": (
        [organization(), full(*EVERYWHERE), policy("p-1", deny("s3:*"), MEMBER)],
        {"s3:GetObject": EXPLICIT, "ec2:RunInstances": ALLOWED},
    ),
    "a Deny elsewhere": (
        [organization(), full(*EVERYWHERE, "ou-c"), unit("ou-c", "r-1"), policy("p-1", deny("s3:*"), "ou-c")],
        {"s3:GetObject": ALLOWED},
    ),
    "FullAWSAccess replaced at one level": (
        [organization(), full("r-1", "ou-b", MEMBER), policy("p-1", allow("ec2:*"), "ou-a")],
        {"s3:GetObject": IMPLICIT, "ec2:RunInstances": ALLOWED},
    ),
    "no Allow at one level denies everything": (
        [organization(), full("r-1", "ou-a", MEMBER)],
        {"s3:GetObject": IMPLICIT, "ec2:RunInstances": IMPLICIT},
    ),
    "the type is disabled": (
        [
            organization(PolicyTypes=[{"Type": "SERVICE_CONTROL_POLICY", "Status": "DISABLED"}]),
            full(*EVERYWHERE),
            policy("p-1", deny("s3:*"), "r-1"),
        ],
        {"s3:GetObject": ALLOWED},
    ),
    "the type is not listed": (
        [organization(PolicyTypes=[{"Type": "TAG_POLICY", "Status": "ENABLED"}]), policy("p-1", deny("s3:*"), "r-1")],
        {"s3:GetObject": ALLOWED},
    ),
    "no list of types: a target enables": (
        [organization(PolicyTypes=None), full(*EVERYWHERE), policy("p-1", deny("s3:*"), "r-1")],
        {"s3:GetObject": EXPLICIT, "ec2:RunInstances": ALLOWED},
    ),
    "no list of types and no target": (
        [organization(PolicyTypes=None), policy("p-1", deny("s3:*"))],
        {"s3:GetObject": ALLOWED},
    ),
    "consolidated billing has no SCPs": (
        [organization(FeatureSet="CONSOLIDATED_BILLING"), full(*EVERYWHERE), policy("p-1", deny("s3:*"), "r-1")],
        {"s3:GetObject": ALLOWED},
    ),
    "being enabled is not enabled yet": (
        [organization(PolicyTypes=[{"Type": "SERVICE_CONTROL_POLICY", "Status": "PENDING_ENABLE"}]), full(*EVERYWHERE)],
        {"s3:GetObject": "opaque"},
    ),
    "content as JSON text": (
        [organization(), policy("p-FullAWSAccess", json.dumps(FULL), *EVERYWHERE), policy("p-1", json.dumps(deny("s3:*")), "r-1")],
        {"s3:GetObject": EXPLICIT, "ec2:RunInstances": ALLOWED},
    ),
    "content nobody could read may allow and deny, a Deny beside it still denies": (
        [
            organization(),
            full(*EVERYWHERE),
            policy("p-1", deny("s3:*"), "r-1"),
            record(
                "Policy", "p-2", [{"path": "/Content", "reason": "access_denied"}],
                Type="SERVICE_CONTROL_POLICY", TargetIds=["ou-a"],
            ),
        ],
        {"s3:GetObject": EXPLICIT, "ec2:RunInstances": "?"},
    ),
    "content that is no policy": (
        [organization(), full(*EVERYWHERE), policy("p-1", {"nonsense": 1}, "ou-a"), policy("p-2", deny("s3:*"), "r-1")],
        {"s3:GetObject": EXPLICIT, "ec2:RunInstances": "?"},
    ),
    "the content of FullAWSAccess is known": (
        [organization(), record("Policy", "p-FullAWSAccess", [{"path": "/Content", "reason": "access_denied"}],
                                Type="SERVICE_CONTROL_POLICY", TargetIds=list(EVERYWHERE))],
        {"s3:GetObject": ALLOWED},
    ),
    "attachments nobody could read": (
        [
            organization(),
            full(*EVERYWHERE),
            record("Policy", "p-1", [{"path": "/TargetIds", "reason": "access_denied"}],
                   Type="SERVICE_CONTROL_POLICY", Content=deny("s3:*")),
        ],
        {"s3:GetObject": "?", "ec2:RunInstances": ALLOWED},
    ),
    "further attachments": (
        [
            organization(),
            full(*EVERYWHERE),
            record("Policy", "p-1", [{"path": "/TargetIds/-", "reason": "throttled"}],
                   Type="SERVICE_CONTROL_POLICY", Content=deny("s3:*"), TargetIds=["ou-x"]),
        ],
        {"s3:GetObject": "?", "ec2:RunInstances": ALLOWED},
    ),
    "a list of policies without FullAWSAccess is not all of it": (
        [organization(), policy("p-1", deny("s3:*"), "r-1")],
        {"s3:GetObject": EXPLICIT, "ec2:RunInstances": "?"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_what_the_chain_decides(name: str) -> None:
    records, expected = CASES[name]
    org = read_organization([*TREE, *records])
    assert {action: decide(org, action) for action in expected} == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/Content/Statement/0/Resource", {"s3:GetObject": "?", "ec2:RunInstances": ALLOWED}),
        ("/Content/Statement/0/Resource/-", {"s3:GetObject": EXPLICIT, "ec2:RunInstances": ALLOWED}),
        ("/Content/Statement/0/Action/-", {"s3:GetObject": EXPLICIT, "ec2:RunInstances": "?"}),
        ("/Content/Statement/0/Condition", {"s3:GetObject": "?", "ec2:RunInstances": ALLOWED}),
        ("/Content/Statement/0", {"s3:GetObject": "?", "ec2:RunInstances": "?"}),
        ("/Content/Statement/-", {"s3:GetObject": EXPLICIT, "ec2:RunInstances": "?"}),
        ("/Content/Statement/0/Sid", {"s3:GetObject": EXPLICIT, "ec2:RunInstances": ALLOWED}),
        ("/Name", {"s3:GetObject": EXPLICIT, "ec2:RunInstances": ALLOWED}),
        ("", {"s3:GetObject": "?", "ec2:RunInstances": "?"}),
    ],
)
def test_unknown_paths_reach_into_the_content(path: str, expected: dict[str, str]) -> None:
    holed = {**policy("p-1", deny("s3:*"), "r-1"), "unknown": [{"path": path, "reason": "redacted"}]}
    org = read_organization([*TREE, organization(), full(*EVERYWHERE), holed])
    assert org.errors == []
    assert {action: decide(org, action) for action in expected} == expected
    assert holed["properties"]["Content"] == deny("s3:*"), "the record is left as it was"


def test_a_disabled_type_is_no_layer_and_an_enabled_one_is() -> None:
    rcps = [{"Type": "RESOURCE_CONTROL_POLICY", "Status": "ENABLED"}]
    org = read_organization([*TREE, organization(PolicyTypes=rcps), full(*EVERYWHERE)])
    assert org.chain(MEMBER, "scp") is None
    chain = org.chain(MEMBER, "rcp")
    assert isinstance(chain, Chain)
    assert [level.node for level in chain.levels] == ["r-1", "ou-a", "ou-b", MEMBER]


def test_the_levels_carry_policies_names_and_places() -> None:
    org = read_organization([*TREE, organization(), full(*EVERYWHERE), policy("p-1", deny("s3:*"), "ou-a")])
    chain = org.chain(MEMBER, "scp")
    assert isinstance(chain, Chain)
    assert [[a.id for a in level.policies] for level in chain.levels] == [
        ["p-FullAWSAccess"], ["p-1", "p-FullAWSAccess"], ["p-FullAWSAccess"], ["p-FullAWSAccess"],
    ]  # fmt: skip
    attached = chain.levels[1].policies[0]
    assert (attached.name, attached.source) == ("name of p-1", "place of p-1")


def test_rcps_deny_whether_or_not_their_full_access_is_listed() -> None:
    types = [{"Type": t, "Status": "ENABLED"} for t in ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")]
    content = deny("s3:PutObject", Principal="*")
    rcp = policy("p-1", content, "ou-a", type_="RESOURCE_CONTROL_POLICY")
    org = read_organization([*TREE, organization(PolicyTypes=types), rcp])
    assert decide(org, "s3:PutObject", kind="rcp") == EXPLICIT
    assert decide(org, "s3:GetObject", kind="rcp") == ALLOWED


def test_the_management_account_is_exempt_and_no_member() -> None:
    org = read_organization([*TREE, organization(), full(*EVERYWHERE), policy("p-1", deny("*"), "r-1")])
    assert org.accounts == (MEMBER,)
    assert org.management_account == MANAGEMENT
    assert org.chain(MANAGEMENT, "scp") is None
    assert decide(org, "s3:GetObject", MANAGEMENT) == ALLOWED


def test_without_a_management_account_nobody_knows_who_is_exempt() -> None:
    org = read_organization([*TREE, organization(ManagementAccountId=None), full(*EVERYWHERE)])
    assert isinstance(org.chain(MEMBER, "scp"), Opaque)


def test_an_arn_names_the_management_account_too() -> None:
    arn = f"arn:aws:organizations::{MANAGEMENT}:account/o-1/{MANAGEMENT}"
    records = [*TREE, organization(ManagementAccountId=None, ManagementAccountArn=arn), full(*EVERYWHERE)]
    assert read_organization(records).management_account == MANAGEMENT


@pytest.mark.parametrize(
    ("complete", "expected"),
    [
        (True, {"s3:GetObject": EXPLICIT, "ec2:RunInstances": IMPLICIT}),
        (None, {"s3:GetObject": EXPLICIT, "ec2:RunInstances": "?"}),
        (False, {"s3:GetObject": EXPLICIT, "ec2:RunInstances": "?"}),
    ],
)
def test_an_empty_level_denies_only_where_the_list_is_complete(
    complete: bool | None, expected: dict[str, str]
) -> None:
    records = [*TREE, organization(), policy("p-1", deny("s3:*"), "r-1")]
    org = read_organization(records, complete=complete)
    assert {action: decide(org, action) for action in expected} == expected


def test_what_was_not_collected_may_deny_what_is_allowed() -> None:
    records = [*TREE, organization(), full(*EVERYWHERE)]
    assert decide(read_organization(records, complete=False), "s3:GetObject") == "?"
    assert decide(read_organization(records), "s3:GetObject") == ALLOWED


def test_without_any_policies_nobody_knows_what_is_enabled() -> None:
    org = read_organization([*TREE, organization(PolicyTypes=None)])
    assert isinstance(org.chain(MEMBER, "scp"), Opaque)
    complete = read_organization([*TREE, organization(PolicyTypes=None)], complete=True)
    assert complete.chain(MEMBER, "scp") is None


def test_code_has_full_access_attached_without_writing_it() -> None:
    records = [
        record("OrganizationalUnit", "Workloads", Name="w", ParentId="r-1"),
        record("Account", "Member", AccountName="m", ParentIds=["Workloads"]),
        record("Policy", "P", Type="SERVICE_CONTROL_POLICY", Content=deny("s3:*"), TargetIds=["Workloads"]),
    ]
    org = read_organization(records, assume_full_access=True)
    chain = org.chain("Member", "scp")
    assert isinstance(chain, Chain)
    assert [[a.id for a in level.policies] for level in chain.levels] == [
        ["p-FullAWSAccess"], ["P", "p-FullAWSAccess"], ["p-FullAWSAccess"],
    ]  # fmt: skip
    assert org.errors == []


def test_a_unit_outside_of_the_code_may_deny() -> None:
    records = [
        account(MEMBER, "ou-elsewhere"),
        record("Policy", "P", Type="SERVICE_CONTROL_POLICY", Content=deny("s3:*"), TargetIds=[MEMBER]),
    ]
    org = read_organization(records, assume_full_access=True)
    assert decide(org, "s3:GetObject") == EXPLICIT
    assert decide(org, "ec2:RunInstances") == "?"
    assert org.errors == []


def test_a_parent_that_is_not_there_leaves_open_what_is_above() -> None:
    records = [
        organization(),
        account(MEMBER, "ou-gone"),
        full("r-1", MEMBER),
        policy("p-1", deny("s3:*"), "r-1"),
    ]
    org = read_organization(records)
    assert [p.message for p in org.errors] == [f"the parent `ou-gone` of `{MEMBER}` is not among the records"]
    assert org.errors[0].place == f"place of {MEMBER}"
    assert decide(org, "s3:GetObject") == EXPLICIT
    assert decide(org, "ec2:RunInstances") == "?"


def test_an_account_has_one_parent_whatever_else_is_not_known() -> None:
    one = record("Account", MEMBER, [{"path": "/ParentIds/-", "reason": "throttled"}], ParentIds=["ou-b"])
    none = record("Account", OTHER, [{"path": "/ParentIds/-", "reason": "throttled"}], ParentIds=[])
    org = read_organization([*TREE[:3], one, none, organization(), full(*EVERYWHERE, OTHER)])
    assert org.errors == []
    assert (decide(org, "s3:GetObject"), decide(org, "s3:GetObject", OTHER)) == (ALLOWED, "?")


def test_units_in_a_circle_are_opaque() -> None:
    records = [
        organization(),
        unit("ou-a", "ou-b"),
        unit("ou-b", "ou-a"),
        account(MEMBER, "ou-a"),
        full("r-1", MEMBER),
    ]
    found = read_organization(records).chain(MEMBER, "scp")
    assert isinstance(found, Opaque)
    assert "circle" in found.reason


def test_an_account_nobody_listed_is_opaque() -> None:
    org = read_organization([*TREE, organization(), full(*EVERYWHERE)])
    assert isinstance(org.chain("999999999999", "scp"), Opaque)


def test_two_organisations_are_not_one() -> None:
    second = {**organization(), "id": "o-2", "properties": {"Id": "o-2", "RootId": "r-2"}}
    org = read_organization([*TREE, organization(), second, full(*EVERYWHERE)])
    assert isinstance(org.chain(MEMBER, "scp"), Opaque)
    assert "`o-1`, `o-2`" in org.errors[-1].message


def test_what_members_say_of_the_organisation_is_taken_together() -> None:
    seen_by_member = record("Organization", "o-1", Id="o-1", ManagementAccountId=MANAGEMENT)
    org = read_organization([seen_by_member, *TREE, organization(), full(*EVERYWHERE)])
    assert (org.root, org.enabled["scp"], org.enabled["rcp"]) == ("r-1", True, False)


def test_states_are_kept_and_flagged() -> None:
    records = [*TREE, account(OTHER, "r-1", State="SUSPENDED"), organization(), full(*EVERYWHERE, OTHER)]
    org = read_organization(records)
    assert org.accounts == (MEMBER, OTHER)
    assert org.flagged() == {OTHER: "SUSPENDED"}
    assert isinstance(org.chain(OTHER, "scp"), Chain)


def test_identical_chains_have_one_key_whatever_the_order() -> None:
    pair = [policy("p-1", deny("s3:*"), "ou-b"), policy("p-2", deny("ec2:*"), "ou-b")]
    third = account(OTHER, "ou-b")
    base = [*TREE, third, organization()]
    keys = set()
    for policies in (pair, pair[::-1]):
        org = read_organization([*base, *policies, full(*EVERYWHERE, OTHER)])
        for id_ in (MEMBER, OTHER):
            chain = org.chain(id_, "scp")
            assert isinstance(chain, Chain)
            keys.add(tuple(tuple(a.id for a in level.policies) for level in chain.levels))
        assert (
            len({c.key for c in (org.chain(MEMBER, "scp"), org.chain(OTHER, "scp")) if isinstance(c, Chain)})
            == 1
        )
    assert len(keys) == 1
    other = read_organization([*base, *pair, full(*EVERYWHERE, OTHER), policy("p-3", deny("sns:*"), OTHER)])
    first, second = other.chain(MEMBER, "scp"), other.chain(OTHER, "scp")
    assert isinstance(first, Chain)
    assert isinstance(second, Chain)
    assert first.key != second.key


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (policy("p-1", {"nonsense": 1}, "r-1"), "Policy `p-1`: `Content` is no policy AWS would take: $: no such element"),
        (policy("p-1", "{", "r-1"), "Policy `p-1`: `Content` is no policy AWS would take: $: not valid JSON"),
        (policy("p-1", 7, "r-1"), "Policy `p-1`: `Content` is the number 7; expected an object or a JSON text"),
        (policy("p-1", None, "r-1"), "Policy `p-1`: `Content` is null; expected an object or a JSON text"),
        (record("Policy", "p-1", Type="SERVICE_CONTROL_POLICY", Content=FULL, TargetIds="r-1"),
         "Policy `p-1`: `TargetIds` is `r-1`; expected a list of ids"),
        (record("Policy", "p-1", Type="SERVICE_CONTROL_POLICY", Content=FULL, TargetIds=[7]),
         "Policy `p-1`: a target is the number 7; expected the id of a root, OU or account"),
        (record("Policy", "p-1", Content=FULL), "Policy `p-1`: `Type` is null; expected a type such as"),
        (record("Account", OTHER, AccountId=OTHER, ParentIds=["r-1", "ou-a"]),
         f"Account `{OTHER}`: has 2 parents; an account has one"),
        (record("OrganizationalUnit", "ou-z", ParentId=7), "OrganizationalUnit `ou-z`: `ParentId` is the number 7; expected an id"),
        (unit("ou-b", "r-1"), "OrganizationalUnit `ou-b`: is below both `ou-a` and `r-1`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(bad: dict[str, Any], message: str) -> None:
    org = read_organization([*TREE, organization(), full(*EVERYWHERE), bad])
    assert len(org.errors) == 1
    assert org.errors[0].message.startswith(message)
    assert org.errors[0].place == f"place of {bad['id']}"


def test_each_record_with_the_same_bad_content_is_named() -> None:
    bad = [policy(f"p-{i}", {"nonsense": 1}, "r-1") for i in range(3)]
    assert len(read_organization([*TREE, organization(), *bad]).errors) == 3


def test_one_policy_listed_twice_is_one_unless_it_differs() -> None:
    same = policy("p-1", deny("s3:*"), "r-1")
    base = [*TREE, organization(), full(*EVERYWHERE), same]
    assert read_organization([*base, same]).errors == []
    differs = read_organization([*base, policy("p-1", deny("ec2:*"), "r-1")])
    assert [p.message for p in differs.errors] == ["Policy `p-1`: two records of it differ"]
    assert decide(differs, "s3:GetObject") == "?"


def test_quotas_are_parameters() -> None:
    many = [policy(f"p-{i:02}", deny("s3:*"), "ou-a") for i in range(10)]
    long = policy("p-long", deny("s3:*", Sid="x" * 10_240), "r-1")
    size = len(json.dumps(long["properties"]["Content"], separators=(",", ":")))
    org = read_organization([*TREE, organization(), full(*EVERYWHERE), *many, long])
    assert [(p.message, p.place) for p in org.over_quota()] == [
        ("`ou-a` has 11 SCPs attached; the quota is 10", "place of ou-a"),
        (f"SCP `p-long` has {size} characters; the quota is 10240", "place of p-long"),
    ]
    assert org.over_quota(Quotas(scps_per_node=11, scp_characters=20_000)) == []
    assert org.errors == []


def test_accounts_known_from_targets_only_are_members_of_which_little_is_known() -> None:
    org = read_organization(
        [organization(), full("r-1", MEMBER, MANAGEMENT), policy("p-1", deny("s3:*"), "r-1")]
    )
    assert org.accounts == (MEMBER,)
    assert decide(org, "s3:GetObject") == EXPLICIT
    assert decide(org, "ec2:RunInstances") == "?"


@pytest.mark.parametrize("junk", [None, 7, "x", [], {"type": 7}, {"type": "AWS::Organizations::Policy"}])
def test_junk_is_passed_over(junk: Any) -> None:
    records = [r for r in [junk] if isinstance(r, dict)]
    bad = record("Policy", "p-1", Type=[], Content=[], TargetIds={}, Id={})
    org = read_organization(
        [*records, bad, record("Account", "x", ParentIds={}), record("Organization", "o", PolicyTypes=junk)]
    )
    found = org.chain("x", "scp")
    assert found is None or isinstance(found, Opaque)


def test_a_large_organisation_reads_in_well_under_a_second() -> None:
    records = [organization()]
    targets = ["r-1"]
    for number in range(300):
        parent = "r-1" if number < 60 else f"ou-{number - 60}"
        records.append(unit(f"ou-{number}", parent))
        targets.append(f"ou-{number}")
        records.extend(
            policy(f"p-{number}-{i}", deny(f"s3:Get{number % 30}{i}*"), f"ou-{number}") for i in range(9)
        )
    for number in range(10_000):
        id_ = f"{200000000000 + number}"
        records.append(account(id_, f"ou-{number % 300}"))
        targets.append(id_)
    records.append(full(*targets))
    start = time.process_time()
    org = read_organization(records)
    chains = [org.chain(id_, "scp") for id_ in org.accounts]
    elapsed = time.process_time() - start
    assert all(isinstance(chain, Chain) for chain in chains)
    assert len({chain.key for chain in chains if isinstance(chain, Chain)}) == 300
    assert max(len(chain.levels) for chain in chains if isinstance(chain, Chain)) == 7
    assert elapsed < 3
