"""An organisation for the benchmark of the rules that stand on IAM reasoning, the same in every run.

``python -m benchmarks.iam_data FOLDER ACCOUNTS [ROLES POLICIES]`` writes a snapshot. Each account has 50 roles
and 40 customer managed policies whose ARNs name the account (so that no document is the same in two
accounts), buckets, functions, a pipeline and its project; SCPs lie over 12 OUs in about 20 distinct chains.
``FOLDER/authorization.json`` holds the first account as ``iam get-account-authorization-details`` has it.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from policyengine.model.resource import Resource
from policyengine.sources.snapshot import write_snapshot

ROLES, POLICIES = 50, 40
POWER_USER: Final = 8
"""The policy of each account that allows nearly everything."""
MANAGEMENT: Final = "999999999999"
REGION: Final = "eu-west-1"
NOW: Final = "2026-11-21T00:00:00Z"
_FIRST: Final = 100_000_000_000
_UNITS: Final = 12
_ALLOW_ALL: Final = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def main(argv: list[str]) -> int:
    """Write the snapshot of as many accounts."""
    folder, accounts = Path(argv[0]), int(argv[1])
    roles, policies = (int(argv[2]), int(argv[3])) if len(argv) > 2 else (ROLES, POLICIES)
    ids = [str(_FIRST + n) for n in range(accounts)]
    places = [(i, r) for i in (*ids, MANAGEMENT) for r in (REGION, "global")]
    found = [*organization(ids), *(r for i in ids for r in account(i, roles, policies))]
    write_snapshot(folder, found, created=NOW, coverage=frozenset((a, r, "*") for a, r in places))
    details = json.dumps(authorization_details([r for r in found if r.account == ids[0]]))
    (folder / "authorization.json").write_text(details, encoding="utf-8")
    print(f"{len(found)} resources")
    return 0


def organization(ids: list[str]) -> Iterator[Resource]:
    """Yield the organisation: OUs two deep, an SCP on each, some on accounts."""
    rng = random.Random(1)
    types = [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}]
    about = {"Id": "o-abcdefghij", "ManagementAccountId": MANAGEMENT, "RootId": "r-abcd", "FeatureSet": "ALL",
             "PolicyTypes": types}  # fmt: skip
    yield _global(MANAGEMENT, "AWS::Organizations::Organization", "o-abcdefghij", about)
    units = [f"ou-abcd-{n:08d}" for n in range(_UNITS)]
    for number, unit in enumerate(units):
        parent = "r-abcd" if number < _UNITS // 3 else units[number % (_UNITS // 3)]
        own = {"Id": unit, "Name": f"unit{number}", "ParentId": parent}
        yield _global(MANAGEMENT, "AWS::Organizations::OrganizationalUnit", unit, own)
    for number, id_ in enumerate([*ids, MANAGEMENT]):
        parent = "r-abcd" if id_ == MANAGEMENT else units[number % _UNITS]
        properties = {"AccountId": id_, "Name": f"account{number}", "ParentIds": [parent], "State": "ACTIVE"}
        yield _global(MANAGEMENT, "AWS::Organizations::Account", id_, properties)
    yield _scp("p-FullAWSAccess", [_ALLOW_ALL], ["r-abcd", *units, *ids, MANAGEMENT])
    yield _scp("p-leave0000", [_deny(["organizations:LeaveOrganization"])], ["r-abcd"])
    trails = ["cloudtrail:StopLogging", "cloudtrail:DeleteTrail", "config:StopConfigurationRecorder"]
    yield _scp("p-trails000", [_deny(trails)], ["r-abcd"])
    for number, unit in enumerate(units):
        regions = [
            "eu-west-1",
            "eu-central-1",
            *rng.sample(["eu-north-1", "us-east-1", "eu-west-2"], number % 3),
        ]
        statement = {**_deny(["bedrock:*", "bedrock-mantle:*", "bedrock-agentcore:*", "bedrock-websearch:*"]),
                     "Condition": {"StringNotEquals": {"aws:RequestedRegion": regions}}}  # fmt: skip
        yield _scp(f"p-region{number:03d}", [statement], [unit])
    yield _scp(
        "p-own00000", [_deny(["iam:CreateUser", "iam:CreateAccessKey"])], ids[:: max(1, len(ids) // 8)]
    )


def _deny(actions: list[str]) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": actions, "Resource": "*"}


def _scp(id_: str, statements: list[Any], targets: list[str]) -> Resource:
    content = {"Version": "2012-10-17", "Statement": statements}
    properties = {"Name": id_, "Type": "SERVICE_CONTROL_POLICY", "Content": content, "TargetIds": targets}
    return _global(MANAGEMENT, "AWS::Organizations::Policy", id_, properties)


def authorization_details(found: list[Resource]) -> dict[str, Any]:
    """Return roles and policies in the form of
    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountAuthorizationDetails.html"""
    roles, policies = [], []
    for resource in found:
        own = resource.properties
        if resource.type == "AWS::IAM::Role":
            attached = [
                {"PolicyName": a.rpartition("/")[2], "PolicyArn": a} for a in own["ManagedPolicyArns"]
            ]
            shown = {k: own[k] for k in ("Path", "RoleName", "Arn", "AssumeRolePolicyDocument")}
            roles.append({**shown, "RoleId": f"AROA{own['RoleName']}", "CreateDate": NOW, "Tags": [],
                          "InstanceProfileList": [], "RolePolicyList": own["Policies"], "RoleLastUsed": {},
                          "AttachedManagedPolicies": attached})  # fmt: skip
        elif resource.type == "AWS::IAM::ManagedPolicy":
            name = own["ManagedPolicyName"]
            version = {"Document": own["PolicyDocument"], "VersionId": "v1", "IsDefaultVersion": True,
                       "CreateDate": NOW}  # fmt: skip
            policies.append({"PolicyName": name, "PolicyId": f"ANPA{name}", "Arn": resource.id, "Path": "/",
                             "DefaultVersionId": "v1", "AttachmentCount": 1, "IsAttachable": True,
                             "PermissionsBoundaryUsageCount": 0, "CreateDate": NOW, "UpdateDate": NOW,
                             "PolicyVersionList": [version]})  # fmt: skip
    return {"UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": policies}


def account(id_: str, roles: int = ROLES, policies: int = POLICIES) -> Iterator[Resource]:
    """Yield what one account holds."""
    rng = random.Random(id_)
    arns = []
    for number in range(policies):
        name = f"policy{number:02d}"
        arns.append(f"arn:aws:iam::{id_}:policy/{name}")
        yield _global(
            id_,
            "AWS::IAM::ManagedPolicy",
            arns[-1],
            {"ManagedPolicyName": name, "PolicyDocument": _document(id_, number, rng)},
        )
    for number in range(roles):
        yield _role(id_, number, arns, rng)
    yield from _workloads(id_)
    yield from _pipeline(id_)


def _document(account_: str, number: int, rng: random.Random) -> dict[str, Any]:
    """Return one of ten common kinds of policy, about things of the account, or the power users'."""
    name = f"app{number}-{account_}"
    bucket, table = f"arn:aws:s3:::{name}", f"arn:aws:dynamodb:{REGION}:{account_}:table/{name}"
    key = f"arn:aws:kms:{REGION}:{account_}:key/0000-{number}"
    role = f"arn:aws:iam::{account_}:role/role{rng.randrange(ROLES):02d}"
    kinds: list[list[dict[str, Any]]] = [
        [_allow(["s3:GetObject", "s3:PutObject"], f"{bucket}/*"), _allow(["s3:ListBucket"], bucket)],
        [_allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], table, f"{table}/index/*")],
        [_allow(["logs:CreateLogStream", "logs:PutLogEvents"], f"arn:aws:logs:{REGION}:{account_}:log-group:/{name}:*")],
        [_allow(["kms:Decrypt", "kms:GenerateDataKey"], key), _allow(["secretsmanager:GetSecretValue"],
         f"arn:aws:secretsmanager:{REGION}:{account_}:secret:{name}-*")],
        [_allow(["ec2:Describe*", "cloudwatch:GetMetric*", "cloudwatch:List*"], "*")],
        [_allow(["iam:PassRole"], role) | {"Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}},
         _allow(["lambda:CreateFunction", "lambda:UpdateFunctionCode"], f"arn:aws:lambda:{REGION}:{account_}:function:{name}")],
        [_allow(["s3:*"], bucket, f"{bucket}/*"), {**_deny(["s3:DeleteBucket*"]), "Resource": bucket}],
        [_allow(["sts:AssumeRole"], role), _allow(["sqs:SendMessage", "sqs:ReceiveMessage"],
         f"arn:aws:sqs:{REGION}:{account_}:{name}")],
        [_allow(["ec2:StartInstances", "ec2:StopInstances"], f"arn:aws:ec2:*:{account_}:instance/*")
         | {"Condition": {"StringEquals": {"aws:ResourceTag/team": "${aws:PrincipalTag/team}"}}}],
        [_allow(["bedrock:InvokeModel*"], f"arn:aws:bedrock:{REGION}::foundation-model/{name}*"),
         _allow(["codebuild:StartBuild"], f"arn:aws:codebuild:{REGION}:{account_}:project/build")],
    ]  # fmt: skip
    power_user = [{"Effect": "Allow", "NotAction": ["iam:*", "organizations:*", "account:*"], "Resource": "*",
                   "Condition": {"StringEquals": {"aws:RequestedRegion": [REGION, f"region-{account_}"]}}}]  # fmt: skip
    statements = power_user if number == POWER_USER else kinds[number % len(kinds)]
    return {"Version": "2012-10-17", "Statement": statements}


def _allow(actions: list[str], *resources: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": list(resources)}


def _role(account_: str, number: int, arns: list[str], rng: random.Random) -> Resource:
    services = ("lambda", "ecs-tasks", "ec2", "codebuild", "codepipeline", "events")
    name, path = f"role{number:02d}", "/"
    principal: dict[str, Any] = {"Service": f"{services[number % len(services)]}.amazonaws.com"}
    action, condition = "sts:AssumeRole", {}
    if number % 10 == 7:
        principal = {
            "Federated": f"arn:aws:iam::{account_}:oidc-provider/token.actions.githubusercontent.com"
        }
        action = "sts:AssumeRoleWithWebIdentity"
        condition = {
            "StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"},
            "StringLike": {"token.actions.githubusercontent.com:sub": f"repo:company/app{number}:*"},
        }
    elif number % 10 == 8:
        principal = {"AWS": f"arn:aws:iam::{_FIRST + number}:role/deploy"}
    elif number % 10 == 9:
        name, path = f"AWSServiceRoleForThing{number}", "/aws-service-role/thing.amazonaws.com/"
    trust = {"Effect": "Allow", "Principal": principal, "Action": action}
    attached = rng.sample(arns, 1 + number % 3)
    if number % 12 == 5:
        attached.append("arn:aws:iam::aws:policy/ReadOnlyAccess")
    inline = {
        "PolicyName": "own",
        "PolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                _allow(["logs:PutLogEvents"], f"arn:aws:logs:{REGION}:{account_}:log-group:/{name}:*")
            ],
        },
    }
    properties = {
        "RoleName": name,
        "Path": path,
        "Arn": f"arn:aws:iam::{account_}:role{path}{name}",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{**trust, "Condition": condition} if condition else trust],
        },
        "ManagedPolicyArns": attached,
        "Policies": [inline] if number % 2 else [],
    }
    return _global(account_, "AWS::IAM::Role", name, properties)


def _workloads(account_: str) -> Iterator[Resource]:
    for number in range(10):
        name = f"app{number}-{account_}"
        policy = {**_deny(["s3:*"]), "Principal": "*", "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
                  "Condition": {"Bool": {"aws:SecureTransport": "false"}}}  # fmt: skip
        related = {"policies": [{"PolicyDocument": {"Version": "2012-10-17", "Statement": [policy]}}]}
        yield _own(account_, "AWS::S3::Bucket", name, {"BucketName": name}, related)
    for number in range(5):
        properties = {
            "FunctionName": f"f{number}",
            "Role": f"arn:aws:iam::{account_}:role/role{6 * number:02d}",
        }
        yield _own(account_, "AWS::Lambda::Function", f"f{number}", properties)


def _pipeline(account_: str) -> Iterator[Resource]:
    role = f"arn:aws:iam::{account_}:role/role04"
    actions = [
        ("Source", "Source", "CodeCommit", {"RepositoryName": "app", "BranchName": "main"}),
        ("Build", "Build", "CodeBuild", {"ProjectName": "build"}),
        ("Approve", "Approval", "Manual", {}),
        ("Production", "Deploy", "CloudFormation", {"StackName": "app", "ActionMode": "CREATE_UPDATE"}),
    ]
    stages = [
        {"Name": name, "Actions": [{"Name": name, "ActionTypeId": {"Category": category, "Owner": "AWS",
         "Provider": provider, "Version": "1"}, "Configuration": configuration}]}
        for name, category, provider, configuration in actions
    ]  # fmt: skip
    properties = {"Name": "app", "RoleArn": role, "Stages": stages,
                  "ArtifactStore": {"Type": "S3", "Location": f"app0-{account_}"}}  # fmt: skip
    yield _own(account_, "AWS::CodePipeline::Pipeline", "app", properties)
    project = {"Name": "build", "ServiceRole": f"arn:aws:iam::{account_}:role/role03",
               "Environment": {"Image": "aws/codebuild/standard:7.0", "Type": "LINUX_CONTAINER"},
               "Source": {"Type": "CODEPIPELINE"}, "Artifacts": {"Type": "CODEPIPELINE"}}  # fmt: skip
    yield _own(account_, "AWS::CodeBuild::Project", "build", project)


def _global(account_: str, type_: str, id_: str, properties: dict[str, Any]) -> Resource:
    return Resource(type=type_, id=id_, account=account_, region="global", properties=properties)


def _own(
    account_: str, type_: str, id_: str, properties: dict[str, Any], related: dict[str, Any] | None = None
) -> Resource:
    return Resource(
        type=type_, id=id_, account=account_, region=REGION, properties=properties, related=related or {}
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
