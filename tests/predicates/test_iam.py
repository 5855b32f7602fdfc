"""Conformance data of the predicates about policies and organisations, on template, plan and snapshot."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policyengine.engine.evaluate import Evaluator
from policyengine.engine.world import World
from policyengine.iam.authorize import Policies, authorize
from policyengine.iam.documents import read_policy
from policyengine.iam.request import Request
from policyengine.model.logic import FALSE, TRUE
from policyengine.model.resource import Resource
from policyengine.rules.pack import Pack
from policyengine.rules.packs import load_packs
from policyengine.rules.predicates.api import Predicate
from policyengine.rules.predicates.iam import table as iam
from policyengine.rules.predicates.org import table as org
from policyengine.sources.base import SourceOptions
from policyengine.sources.discover import open_targets

from .conformance import subject

PREDICATES: dict[str, Predicate] = {p.name: p for p in (*iam.PREDICATES, *org.PREDICATES)}
ROOT = Path(__file__).resolve().parents[2]


def test_the_table_of_predicates_does_not_load_the_reasoning_library() -> None:
    code = (
        "import sys, policyengine.rules.predicates.table\n"
        "print([m for m in sys.modules if m.startswith('policyengine.iam')])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert out.stdout.strip() == "[]"


# -- the same answer from every source -------------------------------------------------------------------

STATEMENTS = [
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    },
    {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"},
]


def _template(tmp_path: Path, resource: Any, references: bool) -> list[Resource]:
    document = {"Version": "2012-10-17", "Statement": [{**s, "Resource": resource} for s in STATEMENTS]}
    bucket: dict[str, Any] = {"Type": "AWS::S3::Bucket"}
    if not references:
        bucket["Properties"] = {"BucketName": "data"}
    properties = {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": document}
    template = {
        "Resources": {"Bucket": bucket, "Policy": {"Type": "AWS::S3::BucketPolicy", "Properties": properties}}
    }
    path = tmp_path / "template.json"
    path.write_text(json.dumps(template), encoding="utf-8")
    (source,) = open_targets([str(path)], SourceOptions()).sources
    return list(source.resources())


def _verdicts(resources: list[Resource]) -> dict[str, str]:
    names = {"s3-tls-only", "s3-bucket-policy-not-public"}
    rules = tuple(form for form in load_packs().rules if form["id"] in names)
    world = World()
    for resource in resources:
        world.add(resource)
    (bucket,) = (r for r in resources if r.type == "AWS::S3::Bucket")
    found = Evaluator(Pack("sha256:test", rules), now=subject({}).now).findings(bucket, world)
    return {finding.rule: finding.verdict for finding in found}


@pytest.mark.parametrize(
    ("resource", "references"),
    [
        (["arn:aws:s3:::data", "arn:aws:s3:::data/*"], False),
        ([{"Fn::GetAtt": ["Bucket", "Arn"]}, {"Fn::Sub": "${Bucket.Arn}/*"}], True),
        ([{"Fn::Sub": "arn:aws:s3:::${Bucket}"}, {"Fn::Sub": "arn:aws:s3:::${Bucket}/*"}], True),
        (
            [
                {"Fn::Sub": "arn:${AWS::Partition}:s3:::${Bucket}"},
                {"Fn::Join": ["", [{"Fn::GetAtt": ["Bucket", "Arn"]}, "/*"]]},
            ],
            True,
        ),
    ],
    ids=["literal", "attributes", "names", "partition"],
)
def test_a_template_that_names_its_own_bucket_is_decided(
    tmp_path: Path, resource: Any, references: bool
) -> None:
    found = _verdicts(_template(tmp_path, resource, references))
    assert found == {"s3-tls-only": "PASS", "s3-bucket-policy-not-public": "FAIL"}


def test_a_template_that_names_another_bucket_denies_nothing_of_this_one(tmp_path: Path) -> None:
    found = _verdicts(_template(tmp_path, ["arn:aws:s3:::other", "arn:aws:s3:::other/*"], True))
    assert found["s3-tls-only"] == "FAIL"


def test_a_plan_with_the_whole_policy_is_decided_and_one_without_is_not(tmp_path: Path) -> None:
    for known, expected in ((True, "PASS"), (False, "UNKNOWN")):
        assert _verdicts(_plan(tmp_path, known))["s3-tls-only"] == expected


def _plan(tmp_path: Path, known: bool) -> list[Resource]:
    resources = ["arn:aws:s3:::data", "arn:aws:s3:::data/*"]
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": [{**s, "Resource": resources} for s in STATEMENTS]}
    )
    values = {"bucket": "data", **({"policy": text} if known else {})}
    changes = [
        _change("aws_s3_bucket", "data", {"bucket": "data"}, {}),
        _change("aws_s3_bucket_policy", "data", values, {} if known else {"policy": True}),
    ]
    plan = {
        "format_version": "1.2",
        "terraform_version": "1.9.0",
        "resource_changes": changes,
        "configuration": {"root_module": {"resources": []}},
    }
    path = tmp_path / "plan.json"
    path.write_text(json.dumps(plan), encoding="utf-8")
    (source,) = open_targets([str(path)], SourceOptions()).sources
    return list(source.resources())


def _change(kind: str, name: str, after: dict[str, Any], unknown: dict[str, Any]) -> dict[str, Any]:
    return {
        "address": f"{kind}.{name}",
        "mode": "managed",
        "type": kind,
        "name": name,
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "change": {"actions": ["create"], "before": None, "after": after, "after_unknown": unknown},
    }


# -- laws --------------------------------------------------------------------------------------------------

_PRINCIPALS = st.sampled_from(
    [
        "*",
        {"AWS": "*"},
        {"AWS": "444455556666"},
        {"AWS": "arn:aws:iam::111122223333:role/app"},
        {"Service": "sns.amazonaws.com"},
    ]
)
_CONDITIONS = st.sampled_from(
    [
        {},
        {"Bool": {"aws:SecureTransport": "false"}},
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}},
        {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-aaaaaaaaaa"}},
        {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
        {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/app*"}},
    ]
)
_STATEMENT = st.fixed_dictionaries(
    {
        "Effect": st.sampled_from(["Allow", "Deny"]),
        "Principal": _PRINCIPALS,
        "Action": st.sampled_from(["s3:*", "s3:Get*", ["s3:PutObject", "s3:ListBucket"]]),
        "Resource": st.sampled_from(["arn:aws:s3:::data", "arn:aws:s3:::data/*", "*"]),
        "Condition": _CONDITIONS,
    }
)
_REQUESTS = {"action": ["s3:*"], "context": {"aws:SecureTransport": ["false"]}}


def _asked(name: str, statements: list[dict[str, Any]], **arguments: Any) -> Any:
    document = {"Version": "2012-10-17", "Statement": statements}
    data = {
        "type": "AWS::S3::Bucket",
        "resource": {"id": "data"},
        "properties": {"BucketName": "data"},
        "related": {"policies": [{"PolicyDocument": document}]},
        "tables": {"AWS::::Account": [{"id": "111122223333", "properties": {}}]},
    }
    predicate = PREDICATES[name]
    defaults = {key: arg.default for key, arg in predicate.args.items() if not arg.required}
    return predicate.check(subject(data), **{**defaults, **arguments})


@settings(max_examples=60, deadline=None)
@given(st.lists(_STATEMENT, min_size=1, max_size=4))
def test_a_request_that_is_shown_is_decided_so_by_authorize(statements: list[dict[str, Any]]) -> None:
    policy = read_policy({"Version": "2012-10-17", "Statement": statements}, "resource")
    everything = read_policy(
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}},
        "identity",
    )
    denied = _asked("iam.denies", statements, requests=_REQUESTS)
    public = _asked("iam.allows_public", statements)
    for answer, outcomes in ((denied, {"Allowed", "ImplicitlyDenied"}), (public, {"Allowed"})):
        if answer.witness is not None:
            asked = Request(*answer.witness[:3], answer.witness.context, "111122223333")
            decision = authorize(asked, Policies(identity=(everything,), resource=policy))
            assert decision.outcome in outcomes


@settings(max_examples=40, deadline=None)
@given(st.lists(_STATEMENT, min_size=1, max_size=3), _STATEMENT)
def test_another_deny_never_opens_and_another_allow_never_closes(
    statements: list[dict[str, Any]], extra: dict[str, Any]
) -> None:
    before = _asked("iam.denies", statements, requests=_REQUESTS).truth
    after = _asked("iam.denies", [*statements, {**extra, "Effect": "Deny"}], requests=_REQUESTS).truth
    assert not (before is TRUE and after is FALSE)
    public = _asked("iam.allows_public", statements).truth
    more = _asked("iam.allows_public", [*statements, {**extra, "Effect": "Allow"}]).truth
    assert not (public is TRUE and more is FALSE)
