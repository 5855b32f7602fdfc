"""The organisation: the tree, policies of enabled types, what a member account may not see."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from tests.live.conftest import failure
from tests.live.judging import verdict

ORGANIZATION, UNIT, ACCOUNT, POLICY = (
    f"AWS::Organizations::{name}" for name in ("Organization", "OrganizationalUnit", "Account", "Policy")
)
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}
ANSWERS: dict[str, Any] = {
    "organizations:DescribeOrganization": {
        "Organization": {"Id": "o-example123", "FeatureSet": "ALL", "MasterAccountId": "123456789012",
                         "Arn": "arn:aws:organizations::123456789012:organization/o-example123"}
    },
    "organizations:ListRoots": {
        "Roots": [{"Id": "r-ab12", "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]}]
    },
    "iam:ListOrganizationsFeatures": {"OrganizationId": "o-example123", "EnabledFeatures": ["RootSessions"]},
    "organizations:ListDelegatedAdministrators": {"DelegatedAdministrators": [{"Id": "111122223333"}]},
    "organizations:ListDelegatedServicesForAccount": {
        "DelegatedServices": [{"ServicePrincipal": "guardduty.amazonaws.com"}]
    },
    "organizations:ListOrganizationalUnitsForParent": lambda a: {
        "OrganizationalUnits": [{"Id": "ou-ab12-11111111", "Arn": "arn:o/ou", "Name": "apps"}] if a["ParentId"] == "r-ab12" else []
    },
    "organizations:ListAccountsForParent": lambda a: {
        "Accounts": [{"Id": "111122223333", "Arn": "arn:o/a", "Name": "shop", "State": "ACTIVE"}] if a["ParentId"] != "r-ab12" else []
    },
    "organizations:ListPolicies": lambda a: {
        "Policies": [{"Id": "p-12345678", "Arn": "arn:o/p", "Name": "no", "Type": a["Filter"], "AwsManaged": False},
                     {"Id": "p-FullAWSAccess", "Arn": "arn:o/f", "Name": "all", "Type": a["Filter"], "AwsManaged": True}]
    },
    "organizations:DescribePolicy": {"Policy": {"Content": json.dumps(DENY)}},
    "organizations:ListTargetsForPolicy": {"Targets": [{"TargetId": "r-ab12"}, {"TargetId": "111122223333"}]},
    "organizations:ListTagsForResource": {"Tags": [{"Key": "Owner", "Value": "web"}]},
}  # fmt: skip


def _all(collect: Any, account: Any) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for resource in collect(account, ORGANIZATION, place="global"):
        found.setdefault(resource.type, []).append(resource)
    return found


def test_an_organisation(canned: Callable[..., Any], collect: Any) -> None:
    found = _all(collect, canned(ANSWERS))
    (organization,), (unit,), (account,) = found[ORGANIZATION], found[UNIT], found[ACCOUNT]
    assert organization.id == "o-example123"
    assert organization.properties["ManagementAccountId"] == "123456789012"
    assert organization.properties["RootId"] == "r-ab12"
    assert organization.properties["PolicyTypes"] == [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
    assert organization.properties["EnabledFeatures"] == ["RootSessions"]
    assert organization.properties["DelegatedAdministrators"] == [
        {"Id": "111122223333", "DelegatedServices": [{"ServicePrincipal": "guardduty.amazonaws.com"}]}
    ]
    assert unit.properties["ParentId"] == "r-ab12"
    assert account.properties["ParentIds"] == ["ou-ab12-11111111"]
    assert (account.id, account.properties["AccountName"], account.tags) == (
        "111122223333",
        "shop",
        {"Owner": "web"},
    )
    own, managed = found[POLICY]
    assert own.properties["Content"] == DENY
    assert own.properties["TargetIds"] == ["r-ab12", "111122223333"]
    assert own.properties["Type"] == "SERVICE_CONTROL_POLICY"
    assert (own.tags, managed.tags) == ({"Owner": "web"}, {})
    assert collect.last.whole == (ORGANIZATION, UNIT, ACCOUNT, POLICY)


def test_a_type_that_is_not_enabled_is_not_one_that_could_not_be_read(
    canned: Callable[..., Any], collect: Any
) -> None:
    off = {"organizations:ListRoots": {"Roots": [{"Id": "r-ab12", "PolicyTypes": []}]}}
    found = _all(collect, canned({**ANSWERS, **off}))
    assert found[ORGANIZATION][0].properties["PolicyTypes"] == []
    assert POLICY not in found
    assert POLICY in collect.last.whole
    denied = {"organizations:ListPolicies": failure("organizations:ListPolicies", "AccessDeniedException")}
    found = _all(collect, canned({**ANSWERS, **denied}))
    assert POLICY not in found
    assert POLICY not in collect.last.whole
    assert ACCOUNT in collect.last.whole


def test_verdicts_about_policies_in_force(canned: Callable[..., Any], collect: Any) -> None:
    """A type that is off, and policies that could not be read, are two things."""
    leave = {"Version": "2012-10-17",
             "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}]}  # fmt: skip
    full = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    contents = {"p-12345678": leave, "p-FullAWSAccess": full}
    answers = {
        **ANSWERS,
        "organizations:DescribePolicy": lambda a: {
            "Policy": {"Content": json.dumps(contents[a["PolicyId"]])}
        },
        "organizations:ListTargetsForPolicy": {
            "Targets": [
                {"TargetId": "r-ab12"},
                {"TargetId": "ou-ab12-11111111"},
                {"TargetId": "111122223333"},
            ]
        },
    }
    off = {"organizations:ListRoots": {"Roots": [{"Id": "r-ab12", "PolicyTypes": []}]}}
    denied = {"organizations:ListPolicies": failure("organizations:ListPolicies", "AccessDeniedException")}
    for change, expected in (({}, "PASS"), (off, "FAIL"), (denied, "UNKNOWN")):
        found = _all(collect, canned({**answers, **change}))
        others = [r for resources in found.values() for r in resources]
        (member,) = found[ACCOUNT]
        said = verdict("scp-denies-leaving-organization", member, others, whole=collect.last.whole)
        assert said == expected, change


def test_a_member_account_sees_the_organisation_alone(canned: Callable[..., Any], collect: Any) -> None:
    names = [name for name in ANSWERS if name != "organizations:DescribeOrganization"]
    found = _all(collect, canned({**ANSWERS, **{n: failure(n, "AccessDeniedException") for n in names}}))
    assert list(found) == [ORGANIZATION]
    assert found[ORGANIZATION][0].properties["PolicyTypes"].reason == "access_denied"
    assert found[ORGANIZATION][0].properties["EnabledFeatures"].reason == "access_denied"
    assert collect.last.whole == (ORGANIZATION,)


def test_a_unit_that_cannot_be_read_hides_accounts(canned: Callable[..., Any], collect: Any) -> None:
    denied = failure("organizations:ListOrganizationalUnitsForParent", "AccessDeniedException")
    _all(collect, canned({**ANSWERS, "organizations:ListOrganizationalUnitsForParent": denied}))
    assert set(collect.last.whole) == {ORGANIZATION, POLICY}


def test_no_organisation_is_an_answer(canned: Callable[..., Any], collect: Any) -> None:
    none = failure("organizations:DescribeOrganization", "AWSOrganizationsNotInUseException", "read_error")
    assert _all(collect, canned({"organizations:DescribeOrganization": none})) == {}
    assert collect.last.whole == (ORGANIZATION, UNIT, ACCOUNT, POLICY)
    assert not collect.last.failures


def test_without_trusted_access_iam_has_no_features(canned: Callable[..., Any], collect: Any) -> None:
    none = failure("iam:ListOrganizationsFeatures", "ServiceAccessNotEnabled", "read_error")
    found = _all(collect, canned({**ANSWERS, "iam:ListOrganizationsFeatures": none}))
    assert found[ORGANIZATION][0].properties["EnabledFeatures"] == []


def test_over_http(account: Any, aws: Any, collect: Any) -> None:
    organizations = aws("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    unit = organizations.create_organizational_unit(ParentId=root, Name="apps")["OrganizationalUnit"]["Id"]
    policy = organizations.create_policy(
        Content=json.dumps(DENY), Description="d", Name="no", Type="SERVICE_CONTROL_POLICY"
    )["Policy"]["PolicySummary"]["Id"]
    organizations.attach_policy(PolicyId=policy, TargetId=unit)
    found = _all(collect, account)
    assert [u.properties["ParentId"] for u in found[UNIT]] == [root]
    own = next(p for p in found[POLICY] if p.id == policy)
    assert own.properties["Content"] == DENY
    assert own.properties["TargetIds"] == [unit]
    assert found[ACCOUNT][0].properties["ParentIds"] == [root]
    assert [f.operation for f in collect.last.failures] == ["iam:ListOrganizationsFeatures"] * len(
        collect.last.failures
    )
