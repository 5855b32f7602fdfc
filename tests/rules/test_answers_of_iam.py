"""Rules about accounts and users on what the IAM and Organizations APIs answer.

Fakes of AWS lack last-accessed data, root features and delegated administrators (moto answers with an empty
``RoleLastUsed`` for every role, and to the others not at all). So each answer here is stubbed, and botocore holds
it against the service model: a field that the API does not have fails the test. The functions between an answer
and a resource say what a collector writes down; the catalogue's notes name the same fields.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from policyengine.catalog import registry
from policyengine.rules import schema as s
from policyengine.rules.data import data_root
from policyengine.rules.loader import compile_text
from policyengine.rules.pack import rule_files
from policyengine.testing.cases import run_case

session = pytest.importorskip("botocore.session")
stub = pytest.importorskip("botocore.stub")

OLD, NEW, SOON = (datetime(y, m, d, tzinfo=UTC) for y, m, d in ((2020, 1, 1), (2025, 12, 20), (2025, 12, 31)))
ARN = "arn:aws:iam::111122223333:role/app"
ACCOUNT = {"Id": "444455556666", "Arn": "arn:aws:organizations::1:account/o-a/4", "Email": "a@example.com"}


@cache
def client_of(service: str) -> Any:
    return session.get_session().create_client(
        service, region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b"
    )


def answer(service: str, operation: str, response: dict[str, Any], **asked: Any) -> dict[str, Any]:
    """Return what a client gives for a stubbed answer; ParamValidationError when the model knows no such field."""
    client = client_of(service)
    with stub.Stubber(client) as stubber:
        stubber.add_response(operation, response, asked)
        found: dict[str, Any] = getattr(client, operation)(**asked)
    return {key: value for key, value in found.items() if key != "ResponseMetadata"}


def written(value: Any) -> Any:
    """Return an answer as a snapshot has it: dates as text."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: written(inner) for key, inner in value.items()}
    return [written(inner) for inner in value] if isinstance(value, list) else value


def verdict(
    rule: str, type_: str, properties: dict[str, Any], *others: dict[str, Any], **related: Any
) -> str:
    path = next(path for path in rule_files(data_root().rules) if path.stem == rule)
    form, errors = compile_text(path, path.read_bytes())
    assert form is not None, errors
    subject: dict[str, Any] = {
        "type": type_,
        "id": "subject",
        "region": "global",
        "properties": written(properties),
    }
    subject["related"] = written(related)
    form_ = {"case": "of an answer", "resources": [subject, *others], "expect": "PASS"}
    result = run_case(form, s.Case.model_validate(form_))
    assert result.finding is not None, result.problem
    return result.finding.verdict


def role(created: datetime, **used: Any) -> dict[str, Any]:
    base = {
        "Path": "/",
        "RoleName": "app-role",
        "RoleId": "AROAEXAMPLEEXAMPLE01",
        "Arn": ARN,
        "CreateDate": created,
    }
    found = answer("iam", "get_role", {"Role": {**base, **used}}, RoleName="app-role")["Role"]
    return {key: found[key] for key in ("RoleName", "Path", "CreateDate", "RoleLastUsed") if key in found}


@pytest.mark.parametrize(
    ("created", "used", "expected"),
    [
        (OLD, {"RoleLastUsed": {"LastUsedDate": SOON, "Region": "eu-west-1"}}, "PASS"),
        (OLD, {"RoleLastUsed": {"LastUsedDate": datetime(2025, 1, 1, tzinfo=UTC)}}, "FAIL"),
        (OLD, {"RoleLastUsed": {}}, "FAIL"),
        (NEW, {"RoleLastUsed": {}}, "PASS"),
        (OLD, {}, "UNKNOWN"),
        (NEW, {}, "PASS"),
    ],
)
def test_the_last_use_of_a_role(created: datetime, used: dict[str, Any], expected: str) -> None:
    assert verdict("iam-role-used", "AWS::IAM::Role", role(created, **used)) == expected


def details(*services: dict[str, Any]) -> dict[str, Any]:
    asked = {
        "JobStatus": "COMPLETED",
        "JobCreationDate": SOON,
        "JobCompletionDate": SOON,
        "IsTruncated": False,
    }
    listed = [{"ServiceName": one["ServiceNamespace"], **one} for one in services]
    response = {**asked, "ServicesLastAccessed": listed}
    found = answer("iam", "get_service_last_accessed_details", response, JobId="1" * 36)
    return {key: found[key] for key in ("JobCompletionDate", "ServicesLastAccessed")}


@pytest.mark.parametrize(
    ("services", "every", "ai"),
    [
        ([{"ServiceNamespace": "s3", "LastAuthenticated": SOON}], "PASS", "PASS"),
        ([{"ServiceNamespace": "s3"}], "FAIL", "PASS"),
        ([{"ServiceNamespace": "bedrock"}], "FAIL", "FAIL"),
        ([{"ServiceNamespace": "sagemaker", "LastAuthenticated": OLD}], "FAIL", "FAIL"),
        (
            [{"ServiceNamespace": "bedrock", "LastAuthenticated": SOON, "TotalAuthenticatedEntities": 1}],
            "PASS",
            "PASS",
        ),
    ],
)
@pytest.mark.parametrize("type_", ["AWS::IAM::Role", "AWS::IAM::User"])
def test_services_last_accessed(type_: str, services: list[dict[str, Any]], every: str, ai: str) -> None:
    anything = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}
    policies = [{"PolicyName": "all", "PolicyDocument": anything}]
    properties = {
        "CreateDate": OLD,
        "Policies": policies,
        "ServiceLastAccessedDetails": details(*services),
    }
    assert verdict("iam-permissions-used", type_, properties) == every
    assert verdict("iam-ai-permissions-used", type_, properties) == ai
    without = {"CreateDate": OLD}
    assert verdict("iam-permissions-used", type_, without) == "UNKNOWN"


def key(used: dict[str, Any]) -> dict[str, Any]:
    metadata = {
        "UserName": "ann",
        "AccessKeyId": "AKIAEXAMPLEEXAMPLE01",
        "Status": "Active",
        "CreateDate": OLD,
    }
    listed = answer("iam", "list_access_keys", {"AccessKeyMetadata": [metadata]}, UserName="ann")
    asked = {"AccessKeyId": metadata["AccessKeyId"]}
    last = answer("iam", "get_access_key_last_used", {"AccessKeyLastUsed": used}, **asked)[
        "AccessKeyLastUsed"
    ]
    found = {name: listed["AccessKeyMetadata"][0][name] for name in ("UserName", "Status", "CreateDate")}
    if "LastUsedDate" in last:
        found |= {"LastUsedDate": last["LastUsedDate"], "LastUsedServiceName": last["ServiceName"]}
    return found


def test_the_last_use_of_an_access_key() -> None:
    used = key({"LastUsedDate": SOON, "ServiceName": "s3", "Region": "eu-west-1"})
    never = key({"ServiceName": "N/A", "Region": "N/A"})
    user = {"UserName": "ann"}
    assert verdict("iam-access-key-used", "AWS::IAM::User", user, access_keys=[used]) == "PASS"
    assert verdict("iam-access-key-used", "AWS::IAM::User", user, access_keys=[used, never]) == "FAIL"
    assert verdict("iam-access-key-age", "AWS::IAM::User", user, access_keys=[used]) == "FAIL"


@pytest.mark.parametrize(
    ("serial", "expected"),
    [
        ("GAHT12345678", "PASS"),
        ("arn:aws:iam::111122223333:u2f/user/ann/key-ABC", "PASS"),
        ("arn:aws:iam::111122223333:mfa/ann", "FAIL"),
    ],
)
def test_devices_of_an_administrator(serial: str, expected: str) -> None:
    device = {"UserName": "ann", "SerialNumber": serial, "EnableDate": OLD}
    found = answer("iam", "list_mfa_devices", {"MFADevices": [device]}, UserName="ann")
    policies = ["arn:aws:iam::aws:policy/AdministratorAccess"]
    user = {"UserName": "ann", "PasswordEnabled": True, "ManagedPolicyArns": policies, **found}
    assert verdict("iam-privileged-users-hardware-mfa", "AWS::IAM::User", user) == expected


def organization(*features: str) -> dict[str, Any]:
    response = {"OrganizationId": "o-aaaaaaaaaa", "EnabledFeatures": list(features)}
    found = answer("iam", "list_organizations_features", response)
    properties = {"Id": found["OrganizationId"], "EnabledFeatures": found["EnabledFeatures"]}
    return {"type": "AWS::Organizations::Organization", "id": "o", "properties": properties}


ROOT_RULES = ("root-mfa", "root-hardware-mfa", "root-no-access-keys", "root-no-signing-certificates")


@pytest.mark.parametrize("rule", ROOT_RULES)
def test_a_member_account_without_root_credentials(rule: str) -> None:
    summary = dict.fromkeys(
        (
            "AccountMFAEnabled",
            "AccountPasswordPresent",
            "AccountAccessKeysPresent",
            "AccountSigningCertificatesPresent",
        ),
        0,
    )
    found = answer("iam", "get_account_summary", {"SummaryMap": summary})["SummaryMap"]
    account = {"OrganizationId": "o-aaaaaaaaaa", "AccountSummary": found}
    managed, not_managed = organization("RootCredentialsManagement"), organization("RootSessions")
    assert verdict(rule, "AWS::::Account", account, managed) == "NOT_APPLICABLE"
    assert verdict(rule, "AWS::::Account", account, not_managed) in ("PASS", "FAIL")
    assert verdict(rule, "AWS::::Account", account) == "UNKNOWN"
    left = {**account, "AccountSummary": {**found, "AccountPasswordPresent": 1}}
    assert verdict(rule, "AWS::::Account", left, managed) != "NOT_APPLICABLE"


def test_what_moto_leaves_out_of_the_summary_is_not_known() -> None:
    """It has no ``AccountAccessKeysPresent``."""
    found = answer("iam", "get_account_summary", {"SummaryMap": {"AccountMFAEnabled": 0, "Users": 3}})[
        "SummaryMap"
    ]
    assert verdict("root-no-access-keys", "AWS::::Account", {"AccountSummary": found}) == "UNKNOWN"
    assert verdict("root-mfa", "AWS::::Account", {"AccountSummary": found}) == "FAIL"


def test_delegated_administrators() -> None:
    listed = answer("organizations", "list_delegated_administrators", {"DelegatedAdministrators": [ACCOUNT]})
    principal = {"ServicePrincipal": "guardduty.amazonaws.com", "DelegationEnabledDate": OLD}
    asked = {"AccountId": ACCOUNT["Id"]}
    response = {"DelegatedServices": [principal]}
    services = answer("organizations", "list_delegated_services_for_account", response, **asked)
    one = {"Id": listed["DelegatedAdministrators"][0]["Id"], **services}
    properties = {"DelegatedAdministrators": [one]}
    type_ = "AWS::Organizations::Organization"
    assert verdict("delegated-administrators-trusted", type_, properties) == "NOT_APPLICABLE"


def fields(service: str, shape: str) -> set[str]:
    return set(session.get_session().get_service_model(service).shape_for(shape).members)


@pytest.mark.parametrize(
    ("type_", "path", "service", "shape"),
    [
        ("AWS::IAM::Role", "RoleLastUsed", "iam", "RoleLastUsed"),
        ("AWS::IAM::Role", "ServiceLastAccessedDetails", "iam", "GetServiceLastAccessedDetailsResponse"),
        ("AWS::IAM::Role", "ServiceLastAccessedDetails.ServicesLastAccessed", "iam", "ServiceLastAccessed"),
        ("AWS::IAM::User", "ServiceLastAccessedDetails.ServicesLastAccessed", "iam", "ServiceLastAccessed"),
        ("AWS::IAM::User", "MFADevices", "iam", "MFADevice"),
        ("AWS::::Account", "PasswordPolicy", "iam", "PasswordPolicy"),
        ("AWS::::Account", "CredentialReport", "iam", "GetCredentialReportResponse"),
    ],
)
def test_extra_properties_are_called_as_the_api_calls_them(
    type_: str, path: str, service: str, shape: str
) -> None:
    spec = registry.spec(type_)
    assert spec is not None
    depth = path.count(".") + 1
    ours = {p.split(".")[depth] for p, _ in spec.extra if p.startswith(f"{path}.")}
    assert ours
    assert ours <= fields(service, shape)


def test_fields_of_the_account_summary_are_keys_of_the_api() -> None:
    keys = set(session.get_session().get_service_model("iam").shape_for("summaryKeyType").enum)
    spec = registry.spec("AWS::::Account")
    assert spec is not None
    ours = {path.partition(".")[2] for path, _ in spec.extra if path.startswith("AccountSummary.")}
    assert len(ours) == 4
    assert ours <= keys
