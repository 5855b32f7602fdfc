"""The registry's answers, its cost, and the freshness of what was generated."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from policyengine.catalog import registry
from policyengine.catalog.spec import Default

ROOT = Path(__file__).resolve().parents[2]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.mark.parametrize(
    ("type_name", "name", "shape"),
    [
        ("AWS::S3::Bucket", "Tags", "list"),
        ("AWS::SSM::Parameter", "Tags", "map"),
        ("AWS::Route53::HostedZone", "HostedZoneTags", "list"),
        ("AWS::Cognito::UserPool", "UserPoolTags", "map"),
        ("AWS::EC2::CapacityReservation", "TagSpecifications.*.Tags", "list"),
        ("AWS::CloudFront::AnycastIpList", "Tags.Items", "list"),
        ("AWS::Bedrock::Agent", "Tags", "map"),
    ],
)
def test_where_a_type_carries_its_tags(type_name, name, shape):
    assert registry.tag_property(type_name) == registry.TagProperty(name, shape)


@pytest.mark.parametrize(
    "type_name", ["AWS::S3::BucketPolicy", "AWS::EC2::Route", "AWS::Nope::Nope", "AWS::::Account"]
)
def test_types_that_cannot_be_tagged(type_name):
    assert not registry.taggable(type_name)
    assert registry.tag_property(type_name) is None


def test_every_taggable_type_of_the_registry_is_known():
    assert len(registry.taggable_types()) > 1200


def test_a_default_is_found_by_text_and_by_steps():
    by_text = registry.default(
        "AWS::ElasticLoadBalancingV2::LoadBalancer", 'Attributes."routing.http2.enabled"'
    )
    by_steps = registry.default(
        "AWS::ElasticLoadBalancingV2::LoadBalancer", ("Attributes", "routing.http2.enabled")
    )
    assert isinstance(by_text, Default)
    assert by_text is by_steps
    assert by_text.value is True


def test_a_default_of_an_element_is_found_with_and_without_a_step_for_the_element():
    named = registry.default("AWS::EC2::Instance", ("BlockDeviceMappings", "*", "Ebs", "Encrypted"))
    assert named is registry.default("AWS::EC2::Instance", ("BlockDeviceMappings", "Ebs", "Encrypted"))
    assert named.depends


def test_what_is_not_declared_is_none():
    assert registry.default("AWS::S3::Bucket", "BucketName") is None
    assert registry.default("AWS::Nope::Nope", "X") is None
    assert registry.spec("AWS::Nope::Nope") is None
    assert registry.schema("AWS::Nope::Nope") is None
    assert registry.relation("AWS::S3::Bucket", "nope") is None
    assert registry.names("AWS::Nope::Nope") == ()
    assert registry.secrets("AWS::Nope::Nope") == frozenset()


def test_a_dated_default_says_since_when():
    found = registry.default("AWS::S3::Bucket", "BucketEncryption.ServerSideEncryptionConfiguration")
    assert found.provenance == "AWS default since 2023-01-05"


def test_the_generated_index_holds_every_declaration():
    assert set(registry.covered()) == set(registry.declared_types())


def test_a_satellite_knows_all_its_parents():
    parents = [parent for parent, _ in registry.satellites()["AWS::IAM::Policy"]]
    assert sorted(parents) == ["AWS::IAM::Group", "AWS::IAM::Role", "AWS::IAM::User"]


def test_import_and_first_call_are_cheap(tmp_path):
    """Processor time, the best of some runs with bytecode compiled: a busy machine is no reason to fail."""
    code = (
        "import functools, importlib, json, os, typing, time\n"
        "start = time.process_time()\n"
        "from policyengine.catalog import registry\n"
        "registry.spec('AWS::S3::Bucket'), registry.covered(), registry.satellites()\n"
        "print((time.process_time() - start) * 1000)\n"
        "import sys; assert 'boto3' not in sys.modules and 'pydantic' not in sys.modules\n"
    )
    times = []
    for _ in range(6):
        done = run(
            "-X", f"pycache_prefix={tmp_path}", "-c", f"import sys; sys.dont_write_bytecode = False\n{code}"
        )
        assert done.returncode == 0, done.stderr
        times.append(float(done.stdout))
    assert min(times) < 10, times


def test_the_registry_schemas_are_fresh():
    if importlib.util.find_spec("cfnlint") is None:
        pytest.skip("cfn-lint is not installed")
    from importlib.metadata import version

    if version("cfn-lint") != registry.schema_origin()["cfn_lint"]:
        pytest.skip("another cfn-lint is installed than the one the data was extracted from")
    done = run("tools/extract_schemas.py", "--check")
    assert done.returncode == 0, f"run `make catalog`: {done.stdout}{done.stderr}"


def test_the_page_for_rule_authors_is_fresh():
    done = run("tools/document_model.py", "--check")
    assert done.returncode == 0, f"run `make catalog`: {done.stdout}{done.stderr}"
