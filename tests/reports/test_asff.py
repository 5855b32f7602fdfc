"""`--format asff`: every finding is one BatchImportFindings takes, whatever the text; and it says what was found."""

from __future__ import annotations

import json
from typing import Any

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.model.finding import Evidence, Finding, Witness
from policyengine.model.resource import Resource
from policyengine.reports.asff import Stamp, asff, fitted
from policyengine.reports.asff_types import NAMES, asff_type, place_of
from policyengine.reports.base import RuleInfo
from tests.publish.asff_law import illegal, import_shape, units

from . import sample
from .helpers import render
from .test_hostile import TEXT, findings, rules

LONG = st.builds(lambda text, times: text * times, TEXT, st.integers(1, 400))


def found(fmt_findings: list[Finding] | None = None, **context: Any) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(render("asff", fmt_findings, **context))
    return made


@st.composite
def hostile(draw: Any) -> Finding:
    """A finding of an account in which every text is hostile and some are long."""
    made = draw(findings())
    verdict = made.verdict
    resource = Resource(
        draw(LONG), draw(LONG), "111122223333", draw(st.sampled_from(["eu-west-1", "global", "cn-north-1"]) | TEXT), {},
        arn=draw(st.none() | LONG),
    )  # fmt: skip
    evidence = st.builds(Evidence, st.tuples(LONG), LONG, LONG, st.just(made.reason), st.none() | LONG)
    return sample.make(
        "tags-mandatory", resource, verdict, made.reason, draw(LONG.filter(str.strip)),
        evidence=draw(st.lists(evidence, min_size=1, max_size=9)),
        witness=draw(st.none() | st.builds(Witness, LONG, LONG, LONG, st.just({}))),
        waiver=draw(st.none() | st.fixed_dictionaries(dict.fromkeys(("id", "kind", "owner", "approver", "reason", "ticket", "granted", "expires"), LONG))),
        remediation=draw(st.none() | LONG),
    )  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(hostile(), max_size=3), rules())
def test_every_finding_is_legal_whatever_the_text(given_: list[Finding], known: dict[str, RuleInfo]) -> None:
    made = found(given_, rules=known)
    assert len(made) == len(given_)
    assert [illegal(each) for each in made] == [[] for _ in made]
    assert [each["Id"] for each in made] == [f"policyengine/{each.id}" for each in given_]


def test_the_largest_finding_is_legal() -> None:
    """The worst text for its length: each character is four bytes, and twelve in JSON."""
    text = "\U0001f512" * 12_000
    evidence = [Evidence((text,), text, text, "tag_value", text)] * 50
    waiver = dict.fromkeys(
        ("id", "kind", "owner", "approver", "reason", "ticket", "granted", "expires"), text
    )
    resource = Resource(text, text, "111122223333", "eu-west-1", {}, arn=text)
    one = sample.make(
        "tags-mandatory", resource, "FAIL", "tag_value", text, evidence=evidence, waiver=waiver,
        witness=Witness(text, text, text, {}), remediation=text,
    )._replace(frameworks={text: [text] * 90})  # fmt: skip
    rule = RuleInfo("tags-mandatory", text, "tagging", "security", "low", text, text, [text])
    [made] = found([one], rules={rule.id: rule})
    assert illegal(made) == []
    assert made["ProductFields"]["policyengine/evidence/left-out"] == "45"
    assert made["ProductFields"]["policyengine/requirements/left-out"] == "58"


def test_the_law_refuses_what_aws_refuses() -> None:
    """The check that the property rests on can fail."""
    [good, *_] = found()
    wrong = {
        "Title": "x" * 257, "Description": "two\nlines", "AwsAccountId": "1", "UpdatedAt": "2000-01-01T00:00:00Z",
        "Resources": [], "RecordState": "GONE", "Id": " ", "ProductFields": {"a": "x" * 2049},
        "ProductArn": "arn:aws:securityhub:eu-west-1:111122223333:product/999999999999/default", "Types": ["x"] * 51,
    }  # fmt: skip
    for key, value in wrong.items():
        broken = {**good, key: value}
        if key == "Resources":
            assert illegal({**good, "Resources": [{"Type": "x" * 257, "Id": "y"}]}), key
        else:
            assert illegal(broken), key
    assert illegal(good) == []
    del (without := dict(good))["GeneratorId"]
    assert any("GeneratorId" in each for each in illegal({**without, "Id": "x"}))


@pytest.mark.parametrize(
    ("verdict", "reason", "status", "label", "record"),
    [
        ("FAIL", "tag_missing", "FAILED", "LOW", "ACTIVE"),
        ("UNKNOWN", "access_denied", "WARNING", "LOW", "ACTIVE"),
        ("PASS", "requirement_met", "PASSED", "INFORMATIONAL", "ARCHIVED"),
        ("NOT_APPLICABLE", "when_not_met", "NOT_AVAILABLE", "INFORMATIONAL", "ARCHIVED"),
    ],
)
def test_verdicts_are_aws_words_for_them(
    verdict: str, reason: str, status: str, label: str, record: str
) -> None:
    """https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_Compliance.html"""
    evidence = [Evidence(("Tags",), "x", "y", reason)]
    one = sample.make("tags-mandatory", sample.in_account("AWS::S3::Bucket", "b"), verdict, reason, "m", evidence=evidence)  # fmt: skip
    [made] = found([one])
    assert made["Compliance"]["Status"] == status
    assert made["FindingProviderFields"]["Severity"] == {"Label": label, "Original": "low"}
    assert made["RecordState"] == record
    assert made["ProductFields"]["policyengine/verdict"] == verdict


def test_what_is_accepted_still_fails_and_says_who_accepted_it() -> None:
    waived = [f for f in sample.findings() if f.waiver is not None]
    [made] = found(waived)
    assert made["Compliance"]["Status"] == "FAILED"
    assert made["RecordState"] == "ACTIVE"
    assert "Workflow" not in made
    assert made["Description"].startswith("[accepted, still failing: waiver, by ciso, until 2026-12-31] ")
    assert made["ProductFields"]["policyengine/waiver/ticket"] == "SEC-1"


def test_the_baseline_is_called_that_and_nobody_accepted_it() -> None:
    [waived] = [f for f in sample.findings() if f.waiver is not None]
    [made] = found([waived._replace(waiver={"kind": "baseline", "id": "base.json", "granted": "2026-01-01"})])
    assert made["Description"].startswith("[in the baseline, still failing: base.json] ")
    assert made["Compliance"]["Status"] == "FAILED"


def test_what_automation_rules_of_customers_can_ask_and_do() -> None:
    """docs/publishing.md: https://docs.aws.amazon.com/securityhub/latest/userguide/automation-rules.html."""
    service = botocore.session.get_session().get_service_model("securityhub")
    filters = service.shape_for("AutomationRulesFindingFilters").members
    assert {"GeneratorId", "Description", "NoteText", "WorkflowStatus"} <= filters.keys()
    assert "ProductFields" not in filters
    assert {"PREFIX", "PREFIX_NOT_EQUALS"} <= set(service.shape_for("StringFilterComparison").enum)
    assert {"Workflow", "Note"} <= service.shape_for("AutomationRulesFindingFieldsUpdate").members.keys()


def test_findings_without_an_account_are_left_out_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    every = sample.findings()
    of_accounts = [f for f in every if f.account is not None]
    assert len(found(every)) == len(of_accounts) < len(every)
    assert (
        f"leaves out {len(every) - len(of_accounts)} findings without an account" in capsys.readouterr().err
    )
    assert found([]) == []
    assert capsys.readouterr().err == ""


def test_names_of_types_are_those_of_the_model() -> None:
    details = import_shape().members["Findings"].member.members["Resources"].member.members["Details"].members
    assert set(NAMES) <= set(details)
    aws = {name for name in details if name.startswith("Aws")}
    without_a_type = {"AwsEc2", "AwsEcrContainerImage", "AwsEcsContainer", "AwsS3Object", "AwsSsmPatchCompliance", "AwsXrayEncryptionConfig"}  # fmt: skip
    assert aws - set(NAMES) <= without_a_type


@pytest.mark.parametrize(
    ("type_", "name"),
    [
        ("AWS::S3::Bucket", "AwsS3Bucket"), ("AWS::EC2::VPC", "AwsEc2Vpc"), ("AWS::RDS::DBInstance", "AwsRdsDbInstance"),
        ("AWS::ElasticLoadBalancingV2::LoadBalancer", "AwsElbv2LoadBalancer"), ("AWS::IAM::ManagedPolicy", "AwsIamPolicy"),
        ("AWS::StepFunctions::StateMachine", "AwsStepFunctionStateMachine"), ("AWS::Bedrock::Agent", "Other"), ("", "Other"),
    ],
)  # fmt: skip
def test_types(type_: str, name: str) -> None:
    assert asff_type(type_) == name


@pytest.mark.parametrize(
    ("region", "arn", "partition", "home"),
    [
        ("eu-west-1", None, "aws", "eu-west-1"),
        ("global", "arn:aws:iam::111122223333:role/x", "aws", "us-east-1"),
        ("global", "arn:aws-us-gov:iam::111122223333:role/x", "aws-us-gov", "us-gov-west-1"),
        ("global", "arn:evil:iam::1:x", "aws", "us-east-1"),
        ("cn-north-1", None, "aws-cn", "cn-north-1"),
        ("us-gov-east-1", None, "aws-us-gov", "us-gov-east-1"),
        (None, None, "aws", "us-east-1"),
        ("x\ny", "arn:", "aws", "us-east-1"),
    ],
)
def test_where_a_finding_belongs(region: str | None, arn: str | None, partition: str, home: str) -> None:
    assert place_of(region, arn) == (partition, home)


@settings(max_examples=300, deadline=None)
@given(LONG, st.integers(2, 40))
def test_fitted_text_fits(text: str, limit: int) -> None:
    shown = fitted(text, limit)
    assert 0 < units(shown) <= limit
    assert shown.isprintable() and shown.strip()


def test_a_finding_without_its_rule_is_legal() -> None:
    one = next(f for f in sample.findings(hostile=False) if f.account is not None)
    made = asff(one.to_json(), None, Stamp("2026-11-21T09:00:00Z", "run"))
    assert illegal(made) == [] and "Remediation" not in made and made["Title"] == one.rule
