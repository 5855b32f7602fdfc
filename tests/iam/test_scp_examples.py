"""AWS's own examples of SCPs, as published, and what each is proved to deny.

https://github.com/aws-samples/service-control-policy-examples (MIT-0). The whole collection is read where it
lies beside the checkout; the ones about Bedrock stand here with the argument for each verdict, so that they
are tested everywhere. Placeholders are filled in (`FILLED`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from policyengine.iam.covering import coverage
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.errors import PolicyError
from policyengine.iam.organization import read_organization
from policyengine.iam.organization_records import FULL_ACCESS
from policyengine.iam.reason import No, Yes, covered
from policyengine.iam.request_set import read_request_set

SCPS = Path(__file__).resolve().parents[3] / "shared" / "corpora" / "scp-examples"
FULL = FULL_ACCESS["p-FullAWSAccess"][1]
ACCOUNT = "111122223333"
PRIVILEGED = "arn:aws:iam::*:role/Privileged"
FILLED = {
    "${Account}": "*", "${Region}": "*", "[PRIVILEGED_ROLE]": "Privileged", "[PROTECTED_ROLE_NAME]": "Protected",
    "[PROTECTED_ROLE_PREFIX]": "protected-", "[CLOUDTRAIL_NAME]": "central", "{example-region-1}": "eu-west-1",
    "{example-region-2}": "eu-central-1", "{example-inference-profile-geographic-prefix}": "eu.*",
    "<unique-identifier>.*": "amazon.nova*", "<model-identifier>": "openai.gpt-oss-120b",
}  # fmt: skip

REGION = {"aws:RequestedRegion": {"not": ["eu-west-1", "eu-central-1"]}}
PROFILE = "bedrock:InferenceProfileArn"
MODELS = ["arn:*:bedrock:*::foundation-model/*"]
INFERENCE = {"action": ["@bedrock-inference"], "context": {**REGION, PROFILE: {"or_absent": True}}}
SERVICES = {"action": ["@bedrock-services"], "context": REGION}
CONTROL = {"action": ["@bedrock-control-plane"], "context": REGION}
KEYS_ELSEWHERE = {"action": ["@bedrock-bearer"], "context": REGION}
GLOBAL = {
    "action": ["@bedrock-invocation"],
    "resource": ["arn:*:bedrock:::foundation-model/?*"],
    "context": {
        "aws:RequestedRegion": ["unspecified"],
        PROFILE: ["arn:*:bedrock:*:*:inference-profile/global.*"],
    },
}
APPLICATION = {
    "action": ["@bedrock-invocation"],
    "context": {**REGION, PROFILE: ["arn:*:bedrock:*:*:application-inference-profile/*"]},
}
KEY_MADE = {
    "action": ["iam:CreateServiceSpecificCredential"],
    "context": {"iam:ServiceSpecificCredentialServiceName": ["bedrock.amazonaws.com"]},
}
LONG_TERM = {"action": ["bedrock:CallWithBearerToken"], "context": {"bedrock:BearerTokenType": ["LONG_TERM"]}}
LONG_TERM_MANTLE = {
    "action": ["bedrock-mantle:CallWithBearerToken"],
    "context": {"bedrock-mantle:BearerTokenType": ["LONG_TERM"]},
}
NOVA = {
    "action": ["@bedrock-invocation"],
    "resource": {"in": MODELS, "not": ["arn:aws:bedrock:*::foundation-model/amazon.nova*"]},
}
MANTLE = {"action": ["bedrock-mantle:CreateInference"]}


def _geographic(*approved: str) -> Any:
    without = ["arn:*:bedrock:*:*:inference-profile/global.*", *approved]
    profile = {"in": ["arn:*:bedrock:*:*:inference-profile/*"], "not": without}
    return {"action": ["@bedrock-invocation"], "resource": MODELS, "context": {**REGION, PROFILE: profile}}


EU = "arn:aws:bedrock:*:*:inference-profile/eu.*"
GENERAL: dict[str, Any] = {
    "leave": {"action": ["organizations:LeaveOrganization"]},
    "config": {"action": ["config:StopConfigurationRecorder", "config:DeleteConfigurationRecorder"]},
    "trail": {"action": ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail"]},
    "guardduty": {"action": ["guardduty:DeleteDetector", "guardduty:UpdateDetector"]},
    "guardduty-administrator": {"action": ["guardduty:DisassociateFromAdministratorAccount"]},
    "securityhub": {"action": ["securityhub:DisableSecurityHub", "securityhub:BatchDisableStandards"]},
    "root": {"action": {"not": ["s3:*BucketPolicy"]}, "principal": ["arn:*:iam::*:root"]},
    "regions": {"action": {"not": ["@global-services"]}, "context": REGION},
    "types": {"action": ["ec2:RunInstances"], "resource": ["arn:*:ec2:*:*:instance/*"],
              "context": {"ec2:InstanceType": {"not": ["t2.micro", "t3.micro"]}}},
    "ebs": {"action": ["ec2:DisableEbsEncryptionByDefault"]},
    "account-regions": {"action": ["account:EnableRegion", "account:DisableRegion"]},
    "roles": {"action": ["iam:CreateRole", "iam:UpdateAssumeRolePolicy"],
              "resource": ["arn:aws:iam::*:role/Protected"]},
    "credentials": KEY_MADE,
    "inference": INFERENCE, "services": SERVICES, "global": GLOBAL, "geographic": _geographic(EU),
    "long-term": LONG_TERM, "models": NOVA,
}  # fmt: skip

EXPECTED = {
    "Deny-changes-to-security-services_Deny-deletion-or-disassociation-or-updation-to-AWS-SecurityHub": {"securityhub"},
    "Deny-changes-to-security-services_Deny-enabling-and-disabling-AWS-Config": {"config"},
    # the newer DisassociateFromAdministratorAccount is missing from AWS's example
    "Deny-changes-to-security-services_Deny-users-from-disabling-Amazon-GuardDuty-or-modifying-its-configuration":
        {"guardduty"},
    "Privileged-access-controls_Deny-member-accounts-from-leaving-your-AWS-organization": {"leave"},
    "Privileged-access-controls_Deny-modifications-to-specific-IAM-roles": {"roles"},
    "Privileged-access-controls_Deny-the-root-user-from-performing-actions-except-S3-bucketpolicy-changes": {"root"},
    "Protect-cloud-platform-resource_Deny-disabling-default-EBS-encryption": {"ebs"},
    # a profile of the approved geography leaves the regions: that is its purpose
    "Region-controls_Deny-access-to-AWS-based-on-the-requested-AWS-region-with-Bedrock-CRIS":
        {"inference", "services", "global", "geographic"},
    "Region-controls_Deny-access-to-AWS-based-on-the-requested-AWS-region":
        {"regions", "inference", "services", "global", "geographic"},
    "Region-controls_Deny-account-region-enable-and-disable-actions": {"account-regions"},
    "Service-specific-controls_AWS-IAM_deny-creating-any-service-specific-credentials": {"credentials"},
    "Service-specific-controls_Amazon-Bedrock_Deny-Bedrock-api-keys": {"credentials", "long-term"},
    "Service-specific-controls_Amazon-Bedrock_Deny-Bedrock-long-term-api-keys": {"long-term"},
    "Service-specific-controls_Amazon-Bedrock_Deny-Bedrock-model-invocation-except-approved-models": {"models"},
    "Service-specific-controls_Amazon-EC2_Require-Amazon-EC2-instances-to-use-a-specific-type": {"types"},
}  # fmt: skip
"""File → what of ``GENERAL`` it denies to everybody but the privileged role; the others deny none of it."""
MALFORMED = "Service-specific-controls_AWS-IAM_deny-service-specific-credential-by-type"


def _filled(text: str) -> str:
    for placeholder, value in FILLED.items():
        text = text.replace(placeholder, value)
    return text


def _covered(form: Any, *policies: Policy) -> Any:
    return covered(read_request_set(form), [[FULL, *policies]], ACCOUNT)


@pytest.mark.skipif(not SCPS.is_dir(), reason=f"{SCPS} is not there")
def test_each_published_policy_denies_what_it_says_and_nothing_of_the_rest() -> None:
    files = sorted(SCPS.glob("*.json"))
    assert len(files) > 50
    for file in files:
        try:
            policy = read_policy(_filled(file.read_text(encoding="utf-8")), "scp")
        except PolicyError:
            assert file.stem == MALFORMED
            continue
        denied = set()
        for name, form in GENERAL.items():
            who = {} if "principal" in form else {"principal": {"not": [PRIVILEGED]}}
            answer = _covered({**form, **who}, policy)
            assert isinstance(answer, No | Yes), (file.stem, name, answer)
            if isinstance(answer, No):
                denied.add(name)
        assert denied == EXPECTED.get(file.stem, set()), file.stem


@pytest.mark.skipif(not SCPS.is_dir(), reason=f"{SCPS} is not there")
def test_together_they_are_an_organisation_with_gaps_in_it() -> None:
    """All of them attached to the root: every set above is decided in one chain of more than 50 policies."""
    records: list[dict[str, Any]] = [
        {"type": "AWS::Organizations::Organization", "id": "o-aaaaaaaaaa",
         "properties": {"Id": "o-aaaaaaaaaa", "ManagementAccountId": "999988887777", "RootId": "r-root"}},
        {"type": "AWS::Organizations::Account", "id": ACCOUNT,
         "properties": {"AccountId": ACCOUNT, "ParentIds": ["r-root"]}},
        {"type": "AWS::Organizations::Policy", "id": "p-FullAWSAccess",
         "properties": {"Type": "SERVICE_CONTROL_POLICY", "TargetIds": ["r-root", ACCOUNT]}},
    ]  # fmt: skip
    for file in sorted(SCPS.glob("*.json")):
        if file.stem != MALFORMED:
            content = _filled(file.read_text(encoding="utf-8"))
            properties = {"Type": "SERVICE_CONTROL_POLICY", "TargetIds": ["r-root"], "Content": content}
            records.append({"type": "AWS::Organizations::Policy", "id": file.stem, "properties": properties})
    organization = read_organization(records, complete=True)
    for name in ("leave", "regions", "global", "root"):
        who = {} if name == "root" else {"principal": {"not": [PRIVILEGED]}}
        answer = next(coverage(organization, read_request_set({**GENERAL[name], **who}))).answer
        assert isinstance(answer, No), name
    open_ = next(
        coverage(
            organization, read_request_set({"action": ["guardduty:DisassociateFromAdministratorAccount"]})
        )
    )
    assert isinstance(open_.answer, Yes)


# -- those about Bedrock, argued ----------------------------------------------------------------------------

INVOKE = ["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream", "bedrock:CreateModelInvocationJob"]
NOT_EQUALS = {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}
KEYS: dict[str, Any] = {"Effect": "Deny", "Action": "iam:CreateServiceSpecificCredential", "Resource": "*",
        "Condition": {"StringEquals": {"iam:ServiceSpecificCredentialServiceName": "bedrock.amazonaws.com"}}}  # fmt: skip
POLICIES: dict[str, list[Any]] = {
    "everything outside, Bedrock spared": [
        {"Effect": "Deny", "NotAction": ["iam:*", *INVOKE], "Resource": "*", "Condition": NOT_EQUALS},
    ],
    "profiles of one geography spared": [
        {"Effect": "Deny", "Action": INVOKE, "Resource": "*",
         "Condition": {**NOT_EQUALS, "ArnNotLike": {PROFILE: EU}}},
    ],
    "repost": [{"Effect": "Deny", "NotAction": ["bedrock:*"], "Resource": "*", "Condition": NOT_EQUALS}],
    "api keys": [KEYS, {"Effect": "Deny", "Action": "bedrock:CallWithBearerToken", "Resource": "*"}],
    "long-term keys": [
        {"Effect": "Deny", "Action": "bedrock:CallWithBearerToken", "Resource": "*",
         "Condition": {"StringEquals": {"bedrock:bearerTokenType": "LONG_TERM"}}},
    ],
    "keys longer than 30 days": [
        {**KEYS, "Condition": {**KEYS["Condition"],
                               "NumericGreaterThanEquals": {"iam:ServiceSpecificCredentialAgeDays": "30"}}},
    ],
    "approved models": [
        {"Effect": "Deny", "Action": [*INVOKE[:2], "bedrock:PutFoundationModelEntitlement"],
         "NotResource": "arn:aws:bedrock:*::foundation-model/amazon.nova*"},
        {"Effect": "Deny", "Action": "bedrock-mantle:*", "Resource": "*",
         "Condition": {"StringLike": {"bedrock-mantle:Model": "openai.gpt-oss-120b"}}},
    ],
    "global profiles": [
        {"Effect": "Deny", "Action": "bedrock:*", "Resource": "*",
         "Condition": {"StringEquals": {"aws:RequestedRegion": "unspecified"},
                       "ArnLike": {PROFILE: "arn:aws:bedrock:*:*:inference-profile/global.*"}}},
    ],
}  # fmt: skip
TWO = ("everything outside, Bedrock spared", "profiles of one geography spared")
GEO_PAGE = "https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html"
GLOBAL_PAGE = "https://docs.aws.amazon.com/bedrock/latest/userguide/global-cross-region-inference.html"
KEYS_PAGE = "https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-permissions.html"
ACTIONS_PAGE = "https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html"
OPERATORS_PAGE = (
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html"
)
NOTACTION_PAGE = "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_notaction.html"

ARGUED: list[tuple[tuple[str, ...], Any, bool, str, str]] = [
    # (policies, set, denied, why, the page that says so)
    (TWO, INFERENCE, True, "a call without a profile has no key, and ArnNotLike holds", OPERATORS_PAGE),
    (TWO[:1], INFERENCE, False, "NotAction spares InvokeModel, and no other statement denies it", NOTACTION_PAGE),
    (TWO[1:], INFERENCE, False, "bedrock-mantle has its own prefix and actions", ACTIONS_PAGE),
    (TWO, SERVICES, True, "NotAction spares three calls, and InvokeAgent is none of them", NOTACTION_PAGE),
    (TWO, CONTROL, True, "NotAction spares three calls, and CreateAgent is none of them", NOTACTION_PAGE),
    (TWO, KEYS_ELSEWHERE, True, "CallWithBearerToken is not spared", KEYS_PAGE),
    (TWO, _geographic(EU), True, "a us. profile matches no pattern that is spared", GEO_PAGE),
    (TWO, _geographic(), False, "the model in an eu. destination passes, which is what it is for", GEO_PAGE),
    (TWO, GLOBAL, True, "unspecified is not among the regions, and global. is not eu.", GLOBAL_PAGE),
    (TWO, APPLICATION, True, "the ARN of an application profile matches no inference-profile/eu.*", ACTIONS_PAGE),
    (TWO[1:], SERVICES, False, "agents are not among the three calls", ACTIONS_PAGE),
    (("repost",), INFERENCE, False, "NotAction bedrock:* exempts all of Bedrock from the regions", NOTACTION_PAGE),
    (("repost",), SERVICES, False, "the same", NOTACTION_PAGE),
    (("repost",), MANTLE | {"context": REGION}, True, "bedrock:* does not name bedrock-mantle", ACTIONS_PAGE),
    (("api keys",), KEY_MADE, True, "the condition names the service", KEYS_PAGE),
    (("api keys",), LONG_TERM, True, "every call with a key of bedrock is denied", KEYS_PAGE),
    (("api keys",), LONG_TERM_MANTLE, False, "bedrock-mantle has a CallWithBearerToken of its own", KEYS_PAGE),
    (("long-term keys",), LONG_TERM, True, "names of condition keys ignore case", OPERATORS_PAGE),
    (("long-term keys",), LONG_TERM_MANTLE, False, "the other prefix is not named", KEYS_PAGE),
    (("long-term keys",), KEY_MADE, False, "the key can still be made", KEYS_PAGE),
    (("keys longer than 30 days",), KEY_MADE, False,
     "a key that lives for less passes, and one without an age: the operator needs the key", OPERATORS_PAGE),
    (("approved models",), NOVA, True, "NotResource spares only the approved models", ACTIONS_PAGE),
    (("approved models",), MANTLE, False, "one model is denied, all others pass", ACTIONS_PAGE),
    (("global profiles",), GLOBAL, True, "both conditions hold for the model without a region", GLOBAL_PAGE),
    (("global profiles",), _geographic(), False, "the region is that of the destination, not unspecified", GEO_PAGE),
]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "form", "denied", "why", "page"), ARGUED, ids=[f"{n}: {why}" for n, _, _, why, _ in ARGUED]
)
def test_policies_about_bedrock(names: Any, form: Any, denied: bool, why: str, page: str) -> None:
    assert page.startswith("https://docs.aws.amazon.com/")
    policies = [read_policy({"Version": "2012-10-17", "Statement": POLICIES[name]}, "scp") for name in names]
    answer = _covered(form, *policies)
    assert isinstance(answer, No if denied else Yes), (why, answer)


def test_the_approved_models_example_also_denies_every_inference_profile() -> None:
    """NotResource with models only: a call through a profile is denied at the profile's own ARN, so models that
    can only be called through one cannot be used at all: too strict (GEO_PAGE)."""
    policy = read_policy({"Version": "2012-10-17", "Statement": POLICIES["approved models"]}, "scp")
    form = {"action": ["@bedrock-invocation"], "resource": ["arn:*:bedrock:*:*:inference-profile/*"]}
    assert isinstance(_covered(form, policy), No)
