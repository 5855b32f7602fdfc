"""What the IAM commands read: bare policies, and the policies, principals and organisations of targets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policyengine.cli.iam.documents import read_documents
from policyengine.cli.iam.world import World, read_principals, read_resource_policies, read_world
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.grammar import Kind
from policyengine.iam.opaque import Opaque
from policyengine.iam.organization import Chain
from policyengine.iam.request import Request
from policyengine.rules.iam.principals import PrincipalRecord
from policyengine.rules.iam.reader import Document
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets
from policyengine.sources.snapshot.writer import write_snapshot
from tests.sources.terraform.plans import make_plan

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "corpora"
A, B = "111122223333", "444455556666"
VERSION = "2012-10-17"
Write = Callable[[str, Any], str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Return what writes a file (an object as JSON, a list as lines) and gives its path."""

    def write(name: str, content: Any) -> str:
        path = tmp_path / name
        if isinstance(content, list):
            content = "".join(json.dumps(line) + "\n" for line in content)
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    return write


def document(*statements: Any) -> dict[str, Any]:
    return {"Version": VERSION, "Statement": list(statements)}


def allow(action: str, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def line(type_: str, id_: str, account: str = A, region: str = "global", **properties: Any) -> dict[str, Any]:
    extra = {key: properties.pop(key) for key in ("related", "unknown", "arn") if key in properties}
    return {"type": type_, "id": id_, "account": account, "region": region, "properties": properties, **extra}


TRUST = document(
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
)


def decided(policies: list[Policy], action: str, on: str = "arn:aws:s3:::b/k", **layers: Any) -> str:
    user = f"arn:aws:iam::{A}:user/u"
    decision = authorize(Request(user, action, on, {}, A), Policies(identity=policies, **layers))
    return "perhaps" if decision.unknown else "yes" if decision.outcome == "Allowed" else "no"


# -- bare policies ------------------------------------------------------------------------------------

PRINCIPAL = {"Principal": {"AWS": A}}
BARE: list[tuple[dict[str, Any], Kind]] = [
    (document(allow("s3:*")), "identity"),
    (document(allow("s3:*", Sid="Any thing")), "scp"),
    (document(allow("s3:*", **PRINCIPAL)), "resource"),
    (document(allow("kms:*", **PRINCIPAL)), "key"),
    (document(allow("kms:*", **PRINCIPAL), allow("s3:*", **PRINCIPAL)), "resource"),
    (TRUST, "trust"),
    ({"version": VERSION, "statement": allow("s3:*")}, "identity"),
]


@pytest.mark.parametrize(("text", "kind"), BARE)
def test_a_bare_policy_shows_its_kind(write: Write, text: dict[str, Any], kind: Kind) -> None:
    path = write("policy.json", text)
    documents, errors = read_documents(path)
    assert errors == []
    assert [(d.policy.kind, d.place, d.name, d.type) for d in documents] == [
        (kind, path, "policy.json", None)
    ]


def test_the_kind_can_be_given_and_is_then_held_to(write: Write) -> None:
    path = write("policy.json", document(allow("s3:*")))
    documents, _ = read_documents(path, "scp")
    assert documents[0].policy.kind == "scp"
    documents, errors = read_documents(path, "resource")
    assert documents == []
    assert "a resource policy names `Principal`" in str(errors[0])


def test_a_mistake_in_a_bare_policy_has_its_place(write: Write) -> None:
    path = write(
        "policy.json",
        '{"Version": "2012-10-17",\n "Statement": [\n  {"Effect": "Alow", "Action": "s3:*", "Resource": "*"}]}',
    )
    documents, errors = read_documents(path)
    assert documents == []
    assert (
        str(errors[0])
        == f"{path}:3:14: $.Statement[0].Effect: no such effect; found `Alow`; expected `Allow` or `Deny`"
    )


def test_a_bare_policy_may_be_yaml_and_keeps_its_lines(write: Write) -> None:
    path = write(
        "policy.yaml",
        "Version: '2012-10-17'\nStatement:\n  - Effect: Allow\n    Action: s3:*\n    Resource: '*'\n",
    )
    documents, errors = read_documents(path)
    assert errors == []
    assert [s.line for s in documents[0].policy.statements] == [3]


@pytest.mark.parametrize(
    "content", ["", "no policy", "{", '{"Statement": ', "[1]", '{"a": "Statement"}', "\x00Statement"]
)
def test_what_is_nothing_of_ours_is_an_error(write: Write, content: str) -> None:
    documents, errors = read_documents(write("x.json", content))
    assert documents == []
    assert errors


def test_a_target_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    documents, errors = read_documents(str(tmp_path / "nothing.json"))
    assert (documents, len(errors)) == ([], 1)


@pytest.mark.parametrize("bare", [True, False])
def test_standard_input_is_read_once_for_both(bare: bool) -> None:
    template = {
        "Resources": {
            "P": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {"PolicyDocument": document(allow("s3:*"))},
            }
        }
    }
    code = "from policyengine.cli.iam.documents import read_documents as r; d, e = r('-'); print(len(d), d[0].name, e)"
    text = json.dumps(document(allow("s3:*")) if bare else template)
    done = subprocess.run(
        [sys.executable, "-c", code], input=text, capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stdout.strip() == ("1 - []" if bare else "1 P []")


# -- documents of templates, plans and snapshots ---------------------------------------------------------

TEMPLATE = """\
Parameters:
  Env: {Type: String}
Conditions:
  Open: !Equals [!Ref Env, dev]
Resources:
  Bucket: {Type: AWS::S3::Bucket}
  BucketPolicy:
    Type: AWS::S3::BucketPolicy
    Properties:
      Bucket: !Ref Bucket
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: "*"
            Action: s3:GetObject
            Resource: !Sub "arn:aws:s3:::data-${Env}/*"
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: worker
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Principal: {Service: ec2.amazonaws.com}, Action: "sts:AssumeRole"}]
      ManagedPolicyArns:
        - !Sub "arn:${AWS::Partition}:iam::aws:policy/AmazonS3ReadOnlyAccess"
        - !Ref Managed
      Policies:
        - PolicyName: inline
          PolicyDocument:
            Version: "2012-10-17"
            Statement: {Effect: Allow, Action: "sqs:*", Resource: !If [Open, "*", "arn:aws:sqs:eu-west-1:111122223333:q"]}
  Attached:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: attached
      Roles: [!Ref Role]
      PolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Action: "sns:*", Resource: "*"}}
  Managed:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      PolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Action: "kms:Decrypt", Resource: "*"}}
"""


def test_every_policy_of_a_template_has_its_place(write: Write) -> None:
    documents, errors = read_documents(write("template.yaml", TEMPLATE))
    assert errors == []
    places = [(d.place, d.name, d.policy.kind) for d in documents]
    assert ("template.yaml:12:9 Bucket/related/policies/0/PolicyDocument", "Bucket", "resource") in places
    assert ("template.yaml:42:23 Managed/PolicyDocument", "Managed", "identity") in places
    inline = [d for d in documents if d.name == "inline"]
    assert len(inline) == 2, "one for each branch"
    assert {d.policy.statements[0].resources for d in inline} == {
        ("*",),
        ("arn:aws:sqs:eu-west-1:111122223333:q",),
    }
    assert {s.line for d in inline for s in d.policy.statements} == {32}


def test_what_code_leaves_open_is_kept_with_what_is_known(write: Write) -> None:
    documents, _ = read_documents(write("template.yaml", TEMPLATE), "resource")
    policy = documents[0].policy
    assert [(s.resources, s.opaque is None) for s in policy.statements] == [
        (("arn:aws:s3:::data-*/*",), False)
    ]
    assert decided([], "s3:GetObject", "arn:aws:s3:::data-x/y", resource=policy) == "perhaps"
    assert decided([], "s3:GetObject", "arn:aws:s3:::other/y", resource=policy) == "no"


def test_a_kind_keeps_only_its_documents(write: Write) -> None:
    path = write("template.yaml", TEMPLATE)
    assert {d.policy.kind for d in read_documents(path, "trust")[0]} == {"trust"}
    documents, errors = read_documents(path, "scp")
    assert documents == []
    assert [str(e) for e in errors] == [f"no policy of the kind `scp` in `{path}`"]


def test_a_document_that_aws_would_refuse_is_named_and_may_say_anything(write: Write) -> None:
    template = TEMPLATE.replace('"kms:Decrypt"', '"nonsense"')
    documents, errors = read_documents(write("template.yaml", template))
    (error,) = errors
    assert str(error).startswith(
        "template.yaml:42:82: $.Statement.Action: no action; found `nonsense`; expected"
    )
    managed = next(d for d in documents if d.name == "Managed")
    assert managed.opaque is not None
    assert decided([managed.policy], "kms:Decrypt", f"arn:aws:sqs:eu-west-1:{A}:q") == "perhaps"


def test_a_snapshot_names_account_type_and_path(write: Write) -> None:
    lines = [
        line("AWS::IAM::Role", "r", AssumeRolePolicyDocument=TRUST, Policies=[{"PolicyName": "p", "PolicyDocument": {"nonsense": 1}}]),
        line("AWS::Organizations::Policy", "p-1", Type="SERVICE_CONTROL_POLICY", Content=document(allow("*"))),
        line("AWS::Organizations::Policy", "p-2", Type="TAG_POLICY", Content={"tags": {}}),
    ]  # fmt: skip
    documents, errors = read_documents(write("s.ndjson", lines))
    assert [(d.policy.kind, d.place, d.account) for d in documents] == [
        ("trust", f"{A}/global AWS::IAM::Role r/AssumeRolePolicyDocument", A),
        ("identity", f"{A}/global AWS::IAM::Role r/Policies/0/PolicyDocument", A),
        ("scp", f"{A}/global AWS::Organizations::Policy p-1/Content", A),
    ]
    (error,) = errors
    assert str(error).startswith(
        f"{A}/global AWS::IAM::Role r/Policies/0/PolicyDocument: $: no such element; found"
    )


def test_documents_may_be_texts_as_the_api_gives_them(write: Write) -> None:
    encoded = json.dumps(TRUST).replace(" ", "%20").replace("{", "%7B").replace('"', "%22")
    documents, errors = read_documents(
        write("s.ndjson", [line("AWS::IAM::Role", "r", AssumeRolePolicyDocument=encoded)])
    )
    assert errors == []
    assert documents[0].policy.statements[0].actions == ("sts:AssumeRole",)


# -- principals -------------------------------------------------------------------------------------------

CUSTOM = f"arn:aws:iam::{A}:policy/team/custom"
SNAPSHOT = [
    line("AWS::IAM::ManagedPolicy", CUSTOM, ManagedPolicyName="custom", Path="/team/", PolicyDocument=document(allow("kms:*"))),
    line("AWS::IAM::Group", "devs", GroupName="devs", ManagedPolicyArns=[CUSTOM],
         Policies=[{"PolicyName": "g", "PolicyDocument": document(allow("sns:*"))}]),
    line("AWS::IAM::Role", "worker", RoleName="worker", Path="/app/", AssumeRolePolicyDocument=TRUST,
         ManagedPolicyArns=["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess", CUSTOM], PermissionsBoundary=CUSTOM,
         Policies=[{"PolicyName": "i", "PolicyDocument": document(allow("sqs:*"))}]),
    line("AWS::IAM::User", "ann", UserName="ann", Groups=["devs", "gone"], Path="/"),
    line("AWS::IAM::User", "bob", UserName="bob", Path="/", Policies=[], Groups=[],
         unknown=[{"path": "/ManagedPolicyArns", "reason": "access_denied", "detail": "iam:ListAttachedUserPolicies denied"}]),
    line("AWS::IAM::User", "eve", UserName="eve", Path="/", ManagedPolicyArns=["arn:aws:iam::aws:policy/NoSuchPolicy"]),
]  # fmt: skip


@pytest.fixture
def principals(write: Write) -> dict[str, PrincipalRecord]:
    found, errors = read_principals([write("s.ndjson", SNAPSHOT)])
    assert errors == []
    return {record.id: record for record in found}


def test_a_role_has_all_its_policies(principals: dict[str, PrincipalRecord]) -> None:
    role = principals["worker"]
    assert (role.arn, role.kind, role.account) == (f"arn:aws:iam::{A}:role/app/worker", "role", A)
    assert [d.name for d in role.identity] == ["i", "AmazonS3ReadOnlyAccess", "custom"]
    assert role.boundary is not None
    assert (role.boundary.policy.kind, role.boundary.name) == ("boundary", "custom")
    assert role.trust is not None
    assert role.trust.policy.kind == "trust"
    assert role.opaque == ()
    assert decided(role.policies, "s3:GetObject") == "yes"
    assert decided(role.policies, "s3:GetObject", boundary=role.boundary.policy) == "no"


def test_a_user_has_the_policies_of_its_groups(principals: dict[str, PrincipalRecord]) -> None:
    user = principals["ann"]
    assert [d.name for d in user.identity] == ["g", "custom", "ann"]
    assert user.opaque == (Opaque("group `gone` is not known"),)
    assert decided(user.policies, "sns:Publish", f"arn:aws:sns:eu-west-1:{A}:t") == "perhaps", (
        "`gone` may deny"
    )
    assert principals["devs"].kind == "group"


def test_what_is_not_known_may_allow_and_deny_anything(principals: dict[str, PrincipalRecord]) -> None:
    assert [o.reason for o in principals["bob"].opaque] == [
        "the call that reads it was denied (iam:ListAttachedUserPolicies denied)"
    ]
    assert [o.reason for o in principals["eve"].opaque] == [
        "`arn:aws:iam::aws:policy/NoSuchPolicy` is not among the known policies of AWS"
    ]
    assert decided(principals["bob"].policies, "s3:GetObject") == "perhaps"


@pytest.mark.parametrize(
    "properties",
    [
        {"Policies": "x"}, {"Policies": [1]}, {"Policies": [{}]}, {"Policies": {"PolicyName": "x"}},
        {"Policies": [{"PolicyDocument": {}}]}, {"ManagedPolicyArns": [1]}, {"ManagedPolicyArns": {"a": 1}},
        {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/Gone"]}, {"ManagedPolicyArns": f"arn:aws:iam::{A}:policy/x"},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_never_dropped(write: Write, properties: dict[str, Any]) -> None:
    role = line("AWS::IAM::Role", "r", RoleName="r", AssumeRolePolicyDocument=TRUST, **properties)
    (record,), _ = read_principals([write("s.ndjson", [role])])
    assert len(record.opaque) == 1
    assert decided(record.policies, "s3:GetObject") == "perhaps"


def test_names_are_of_one_account(write: Write) -> None:
    lines = [*SNAPSHOT, line("AWS::IAM::User", "ann", B, UserName="ann", Groups=["devs"])]
    found, _ = read_principals([write("s.ndjson", lines)])
    other = next(r for r in found if r.account == B)
    assert other.opaque == (Opaque("group `devs` is not known"),)


def test_a_template_gives_a_record_for_each_branch(write: Write) -> None:
    found, errors = read_principals([write("template.yaml", TEMPLATE)], SourceOptions(account=A))
    assert errors == []
    assert [r.arn for r in found] == [f"arn:aws:iam::{A}:role/worker"] * 2
    assert {r.branch["Open"] for r in found if r.branch} == {True, False}
    for record in found:
        assert [d.name for d in record.identity] == [
            "inline",
            "attached",
            "AmazonS3ReadOnlyAccess",
            "Managed",
        ]
        assert record.opaque == ()
        assert decided(record.policies, "sns:Publish", f"arn:aws:sns:eu-west-1:{A}:t") == "yes"


def test_code_that_does_not_fix_a_name_has_no_arn(write: Write) -> None:
    found, _ = read_principals([write("template.yaml", TEMPLATE)])
    assert {r.arn for r in found} == {Opaque("the ARN of `Role` is not known")}


@pytest.mark.parametrize(
    ("roles", "expected"),
    [
        ("[!Ref Role]", "yes"),
        ("[worker]", "yes"),
        ("[other]", "no"),
        ("[!Ref Env]", "perhaps"),
        ("!Ref Env", "perhaps"),
    ],
)
def test_a_managed_policy_says_whom_it_is_attached_to(write: Write, roles: str, expected: str) -> None:
    template = f"""\
Parameters: {{Env: {{Type: String}}}}
Resources:
  Role: {{Type: AWS::IAM::Role, Properties: {{RoleName: worker, AssumeRolePolicyDocument: {json.dumps(TRUST)}}}}}
  P:
    Type: AWS::IAM::ManagedPolicy
    Properties: {{Roles: {roles}, PolicyDocument: {json.dumps(document(allow("s3:*")))}}}
"""
    (record,), errors = read_principals([write("template.yaml", template)])
    assert errors == []
    assert decided(record.policies, "s3:GetObject") == expected


def test_an_attachment_told_twice_is_one(write: Write) -> None:
    lines = [
        line("AWS::IAM::ManagedPolicy", CUSTOM, PolicyDocument=document(allow("kms:*")), Roles=["r"]),
        line("AWS::IAM::Role", "r", RoleName="r", AssumeRolePolicyDocument=TRUST, ManagedPolicyArns=[CUSTOM]),
    ]
    (record,), _ = read_principals([write("s.ndjson", lines)])
    assert len(record.identity) == 1


# -- resources ------------------------------------------------------------------------------------------

PUBLIC = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
HOLDERS: list[tuple[dict[str, Any], str | None, int]] = [
    (line("AWS::S3::Bucket", "b", region="eu-west-1", BucketName="b", related={"policies": [{"PolicyDocument": document(PUBLIC)}]}),
     "arn:aws:s3:::b", 1),
    (line("AWS::S3::Bucket", "b", region="cn-north-1", BucketName="b"), "arn:aws-cn:s3:::b", 0),
    (line("AWS::KMS::Key", "1234", region="eu-west-1", KeyPolicy=document(PUBLIC)), f"arn:aws:kms:eu-west-1:{A}:key/1234", 1),
    (line("AWS::SQS::Queue", "q", region="eu-west-1", QueueName="q", related={"policies": [{"PolicyDocument": document(PUBLIC)}]}),
     f"arn:aws:sqs:eu-west-1:{A}:q", 1),
    (line("AWS::SNS::Topic", "t", region="eu-west-1", TopicArn=f"arn:aws:sns:eu-west-1:{A}:t"), f"arn:aws:sns:eu-west-1:{A}:t", 0),
    (line("AWS::SecretsManager::Secret", "s", region="eu-west-1", arn=f"arn:aws:secretsmanager:eu-west-1:{A}:secret:s-Abc",
          related={"policies": [{"ResourcePolicy": document(PUBLIC)}]}), f"arn:aws:secretsmanager:eu-west-1:{A}:secret:s-Abc", 1),
    (line("AWS::SecretsManager::Secret", "s", region="eu-west-1"), None, 0),
    (line("AWS::EFS::FileSystem", "fs-1", region="eu-west-1", unknown=[{"path": "/FileSystemPolicy", "reason": "access_denied"}]),
     f"arn:aws:elasticfilesystem:eu-west-1:{A}:file-system/fs-1", 1),
    (line("AWS::EC2::VPCEndpoint", "vpce-1", region="eu-west-1", PolicyDocument=document(PUBLIC)), None, 1),
    (line("AWS::Events::EventBus", "default", region="eu-west-1", related={"policies": [{"Statement": PUBLIC}]}), None, 1),
    (line("AWS::Events::EventBus", "b", region="eu-west-1", related={"policies": [{"Principal": B, "Action": "events:PutEvents",
          "Condition": {"Type": "StringEquals", "Key": "aws:PrincipalOrgID", "Value": "o-1"}}]}), None, 1),
    (line("AWS::Lambda::Function", "f", region="eu-west-1", related={"permissions": [
        {"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceAccount": A}]}),
     f"arn:aws:lambda:eu-west-1:{A}:function:f", 1),
]  # fmt: skip


@pytest.mark.parametrize(("holder", "arn", "number"), HOLDERS, ids=[h[0]["type"] for h in HOLDERS])
def test_a_resource_has_an_arn_and_its_policies(
    write: Write, holder: dict[str, Any], arn: str | None, number: int
) -> None:
    (found,), errors = read_resource_policies([write("s.ndjson", [holder])])
    assert errors == []
    assert found.arn == arn or (arn is None and isinstance(found.arn, Opaque))
    assert len(found.documents) == number
    unknown = bool(holder.get("unknown"))
    assert [d.opaque is not None for d in found.documents] == [unknown] * number


def test_a_permission_of_a_function_is_a_statement(write: Write) -> None:
    (found,), _ = read_resource_policies([write("s.ndjson", [HOLDERS[-1][0]])])
    (statement,) = found.documents[0].policy.statements
    assert dict(statement.principals or {}) == {"Service": ("s3.amazonaws.com",)}
    assert [(c.operator, c.key, c.values) for c in statement.conditions] == [
        ("StringEquals", "aws:SourceAccount", (A,))
    ]


def test_a_policy_of_a_bucket_elsewhere_is_told_by_itself(write: Write) -> None:
    template = TEMPLATE.replace("Bucket: !Ref Bucket", "Bucket: elsewhere")
    found, _ = read_resource_policies([write("template.yaml", template)])
    assert [(r.type, len(r.documents)) for r in found] == [
        ("AWS::S3::Bucket", 0),
        ("AWS::S3::BucketPolicy", 1),
    ]


ON = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}
RESTRICT = {"RestrictPublicBuckets": "true"}


@pytest.mark.parametrize(
    ("bucket", "account", "least", "most"),
    [
        ({}, {}, False, False),
        ({"PublicAccessBlockConfiguration": ON}, None, True, True),
        ({"PublicAccessBlockConfiguration": RESTRICT}, {}, True, True),
        ({}, {"PublicAccessBlockConfiguration": RESTRICT}, True, True),
        ({}, None, False, True),
        ({"unknown": [{"path": "/PublicAccessBlockConfiguration", "reason": "access_denied"}]}, {}, False, True),
        ({"PublicAccessBlockConfiguration": {}, "unknown": [
            {"path": "/PublicAccessBlockConfiguration/RestrictPublicBuckets", "reason": "access_denied"}]}, {}, False, True),
        ({"PublicAccessBlockConfiguration": {"RestrictPublicBuckets": False}}, {}, False, False),
    ],
)  # fmt: skip
def test_what_surely_blocks_public_access_and_what_may(
    write: Write, bucket: dict[str, Any], account: dict[str, Any] | None, least: bool, most: bool
) -> None:
    lines = [line("AWS::S3::Bucket", "b", region="eu-west-1", BucketName="b", **bucket)]
    lines += [] if account is None else [line("AWS::::Account", A, **account)]
    (found,), errors = read_resource_policies([write("s.ndjson", lines)])
    assert errors == []
    assert found.public_access is not None
    assert [bounds.restrict_public_buckets for bounds in found.public_access] == [least, most]


def test_in_code_the_default_depends_on_when_a_bucket_is_made(write: Write) -> None:
    found, _ = read_resource_policies([write("template.yaml", TEMPLATE)])
    assert found[0].public_access is not None
    assert [bounds.restrict_public_buckets for bounds in found[0].public_access] == [False, True]


# -- organisations ----------------------------------------------------------------------------------------

FULL = document(allow("*"))
DENY_S3 = document({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})
ORG = [
    line("AWS::Organizations::Organization", "o-1", Id="o-1", ManagementAccountId=A, RootId="r-1",
         PolicyTypes=[{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]),
    line("AWS::Organizations::Account", B, AccountId=B, ParentIds=["r-1"]),
    line("AWS::Organizations::Policy", "p-1", Type="SERVICE_CONTROL_POLICY", Content=DENY_S3, TargetIds=["r-1"]),
]  # fmt: skip
FULL_LINE = line(
    "AWS::Organizations::Policy",
    "p-FullAWSAccess",
    Type="SERVICE_CONTROL_POLICY",
    Content=FULL,
    TargetIds=["r-1", B],
)


def chain_of(world: World, account: str = B) -> Chain:
    assert world.organization is not None
    chain = world.organization.chain(account, "scp")
    assert isinstance(chain, Chain), chain
    return chain


def through(chain: Chain, action: str, account: str = B) -> str:
    user = f"arn:aws:iam::{account}:user/u"
    everything = read_policy(FULL, "identity")
    decision = authorize(
        Request(user, action, "*", {}, account), Policies(identity=[everything], scps=chain.policies())
    )
    return "perhaps" if decision.unknown else "yes" if decision.outcome == "Allowed" else "no"


def test_an_organisation_of_lines(write: Write) -> None:
    world = read_world([write("s.ndjson", [*ORG, FULL_LINE])])
    assert (world.errors, world.org_errors) == ([], [])
    chain = chain_of(world)
    assert [through(chain, a) for a in ("s3:GetObject", "ec2:RunInstances")] == ["no", "yes"]
    assert chain.levels[0].policies[0].source == f"{A}/global AWS::Organizations::Policy p-1"


@pytest.mark.parametrize(
    ("coverage", "expected"),
    [
        ([(A, "global", "AWS::Organizations::Policy")], "no"),
        ([(A, "global", "*")], "no"),
        ([(A, "eu-west-1", "*")], "perhaps"),
        ([(B, "global", "*")], "perhaps"),
        ([(A, "global", "AWS::Organizations::Account")], "perhaps"),
    ],
)
def test_the_coverage_of_a_snapshot_says_whether_all_policies_are_there(
    write: Write, tmp_path: Path, coverage: list[tuple[str, str, str]], expected: str
) -> None:
    (source,) = open_targets([write("s.ndjson", ORG)], SourceOptions()).sources
    folder = tmp_path / "snapshot"
    write_snapshot(folder, source.resources(), created="2026-11-21T09:00:00Z", coverage=frozenset(coverage))
    chain = chain_of(read_world([str(folder)], ("organization",)))
    assert through(chain, "s3:GetObject") == "no"
    assert through(chain, "ec2:RunInstances") == expected, "no level has an Allow"


@pytest.mark.parametrize(
    ("more", "expected"),
    [([], ["no", "perhaps"]), ([FULL_LINE], ["no", "yes"])],
)
def test_a_file_of_lines_says_nothing_of_what_it_lacks(
    write: Write, more: list[dict[str, Any]], expected: list[str]
) -> None:
    chain = chain_of(read_world([write("s.ndjson", [*ORG, *more])], ("organization",)))
    assert [through(chain, a) for a in ("s3:GetObject", "ec2:RunInstances")] == expected


def test_a_broken_line_may_have_been_a_policy(write: Write) -> None:
    text = (
        "".join(json.dumps(item) + "\n" for item in [*ORG, FULL_LINE])
        + '{"type":"AWS::Organizations::Policy", broken\n'
    )
    world = read_world([write("s.ndjson", text)])
    assert world.incomplete
    assert [through(chain_of(world), a) for a in ("s3:GetObject", "ec2:RunInstances")] == ["no", "perhaps"]


ORG_TEMPLATE = """\
Parameters: {Where: {Type: String}}
Resources:
  Org: {Type: AWS::Organizations::Organization, Properties: {FeatureSet: ALL}}
  Unit: {Type: AWS::Organizations::OrganizationalUnit, Properties: {Name: u, ParentId: !GetAtt Org.RootId}}
  Member: {Type: AWS::Organizations::Account, Properties: {AccountName: m, Email: a@example.com, ParentIds: [!Ref Unit]}}
  Deny:
    Type: AWS::Organizations::Policy
    Properties:
      Name: deny
      Type: SERVICE_CONTROL_POLICY
      Content: {Version: "2012-10-17", Statement: {Effect: Deny, Action: "s3:*", Resource: "*"}}
      TargetIds: [TARGET]
"""


@pytest.mark.parametrize(
    ("target", "expected"),
    [("!Ref Unit", ["no", "yes"]), ("!GetAtt Org.RootId", ["no", "yes"]), ("!Ref Member", ["no", "yes"]),
     ("ou-elsewhere", ["yes", "yes"]), ("!Ref Where", ["perhaps", "yes"])],
)  # fmt: skip
def test_an_organisation_in_a_template(write: Write, target: str, expected: list[str]) -> None:
    world = read_world([write("template.yaml", ORG_TEMPLATE.replace("TARGET", target))], ("organization",))
    assert (world.errors, world.org_errors) == ([], [])
    assert world.organization is not None
    # the other policies of a template that attaches this one elsewhere are not known to be enabled
    chain = chain_of(world, "Member") if world.organization.enabled["scp"] is True else None
    if chain is None:
        assert isinstance(world.organization.enabled["scp"], Opaque)
        return
    assert [level.node for level in chain.levels] == ["Org.RootId", "Unit", "Member"]
    assert [through(chain, a) for a in ("s3:GetObject", "ec2:RunInstances")] == expected


def test_a_policy_under_a_condition_may_be_attached(write: Write) -> None:
    template = ORG_TEMPLATE.replace("Resources:", "Conditions: {C: !Equals [!Ref Where, x]}\nResources:", 1)
    template = template.replace("  Deny:\n", "  Deny:\n    Condition: C\n").replace("TARGET", "!Ref Unit")
    second = template + template[template.index("  Deny:") :].replace("Deny:", "Sure:", 1).replace(
        "    Condition: C\n", ""
    ).replace("s3:*", "sns:*")
    chain = chain_of(read_world([write("template.yaml", second)]), "Member")
    assert [through(chain, a) for a in ("s3:GetObject", "sns:Publish", "ec2:RunInstances")] == [
        "perhaps",
        "no",
        "yes",
    ]


# -- Terraform ---------------------------------------------------------------------------------------------

PLAN = {
    "aws_iam_policy.custom": {
        "after": {"name": "custom", "policy": json.dumps(document(allow("kms:*")))}, "unknown": {"arn": True}
    },
    "aws_iam_policy.computed": {
        "after": {"name": "computed"}, "unknown": {"arn": True, "policy": True}, "refs": {"policy": ["aws_s3_bucket.b.arn"]}
    },
    "aws_iam_role.worker": {"after": {"name": "worker", "assume_role_policy": json.dumps(TRUST)}, "unknown": {"arn": True}},
    "aws_iam_role.other": {"after": {"name": "other", "assume_role_policy": json.dumps(TRUST)}, "unknown": {"arn": True}},
    "aws_iam_role_policy.inline": {
        "after": {"name": "i", "policy": json.dumps(document(allow("sqs:*")))}, "unknown": {"role": True}, "refs": {"role": ["aws_iam_role.worker.id"]}
    },
    "aws_iam_role_policy_attachment.a": {
        "after": {"role": "worker"}, "unknown": {"policy_arn": True}, "refs": {"policy_arn": ["aws_iam_policy.custom.arn"]}
    },
    "aws_iam_role_policy_attachment.b": {
        "after": {"role": "other"}, "unknown": {"policy_arn": True}, "refs": {"policy_arn": ["aws_iam_policy.computed.arn"]}
    },
}  # fmt: skip


def test_a_plan_attaches_what_it_makes(write: Write) -> None:
    found, errors = read_principals([write("plan.json", make_plan(PLAN))], SourceOptions(account=A))
    assert errors == []
    worker, other = sorted(found, key=lambda r: r.id, reverse=True)
    assert worker.arn == f"arn:aws:iam::{A}:role/worker"
    assert sorted(d.name for d in worker.identity) == ["custom", "i"]
    assert worker.opaque == ()
    assert decided(worker.policies, "sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{A}:q") == "yes"
    assert [d.name for d in other.identity] == ["computed"]
    assert decided(other.policies, "sqs:SendMessage", f"arn:aws:sqs:eu-west-1:{A}:q") == "perhaps"


def test_an_organisation_in_a_plan(write: Write) -> None:
    root = ["aws_organizations_organization.o.roots[0].id", "aws_organizations_organization.o.roots[0]"]
    plan = {
        "aws_organizations_organization.o": {
            "after": {"feature_set": "ALL", "enabled_policy_types": ["SERVICE_CONTROL_POLICY"]}, "unknown": {"roots": True}
        },
        "aws_organizations_organizational_unit.u": {"after": {"name": "u"}, "unknown": {"parent_id": True}, "refs": {"parent_id": root}},
        "aws_organizations_account.m": {
            "after": {"name": "m", "email": "m@example.com"}, "unknown": {"parent_id": True},
            "refs": {"parent_id": ["aws_organizations_organizational_unit.u.id"]},
        },
        "aws_organizations_policy.p": {"after": {"name": "p", "type": "SERVICE_CONTROL_POLICY", "content": json.dumps(DENY_S3)}},
        "aws_organizations_policy_attachment.a": {
            "after": {}, "unknown": {"policy_id": True, "target_id": True},
            "refs": {"policy_id": ["aws_organizations_policy.p.id"], "target_id": ["aws_organizations_organizational_unit.u.id"]},
        },
    }  # fmt: skip
    world = read_world([write("plan.json", make_plan(plan))], ("organization",))
    assert (world.errors, world.org_errors) == ([], [])
    chain = chain_of(world, "aws_organizations_account.m")
    assert [through(chain, a) for a in ("s3:GetObject", "ec2:RunInstances")] == ["no", "yes"]


# -- whole targets -----------------------------------------------------------------------------------------


def test_nothing_at_all_is_an_error(write: Write) -> None:
    path = write("s.ndjson", [line("AWS::EC2::VPC", "vpc-1", region="eu-west-1")])
    world = read_world([path])
    assert [str(e) for e in world.errors] == [f"no organization or principals or resources in `{path}`"]


def test_the_example_organisation_is_read_in_one_pass() -> None:
    world = read_world([str(ROOT / "examples" / "organization")])
    assert (world.errors, world.org_errors, world.incomplete) == ([], [], False)
    assert world.organization is not None
    assert len(world.organization.accounts) == 5
    assert all(isinstance(r.arn, str) for r in world.principals)
    assert [r.id for r in world.principals if r.opaque] == []
    assert {r.type for r in world.resources if r.documents} >= {
        "AWS::S3::Bucket",
        "AWS::KMS::Key",
        "AWS::SQS::Queue",
    }


@pytest.mark.parametrize("folder", ["cloudformation", "terraform-plans"])
def test_the_corpora_are_read_without_a_crash(folder: str) -> None:
    if not (SHARED / folder).is_dir():
        pytest.skip(f"{SHARED / folder} is not there")
    world = read_world([str(SHARED / folder)])
    assert world.principals or world.resources
    documents, _ = read_documents(str(SHARED / folder))
    assert documents
    for document_ in documents:
        assert document_.policy.statements
        assert document_.place


def test_the_published_scps_are_read_but_the_malformed_one() -> None:
    if not (SHARED / "scp-examples").is_dir():
        pytest.skip(f"{SHARED / 'scp-examples'} is not there")
    files = sorted((SHARED / "scp-examples").rglob("*.json"))
    read: list[Document] = []
    refused = []
    for file in files:
        documents, errors = read_documents(str(file), "scp")
        read += documents
        refused += [str(e) for e in errors]
    assert len(read) + len(refused) == len(files)
    assert len(refused) == 1
    assert ":15:13: not valid JSON: " in refused[0]


def test_reading_costs_no_heavy_imports() -> None:
    code = "import sys, policyengine.cli.iam.world; print([m for m in ('boto3','pydantic','rich','jsonschema') if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        env=dict(os.environ),
    )
    assert done.stdout.strip() == "[]"
