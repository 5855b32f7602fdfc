"""Fixes of whole templates, as a user gets them: what is written, what is not, and why."""

from __future__ import annotations

import re
from typing import Any

import pytest

from policyengine.config.settings import Settings
from policyengine.config.waivers import Waiver, Waiving
from policyengine.engine.evaluate import Evaluator
from policyengine.fix import planning
from policyengine.fix.planning import Wanted
from policyengine.model.reasons import FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from tests.fix.helpers import NOW, fixed, holds, judged, pack, planned, template, why

SAFE = Wanted()


def test_safe_fixes_only_unless_asked() -> None:
    text = template("AWS::RDS::DBInstance", {"Engine": "mysql", "DBInstanceClass": "db.m7g.large"})
    safe = planned(text, SAFE)
    holds(text, safe)
    assert {"rds-deletion-protection"} <= {fix.finding.rule for fix in safe.fixed}
    assert all(not fix.effects for fix in safe.fixed)
    offered = {fix.finding.rule: [e.kind for e in fix.effects] for fix in safe.unsafe}
    assert offered["rds-storage-encrypted"] == ["replaces"]
    assert offered["tags-mandatory"] == ["placeholder"]
    everything = planned(text)
    holds(text, everything)
    done = {fix.finding.rule for fix in everything.fixed}
    assert done >= {fix.finding.rule for fix in safe.fixed} | set(offered)


def test_fixing_twice_is_fixing_once() -> None:
    text = template("AWS::S3::Bucket", {"PublicAccessBlockConfiguration": {"BlockPublicAcls": False}})
    once = planned(text)
    again = planned(once.text)
    assert once.changed
    assert again.fixed == []
    assert again.text == once.text


def test_the_value_is_what_the_configuration_asks() -> None:
    settings = Settings(organization={"rds-backup-retention": {"days": 21}})
    by = Evaluator(pack(), now=NOW, settings=settings)
    text = template("AWS::RDS::DBInstance", {"Engine": "mysql", "BackupRetentionPeriod": 1})
    found = planned(text, Wanted(unsafe=True, rules=frozenset(["rds-backup-retention"])), by=by)
    assert '"BackupRetentionPeriod": 21' in found.text
    holds(text, found, by=by)


def test_a_retention_is_one_that_logs_have() -> None:
    """https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html lists them."""
    settings = Settings(organization={"log-group-retention-long-enough": {"days": 500}})
    by = Evaluator(pack(), now=NOW, settings=settings)
    text = template("AWS::Logs::LogGroup", {"RetentionInDays": 30})
    wanted = Wanted(unsafe=True, rules=frozenset(["log-group-retention-long-enough"]))
    assert '"RetentionInDays": 545' in planned(text, wanted, by=by).text


BUCKET_WITH_POLICY = """\
Resources:
  Data:
    Type: AWS::S3::Bucket   # the data
  Policy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Data
      PolicyDocument:
        Version: '2012-10-17'
        Statement:
          - Sid: Readers
            Effect: Allow
            Principal: {AWS: arn:aws:iam::111122223333:root}
            Action: s3:GetObject
            Resource: !Sub '${Data.Arn}/*'
Outputs:
  Name: {Value: !Ref Data}
"""


def test_tls_only_goes_behind_the_statements_there_are() -> None:
    text = fixed(BUCKET_WITH_POLICY, "s3-tls-only", unsafe=False)
    before, after = BUCKET_WITH_POLICY.split("Outputs:")
    assert text.startswith(before)
    assert text.endswith("Outputs:" + after)
    assert text.count("AWS::S3::BucketPolicy") == 1


def test_tls_only_makes_a_policy_where_there_is_none() -> None:
    text = (
        "Conditions: {C: !Equals [!Ref AWS::Region, x]}\n"
        "Resources:\n  Data:\n    Type: AWS::S3::Bucket\n    Condition: C\n  DataTlsOnlyPolicy:\n"
        "    Type: AWS::SNS::Topic\n"
    )
    after = fixed(text, "s3-tls-only", unsafe=False)
    added = after.removeprefix(text)
    assert added.startswith("  DataTlsOnlyPolicy2:\n    Type: AWS::S3::BucketPolicy\n    Condition: C\n")
    assert "arn:aws:" not in added  # it holds in every partition


def test_a_bucket_never_gets_a_second_policy() -> None:
    """S3 keeps one policy a bucket, and the second one fails the deployment: whoever names it, by reference, by the same
    text as the bucket's name, or in a way that only the source resolves."""
    named = BUCKET_WITH_POLICY.replace("Bucket: !Ref Data", "Bucket: !Sub '${AWS::StackName}-data'").replace(
        "# the data", "\n    Properties: {BucketName: !Sub '${AWS::StackName}-data'}"
    )
    assert fixed(named, "s3-tls-only", unsafe=False).count("AWS::S3::BucketPolicy") == 1
    joined = BUCKET_WITH_POLICY.replace("Bucket: !Ref Data", "Bucket: !Join ['', [!Ref Data]]")
    found = planned(joined, SAFE._replace(rules=frozenset(["s3-tls-only"])))
    assert found.text == joined


def test_a_website_speaks_http_only() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/WebsiteEndpoints.html: no HTTPS there."""
    text = template("AWS::S3::Bucket", {"WebsiteConfiguration": {"IndexDocument": "index.html"}})
    wanted = Wanted(rules=frozenset(["s3-tls-only", "s3-bucket-public-access-block"]))
    found = planned(text, wanted)
    assert found.fixed == []
    assert [e.kind for fix in found.unsafe for e in fix.effects] == ["access"]


def test_a_topic_keeps_the_policy_that_lets_services_publish() -> None:
    assert "lets services publish" in why(template("AWS::SNS::Topic", {}), "sns-tls-only")


def test_a_queue_gets_a_policy() -> None:
    text = template("AWS::SQS::Queue", {})
    assert '"Queues"' in fixed(text, "sqs-tls-only")
    assert planned(text, SAFE._replace(rules=frozenset(["sqs-tls-only"]))).fixed == []


def test_other_spellings_of_a_policy_are_left_alone() -> None:
    text = BUCKET_WITH_POLICY.replace("          - Sid: Readers\n  ", "            Sid: Readers\n  ")
    assert "no list of statements" in why(text, "s3-tls-only")


def test_missing_tags_get_placeholders_that_another_rule_reports() -> None:
    text = "Resources:\n  Data:\n    Type: AWS::SQS::Queue\n    Properties:\n      DelaySeconds: 1\n"
    after = fixed(text, "tags-mandatory")
    assert "Value: CHANGE-ME  # put in the value of `Owner`" in after
    assert judged(after).verdicts["tags-no-placeholders", "Data"] == FAIL
    assert planned(text, SAFE._replace(rules=frozenset(["tags-mandatory"]))).fixed == []


def test_tags_with_values_of_the_user_are_safe() -> None:
    text = template("AWS::SQS::Queue", {"Tags": [{"Key": "Owner", "Value": "x"}]})
    tags = {"CostCenter": "4711", "Project": "billing", "Environment": "prod"}
    after = fixed(text, "tags-mandatory", unsafe=False, tags=tags)
    verdicts = judged(after).verdicts
    assert verdicts["tags-no-placeholders", "Subject"] == PASS
    assert '"Value": "4711"' in after


def test_tags_in_their_shapes() -> None:
    group = template("AWS::AutoScaling::AutoScalingGroup", {"MinSize": "1", "MaxSize": "1"})
    assert '"PropagateAtLaunch": true' in fixed(group, "tags-mandatory")
    parameter = template("AWS::SSM::Parameter", {"Type": "String", "Value": "x"})
    assert '"Owner": "CHANGE-ME"' in fixed(parameter, "tags-mandatory")


def test_a_key_that_is_spelt_otherwise_is_renamed() -> None:
    tags = [{"Key": key, "Value": "x"} for key in ("cost-center", "Project", "Owner", "Environment")]
    after = fixed(template("AWS::SQS::Queue", {"Tags": tags}), "tags-mandatory")
    assert '"Key": "CostCenter"' in after
    assert "cost-center" not in after


GROUP = """\
Resources:
  Net:
    Type: AWS::EC2::VPC
    Properties: {CidrBlock: 172.20.0.0/16}
  Web:
    Type: AWS::EC2::SecurityGroup
    Properties:
      GroupDescription: web
      VpcId: !Ref Net
      SecurityGroupIngress:
        - {IpProtocol: tcp, FromPort: 443, ToPort: 443, CidrIp: 0.0.0.0/0}  # stays
        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIp: 0.0.0.0/0}
        - {IpProtocol: tcp, FromPort: 22, ToPort: 22, CidrIpv6: '::/0'}
  Alone:
    Type: AWS::EC2::SecurityGroupIngress
    Properties: {GroupId: !GetAtt Web.GroupId, IpProtocol: tcp, FromPort: 3389, ToPort: 3389, CidrIp: 0.0.0.0/0}
"""


def test_ingress_becomes_the_networks_own() -> None:
    after = fixed(GROUP, "security-group-admin-ports-closed")
    assert "443, CidrIp: 0.0.0.0/0}  # stays" in after
    assert "ToPort: 22, CidrIp: 172.20.0.0/16}" in after
    assert "ToPort: 22, CidrIpv6: 'fc00::/7'}" in after
    assert "ToPort: 3389, CidrIp: 172.20.0.0/16}" in after
    assert planned(GROUP, SAFE._replace(rules=frozenset(["security-group-admin-ports-closed"]))).fixed == []


def test_a_fix_of_one_is_told_where_it_fixes_others() -> None:
    found = planned(GROUP, Wanted(unsafe=True, rules=frozenset(["security-group-admin-ports-closed"])))
    assert {f.rule for f in found.along} >= {"security-group-public-ports-only-web"}


NOT_HERE: dict[str, tuple[Any, str]] = {
    "a parameter": ({"Ref": "Flag"}, "comes from the parameter `Flag`"),
    "a condition": ({"Fn::If": ["Prod", True, False]}, r"depends on a condition \(`Prod`\)"),
    "a mapping": ({"Fn::FindInMap": ["M", "a", "b"]}, "comes from a mapping"),
}


@pytest.mark.parametrize("name", NOT_HERE)
def test_what_is_not_written_literally_stays(name: str) -> None:
    value, reason = NOT_HERE[name]
    text = template("AWS::RDS::DBInstance", {"Engine": "mysql", "DeletionProtection": value})
    head = (
        '{"Parameters": {"Flag": {"Type": "String", "Default": "false"}, "Env": {"Type": "String"}},\n'
        ' "Conditions": {"Prod": {"Fn::Equals": [{"Ref": "Env"}, "prod"]}},\n'
        ' "Mappings": {"M": {"a": {"b": "false"}}},'
    )
    assert re.search(reason, why(head + text[1:], "rds-deletion-protection"))


def test_a_conditional_resource_is_edited_as_it_stands() -> None:
    text = template("AWS::DynamoDB::Table", {"TableName": "t"}, Condition="C")
    text = '{"Conditions": {"C": {"Fn::Equals": [{"Ref": "AWS::Region"}, "x"]}},' + text[1:]
    assert '"DeletionProtectionEnabled": true' in fixed(text, "dynamodb-deletion-protection", unsafe=False)


def test_what_a_fix_would_break_is_left_out() -> None:
    """Nobody asked for a rule about plain text to fail: the fix that would make it fail is dropped, with the reason."""
    extra = dict(pack().rule("rds-deletion-protection") or {})
    (variant,) = extra["variants"]
    spoiled = {
        **extra,
        "id": "never-protected",
        "variants": [{**variant, "require": {"op": "none", "checks": [variant["require"]]}}],
    }
    base = pack()
    by = Evaluator(type(base)("x", (*base.rules, spoiled)), now=NOW)
    text = template("AWS::RDS::DBInstance", {"Engine": "mysql"})
    found = planned(
        text,
        Wanted(rules=frozenset(["rds-deletion-protection", "rds-instance-copies-tags-to-snapshots"])),
        by=by,
    )
    assert [fix.finding.rule for fix in found.fixed] == ["rds-instance-copies-tags-to-snapshots"]
    (left,) = found.left
    assert left.why == "left out: `never-protected` of `Subject` would become FAIL"
    holds(text, found, by=by)


def test_generated_resources_are_not_edited() -> None:
    text = (
        "Transform: AWS::LanguageExtensions\nResources:\n  Fn::ForEach::B:\n    - N\n    - [A, B]\n"
        "    - Bucket${N}:\n        Type: AWS::S3::Bucket\n"
    )
    found = planned(text, Wanted(unsafe=True, rules=frozenset(["s3-versioning"])))
    assert found.text == text
    assert {left.why for left in found.left} == {
        "not mechanical here: the resource is not written in the template but made from another"
    }


def test_what_a_macro_rewrites_is_not_edited() -> None:
    text = template("AWS::S3::Bucket", {"BucketName": "b"})
    text = text.replace('{\n  "Resources"', '{\n  "Transform": ["PyPlate"],\n  "Resources"', 1)
    assert "macro `PyPlate` may rewrite the whole template" in why(text, "s3-tls-only")


def test_what_goes_together_is_set_together() -> None:
    """EKS refuses a cluster with neither endpoint:
    https://docs.aws.amazon.com/eks/latest/userguide/cluster-endpoint.html."""
    text = template("AWS::EKS::Cluster", {"ResourcesVpcConfig": {"SubnetIds": ["s"]}, "RoleArn": "r"})
    after = fixed(text, "eks-endpoint-private")
    assert '"EndpointPublicAccess": false' in after
    assert '"EndpointPrivateAccess": true' in after


def test_a_fix_never_weakens() -> None:
    """A rule may be met by giving up what another one protects: that is never written."""
    containers = [{"Name": "a", "Image": "i", "User": "root"}]
    text = template("AWS::ECS::TaskDefinition", {"NetworkMode": "host", "ContainerDefinitions": containers})
    found = planned(text, Wanted(unsafe=True, rules=frozenset(["ecs-host-network-users"])))
    assert found.text == text
    assert "Privileged` is never set to True" in found.left[0].why


def test_a_word_never_weakens_either() -> None:
    """Protocols of TLS do not matter where nothing but HTTP is spoken: the rule would pass, and less be protected."""
    rule = "cloudfront-origin-tls-protocols"
    origin = {"OriginProtocolPolicy": "https-only", "OriginSSLProtocols": ["TLSv1"]}
    config = {"Origins": [{"Id": "o", "DomainName": "d", "CustomOriginConfig": origin}], "Enabled": True}
    text = template("AWS::CloudFront::Distribution", {"DistributionConfig": config})
    assert planned(text, Wanted(unsafe=True, rules=frozenset([rule]))).text == text


def test_accepted_failures_stay() -> None:
    waiver = Waiver(
        id="W-1", rules=("dynamodb-deletion-protection",), owner="o", approver="a", reason="r", ticket="t",
        granted="2025-12-01", expires="2026-02-01", resources=("Subject",),
    )  # fmt: skip
    by = Evaluator(pack(), now=NOW, settings=Settings(waiving=Waiving(waivers=(waiver,))))
    text = template("AWS::DynamoDB::Table", {"TableName": "t"})
    found = planned(text, Wanted(rules=frozenset(["dynamodb-deletion-protection"])), by=by)
    assert found.text == text
    assert found.left[0].why.endswith("accepted by the waiver W-1")


def test_fixes_that_spoil_each_other_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planning, "MOST_TRIED", 0)
    text = template("AWS::DynamoDB::Table", {"TableName": "t"})
    assert "name one with --rule" in why(text, "dynamodb-deletion-protection")


def test_what_counts_as_worse() -> None:
    key = ("rule", "id")
    better = [
        (FAIL, PASS),
        (FAIL, UNKNOWN),
        (UNKNOWN, PASS),
        (FAIL, FAIL),
        (UNKNOWN, UNKNOWN),
        (NOT_APPLICABLE, PASS),
    ]
    worse = [(PASS, FAIL), (PASS, UNKNOWN), (UNKNOWN, FAIL), (NOT_APPLICABLE, FAIL)]
    assert all(planning.worsened({key: a}, {key: b}) == [] for a, b in better)
    assert all(planning.worsened({key: a}, {key: b}) == [key] for a, b in worse)
    assert planning.worsened({}, {key: FAIL}) == [key]
    assert planning.worsened({}, {key: UNKNOWN}) == []


SERVERLESS = """\
Transform: AWS::Serverless-2016-10-31
Resources:
  Resize:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b   # as it is
      Runtime: python3.13
      InlineCode: x
  Seen:
    Type: AWS::Serverless::SimpleTable
"""


def test_what_sam_makes_is_edited_where_it_is_written() -> None:
    pytest.importorskip("samtranslator")
    rules = frozenset(
        ["lambda-traced", "tags-mandatory", "dynamodb-point-in-time-recovery", "dynamodb-deletion-protection"]
    )
    found = planned(SERVERLESS, Wanted(unsafe=True, rules=rules))
    holds(SERVERLESS, found)
    assert {fix.key for fix in found.fixed} >= {
        ("lambda-traced", "Resize"), ("tags-mandatory", "Resize"), ("tags-mandatory", "Seen"),
        ("dynamodb-point-in-time-recovery", "Seen"),
    }  # fmt: skip
    assert "      Handler: a.b   # as it is\n" in found.text
    assert "      Tracing: Active\n" in found.text
    assert "        Owner: CHANGE-ME  # put in the value of `Owner`\n" in found.text
    reasons = {(left.finding.rule, left.finding.resource_id): left.why for left in found.left}
    assert "has no property for" in reasons["dynamodb-deletion-protection", "Seen"]
    assert ("tags-mandatory", "ResizeRole") in {
        (f.rule, f.resource_id) for f in found.along
    }  # SAM hands tags on
