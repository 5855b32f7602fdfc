"""IAM: one listing for four types, what each user has, the credential report, providers and certificates."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from policyengine.model.values import Unresolved
from policyengine.sources.live import waiting
from tests.live.conftest import failure
from tests.live.judging import verdict

ROLE, USER, GROUP, POLICY = (f"AWS::IAM::{name}" for name in ("Role", "User", "Group", "ManagedPolicy"))
ANY = frozenset({"*"})
DAY = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ],
}
ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
DETAILS = {
    "UserDetailList": [
        {"UserName": "anna", "Arn": "arn:aws:iam::123456789012:user/anna", "Path": "/", "CreateDate": DAY,
         "GroupList": ["admins"], "UserPolicyList": [], "AttachedManagedPolicies": [], "Tags": []}
    ],
    "GroupDetailList": [
        {"GroupName": "admins", "Arn": "arn:aws:iam::123456789012:group/admins", "Path": "/",
         "GroupPolicyList": [{"PolicyName": "in", "PolicyDocument": json.dumps(ALL)}],
         "AttachedManagedPolicies": [{"PolicyName": "own", "PolicyArn": "arn:aws:iam::123456789012:policy/own"}]}
    ],
    "RoleDetailList": [
        {"RoleName": "app", "RoleId": "AROAEXAMPLE", "Arn": "arn:aws:iam::123456789012:role/app", "Path": "/",
         "CreateDate": DAY, "AssumeRolePolicyDocument": json.dumps(TRUST), "RolePolicyList": [],
         "AttachedManagedPolicies": [{"PolicyName": "own", "PolicyArn": "arn:aws:iam::123456789012:policy/own"}],
         "PermissionsBoundary": {"PermissionsBoundaryType": "PermissionsBoundaryPolicy",
                                 "PermissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess"},
         "RoleLastUsed": {}, "Tags": [{"Key": "Owner", "Value": "web"}]}
    ],
    "Policies": [
        {"PolicyName": "own", "Arn": "arn:aws:iam::123456789012:policy/own", "Path": "/", "AttachmentCount": 2,
         "PermissionsBoundaryUsageCount": 0, "DefaultVersionId": "v2",
         "PolicyVersionList": [
             {"VersionId": "v2", "IsDefaultVersion": True, "Document": json.dumps(ALL)},
             {"VersionId": "v1", "IsDefaultVersion": False, "Document": json.dumps(TRUST)}]}
    ],
}  # fmt: skip
LISTED = {"Roles": [{"RoleName": "app", "MaxSessionDuration": 7200, "Description": "of the shop"}]}
ANSWERS = {"iam:GetAccountAuthorizationDetails": DETAILS, "iam:ListRoles": LISTED}
REPORT = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,mfa_active\n"
    "<root_account>,arn:aws:iam::123456789012:root,2020-01-01T00:00:00+00:00,not_supported,2026-11-01T00:00:00+00:00,"
    "not_supported,true\n"
    "anna,arn:aws:iam::123456789012:user/anna,2026-03-04T05:06:07+00:00,true,no_information,"
    "2026-03-04T05:06:07+00:00,false\n"
)


def _only(resources: list[Any], type: str) -> Any:
    (found,) = [r for r in resources if r.type == type]
    return found


def test_four_types_from_one_listing(canned: Callable[..., Any], collect: Any) -> None:
    account = canned(ANSWERS)
    found = collect(account, ROLE, place="global")
    role, group = _only(found, ROLE), _only(found, GROUP)
    assert (role.id, role.arn, role.region) == ("app", "arn:aws:iam::123456789012:role/app", "global")
    assert role.tags == {"Owner": "web"}
    assert role.properties["AssumeRolePolicyDocument"] == TRUST
    assert role.properties["PermissionsBoundary"] == "arn:aws:iam::aws:policy/PowerUserAccess"
    assert role.properties["ManagedPolicyArns"] == ["arn:aws:iam::123456789012:policy/own"]
    assert role.properties["MaxSessionDuration"] == 7200
    assert role.properties["CreateDate"] == "2026-03-04T05:06:07Z"
    assert "Policies" not in role.properties
    assert group.properties["Policies"] == [{"PolicyName": "in", "PolicyDocument": ALL}]
    assert group.tags is None or group.tags == {}
    user = _only(found, USER)
    assert user.properties["Groups"] == ["admins"]
    assert "PermissionsBoundary" not in user.properties
    assert set(collect.last.whole) >= {
        ROLE,
        USER,
        GROUP,
        POLICY,
        "AWS::IAM::Policy",
        "AWS::IAM::UserToGroupAddition",
    }
    assert "AWS::IAM::AccessKey" not in collect.last.whole  # nobody asked for them
    assert account.log.operations() == {"iam:GetAccountAuthorizationDetails", "iam:ListRoles"}


def test_a_policy_has_its_default_version_and_whom_it_is_attached_to(
    canned: Callable[..., Any], collect: Any
) -> None:
    policy = _only(collect(canned(ANSWERS), POLICY, needs={POLICY: ANY}), POLICY)
    assert policy.id == "own"
    assert policy.properties["PolicyArn"] == "arn:aws:iam::123456789012:policy/own"
    assert policy.properties["PolicyDocument"] == ALL
    assert (policy.properties["Roles"], policy.properties["Groups"]) == (["app"], ["admins"])
    assert "Users" not in policy.properties
    assert policy.properties["AttachmentCount"] == 2
    assert collect.last.whole == (POLICY,)


def test_only_the_types_that_rules_need_are_asked_for(canned: Callable[..., Any], collect: Any) -> None:
    asked: list[Any] = []

    def details(arguments: Any) -> Any:
        asked.append(arguments["Filter"])
        return {"RoleDetailList": DETAILS["RoleDetailList"]}

    found = collect(
        canned({"iam:GetAccountAuthorizationDetails": details}), ROLE, needs={ROLE: frozenset({"tags"})}
    )
    assert asked == [["Role"]]
    assert [r.type for r in found] == [ROLE]
    assert found[0].properties["MaxSessionDuration"] == Unresolved(
        "not_collected", "iam:ListRoles was not asked for"
    )
    assert collect.last.whole == (ROLE, "AWS::IAM::RolePolicy")  # nobody looked for the others


def test_a_role_that_was_never_used(canned: Callable[..., Any], collect: Any) -> None:
    """An empty RoleLastUsed: "not used within the IAM tracking period"
    (https://docs.aws.amazon.com/IAM/latest/APIReference/API_RoleLastUsed.html). moto says so of every role."""
    role = _only(collect(canned(ANSWERS), ROLE, needs={ROLE: ANY}), ROLE)
    assert role.properties["RoleLastUsed"] == {}
    used = {**DETAILS["RoleDetailList"][0], "RoleLastUsed": {"LastUsedDate": DAY, "Region": "eu-west-1"}}
    answers = {**ANSWERS, "iam:GetAccountAuthorizationDetails": {"RoleDetailList": [used]}}
    role = _only(collect(canned(answers), ROLE, needs={ROLE: ANY}), ROLE)
    assert role.properties["RoleLastUsed"] == {"LastUsedDate": "2026-03-04T05:06:07Z", "Region": "eu-west-1"}


def _user(collect: Any, account: Any, *names: str) -> Any:
    return _only(collect(account, USER, needs={USER: frozenset(names)}), USER)


def test_the_credential_report_is_waited_for(
    canned: Callable[..., Any], collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(waiting, "sleep", pauses.append)
    looks = iter([failure("iam:GetCredentialReport", "ReportInProgress", "read_error")])
    account = canned(
        {
            "iam:GetAccountAuthorizationDetails": DETAILS,
            "iam:GenerateCredentialReport": {"State": "STARTED"},
            "iam:GetCredentialReport": lambda _: next(
                looks, {"Content": REPORT.encode(), "GeneratedTime": DAY}
            ),
        }
    )
    user = _user(collect, account, "PasswordEnabled", "MfaActive")
    assert user.properties["PasswordEnabled"] is True
    assert user.properties["MfaActive"] is False
    assert user.properties["PasswordLastChanged"] == "2026-03-04T05:06:07Z"
    assert "PasswordLastUsed" not in user.properties  # no_information: never used
    assert pauses == [0.5]
    assert verdict("iam-console-users-have-mfa", user) == "FAIL"


def test_a_report_that_never_comes_is_unknown(
    canned: Callable[..., Any], collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(waiting, "sleep", pauses.append)
    account = canned(
        {
            "iam:GetAccountAuthorizationDetails": DETAILS,
            "iam:GenerateCredentialReport": {"State": "STARTED"},
            "iam:GetCredentialReport": failure("iam:GetCredentialReport", "ReportInProgress", "read_error"),
        }
    )
    user = _user(collect, account, "PasswordEnabled")
    assert user.properties["PasswordEnabled"].reason == "read_error"
    assert sum(pauses) <= 61


def test_a_user_younger_than_the_report_is_unknown(canned: Callable[..., Any], collect: Any) -> None:
    account = canned(
        {
            "iam:GetAccountAuthorizationDetails": DETAILS,
            "iam:GenerateCredentialReport": {"State": "COMPLETE"},
            "iam:GetCredentialReport": {
                "Content": REPORT.replace("\nanna", "\nbert").encode(),
                "GeneratedTime": DAY,
            },
        }
    )
    assert _user(collect, account, "MfaActive").properties["MfaActive"].reason == "not_collected"


def test_keys_devices_passwords(canned: Callable[..., Any], collect: Any) -> None:
    keys = [
        {"UserName": "anna", "AccessKeyId": f"AKIAEXAMPLEKEYNO{n}", "Status": "Active", "CreateDate": DAY}
        for n in (1, 2)
    ]
    uses = {
        "AKIAEXAMPLEKEYNO1": {"LastUsedDate": DAY, "ServiceName": "s3", "Region": "eu-west-1"},
        "AKIAEXAMPLEKEYNO2": {"ServiceName": "N/A", "Region": "N/A"},
    }
    account = canned(
        {
            "iam:GetAccountAuthorizationDetails": DETAILS,
            "iam:ListAccessKeys": {"AccessKeyMetadata": keys},
            "iam:GetAccessKeyLastUsed": lambda a: {"AccessKeyLastUsed": uses[a["AccessKeyId"]]},
            "iam:ListMFADevices": {"MFADevices": [{"UserName": "anna", "SerialNumber": "GAHT12345678"}]},
            "iam:GetLoginProfile": failure("iam:GetLoginProfile", "NoSuchEntity", "read_error"),
            "iam:ListServiceSpecificCredentials": {
                "ServiceSpecificCredentials": [
                    {
                        "UserName": "anna",
                        "ServiceName": "bedrock.amazonaws.com",
                        "Status": "Active",
                        "CreateDate": DAY,
                    },
                    {"UserName": "bert", "ServiceName": "codecommit.amazonaws.com", "Status": "Active"},
                ]
            },
        }
    )
    user = _user(
        collect, account, "related.access_keys", "MFADevices", "LoginProfile", "ServiceSpecificCredentials"
    )
    assert user.related["access_keys"] == [
        {"Id": "AKIAEXAMPLEKEYNO1", "UserName": "anna", "Status": "Active", "CreateDate": "2026-03-04T05:06:07Z",
         "LastUsedDate": "2026-03-04T05:06:07Z", "LastUsedServiceName": "s3"},
        {"Id": "AKIAEXAMPLEKEYNO2", "UserName": "anna", "Status": "Active", "CreateDate": "2026-03-04T05:06:07Z"},
    ]  # fmt: skip
    assert verdict("iam-one-active-access-key", user) == "FAIL"
    assert user.properties["MFADevices"] == [{"SerialNumber": "GAHT12345678"}]
    assert "LoginProfile" not in user.properties
    assert user.properties["ServiceSpecificCredentials"] == [
        {"ServiceName": "bedrock.amazonaws.com", "Status": "Active", "CreateDate": "2026-03-04T05:06:07Z"}
    ]
    assert "AWS::IAM::AccessKey" in collect.last.whole
    assert user.properties["PasswordEnabled"].reason == "not_collected"


def test_services_last_accessed_are_waited_for(
    canned: Callable[..., Any], collect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "sleep", lambda _: None)
    services = [{"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "LastAuthenticated": DAY},
                {"ServiceName": "Amazon EC2", "ServiceNamespace": "ec2"}]  # fmt: skip
    looks = iter([{"JobStatus": "IN_PROGRESS"}])
    done = {"JobStatus": "COMPLETED", "JobCompletionDate": DAY, "ServicesLastAccessed": services}
    account = canned(
        {
            **ANSWERS,
            "iam:GenerateServiceLastAccessedDetails": {"JobId": "12345678-1234-1234-1234-123456789012"},
            "iam:GetServiceLastAccessedDetails": lambda _: next(looks, done),
        }
    )
    role = _only(collect(account, ROLE, needs={ROLE: frozenset({"ServiceLastAccessedDetails"})}), ROLE)
    assert role.properties["ServiceLastAccessedDetails"]["ServicesLastAccessed"] == [
        {"ServiceName": "Amazon S3", "ServiceNamespace": "s3", "LastAuthenticated": "2026-03-04T05:06:07Z"},
        {"ServiceName": "Amazon EC2", "ServiceNamespace": "ec2"},
    ]
    role = _only(collect(canned(ANSWERS), ROLE, needs={ROLE: ANY}), ROLE)  # so dear that a rule must name it
    assert role.properties["ServiceLastAccessedDetails"].reason == "not_collected"


@pytest.mark.parametrize(("document", "expected"), [(ALL, "FAIL"), (TRUST, "PASS")])
def test_verdicts_about_what_is_attached(
    canned: Callable[..., Any], collect: Any, document: Any, expected: str
) -> None:
    narrow = {
        **document,
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}],
    }
    version = {
        "VersionId": "v2",
        "IsDefaultVersion": True,
        "Document": json.dumps(ALL if document is ALL else narrow),
    }
    role = {key: value for key, value in DETAILS["RoleDetailList"][0].items() if key != "PermissionsBoundary"}
    details = {
        **DETAILS,
        "RoleDetailList": [role],
        "Policies": [{**DETAILS["Policies"][0], "PolicyVersionList": [version]}],
    }
    found = collect(canned({**ANSWERS, "iam:GetAccountAuthorizationDetails": details}), ROLE, place="global")
    whole = collect.last.whole
    assert verdict("iam-role-not-administrator", _only(found, ROLE), found, whole=whole) == expected
    assert verdict("iam-no-administrator-policy", _only(found, POLICY), found, whole=whole) == expected
    assert verdict("iam-policy-attached", _only(found, POLICY), found, whole=whole) == "PASS"
    assert verdict("iam-groups-have-users", _only(found, GROUP), found, whole=whole) == "PASS"


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ({"RoleLastUsed": {}}, "FAIL"),
        ({"RoleLastUsed": {"LastUsedDate": datetime(2026, 11, 20, tzinfo=UTC)}}, "PASS"),
        ({}, "UNKNOWN"),
    ],
)
def test_verdicts_about_the_use_of_a_role(
    canned: Callable[..., Any], collect: Any, last: Any, expected: str
) -> None:
    left_out = (
        "RoleLastUsed",
        "PermissionsBoundary",
    )  # under a boundary the rule asks whether it denies everything
    role = {key: value for key, value in DETAILS["RoleDetailList"][0].items() if key not in left_out} | last
    answers = {**ANSWERS, "iam:GetAccountAuthorizationDetails": {"RoleDetailList": [role]}}
    assert (
        verdict("iam-role-used", _only(collect(canned(answers), ROLE, needs={ROLE: ANY}), ROLE)) == expected
    )


def test_a_denied_listing_leaves_no_type_whole(canned: Callable[..., Any], collect: Any) -> None:
    denied = failure("iam:GetAccountAuthorizationDetails", "AccessDenied")
    assert collect(canned({"iam:GetAccountAuthorizationDetails": denied}), ROLE) == []
    assert collect.last.whole == ()


def test_providers_and_certificates(canned: Callable[..., Any], collect: Any) -> None:
    arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
    provider = {
        "Url": "token.actions.githubusercontent.com",
        "ClientIDList": ["sts.amazonaws.com"],
        "ThumbprintList": [],
    }
    account = canned(
        {
            "iam:ListOpenIDConnectProviders": {"OpenIDConnectProviderList": [{"Arn": arn}]},
            "iam:GetOpenIDConnectProvider": provider,
            "iam:ListSAMLProviders": {
                "SAMLProviderList": [{"Arn": "arn:aws:iam::123456789012:saml-provider/sso", "ValidUntil": DAY}]
            },
            "iam:GetSAMLProvider": {"SAMLMetadataDocument": "<xml/>", "Tags": [{"Key": "a", "Value": "b"}]},
            "iam:ListServerCertificates": {
                "ServerCertificateMetadataList": [
                    {"ServerCertificateName": "old", "Path": "/", "Expiration": DAY,
                     "Arn": "arn:aws:iam::123456789012:server-certificate/old"}
                ]
            },
            "iam:ListServerCertificateTags": {"Tags": []},
            "iam:ListInstanceProfiles": {
                "InstanceProfiles": [
                    {"InstanceProfileName": "web", "Path": "/", "Roles": [{"RoleName": "app"}],
                     "Arn": "arn:aws:iam::123456789012:instance-profile/web"}
                ]
            },
        }
    )  # fmt: skip
    (oidc,) = collect(account, "AWS::IAM::OIDCProvider", place="global")
    assert oidc.id == arn
    assert oidc.properties["Url"] == "https://token.actions.githubusercontent.com"
    assert oidc.properties["ClientIdList"] == ["sts.amazonaws.com"]
    (saml,) = collect(account, "AWS::IAM::SAMLProvider", place="global")
    assert (saml.properties["Name"], saml.properties["ValidUntil"]) == ("sso", "2026-03-04T05:06:07Z")
    assert saml.tags == {"a": "b"}
    (certificate,) = collect(account, "AWS::IAM::ServerCertificate", place="global")
    assert certificate.properties["Expiration"] == "2026-03-04T05:06:07Z"
    assert certificate.tags == {}
    (profile,) = collect(account, "AWS::IAM::InstanceProfile", place="global")
    assert profile.properties["Roles"] == ["app"]


def test_over_http(account: Any, aws: Any, collect: Any) -> None:
    iam = aws("iam")
    iam.create_role(RoleName="http-role", AssumeRolePolicyDocument=json.dumps(TRUST), MaxSessionDuration=7200)
    iam.put_role_policy(RoleName="http-role", PolicyName="in", PolicyDocument=json.dumps(ALL))
    iam.create_user(UserName="http-user")
    iam.create_access_key(UserName="http-user")
    iam.create_login_profile(UserName="http-user", Password="Long-enough-1234")
    iam.create_instance_profile(InstanceProfileName="http-profile")
    iam.create_policy(PolicyName="http-policy", Path="/shop/", PolicyDocument=json.dumps(ALL))
    names = {"related.access_keys", "LoginProfile", "MFADevices", "PasswordEnabled"}
    found = collect(account, ROLE, needs={ROLE: ANY, USER: frozenset(names), GROUP: ANY, POLICY: ANY})
    role = next(r for r in found if r.id == "http-role")
    assert role.properties["Policies"] == [{"PolicyName": "in", "PolicyDocument": ALL}]
    assert role.properties["AssumeRolePolicyDocument"] == TRUST
    assert role.properties["MaxSessionDuration"] == 7200
    assert role.properties["RoleLastUsed"] == {}  # moto gives it of every role, used or not
    user = next(r for r in found if r.id == "http-user")
    assert [key["Status"] for key in user.related["access_keys"]] == ["Active"]
    assert user.properties["LoginProfile"] == {"PasswordResetRequired": False}
    assert user.properties["PasswordEnabled"] is True
    policy = next(r for r in found if r.id == "http-policy")
    assert (policy.properties["ManagedPolicyName"], policy.properties["Path"]) == ("http-policy", "/shop/")
    assert policy.properties["PolicyDocument"] == ALL
    assert not collect.last.failures
