"""61 public plans: every one is evaluated or has nothing of AWS in it, none crashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from policyengine.model.finding import Evidence, build_finding
from policyengine.sources.base import SourceOptions
from policyengine.sources.terraform.plan import open_plan

CORPUS = Path(__file__).parents[4] / "shared" / "corpora" / "terraform-plans"
FILES = sorted(CORPUS.glob("*.json"))
NOTHING_PLANNED = {
    "test_aws_credentials_success.json", "test_issue-173.json", "test_issue-183.json", "test_issue_371.json",
}  # fmt: skip

pytestmark = pytest.mark.skipif(not FILES, reason="the shared corpora are not beside this checkout")


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.stem)
def test_every_public_plan_is_read_or_skipped_with_a_reason(file: Path) -> None:
    source = open_plan(file, SourceOptions(base=CORPUS))
    resources = list(source.resources())
    assert source.errors == []
    if not resources and file.name not in NOTHING_PLANNED:
        assert source.skipped
    for resource in resources:
        assert resource.file == file.name
        for path in [(), *((name,) for name in resource.properties)]:
            place = resource.locate(path)
            assert place is not None
            assert place.file == file.name
        build_finding(
            rule="r", title="t", family="network", severity="low", verdict="FAIL", reason="missing",
            message="m", resource=resource, evidence=[Evidence((), None, "x", "missing")],
        )  # fmt: skip


def test_the_same_sequence_is_given_twice() -> None:
    source = open_plan(FILES[-1], SourceOptions(base=CORPUS))
    first = [(r.id, r.type, sorted(r.properties)) for r in source.resources()]
    skipped = dict(source.skipped)
    assert first == [(r.id, r.type, sorted(r.properties)) for r in source.resources()]
    assert skipped == dict(source.skipped)


def test_the_corpus_gives_the_resources_it_plans() -> None:
    counts: dict[str, int] = {}
    for file in FILES:
        for resource in open_plan(file, SourceOptions(base=CORPUS)).resources():
            counts[resource.type] = counts.get(resource.type, 0) + 1
    expected = {
        "AWS::IAM::Role": 31, "AWS::EC2::SecurityGroup": 28, "AWS::S3::Bucket": 24, "AWS::Lambda::Function": 20,
        "AWS::Logs::LogGroup": 16, "AWS::EC2::Instance": 16, "AWS::ElasticLoadBalancingV2::LoadBalancer": 5,
    }  # fmt: skip
    assert {k: counts[k] for k in expected} == expected
