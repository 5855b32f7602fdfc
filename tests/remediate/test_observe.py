"""One resource seen afresh: as a scan sees it, with no call for any other, and never a guess where a call failed."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policyengine.aws.rate import Buckets
from policyengine.aws.sessions import Identity
from policyengine.config.settings import Settings
from policyengine.remediate.accounts import Doors, Role
from policyengine.remediate.api import Refused
from policyengine.remediate.gathering import Gathering, narrowed, plan_of
from policyengine.remediate.observe import LiveObserver
from policyengine.remediate.ports import Subject
from policyengine.rules.packs import load_packs
from policyengine.rules.predicates.pipeline.plain_secrets import looked_at
from policyengine.sources.live.context import Only
from policyengine.sources.redaction import Redactor
from policyengine.testing.moto_server import ACCOUNT
from policyengine.testing.wire import AwsError, BenchSessions, Wire

REGION = "eu-west-1"
INGRESS = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


class Seen:
    """An observer on the server, with all that it asks for."""

    def __init__(self, settings: Settings | None = None, role: Role | None = None) -> None:
        self.wire = Wire()
        self.sessions = BenchSessions(self.wire, lambda _name: False)
        self.now = time.time()
        own = Identity(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:user/me")
        self.doors = Doors(
            self.sessions, own, "us-east-1", lambda _handler, _account: role, buckets=Buckets(10_000)
        )
        self.observer = LiveObserver(
            self.doors, load_packs(), settings=settings or Settings(),
            redact=Redactor(b"a key of sixteen bytes", looked_at), clock=lambda: self.now,
        )  # fmt: skip

    def client(self, service: str, region: str = REGION) -> Any:
        return self.sessions.client(self.sessions.base, service, region)

    def look(self, rule: str, type: str, id: str, region: str = REGION, account: str = ACCOUNT) -> Any:
        self.sessions.calls.clear()
        return self.observer.observe(Subject(rule, type, id, account, region))

    def asked(self, name: str = "") -> list[Any]:
        return [call.arguments for call in self.sessions.calls if call.name == name or not name]

    def refused(self, rule: str, type: str, id: str, region: str = REGION, account: str = ACCOUNT) -> Refused:
        with pytest.raises(Refused) as told:
            self.look(rule, type, id, region, account)
        return told.value


@pytest.fixture
def seen(server: str) -> Iterator[Seen]:
    yield Seen()


def new_database(rds: Any, name: str, **more: Any) -> Any:
    made = rds.create_db_instance(
        DBInstanceIdentifier=name,
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        AllocatedStorage=10,
        **more,
    )
    return made["DBInstance"]


def buckets(seen: Seen, count: int) -> list[str]:
    names = [f"bench-bucket-{number}" for number in range(count)]
    for name in names:
        where = {"LocationConstraint": REGION}
        seen.client("s3").create_bucket(Bucket=name, CreateBucketConfiguration=where)
    return names


def test_details_are_asked_for_the_one_resource_only(seen: Seen) -> None:
    names = buckets(seen, 5)
    found = seen.look("s3-versioning", "AWS::S3::Bucket", names[2])
    assert found.finding.verdict == "FAIL"
    assert (found.resource.id, found.population, found.region, found.partition) == (
        names[2],
        5,
        REGION,
        "aws",
    )
    assert [a["Bucket"] for a in seen.asked("s3:GetBucketVersioning")] == [names[2]]
    assert {a.get("Bucket", names[2]) for a in seen.asked()} == {names[2]}


def test_only_what_the_rule_reads_is_asked(seen: Seen) -> None:
    (name,) = buckets(seen, 1)
    seen.look("s3-versioning", "AWS::S3::Bucket", name)
    assert {call.name for call in seen.sessions.calls} == {
        "s3:ListBuckets", "s3:GetBucketVersioning", "s3:GetBucketTagging",
    }  # fmt: skip


def test_what_is_not_there_is_said_not_to_be(seen: Seen) -> None:
    buckets(seen, 2)
    found = seen.look("s3-versioning", "AWS::S3::Bucket", "no-such-bucket")
    assert (found.resource, found.finding, found.population) == (None, None, 2)


def test_a_listing_that_fails_refuses(seen: Seen) -> None:
    def denied(_arguments: Any) -> Any:
        raise AwsError("AccessDenied", "no", 403)

    seen.wire.stubs["s3:ListBuckets"] = denied
    refused = seen.refused("s3-versioning", "AWS::S3::Bucket", "a-bucket")
    assert refused.code == "not_known"
    assert "s3:ListBuckets: AccessDenied" in refused.text


@pytest.mark.parametrize(("code", "status"), [("AccessDenied", 403), ("SlowDown", 503), ("Odd", 400)])
def test_a_detail_that_fails_makes_the_finding_unknown(seen: Seen, code: str, status: int) -> None:
    def fails(_arguments: Any) -> Any:
        raise AwsError(code, "no", status)

    (name,) = buckets(seen, 1)
    seen.wire.stubs["s3:GetBucketVersioning"] = fails
    found = seen.look("s3-versioning", "AWS::S3::Bucket", name)
    assert found.finding.verdict == "UNKNOWN"
    assert found.resource.id == name


def test_tags_are_told_whatever_the_rule_reads(seen: Seen) -> None:
    (name,) = buckets(seen, 1)
    seen.client("s3").put_bucket_tagging(Bucket=name, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    assert seen.look("s3-versioning", "AWS::S3::Bucket", name).resource.tags == {"a": "b"}


def test_ids_arns_and_what_config_calls_it(seen: Seen) -> None:
    rds, iam, kms = seen.client("rds"), seen.client("iam"), seen.client("kms")
    database = new_database(rds, "db-one")
    for wanted in ("db-one", database["DBInstanceArn"], database["DbiResourceId"]):
        found = seen.look("rds-deletion-protection", "AWS::RDS::DBInstance", wanted)
        assert found.resource is not None and found.resource.id == "db-one", wanted
    role = iam.create_role(
        RoleName="fixer", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )
    iam.create_role(
        RoleName="other", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )
    for wanted in ("fixer", role["Role"]["Arn"], role["Role"]["RoleId"]):
        found = seen.look("iam-role-used", "AWS::IAM::Role", wanted, "global")
        assert found.resource.id == "fixer", wanted
    user = iam.create_user(UserName="ann")["User"]
    for wanted in ("ann", user["Arn"], user["UserId"]):
        found = seen.look("iam-users-in-groups", "AWS::IAM::User", wanted, "global")
        assert found.resource.id == "ann", wanted
    key = kms.create_key()["KeyMetadata"]
    for wanted in (key["KeyId"], key["Arn"]):
        assert seen.look("kms-key-rotation", "AWS::KMS::Key", wanted).resource.id == key["KeyId"]


def test_what_two_resources_are_called_is_refused(seen: Seen) -> None:
    """moto gives all instances one DbiResourceId: with two of them nobody can tell which is meant."""
    rds = seen.client("rds")
    first, second = (new_database(rds, name)["DbiResourceId"] for name in ("db-one", "db-two"))
    assert first == second
    refused = seen.refused("rds-deletion-protection", "AWS::RDS::DBInstance", first)
    assert (refused.code, "may be any of db-one, db-two" in refused.text) == ("unknown_target", True)


def test_a_name_that_is_no_identity_finds_nothing(seen: Seen) -> None:
    """`default` is the name of a security group in every VPC: repairing "the" default group would be a guess."""
    groups = seen.client("ec2").describe_security_groups()["SecurityGroups"]
    found = seen.look("default-security-group-closed", "AWS::EC2::SecurityGroup", "default")
    assert found.resource is None
    assert seen.look(
        "default-security-group-closed", "AWS::EC2::SecurityGroup", groups[0]["GroupId"]
    ).resource


def test_the_second_look_asks_for_the_one_by_its_id(seen: Seen) -> None:
    """What was counted and found is believed for five minutes; what the resource is, never."""
    ec2 = seen.client("ec2")
    ids = [ec2.create_security_group(GroupName=f"g{n}", Description="d")["GroupId"] for n in range(3)]
    rule = ("security-group-admin-ports-closed", "AWS::EC2::SecurityGroup")
    first = seen.look(*rule, ids[1])
    assert first.finding.verdict == "PASS"
    ec2.authorize_security_group_ingress(GroupId=ids[1], IpPermissions=[INGRESS])
    again = seen.look(*rule, ids[1])
    assert [a.get("GroupIds") for a in seen.asked("ec2:DescribeSecurityGroups")] == [[ids[1]]]
    assert (again.finding.verdict, again.population) == ("FAIL", first.population)
    ec2.delete_security_group(GroupId=ids[1])
    assert seen.look(*rule, ids[1]).resource is None
    seen.now += 301
    seen.look(*rule, ids[0])
    assert [a.get("GroupIds") for a in seen.asked("ec2:DescribeSecurityGroups")] == [None]


def test_another_of_a_type_that_was_counted_is_asked_for_by_its_id(seen: Seen) -> None:
    """An event for each of a thousand groups lists them once and not a thousand times; other names are still found."""
    ec2, rds = seen.client("ec2"), seen.client("rds")
    ids = [ec2.create_security_group(GroupName=f"g{n}", Description="d")["GroupId"] for n in range(3)]
    rule = ("security-group-admin-ports-closed", "AWS::EC2::SecurityGroup")
    first = seen.look(*rule, ids[0])
    other = seen.look(*rule, ids[1])
    assert [a.get("GroupIds") for a in seen.asked("ec2:DescribeSecurityGroups")] == [[ids[1]]]
    assert (other.resource.id, other.population) == (ids[1], first.population)
    assert seen.look(*rule, "sg-00000000000000000").resource is None
    assert [a.get("GroupIds") for a in seen.asked("ec2:DescribeSecurityGroups")] == [
        ["sg-00000000000000000"],
        None,
    ]
    seen.now += 301
    seen.look(*rule, ids[2])
    assert [a.get("GroupIds") for a in seen.asked("ec2:DescribeSecurityGroups")] == [None]
    database = new_database(rds, "db-one")
    for wanted in ("db-one", database["DBInstanceArn"], database["DbiResourceId"]):
        found = seen.look("rds-deletion-protection", "AWS::RDS::DBInstance", wanted)
        assert (found.resource.id, found.population) == ("db-one", 1)


def test_what_passes_by_itself_asks_nothing_about_others(seen: Seen) -> None:
    """Prefix lists matter where a group names one, and where it fails, since the evidence names all that is wrong."""
    ec2 = seen.client("ec2")
    entries = [{"Cidr": "0.0.0.0/0"}]
    list_id = ec2.create_managed_prefix_list(
        PrefixListName="world", MaxEntries=1, AddressFamily="IPv4", Entries=entries
    )["PrefixList"]["PrefixListId"]
    named = {
        "IpProtocol": "tcp",
        "FromPort": 3389,
        "ToPort": 3389,
        "PrefixListIds": [{"PrefixListId": list_id}],
    }
    id = ec2.create_security_group(GroupName="g", Description="d")["GroupId"]
    rule = ("security-group-admin-ports-closed", "AWS::EC2::SecurityGroup", id)
    assert seen.look(*rule).finding.verdict == "PASS"
    assert seen.asked("ec2:DescribeManagedPrefixLists") == []
    ec2.authorize_security_group_ingress(GroupId=id, IpPermissions=[named])
    assert seen.look(*rule).finding.verdict == "FAIL"
    assert len(seen.asked("ec2:DescribeManagedPrefixLists")) == 1
    ec2.authorize_security_group_ingress(GroupId=id, IpPermissions=[INGRESS])
    assert len(seen.look(*rule).finding.evidence) == 2


def test_a_call_that_is_denied_for_one_id_is_answered_by_the_listing(seen: Seen) -> None:
    ec2 = seen.client("ec2")
    ids = [ec2.create_security_group(GroupName=f"g{n}", Description="d")["GroupId"] for n in range(2)]
    rule = ("security-group-admin-ports-closed", "AWS::EC2::SecurityGroup")
    seen.look(*rule, ids[0])

    def denied(arguments: Any) -> Any:
        if arguments.get("GroupIds"):
            raise AwsError("UnauthorizedOperation", "no", 403)
        return {"SecurityGroups": []}

    seen.wire.stubs["ec2:DescribeSecurityGroups"] = denied
    assert seen.look(*rule, ids[1]).resource is None


def test_what_the_rule_asks_about_others_is_collected_whole(seen: Seen) -> None:
    """An account rule: no trail anywhere fails, and a denied listing is no absence."""
    found = seen.look("cloudtrail-multi-region-trail", "AWS::::Account", ACCOUNT, "global")
    assert found.finding.verdict == "FAIL"
    assert found.population == 1

    def denied(_arguments: Any) -> Any:
        raise AwsError("AccessDeniedException", "no", 400)

    seen.wire.stubs["cloudtrail:DescribeTrails"] = denied
    assert (
        seen.look("cloudtrail-multi-region-trail", "AWS::::Account", ACCOUNT, "global").finding.verdict
        == "UNKNOWN"
    )


def test_a_region_is_a_subject_too(seen: Seen) -> None:
    found = seen.look("ebs-encryption-by-default", "PolicyEngine::Account::Region", REGION)
    assert found.finding.verdict == "FAIL"
    seen.client("ec2").enable_ebs_encryption_by_default()
    assert (
        seen.look("ebs-encryption-by-default", "PolicyEngine::Account::Region", REGION).finding.verdict
        == "PASS"
    )


def test_no_secret_reaches_a_finding(seen: Seen) -> None:
    secret = "AKIA" + "QWERTYUIOPASDFGH"
    seen.client("iam").create_role(
        RoleName="lambda", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )
    seen.client("lambda").create_function(
        FunctionName="f", Role=f"arn:aws:iam::{ACCOUNT}:role/lambda", Code={"ZipFile": b"x"}, Runtime="python3.12",
        Handler="a.b", Environment={"Variables": {"AWS_ACCESS_KEY_ID": secret}},
    )  # fmt: skip
    found = seen.look("lambda-environment-without-secrets", "AWS::Lambda::Function", "f")
    assert found.finding.verdict == "FAIL"
    assert secret not in str(found.finding) + str(found.resource)


def test_parameters_of_the_rule_are_those_of_the_configuration(server: str) -> None:
    seen = Seen(Settings(organization={"rds-backup-retention": {"days": 35}}))
    new_database(seen.client("rds"), "db", BackupRetentionPeriod=14)
    assert seen.look("rds-backup-retention", "AWS::RDS::DBInstance", "db").finding.verdict == "FAIL"
    assert Seen().look("rds-backup-retention", "AWS::RDS::DBInstance", "db").finding.verdict == "PASS"


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        (("no-such-rule", "AWS::S3::Bucket", "x"), "there is no rule `no-such-rule`"),
        (("s3-versioning", "AWS::EC2::Volume", "x"), "`s3-versioning` is not about AWS::EC2::Volume"),
        (("s3-versioning", "AWS::S3::Bucket", "x", "global"), "the region of AWS::S3::Bucket is a region"),
        (("iam-role-used", "AWS::IAM::Role", "x", REGION), "the region of AWS::IAM::Role is `global`"),
        (("s3-versioning", "AWS::S3::Bucket", "x", "eu-west-1.example.com/"), "is no region of AWS"),
        (("s3-versioning", "AWS::S3::Bucket", "x", "../etc"), "is no region of AWS"),
        (("s3-versioning", "AWS::S3::Bucket", "x", REGION, "1234"), "is no account id"),
        (("s3-versioning", "AWS::S3::Bucket", "x", REGION, "999999999999"), "there is no role for account 999999999999"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_any_call(seen: Seen, subject: Any, said: str) -> None:
    refused = seen.refused(*subject)
    assert (refused.code, said in refused.text) == ("unknown_target", True), refused.text
    assert seen.asked() == []


def test_a_rule_that_is_disabled_is_not_judged(server: str) -> None:
    seen = Seen(Settings(disabled={"s3-versioning": "we copy"}))
    assert "disabled: we copy" in seen.refused("s3-versioning", "AWS::S3::Bucket", "x").text


def test_a_role_that_leads_elsewhere_is_refused(server: str) -> None:
    seen = Seen(role=Role("arn:aws:iam::222222222222:role/scanner", "external"))
    refused = seen.refused("s3-versioning", "AWS::S3::Bucket", "x")
    assert refused.code == "unknown_target"
    assert "leads to account 222222222222, not 123456789012" in refused.text
    assert seen.asked("sts:GetCallerIdentity") == [{}]


def test_an_observation_is_what_a_scan_finds(server: str, tmp_path: Path) -> None:
    """The same rule on the same account by ``scan --live``: the same verdict, finding id and evidence."""
    seen = Seen()
    (name,) = buckets(seen, 1)
    found = seen.look("s3-versioning", "AWS::S3::Bucket", name).finding
    done = subprocess.run(
        [sys.executable, "-m", "policyengine", "scan", "--live", "--regions", REGION, "--rule", "s3-versioning",
         "--format", "json", "-q"],
        capture_output=True, text=True, check=False, cwd=tmp_path, env={**__import__("os").environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode in (1, 4), done.stderr
    (scanned,) = [f for f in json.loads(done.stdout)["findings"] if f["resource"]["id"] == name]
    mine = json.loads(json.dumps(found.to_json()))
    assert {k: mine[k] for k in ("id", "verdict", "reason", "message", "evidence")} == {
        k: scanned[k] for k in ("id", "verdict", "reason", "message", "evidence")
    }


def test_it_runs_without_what_a_lambda_has_not(server: str) -> None:
    """Native wheels and the YAML reader are not in the zip: a compiled pack, and none of these imported."""
    seen = Seen()
    (name,) = buckets(seen, 1)
    pack = load_packs().to_bytes()
    code = f"""
import sys
for name in ("zstandard", "pydantic", "pydantic_core", "yaml", "rich", "click"):
    sys.modules[name] = None
import time
from policyengine.aws.sessions import Sessions
from policyengine.config.settings import Settings
from policyengine.remediate.accounts import Doors
from policyengine.remediate.gathering import Gathering, narrowed, plan_of
from policyengine.remediate.observe import LiveObserver
from policyengine.remediate.ports import Subject
from policyengine.rules.pack import parse_pack
from policyengine.rules.predicates.pipeline.plain_secrets import looked_at
from policyengine.sources.live.context import Only
from policyengine.sources.redaction import Redactor
pack = parse_pack(sys.stdin.buffer.read())
sessions = Sessions()
doors = Doors(sessions, sessions.identity(sessions.base, "us-east-1"), "us-east-1")
observer = LiveObserver(doors, pack, settings=Settings(), redact=Redactor(bytes(16), looked_at), clock=time.time)
for subject in [
    Subject("s3-versioning", "AWS::S3::Bucket", {name!r}, "{ACCOUNT}", "{REGION}"),
    Subject("cloudtrail-multi-region-trail", "AWS::::Account", "{ACCOUNT}", "{ACCOUNT}", "global"),
]:
    found = observer.observe(subject)
    print(found.finding.verdict)
"""
    done = subprocess.run([sys.executable, "-c", code], input=pack, capture_output=True, check=False)
    assert done.stdout.split() == [b"FAIL", b"FAIL"], done.stderr.decode()


def test_what_may_be_in_other_accounts_is_not_known_from_one(server: str) -> None:
    """An analyzer of the organisation stands in one of its accounts: one that is in none shows all there is."""
    rule = ("access-analyzer-unused-access", "AWS::::Account", ACCOUNT, "global")
    verdicts = []
    for organization in (False, True):
        seen = Seen()
        # moto has no Access Analyzer
        seen.wire.stubs["accessanalyzer:ListAnalyzers"] = lambda _arguments: {"analyzers": []}
        if organization:
            seen.client("organizations", "us-east-1").create_organization(FeatureSet="ALL")
        found = seen.look(*rule).finding
        verdicts.append((found.verdict, found.reason))
    assert verdicts[0][0] == "FAIL"
    assert verdicts[1] == ("UNKNOWN", "not_collected")


def test_an_organization_is_read_where_it_is_managed(seen: Seen) -> None:
    api = seen.client("organizations", "us-east-1")
    api.create_organization(FeatureSet="ALL")
    root = api.list_roots()["Roots"][0]["Id"]
    member = api.create_account(Email="a@example.com", AccountName="a")["CreateAccountStatus"]["AccountId"]
    rule = ("scp-denies-leaving-organization", "AWS::Organizations::Account", member, "global")
    assert seen.look(*rule).finding.verdict == "FAIL"
    leaving = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "organizations:LeaveOrganization", "Resource": "*"}],
    }
    api.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    policy = api.create_policy(
        Content=json.dumps(leaving), Description="d", Name="n", Type="SERVICE_CONTROL_POLICY"
    )["Policy"]["PolicySummary"]["Id"]
    api.attach_policy(PolicyId=policy, TargetId=root)
    again = seen.look(*rule)
    assert (again.finding.verdict, again.resource.id) == ("PASS", member)


def test_a_rule_about_others_of_its_type_reads_them_all(seen: Seen) -> None:
    """Whether a managed policy makes administrators is asked of the documents; others of its type are read too."""
    iam = seen.client("iam")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    for name in ("one", "two"):
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))
    found = seen.look("iam-no-administrator-policy", "AWS::IAM::ManagedPolicy", "two", "global")
    assert (found.finding.verdict, found.resource.id, found.population) == ("FAIL", "two", 2)


@pytest.mark.parametrize("narrow", [True, False])
def test_a_type_is_covered_only_where_all_of_it_was_read(server: str, narrow: bool) -> None:
    seen = Seen()
    buckets(seen, 2)
    form = narrowed(next(f for f in load_packs().rules if f["id"] == "s3-versioning"), "AWS::S3::Bucket")
    assert form is not None
    plan = plan_of(form, "AWS::S3::Bucket", ())
    gathering = Gathering(plan, redact=lambda resource: resource, now="2026-11-21T09:00:00Z", calls=None)
    only = Only("AWS::S3::Bucket", REGION, "bench-bucket-0", narrow=narrow)
    account = seen.doors.open("", ACCOUNT).account
    gathering.collect(account, plan.tasks(ACCOUNT, "aws", [REGION], organization=False), only=only)
    read = {r.id for r in gathering.gathered.resources()}
    assert read == ({"bench-bucket-0"} if narrow else {"bench-bucket-0", "bench-bucket-1"})
    assert ((ACCOUNT, REGION, "AWS::S3::Bucket") in gathering.gathered.coverage) is not narrow
