"""The predicates about delivery pipelines: conformance data, the data of duties, code and laws."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.iam.authorize import Policies
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import read_policy
from policyengine.iam.domains import one_caller
from policyengine.iam.duties import DUTIES
from policyengine.iam.reason import No, Yes, can
from policyengine.iam.request_set import RequestSet, Values
from policyengine.model.finding import Finding
from policyengine.model.logic import FALSE, TRUE
from policyengine.rules.iam.deliveries import BESIDE
from policyengine.rules.iam.running import TYPES as CARRIERS
from policyengine.rules.iam.staff_tables import NEEDS
from policyengine.rules.loader import compile_text
from policyengine.rules.pack import Pack
from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.pipeline import table as pipeline_access
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets

from .conformance import cases, subject

PREDICATES: dict[str, Predicate] = {p.name: p for p in pipeline_access.PREDICATES}
ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "predicates" / "pipeline.md").read_text(encoding="utf-8")


# -- the data ----------------------------------------------------------------------------------------------


def test_every_duty_is_documented_and_can_be_named_in_a_rule() -> None:
    assert set(DUTIES) == set(pipeline_access.DUTIES)
    assert all(f"| `{duty}` |" in PAGE for duty in DUTIES)


@pytest.mark.parametrize("duty", DUTIES)
def test_the_actions_of_duties_and_their_keys_are_in_the_catalogue(duty: str) -> None:
    for deed in DUTIES[duty].deeds:
        assert deed.reference.startswith("https://docs.aws.amazon.com/")
        for need in deed.needs:
            assert catalogue().action(need.action) is not None, need.action
            assert all(catalogue().may_carry(need.action, key) for key, _ in need.context), need


def test_the_types_that_are_read_are_those_the_table_asks_for() -> None:
    needs = PREDICATES["pipeline.separated"].needs
    assert set(needs) == {*NEEDS, *BESIDE, *CARRIERS}


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"duty": "push"}, "`push` is no duty"),
        ({"duties": ["commit", "aprove"]}, "`aprove` is no duty"),
        ({"uses": ["builder"], "duties": []}, "`builder` is no use of a role"),
    ],
)
def test_a_word_that_means_nothing_is_a_mistake_of_the_rule(arguments: dict[str, Any], part: str) -> None:
    problem = PREDICATES["pipeline.roles_without"].problem
    assert problem is not None
    assert part in (problem(arguments) or "")


def test_the_table_does_not_load_the_reasoning_library() -> None:
    code = (
        "import sys, policyengine.rules.predicates.pipeline.table\n"
        "print([m for m in sys.modules if m.startswith('policyengine.iam')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


# -- code that names its own resources ---------------------------------------------------------------------


def _role(statements: list[Any], trusts: Any) -> dict[str, Any]:
    trusted = {"Effect": "Allow", "Principal": trusts, "Action": "sts:AssumeRole"}
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trusted]},
            "Policies": [
                {"PolicyName": "p", "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}
            ],
        },
    }


def _allow(action: str, resource: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource}


def _action(category: str, provider: str, configuration: Any = None) -> dict[str, Any]:
    kind = {"Category": category, "Owner": "AWS", "Provider": provider, "Version": "1"}
    return {"Name": provider, "ActionTypeId": kind, "Configuration": configuration or {}}


_ACCOUNT = {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}}
_APPROVAL = {"Fn::Sub": "arn:${AWS::Partition}:codepipeline:${AWS::Region}:${AWS::AccountId}:${Pipeline}/*"}


def _template(lead: Any = None) -> dict[str, Any]:
    """Return a template with a pipeline; ``lead``: what the developer's role may also do."""
    push = _allow("codecommit:GitPush", {"Fn::GetAtt": ["Repository", "Arn"]})
    return {
        "Repository": {"Type": "AWS::CodeCommit::Repository", "Properties": {"RepositoryName": "app"}},
        "Artifacts": {"Type": "AWS::S3::Bucket"},
        "Runner": _role(
            [_allow("s3:PutObject", {"Fn::Sub": "${Artifacts.Arn}/*"})],
            {"Service": "codepipeline.amazonaws.com"},
        ),
        "Developer": _role([push, *([lead] if lead else [])], _ACCOUNT),
        "Approver": _role([_allow("codepipeline:PutApprovalResult", _APPROVAL)], _ACCOUNT),
        "Pipeline": {
            "Type": "AWS::CodePipeline::Pipeline",
            "Properties": {
                "RoleArn": {"Fn::GetAtt": ["Runner", "Arn"]},
                "ArtifactStore": {"Type": "S3", "Location": {"Ref": "Artifacts"}},
                "Stages": [
                    {
                        "Name": "Source",
                        "Actions": [
                            _action(
                                "Source",
                                "CodeCommit",
                                {
                                    "RepositoryName": {"Fn::GetAtt": ["Repository", "Name"]},
                                    "BranchName": "main",
                                },
                            )
                        ],
                    },
                    {"Name": "Approve", "Actions": [_action("Approval", "Manual")]},
                ],
            },
        },
    }


def _rule(name: str) -> dict[str, Any]:
    path = ROOT / "rules" / "codepipeline" / f"{name}.yaml"
    form, problems = compile_text(path, path.read_bytes())
    assert form is not None, problems
    return form


def _findings(tmp_path: Path, resources: dict[str, Any], account: str | None = None) -> dict[str, Finding]:
    return _found(tmp_path / "template.yaml", yaml.safe_dump({"Resources": resources}), account)


def _found(path: Path, text: str, account: str | None) -> dict[str, Finding]:
    path.write_text(text, encoding="utf-8")
    (source,) = open_targets([str(path)], SourceOptions(account=account)).sources
    world, found = World(), list(source.resources())
    for resource in found:
        world.add(resource)
    rules = tuple(
        map(_rule, ("pipeline-committers-cannot-approve", "pipeline-artifacts-written-by-pipeline-only"))
    )
    evaluator = Evaluator(Pack("sha256:test", rules), now=subject({}).now)
    (pipeline,) = (r for r in found if r.type == "AWS::CodePipeline::Pipeline")
    return {finding.rule: finding for finding in evaluator.findings(pipeline, world)}


@pytest.mark.parametrize("account", [None, "111122223333"])
@pytest.mark.parametrize(
    "lead",
    [
        _allow("codepipeline:PutApprovalResult", _APPROVAL),
        _allow("sts:AssumeRole", {"Fn::GetAtt": ["Approver", "Arn"]}),
        _allow("codepipeline:*", {"Fn::Join": ["", ["arn:aws:codepipeline:*:*:", {"Ref": "Pipeline"}, "*"]]}),
    ],
    ids=["itself", "as the approver", "by the name"],
)
def test_a_violation_that_a_template_shows_is_one(tmp_path: Path, lead: Any, account: str | None) -> None:
    found = _findings(tmp_path, _template(lead), account)
    assert found["pipeline-committers-cannot-approve"].verdict == "FAIL"
    assert "PutApprovalResult" in found["pipeline-committers-cannot-approve"].message


def test_a_template_proves_nobody_separated(tmp_path: Path) -> None:
    found = _findings(tmp_path, _template())
    assert {finding.verdict for finding in found.values()} == {"UNKNOWN"}


def test_a_template_s_own_bucket_is_the_artifact_bucket(tmp_path: Path) -> None:
    found = _findings(tmp_path, _template(_allow("s3:PutObject", {"Fn::Sub": "${Artifacts.Arn}/*"})))
    assert found["pipeline-artifacts-written-by-pipeline-only"].verdict == "FAIL"
    other = _findings(tmp_path, _template(_allow("s3:PutObject", "arn:aws:s3:::other/*")))
    assert other["pipeline-artifacts-written-by-pipeline-only"].verdict == "UNKNOWN"


def test_a_plan_says_the_same(tmp_path: Path) -> None:
    both = {"Effect": "Allow", "Action": ["codecommit:GitPush", "codepipeline:Put*"], "Resource": "*"}
    stages = [
        _stage("Source", "CodeCommit", {"RepositoryName": "app", "BranchName": "main"}),
        _stage("Approval", "Manual", {}),
    ]
    store = {"location": "artifacts", "type": "S3", "encryption_key": [], "region": None}
    changes = [
        _change("aws_codepipeline", {"name": "app", "role_arn": "arn:aws:iam::111122223333:role/runner",
                                     "artifact_store": [store], "stage": stages}),
        _change("aws_iam_role", {"name": "a", "path": "/", "assume_role_policy": json.dumps(_trust())}),
        _change("aws_iam_role_policy", {"name": "p", "role": "a", "policy": json.dumps(
            {"Version": "2012-10-17", "Statement": [both]})}),
    ]  # fmt: skip
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": []}},
    }
    found = _found(tmp_path / "plan.json", json.dumps(plan), None)
    assert found["pipeline-committers-cannot-approve"].verdict == "FAIL"
    assert found["pipeline-artifacts-written-by-pipeline-only"].verdict == "UNKNOWN"


def _stage(category: str, provider: str, configuration: dict[str, str]) -> dict[str, Any]:
    action = {"name": provider, "category": category, "owner": "AWS", "provider": provider, "version": "1",
              "configuration": configuration}  # fmt: skip
    return {"name": category, "action": [action]}


def _change(kind: str, after: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": f"{kind}.it",
        "mode": "managed",
        "type": kind,
        "name": "it",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {"actions": ["create"], "before": None, "after": after, "after_unknown": {}},
    }


# -- laws --------------------------------------------------------------------------------------------------

_REPOSITORY = "arn:aws:codecommit:eu-west-1:111122223333:app"
_PIPELINE = "arn:aws:codepipeline:eu-west-1:111122223333:app"
_STATEMENT = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Allow", "Deny"]),
        "Action": st.sampled_from(
            [
                "codecommit:GitPush",
                "codecommit:*",
                "codepipeline:PutApprovalResult",
                "codepipeline:*",
                "*",
                ["codecommit:Merge*", "codepipeline:Put*"],
                "sts:AssumeRole",
            ]
        ),
        "Resource": st.sampled_from(
            [
                "*",
                _REPOSITORY,
                _PIPELINE,
                f"{_PIPELINE}/*",
                f"{_PIPELINE}/Approve/Manual",
                "arn:aws:iam::*:role/b*",
            ]
        ),
        "Condition": st.sampled_from(
            [
                {},
                {"Bool": {"aws:MultiFactorAuthPresent": "true"}},
                {"StringEquals": {"codecommit:References": "refs/heads/main"}},
                {"StringEqualsIfExists": {"codecommit:References": ["refs/heads/dev"]}},
                {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
                {"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1"]}},
            ]
        ),
    }
)
_STATEMENTS = st.lists(_STATEMENT, min_size=1, max_size=4)
_CASE = next(c for c in cases("pipeline.separated") if c["case"] == "two people")


def _asked(statements: list[Any], trusted: bool = False) -> Any:
    case = json.loads(json.dumps(_CASE))
    document = {"Version": "2012-10-17", "Statement": statements}
    case["tables"]["AWS::IAM::Role"] = [
        {"id": "a", "properties": {"RoleName": "a", "AssumeRolePolicyDocument": _trust(), "Policies": [
            {"PolicyName": "p", "PolicyDocument": document}]}},
    ]  # fmt: skip
    if trusted:
        approver = {"Version": "2012-10-17", "Statement": [_allow("codepipeline:PutApprovalResult", "*")]}
        case["tables"]["AWS::IAM::Role"].append(
            {"id": "b", "properties": {"RoleName": "b", "AssumeRolePolicyDocument": _trust(), "Policies": [
                {"PolicyName": "p", "PolicyDocument": approver}]}}
        )  # fmt: skip
    return pipeline_access.separated(
        subject(case), duties=["commit", "approve"], exempt=(), administrators=True
    )


def _trust() -> dict[str, Any]:
    principal = {"AWS": "arn:aws:iam::111122223333:root"}
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}],
    }


_PUSHES = (
    "codecommit:GitPush", "codecommit:PutFile", "codecommit:CreateCommit", "codecommit:DeleteFile",
    "codecommit:Merge*",
)  # fmt: skip


@settings(max_examples=50, deadline=None)
@given(_STATEMENTS)
def test_duties_are_held_by_whom_the_library_lets_make_the_requests(statements: list[Any]) -> None:
    answer = _asked(statements)
    policy = read_policy({"Version": "2012-10-17", "Statement": statements}, "identity")
    context = {"aws:requestedregion": Values(("eu-west-1",))}
    branch = {**context, "codecommit:references": Values(("refs/heads/main",))}
    commits = RequestSet(_PUSHES, (_REPOSITORY,), ("*",), branch)
    approves = RequestSet(
        ("codepipeline:PutApprovalResult",), (f"{_PIPELINE}/Approve/Manual",), ("*",), context
    )
    asker = one_caller("arn:aws:iam::111122223333:role/a")
    found = [can(asked, Policies(identity=(policy,)), asker) for asked in (commits, approves)]
    if all(isinstance(one, Yes) for one in found):
        assert answer.truth is FALSE
    builds = any("*" in statement["Action"] for statement in statements)  # starting a build commits as well
    if any(isinstance(one, No) for one in found) and not builds:
        assert answer.truth is TRUE


@settings(max_examples=25, deadline=None)
@given(_STATEMENTS, _STATEMENT)
def test_another_deny_joins_no_duties_and_another_allow_parts_none(statements: list[Any], extra: Any) -> None:
    before = _asked(statements, True).truth
    denied = _asked([*statements, {**extra, "Effect": "Deny"}], True).truth
    allowed = _asked([*statements, {**extra, "Effect": "Allow"}], True).truth
    assert not (before is TRUE and denied is FALSE)
    assert not (before is FALSE and allowed is TRUE)
