"""AWS managed policies: a dated list, read on demand; what it lacks is not known."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest

from policyengine.iam import managed
from policyengine.iam.catalogue import catalogue
from policyengine.iam.documents import Policy, read_policy
from policyengine.iam.managed import DATE, entry, managed_policy, names

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def policies() -> dict[str, Policy]:
    return {arn: read_policy(managed_policy(arn) or {}, "identity") for arn in names()}


def test_the_list_is_dated():
    assert (DATE, managed.MOTO) == ("2026-09-30", "5.2.5")
    assert len(names()) == 1582
    assert list(names()) == sorted(names())
    assert max(found.date for found in map(entry, names()) if found) == DATE


def test_a_document_is_that_of_the_default_version():
    assert managed_policy("arn:aws:iam::aws:policy/AdministratorAccess") == {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
    }
    found = entry("arn:aws:iam::aws:policy/AdministratorAccess")
    assert found is not None
    assert (found.version, found.date) == ("v1", "2015-02-06")
    assert json.loads(found.text) == managed_policy(found.arn)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
        "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole",
        "arn:aws:iam::aws:policy/aws-service-role/AWSSupportServiceRolePolicy",
        "arn:aws:iam::aws:policy/root-task/S3UnlockBucketPolicy",
    ],
)
def test_paths_are_part_of_the_arn(arn: str):
    assert managed_policy(arn) is not None


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::aws:policy/NoSuchPolicy",
        "arn:aws:iam::aws:policy/ViewOnlyAccess",  # without its path
        "arn:aws:iam::aws:policy/administratoraccess",
        "arn:aws-cn:iam::aws:policy/AdministratorAccess",
        "arn:aws:iam::123456789012:policy/AdministratorAccess",
        "AdministratorAccess",
        "",
    ],
)
def test_what_the_list_lacks_is_not_known(arn: str):
    assert managed_policy(arn) is None
    assert entry(arn) is None


def test_a_caller_may_change_its_copy():
    arn = "arn:aws:iam::aws:policy/AdministratorAccess"
    first = managed_policy(arn)
    assert first is not None
    first["Statement"].clear()
    second = managed_policy(arn)
    assert second is not None
    assert second["Statement"]


def test_every_document_can_be_read(policies: dict[str, Policy]):
    assert len(policies) == len(names())
    assert all(policy.statements for policy in policies.values())


def test_nearly_every_pattern_in_them_is_in_the_catalogue(policies: dict[str, Policy]):
    known = catalogue()
    patterns = {a for p in policies.values() for s in p.statements for a in s.actions}
    unknown = {pattern for pattern in patterns if not known.matching(pattern)}
    assert len(patterns) > 15_000
    assert len(unknown) < len(patterns) / 100, (
        "AWS's own policies name actions that its reference lacks, but few"
    )
    covering = known.covering(patterns)
    assert all(covering.matching(pattern) for pattern in unknown)


def test_the_list_is_fresh():
    try:
        installed = importlib.metadata.version("moto")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("moto is not installed")
    if installed != managed.MOTO:
        pytest.skip(f"moto {installed} is installed, the list is that of {managed.MOTO}")
    command = [sys.executable, "tools/build_managed_policies.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run `make iam-data`: {done.stdout}{done.stderr}"
